//! Offloading of blocking work, mostly reads of files, to detached threads.
//!
//! A file may hang: a FIFO that nothing is written to, a network file system whose server is down. Work
//! is done by a [pool] of threads that nothing waits for, within a time limit, and under a key that
//! names what may hang. While the work of a key hangs, it is refused at once and not started again.
//! Reads of one file are shared: see [flights]. Files that the kernel holds in memory need no thread: see
//! [cached].
//!
//! A runtime with a paused clock takes a wait for these threads for idleness and lets the time limit
//! pass at once; so the simulation reads no file and starts no such work.

mod cached;
mod error;
mod flights;
mod pool;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

pub(crate) use self::error::{BlockingError, READ_TIMEOUT, ReadError};

/// Threads that may be at work, or hang, under one key.
const THREADS_PER_KEY_MAX: usize = 8;

/// Gates of the keys that are in use.
static GATES: Mutex<Option<HashMap<String, Arc<Gate>>>> = Mutex::new(None);

/// Gate that the work under one key passes.
#[derive(Debug)]
struct Gate {
    /// Permits of the threads at work.
    turns: Arc<Semaphore>,
    /// Number of threads that exceeded their limit and are still at work.
    hung: AtomicUsize,
}

impl Default for Gate {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(THREADS_PER_KEY_MAX)), hung: AtomicUsize::new(0) }
    }
}

impl Gate {
    /// Returns the gate of `key`; gates that are no longer in use are forgotten.
    fn of(key: &str) -> Arc<Self> {
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        let gates = gates.get_or_insert_default();
        gates.retain(|_key, gate| 1 < Arc::strong_count(gate));
        Arc::clone(gates.entry(key.to_owned()).or_default())
    }

    fn hangs(&self) -> bool {
        0 < self.hung.load(Ordering::SeqCst)
    }
}

/// Progress of one piece of work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    Queued,
    Working,
    Hung,
    Ended,
}

/// Handle of one piece of work, shared by its caller and its thread.
#[derive(Clone, Debug)]
struct Work {
    gate: Arc<Gate>,
    progress: Arc<Mutex<Progress>>,
}

impl Work {
    fn queued(gate: &Arc<Gate>) -> Self {
        Self { gate: Arc::clone(gate), progress: Arc::new(Mutex::new(Progress::Queued)) }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the work as begun, and as ended when the guard is dropped, also by a panic.
    fn begin(self) -> AtWork {
        *self.progress() = Progress::Working;
        AtWork(self)
    }

    /// Notes that the work exceeded its limit. Returns true when a thread is at it.
    fn give_up(&self) -> bool {
        let mut progress = self.progress();
        let is_begun = *progress != Progress::Queued;
        if *progress == Progress::Working {
            *progress = Progress::Hung;
            self.gate.hung.fetch_add(1, Ordering::SeqCst);
        }
        is_begun
    }
}

/// Guard of work that a thread is at.
struct AtWork(Work);

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut progress = self.0.progress();
        if *progress == Progress::Hung {
            self.0.gate.hung.fetch_sub(1, Ordering::SeqCst);
        }
        *progress = Progress::Ended;
    }
}

/// Runs `work` on a thread of the pool and waits for it, at most `limit`. Work under one `key`, which
/// names what may hang, has at most [`THREADS_PER_KEY_MAX`] threads.
///
/// # Errors
///
/// Fails when the work does not end in time; its thread is abandoned then, and until it ends the next
/// call with the same key fails at once.
pub(crate) async fn run<T: Send + 'static>(
    key: &str,
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BlockingError> {
    let gate = Gate::of(key);
    if gate.hangs() {
        return Err(BlockingError::Hangs(limit));
    }
    let handle = Work::queued(&gate);
    let done = timeout(limit, async {
        let turn = Arc::clone(&gate.turns).acquire_owned().await;
        let turn = turn.map_err(|_closed| BlockingError::Full)?;
        let (sender, receiver) = oneshot::channel();
        let begun = handle.clone();
        pool::submit(Box::new(move || {
            if !sender.is_closed() {
                let _held = (turn, begun.begin());
                // It may come too late for the receiver.
                let _late = sender.send(work());
            }
        }))?;
        receiver.await.map_err(|_panicked| BlockingError::Panicked)
    });
    done.await.unwrap_or_else(|_elapsed| {
        Err(if handle.give_up() { BlockingError::Hangs(limit) } else { BlockingError::Full })
    })
}

/// Reads the file at `path`, at most `bytes_max` bytes of it, within [`READ_TIMEOUT`]. Callers that ask
/// at the same time share a read that begins after they asked.
///
/// # Errors
///
/// Fails for a file that cannot be read, is larger, or does not answer.
pub(crate) async fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, ReadError> {
    if let Some(bytes) = cached::read(path, bytes_max) {
        return Ok(bytes);
    }
    let (sender, receiver) = oneshot::channel();
    // It may come too late for the receiver.
    flights::join(path, bytes_max, Box::new(move |read| drop(sender.send(read))))?;
    match timeout(READ_TIMEOUT, receiver).await {
        Ok(read) => read.map_err(|_panicked| BlockingError::Panicked)?,
        Err(_elapsed) => Err(flights::give_up(path, bytes_max).into()),
    }
}

/// Reads as [`read`] does and blocks the calling thread meanwhile, which must not be one that serves
/// others: while a configuration is read.
///
/// # Errors
///
/// Those of [`read`].
pub(crate) fn read_now(path: &Path, bytes_max: usize) -> Result<Vec<u8>, ReadError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    // It may come too late for the receiver.
    flights::join(path, bytes_max, Box::new(move |read| drop(sender.send(read))))?;
    match receiver.recv_timeout(READ_TIMEOUT) {
        Ok(read) => read,
        Err(RecvTimeoutError::Disconnected) => Err(BlockingError::Panicked.into()),
        Err(RecvTimeoutError::Timeout) => Err(flights::give_up(path, bytes_max).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn hung_work_is_refused_until_it_ends_and_then_done_again() {
        let (release, released) = mpsc::channel::<()>();
        let hung = run("hangs", SHORT, move || released.recv().is_err()).await;
        assert!(matches!(hung, Err(BlockingError::Hangs(_))), "{hung:?}");
        let start = Instant::now();
        let again = run("hangs", Duration::from_mins(1), || panic!("must not be started")).await;
        let again: Result<(), _> = again;
        assert!(matches!(again, Err(BlockingError::Hangs(_))), "{again:?}");
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(run("other", SHORT, || 1).await.unwrap(), 1);
        drop(release);
        let ended = async {
            while run("hangs", SHORT, || ()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), ended).await.unwrap();
    }

    #[tokio::test]
    async fn panic_of_the_work_is_an_error_and_frees_its_key() {
        let panicked: Result<(), _> =
            run("panics", Duration::from_secs(10), || panic!("on purpose")).await;
        assert!(matches!(panicked, Err(BlockingError::Panicked)), "{panicked:?}");
        assert_eq!(run("panics", Duration::from_secs(10), || 1).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn fifo_without_a_writer_is_an_error_after_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
        for _ in 0..2 {
            let error = read(&path, 10).await.unwrap_err();
            assert_eq!(error.to_string(), "it does not answer within 2s");
        }
    }

    #[tokio::test]
    async fn larger_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).await.unwrap(), b"12345");
        let error = read(&path, 4).await.unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 4 bytes");
    }
}
