//! Nodes (leases by heartbeat): the daemons that share a database. A node is alive while its latest heartbeat is young
//! by the clock of the database; of one that is dead the others free the leases, under its row's lock: it is done once.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::Row;
use tracing::info;

use super::connect::Connections;
use super::planted::{self, Hazard};
use super::tx::{Reads, Tx, get, params, transact};
use super::{FreedNode, Opening, ProcessId, StoreError, migrate, since_boot};
use crate::domain::IntegrationId;

/// Age of the latest heartbeat after which a node is dead.
pub(super) const SILENT_MAX: Duration = Duration::from_secs(20);

/// Present instant by the clock of the database, in milliseconds: the latest that it ever showed where that is later, as
/// after a failover to a machine whose clock is behind.
macro_rules! clock {
    () => {
        "greatest(revalidated.clock_ms(), (SELECT high_ms FROM revalidated.clock))"
    };
}
pub(super) use clock;

/// Node that has the name already.
#[derive(Debug)]
struct Incumbent {
    incarnation: i64,
    address: String,
    process: Option<ProcessId>,
    machine: String,
    /// Age of its latest heartbeat in milliseconds; none once it has stopped in good order, or its leases were freed.
    age_ms: Option<i64>,
    /// Number of its heartbeats in this life.
    beat: i64,
}

/// Evidence of a node of the same name that is alive, or was a moment ago.
#[derive(Debug)]
pub(super) struct Alive {
    /// Sentence with its name, its place and its latest heartbeat.
    shown: String,
    /// Its incarnation with the number of its heartbeats.
    beat: (i64, i64),
}

/// Time between two looks whether a node of the same name is still alive.
const LOOK: Duration = Duration::from_secs(1);
/// Number of looks, for longer than a node without heartbeats counts as alive.
const LOOKS_MAX: u32 = 30;

/// Takes the row of this node; returns the time since boot before it did, which counts as the first heartbeat. While
/// another one had the name a moment ago, it waits until that one beats again, or is dead.
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
        let taken = transact!(connections, tx => {
            let taken = take(tx, opening, incarnation).await?;
            migrate::require_here(tx, connections).await.map(|()| taken)
        })?;
        let Err(alive) = taken else { return Ok(sent) };
        if LOOKS_MAX <= look || before.is_some_and(|before| before != alive.beat) {
            return Err(alive.error(connections));
        }
        if before.is_none() {
            info!("{}; this one looks whether that one still is", alive.shown);
        }
        before = Some(alive.beat);
        sleep(LOOK).await;
    }
    Err(StoreError::TooSlow)
}

impl Alive {
    /// Returns the error of a node whose name the other one has.
    pub(super) fn error(self, connections: &Connections) -> StoreError {
        StoreError::Occupied { address: connections.address().to_string(), problem: self.shown }
    }
}

