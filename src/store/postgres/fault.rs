//! Faults on the daemons' own side: those that last, of one node each, or of all of them.

use tokio_postgres::Row;

use super::column::parse;
use super::tx::{Reads, Tx, get, params};
use super::{OwnFaultRow, StoreError};
use crate::domain::ledger::LastingFault;
use crate::domain::{OwnFault, Timestamp};

/// Node of the faults of all nodes.
const ALL: &str = "";

/// Returns the node whose fault it is: a validation that no node can make is one of all of them.
pub(super) fn owner(fault: OwnFault, node: &str) -> &str {
    match fault {
        OwnFault::Validation | OwnFault::Store | OwnFault::Region => ALL,
        OwnFault::Network
        | OwnFault::Clock
        | OwnFault::Disk
        | OwnFault::Descriptors
        | OwnFault::Configuration
        | OwnFault::Backup => node,
    }
}

/// Adds a fault that begins.
pub(super) async fn insert(
    tx: &Tx,
    fault: OwnFault,
    since: Timestamp,
    message: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO revalidated.own_fault (fault, node, since_ms, message) VALUES ($1, '', $2, $3)";
    let params = params![fault.as_str() => TEXT, since.0 => INT8, message => TEXT];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Notes that a fault is one of a node, which may be the second that has it.
pub(super) async fn own(
    tx: &Tx,
    node: &str,
    fault: OwnFault,
    message: &str,
    since: Timestamp,
) -> Result<(), StoreError> {
    const OWN: &str = "
        INSERT INTO revalidated.own_fault (fault, node, since_ms, message) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING";
    const NEW: &str =
        "DELETE FROM revalidated.own_fault WHERE fault = $1 AND node = '' AND $2 <> ''";
    let node = owner(fault, node);
    let params = params![
        fault.as_str() => TEXT, node => TEXT, since.0 => INT8, message => TEXT,
    ];
    tx.execute(OWN, params).await?;
    tx.execute(NEW, params![fault.as_str() => TEXT, node => TEXT]).await?;
    Ok(())
}

/// Ends the fault of one node if another one has it too; returns true then.
pub(super) async fn end_own(tx: &Tx, node: &str, fault: OwnFault) -> Result<bool, StoreError> {
    const OTHERS: &str = "
        SELECT EXISTS (SELECT 1 FROM revalidated.own_fault
                       WHERE fault = $1 AND node NOT IN ('', $2)) AS found";
    const DELETE: &str = "DELETE FROM revalidated.own_fault WHERE fault = $1 AND node IN ('', $2)";
    let params = params![fault.as_str() => TEXT, owner(fault, node) => TEXT];
    if !get::<bool>(&tx.one(OTHERS, params).await?, "found")? {
        return Ok(false);
    }
    tx.execute(DELETE, params).await?;
    Ok(true)
}

/// Loads the faults of a node and those of all nodes.
pub(super) async fn of(tx: &Reads, node: &str) -> Result<Vec<OwnFault>, StoreError> {
    const SQL: &str = "SELECT DISTINCT fault FROM revalidated.own_fault WHERE node IN ('', $1)";
    let found = tx.rows(SQL, params![node => TEXT]).await?;
    found.iter().map(|row| parse("own_fault", get(row, "fault")?)).collect()
}

/// Loads the faults of nodes that are not alive.
pub(super) async fn of_dead(tx: &Reads) -> Result<Vec<(String, OwnFault)>, StoreError> {
    const SQL: &str = "
        SELECT node, fault FROM revalidated.own_fault
        WHERE node <> '' AND NOT EXISTS (SELECT 1 FROM revalidated.node AS alive
                                         WHERE name = own_fault.node AND beat_at_ms IS NOT NULL)";
    let found = tx.rows(SQL, &[]).await?;
    let read = |row: &Row| Ok((get(row, "node")?, parse("own_fault", get(row, "fault")?)?));
    found.iter().map(read).collect()
}

/// Deletes a fault that is over.
pub(super) async fn delete(tx: &Tx, fault: OwnFault) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM revalidated.own_fault WHERE fault = $1";
    tx.execute(SQL, params![fault.as_str() => TEXT]).await?;
    Ok(())
}

/// Loads every fault that lasts, for decisions.
pub(super) async fn lasting(tx: &Reads) -> Result<Vec<LastingFault>, StoreError> {
    let of =
        |OwnFaultRow { fault, since, message, node }| LastingFault { fault, since, message, node };
    Ok(all(tx).await?.into_iter().map(of).collect())
}

/// Loads every fault that lasts, once each, since it began on the first node.
pub(super) async fn all(tx: &Reads) -> Result<Vec<OwnFaultRow>, StoreError> {
    const SQL: &str = "
        SELECT fault, since_ms, message, nullif(node, '') AS node FROM (
            SELECT DISTINCT ON (fault) fault, since_ms, message, node FROM revalidated.own_fault
            ORDER BY fault, since_ms) AS first
        ORDER BY since_ms, fault COLLATE \"C\"";
    let read = |row: &Row| {
        Ok(OwnFaultRow {
            fault: parse("own_fault", get(row, "fault")?)?,
            since: Timestamp(get(row, "since_ms")?),
            message: get(row, "message")?,
            node: get(row, "node")?,
        })
    };
    tx.rows(SQL, &[]).await?.iter().map(read).collect()
}
