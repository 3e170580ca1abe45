//! Nodes (leases by heartbeat): the daemons of a database, of which one at a time may use it. A node is alive while
//! its latest heartbeat is young by the clock of the database.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::sleep;
use tokio_postgres::Row;
use tracing::info;

use super::column::instant;
use super::connect::Connections;
use super::tx::{Reads, Tx, get, params, transact};
use super::{KnownNode, NodeNote, NodeRow, Opening, ProcessId, StoreError, gate};
use crate::domain::{NodeIdentity, Timestamp};

/// Age of the latest heartbeat after which a node is dead.
const SILENT_MAX: Duration = Duration::from_secs(20);

/// Present instant by the clock of the database, in milliseconds.
macro_rules! clock {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}

/// Heartbeat of another node.
#[derive(Debug)]
struct Other {
    name: String,
    incarnation: i64,
    address: String,
    process: Option<ProcessId>,
    machine: String,
    /// Age of its latest heartbeat in milliseconds; none once it has stopped in good order.
    age_ms: Option<i64>,
    /// Number of its heartbeats in this life.
    beat: i64,
}

/// Evidence of another node that is alive, or was a moment ago.
#[derive(Debug)]
pub(super) struct Alive {
    /// Sentence with its name, its place and its latest heartbeat.
    shown: String,
    /// Its incarnation with the number of its heartbeats.
    beat: (i64, i64),
}

/// Time between two looks whether another node is still alive.
const LOOK: Duration = Duration::from_secs(1);
/// Number of looks, for longer than a node without heartbeats counts as alive.
const LOOKS_MAX: u32 = 30;

/// Takes the row of this node; returns the time since boot before it did, which counts as the first heartbeat. While
/// another one was alive a moment ago, it waits until that one beats again, or is dead.
///
/// # Errors
///
/// Fails when the other one is alive.
pub(super) async fn begin(
    connections: &Connections,
    opening: &Opening,
    incarnation: i64,
) -> Result<Duration, StoreError> {
    let mut before = None;
    for look in 0..=LOOKS_MAX {
        let sent = since_boot();
        let taken = transact!(connections, tx => take(tx, opening, incarnation).await)?;
        let Err(Alive { shown, beat }) = taken else { return Ok(sent) };
        if LOOKS_MAX <= look || before.is_some_and(|before| before != beat) {
            let address = connections.address().to_string();
            return Err(StoreError::Occupied { address, problem: shown });
        }
        if before.is_none() {
            info!("{shown}; this one looks whether that one still is");
        }
        before = Some(beat);
        sleep(LOOK).await;
    }
    Err(StoreError::TooSlow)
}

impl Other {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let pid: Option<i32> = get(row, "holder_pid")?;
        let process = pid.zip(get(row, "holder_born")?);
        Ok(Self {
            name: get(row, "name")?,
            incarnation: get(row, "incarnation")?,
            address: get(row, "address")?,
            process: process.map(|(pid, born)| ProcessId { pid, born }),
            machine: get(row, "machine")?,
            age_ms: get(row, "age_ms")?,
            beat: get(row, "beat")?,
        })
    }

    /// Returns true unless it is known, or to be taken, that its process has ended.
    fn is_alive(&self, opening: &Opening) -> bool {
        let Some(age_ms) = self.age_ms else { return false };
        let is_here = !self.machine.is_empty() && self.machine == opening.machine;
        let has_ended = is_here && self.process.is_some_and(|process| !(opening.is_alive)(process));
        !has_ended && age_ms < i64::try_from(SILENT_MAX.as_millis()).unwrap_or(i64::MAX)
    }

    fn shown(&self) -> String {
        let process = self.process.map_or_else(String::new, |one| format!("process {}, ", one.pid));
        let seconds = self.age_ms.unwrap_or(0).max(0) / 1000;
        format!(
            "a node named {} is alive ({}, {process}seen {seconds} s ago): one daemon at a time may use the \
             database; stop it, or wait {} s after it was killed",
            self.name,
            self.address,
            SILENT_MAX.as_secs(),
        )
    }
}

