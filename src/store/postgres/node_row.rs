//! Rows of nodes as people see them, and what is noted in them.

use tokio_postgres::Row;

use super::column::instant;
use super::node::{SILENT_MAX, clock};
use super::tx::{Reads, Tx, get, params};
use super::{Drain, KnownNode, NodeNote, NodeRow, ProcessId, StoreError};
use crate::domain::{NodeIdentity, Timestamp};

/// The node of this name, or where there is none, the one that was heard of last.
macro_rules! own {
    () => {
        "name = (SELECT name FROM revalidated.node
                 ORDER BY name = $1 DESC, beat_at_ms DESC NULLS LAST, started_at_ms DESC NULLS LAST,
                     name LIMIT 1)"
    };
}

/// Writes a note into the row of a node.
pub(super) async fn note(tx: &Tx, name: &str, note: &NodeNote) -> Result<(), StoreError> {
    const STARTED: &str = concat!(
        "UPDATE revalidated.node SET pid = $2, born = $3, started_at_ms = $4, seen_at_ms = $4,
             stopped_at_ms = NULL, reload = NULL, heartbeat = NULL WHERE ",
        own!()
    );
    const SEEN: &str = concat!("UPDATE revalidated.node SET seen_at_ms = $2 WHERE ", own!());
    const STOPPED: &str =
        concat!("UPDATE revalidated.node SET seen_at_ms = $2, stopped_at_ms = $2 WHERE ", own!());
    const ALLOWED: &str =
        concat!("UPDATE revalidated.node SET removals_allowed = $2 WHERE ", own!());
    const DROP_INS: &str = concat!("UPDATE revalidated.node SET drop_ins = $2 WHERE ", own!());
    const RELOADED: &str = concat!("UPDATE revalidated.node SET reload = $2 WHERE ", own!());
    const HEARTBEAT: &str = concat!("UPDATE revalidated.node SET heartbeat = $2 WHERE ", own!());
    let document = |source| StoreError::Document { table: "node", source };
    match note {
        NodeNote::Started(ProcessId { pid, born }, Timestamp(at)) => {
            let started = params![name => TEXT, pid => INT4, born => INT8, at => INT8];
            tx.execute(STARTED, started).await
        }
        NodeNote::Seen(at) => tx.execute(SEEN, params![name => TEXT, at.0 => INT8]).await,
        NodeNote::Stopped(at) => tx.execute(STOPPED, params![name => TEXT, at.0 => INT8]).await,
        NodeNote::Reloaded(reload) => {
            let text = serde_json::to_string(reload).map_err(document)?;
            tx.execute(RELOADED, params![name => TEXT, text => TEXT]).await
        }
        NodeNote::AllowRemovals(number) => {
            tx.execute(ALLOWED, params![name => TEXT, i64::from(*number) => INT8]).await
        }
        NodeNote::RemovalsDone => {
            tx.execute(ALLOWED, params![name => TEXT, None::<i64> => INT8]).await
        }
        NodeNote::DropIns(folder) => {
            tx.execute(DROP_INS, params![name => TEXT, folder => TEXT]).await
        }
        NodeNote::Heartbeat(state) => {
            let text = state.as_ref().map(serde_json::to_string).transpose().map_err(document)?;
            tx.execute(HEARTBEAT, params![name => TEXT, text => TEXT]).await
        }
    }?;
    Ok(())
}

/// Lets the next reload of a node put its configuration in force in any case.
pub(super) async fn publish(tx: &Tx, name: &str) -> Result<(), StoreError> {
    const SQL: &str = concat!("UPDATE revalidated.node SET publishes = TRUE WHERE ", own!());
    tx.execute(SQL, params![name => TEXT]).await?;
    Ok(())
}

/// Lets a node begin and send nothing more, or go on; returns false when there is none of this name.
pub(super) async fn drain(tx: &Tx, name: &str, is_draining: bool) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE revalidated.node SET draining = $2 WHERE name = $1";
    Ok(tx.execute(SQL, params![name => TEXT, is_draining => BOOL]).await? != 0)
}

/// Columns of a node, for [`read`].
macro_rules! node_columns {
    () => {
        "SELECT name, labels, version, address, pid, born, started_at_ms, seen_at_ms, stopped_at_ms,
             reload, removals_allowed, drop_ins, heartbeat, "
    };
}

/// Loads the row of a node, which is empty before its first life.
pub(super) async fn load(tx: &Reads, name: &str) -> Result<NodeRow, StoreError> {
    const SQL: &str =
        concat!(node_columns!(), "NULL::bigint AS age_ms FROM revalidated.node WHERE ", own!());
    match tx.row(SQL, params![name => TEXT]).await? {
        Some(row) => read(&row),
        None => Ok(NodeRow::default()),
    }
}

/// Loads the nodes that use the database, or used it, by name.
pub(super) async fn all(tx: &Reads) -> Result<Vec<KnownNode>, StoreError> {
    const SQL: &str = concat!(
        node_columns!(),
        "beat_at_ms, generation, waits_for, draining,
             EXISTS (SELECT 1 FROM revalidated.work WHERE lease_owner = incarnation)
                 OR EXISTS (SELECT 1 FROM revalidated.lane WHERE lease_owner = incarnation)
                 AS has_leases, ",
        clock!(),
        " - beat_at_ms AS age_ms FROM revalidated.node ORDER BY name COLLATE \"C\""
    );
    let longest = i64::try_from(SILENT_MAX.as_millis()).unwrap_or(i64::MAX);
    let known = |row: &Row| {
        let document = |source| StoreError::Document { table: "node", source };
        let labels = serde_json::from_str(get(row, "labels")?).map_err(document)?;
        let age_ms: Option<i64> = get(row, "age_ms")?;
        let mut node = read(row)?;
        node.seen_at = instant(row, "beat_at_ms")?.or(node.seen_at);
        Ok(KnownNode {
            identity: NodeIdentity { name: get(row, "name")?, labels },
            version: get(row, "version")?,
            address: get(row, "address")?,
            is_alive: Some(age_ms.is_some_and(|age| age < longest)),
            generation: Some(get(row, "generation")?),
            waits_for: Some(get(row, "waits_for")?).filter(|reason: &String| !reason.is_empty()),
            drain: match (get(row, "draining")?, get(row, "has_leases")?) {
                (false, _) => None,
                (true, true) => Some(Drain::Draining),
                (true, false) => Some(Drain::Drained),
            },
            row: node,
        })
    };
    tx.rows(SQL, &[]).await?.iter().map(known).collect()
}

fn read(row: &Row) -> Result<NodeRow, StoreError> {
    let pid: Option<i32> = get(row, "pid")?;
    let process = pid.zip(get(row, "born")?);
    let (reload, heartbeat): (Option<&str>, Option<&str>) =
        (get(row, "reload")?, get(row, "heartbeat")?);
    // What another version wrote is not worth a failure.
    let reload = reload.and_then(|text| serde_json::from_str(text).ok());
    let heartbeat = heartbeat.and_then(|text| serde_json::from_str(text).ok());
    let removals: Option<i64> = get(row, "removals_allowed")?;
    Ok(NodeRow {
        process: process.map(|(pid, born)| ProcessId { pid, born }),
        started_at: instant(row, "started_at_ms")?,
        seen_at: instant(row, "seen_at_ms")?,
        stopped_at: instant(row, "stopped_at_ms")?,
        reload,
        removals_allowed: removals.map(|number| u32::try_from(number).unwrap_or(u32::MAX)),
        drop_ins: get(row, "drop_ins")?,
        heartbeat,
    })
}
