//! A clock that was set back: what was planned while it ran ahead must not wait until that time
//! comes again.

use rusqlite::{Connection, named_params};

use super::StoreError;
use super::row::Row;
use crate::domain::{IntegrationId, Schedule, Timestamp};

/// What was sent, or made due, at an instant that has not come yet.
pub(super) const AHEAD: &str = "
    UPDATE delivery SET due_at_ms = :now
    WHERE state = 'pending' AND due_at_ms > :now
      AND (attempts = 0 OR EXISTS (SELECT 1 FROM attempt
                                   WHERE delivery_id = delivery.id AND started_at_ms > :now))";

/// Makes due by the clock as it is now what was planned by a clock that ran ahead; how much that
/// was.
pub(super) fn set_back(
    tx: &Connection,
    schedules: &[(IntegrationId, Schedule)],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut changed = tx.prepare_cached(AHEAD)?.execute(named_params! {":now": now.0})?;
    for (id, schedule) in schedules {
        let Some(mut row) = Row::load(tx, *id)? else { continue };
        if bring_near(&mut row, schedule, now) {
            row.save(tx)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Brings the due instant of `row` near when it lies further ahead than its schedule explains;
/// false when nothing changes.
pub(super) fn bring_near(row: &mut Row, schedule: &Schedule, now: Timestamp) -> bool {
    let planned = row.next_run_at;
    row.next_run_at = planned.and_then(|planned| schedule.clamp_to_schedule(row.id, planned, now));
    row.next_run_at != planned
}
