//! Heads of the two queues: which runs and deliveries are due, and when the next one is.

use super::column::instant;
use super::eligible::Eligible;
use super::tx::{Reads, get, params};
use super::{Due, StoreError};
use crate::domain::{IntegrationId, Timestamp};
use tokio_postgres::Row;

/// Rows of pools whose time has come, each pool by its part of the index; those being run, or reserved for other nodes,
/// are few, and passed over.
pub(super) const DUE: &str = "
    SELECT id, name FROM unnest($3) AS own (pool)
    CROSS JOIN LATERAL (
        SELECT integration_id, next_run_at_ms FROM revalidated.work
        WHERE work.pool = own.pool AND next_run_at_ms <= $1
          AND (lease_until_ms IS NULL OR lease_until_ms <= $1)
          AND (elsewhere IS NULL OR elsewhere <> $4 OR elsewhere_until_ms <= $1)
        ORDER BY next_run_at_ms LIMIT $2) AS due
    JOIN revalidated.integration ON integration.id = due.integration_id
    ORDER BY next_run_at_ms LIMIT $2";

/// Rows of pools that are due at `now` and not leased, longest overdue first.
pub(super) async fn due(
    tx: &Reads,
    eligible: &Eligible,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Due>, StoreError> {
    let read = |row: &Row| Ok(Due { id: IntegrationId(get(row, "id")?), name: get(row, "name")? });
    let (pools, node) = (eligible.pools(), eligible.node());
    let params =
        params![now.0 => INT8, i64::from(limit) => INT8, pools => TEXT_ARRAY, node => TEXT];
    tx.rows(DUE, params).await?.iter().map(read).collect()
}

/// Returns true when a run is due that a person asked for.
pub(super) async fn has_requests(
    tx: &Reads,
    eligible: &Eligible,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (
            SELECT 1 FROM revalidated.work
            WHERE pool = ANY($2) AND next_run_at_ms <= $1 AND next_trigger = 'request'
              AND (elsewhere IS NULL OR elsewhere <> $3 OR elsewhere_until_ms <= $1)
              AND (lease_until_ms IS NULL OR lease_until_ms <= $1)) AS found";
    let (pools, node) = (eligible.pools(), eligible.node());
    let params = params![now.0 => INT8, pools => TEXT_ARRAY, node => TEXT];
    get(&tx.one(SQL, params).await?, "found")
}

/// The first free row of pools in the order of the queue after an instant, and the first lease to run out: what is
/// leased has come due.
pub(super) const NEXT_DUE_AT: &str = "
    SELECT least(
        (SELECT min(at_ms) FROM unnest($2) AS own (pool)
         CROSS JOIN LATERAL (
            SELECT next_run_at_ms AS at_ms FROM revalidated.work
            WHERE work.pool = own.pool AND next_run_at_ms > $1 AND lease_until_ms IS NULL
            ORDER BY next_run_at_ms LIMIT 1) AS first),
        (SELECT min(lease_until_ms) FROM revalidated.work WHERE lease_until_ms > $1)) AS at_ms";

/// Returns the earliest instant after `after` at which a run becomes due, or a lease runs out.
pub(super) async fn next_due_at(
    tx: &Reads,
    eligible: &Eligible,
    after: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let params = params![after.0 => INT8, eligible.pools() => TEXT_ARRAY];
    instant(&tx.one(NEXT_DUE_AT, params).await?, "at_ms")
}

/// For each receiver the first free lane in the order of its queue, and the first lease to run out. One that does not
/// answer is probed by one message at a time: when the next probe is due, or while one is being sent, at the end of
/// its lease.
pub(super) const NEXT_DELIVERY_AT: &str = "
    SELECT min(CASE WHEN probe_at_ms IS NULL THEN least(free.at_ms, leased.first_ms)
                    ELSE coalesce(leased.last_ms, probe_at_ms) END) AS at_ms
    FROM unnest($1) AS asked (receiver)
    LEFT JOIN revalidated.receiver ON receiver.name = asked.receiver
    LEFT JOIN LATERAL (
        SELECT due_at_ms AS at_ms FROM revalidated.lane
        WHERE lane.receiver = asked.receiver AND due_at_ms IS NOT NULL AND lease_until_ms IS NULL
        ORDER BY due_at_ms LIMIT 1) AS free ON TRUE
    LEFT JOIN LATERAL (
        SELECT min(lease_until_ms) AS first_ms, max(lease_until_ms) AS last_ms FROM revalidated.lane
        WHERE lane.receiver = asked.receiver AND due_at_ms IS NOT NULL
          AND lease_until_ms IS NOT NULL) AS leased ON TRUE
    WHERE disabled_at_ms IS NULL AND coalesce(free.at_ms, leased.last_ms) IS NOT NULL";

/// Returns the earliest instant at which a delivery to one of `receivers` that need not wait for another
/// becomes due, or a lease on one runs out; those that are disabled are sent nothing.
pub(super) async fn next_delivery_at(
    tx: &Reads,
    receivers: &[String],
) -> Result<Option<Timestamp>, StoreError> {
    instant(&tx.one(NEXT_DELIVERY_AT, params![receivers => TEXT_ARRAY]).await?, "at_ms")
}