/// Takes the row of this node under a new incarnation, and frees the leases of nodes that are dead; returns the
/// evidence of another one that is alive instead.
async fn take(
    tx: &Tx,
    opening: &Opening,
    incarnation: i64,
) -> Result<Result<(), Alive>, StoreError> {
    const OTHERS: &str = concat!(
        "SELECT name, incarnation, address, holder_pid, holder_born, machine, beat, ",
        clock!(),
        " - beat_at_ms AS age_ms FROM revalidated.node ORDER BY name FOR NO KEY UPDATE"
    );
    const TAKE: &str = concat!(
        "INSERT INTO revalidated.node
             (name, incarnation, labels, machine, address, holder_pid, holder_born, version, beat_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, ",
        clock!(),
        ") ON CONFLICT (name) DO UPDATE SET
             incarnation = EXCLUDED.incarnation, labels = EXCLUDED.labels, machine = EXCLUDED.machine,
             address = EXCLUDED.address, holder_pid = EXCLUDED.holder_pid,
             holder_born = EXCLUDED.holder_born, version = EXCLUDED.version, beat = 0,
             beat_at_ms = EXCLUDED.beat_at_ms"
    );
    const END: &str = "
        UPDATE revalidated.node SET beat_at_ms = NULL WHERE name <> $1 AND beat_at_ms IS NOT NULL";
    gate::lock(tx, gate::CONFIG).await?;
    let found = tx.rows(OTHERS, &[]).await?;
    let others = found.iter().map(Other::read).collect::<Result<Vec<_>, _>>()?;
    // This very transaction may have been committed before its answer was lost.
    let mut alive = others.iter().filter(|other| other.incarnation != incarnation);
    if let Some(other) = alive.find(|other| other.is_alive(opening)) {
        let beat = (other.incarnation, other.beat);
        return Ok(Err(Alive { shown: other.shown(), beat }));
    }
    let document = |source| StoreError::Document { table: "node", source };
    let labels = serde_json::to_string(&opening.node.labels).map_err(document)?;
    let process = opening.process;
    let taken = params![
        opening.node.name => TEXT, incarnation => INT8, labels => TEXT, opening.machine => TEXT,
        host_name() => TEXT, process.map(|one| one.pid) => INT4, process.map(|one| one.born) => INT8,
        env!("CARGO_PKG_VERSION") => TEXT,
    ];
    tx.execute(TAKE, taken).await?;
    tx.execute(END, params![opening.node.name => TEXT]).await?;
    free(tx, incarnation).await?;
    Ok(Ok(()))
}

/// Frees the leases of all incarnations but one.
async fn free(tx: &Tx, incarnation: i64) -> Result<(), StoreError> {
    const RUNS: &str = "
        UPDATE revalidated.work
        SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL WHERE lease_owner <> $1";
    const DELIVERIES: &str = "
        UPDATE revalidated.lane
        SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL WHERE lease_owner <> $1";
    for sql in [RUNS, DELIVERIES] {
        tx.execute(sql, params![incarnation => INT8]).await?;
    }
    Ok(())
}

/// Returns the name of this machine, for people.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// Returns the time since the machine was started, its sleep included.
pub(super) fn since_boot() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    let (secs, nanos) = (u64::try_from(now.tv_sec), u32::try_from(now.tv_nsec));
    Duration::new(secs.unwrap_or(0), nanos.unwrap_or(0))
}

/// Says that a node is alive; returns false when another incarnation has taken its row.
pub(super) async fn beat(tx: &Tx, name: &str, incarnation: i64) -> Result<bool, StoreError> {
    const SQL: &str = concat!(
        "UPDATE revalidated.node SET beat = beat + 1, beat_at_ms = ",
        clock!(),
        " WHERE name = $1 AND incarnation = $2 AND beat_at_ms IS NOT NULL"
    );
    Ok(tx.execute(SQL, params![name => TEXT, incarnation => INT8]).await? != 0)
}

