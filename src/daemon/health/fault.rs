//! Open and close faults of the daemon: stored, notified and logged once.

use tracing::{error, info};

use crate::daemon::shared::Shared;
use crate::domain::OwnFault;

/// Opens a fault, unless it is open.
pub(in crate::daemon) async fn begin(shared: &Shared, fault: OwnFault, message: String) {
    if !shared.health.evidence(|evidence| evidence.lasting.insert(fault)) {
        return;
    }
    let line = format!("daemon fault ({}), no status changes: {message}", fault.as_str());
    let stored = shared.store.degrade(fault, message, shared.context(&shared.active())).await;
    match stored {
        Ok(_) => {
            error!(fault = fault.as_str(), "{line}");
            shared.wake_delivery();
            shared.beating.notify_one();
        }
        Err(error) => {
            shared.health.evidence(|evidence| evidence.lasting.remove(&fault));
            shared.store_failed("a daemon fault could not be stored", &error);
        }
    }
}

/// Closes a fault, if it is open.
pub(in crate::daemon) async fn end(shared: &Shared, fault: OwnFault) {
    if !shared.health.evidence(|evidence| evidence.lasting.remove(&fault)) {
        return;
    }
    match shared.store.restore(fault, shared.context(&shared.active())).await {
        Ok(_) => {
            info!(fault = fault.as_str(), "the daemon fault is over ({})", fault.as_str());
            shared.wake_delivery();
            shared.beating.notify_one();
        }
        Err(error) => {
            shared.health.evidence(|evidence| evidence.lasting.insert(fault));
            shared.store_failed("the end of a daemon fault could not be stored", &error);
        }
    }
}
