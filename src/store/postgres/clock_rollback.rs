//! Clock rollback: runs and deliveries that were planned while the clock ran ahead become due by the
//! clock as it is now.

use super::tx::{Tx, params};
use super::{StoreError, halves, lane, row};
use crate::domain::ledger::after_clock_rollback;
use crate::domain::{IntegrationId, Schedule, Timestamp};

/// Makes runs and deliveries due by the clock as it is now that were planned by a clock that ran ahead;
/// returns their number.
pub(super) async fn reschedule(
    tx: &Tx,
    schedules: &[(IntegrationId, Schedule)],
    now: Timestamp,
) -> Result<usize, StoreError> {
    const PROBES: &str = "UPDATE revalidated.receiver SET probe_at_ms = $1 WHERE probe_at_ms > $1";
    let mut changed = 0;
    let ids: Vec<_> = schedules.iter().map(|(id, _)| id.0).collect();
    let rows = row::lock_all(tx, &ids).await?;
    for (id, schedule) in schedules {
        let Some(stored) = rows.get(id) else { continue };
        if let Some(row) = after_clock_rollback(stored, schedule, now) {
            row::save(tx, &row, Some(stored), halves::facts_of(&row)).await?;
            changed += 1;
        }
    }
    let others = lane::send_what_lies_ahead(tx, now).await?
        + tx.execute(PROBES, params![now.0 => INT8]).await?;
    Ok(changed + usize::try_from(others).unwrap_or(0))
}
