//! Handle of a running daemon, by which its metrics and events are read, and it is reloaded and stopped.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::assemble::Assembly;
use super::clock::{Clock, Watch};
use super::control::Control;
use super::error::DaemonError;
use super::health::Health;
use super::integrity::{self, Verified};
use super::loops::{Loops, asked_or_ended};
use super::metrics::MetricsSource;
use super::shared::Shared;
use super::{
    backup, following, heartbeat, life, notify, reach, reload, requests, safety, scheduler,
};
use crate::domain::{HttpSettings, Reload, duration_text};
use crate::store::{NodeNote, Publishing, Store, StoreError, View};

/// Circumstances of a start.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// Number of removals that are allowed this time.
    pub(crate) removals: Option<u32>,
    /// A database of an older version is copied before it is migrated.
    pub(crate) is_copied: bool,
    /// Path of the main configuration file, which is read again when another node has put one in force; none for the
    /// default.
    pub(crate) config: Option<PathBuf>,
}

/// Running daemon; it runs until [`Daemon::until`] returns.
pub(crate) struct Daemon {
    /// Reads for callers from outside, bounded in number and time.
    pub(crate) view: View,
    /// Means to steer the daemon.
    pub(crate) control: Control,
    /// Metrics as text, at any moment.
    pub(crate) metrics: MetricsSource,
    /// Number of the latest event, sent anew after every commit.
    pub(crate) changes: watch::Receiver<i64>,
    /// Settings of the HTTP server in force, sent anew at every reload.
    pub(crate) http: watch::Receiver<Arc<HttpSettings>>,
    core: Core,
    jobs: scheduler::Jobs,
    life: JoinHandle<()>,
    verified: Verified,
    /// Ends the life that others see, once the work is done.
    end: CancellationToken,
    /// Reason for which another daemon has the store by now.
    taken: oneshot::Receiver<StoreError>,
}

impl Daemon {
    /// Opens the store, puts `assembly` in force and starts the loops; `removals` are allowed this time.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be opened or written, or a receiver cannot be used.
    pub(crate) async fn start(
        assembly: Assembly,
        removals: Option<u32>,
    ) -> Result<Self, DaemonError> {
        Self::start_as(assembly, Start { removals, is_copied: true, config: None }).await
    }

    /// Does the same under these circumstances.
    pub(crate) async fn start_as(assembly: Assembly, start: Start) -> Result<Self, DaemonError> {
        let Start { removals, is_copied, config } = start;
        reload::warn_of(&assembly);
        notify::opening();
        let location = assembly.settings.store.clone();
        let opening = life::opening(is_copied, &assembly.settings.node);
        let store = reach::opened(&location, &opening).await?;
        let clock = store.time().map_or_else(Clock::default, Clock::of_server);
        let is_checked = store.was_verified();
        let view = View::outside(&location).await?;
        let changes = store.changes();
        if let Some(number) = removals {
            store.note(NodeNote::AllowRemovals(number)).await?;
        }
        let node = store.clone();
        let started = Core::start(store, view.clone(), &assembly, clock, Health::default());
        let started = Box::pin(started);
        let core = life::meanwhile(&node, started).await?;
        drop(node);
        drop(assembly);
        let jobs = start_jobs(&core.shared).await?;
        life::begin(&core.shared).await;
        let (shared, stop) = (Arc::clone(&core.shared), core.stop.clone());
        let (lost, taken) = oneshot::channel();
        let end = CancellationToken::new();
        let ended = end.clone();
        let requests = requests::watch(Arc::clone(&shared), stop.clone());
        let backups = backup::backup(Arc::clone(&shared), stop.clone());
        let heartbeats = heartbeat::beat(Arc::clone(&shared), stop.clone());
        let others = following::follow(Arc::clone(&shared), config, stop.clone());
        let life = tokio::spawn(async move {
            tokio::join!(life::watch(shared, ended, lost), requests, backups, heartbeats, others);
        });
        let status = core.shared.status_line();
        info!("started: {status}");
        notify::ready(&status);
        let control = Control::new(&core.shared);
        let metrics = MetricsSource::new(&core.shared);
        let http = core.shared.http.subscribe();
        let suspected = Arc::clone(&core.shared.suspected);
        let verified = Verified { store: location, is_checked, suspected };
        Ok(Self { view, control, metrics, changes, http, core, jobs, life, verified, end, taken })
    }

