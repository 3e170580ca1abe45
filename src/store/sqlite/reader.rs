//! The threads that read: never in the writer's way, never on the runtime's threads.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;

/// Questions that may wait; more wait in their callers.
pub(super) const QUEUE_MAX: usize = 256;

/// Threads, each with a connection of its own: a long history does not hold up what is due.
pub(super) const READERS: usize = 2;

/// Something to read.
pub(super) type Question = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle on the reading threads, which end when every handle is gone.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    queue: mpsc::Sender<Question>,
}

impl Readers {
    /// Starts one thread per connection.
    pub(super) fn start(connections: Vec<Connection>) -> io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        for mut conn in connections {
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new().name("store-reader".to_owned()).spawn(move || {
                while let Some(question) = next(&waiting) {
                    question(&mut conn);
                }
            })?;
        }
        Ok(Self { queue })
    }

    /// A handle on somebody else who answers what is asked, as a simulation does.
    #[cfg(test)]
    pub(super) const fn served_by(queue: mpsc::Sender<Question>) -> Self {
        Self { queue }
    }

    /// Answers `question` from one consistent state of the database.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let asked: Question = Box::new(move |conn| {
            let found = conn.transaction().map_err(StoreError::from).and_then(|tx| question(&tx));
            // Whoever asked may have gone away.
            answer.send(found).ok();
        });
        self.queue.send(asked).await.map_err(|_closed| StoreError::Stopped)?;
        answered.await.unwrap_or(Err(StoreError::Stopped))
    }
}

/// The next question: whoever holds the lock waits for it, the others wait for the lock.
fn next(waiting: &Mutex<mpsc::Receiver<Question>>) -> Option<Question> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
}
