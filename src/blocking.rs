//! Offloading of blocking work, mostly reads of files, to detached threads.
//!
//! A file may hang: a FIFO that nothing is written to, a network file system whose server is down. A
//! thread that hangs cannot be ended, only abandoned, and the end of tokio's runtime waits for its
//! own; so each piece of work has a thread of its own, a time limit, and a key. While the work of a
//! key hangs, it is refused at once and not started again.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::domain::duration_text;

/// Longest wait for a file; less than the shortest limit of a test.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// Threads that may be at work, or hang, at the same time.
const THREADS_MAX: usize = 256;
/// Threads that may be at work, or hang, under one key: many runs and deliveries share a secret, and
/// must not queue for it.
const THREADS_PER_KEY_MAX: usize = 8;
/// Stack of a thread, in bytes; reading a file and parsing certificates take little.
const STACK_BYTES: usize = 1024 * 1024;

/// Permits of the threads.
static THREADS: Semaphore = Semaphore::const_new(THREADS_MAX);
/// Gates of the keys that are in use.
static GATES: Mutex<Option<HashMap<String, Arc<Gate>>>> = Mutex::new(None);

/// Reason for which blocking work has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlockingError {
    /// The work has not ended within its limit, now or at an earlier attempt.
    #[error("it does not answer within {}", duration_text(*.0))]
    Hangs(Duration),
    /// Other work that hangs holds all threads.
    #[error("{THREADS_MAX} other files do not answer")]
    Full,
    /// The system refuses a thread.
    #[error("no thread can be started")]
    Thread(#[source] io::Error),
    /// The work has panicked.
    #[error("reading it failed because of a fault in revalidated")]
    Panicked,
}

/// Reason for which a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The system refuses to read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file has more bytes than this.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    /// The file does not answer.
    #[error(transparent)]
    Blocking(#[from] BlockingError),
}

/// State of the work under one key.
#[derive(Debug)]
struct Gate {
    /// Permits of the threads at work.
    turns: Arc<Semaphore>,
    state: Mutex<State>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(THREADS_PER_KEY_MAX)), state: Mutex::default() }
    }
}

/// Progress of the work under one key.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Idle,
    Working,
    Hung,
}

impl Gate {
    /// Returns the gate of `key`; gates that are no longer in use are forgotten.
    fn of(key: &str) -> Arc<Self> {
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        let gates = gates.get_or_insert_default();
        gates.retain(|_key, gate| 1 < Arc::strong_count(gate));
        Arc::clone(gates.entry(key.to_owned()).or_default())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the work exceeded its limit. Returns true when a thread is still at it.
    fn give_up(&self) -> bool {
        let mut state = self.state();
        if *state == State::Working {
            *state = State::Hung;
        }
        *state == State::Hung
    }
}

/// Marks a gate as idle at the end of the work, also when that panics.
struct AtWork(Arc<Gate>);

impl Drop for AtWork {
    fn drop(&mut self) {
        *self.0.state() = State::Idle;
    }
}

/// Runs `work` on a thread of its own and waits for it, at most `limit`. Work under one `key`, which
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
    if *gate.state() == State::Hung {
        return Err(BlockingError::Hangs(limit));
    }
    let done = timeout(limit, async {
        let turn = Arc::clone(&gate.turns).acquire_owned().await;
        let turn = turn.map_err(|_closed| BlockingError::Full)?;
        let permit = THREADS.acquire().await.map_err(|_closed| BlockingError::Full)?;
        let (sender, receiver) = oneshot::channel();
        *gate.state() = State::Working;
        start(&gate, (turn, permit), move || {
            // It may come too late for the receiver.
            let _late = sender.send(work());
        })?;
        receiver.await.map_err(|_panicked| BlockingError::Panicked)
    });
    done.await.unwrap_or_else(|_elapsed| {
        Err(if gate.give_up() { BlockingError::Hangs(limit) } else { BlockingError::Full })
    })
}

/// Reads the file at `path`, at most `bytes_max` bytes of it, within [`READ_TIMEOUT`].
///
/// # Errors
///
/// Fails for a file that cannot be read, is larger, or does not answer.
pub(crate) async fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, ReadError> {
    let file = path.to_owned();
    let read = move || read_file(&file, bytes_max);
    run(&path.to_string_lossy(), READ_TIMEOUT, read).await?
}

/// Reads as [`read`] does and blocks the calling thread meanwhile, which must not be one that serves
/// others: while a configuration is read.
///
/// # Errors
///
/// Those of [`read`].
pub(crate) fn read_now(path: &Path, bytes_max: usize) -> Result<Vec<u8>, ReadError> {
    let gate = Gate::of(&path.to_string_lossy());
    if *gate.state() == State::Hung {
        return Err(BlockingError::Hangs(READ_TIMEOUT).into());
    }
    let permit = THREADS.try_acquire().map_err(|_full| BlockingError::Full)?;
    let (sender, receiver) = mpsc::sync_channel(1);
    let file = path.to_owned();
    *gate.state() = State::Working;
    start(&gate, permit, move || {
        // It may come too late for the receiver.
        let _late = sender.send(read_file(&file, bytes_max));
    })?;
    match receiver.recv_timeout(READ_TIMEOUT) {
        Ok(read) => read,
        Err(RecvTimeoutError::Disconnected) => Err(BlockingError::Panicked.into()),
        Err(RecvTimeoutError::Timeout) => {
            gate.give_up();
            Err(BlockingError::Hangs(READ_TIMEOUT).into())
        }
    }
}

/// Starts a detached thread for `work`, which holds `held` until it ends.
fn start<H: Send + 'static>(
    gate: &Arc<Gate>,
    held: H,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), BlockingError> {
    let at_work = AtWork(Arc::clone(gate));
    let thread = thread::Builder::new().name("blocking".to_owned()).stack_size(STACK_BYTES);
    let started = thread.spawn(move || {
        let _held = (held, at_work);
        work();
    });
    started.map(drop).map_err(BlockingError::Thread)
}

/// Reads the file at `path` on this thread.
fn read_file(path: &Path, bytes_max: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if bytes_max < bytes.len() { Err(ReadError::TooLarge(bytes_max)) } else { Ok(bytes) }
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