    /// Waits for `stop`, then for the work under way, at most for the configured time.
    ///
    /// # Errors
    ///
    /// Fails when a loop ends before it should, or the last writes do not reach the disk.
    pub(crate) async fn until(self, stop: impl Future<Output = ()>) -> Result<(), DaemonError> {
        let Self { mut core, jobs, life, verified, end, taken, .. } = self;
        let failed = async {
            tokio::select! {
                ended = core.loops.ended_early() => ended,
                damaged = integrity::damage(verified) => DaemonError::Store(damaged),
                Ok(error) = taken => DaemonError::Store(error),
            }
        };
        let ended = asked_or_ended(stop, failed).await;
        notify::stopping();
        info!("draining, at most {}", duration_text(core.shared.active().drain));
        let shared = core.drain().await;
        jobs.stop().await;
        end.cancel();
        if let Err(error) = life.await {
            error!("the loops beside the core ended in a panic: {error}");
        }
        life::end(&shared).await;
        close(shared).await?;
        info!("stopped");
        ended
    }
}

/// Loops with what they share, without the machine's own services around them.
pub(super) struct Core {
    pub(super) shared: Arc<Shared>,
    pub(super) loops: Loops,
    stop: CancellationToken,
    abort: CancellationToken,
}

impl Core {
    /// Puts `assembly` in force on `store` and starts the loops.
    pub(super) async fn start(
        store: Store,
        outside: View,
        assembly: &Assembly,
        clock: Clock,
        health: Health,
    ) -> Result<Self, DaemonError> {
        store.meet_others().await?;
        let begun_at = clock.now();
        // What the start plans is planned by this instant: a clock that is set back meanwhile is noticed too.
        let clock_watch = Watch::new(begun_at, Instant::now());
        // Beside other nodes a start puts nothing in force.
        let has_others = store.has_others().await?;
        let refused = if has_others { None } else { safety::check(&store, assembly).await? };
        let with_stored = match &refused {
            Some(reason) => {
                error!("configuration refused, what it would remove goes on as stored: {reason}");
                Some(safety::with_stored(&store, assembly).await?)
            }
            None => None,
        };
        let assembly = with_stored.as_ref().unwrap_or(assembly);
        let (active, synced) =
            reload::prepare(&store, assembly, Publishing::Changed, begun_at, None).await?;
        if let Some(reason) = &synced.waits_for {
            error!("{reason}");
        }
        let refused = refused.or_else(|| synced.waits_for.clone());
        let health = health.lasting(store.lasting_faults().await?);
        health.awake.resume(store.view().awake().await?, clock.now());
        let shared = Arc::new(Shared::new(store, outside, clock, active, health));
        shared.log_changes(&synced);
        shared.latest.wait(synced.waits_for.is_some());
        shared.latest.set(Reload {
            number: 0,
            begun_at,
            ended_at: clock.now(),
            is_configuration: refused.is_some(),
            refused,
            faults: Vec::new(),
            changes: synced.changes,
            passed_over: Vec::new(),
        });
        let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
        let loops = Loops::start(&shared, clock_watch, &stop, &abort);
        Ok(Self { shared, loops, stop, abort })
    }

    /// Ends the loops once their work under way is done; work that takes too long is aborted.
    pub(super) async fn drain(self) -> Arc<Shared> {
        let Self { shared, loops, stop, abort } = self;
        stop.cancel();
        let drain = shared.active().drain;
        loops.drain(drain, &abort).await;
        shared
    }
}

/// Puts the last writes on the disk.
pub(super) async fn close(shared: Arc<Shared>) -> Result<(), StoreError> {
    let store = shared.store.clone();
    drop(shared);
    store.close().await
}

async fn start_jobs(shared: &Arc<Shared>) -> Result<scheduler::Jobs, scheduler::JobsError> {
    let (beating, pruning) = (Arc::clone(shared), Arc::clone(shared));
    let each_ten_seconds = move || {
        beating.planning.notify_one();
        beating.delivering.notify_one();
    };
    let each_minute = move || {
        pruning.pruning.notify_one();
        pruning.backing_up.notify_one();
    };
    scheduler::start(each_ten_seconds, each_minute).await
}
