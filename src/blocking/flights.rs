//! Reads of files that callers share (single flight).
//!
//! A file is read by at most one thread at a time. Callers that arrive before a read has begun share
//! it, and callers that arrive while one is under way share the next. So each result is at least as
//! new as the request for it (a read that began before an edit never serves a caller from after the
//! edit), and a thousand callers a second cost a few reads. While a read hangs, further callers of
//! its file are refused at once.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::time::Instant;

use super::error::{BlockingError, READ_TIMEOUT, ReadError};
use super::{cached, pool};

/// Reads that are queued or under way.
static FLIGHTS: LazyLock<Flights> = LazyLock::new(Flights::default);

/// Callback that takes the result of a read; its caller may have stopped waiting.
pub(super) type Waiter = Box<dyn FnOnce(Result<Vec<u8>, ReadError>) + Send>;

/// File and the most bytes of it that are read.
type Key = (PathBuf, usize);

/// Reads under way and queued, by file.
#[derive(Default)]
struct Flights(Mutex<HashMap<Key, Flight>>);

/// Reads of one file, from the first caller until no caller waits; one job of the pool does them.
#[derive(Default)]
struct Flight {
    /// Start of the read that is under way.
    began: Option<Instant>,
    /// True when a caller waited in vain for the read that is under way.
    is_abandoned: bool,
    /// Callers that the next read is for.
    next: Vec<Waiter>,
}

impl Flight {
    fn hangs(&self) -> bool {
        self.is_abandoned || self.began.is_some_and(|began| READ_TIMEOUT < began.elapsed())
    }
}

/// Guard that forgets the reads of a file when one of them panics.
struct Served<'f> {
    flights: &'f Flights,
    key: &'f Key,
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.flights.all().remove(self.key);
        }
    }
}

/// Has the file at `path` read, at most `bytes_max` bytes of it, and `waiter` called with the result.
///
/// # Errors
///
/// Fails when the file hangs, or no thread can be had for it.
pub(super) fn join(path: &Path, bytes_max: usize, waiter: Waiter) -> Result<(), BlockingError> {
    FLIGHTS.join(&(path.to_owned(), bytes_max), waiter)
}

/// Notes that a caller waited for [`READ_TIMEOUT`] in vain, and fails those behind it. Returns the
/// reason.
pub(super) fn give_up(path: &Path, bytes_max: usize) -> BlockingError {
    FLIGHTS.give_up(&(path.to_owned(), bytes_max))
}

impl Flights {
    fn all(&self) -> MutexGuard<'_, HashMap<Key, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(&'static self, key: &Key, waiter: Waiter) -> Result<(), BlockingError> {
        let mut all = self.all();
        if let Some(flight) = all.get_mut(key) {
            if flight.hangs() {
                return Err(BlockingError::Hangs(READ_TIMEOUT));
            }
            flight.next.push(waiter);
            return Ok(());
        }
        all.insert(key.clone(), Flight { next: vec![waiter], ..Flight::default() });
        let served = key.clone();
        let submitted = pool::submit(Box::new(move || self.serve(&served)));
        if submitted.is_err() {
            all.remove(key);
        }
        submitted
    }

    /// Reads the file of `key` until no caller waits.
    fn serve(&self, key: &Key) {
        let _served = Served { flights: self, key };
        while let Some(waiters) = self.begin(key) {
            let read = read_file(&key.0, key.1);
            for waiter in waiters {
                waiter(copy(&read));
            }
        }
    }

    /// Begins the next read. Returns its callers, or none when no caller waits.
    fn begin(&self, key: &Key) -> Option<Vec<Waiter>> {
        let mut all = self.all();
        let flight = all.get_mut(key)?;
        if flight.next.is_empty() {
            all.remove(key);
            return None;
        }
        flight.began = Some(Instant::now());
        flight.is_abandoned = false;
        Some(std::mem::take(&mut flight.next))
    }

    fn give_up(&self, key: &Key) -> BlockingError {
        let mut all = self.all();
        let Some(flight) = all.get_mut(key) else { return BlockingError::Hangs(READ_TIMEOUT) };
        let has_begun = flight.began.is_some();
        flight.is_abandoned = has_begun;
        // Without a thread so far: the pool is full of other files that hang.
        let reason =
            || if has_begun { BlockingError::Hangs(READ_TIMEOUT) } else { BlockingError::Full };
        // The callers behind it would wait in vain too, and more and more of them.
        let waiters = std::mem::take(&mut flight.next);
        drop(all);
        for waiter in waiters {
            waiter(Err(reason().into()));
        }
        reason()
    }
}

