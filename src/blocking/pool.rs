//! Pool of detached threads for work that may hang.
//!
//! A thread that hangs cannot be ended, only abandoned, and the end of tokio's runtime waits for the
//! threads of its own pool; so this one has nothing to do with the runtime. A thread is started only
//! when none is idle, is used again and again, and ends after some seconds without work.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::error::{BlockingError, THREADS_MAX};

/// Pieces of work that may wait for a thread.
const JOBS_MAX: usize = 16 * 1024;
/// Time after which an idle thread ends.
const IDLE_MAX: Duration = Duration::from_secs(10);
/// Stack of a thread, in bytes; reading a file and parsing certificates take little.
const STACK_BYTES: usize = 1024 * 1024;

/// Pool of the process.
static POOL: Pool = Pool::new();

/// Work that a thread does; its end is reported to nothing.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// Threads and the work that waits for them.
#[derive(Debug)]
struct Pool {
    state: Mutex<State>,
    queued: Condvar,
}

/// Counts of a pool.
struct State {
    /// Work that waits; more than there are idle threads only when all threads are in use.
    jobs: VecDeque<Job>,
    /// Number of threads that wait for work.
    idle: usize,
    /// Number of threads, idle or not.
    threads: usize,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { jobs, idle, threads } = self;
        write!(f, "State {{ jobs: {}, idle: {idle}, threads: {threads} }}", jobs.len())
    }
}

/// Queues `job` for the threads of the process.
///
/// # Errors
///
/// Fails when too much work waits, or when there is no thread and the system refuses one.
pub(super) fn submit(job: Job) -> Result<(), BlockingError> {
    POOL.submit(job)
}

impl Pool {
    const fn new() -> Self {
        let state = State { jobs: VecDeque::new(), idle: 0, threads: 0 };
        Self { state: Mutex::new(state), queued: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&'static self, job: Job) -> Result<(), BlockingError> {
        let mut state = self.state();
        if JOBS_MAX <= state.jobs.len() {
            return Err(BlockingError::Full);
        }
        state.jobs.push_back(job);
        if state.jobs.len() <= state.idle {
            drop(state);
            self.queued.notify_one();
        } else if state.threads < THREADS_MAX {
            // Under the lock, so that no work is queued in the hope for a thread that is then refused.
            match self.start() {
                Ok(()) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    state.jobs.pop_back();
                    return Err(BlockingError::Thread(error));
                }
                // The threads that exist do it later.
                Err(_refused) => {}
            }
        }
        Ok(())
    }

    fn start(&'static self) -> io::Result<()> {
        let thread = thread::Builder::new().name("blocking".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(|| self.serve()).map(drop)
    }

    /// Does queued work until there has been none for [`IDLE_MAX`].
    fn serve(&self) {
        while let Some(job) = self.next() {
            // The caller notices a panic by an answer that does not come.
            let _panicked = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// Waits for work. Returns none when the thread is to end.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        if state.jobs.is_empty() {
            state.idle += 1;
            let waited =
                self.queued.wait_timeout_while(state, IDLE_MAX, |state| state.jobs.is_empty());
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            state.idle = state.idle.saturating_sub(1);
        }
        let job = state.jobs.pop_front();
        if job.is_none() {
            state.threads = state.threads.saturating_sub(1);
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::mpsc;

    #[test]
    fn idle_thread_is_used_again() {
        static OWN: Pool = Pool::new();
        let (sender, receiver) = mpsc::channel();
        let mut threads = HashSet::new();
        for _ in 0..20 {
            let sender = sender.clone();
            OWN.submit(Box::new(move || sender.send(thread::current().id()).unwrap())).unwrap();
            threads.insert(receiver.recv().unwrap());
            while OWN.state().idle == 0 {
                thread::yield_now();
            }
        }
        assert_eq!((threads.len(), OWN.state().threads), (1, 1));
    }

    #[test]
    fn work_is_done_beside_threads_that_hang_and_after_a_panic() {
        static OWN: Pool = Pool::new();
        let (release, released) = mpsc::channel::<()>();
        let released = std::sync::Arc::new(Mutex::new(released));
        for _ in 0..10 {
            let released = std::sync::Arc::clone(&released);
            OWN.submit(Box::new(move || assert!(released.lock().unwrap().recv().is_err())))
                .unwrap();
        }
        OWN.submit(Box::new(|| panic!("on purpose"))).unwrap();
        let (sender, receiver) = mpsc::channel();
        OWN.submit(Box::new(move || sender.send(()).unwrap())).unwrap();
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(10 <= OWN.state().threads);
        drop(release);
    }

    #[test]
    fn work_beyond_the_maximum_of_threads_waits_for_one() {
        static OWN: Pool = Pool::new();
        let (release, released) = mpsc::channel::<()>();
        let released = std::sync::Arc::new(Mutex::new(released));
        let (sender, receiver) = mpsc::channel();
        for _ in 0..THREADS_MAX + 10 {
            let (released, sender) = (std::sync::Arc::clone(&released), sender.clone());
            let job = move || {
                assert!(released.lock().unwrap().recv().is_err());
                sender.send(()).unwrap();
            };
            OWN.submit(Box::new(job)).unwrap();
        }
        assert_eq!(OWN.state().threads, THREADS_MAX);
        drop((release, sender));
        assert_eq!(receiver.iter().count(), THREADS_MAX + 10);
    }
}
