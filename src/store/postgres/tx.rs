//! Transactions, and the loop that runs one again where that helps.
//!
//! Statements are unnamed and names in them qualified, so that a pooler between is fine. Every function that reads
//! takes [`Reads`]; one that writes takes [`Tx`], which is a [`Reads`] too. Nothing but the database is awaited while
//! a transaction is open.

use std::ops::Deref;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};

use super::StoreError;
use super::connect::{Connections, Lent};
use super::error::{Fault, is_end};
use crate::store::random;

/// Values of a statement with their types, made by `params!`.
pub(super) type Params<'p> = &'p [(&'p (dyn ToSql + Sync), Type)];

/// Makes the values of a statement: `params![id.0 => INT8, name => TEXT]` are `$1` and `$2`.
macro_rules! params {
    ($($value:expr => $kind:ident),* $(,)?) => {
        &[$((
            &$value as &(dyn tokio_postgres::types::ToSql + Sync),
            tokio_postgres::types::Type::$kind,
        )),*]
    };
}
pub(super) use params;

/// Begins a transaction that writes, with the limits that hold in it.
const BEGIN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout = '5s';
    SET LOCAL idle_in_transaction_session_timeout = '5s';
    SET LOCAL statement_timeout = '30s'";

/// Begins a transaction that sees one state of everything.
const BEGIN_READS: &str = "
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL idle_in_transaction_session_timeout = '5s';
    SET LOCAL statement_timeout = '30s'";

/// Counts the transaction in one of a few rows, by which readers see that something was committed, and commits it. A
/// COMMIT is not cancelled: it would be done nevertheless, here but not on a standby.
const COMMIT: &str = "
    UPDATE revalidated.commits SET number = number + 1
    WHERE slot = pg_catalog.pg_backend_pid() % 32;
    SET LOCAL statement_timeout = 0;
    COMMIT";

/// Longest wait for the answer to one statement; the server ends it sooner.
const ANSWER_MAX: Duration = Duration::from_secs(35);
/// Longest wait for the answer to a COMMIT, which may wait for a standby.
const COMMIT_MAX: Duration = Duration::from_mins(1);

/// Times that a transaction is run again.
const RETRIES_MAX: u32 = 5;
/// Wait before a transaction is run again for the first time, doubled each time, and shortened at random by up to
/// a half.
const RETRY_WAIT: Duration = Duration::from_millis(20);

/// Transaction that reads: several statements see one state.
pub(super) struct Reads {
    lent: Lent,
}

/// Transaction that writes. Dropped without [`transact!`](transact) having committed it, it leaves nothing behind.
pub(super) struct Tx {
    reads: Reads,
    /// Number of the latest event that it has added; zero before the first.
    event: AtomicI64,
}

impl Deref for Tx {
    type Target = Reads;

    fn deref(&self) -> &Reads {
        &self.reads
    }
}

impl Reads {
    /// Begins a transaction that reads.
    pub(super) async fn open(connections: &Connections) -> Result<Self, StoreError> {
        Self::begin(connections, BEGIN_READS).await
    }

    async fn begin(connections: &Connections, sql: &str) -> Result<Self, StoreError> {
        let lent = connections.lend().await?;
        answered(lent.session()?.client.batch_execute(sql)).await?;
        Ok(Self { lent })
    }

    /// Runs a statement; returns its rows.
    pub(super) async fn rows(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        answered(self.lent.session()?.client.query_typed(sql, params)).await
    }

    /// Runs a statement; returns its first row, if there is one. It may not have more.
    pub(super) async fn row(
        &self,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Option<Row>, StoreError> {
        answered(self.lent.session()?.client.query_typed_opt(sql, params)).await
    }

    /// Runs a statement that always has one row; returns it.
    pub(super) async fn one(&self, sql: &str, params: Params<'_>) -> Result<Row, StoreError> {
        answered(self.lent.session()?.client.query_typed_one(sql, params)).await
    }

    /// Ends the transaction, and gives its session back.
    pub(super) async fn end(self) {
        let Ok(session) = self.lent.session() else { return };
        if answered(session.client.batch_execute("ROLLBACK")).await.is_ok() {
            self.lent.give_back();
        }
    }
}

impl Tx {
    /// Begins a transaction that writes.
    pub(super) async fn open(connections: &Connections) -> Result<Self, StoreError> {
        let reads = Reads::begin(connections, BEGIN).await?;
        Ok(Self { reads, event: AtomicI64::new(0) })
    }

    /// Runs a statement that changes rows; returns their number.
    pub(super) async fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64, StoreError> {
        answered(self.lent.session()?.client.execute_typed(sql, params)).await
    }

    /// Runs statements without values.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        answered(self.lent.session()?.client.batch_execute(sql)).await
    }

    /// Notes the number of an event that was added.
    pub(super) fn note_event(&self, number: i64) {
        self.event.fetch_max(number, Ordering::Relaxed);
    }

    /// Commits what was written.
    ///
    /// # Errors
    ///
    /// [`Fault::Unknown`] when it may have been committed all the same.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let session = self.reads.lent.session()?;
        let warnings = session.warnings();
        let sql = COMMIT;
        #[cfg(test)]
        let sql = &*crate::store::simulated::commit(sql);
        match timeout(COMMIT_MAX, session.client.batch_execute(sql)).await {
            // A COMMIT has no warnings but that it was not waited for a standby.
            Ok(Ok(())) if session.warnings() == warnings => {
                self.reads.lent.committed(self.event.load(Ordering::Relaxed));
                self.reads.lent.give_back();
                Ok(())
            }
            Ok(Err(error)) if error.as_db_error().is_some_and(|error| !is_end(error)) => {
                Err(error.into())
            }
            Ok(Ok(()) | Err(_)) | Err(_) => Err(Fault::Unknown.into()),
        }
    }
}

/// Waits for the answer of the server.
async fn answered<T>(
    asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    match timeout(ANSWER_MAX, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_late) => Err(Fault::Silent.into()),
    }
}

