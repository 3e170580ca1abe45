//! Group commit: the one thread that writes.
//!
//! Commands that wait together are committed together, for a commit waits for the disk. When one of
//! them fails, all are undone and run again, each in a savepoint of its own, so that the one takes
//! nothing else with it. No command is answered before the commit.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::defect::{self, Defect};
use super::open::Opened;
use super::reserve::Reserve;
use super::{StoreError, history};

/// Commands that may wait; more wait in their callers.
pub(super) const QUEUE_MAX: usize = 1024;

/// Commands in one transaction.
const GROUP_MAX: usize = 256;

/// Time after a transaction until commands that can wait get the next one, which they share.
pub(super) const PACE: Duration = Duration::from_millis(25);
/// Commands that share enough of a transaction to get it at once.
const ENOUGH: usize = 16;

/// A handle on the writing thread, which ends when every handle is gone.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    /// Thread to wake while it waits for others.
    thread: Option<Thread>,
    handle: Arc<Mutex<Option<JoinHandle<()>>>>,
    /// Number of the latest event, sent anew after every commit.
    changes: watch::Receiver<i64>,
}

/// Message to the writing thread.
pub(super) enum Message {
    /// Request to write this.
    Write(Box<dyn Command>, Haste),
    /// Request to close the database.
    Close(Answer<()>),
}

/// Urgency of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Haste {
    /// As soon as can be.
    Now,
    /// It can wait for others, as what belongs to a run can: a commit is dear, and runs are many.
    Soon,
    /// As soon as can be, and in the room that is reserved when the disk is full.
    Vital,
}

/// Sender of the answer to a caller that waits for the end of a transaction.
pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Write that is queued, with the caller that waits for it.
pub(super) trait Command: Send {
    /// Does the work; false when it is to be undone. Work that was undone may be done again.
    fn run(&mut self, tx: &Connection) -> bool;
    /// Returns true when it may use the room that is reserved.
    fn is_vital(&self) -> bool;
    /// Answers the caller, once the fate of the transaction is known.
    fn answer(self: Box<Self>, commit: Result<(), Arc<rusqlite::Error>>);
}

struct Job<W, T> {
    work: W,
    done: Option<Result<T, StoreError>>,
    haste: Haste,
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

    fn is_vital(&self) -> bool {
        self.haste == Haste::Vital
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
    /// Starts the thread; `pace` is [`PACE`].
    pub(super) fn start(opened: Opened, pace: Duration) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let (committed, changes) = watch::channel(history::latest_event(&opened.conn).unwrap_or(0));
        let handle = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(opened, waiting, pace, &committed))?;
        let thread = Some(handle.thread().clone());
        Ok(Self { queue, thread, handle: Arc::new(Mutex::new(Some(handle))), changes })
    }

    /// Returns a handle whose queue another task takes, as a simulation does.
    #[cfg(test)]
    pub(super) fn served_by(queue: mpsc::Sender<Message>) -> Self {
        let (_none, changes) = watch::channel(0);
        Self { queue, thread: None, handle: Arc::default(), changes }
    }

    /// Number of the latest event, sent anew after every commit.
    pub(super) fn changes(&self) -> watch::Receiver<i64> {
        self.changes.clone()
    }

    /// Does `work` in a transaction; returns after its commit.
    ///
    /// Work that has been queued is done even when the caller stops waiting.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(work, Haste::Now).await?.await
    }

    /// The same for `work` that can wait for others to share its transaction.
    pub(super) async fn write_soon<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(work, Haste::Soon).await?.await
    }

    /// The same for `work` that notifies of a full disk, or helps to.
    pub(super) async fn write_vital<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(work, Haste::Vital).await?.await
    }

    /// Queues `work`; what is queued after it sees what it did. The answer comes after its commit.
    pub(super) async fn queue<W, T>(
        &self,
        work: W,
        haste: Haste,
    ) -> Result<impl Future<Output = Result<T, StoreError>> + use<W, T>, StoreError>
    where
        W: Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Job { work, done: None, haste, answer };
        self.send(Message::Write(Box::new(job), haste)).await?;
        Ok(async { answered.await.unwrap_or(Err(StoreError::Stopped)) })
    }

    /// Waits for everything queued so far, checkpoints, and ends the thread.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Close(answer)).await?;
        let closed = answered.await.unwrap_or(Err(StoreError::Stopped));
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        match handle.map(JoinHandle::join) {
            Some(Err(_panic)) => Err(StoreError::Stopped),
            Some(Ok(())) | None => closed,
        }
    }

    async fn send(&self, message: Message) -> Result<(), StoreError> {
        let hurries = message.hurries();
        self.queue.send(message).await.map_err(|_closed| StoreError::Stopped)?;
        let queued = || self.queue.max_capacity() - self.queue.capacity();
        if let Some(thread) = self.thread.as_ref().filter(|_| hurries || ENOUGH <= queued()) {
            thread.unpark();
        }
        Ok(())
    }
}

