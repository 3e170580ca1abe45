//! Clock rollback: runs and deliveries that were planned while the clock ran ahead become due by the
//! clock as it is now.

use rusqlite::{Connection, named_params};

use super::{StoreError, halves, row};
use crate::domain::ledger::after_clock_rollback;
use crate::domain::{IntegrationId, Schedule, Timestamp};

/// Makes deliveries due now that were sent, or made due, at an instant in the future.
pub(super) const AHEAD: &str = "
    UPDATE delivery SET due_at_ms = :now
    WHERE state = 'pending' AND due_at_ms > :now
      AND (attempts = 0 OR EXISTS (SELECT 1 FROM attempt
                                   WHERE delivery_id = delivery.id AND started_at_ms > :now))";

/// Makes runs and deliveries due by the clock as it is now that were planned by a clock that ran ahead;
/// returns their number.
pub(super) fn reschedule(
    tx: &Connection,
    schedules: &[(IntegrationId, Schedule)],
    now: Timestamp,
) -> Result<usize, StoreError> {
    const PROBES: &str = "UPDATE receiver SET probe_at_ms = :now WHERE probe_at_ms > :now";
    let mut changed = tx.prepare_cached(AHEAD)?.execute(named_params! {":now": now.0})?;
    changed += tx.prepare_cached(PROBES)?.execute(named_params! {":now": now.0})?;
    for (id, schedule) in schedules {
        let Some(stored) = row::load(tx, *id)? else { continue };
        if let Some(row) = after_clock_rollback(&stored, schedule, now) {
            row::save(tx, &row, Some(&stored), halves::facts_of(&row))?;
            changed += 1;
        }
    }
    Ok(changed)
}