/// Does work in a transaction that sees one state of everything and changes nothing: `read!(connections, tx => work)`.
///
/// A macro, and no function of a closure: the compiler does not see that the future of such a closure may move between
/// threads.
macro_rules! read {
    ($connections:expr, $tx:ident => $work:expr) => {{
        let mut attempts = $crate::store::postgres::tx::Attempts::<()>::default();
        loop {
            let done = match $crate::store::postgres::tx::Reads::open($connections).await {
                Ok(reads) => {
                    let $tx = &reads;
                    let done = $crate::store::postgres::tx::typed(async { $work }).await;
                    reads.end().await;
                    done
                }
                Err(error) => Err(error),
            };
            match done {
                Err(error) if attempts.allow(&error) => attempts.wait().await,
                done => break done,
            }
        }
    }};
}
pub(super) use read;

/// Does work in a transaction, and again where that may help: after deadlocks, waits for locks, lost connections.
///
/// Where the fate of a COMMIT is not known, the whole is done again as well: `transact!(connections, tx => work)` is
/// for work that finds by itself that it was done already, as what goes by a token or by the present state does.
/// `transact!(connections, tx => work, done => is_done)` looks in another transaction whether the work is there; only
/// if it is not, it is done again.
macro_rules! transact {
    ($connections:expr, $tx:ident => $work:expr) => {
        $crate::store::postgres::tx::transact!($connections, $tx => $work, _done => Ok(false))
    };
    ($connections:expr, $tx:ident => $work:expr, $done:ident => $is_done:expr) => {{
        let mut attempts = $crate::store::postgres::tx::Attempts::default();
        loop {
            let ended = match $crate::store::postgres::tx::Tx::open($connections).await {
                Ok(opened) => {
                    let $tx = &opened;
                    let is_done = match attempts.unknown() {
                        Some($done) => $crate::store::postgres::tx::typed(async { $is_done }).await,
                        None => Ok(false),
                    };
                    match is_done {
                        Ok(true) => attempts.leave(opened).await,
                        Ok(false) => {
                            let work = $crate::store::postgres::tx::typed(async { $work }).await;
                            attempts.end(opened, work).await
                        }
                        Err(error) => $crate::store::postgres::tx::fail(opened, error).await,
                    }
                }
                Err(error) => Err(error),
            };
            match ended {
                Err(error) if attempts.allow(&error) => attempts.wait().await,
                ended => break ended,
            }
        }
    }};
}
pub(super) use transact;

/// Gives the future of an `async` block its type, which its question marks do not say.
pub(super) fn typed<T, F: Future<Output = Result<T, StoreError>>>(work: F) -> F {
    work
}

/// Rolls a transaction back that has failed.
pub(super) async fn fail<T>(tx: Tx, error: StoreError) -> Result<T, StoreError> {
    tx.reads.end().await;
    Err(error)
}

/// Times that a transaction was run again, and what it did when the fate of its COMMIT is not known.
#[derive(Debug)]
pub(super) struct Attempts<T> {
    retries: u32,
    unknown: Option<T>,
}

impl<T> Default for Attempts<T> {
    fn default() -> Self {
        Self { retries: 0, unknown: None }
    }
}

impl<T> Attempts<T> {
    /// Returns what was done by a transaction that may have been committed.
    pub(super) fn unknown(&self) -> Option<&T> {
        self.unknown.as_ref()
    }

    /// Ends a transaction that has found that the work was done before.
    pub(super) async fn leave(&mut self, tx: Tx) -> Result<T, StoreError> {
        tx.reads.end().await;
        self.unknown.take().ok_or(StoreError::Stopped)
    }

    /// Commits a transaction, or rolls it back when its work has failed.
    pub(super) async fn end(
        &mut self,
        tx: Tx,
        work: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.unknown = None;
        let done = match work {
            Ok(done) => done,
            Err(error) => return fail(tx, error).await,
        };
        match tx.commit().await {
            Ok(()) => Ok(done),
            Err(error) => {
                if matches!(error.fault(), Some(Fault::Unknown)) {
                    self.unknown = Some(done);
                }
                Err(error)
            }
        }
    }

    /// Returns true when the transaction is to be run again after this error.
    pub(super) fn allow(&mut self, error: &StoreError) -> bool {
        let is_passing = error
            .fault()
            .is_some_and(|fault| fault.is_transient() || matches!(fault, Fault::Unknown));
        self.retries = self.retries.saturating_add(1);
        is_passing && self.retries <= RETRIES_MAX
    }

    /// Waits before the transaction is run again.
    pub(super) async fn wait(&self) {
        let longest =
            RETRY_WAIT.saturating_mul(1 << self.retries.saturating_sub(1).min(RETRIES_MAX));
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        let random = random::number().unwrap_or(0).unsigned_abs();
        sleep(Duration::from_millis(millis / 2 + random % (millis / 2 + 1))).await;
    }
}

/// Reads a column of a row.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: &str) -> Result<T, StoreError> {
    Ok(row.try_get(column)?)
}
