//! Retention by number: finds the rows that are too many, oldest first, and deletes them.
//!
//! A read looks for them, many at a time, so that a write only deletes rows by their keys; each is
//! checked once more then, since a delivery that was to go may be pending again.

use super::prune::{drop_events, drop_runs, drop_transitions, numbers};
use super::tx::{Reads, Tx, params};
use super::{Retention, StoreError, Surplus};

/// The most rows of a table that one look finds: so many numbers are kept in memory.
const FOUND_MAX: i64 = 20_000;

/// Runs of each integration up to the newest that is one too many, without what is shown and what the next run is
/// compared with.
pub(super) const RUNS: &str = "
    SELECT run.id
    FROM revalidated.integration
    JOIN revalidated.work ON work.integration_id = integration.id
    CROSS JOIN LATERAL (
        SELECT id FROM revalidated.run WHERE run.integration_id = integration.id
        ORDER BY id DESC LIMIT 1 OFFSET $1) AS beyond
    JOIN revalidated.run ON run.integration_id = integration.id AND run.id <= beyond.id
    WHERE run.id IS DISTINCT FROM last_run_id AND run.id IS DISTINCT FROM candidate_run_id
      AND run.id IS DISTINCT FROM (
          SELECT good.id FROM revalidated.run AS good
          WHERE good.integration_id = integration.id AND good.status IN ('passed', 'warning')
          ORDER BY good.id DESC LIMIT 1)
    ORDER BY integration.id, run.id LIMIT $2";

/// Transitions of each integration up to the newest that is one too many.
pub(super) const TRANSITIONS: &str = "
    SELECT transition.id
    FROM revalidated.integration
    CROSS JOIN LATERAL (
        SELECT id FROM revalidated.transition WHERE transition.integration_id = integration.id
        ORDER BY id DESC LIMIT 1 OFFSET $1) AS beyond
    JOIN revalidated.transition
        ON transition.integration_id = integration.id AND transition.id <= beyond.id
    ORDER BY integration.id, transition.id LIMIT $2";

/// The deliveries up to the one that ended last and is one too many.
pub(super) const DELIVERIES: &str = "
    WITH beyond AS (
        SELECT ended_at_ms, id FROM revalidated.delivery WHERE ended_at_ms IS NOT NULL
        ORDER BY ended_at_ms DESC, id DESC LIMIT 1 OFFSET $1)
    SELECT delivery.id FROM revalidated.delivery JOIN beyond
        ON delivery.ended_at_ms <= beyond.ended_at_ms
       AND (delivery.ended_at_ms < beyond.ended_at_ms OR delivery.id <= beyond.id)
    ORDER BY delivery.ended_at_ms, delivery.id LIMIT $2";

/// The events up to the newest that is one too many of which no delivery is left.
pub(super) const EVENTS: &str = concat!(
    "SELECT number FROM revalidated.event
     WHERE number <= $1 AND",
    super::prune::is_unused!(),
    "ORDER BY number LIMIT $2"
);

/// Finds the rows that are too many; empty when none is.
pub(super) async fn find(tx: &Reads, retention: Retention) -> Result<Surplus, StoreError> {
    let found = async |sql, keep: i64, column| {
        let rows = tx.rows(sql, params![keep => INT8, FOUND_MAX => INT8]).await?;
        numbers(&rows, column)
    };
    let each = i64::from(retention.runs_per_integration);
    let last = super::history::latest_event(tx).await?.saturating_sub(retention.events_max.into());
    Ok(Surplus {
        runs: found(RUNS, each, "id").await?,
        transitions: found(TRANSITIONS, each, "id").await?,
        deliveries: found(DELIVERIES, retention.deliveries_max.into(), "id").await?,
        events: if 0 < last { found(EVENTS, last, "number").await? } else { Vec::new() },
    })
}

/// Deletes what was found; returns the number of rows.
pub(super) async fn drop_found(tx: &Tx, surplus: &Surplus) -> Result<usize, StoreError> {
    let mut gone = drop_runs(tx, &surplus.runs).await?;
    gone += drop_transitions(tx, &surplus.transitions).await?;
    gone += drop_deliveries(tx, &surplus.deliveries).await?;
    gone += lock_and_drop_events(tx, &surplus.events).await?;
    Ok(usize::try_from(gone).unwrap_or(usize::MAX))
}

/// Deletes deliveries unless they are pending again, and their attempts with them.
async fn drop_deliveries(tx: &Tx, ids: &[i64]) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM revalidated.delivery WHERE id = ANY($1) AND state <> 'pending'";
    if ids.is_empty() {
        return Ok(0);
    }
    tx.execute(SQL, params![ids => INT8_ARRAY]).await
}

/// Deletes events unless a delivery of them is left; those that others have locked stay for the next time.
async fn lock_and_drop_events(tx: &Tx, events: &[i64]) -> Result<u64, StoreError> {
    const LOCK: &str = "
        SELECT number FROM revalidated.event WHERE number = ANY($1)
        ORDER BY number FOR UPDATE SKIP LOCKED";
    if events.is_empty() {
        return Ok(0);
    }
    let locked = tx.rows(LOCK, params![events => INT8_ARRAY]).await?;
    drop_events(tx, &numbers(&locked, "number")?).await
}
