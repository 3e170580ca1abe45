//! Keeper of the awake clock: stores its reading, so that it goes on after a restart, and from the latest of all nodes.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::shared::Shared;

/// Interval at which the store gets the reading.
const SAVE: Duration = Duration::from_mins(10);
/// The same where nodes compare their readings: attempts of one message are counted by all of them.
const SAVE_SHARED: Duration = Duration::from_mins(1);

/// Stores the reading now and then until `stop`, and once more then.
pub(super) async fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    let every = if shared.store.is_shared() { SAVE_SHARED } else { SAVE };
    loop {
        let is_last = stop.run_until_cancelled(sleep(every)).await.is_none();
        let now = shared.clock.now();
        let reading = shared.awake();
        let saved = shared.store.save_awake(reading.total, reading.is_steady.then_some(now)).await;
        match saved {
            Ok(latest) => shared.health.awake.adopt(latest),
            Err(error) => shared.store_failed("the awake clock cannot be stored", &error),
        }
        if is_last {
            return;
        }
    }
}
