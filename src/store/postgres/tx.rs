//! Transactions, and the loop that runs one again where that helps.
//!
//! Statements are unnamed and names in them qualified, so that a pooler between is fine. Every function that reads
//! takes [`Reads`]; one that writes takes [`Tx`], which is a [`Reads`] too. Nothing but the database is awaited while
//! a transaction is open.

use std::ops::Deref;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};

use super::StoreError;
use super::connect::{Connections, Lent};
use super::error::{Fault, is_end};
use crate::store::random;

/// Values of a statement with their types, made by [`params!`](super::params).
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

/// A COMMIT is not cancelled: it would be done nevertheless, here but not on a standby.
const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

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

/// Transaction that writes. Dropped without [`transact`] having committed it, it leaves nothing behind.
pub(super) struct Tx {
    reads: Reads,
}

impl Deref for Tx {
    type Target = Reads;

    fn deref(&self) -> &Reads {
        &self.reads
    }
}

impl Reads {
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
    async fn end(self) {
        let Ok(session) = self.lent.session() else { return };
        if answered(session.client.batch_execute("ROLLBACK")).await.is_ok() {
            self.lent.give_back();
        }
    }
}

impl Tx {
    /// Runs a statement that changes rows; returns their number.
    pub(super) async fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64, StoreError> {
        answered(self.lent.session()?.client.execute_typed(sql, params)).await
    }

    /// Runs statements without values.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        answered(self.lent.session()?.client.batch_execute(sql)).await
    }

    /// Commits what was written.
    ///
    /// # Errors
    ///
    /// [`Fault::Unknown`] when it may have been committed all the same.
    async fn commit(self) -> Result<(), StoreError> {
        let session = self.reads.lent.session()?;
        let warnings = session.warnings();
        match timeout(COMMIT_MAX, session.client.batch_execute(COMMIT)).await {
            // A COMMIT has no warnings but that it was not waited for a standby.
            Ok(Ok(())) if session.warnings() == warnings => {
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

/// Does `work` in a transaction that sees one state of everything and changes nothing.
pub(super) async fn read<T>(
    connections: &Connections,
    work: impl AsyncFn(&Reads) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut retries = Retries::default();
    loop {
        let done = async {
            let reads = Reads::begin(connections, BEGIN_READS).await?;
            let done = work(&reads).await;
            reads.end().await;
            done
        };
        match done.await {
            Err(error) if retries.allow(&error) => retries.wait().await,
            done => return done,
        }
    }
}

/// Does `work` in a transaction, and again where that may help: after deadlocks, waits for locks, lost connections.
/// Where the fate of a COMMIT is not known the whole is done again as well: `work` has to find by itself that it was
/// done already, as what goes by a token or by the present state does.
pub(super) async fn transact<T>(
    connections: &Connections,
    work: impl AsyncFn(&Tx) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    transact_once(connections, work, async |_, _| Ok(false)).await
}

/// Does `work` as [`transact`] does. Where the fate of a COMMIT is not known, `is_done` looks in another transaction
/// whether the work is there; only if it is not, it is done again.
pub(super) async fn transact_once<T>(
    connections: &Connections,
    work: impl AsyncFn(&Tx) -> Result<T, StoreError>,
    is_done: impl AsyncFn(&Tx, &T) -> Result<bool, StoreError>,
) -> Result<T, StoreError> {
    let (mut retries, mut unknown) = (Retries::default(), None);
    loop {
        let done = async {
            let tx = Tx { reads: Reads::begin(connections, BEGIN).await? };
            if let Some(done) = unknown.take() {
                match is_done(&tx, &done).await {
                    Ok(true) => {
                        tx.reads.end().await;
                        return Ok(done);
                    }
                    Ok(false) => {}
                    Err(error) => {
                        unknown = Some(done);
                        return Err(error);
                    }
                }
            }
            match work(&tx).await {
                Ok(done) => match tx.commit().await {
                    Ok(()) => Ok(done),
                    Err(error) => {
                        if matches!(error.fault(), Some(Fault::Unknown)) {
                            unknown = Some(done);
                        }
                        Err(error)
                    }
                },
                Err(error) => {
                    tx.reads.end().await;
                    Err(error)
                }
            }
        };
        match done.await {
            Err(error) if retries.allow(&error) => retries.wait().await,
            done => return done,
        }
    }
}

/// Number of times that a transaction was run again.
#[derive(Debug, Default)]
struct Retries(u32);

impl Retries {
    fn allow(&mut self, error: &StoreError) -> bool {
        let is_passing = error
            .fault()
            .is_some_and(|fault| fault.is_transient() || matches!(fault, Fault::Unknown));
        self.0 = self.0.saturating_add(1);
        is_passing && self.0 <= RETRIES_MAX
    }

    async fn wait(&self) {
        let longest = RETRY_WAIT.saturating_mul(1 << self.0.saturating_sub(1).min(RETRIES_MAX));
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        let random = random::number().unwrap_or(0).unsigned_abs();
        sleep(Duration::from_millis(millis / 2 + random % (millis / 2 + 1))).await;
    }
}

/// Reads a column.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: &str) -> Result<T, StoreError> {
    Ok(row.try_get(column)?)
}