/// Says that a node has stopped in good order.
pub(super) async fn leave(tx: &Tx, name: &str, incarnation: i64) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.node SET beat_at_ms = NULL WHERE name = $1 AND incarnation = $2";
    tx.execute(SQL, params![name => TEXT, incarnation => INT8]).await?;
    Ok(())
}

/// The node that uses the database, or used it last.
macro_rules! latest {
    () => {
        "name = (SELECT name FROM revalidated.node
                 ORDER BY beat_at_ms DESC NULLS LAST, started_at_ms DESC NULLS LAST, name LIMIT 1)"
    };
}

/// Writes a note into the row of the node that uses the database.
pub(super) async fn note(tx: &Tx, note: &NodeNote) -> Result<(), StoreError> {
    const STARTED: &str = concat!(
        "UPDATE revalidated.node SET pid = $1, born = $2, started_at_ms = $3, seen_at_ms = $3,
             stopped_at_ms = NULL, reload = NULL, heartbeat = NULL WHERE ",
        latest!()
    );
    const SEEN: &str = concat!("UPDATE revalidated.node SET seen_at_ms = $1 WHERE ", latest!());
    const STOPPED: &str = concat!(
        "UPDATE revalidated.node SET seen_at_ms = $1, stopped_at_ms = $1 WHERE ",
        latest!()
    );
    const ALLOWED: &str =
        concat!("UPDATE revalidated.node SET removals_allowed = $1 WHERE ", latest!());
    const DROP_INS: &str = concat!("UPDATE revalidated.node SET drop_ins = $1 WHERE ", latest!());
    const RELOADED: &str = concat!("UPDATE revalidated.node SET reload = $1 WHERE ", latest!());
    const HEARTBEAT: &str = concat!("UPDATE revalidated.node SET heartbeat = $1 WHERE ", latest!());
    let document = |source| StoreError::Document { table: "node", source };
    match note {
        NodeNote::Started(ProcessId { pid, born }, Timestamp(at)) => {
            tx.execute(STARTED, params![pid => INT4, born => INT8, at => INT8]).await
        }
        NodeNote::Seen(at) => tx.execute(SEEN, params![at.0 => INT8]).await,
        NodeNote::Stopped(at) => tx.execute(STOPPED, params![at.0 => INT8]).await,
        NodeNote::Reloaded(reload) => {
            let text = serde_json::to_string(reload).map_err(document)?;
            tx.execute(RELOADED, params![text => TEXT]).await
        }
        NodeNote::AllowRemovals(number) => {
            tx.execute(ALLOWED, params![i64::from(*number) => INT8]).await
        }
        NodeNote::RemovalsDone => tx.execute(ALLOWED, params![None::<i64> => INT8]).await,
        NodeNote::DropIns(folder) => tx.execute(DROP_INS, params![folder => TEXT]).await,
        NodeNote::Heartbeat(state) => {
            let text = state.as_ref().map(serde_json::to_string).transpose().map_err(document)?;
            tx.execute(HEARTBEAT, params![text => TEXT]).await
        }
    }?;
    Ok(())
}

/// Columns of a node, for [`read`].
macro_rules! node_columns {
    () => {
        "SELECT name, labels, version, address, pid, born, started_at_ms, seen_at_ms, stopped_at_ms,
             reload, removals_allowed, drop_ins, heartbeat, "
    };
}

/// Loads the row of the node that uses the database, which is empty before its first life.
pub(super) async fn load(tx: &Reads) -> Result<NodeRow, StoreError> {
    const SQL: &str =
        concat!(node_columns!(), "NULL::bigint AS age_ms FROM revalidated.node WHERE ", latest!());
    match tx.row(SQL, &[]).await? {
        Some(row) => read(&row),
        None => Ok(NodeRow::default()),
    }
}

/// Loads the nodes that use the database, or used it, by name.
pub(super) async fn all(tx: &Reads) -> Result<Vec<KnownNode>, StoreError> {
    const SQL: &str = concat!(
        node_columns!(),
        "beat_at_ms, ",
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
