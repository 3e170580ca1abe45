//! Ends of mutes and outages: a status that still differs then is notified; and incidents that have lasted for the
//! time that a receiver waits, or until its hours.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::shared::Shared;
use super::text::counted;
use crate::store::{Released, StoreError};

/// The longest sleep: a command beside the daemon may have ended a silence, the clock may have been
/// set. A look that finds nothing writes nothing.
const SLEEP_MAX: Duration = Duration::from_secs(2);
/// The pause while another node looks.
const BUSY_PAUSE: Duration = Duration::from_millis(500);
/// The pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// The most integrations that one transaction looks at.
const BATCH: u32 = 200;

/// Looks at muted notifications until `stop`.
pub(super) async fn release(shared: Arc<Shared>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let wait = match round(&shared).await {
            Ok(wait) => wait,
            Err(StoreError::Stopped) => return,
            Err(error) => {
                shared.store_failed("muted notifications cannot be read", &error);
                STORE_PAUSE
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep(wait) => (),
        }
    }
}

/// Releases notifications that are no longer muted, and returns the time until the next look.
async fn round(shared: &Shared) -> Result<Duration, StoreError> {
    if !shared.store.is_active() {
        return Ok(SLEEP_MAX);
    }
    let next = shared.view.next_release_at().await?;
    let now = shared.clock.now();
    let Some(next) = next else { return Ok(SLEEP_MAX) };
    if now < next {
        return Ok(next.since(now).min(SLEEP_MAX));
    }
    let released = shared.store.release(BATCH, shared.context(&shared.active())).await?;
    if released.is_busy {
        // Another node is at it; what is left afterwards is found then.
        return Ok(BUSY_PAUSE);
    }
    if released != Released::default() {
        let integrations = counted(released.integrations, "integration");
        let outages = counted(released.outages, "outage");
        let incidents = counted(released.incidents, "incident");
        info!(
            "notifications about {integrations} are no longer muted, {outages} ended, {incidents} \
             that last are sent on"
        );
        shared.wake_delivery();
    }
    Ok(Duration::ZERO)
}
