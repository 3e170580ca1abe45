//! Bounds on blocking work, and the errors when it exceeds them.

use std::io;
use std::time::Duration;

use crate::domain::duration_text;

/// Longest wait for a file; less than the shortest limit of a test.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// Threads that may be at work, or hang, at the same time.
pub(super) const THREADS_MAX: usize = 256;

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
