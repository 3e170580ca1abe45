//! The shell: opens the store, assembles the configuration, runs the loops, and ends cleanly.

mod active;
mod assemble;
mod clock;
mod deliver;
mod health;
mod log_throttle;
mod metrics;
mod notify;
mod once;
mod plan;
mod pressure;
mod prune;
mod release;
mod reload;
mod scheduler;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;
mod validate;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use active::Active;
use health::Health;
use log_throttle::LogThrottle;
use pressure::Pressure;

use crate::blocking::BlockingError;
use crate::config::Faulty;
use crate::domain::{Transition, duration_text};
use crate::http::Metrics;
use crate::store::{NotificationContext, Store, StoreError, Synced, View};
use crate::webhook::SendError;

pub(crate) use assemble::{Assembly, open};
pub(crate) use clock::Clock;
pub(crate) use once::validate;
pub(crate) use scheduler::QUIET;
#[cfg(test)]
pub(crate) use {assemble::Assembled, simulated::Running};

/// The daemon could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DaemonError {
    /// The configuration is wrong.
    #[error("{} in the configuration", count(.0.faults.len(), "fault"))]
    Configuration(#[from] Faulty),
    /// A receiver cannot be used.
    #[error("a receiver cannot be used")]
    Receiver(#[from] SendError),
    /// A file of the configuration does not answer.
    #[error("the configuration cannot be read")]
    Blocking(#[source] BlockingError),
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// A signal handler could not be set.
    #[error("signals cannot be received")]
    Signals(#[source] std::io::Error),
    /// The metrics have no port to be served at.
    #[error("metrics cannot be served at {address}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The daemon's own jobs could not be started.
    #[error("the daemon's own jobs cannot be started")]
    Jobs(#[from] scheduler::JobsError),
    /// A loop that never ends has ended: a fault of ours, which a restart may mend.
    #[error("the {0} has stopped")]
    Ended(&'static str),
}

/// What the loops share.
struct Shared {
    store: Store,
    view: View,
    clock: Clock,
    active: RwLock<Arc<Active>>,
    /// Held for writing while rows and the configuration in force are being replaced together, and
    /// for reading while a run is begun: its validator then belongs to its row.
    reloading: tokio::sync::RwLock<()>,
    planning: Notify,
    delivering: Notify,
    pruning: Notify,
    planned: AtomicU64,
    delivered: AtomicU64,
    store_errors: LogThrottle,
    health: Health,
    pressure: Pressure,
    metrics: Metrics,
}

impl Shared {
    fn new(store: Store, clock: Clock, active: Active, health: Health) -> Self {
        Self {
            view: store.view(),
            store,
            clock,
            active: RwLock::new(Arc::new(active)),
            reloading: tokio::sync::RwLock::new(()),
            planning: Notify::new(),
            delivering: Notify::new(),
            pruning: Notify::new(),
            planned: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            store_errors: LogThrottle::default(),
            health,
            pressure: Pressure::default(),
            metrics: Metrics::default(),
        }
    }

    /// The configuration in force.
    fn active(&self) -> Arc<Active> {
        Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another configuration in force.
    fn put_in_force(&self, active: Active) {
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(active);
        self.planning.notify_one();
        self.delivering.notify_one();
    }

    fn tell(&self, active: &Active) -> NotificationContext {
        active.tell(self.clock.now())
    }

    fn wake_delivery(&self) {
        self.delivering.notify_one();
    }

    /// Ends the removals that waited for a running validation.
    async fn end_removals(&self) -> Result<(), StoreError> {
        let ended = self.store.drain_removed(self.tell(&self.active())).await?;
        self.changed(&ended);
        Ok(())
    }

    /// Logs status changes that no run caused, and lets their messages go out.
    fn changed(&self, synced: &Synced) {
        for (integration, Transition { from, to, cause }) in &synced.transitions {
            let cause = cause.as_str();
            info!(integration, %from, %to, cause, "{integration}: {from} -> {to} ({cause})");
        }
        if !synced.transitions.is_empty() {
            self.wake_delivery();
        }
    }

    /// Logs a failure of the store; the same one again once a minute.
    fn store_failed(&self, what: &str, error: &StoreError) {
        self.metrics.store_failed();
        let why = chain(error);
        if let Some(suppressed) = self.store_errors.admit(&why, Instant::now()) {
            error!(suppressed, "{what}: {why}");
        }
    }

    /// The planner has finished a round.
    fn planned(&self) {
        self.planned.fetch_add(1, Ordering::Relaxed);
    }

    /// The outbox has finished a round.
    fn delivered(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    fn progress(&self) -> (u64, u64) {
        (self.planned.load(Ordering::Relaxed), self.delivered.load(Ordering::Relaxed))
    }
}

/// Runs the daemon on `assembly` until SIGTERM, SIGINT or `stop`; SIGHUP reads the main
/// configuration file `config`, or the one at the default path, again.
///
/// # Errors
///
/// Fails when it cannot start, or when one of its loops ends before it should.
pub(crate) async fn run(
    assembly: Assembly,
    config: Option<PathBuf>,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    let mut signals = Signals::new()?;
    reload::warn_of(&assembly);
    let clock = Clock::default();
    let server = metrics::bind(assembly.settings.metrics.listen).await?;
    let store = Store::open(&assembly.settings.store)?;
    let (active, synced) = reload::prepare(&store, &assembly, clock.now(), None).await?;
    drop(assembly);
    let lasting = store.view().own_faults().await?;
    let health = Health::with(lasting.into_iter().map(|row| row.fault));
    let shared = Arc::new(Shared::new(store, clock, active, health));
    shared.changed(&synced);
    let jobs = start_jobs(&shared).await?;
    let abort = CancellationToken::new();
    let mut loops = Loops::start(&shared, &stop, &abort);
    let serving = server.map(|server| metrics::Serving::start(server, &shared));
    info!("started: {}", status_line(&shared));
    notify::ready(&status_line(&shared));
    let reloads = async {
        loop {
            signals.hangup.recv().await;
            reload::reload(&shared, config.as_deref()).await;
        }
    };
    // A reload that hangs keeps nobody from ending the daemon.
    let asked = async {
        tokio::select! {
            () = stop.cancelled() => (),
            _ = signals.terminate.recv() => (),
            _ = signals.interrupt.recv() => (),
            () = reloads => (),
        }
    };
    let ended = asked_or_ended(asked, loops.ended_early()).await;
    notify::stopping();
    stop.cancel();
    let drain = shared.active().drain;
    info!("draining, at most {}", duration_text(drain));
    loops.drain(drain, &abort).await;
    jobs.stop().await;
    if let Some(serving) = serving {
        serving.stop().await;
    }
    close(shared).await?;
    info!("stopped");
    ended
}

/// Waits for a request to stop, or for a loop that ends without one. The loops look at the same
/// request, and may have followed it before it is noticed here: whoever asked comes first.
async fn asked_or_ended(
    asked: impl Future<Output = ()>,
    ended: impl Future<Output = DaemonError>,
) -> Result<(), DaemonError> {
    tokio::select! {
        biased;
        () = asked => Ok(()),
        ended = ended => Err(ended),
    }
}

/// Puts the last writes on the disk; every other holder of the store is gone by now.
async fn close(shared: Arc<Shared>) -> Result<(), StoreError> {
    let store = shared.store.clone();
    drop(shared);
    store.close().await
}

async fn start_jobs(shared: &Arc<Shared>) -> Result<scheduler::Jobs, scheduler::JobsError> {
    let (beating, pruning) = (Arc::clone(shared), Arc::clone(shared));
    let heartbeat = move || {
        beating.planning.notify_one();
        beating.delivering.notify_one();
    };
    scheduler::start(heartbeat, move || pruning.pruning.notify_one()).await
}

/// One line for `systemctl status`.
fn status_line(shared: &Shared) -> String {
    let active = shared.active();
    let integrations = count(active.watched.len(), "integration");
    format!("watching {integrations}, telling {}", count(active.receivers.len(), "receiver"))
}

/// An error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The loops that make up the daemon.
struct Loops {
    planner: JoinHandle<()>,
    outbox: JoinHandle<()>,
    helpers: Vec<JoinHandle<()>>,
}

impl Loops {
    fn start(shared: &Arc<Shared>, stop: &CancellationToken, abort: &CancellationToken) -> Self {
        let plan = plan::plan(Arc::clone(shared), stop.clone(), abort.clone());
        let deliver = deliver::deliver(Arc::clone(shared), stop.clone(), abort.clone());
        let mut helpers = vec![
            tokio::spawn(prune::prune(Arc::clone(shared), stop.clone())),
            tokio::spawn(release::release(Arc::clone(shared), stop.clone())),
            tokio::spawn(health::look(Arc::clone(shared), stop.clone())),
        ];
        if let Some(period) = sd_notify::watchdog_enabled() {
            helpers.push(tokio::spawn(watch(Arc::clone(shared), period, stop.clone())));
        }
        Self { planner: tokio::spawn(plan), outbox: tokio::spawn(deliver), helpers }
    }

    /// Waits for a loop that ends although nobody stopped it, which only a fault of ours does.
    async fn ended_early(&mut self) -> DaemonError {
        tokio::select! {
            biased;
            _ = &mut self.planner => DaemonError::Ended("planner"),
            _ = &mut self.outbox => DaemonError::Ended("outbox"),
        }
    }

    /// Waits for what is running, at most `deadline`; then ends it. A run that is ended leaves
    /// nothing behind and is repeated after the next start; so is a delivery, under its old id.
    async fn drain(self, deadline: Duration, abort: &CancellationToken) {
        let Self { planner, outbox, helpers } = self;
        let all = async move {
            for ended in [planner, outbox].into_iter().chain(helpers) {
                if ended.is_finished() {
                    continue;
                }
                if let Err(error) = ended.await {
                    error!("a loop ended in a fault: {error}");
                }
            }
        };
        tokio::pin!(all);
        if timeout(deadline, &mut all).await.is_err() {
            warn!("the drain deadline has passed; ending what still runs");
            abort.cancel();
            all.await;
        }
    }
}

/// Pings systemd's watchdog as long as both loops make progress.
async fn watch(shared: Arc<Shared>, period: Duration, stop: CancellationToken) {
    loop {
        let before = shared.progress();
        shared.planning.notify_one();
        shared.delivering.notify_one();
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(period / 3) => (),
        }
        let after = shared.progress();
        if before.0 < after.0 && before.1 < after.1 {
            notify::watchdog();
        } else {
            let (planner, outbox) = (before.0 < after.0, before.1 < after.1);
            warn!(planner, outbox, "no progress; the watchdog is not told");
        }
    }
}

/// The signals that steer the daemon.
struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, DaemonError> {
        let on = |kind| signal(kind).map_err(DaemonError::Signals);
        Ok(Self {
            hangup: on(SignalKind::hangup())?,
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
        })
    }
}