/// Reads the file at `path` on this thread.
fn read_file(path: &Path, bytes_max: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let file = File::open(path)?;
    cached::note(&file);
    file.take(limit).read_to_end(&mut bytes)?;
    if bytes_max < bytes.len() { Err(ReadError::TooLarge(bytes_max)) } else { Ok(bytes) }
}

/// Returns a copy of a result for one of its callers.
fn copy(read: &Result<Vec<u8>, ReadError>) -> Result<Vec<u8>, ReadError> {
    match read {
        Ok(bytes) => Ok(bytes.clone()),
        Err(ReadError::TooLarge(bytes_max)) => Err(ReadError::TooLarge(*bytes_max)),
        Err(ReadError::Io(error)) => Err(ReadError::Io(match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.kind(), error.to_string()),
        })),
        Err(ReadError::Blocking(_)) => Err(BlockingError::Panicked.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::mpsc;
    use std::time::Duration;

    /// Longest wait for what must come.
    const SOON: Duration = Duration::from_secs(10);

    fn fifo(dir: &Path) -> PathBuf {
        let path = dir.join("fifo");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
        path
    }

    fn write(path: &Path, text: &str) {
        let mut fifo = File::options().write(true).open(path).unwrap();
        fifo.write_all(text.as_bytes()).unwrap();
    }

    /// Joins a read and returns where its result arrives.
    fn joined(path: &Path) -> mpsc::Receiver<Result<Vec<u8>, ReadError>> {
        let (sender, receiver) = mpsc::channel();
        join(path, 100, Box::new(move |read| drop(sender.send(read)))).unwrap();
        receiver
    }

    /// Waits until a thread is at the file at `path`.
    fn wait_until_under_way(path: &Path) {
        let is_under_way = || {
            let all = FLIGHTS.all();
            all.get(&(path.to_owned(), 100)).is_some_and(|flight| flight.began.is_some())
        };
        while !is_under_way() {
            thread::yield_now();
        }
    }

    fn text(receiver: &mpsc::Receiver<Result<Vec<u8>, ReadError>>) -> String {
        String::from_utf8(receiver.recv_timeout(SOON).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn callers_during_a_read_share_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = fifo(dir.path());
        let first = joined(&path);
        wait_until_under_way(&path);
        let later: Vec<_> = (0..50).map(|_| joined(&path)).collect();
        write(&path, "old");
        assert_eq!(text(&first), "old");
        // One read serves all of them, and no other has begun before they asked.
        write(&path, "new");
        for receiver in &later {
            assert_eq!(text(receiver), "new");
        }
        while FLIGHTS.all().contains_key(&(path.clone(), 100)) {
            thread::yield_now();
        }
    }

    #[test]
    fn failure_reaches_all_callers_with_its_kind() {
        let failures: Vec<_> = (0..20).map(|_| joined(Path::new("/no/such/file"))).collect();
        for failure in failures {
            let error = failure.recv_timeout(SOON).unwrap().unwrap_err();
            let ReadError::Io(error) = error else { panic!("{error}") };
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
    }

    #[test]
    fn hanging_read_fails_its_later_callers_and_new_ones_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = fifo(dir.path());
        let first = joined(&path);
        wait_until_under_way(&path);
        let later = joined(&path);
        assert!(matches!(give_up(&path, 100), BlockingError::Hangs(_)));
        let failed = later.recv_timeout(SOON).unwrap();
        assert!(matches!(failed, Err(ReadError::Blocking(BlockingError::Hangs(_)))), "{failed:?}");
        let refused = join(&path, 100, Box::new(|_read| ()));
        assert!(matches!(refused, Err(BlockingError::Hangs(_))), "{refused:?}");
        write(&path, "late");
        assert_eq!(text(&first), "late");
        let answers = || join(&path, 100, Box::new(|_read| ())).is_ok();
        while !answers() {
            thread::yield_now();
        }
        write(&path, "again");
    }
}
