//! Heads of the two queues: which runs and deliveries are due, and when the next one is.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::column::exists;
use super::{Due, StoreError};
use crate::domain::{IntegrationId, Timestamp};

/// Rows whose time has come; those being run are few, and passed over.
pub(super) const DUE: &str = "
    SELECT id, name FROM integration
    WHERE next_run_at_ms <= :now AND (lease_until_ms IS NULL OR lease_until_ms <= :now)
    ORDER BY next_run_at_ms LIMIT :limit";

/// Rows that are due at `now` and not leased, longest overdue first.
pub(super) fn due(tx: &Connection, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
    let mut statement = tx.prepare_cached(DUE)?;
    let found = statement
        .query_and_then(named_params! {":now": now.0, ":limit": limit}, |row| {
            Ok(Due { id: IntegrationId(row.get("id")?), name: row.get("name")? })
        })?;
    found.collect()
}

/// Rows that a person made due and that are not being run.
pub(super) const REQUESTED: &str = "
    SELECT EXISTS (
        SELECT 1 FROM integration
        WHERE next_run_at_ms <= :now AND next_trigger = 'request'
          AND (lease_until_ms IS NULL OR lease_until_ms <= :now))";

/// Returns true when a run is due that a person asked for.
pub(super) fn has_requests(tx: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    exists(tx, REQUESTED, named_params! {":now": now.0})
}

/// The first free row in the order of the queue after an instant, and the first lease to run out.
pub(super) const NEXT_DUE_AT: &str = "
    SELECT min(at_ms) FROM (
        SELECT * FROM (
            SELECT next_run_at_ms AS at_ms FROM integration
            WHERE next_run_at_ms > :after AND lease_until_ms IS NULL
            ORDER BY next_run_at_ms LIMIT 1)
        UNION ALL
        SELECT min(lease_until_ms) FROM integration WHERE lease_until_ms > :after)";

/// The earliest instant after `after` at which a run becomes due, or a lease runs out.
pub(super) fn next_due_at(
    tx: &Connection,
    after: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let params = named_params! {":after": after.0};
    let at: Option<i64> = tx.prepare_cached(NEXT_DUE_AT)?.query_row(params, |row| row.get(0))?;
    Ok(at.map(Timestamp))
}

/// The first free delivery in the order of one receiver's queue, and its first lease to run out.
pub(super) const NEXT_DELIVERY_AT: &str = "
    SELECT min(at_ms) FROM (
        SELECT * FROM (
            SELECT due_at_ms AS at_ms FROM delivery
            WHERE state = 'pending' AND receiver = :receiver AND due_at_ms IS NOT NULL
              AND lease_until_ms IS NULL
            ORDER BY due_at_ms LIMIT 1)
        UNION ALL
        SELECT min(lease_until_ms) FROM delivery
        WHERE receiver = :receiver AND lease_until_ms IS NOT NULL)
    WHERE NOT EXISTS (SELECT 1 FROM receiver
                      WHERE name = :receiver AND disabled_at_ms IS NOT NULL)";

/// The next probe of a receiver that does not answer; while one is being sent, the end of its lease.
pub(super) const NEXT_PROBE_AT: &str = "
    SELECT coalesce((SELECT max(lease_until_ms) FROM delivery
                     WHERE receiver = :receiver AND lease_until_ms IS NOT NULL), probe_at_ms)
    FROM receiver
    WHERE name = :receiver AND disabled_at_ms IS NULL AND probe_at_ms IS NOT NULL
      AND EXISTS (SELECT 1 FROM delivery
                  WHERE state = 'pending' AND receiver = :receiver AND due_at_ms IS NOT NULL)";

/// Returns true while a receiver does not answer, so that one message at a time probes it.
pub(super) fn is_probed(tx: &Connection, receiver: &str) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM receiver
                                      WHERE name = :receiver AND probe_at_ms IS NOT NULL)";
    exists(tx, SQL, named_params! {":receiver": receiver})
}

/// The earliest instant at which a delivery to one of `receivers` that need not wait for another
/// becomes due, or a lease on one runs out; those that are disabled are sent nothing.
pub(super) fn next_delivery_at(
    tx: &Connection,
    receivers: &[String],
) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = tx.prepare_cached(NEXT_DELIVERY_AT)?;
    let mut next: Option<i64> = None;
    for receiver in receivers {
        let params = named_params! {":receiver": receiver};
        let first: Option<i64> = if is_probed(tx, receiver)? {
            let mut probe = tx.prepare_cached(NEXT_PROBE_AT)?;
            probe.query_row(params, |row| row.get(0)).optional()?.flatten()
        } else {
            statement.query_row(params, |row| row.get(0))?
        };
        next = next.into_iter().chain(first).min();
    }
    Ok(next.map(Timestamp))
}
