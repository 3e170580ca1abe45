//! Open and close faults of the daemon: stored, notified and logged once.

use tracing::{error, info};

use crate::daemon::shared::Shared;
use crate::domain::OwnFault;

/// Opens a fault, unless it is open.
pub(super) async fn begin(shared: &Shared, fault: OwnFault, message: String) {
    if !shared.health.heard(|heard| heard.lasting.insert(fault)) {
        return;
    }
    let told =
        format!("the fault is on this side ({}), no status changes: {message}", fault.as_str());
    let stored = shared.store.degrade(fault, message, shared.tell(&shared.active())).await;
    match stored {
        Ok(_) => {
            error!(fault = fault.as_str(), "{told}");
            shared.wake_delivery();
        }
        Err(error) => {
            shared.health.heard(|heard| heard.lasting.remove(&fault));
            shared.store_failed("a fault of ours could not be stored", &error);
        }
    }
}

/// Closes a fault, if it is open.
pub(super) async fn end(shared: &Shared, fault: OwnFault) {
    if !shared.health.heard(|heard| heard.lasting.remove(&fault)) {
        return;
    }
    match shared.store.restore(fault, shared.tell(&shared.active())).await {
        Ok(_) => {
            info!(fault = fault.as_str(), "the fault on this side is over ({})", fault.as_str());
            shared.wake_delivery();
        }
        Err(error) => {
            shared.health.heard(|heard| heard.lasting.insert(fault));
            shared.store_failed("the end of a fault of ours could not be stored", &error);
        }
    }
}