impl Incumbent {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let pid: Option<i32> = get(row, "holder_pid")?;
        let process = pid.zip(get(row, "holder_born")?);
        Ok(Self {
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
        // A former life of this very process is in the row again after a loss of commits.
        let is_over = |process| opening.process == Some(process) || !(opening.is_alive)(process);
        let has_ended = is_here && self.process.is_some_and(is_over);
        !has_ended && age_ms < silent_max()
    }

    fn shown(&self, name: &str) -> String {
        let process = self.process.map_or_else(String::new, |one| format!("process {}, ", one.pid));
        let seconds = self.age_ms.unwrap_or(0).max(0) / 1000;
        format!(
            "a node named {name} is alive ({}, {process}seen {seconds} s ago): give this one another node.name, or \
             wait {} s after stopping it",
            self.address,
            SILENT_MAX.as_secs(),
        )
    }
}

/// Returns the age in milliseconds from which a heartbeat is that of a dead node.
pub(super) fn silent_max() -> i64 {
    i64::try_from(SILENT_MAX.as_millis()).unwrap_or(i64::MAX)
}

/// Takes the row of this node under a new incarnation, and frees the leases of its former one; returns the evidence of
/// another one of its name that is alive instead.
async fn take(
    tx: &Tx,
    opening: &Opening,
    incarnation: i64,
) -> Result<Result<(), Alive>, StoreError> {
    const FORMER: &str = concat!(
        "SELECT incarnation, address, holder_pid, holder_born, machine, beat, ",
        clock!(),
        " - beat_at_ms AS age_ms FROM revalidated.node WHERE name = $1 FOR NO KEY UPDATE"
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
             beat_at_ms = EXCLUDED.beat_at_ms, waits_for = '', draining = FALSE, publishes = FALSE
         WHERE node.incarnation = $9"
    );
    let name = &opening.node.name;
    let former = tx.row(FORMER, params![name => TEXT]).await?;
    let former = former.as_ref().map(Incumbent::read).transpose()?;
    // This very transaction may have been committed before its answer was lost.
    if let Some(other) = former.as_ref().filter(|other| other.incarnation != incarnation)
        && other.is_alive(opening)
    {
        let beat = (other.incarnation, other.beat);
        return Ok(Err(Alive { shown: other.shown(name), beat }));
    }
    let document = |source| StoreError::Document { table: "node", source };
    let labels = serde_json::to_string(&opening.node.labels).map_err(document)?;
    let process = opening.process;
    let former = former.map(|other| other.incarnation);
    let taken = params![
        name => TEXT, incarnation => INT8, labels => TEXT, opening.machine => TEXT,
        host_name() => TEXT, process.map(|one| one.pid) => INT4, process.map(|one| one.born) => INT8,
        env!("CARGO_PKG_VERSION") => TEXT, former => INT8,
    ];
    if tx.execute(TAKE, taken).await? == 0 {
        // Another one has taken the name between the two statements.
        return Err(super::error::Fault::Conflict.into());
    }
    let mut ended: Vec<_> = former.filter(|former| *former != incarnation).into_iter().collect();
    if planted::is(Hazard::Leases) {
        const ALL: &str = "SELECT incarnation FROM revalidated.node";
        for row in tx.rows(ALL, &[]).await? {
            ended.push(get(&row, "incarnation")?);
        }
    }
    if !ended.is_empty() {
        free(tx, &ended).await?;
    }
    Ok(Ok(()))
}

/// Takes the row back of which others have freed the leases, under a new incarnation. Where the row is that of another
/// life, as after a loss of commits, it is taken as at a start.
pub(super) async fn take_back(
    tx: &Tx,
    opening: &Opening,
    former: i64,
    incarnation: i64,
) -> Result<Result<(), Alive>, StoreError> {
    const SQL: &str = concat!(
        "UPDATE revalidated.node SET incarnation = $3, beat = 0, beat_at_ms = ",
        clock!(),
        " WHERE name = $1 AND incarnation IN ($2, $3)"
    );
    let params = params![opening.node.name => TEXT, former => INT8, incarnation => INT8];
    if tx.execute(SQL, params).await? == 0 {
        return take(tx, opening, incarnation).await;
    }
    free(tx, &[former]).await?;
    Ok(Ok(()))
}

/// Gives nodes up that are dead, those of the incarnations `ended` among them, and frees their leases. Nodes that another
/// one is giving up are left to it.
pub(super) async fn free_dead(tx: &Tx, ended: &[i64]) -> Result<Vec<FreedNode>, StoreError> {
    const DEAD: &str = concat!(
        "SELECT name, incarnation FROM revalidated.node
         WHERE beat_at_ms IS NOT NULL AND (incarnation = ANY($2) OR beat_at_ms <= ",
        clock!(),
        " - $1) ORDER BY name FOR NO KEY UPDATE SKIP LOCKED"
    );
    const END: &str = "UPDATE revalidated.node SET beat_at_ms = NULL WHERE name = $1";
    let mut freed = Vec::new();
    for row in tx.rows(DEAD, params![silent_max() => INT8, ended => INT8_ARRAY]).await? {
        let (name, incarnation): (String, i64) = (get(&row, "name")?, get(&row, "incarnation")?);
        tx.execute(END, params![name => TEXT]).await?;
        let (runs, has_ended) = (free(tx, &[incarnation]).await?, ended.contains(&incarnation));
        freed.push(FreedNode { name, runs, has_ended });
    }
    Ok(freed)
}

/// Frees the leases of incarnations, in the order in which others lock them; returns the number of runs.
async fn free(tx: &Tx, incarnations: &[i64]) -> Result<usize, StoreError> {
    const LOCK_RUNS: &str = "
        SELECT integration_id AS id FROM revalidated.work WHERE lease_owner = ANY($1)
        ORDER BY integration_id FOR NO KEY UPDATE";
    const RUNS: &str = "
        UPDATE revalidated.work
        SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL
        WHERE integration_id = ANY($2) AND lease_owner = ANY($1)";
    const LOCK_LANES: &str = "
        SELECT 1 FROM revalidated.lane WHERE lease_owner = ANY($1)
        ORDER BY receiver, integration_id FOR NO KEY UPDATE";
    const LANES: &str = "
        UPDATE revalidated.lane
        SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL
        WHERE lease_owner = ANY($1)";
    let found = tx.rows(LOCK_RUNS, params![incarnations => INT8_ARRAY]).await?;
    let ids = found.iter().map(|row| get(row, "id")).collect::<Result<Vec<i64>, _>>()?;
    tx.execute(RUNS, params![incarnations => INT8_ARRAY, ids => INT8_ARRAY]).await?;
    tx.rows(LOCK_LANES, params![incarnations => INT8_ARRAY]).await?;
    tx.execute(LANES, params![incarnations => INT8_ARRAY]).await?;
    Ok(ids.len())
}

/// Returns the name of this machine, for people.
pub(in crate::store) fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// Answer of the database to a heartbeat.
#[derive(Debug)]
pub(super) struct Pulse {
    /// Present instant by the clock of the database, in milliseconds.
    pub(super) now_ms: i64,
    /// Number of the configuration in force.
    pub(super) generation: i64,
    /// True while a person wants it to begin and send nothing.
    pub(super) is_draining: bool,
    /// Time until another node is dead, should it stay silent, in milliseconds; none without another one.
    pub(super) silent_in_ms: Option<i64>,
}

/// Says that a node is alive, and for what it waits; returns none when its leases were freed, or its row is another's.
pub(super) async fn beat(
    tx: &Tx,
    name: &str,
    incarnation: i64,
    waits_for: &str,
) -> Result<Option<Pulse>, StoreError> {
    const SQL: &str = concat!(
        "UPDATE revalidated.node SET beat = beat + 1, waits_for = $3, beat_at_ms = ",
        clock!(),
        " WHERE name = $1 AND incarnation = $2 AND beat_at_ms IS NOT NULL
         RETURNING beat_at_ms, draining,
             (SELECT config_generation FROM revalidated.meta) AS generation,
             (SELECT min(other.beat_at_ms) FROM revalidated.node AS other
              WHERE other.name <> $1) AS eldest_ms"
    );
    let params = params![name => TEXT, incarnation => INT8, waits_for => TEXT];
    let Some(row) = tx.row(SQL, params).await? else { return Ok(None) };
    let now_ms: i64 = get(&row, "beat_at_ms")?;
    let eldest: Option<i64> = get(&row, "eldest_ms")?;
    Ok(Some(Pulse {
        now_ms,
        generation: get(&row, "generation")?,
        is_draining: get(&row, "draining")?,
        silent_in_ms: eldest.map(|beat_at| beat_at.saturating_add(silent_max()) - now_ms),
    }))
}

/// Returns true when another node is alive.
pub(super) async fn has_others(tx: &Reads, name: &str) -> Result<bool, StoreError> {
    const SQL: &str = concat!(
        "SELECT EXISTS (SELECT 1 FROM revalidated.node WHERE name <> $1 AND beat_at_ms > ",
        clock!(),
        " - $2) AS found"
    );
    get(&tx.one(SQL, params![name => TEXT, silent_max() => INT8]).await?, "found")
}

/// Returns true when another node than the one of this name works, and may validate an integration.
pub(super) async fn another_serves(
    tx: &Reads,
    id: IntegrationId,
    name: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = concat!(
        "SELECT EXISTS (
            SELECT 1 FROM revalidated.node, revalidated.work
            WHERE integration_id = $1 AND node.name <> $2 AND waits_for = '' AND NOT draining
              AND generation = (SELECT config_generation FROM revalidated.meta)
              AND node.labels::jsonb @> coalesce(nullif(pool, ''), '{}')::jsonb
              AND beat_at_ms > ",
        clock!(),
        " - $3) AS found"
    );
    let params = params![id.0 => INT8, name => TEXT, silent_max() => INT8];
    get(&tx.one(SQL, params).await?, "found")
}

/// Returns the present instant of the database, in milliseconds.
pub(super) async fn now(tx: &Reads) -> Result<i64, StoreError> {
    const SQL: &str = concat!("SELECT ", clock!(), " AS now_ms");
    get(&tx.one(SQL, &[]).await?, "now_ms")
}

/// Says that a node has stopped in good order.
pub(super) async fn leave(tx: &Tx, name: &str, incarnation: i64) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.node SET beat_at_ms = NULL WHERE name = $1 AND incarnation = $2";
    tx.execute(SQL, params![name => TEXT, incarnation => INT8]).await?;
    Ok(())
}
