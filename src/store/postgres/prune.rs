//! Retention by age: deletes old history in bounded batches, never a pending delivery to a receiver
//! in use, never an integration's latest run.
//!
//! Rows that others may refer to are locked before it is looked whether one does: an inserted reference waits for the
//! lock, and one that is there already is seen.

use std::time::Duration;

use tokio_postgres::Row;

use super::outbox::expire;
use super::tx::{Tx, get, params};
use super::{Pruned, Retention, StoreError, audit, awake, fingerprint, gate};
use crate::domain::Timestamp;

/// Time for which results are kept that no run points to any more: a run that is being recorded may be about to.
const REPORT_UNUSED: Duration = Duration::from_hours(24);

/// Deletes one batch per table; nothing when another node is at it.
pub(super) async fn prune(
    tx: &Tx,
    retention: Retention,
    now: Timestamp,
) -> Result<Pruned, StoreError> {
    if !gate::try_lock(tx, gate::PRUNE).await? {
        return Ok(Pruned::default());
    }
    let batch = retention.batch;
    let deliveries = awake::before(tx, retention.deliveries, now).await?;
    let history = awake::before(tx, retention.history, now).await?;
    let dead = expire(tx, deliveries, batch, now).await?;
    let mut rows = prune_deliveries(tx, deliveries, batch).await?;
    rows += prune_events(tx, deliveries, batch).await?;
    rows += prune_transitions(tx, history, batch).await?;
    rows += prune_runs(tx, history, batch).await?;
    prune_reports(tx, now.minus(REPORT_UNUSED), batch).await?;
    prune_contradictions(tx, now.minus(REPORT_UNUSED)).await?;
    rows += audit::prune(tx, history, batch).await?;
    rows += prune_receivers(tx).await?;
    rows += fingerprint::forget(tx).await?;
    awake::forget(tx, retention.history.max(retention.deliveries)).await?;
    Ok(Pruned { rows: usize::try_from(rows).unwrap_or(usize::MAX), dead })
}

/// Deletes deliveries that ended long ago, and their attempts with them.
async fn prune_deliveries(tx: &Tx, before: Timestamp, batch: u32) -> Result<u64, StoreError> {
    const SQL: &str = "
        DELETE FROM revalidated.delivery WHERE id IN (
            SELECT id FROM revalidated.delivery WHERE ended_at_ms < $1
            ORDER BY ended_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED)";
    tx.execute(SQL, params![before.0 => INT8, i64::from(batch) => INT8]).await
}

/// Condition for an event that nothing refers to.
macro_rules! is_unused {
    () => {
        " NOT EXISTS (SELECT 1 FROM revalidated.delivery WHERE delivery.event_id = event.id)
          AND NOT EXISTS (SELECT 1 FROM revalidated.delivery WHERE began_id = event.id)
          AND NOT EXISTS (SELECT 1 FROM revalidated.incident_receiver AS known
                          WHERE known.event_id = event.id) "
    };
}
pub(super) use is_unused;

/// Deletes old events of which no delivery is left.
async fn prune_events(tx: &Tx, before: Timestamp, batch: u32) -> Result<u64, StoreError> {
    const LOCK: &str = concat!(
        "SELECT number FROM revalidated.event WHERE created_at_ms < $1 AND",
        is_unused!(),
        "ORDER BY created_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED"
    );
    let locked = tx.rows(LOCK, params![before.0 => INT8, i64::from(batch) => INT8]).await?;
    drop_events(tx, &numbers(&locked, "number")?).await
}

/// Deletes those of these events, which are locked, that nothing refers to, and remembers the latest of them: a reader
/// that asks for those after an earlier one has missed some.
pub(super) async fn drop_events(tx: &Tx, events: &[i64]) -> Result<u64, StoreError> {
    const DELETE: &str = concat!(
        "DELETE FROM revalidated.event WHERE number = ANY($1) AND",
        is_unused!(),
        "RETURNING number"
    );
    const LATEST: &str = "UPDATE revalidated.meta SET pruned_number = $1 WHERE pruned_number < $1";
    if events.is_empty() {
        return Ok(0);
    }
    let gone = numbers(&tx.rows(DELETE, params![events => INT8_ARRAY]).await?, "number")?;
    if let Some(latest) = gone.iter().max() {
        tx.execute(LATEST, params![latest => INT8]).await?;
    }
    Ok(count(&gone))
}

/// Reads a column of numbers.
pub(super) fn numbers(rows: &[Row], column: &str) -> Result<Vec<i64>, StoreError> {
    rows.iter().map(|row| get(row, column)).collect()
}

/// Returns the number of rows that were found.
pub(super) fn count<T>(rows: &[T]) -> u64 {
    u64::try_from(rows.len()).unwrap_or(u64::MAX)
}

/// Deletes old transitions, oldest first.
async fn prune_transitions(tx: &Tx, before: Timestamp, batch: u32) -> Result<u64, StoreError> {
    const SQL: &str = "
        SELECT id FROM revalidated.transition WHERE at_ms < $1 ORDER BY at_ms LIMIT $2";
    let found = tx.rows(SQL, params![before.0 => INT8, i64::from(batch) => INT8]).await?;
    drop_transitions(tx, &numbers(&found, "id")?).await
}

