//! Retention: deletes old history, in small batches, when its schedule says so.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::shared::Shared;
use super::text::{chain, counted};
use crate::domain::{Schedule, Timestamp};
use crate::store::{Pruned, Retention, StoreError, Surplus};

/// Longest time between two looks, should no wake-up come.
const LOOK_MAX: Duration = Duration::from_mins(10);

/// Prunes until `stop`, at each wake-up when the schedule in force has come due since the last look. Soon
/// after a start, and while the clock is not trusted, it waits.
pub(super) async fn prune(shared: Arc<Shared>, stop: CancellationToken) {
    let mut looked_at = shared.clock.now();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = shared.pruning.notified() => (),
            () = sleep(LOOK_MAX) => (),
        }
        let now = shared.clock.now();
        if !came_due(&shared.active().prune_at, looked_at, now) {
            looked_at = now;
        } else if shared.awake().is_steady {
            looked_at = now;
            match round(&shared, &stop).await {
                Ok(pruned) => log(pruned),
                Err(error) => {
                    shared.metrics.store_failed();
                    error!("old history cannot be deleted: {}", chain(&error));
                }
            }
        }
    }
}

/// Returns true when an instant of `schedule` lies after `from` and not after `to`.
fn came_due(schedule: &Schedule, from: Timestamp, to: Timestamp) -> bool {
    schedule.next_after(from).is_some_and(|due| due <= to)
}

/// Deletes batch by batch, so that other writes do not wait long; returns the sums of all batches.
pub(super) async fn round(shared: &Shared, stop: &CancellationToken) -> Result<Pruned, StoreError> {
    let (retention, now) = (shared.active().retention, shared.clock.now());
    let mut all = Pruned::default();
    while !stop.is_cancelled() {
        let pruned = shared.store.prune(retention, now).await?;
        if pruned == Pruned::default() {
            break;
        }
        all.rows += pruned.rows;
        all.dead += pruned.dead;
    }
    while !stop.is_cancelled() {
        let rows = drop_surplus(shared, retention, stop).await?;
        if rows == 0 {
            break;
        }
        all.rows += rows;
    }
    Ok(all)
}

/// Deletes the rows beyond the configured numbers, batch by batch; returns the number of rows.
async fn drop_surplus(
    shared: &Shared,
    retention: Retention,
    stop: &CancellationToken,
) -> Result<usize, StoreError> {
    let mut found = shared.view.surplus(retention).await?;
    let mut rows = 0;
    while !stop.is_cancelled() {
        let batch = found.next(retention.batch);
        if batch == Surplus::default() {
            break;
        }
        rows += shared.store.drop_surplus(batch).await?;
    }
    Ok(rows)
}

fn log(pruned: Pruned) {
    let Pruned { rows, dead } = pruned;
    info!(rows, "deleted {} of old history", counted(rows, "row"));
    if 0 < dead {
        let messages = counted(dead, "message");
        warn!(
            dead,
            "{messages} failed: pending too long for receivers that are disabled or no longer \
             configured"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_follows_its_own_zone_and_is_due_once() {
        let schedule = Schedule::parse("17 3 * * *", "Europe/Berlin").unwrap();
        let due =
            |from: &str, to: &str| came_due(&schedule, from.parse().unwrap(), to.parse().unwrap());
        assert!(due("2026-07-01T01:16:30Z", "2026-07-01T01:17:30Z"));
        assert!(!due("2026-07-01T01:17:30Z", "2026-07-01T01:18:30Z"));
        assert!(due("2026-12-01T02:16:30Z", "2026-12-01T02:17:30Z"));
        assert!(due("2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z"), "after a long sleep");
        assert!(!due("2026-12-01T02:17:30Z", "2026-12-01T02:00:00Z"), "the clock was set back");
    }
}
