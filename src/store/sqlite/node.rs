//! The row of this node: its life, for commands beside it.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, named_params};

use super::column::instant;
use super::open::NODE;
use super::{NodeNote, NodeRow, ProcessId, StoreError};
use crate::domain::Timestamp;

/// Writes a note into the row, which begins with the first life of the node.
pub(super) fn note(tx: &Connection, note: &NodeNote) -> Result<(), StoreError> {
    const STARTED: &str = "
        UPDATE node SET pid = :pid, born = :born, started_at_ms = :at, seen_at_ms = :at,
            stopped_at_ms = NULL, reload = NULL, heartbeat = NULL
        WHERE name = :node";
    const SEEN: &str = "UPDATE node SET seen_at_ms = :value WHERE name = :node";
    const STOPPED: &str =
        "UPDATE node SET seen_at_ms = :value, stopped_at_ms = :value WHERE name = :node";
    const ALLOWED: &str = "UPDATE node SET removals_allowed = :value WHERE name = :node";
    const DROP_INS: &str = "UPDATE node SET drop_ins = :value WHERE name = :node";
    const RELOADED: &str = "UPDATE node SET reload = :value WHERE name = :node";
    const HEARTBEAT: &str = "UPDATE node SET heartbeat = :value WHERE name = :node";
    let document = |source| StoreError::Document { table: "node", source };
    match note {
        NodeNote::Started(ProcessId { pid, born }, Timestamp(at)) => {
            let params = named_params! {":pid": pid, ":born": born, ":at": at, ":node": NODE};
            tx.execute(STARTED, params)
        }
        NodeNote::Seen(at) => tx.execute(SEEN, named_params! {":value": at.0, ":node": NODE}),
        NodeNote::Stopped(at) => tx.execute(STOPPED, named_params! {":value": at.0, ":node": NODE}),
        NodeNote::Reloaded(reload) => {
            let text = serde_json::to_string(reload).map_err(document)?;
            tx.execute(RELOADED, named_params! {":value": text, ":node": NODE})
        }
        NodeNote::AllowRemovals(number) => {
            tx.execute(ALLOWED, named_params! {":value": number, ":node": NODE})
        }
        NodeNote::RemovalsDone => {
            tx.execute(ALLOWED, named_params! {":value": None::<u32>, ":node": NODE})
        }
        NodeNote::DropIns(folder) => {
            tx.execute(DROP_INS, named_params! {":value": folder, ":node": NODE})
        }
        NodeNote::Heartbeat(state) => {
            let text = state.as_ref().map(serde_json::to_string).transpose().map_err(document)?;
            tx.execute(HEARTBEAT, named_params! {":value": text, ":node": NODE})
        }
    }?;
    Ok(())
}

/// Loads the row, which is empty before the first life of the node.
pub(super) fn load(tx: &Connection) -> Result<NodeRow, StoreError> {
    const SQL: &str = "
        SELECT pid, born, started_at_ms, seen_at_ms, stopped_at_ms, reload, removals_allowed,
            drop_ins, heartbeat
        FROM node WHERE name = :node";
    let mut statement = tx.prepare_cached(SQL)?;
    let found =
        statement.query_row(named_params! {":node": NODE}, |row| Ok(read(row))).optional()?;
    found.unwrap_or_else(|| Ok(NodeRow::default()))
}

fn read(row: &SqlRow<'_>) -> Result<NodeRow, StoreError> {
    let process = row.get::<_, Option<i32>>("pid")?.zip(row.get("born")?);
    let (reload, heartbeat): (Option<String>, Option<String>) =
        (row.get("reload")?, row.get("heartbeat")?);
    // What another version wrote is not worth a failure.
    let reload = reload.and_then(|text| serde_json::from_str(&text).ok());
    let heartbeat = heartbeat.and_then(|text| serde_json::from_str(&text).ok());
    Ok(NodeRow {
        process: process.map(|(pid, born)| ProcessId { pid, born }),
        started_at: instant(row, "started_at_ms")?,
        seen_at: instant(row, "seen_at_ms")?,
        stopped_at: instant(row, "stopped_at_ms")?,
        reload,
        removals_allowed: row.get("removals_allowed")?,
        drop_ins: row.get("drop_ins")?,
        heartbeat,
    })
}
