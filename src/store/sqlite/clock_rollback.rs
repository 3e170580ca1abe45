//! A clock rollback: what was planned while the clock ran ahead must not wait until that time comes
//! again.

use rusqlite::{Connection, named_params};

use super::{StoreError, row};
use crate::domain::ledger::after_clock_rollback;
use crate::domain::{IntegrationId, Schedule, Timestamp};

/// Makes due now what was sent, or made due, at an instant that has not come yet.
pub(super) const AHEAD: &str = "
    UPDATE delivery SET due_at_ms = :now
    WHERE state = 'pending' AND due_at_ms > :now
      AND (attempts = 0 OR EXISTS (SELECT 1 FROM attempt
                                   WHERE delivery_id = delivery.id AND started_at_ms > :now))";

/// Makes due by the clock as it is now what was planned by a clock that ran ahead; returns how much
/// that was.
pub(super) fn reschedule(
    tx: &Connection,
    schedules: &[(IntegrationId, Schedule)],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut changed = tx.prepare_cached(AHEAD)?.execute(named_params! {":now": now.0})?;
    for (id, schedule) in schedules {
        let Some(stored) = row::load(tx, *id)? else { continue };
        if let Some(row) = after_clock_rollback(&stored, schedule, now) {
            row::save(tx, &row, Some(&stored), row::facts_of(&row))?;
            changed += 1;
        }
    }
    Ok(changed)
}
