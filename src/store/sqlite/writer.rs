//! The one thread that writes.
//!
//! Commands that wait together are committed together, for a commit waits for the disk. When one of
//! them fails, all are undone and run again, each in a savepoint of its own, so that the one takes
//! nothing else with it. Nobody is answered before the commit.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::open::{Opened, Place};
use super::{StoreError, defect};

/// Commands that may wait; more wait in their callers.
pub(super) const QUEUE_MAX: usize = 1024;

/// Commands in one transaction.
pub(super) const GROUP_MAX: usize = 256;

/// The shortest time between two transactions: under load, those who ask meanwhile share the next.
const PACE: Duration = Duration::from_millis(5);

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
    /// Does the work; false when it is to be undone. Work that was undone may be done again.
    fn run(&mut self, tx: &Connection) -> bool;
    /// Tells the caller, once the fate of the transaction is known.
    fn answer(self: Box<Self>, commit: Result<(), Arc<rusqlite::Error>>);
}

struct Job<W, T> {
    work: W,
    done: Option<Result<T, StoreError>>,
    answer: Answer<T>,
}

impl<W, T> Command for Job<W, T>
where
    W: Fn(&Connection) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, tx: &Connection) -> bool {
        self.done.insert((self.work)(tx)).is_ok()
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
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(work).await?.await
    }

    /// Queues `work`; what is queued after it sees what it did. The answer comes after its commit.
    pub(super) async fn queue<W, T>(
        &self,
        work: W,
    ) -> Result<impl Future<Output = Result<T, StoreError>> + use<W, T>, StoreError>
    where
        W: Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Job { work, done: None, answer };
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
    let Opened { conn, lock, place } = opened;
    let (mut closing, mut paced) = (Vec::new(), None::<Instant>);
    while let Some(first) = queue.blocking_recv() {
        if let Some(until) = paced {
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
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
            defect::commit(&conn, group);
        } else {
            commit(&conn, &place, group);
        }
        paced = Some(Instant::now() + PACE);
    }
    let mut ended = checkpoint(&conn);
    drop(conn);
    drop(lock);
    for answer in closing {
        answer.send(std::mem::replace(&mut ended, Ok(()))).ok();
    }
}

fn commit(conn: &Connection, place: &Place, mut group: Vec<Box<dyn Command>>) {
    let ended = place.check().and_then(|()| transact(conn, &mut group)).map_err(Arc::new);
    for command in group {
        command.answer(ended.clone());
    }
}

/// Runs `group` in one transaction.
fn transact(conn: &Connection, group: &mut [Box<dyn Command>]) -> Result<(), rusqlite::Error> {
    run_each(conn, group)?.commit()
}

/// Begins a transaction in which every command of `group` has run that does not fail.
///
/// A grave error (full disk, input or output) makes `SQLite` give up the whole transaction; when the
/// commands run again the savepoint is gone then, so that ending it fails and with it the group.
pub(super) fn run_each<'c>(
    conn: &'c Connection,
    group: &mut [Box<dyn Command>],
) -> Result<Transaction<'c>, rusqlite::Error> {
    let begin = || Transaction::new_unchecked(conn, TransactionBehavior::Immediate);
    let tx = begin()?;
    if group.iter_mut().all(|command| command.run(&tx)) {
        return Ok(tx);
    }
    drop(tx);
    let tx = begin()?;
    for command in group {
        attempt(&tx, || command.run(&tx), |kept| *kept)?;
    }
    Ok(tx)
}

/// Does `work` in a savepoint; what it did is undone unless it is to be kept.
pub(super) fn attempt<T>(
    tx: &Connection,
    work: impl FnOnce() -> T,
    is_kept: impl FnOnce(&T) -> bool,
) -> Result<T, rusqlite::Error> {
    tx.execute_batch("SAVEPOINT attempt")?;
    let done = work();
    if !is_kept(&done) {
        tx.execute_batch("ROLLBACK TO attempt")?;
    }
    tx.execute_batch("RELEASE attempt")?;
    Ok(done)
}

fn checkpoint(conn: &Connection) -> Result<(), StoreError> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}
