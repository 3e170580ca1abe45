//! Sender of the transactional outbox: claims deliveries that are due, sends them, records the attempts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use super::active::Active;
use super::shared::Shared;
use super::text::chain;
use crate::domain::{AttemptResult, Next, Timestamp, Tried, after_attempt, duration_text};
use crate::store::{Attempt, Capacity, Disabled, PendingDelivery, StoreError};
use crate::webhook::{Message, Sender};

/// The longest sleep: a command beside the daemon may have enabled a receiver or queued something again,
/// the clock may have been set, the machine may have slept. A look that finds nothing writes nothing.
const SLEEP_MAX: Duration = Duration::from_secs(2);
/// The pause while what is due waits for what other nodes are sending.
const OTHERS_PAUSE: Duration = Duration::from_millis(100);
/// The pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Time between two tries to record an attempt.
const RECORD_PAUSE: Duration = Duration::from_secs(1);
/// Time by which the lease of a delivery is longer than its attempt can last.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// Delivers until `stop`; then waits for the requests under way, until `abort` ends those too.
pub(super) async fn deliver(
    shared: Arc<Shared>,
    stop: CancellationToken,
    abort: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let busy = Busy::default();
    while !stop.is_cancelled() {
        let wait = match round(&shared, &tasks, &busy, &abort).await {
            Ok(wait) => wait,
            // Nothing can be stored any more; whoever waits for this loop decides what follows.
            Err(StoreError::Stopped) => break,
            Err(error) => {
                shared.store_failed("the outbox cannot be read", &error);
                STORE_PAUSE
            }
        };
        shared.delivered();
        if wait.is_zero() {
            continue;
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = sleep(wait) => (),
            () = shared.delivering.notified() => (),
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Sends the deliveries that are due, and returns the time until the next one is.
async fn round(
    shared: &Arc<Shared>,
    tasks: &TaskTracker,
    busy: &Busy,
    abort: &CancellationToken,
) -> Result<Duration, StoreError> {
    // What is claimed in this life of the node is sent in it only.
    let life = shared.store.life().filter(|_| shared.store.is_active());
    let Some(life) = life else { return Ok(SLEEP_MAX) };
    let active = shared.active();
    let lease = active.receivers.values().map(|receiver| receiver.receiver().timeout).max();
    let lease = lease.unwrap_or_default().saturating_add(LEASE_MARGIN);
    let now = shared.clock.now();
    let mut capacity = busy.capacity(&active, now);
    capacity.retain(|name, _| serves(shared, &active, name));
    if capacity.is_empty() && !active.receivers.is_empty() {
        // Each request that ends wakes this up.
        return Ok(SLEEP_MAX);
    }
    let with_capacity = capacity.keys().cloned().collect();
    let claimed = shared.store.claim_within(capacity, lease, now).await?;
    let claimed_at = Instant::now();
    if claimed.is_empty() {
        let next = shared.view.next_delivery_at(with_capacity).await?;
        let wait = next.map_or(SLEEP_MAX, |at| at.since(now).min(SLEEP_MAX));
        return Ok(if wait.is_zero() { OTHERS_PAUSE } else { wait });
    }
    for delivery in claimed {
        let Some(receiver) = active.receivers.get(&delivery.receiver).map(Arc::clone) else {
            continue;
        };
        let ticket = busy.enter(&delivery.receiver, Arc::clone(shared));
        let lease = Lease { life, ends_at: claimed_at + LEASE_MARGIN };
        let shared = Arc::clone(shared);
        let abort = abort.clone();
        tasks.spawn(async move {
            let work = async {
                if let Some(incident) = &delivery.incident {
                    shared.resending.wait(incident, &delivery.receiver).await;
                }
                if lease.is_valid(&shared) {
                    attempt(&shared, &receiver, delivery, ticket).await;
                }
            };
            abort.run_until_cancelled(work).await;
        });
    }
    Ok(Duration::ZERO)
}

/// Returns true when this node may send to a receiver.
fn serves(shared: &Shared, active: &Active, receiver: &str) -> bool {
    let found = active.receivers.get(receiver);
    found.is_some_and(|one| shared.store.serves(&one.receiver().send_from))
}

/// Lease of a delivery: an attempt that begins later may be one that another node makes too.
#[derive(Clone, Copy, Debug)]
struct Lease {
    /// Life of this node in which it was claimed.
    life: i64,
    /// Instant at which the lease leaves no time for an attempt any more.
    ends_at: Instant,
}

impl Lease {
    fn is_valid(self, shared: &Shared) -> bool {
        shared.store.life() == Some(self.life)
            && (Instant::now() < self.ends_at || !shared.store.is_shared())
    }
}

/// Records an attempt that could not be recorded before.
async fn record(shared: &Shared, attempt: Attempt) -> Result<Option<Disabled>, StoreError> {
    let context = shared.context(&shared.active());
    shared.store.record_attempt(attempt, context).await?.await
}

/// Makes one attempt and records it. Should recording fail until the lease runs out, the delivery
/// is repeated under the same id.
///
/// The slot is released as soon as the record is queued: the claim that follows then shares its
/// transaction, and one sync of the disk serves both.
async fn attempt(shared: &Shared, receiver: &Sender, delivery: PendingDelivery, ticket: Ticket) {
    let started_at = shared.clock.now();
    let PendingDelivery { event_id: id, body, began, format, .. } = &delivery;
    let message = Message { id, body, began: began.as_deref(), format: *format };
    let sent = receiver.send(&message, started_at).await;
    let awake = shared.awake();
    let lasted = awake.total.saturating_sub(delivery.tried_awake.unwrap_or(awake.total));
    let tried = Tried { attempt: delivery.attempt, lasted, is_trusted: awake.is_trusted };
    let next = after_attempt(&receiver.receiver().retry, delivery.id, tried, &sent.result);
    shared.metrics.attempted(&delivery.receiver, next);
    log(&delivery, &sent.result, sent.duration, &sent.detail, next);
    let active = shared.active();
    let attempt = Attempt {
        delivery: delivery.id,
        token: delivery.token,
        started_at,
        duration: sent.duration,
        result: sent.result,
        detail: sent.detail,
        next,
        disable_after: receiver.receiver().disable_after,
        awake: awake.total,
        is_trusted: awake.is_trusted,
        kept_max: active.attempts_max,
    };
    let queued = shared.store.record_attempt(attempt.clone(), shared.context(&active)).await;
    drop(ticket);
    let mut recorded = match queued {
        Ok(recorded) => recorded.await,
        Err(stopped) => Err(stopped),
    };
    let sent_at = Instant::now();
    while let Err(error) = &recorded
        && !matches!(error, StoreError::Stopped)
        && sent_at.elapsed() < LEASE_MARGIN
    {
        shared.store_failed("an attempt could not be recorded yet", error);
        sleep(RECORD_PAUSE).await;
        recorded = record(shared, attempt.clone()).await;
    }
    match recorded {
        Ok(None) => {}
        Ok(Some(disabled)) => {
            log_disabled(&delivery.receiver, disabled);
            shared.wake_delivery();
        }
        Err(error) => {
            shared.metrics.store_failed();
            error!(
                delivery = delivery.id.0,
                "an attempt could not be recorded, so the delivery will be repeated: {}",
                chain(&error)
            );
        }
    }
}

fn log_disabled(receiver: &str, disabled: Disabled) {
    let Disabled { reason, pending } = disabled;
    error!(
        receiver,
        reason = reason.as_str(),
        pending,
        "{receiver}: disabled, since {}; {pending} pending messages wait for `revalidated receivers \
         enable`",
        reason.clause()
    );
}

fn log(
    delivery: &PendingDelivery,
    result: &AttemptResult,
    duration: Duration,
    detail: &str,
    next: Next,
) {
    let PendingDelivery { id, event_id, receiver, integration, attempt, tried_awake, .. } =
        delivery;
    let integration = integration.as_deref().unwrap_or("the daemon");
    let delivery = id.0;
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let code = match result {
        AttemptResult::Answered { code, .. } => Some(*code),
        AttemptResult::Unreachable | AttemptResult::Unsendable => None,
    };
    let what = format!("{receiver}: webhook about {integration}");
    macro_rules! line {
        ($level:ident, $($text:tt)+) => {
            $level!(
                delivery,
                event = event_id,
                receiver,
                integration,
                attempt,
                code,
                duration_ms,
                $($text)+
            )
        };
    }
    match next {
        Next::Delivered => line!(info, "{what} delivered"),
        Next::RetryAfter(wait) => {
            let retry_in = duration_text(wait);
            line!(warn, detail, retry_in, "{what} not delivered: {detail}");
        }
        Next::Probe { .. } if tried_awake.is_none() => {
            line!(warn, detail, "{what} not delivered, and tried until it is answered: {detail}");
        }
        Next::Probe { .. } => line!(debug, detail, "{what} not delivered: {detail}"),
        Next::Gone => {
            line!(warn, detail, "{what} not delivered, the receiver is gone: {detail}");
        }
        Next::Failed if *result == AttemptResult::Unsendable => {
            line!(warn, detail, "{what} passed over: {detail}");
        }
        Next::Failed => line!(error, detail, "{what} failed for good: {detail}"),
    }
}

/// Number of requests that each receiver is answering.
#[derive(Clone, Default)]
struct Busy(Arc<Mutex<BTreeMap<String, u32>>>);

impl Busy {
    /// Returns the number of requests that each configured receiver may be sent now, within its hours.
    fn capacity(&self, active: &Active, now: Timestamp) -> BTreeMap<String, Capacity> {
        let busy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open =
            |receiver: &Sender| receiver.receiver().subscription.timing.opens_at(now) <= now;
        let receivers = active.receivers.iter().filter(|(_, receiver)| is_open(receiver));
        receivers
            .map(|(name, receiver)| {
                let taken = busy.get(name).copied().unwrap_or(0);
                let most = u32::try_from(receiver.receiver().concurrency).unwrap_or(u32::MAX);
                (name.clone(), Capacity { free: most.saturating_sub(taken), most })
            })
            .filter(|(_, capacity)| 0 < capacity.free)
            .collect()
    }

    fn enter(&self, receiver: &str, shared: Arc<Shared>) -> Ticket {
        let mut busy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *busy.entry(receiver.to_owned()).or_default() += 1;
        Ticket { receiver: receiver.to_owned(), busy: self.clone(), shared }
    }
}

/// Counts one request until it is dropped.
struct Ticket {
    receiver: String,
    busy: Busy,
    shared: Arc<Shared>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut busy = self.busy.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = busy.get_mut(&self.receiver) {
            *count = count.saturating_sub(1);
        }
        drop(busy);
        self.shared.delivering.notify_one();
    }
}
