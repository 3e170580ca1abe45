//! Faults on the daemon's own side: those that last.

use rusqlite::{Connection, named_params};

use super::column::parse;
use super::{OwnFaultRow, StoreError};
use crate::domain::ledger::LastingFault;
use crate::domain::{OwnFault, Timestamp};

/// Adds a fault that begins.
pub(super) fn insert(
    tx: &Connection,
    fault: OwnFault,
    since: Timestamp,
    message: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO own_fault (fault, since_ms, message) VALUES (:fault, :since, :message)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":fault": fault.as_str(), ":since": since.0, ":message": message,
    })?;
    Ok(())
}

/// Deletes a fault that is over.
pub(super) fn delete(tx: &Connection, fault: OwnFault) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM own_fault WHERE fault = :fault";
    tx.prepare_cached(SQL)?.execute(named_params! {":fault": fault.as_str()})?;
    Ok(())
}

/// Loads every fault that lasts, for decisions.
pub(super) fn lasting(tx: &Connection) -> Result<Vec<LastingFault>, StoreError> {
    let of =
        |OwnFaultRow { fault, since, message, node }| LastingFault { fault, since, message, node };
    Ok(all(tx)?.into_iter().map(of).collect())
}

/// Loads every fault that lasts.
pub(super) fn all(tx: &Connection) -> Result<Vec<OwnFaultRow>, StoreError> {
    const SQL: &str = "SELECT fault, since_ms, message FROM own_fault ORDER BY since_ms, fault";
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_and_then([], |row| {
        Ok(OwnFaultRow {
            fault: parse("own_fault", &row.get::<_, String>("fault")?)?,
            since: Timestamp(row.get("since_ms")?),
            message: row.get("message")?,
            node: None,
        })
    })?;
    found.collect()
}