impl Message {
    const fn hurries(&self) -> bool {
        match self {
            Self::Write(_, Haste::Soon) => false,
            Self::Write(_, Haste::Now | Haste::Vital) | Self::Close(_) => true,
        }
    }
}

/// Commands of the next transaction.
#[derive(Default)]
pub(super) struct Group {
    /// Commands to run in it, in order.
    pub(super) commands: Vec<Box<dyn Command>>,
    /// Callers that wait for the end after it.
    pub(super) closing: Vec<Answer<()>>,
    hurries: bool,
}

impl Group {
    /// One for `first` and what is queued behind it.
    pub(super) fn of(first: Message, queue: &mut mpsc::Receiver<Message>) -> Self {
        let mut group = Self::default();
        group.add(first);
        group.fill(queue);
        group
    }

    fn add(&mut self, message: Message) {
        self.hurries |= message.hurries();
        match message {
            Message::Write(command, _) => self.commands.push(command),
            Message::Close(answer) => self.closing.push(answer),
        }
    }

    fn is_full(&self) -> bool {
        GROUP_MAX <= self.commands.len()
    }

    /// Adds what is queued.
    fn fill(&mut self, queue: &mut mpsc::Receiver<Message>) {
        while !self.is_full() {
            let Ok(message) = queue.try_recv() else { return };
            self.add(message);
        }
    }
}

fn serve(
    opened: Opened,
    mut queue: mpsc::Receiver<Message>,
    pace: Duration,
    committed: &watch::Sender<i64>,
) {
    let Opened { conn, locks, place, mut reserve, owner: _, is_verified: _ } = opened;
    let (mut closing, mut paced, mut is_complete) = (Vec::new(), None::<Instant>, false);
    let sends_before_commit = defect::planted() == Some(Defect::SendBeforeCommit);
    while let Some(first) = queue.blocking_recv() {
        let mut group = Group::of(first, &mut queue);
        while !group.hurries && group.commands.len() < ENOUGH {
            let left = paced.map(|until| until.saturating_duration_since(Instant::now()));
            let Some(left) = left.filter(|left| !left.is_zero()) else { break };
            std::thread::park_timeout(left);
            group.fill(&mut queue);
        }
        if !group.closing.is_empty() {
            queue.close();
            closing.append(&mut group.closing);
        }
        if group.commands.is_empty() {
            continue;
        }
        if sends_before_commit {
            defect::commit(&conn, group.commands);
        } else {
            match place.check() {
                Ok(()) => commit(&conn, &mut reserve, group.commands),
                Err(moved) => {
                    // Without its log the file lacks the latest commits, which this process can still read.
                    if !is_complete && place.is_database_there() {
                        is_complete = checkpoint(&conn, "PASSIVE").is_ok();
                    }
                    answer(group.commands, &Err(Arc::new(moved)));
                }
            }
        }
        if let Ok(event) = history::latest_event(&conn) {
            committed.send_replace(event);
        }
        paced = Some(Instant::now() + pace);
    }
    let mut ended = checkpoint(&conn, "TRUNCATE");
    drop(conn);
    drop(locks);
    for answer in closing {
        answer.send(std::mem::replace(&mut ended, Ok(()))).ok();
    }
}

/// Commits `group`; when the disk is full, what is vital in it in the room that is reserved.
fn commit(conn: &Connection, reserve: &mut Reserve, mut group: Vec<Box<dyn Command>>) {
    let mut ended = transact(conn, &mut group).map_err(Arc::new);
    let is_full =
        |error: &Arc<rusqlite::Error>| error.sqlite_error_code() == Some(ErrorCode::DiskFull);
    let has_vital = group.iter().any(|command| command.is_vital());
    if ended.as_ref().is_err_and(is_full) && has_vital && reserve.release() {
        let (vital, others) = group.into_iter().partition(|command| command.is_vital());
        answer(others, &ended);
        group = vital;
        ended = transact(conn, &mut group).map_err(Arc::new);
    }
    answer(group, &ended);
    if ended.is_ok() {
        reserve.refill();
    }
}

fn answer(group: Vec<Box<dyn Command>>, ended: &Result<(), Arc<rusqlite::Error>>) {
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
/// A grave error (full disk, input or output) makes `SQLite` roll back the whole transaction; when the
/// commands run again the savepoint is gone then, so that ending it fails and with it the group.
pub(super) fn run_each<'c>(
    conn: &'c Connection,
    group: &mut [Box<dyn Command>],
) -> Result<Transaction<'c>, rusqlite::Error> {
    let begin = || Transaction::new_unchecked(conn, TransactionBehavior::Immediate);
    let tx = begin()?;
    // What runs after SQLite has rolled the transaction back would be committed by itself.
    if group.iter_mut().all(|command| command.run(&tx) && !tx.is_autocommit()) {
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

/// Copies what is in the log into the database file.
fn checkpoint(conn: &Connection, mode: &str) -> Result<(), StoreError> {
    conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))?;
    Ok(())
}
