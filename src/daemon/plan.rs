//! Planner: starts the runs that are due, as long as the limits leave permits.
//!
//! It is level-triggered. Whatever wakes it (its own timer, the heartbeat, a finished run, a
//! reload), it reads the rows and starts the runs that are due and not running yet; a lost or doubled
//! wake-up changes nothing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug_span, warn};

use super::backpressure::Limit;
use super::clock::Watch;
use super::shared::Shared;
use super::validate::{self, Step};
use crate::domain::IntegrationId;
use crate::net::permit::{self, Permit};
use crate::store::{Due, StoreError};

/// The most runs that one round starts; the next round finds the others, so that runs that wait for a busy
/// host delay no others.
const STARTED_MAX: usize = 4096;
/// The longest sleep: the clock may have been set, or the machine may have slept.
const SLEEP_MAX: Duration = Duration::from_secs(30);
/// The shortest time between two rounds, so that runs that end or begin together share one, and what it costs.
const ROUND_MIN: Duration = Duration::from_millis(50);
/// Ratio of the pause after a round to the round: runs that wait for permits are read in each round, so
/// that rounds are long just when there is least time for them.
const ROUND_SHARE: u32 = 20;
/// The longest pause that makes: a database that is slow for once must not make runs late.
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// The pause before a row that the configuration in force does not know is looked at again.
const UNKNOWN_PAUSE: Duration = Duration::from_secs(5);
/// The longest sleep where other nodes may make runs due, or free what they have taken.
const SLEEP_SHARED_MAX: Duration = Duration::from_secs(2);
/// The pause before a row whose host has no room is looked at again: the runs there may be those of other nodes.
const FULL_PAUSE: Duration = Duration::from_millis(500);
/// The pause after the store failed, before the same row is tried again.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Plans until `stop`, and anew when `clock_watch` notices a clock rollback; then waits for the running validations, until `abort` ends those too.
pub(super) async fn plan(
    shared: Arc<Shared>,
    mut clock_watch: Watch,
    stop: CancellationToken,
    abort: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let on_the_way = OnTheWay::default();
    while !stop.is_cancelled() {
        if clock_watch.was_rolled_back(shared.clock.now(), Instant::now()) {
            clock_rollback(&shared).await;
        }
        let begun = Instant::now();
        let wait = match round(&shared, &tasks, &on_the_way, &stop, &abort).await {
            Ok(wait) => wait,
            // Nothing can be stored any more; whoever waits for this loop decides what follows.
            Err(StoreError::Stopped) => break,
            Err(error) => {
                shared.store_failed("the due integrations cannot be read", &error);
                STORE_PAUSE
            }
        };
        shared.planned();
        let pause = begun.elapsed().saturating_mul(ROUND_SHARE).clamp(ROUND_MIN, PAUSE_MAX);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = sleep(wait.max(pause)) => (),
            () = shared.planning.notified() => {
                stop.run_until_cancelled(sleep(pause)).await;
            }
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Plans anew the runs that were planned by a clock that ran ahead.
async fn clock_rollback(shared: &Shared) {
    let active = shared.active();
    let schedules = active.watched.iter().map(|(id, one)| (*id, one.schedule.clone())).collect();
    match shared.store.after_clock_rollback(schedules, shared.clock.now()).await {
        Ok(changed) => {
            warn!(changed, "the clock was rolled back; what lay too far ahead is due again");
            shared.wake_delivery();
        }
        Err(error) => shared.store_failed("a clock rollback could not be handled", &error),
    }
}

/// Starts the runs that are due, and returns the time until the next one is.
async fn round(
    shared: &Arc<Shared>,
    tasks: &TaskTracker,
    on_the_way: &OnTheWay,
    stop: &CancellationToken,
    abort: &CancellationToken,
) -> Result<Duration, StoreError> {
    let sleep_max = if shared.store.is_shared() { SLEEP_SHARED_MAX } else { SLEEP_MAX };
    if !shared.store.is_active() {
        return Ok(sleep_max);
    }
    let now = shared.clock.now();
    let waiting = on_the_way.count();
    let limit = u32::try_from(STARTED_MAX + waiting).unwrap_or(u32::MAX);
    let due = shared.view.due(now, limit).await?;
    let more = usize::try_from(limit).is_ok_and(|limit| limit <= due.len());
    if due.is_empty() {
        shared.end_removals().await?;
    }
    for Due { id, name } in due {
        let Some(ticket) = on_the_way.enter(id, Arc::clone(shared)) else { continue };
        let shared = Arc::clone(shared);
        let abort = abort.clone();
        let stop = stop.clone();
        let work = async move {
            if let Some(permits) = stop.run_until_cancelled(permits(&shared, id)).await.flatten() {
                let _running = shared.metrics.running();
                // Thousands may wait for permits: what a run needs is allocated when it has one.
                let attended = permit::holding(permits, attend(&shared, id, &abort));
                if Box::pin(attended).await == Step::Deferred {
                    stop.run_until_cancelled(sleep(FULL_PAUSE)).await;
                }
            }
            drop(ticket);
        };
        tasks.spawn(work.instrument(debug_span!("run", integration = name)));
    }
    if more {
        return Ok(Duration::ZERO);
    }
    let next = shared.view.next_due_at(now).await?;
    Ok(next.map_or(sleep_max, |at| at.since(now).min(sleep_max)))
}

/// Waits for permits, first at the integration's host and then among all runs.
///
/// The host comes first, so that runs that wait for a busy host take no permit that others need.
async fn permits(shared: &Shared, id: IntegrationId) -> Option<Vec<Permit>> {
    let active = shared.active();
    let Some(watched) = active.watched.get(&id) else {
        // The row is newer than the configuration in force, which a reload is about to replace; or
        // its removal could not be stored and is tried again by the next one.
        sleep(UNKNOWN_PAUSE).await;
        return None;
    };
    let host = || Limit::Host(watched.validator.identity().host);
    let at_host = shared.backpressure.take(&watched.host, host).await;
    let among_all = shared.backpressure.take(active.permits.among_all(), || Limit::Runs).await;
    Some(vec![at_host, among_all])
}

/// Takes the step; a store that fails is not asked again at once.
async fn attend(shared: &Shared, id: IntegrationId, abort: &CancellationToken) -> Step {
    match validate::step(shared, id, abort).await {
        Ok(step) => step,
        Err(error) => {
            shared.store_failed("a run could not be stored", &error);
            abort.run_until_cancelled(sleep(STORE_PAUSE)).await;
            Step::Done
        }
    }
}

/// Integrations with a run that was started and has not ended.
#[derive(Clone, Default)]
struct OnTheWay(Arc<Mutex<HashSet<IntegrationId>>>);

impl OnTheWay {
    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Returns a ticket that is valid until it is dropped, unless `id` already has one.
    fn enter(&self, id: IntegrationId, shared: Arc<Shared>) -> Option<Ticket> {
        let entered = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        entered.then(|| Ticket { id, all: self.clone(), shared })
    }
}

/// Keeps an integration from being started twice, also when its run panics.
struct Ticket {
    id: IntegrationId,
    all: OnTheWay,
    shared: Arc<Shared>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        self.shared.planning.notify_one();
    }
}