/// Deletes status changes, and remembers the latest that each integration has lost: its history is whole after that
/// only.
pub(super) async fn drop_transitions(tx: &Tx, ids: &[i64]) -> Result<u64, StoreError> {
    const SQL: &str = "
        WITH gone AS (
            DELETE FROM revalidated.transition WHERE id = ANY($1)
            RETURNING integration_id, at_ms),
        latest AS (
            SELECT integration_id, max(at_ms) AS at_ms FROM gone GROUP BY integration_id),
        noted AS (
            UPDATE revalidated.integration SET history_since_ms = latest.at_ms FROM latest
            WHERE id = latest.integration_id
              AND (history_since_ms IS NULL OR history_since_ms < latest.at_ms)
            RETURNING id)
        SELECT (SELECT count(*) FROM gone) AS gone, (SELECT count(*) FROM noted) AS noted";
    if ids.is_empty() {
        return Ok(0);
    }
    lock_integrations(tx, ids).await?;
    let gone: i64 = get(&tx.one(SQL, params![ids => INT8_ARRAY]).await?, "gone")?;
    Ok(gone.unsigned_abs())
}

/// Locks the integrations of status changes, in the order of their ids.
async fn lock_integrations(tx: &Tx, transitions: &[i64]) -> Result<(), StoreError> {
    const SQL: &str = "
        SELECT 1 FROM revalidated.integration
        WHERE id IN (SELECT integration_id FROM revalidated.transition WHERE id = ANY($1))
        ORDER BY id FOR NO KEY UPDATE";
    tx.rows(SQL, params![transitions => INT8_ARRAY]).await?;
    Ok(())
}

/// Condition for a run of which the results are not shown.
macro_rules! is_not_shown {
    () => {
        " NOT EXISTS (SELECT 1 FROM revalidated.work
                      WHERE work.integration_id = run.integration_id AND last_run_id = run.id)
          AND NOT EXISTS (SELECT 1 FROM revalidated.integration
                          WHERE integration.id = run.integration_id
                            AND candidate_run_id = run.id) "
    };
}

/// Deletes old runs, except those whose results are shown.
async fn prune_runs(tx: &Tx, before: Timestamp, batch: u32) -> Result<u64, StoreError> {
    const SQL: &str = concat!(
        "SELECT id FROM revalidated.run WHERE started_at_ms < $1 AND",
        is_not_shown!(),
        "ORDER BY started_at_ms LIMIT $2"
    );
    let found = tx.rows(SQL, params![before.0 => INT8, i64::from(batch) => INT8]).await?;
    drop_runs(tx, &numbers(&found, "id")?).await
}

/// Deletes those of these runs whose results are not shown; status changes that they caused stay.
pub(super) async fn drop_runs(tx: &Tx, ids: &[i64]) -> Result<u64, StoreError> {
    const DELETE: &str = concat!(
        "DELETE FROM revalidated.run WHERE id = ANY($1) AND",
        is_not_shown!(),
        "RETURNING id"
    );
    const FORGET: &str = "UPDATE revalidated.transition SET run_id = NULL WHERE run_id = ANY($1)";
    if ids.is_empty() {
        return Ok(0);
    }
    let gone = numbers(&tx.rows(DELETE, params![ids => INT8_ARRAY]).await?, "id")?;
    tx.execute(FORGET, params![gone => INT8_ARRAY]).await?;
    Ok(count(&gone))
}

/// Forgets what nodes that are gone could not reach alone.
async fn prune_contradictions(tx: &Tx, before: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM revalidated.contradiction WHERE at_ms < $1";
    tx.execute(SQL, params![before.0 => INT8]).await?;
    Ok(())
}

/// Deletes results to which no run points any more, and which none was recorded with lately.
async fn prune_reports(tx: &Tx, before: Timestamp, batch: u32) -> Result<(), StoreError> {
    const SQL: &str = "
        DELETE FROM revalidated.report WHERE id IN (
            SELECT id FROM revalidated.report
            WHERE used_at_ms < $1
              AND NOT EXISTS (SELECT 1 FROM revalidated.run WHERE report_id = report.id)
            LIMIT $2 FOR UPDATE SKIP LOCKED)";
    tx.execute(SQL, params![before.0 => INT8, i64::from(batch) => INT8]).await?;
    Ok(())
}

/// Forgets receivers that are neither configured nor remembered by a delivery, with their lanes.
async fn prune_receivers(tx: &Tx) -> Result<u64, StoreError> {
    const RECEIVERS: &str = "
        DELETE FROM revalidated.receiver
        WHERE NOT configured
          AND NOT EXISTS (SELECT 1 FROM revalidated.delivery
                          WHERE delivery.receiver = receiver.name)
        RETURNING name";
    const LANES: &str = "DELETE FROM revalidated.lane WHERE receiver = ANY($1) AND head_id IS NULL";
    let gone = tx.rows(RECEIVERS, &[]).await?;
    if gone.is_empty() {
        return Ok(0);
    }
    let names = gone.iter().map(|row| get(row, "name")).collect::<Result<Vec<&str>, _>>()?;
    tx.execute(LANES, params![names => TEXT_ARRAY]).await?;
    Ok(count(&gone))
}
