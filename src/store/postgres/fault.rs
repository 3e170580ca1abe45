//! Faults on the daemon's own side: those that last.

use tokio_postgres::Row;

use super::column::parse;
use super::tx::{Reads, Tx, get, params};
use super::{OwnFaultRow, StoreError};
use crate::domain::ledger::LastingFault;
use crate::domain::{OwnFault, Timestamp};

/// Adds a fault that begins.
pub(super) async fn insert(
    tx: &Tx,
    fault: OwnFault,
    since: Timestamp,
    message: &str,
) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO revalidated.own_fault (fault, since_ms, message) VALUES ($1, $2, $3)";
    let params = params![fault.as_str() => TEXT, since.0 => INT8, message => TEXT];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Deletes a fault that is over.
pub(super) async fn delete(tx: &Tx, fault: OwnFault) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM revalidated.own_fault WHERE fault = $1";
    tx.execute(SQL, params![fault.as_str() => TEXT]).await?;
    Ok(())
}

/// Loads every fault that lasts, for decisions.
pub(super) async fn lasting(tx: &Reads) -> Result<Vec<LastingFault>, StoreError> {
    let of = |OwnFaultRow { fault, since, message }| LastingFault { fault, since, message };
    Ok(all(tx).await?.into_iter().map(of).collect())
}

/// Loads every fault that lasts.
pub(super) async fn all(tx: &Reads) -> Result<Vec<OwnFaultRow>, StoreError> {
    const SQL: &str = "
        SELECT fault, since_ms, message FROM revalidated.own_fault
        ORDER BY since_ms, fault COLLATE \"C\"";
    let read = |row: &Row| {
        Ok(OwnFaultRow {
            fault: parse("own_fault", get(row, "fault")?)?,
            since: Timestamp(get(row, "since_ms")?),
            message: get(row, "message")?,
        })
    };
    tx.rows(SQL, &[]).await?.iter().map(read).collect()
}
