//! Alerts that fire and are sent again (keep-alive): Alertmanager keeps its alerts in memory and expects them
//! again before its `resolve_timeout` has passed.
//!
//! Nothing is recorded but the next instant: a failed attempt is followed by the next one at its time, and neither
//! disables the receiver nor holds up its deliveries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::shared::Shared;
use crate::domain::AttemptResult;
use crate::store::{Resend, StoreError};
use crate::webhook::{Message, Sender};

/// The longest sleep: the clock may have been set, the machine may have slept. A look that finds nothing writes
/// nothing.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// The pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Requests at the same time, to all receivers.
const REQUESTS_MAX: usize = 16;

/// Sends alerts again until `stop`.
pub(super) async fn resend(shared: Arc<Shared>, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
    while !stop.is_cancelled() {
        let wait = match round(&shared, &tasks, &requests).await {
            Ok(()) => SLEEP_MAX,
            Err(StoreError::Stopped) => return,
            Err(error) => {
                shared.store_failed("the alerts that fire cannot be read", &error);
                STORE_PAUSE
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = sleep(wait) => (),
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Sends again what is due.
async fn round(
    shared: &Arc<Shared>,
    tasks: &TaskTracker,
    requests: &Arc<Semaphore>,
) -> Result<(), StoreError> {
    let active = shared.active();
    let every: BTreeMap<_, _> = active
        .subscriptions
        .iter()
        .filter_map(|one| Some((one.receiver.clone(), one.timing.resend?)))
        .filter(|(name, _)| {
            let receiver = active.receivers.get(name);
            receiver.is_some_and(|one| shared.store.serves(&one.receiver().send_from))
        })
        .collect();
    let now = shared.clock.now();
    let life = shared.store.life().filter(|_| shared.store.is_active());
    if life.is_none() || every.is_empty() || !shared.view.has_resends(every.clone(), now).await? {
        return Ok(());
    }
    for one in shared.store.claim_resends(every, now).await? {
        let Some(receiver) = active.receivers.get(&one.receiver).map(Arc::clone) else { continue };
        let (shared, requests) = (Arc::clone(shared), Arc::clone(requests));
        tasks.spawn(async move {
            let Ok(_permit) = requests.acquire().await else { return };
            // In another life of this node, others have this alert in hand.
            if shared.store.life() == life {
                send(&shared, &receiver, &one).await;
            }
            if let Err(error) = shared.store.end_resend(&one).await {
                shared.store_failed(
                    "the end of an alert that was sent again cannot be stored",
                    &error,
                );
            }
        });
    }
    Ok(())
}

/// Sends an alert again, unless it has ended meanwhile.
async fn send(shared: &Shared, receiver: &Sender, one: &Resend) {
    let _entered = shared.resending.enter(&one.incident, &one.receiver);
    let known = shared.view.knows(one.incident.clone(), one.receiver.clone()).await;
    if !matches!(known, Ok(true)) {
        return;
    }
    let Resend { event_id: id, body, format, .. } = one;
    let message = Message { id, body, began: None, format: *format };
    let sent = receiver.send(&message, shared.clock.now()).await;
    let name = &one.receiver;
    match sent.result {
        AttemptResult::Answered { code: 200..=299, .. } => {
            debug!(event = id, receiver = name, "{name}: alert sent again");
        }
        AttemptResult::Answered { .. } | AttemptResult::Unreachable | AttemptResult::Unsendable => {
            let detail = &sent.detail;
            debug!(event = id, receiver = name, detail, "{name}: alert not sent again: {detail}");
        }
    }
}
