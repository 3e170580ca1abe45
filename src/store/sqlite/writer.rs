//! The one thread that writes.
//!
//! Commands that wait together are committed together, for a commit waits for the disk; each has
//! a savepoint of its own, so that one that fails takes nothing else with it. Nobody is answered
//! before the commit.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, Savepoint, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::open::{Opened, Place};
use super::{StoreError, defect};

/// Commands that may wait; more wait in their callers.
pub(super) const QUEUE_MAX: usize = 1024;

/// Commands in one transaction.
pub(super) const GROUP_MAX: usize = 256;

/// A handle on the writing thread, which ends when every handle is gone.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// What the writing thread is asked for.
pub(super) enum Message {
    /// To write this.
    Write(Box<dyn Command>),
    /// To end.
    Close(Answer<()>),
}

/// Where somebody waits for the end of a transaction.
pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Something to write, and somebody who waits for it.
pub(super) trait Command: Send {
    /// Does the work; false when it is to be undone.
    fn run(&mut self, tx: &mut Savepoint<'_>) -> bool;
    /// Tells the caller, once the fate of the transaction is known.
    fn answer(self: Box<Self>, commit: Result<(), Arc<rusqlite::Error>>);
}

struct Job<W, T> {
    work: Option<W>,
    done: Option<Result<T, StoreError>>,
    answer: Answer<T>,
}

impl<W, T> Command for Job<W, T>
where
    W: FnOnce(&mut Savepoint<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Savepoint<'_>) -> bool {
        self.done = self.work.take().map(|work| work(tx));
        matches!(self.done, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, commit: Result<(), Arc<rusqlite::Error>>) {
        let done = match (commit, self.done) {
            (Ok(()), Some(done)) => done,
            (Err(_), Some(Err(own))) => Err(own),
            (Err(error), _) => Err(StoreError::Commit(error)),
            (Ok(()), None) => Err(StoreError::Stopped),
        };
        // Whoever asked may have gone away; what is written stays written.
        self.answer.send(done).ok();
    }
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(opened: Opened) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(opened, waiting))?;
        Ok(Self { queue, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    /// A handle on somebody else who takes what is queued, as a simulation does.
    #[cfg(test)]
    pub(super) fn served_by(queue: mpsc::Sender<Message>) -> Self {
        Self { queue, thread: Arc::default() }
    }

    /// Does `work` in a transaction; returns after its commit.
    ///
    /// Work that has been queued is done even when the caller stops waiting.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Savepoint<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(work).await?.await
    }

    /// Queues `work`; what is queued after it sees what it did. The answer comes after its commit.
    pub(super) async fn queue<W, T>(
        &self,
        work: W,
    ) -> Result<impl Future<Output = Result<T, StoreError>> + use<W, T>, StoreError>
    where
        W: FnOnce(&mut Savepoint<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Job { work: Some(work), done: None, answer };
        self.send(Message::Write(Box::new(job))).await?;
        Ok(async { answered.await.unwrap_or(Err(StoreError::Stopped)) })
    }

    /// Waits for everything queued so far, checkpoints, and ends the thread.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Close(answer)).await?;
        let closed = answered.await.unwrap_or(Err(StoreError::Stopped));
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        match thread.map(JoinHandle::join) {
            Some(Err(_panic)) => Err(StoreError::Stopped),
            Some(Ok(())) | None => closed,
        }
    }

    async fn send(&self, message: Message) -> Result<(), StoreError> {
        self.queue.send(message).await.map_err(|_closed| StoreError::Stopped)
    }
}

fn serve(opened: Opened, mut queue: mpsc::Receiver<Message>) {
    let Opened { mut conn, lock, place } = opened;
    let mut closing = Vec::new();
    while let Some(first) = queue.blocking_recv() {
        let mut group = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Write(command) => group.push(command),
                Message::Close(answer) => {
                    queue.close();
                    closing.push(answer);
                }
            }
            next = if group.len() < GROUP_MAX { queue.try_recv().ok() } else { None };
        }
        if group.is_empty() {
            continue;
        }
        if defect::SENDS_BEFORE_COMMIT {
            defect::commit(&mut conn, group);
        } else {
            commit(&mut conn, &place, group);
        }
    }
    let mut ended = checkpoint(&conn);
    drop(conn);
    drop(lock);
    for answer in closing {
        answer.send(std::mem::replace(&mut ended, Ok(()))).ok();
    }
}

fn commit(conn: &mut Connection, place: &Place, mut group: Vec<Box<dyn Command>>) {
    let ended = place.check().and_then(|()| transact(conn, &mut group)).map_err(Arc::new);
    for command in group {
        command.answer(ended.clone());
    }
}

/// Runs `group` in one transaction.
///
/// A grave error (full disk, input or output) makes `SQLite` give up the whole transaction; the
/// savepoint is gone then, so that ending it fails and with it the group.
fn transact(conn: &mut Connection, group: &mut [Box<dyn Command>]) -> Result<(), rusqlite::Error> {
    let mut tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    run_each(&mut tx, group)?;
    tx.commit()
}

/// Runs every command of `group` in a savepoint of its own.
pub(super) fn run_each(
    tx: &mut Transaction<'_>,
    group: &mut [Box<dyn Command>],
) -> Result<(), rusqlite::Error> {
    for command in group {
        let mut point = tx.savepoint()?;
        if !command.run(&mut point) {
            point.rollback()?;
        }
        point.commit()?;
    }
    Ok(())
}

fn checkpoint(conn: &Connection) -> Result<(), StoreError> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}
