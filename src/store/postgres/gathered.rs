//! Group commit: what callers ask for at about the same time is gathered for one transaction, for a commit waits for
//! the disk.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// Questions that are answered in one transaction.
const BATCH_MAX: usize = 64;
/// Questions that may wait; more wait in their callers.
const QUEUE_MAX: usize = 1024;
/// Time after a transaction until the next one, which questions share.
const PACE: Duration = Duration::from_millis(5);

/// Questions of a queue, in batches.
pub(super) struct Gathered<T> {
    waiting: mpsc::Receiver<T>,
    paced: Instant,
}

impl<T> Gathered<T> {
    /// Returns the queue, and its questions in batches.
    pub(super) fn new() -> (mpsc::Sender<T>, Self) {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        (queue, Self { waiting, paced: Instant::now() })
    }

    /// Waits for the next batch; none once the last sender is gone.
    pub(super) async fn next(&mut self) -> Option<Vec<T>> {
        let mut batch = vec![self.waiting.recv().await?];
        while batch.len() < BATCH_MAX {
            match timeout_at(self.paced, self.waiting.recv()).await {
                Ok(Some(next)) => batch.push(next),
                Ok(None) | Err(_) => break,
            }
        }
        while batch.len() < BATCH_MAX
            && let Ok(next) = self.waiting.try_recv()
        {
            batch.push(next);
        }
        Some(batch)
    }

    /// Notes that the transaction of a batch has ended.
    pub(super) fn ended(&mut self) {
        self.paced = Instant::now() + PACE;
    }
}
