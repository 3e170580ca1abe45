//! The threads that read: never in the writer's way, never on the runtime's threads.

use std::ffi::c_int;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_channel::TrySendError;
use rusqlite::{Connection, Transaction};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::StoreError;

/// Questions that may wait; more wait in their callers.
pub(super) const QUEUE_MAX: usize = 256;

/// Threads, each with a connection of its own: a long history does not delay the planner.
pub(super) const READERS: usize = 2;

/// Number of connections for reads from outside.
pub(super) const OUTSIDE_READERS: usize = 4;

/// Number of reads from outside that may wait for a connection; more are refused.
pub(super) const OUTSIDE_QUEUE_MAX: usize = 32;

/// Time limit of a read from outside, waiting included.
pub(super) const OUTSIDE_WAIT: Duration = Duration::from_secs(8);

/// Number of the engine's instructions between two looks at whether a read is still waited for: some
/// microseconds.
const STEPS_PER_LOOK: c_int = 10_000;

/// Question to a reading thread.
pub(super) type Question = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle on the reading threads, which end when every handle is gone.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    queue: async_channel::Sender<Question>,
    /// Time limit of each read; without one, a read waits for its turn and takes as long as it needs.
    limit: Option<Duration>,
}

/// Guard that ends a read which is no longer waited for: one that waits does not begin, one that runs
/// is interrupted.
#[derive(Default)]
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Readers {
    /// Starts one thread per connection; reads wait for their turn.
    pub(super) fn start(connections: Vec<Connection>) -> io::Result<Self> {
        Self::started(connections, QUEUE_MAX, None)
    }

    /// Starts one thread per connection for reads that are over after `limit`; when more than
    /// `waiting_max` wait, the next is refused.
    pub(super) fn start_bounded(
        connections: Vec<Connection>,
        waiting_max: usize,
        limit: Duration,
    ) -> io::Result<Self> {
        Self::started(connections, waiting_max, Some(limit))
    }

    fn started(
        connections: Vec<Connection>,
        waiting_max: usize,
        limit: Option<Duration>,
    ) -> io::Result<Self> {
        let (queue, waiting) = async_channel::bounded::<Question>(waiting_max);
        for mut conn in connections {
            let waiting = waiting.clone();
            std::thread::Builder::new().name("store-reader".to_owned()).spawn(move || {
                while let Ok(question) = waiting.recv_blocking() {
                    question(&mut conn);
                }
            })?;
        }
        Ok(Self { queue, limit })
    }

    /// Returns a handle whose questions another task answers, as a simulation does.
    #[cfg(test)]
    pub(super) const fn served_by(queue: async_channel::Sender<Question>) -> Self {
        Self { queue, limit: None }
    }

    /// Answers `question` from one consistent state of the database.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if let Some(limit) = self.limit {
            return self.read_bounded(question, limit).await;
        }
        let (answer, answered) = oneshot::channel();
        let asked: Question = Box::new(move |conn| {
            let found = conn.transaction().map_err(StoreError::from).and_then(|tx| question(&tx));
            // Whoever asked may have gone away.
            answer.send(found).ok();
        });
        self.queue.send(asked).await.map_err(|_closed| StoreError::Stopped)?;
        answered.await.unwrap_or(Err(StoreError::Stopped))
    }

    async fn read_bounded<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
        limit: Duration,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let abandon = Abandon::default();
        let is_abandoned = Arc::clone(&abandon.0);
        let asked: Question = Box::new(move |conn| {
            if is_abandoned.load(Ordering::Acquire) {
                return;
            }
            // An interrupt would be lost between two statements; this is asked within each of them.
            let look = move || is_abandoned.load(Ordering::Acquire);
            let found = conn.progress_handler(STEPS_PER_LOOK, Some(look));
            let found = found.and_then(|()| conn.transaction()).map_err(StoreError::from);
            answer.send(found.and_then(|tx| question(&tx))).ok();
        });
        self.queue.try_send(asked).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Closed(_) => StoreError::Stopped,
        })?;
        match timeout(limit, answered).await {
            Ok(answered) => answered.unwrap_or(Err(StoreError::Stopped)),
            Err(_elapsed) => Err(StoreError::TooSlow),
        }
    }
}
