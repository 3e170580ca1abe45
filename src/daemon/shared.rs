//! State that the loops share: the store, the configuration in force, and the wake-ups of each loop.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::{error, info};

use super::active::Active;
use super::awake::Reading;
use super::backpressure::Backpressure;
use super::clock::Clock;
use super::health::Health;
use super::latest::Latest;
use super::latest_backup::LatestBackup;
use super::latest_heartbeat::LatestHeartbeat;
use super::log_throttle::LogThrottle;
use super::notify;
use super::reach::Reach;
use super::resending::Resending;
use super::rounds::Rounds;
use super::text::{chain, counted};
use crate::domain::{HttpSettings, Transition};
use crate::http::Metrics;
use crate::platforms::LogInMemory;
use crate::store::{NotificationContext, Store, StoreError, Synced, View};

/// State that the loops share.
pub(super) struct Shared {
    pub(super) store: Store,
    /// Readers of the loops.
    pub(super) view: View,
    /// Readers of all others, which the loops never wait for.
    pub(super) outside: View,
    pub(super) clock: Clock,
    pub(super) active: RwLock<Arc<Active>>,
    /// Held for writing while rows and the configuration in force are being replaced together, and
    /// for reading while a run is begun: its validator then belongs to its row.
    pub(super) reloading: tokio::sync::RwLock<()>,
    /// Held while a configuration is read and put in force: one at a time.
    pub(super) loading: tokio::sync::Mutex<()>,
    /// Signal that another configuration is in force than the one that was compared last.
    pub(super) superseded: Notify,
    pub(super) planning: Notify,
    pub(super) delivering: Notify,
    pub(super) pruning: Notify,
    pub(super) backing_up: Notify,
    pub(super) beating: Notify,
    /// Rounds of the planner.
    pub(super) planner: Rounds,
    /// Rounds of the outbox.
    pub(super) outbox: Rounds,
    store_errors: LogThrottle,
    /// Reach of the store.
    reach: Reach,
    /// Signal that an operation of the store met damage.
    pub(super) suspected: Arc<Notify>,
    pub(super) health: Health,
    /// Outcome of the latest start or reload.
    pub(super) latest: Latest,
    /// State of the backups.
    pub(super) latest_backup: LatestBackup,
    /// State of the heartbeat.
    pub(super) latest_heartbeat: LatestHeartbeat,
    pub(super) backpressure: Backpressure,
    /// Alerts that are being sent again.
    pub(super) resending: Arc<Resending>,
    pub(super) metrics: Metrics,
    /// Log-ins that platforms refused.
    pub(super) log_ins: Arc<LogInMemory>,
    /// Settings of the HTTP server in force, sent anew at every reload.
    pub(super) http: watch::Sender<Arc<HttpSettings>>,
}

impl Shared {
    pub(super) fn new(
        store: Store,
        outside: View,
        clock: Clock,
        active: Active,
        health: Health,
    ) -> Self {
        Self {
            view: store.view(),
            outside,
            store,
            clock,
            http: watch::Sender::new(Arc::clone(&active.http)),
            active: RwLock::new(Arc::new(active)),
            reloading: tokio::sync::RwLock::new(()),
            loading: tokio::sync::Mutex::default(),
            superseded: Notify::new(),
            planning: Notify::new(),
            delivering: Notify::new(),
            pruning: Notify::new(),
            backing_up: Notify::new(),
            beating: Notify::new(),
            planner: Rounds::begun(Instant::now()),
            outbox: Rounds::begun(Instant::now()),
            store_errors: LogThrottle::default(),
            reach: Reach::default(),
            suspected: Arc::default(),
            health,
            latest: Latest::default(),
            latest_backup: LatestBackup::default(),
            latest_heartbeat: LatestHeartbeat::default(),
            backpressure: Backpressure::default(),
            resending: Arc::default(),
            metrics: Metrics::default(),
            log_ins: Arc::default(),
        }
    }

    /// The configuration in force.
    pub(super) fn active(&self) -> Arc<Active> {
        Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another configuration in force.
    pub(super) fn put_in_force(&self, active: Active) {
        self.http.send_replace(Arc::clone(&active.http));
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(active);
        self.planning.notify_one();
        self.delivering.notify_one();
        self.beating.notify_one();
    }

    /// Context that a change of status now needs to become messages.
    pub(super) fn context(&self, active: &Active) -> NotificationContext {
        active.context(self.clock.now())
    }

    /// Reads the awake clock, which stands still during a fault of the daemon itself.
    pub(super) fn awake(&self) -> Reading {
        self.health.awake.read(self.clock.now(), Instant::now(), self.health.has_fault())
    }

    pub(super) fn wake_delivery(&self) {
        self.delivering.notify_one();
    }

    /// Ends the removals that waited for a running validation.
    pub(super) async fn end_removals(&self) -> Result<(), StoreError> {
        let ended = self.store.drain_removed(self.context(&self.active())).await?;
        self.log_changes(&ended);
        Ok(())
    }

    /// Logs status changes that no run caused, and lets their messages go out.
    pub(super) fn log_changes(&self, synced: &Synced) {
        for (integration, Transition { from, to, cause }) in &synced.transitions {
            let cause = cause.as_str();
            info!(integration, %from, %to, cause, "{integration}: {from} -> {to} ({cause})");
        }
        if !synced.transitions.is_empty() || synced.is_announced {
            self.wake_delivery();
        }
    }

    /// Logs a failure of the store; the same one again once a minute.
    pub(super) fn store_failed(&self, what: &str, error: &StoreError) {
        self.metrics.store_failed();
        if let Some(why) = error.unreachable() {
            return self.reach.lost(&why, self.clock.now());
        }
        if error.is_full_disk() {
            self.health.disk.refuse();
        }
        if error.is_damage() {
            self.suspected.notify_one();
        }
        let why = chain(error);
        if let Some(suppressed) = self.store_errors.admit(&why, Instant::now()) {
            error!(suppressed, "{what}: {why}");
        }
    }

    /// Notes that the store answers; what waited for it goes on.
    pub(super) fn store_reached(&self) {
        if self.reach.found() {
            notify::status(&self.status_line());
            self.planning.notify_one();
            self.delivering.notify_one();
        }
    }

    /// Notes that the planner has finished a round.
    pub(super) fn planned(&self) {
        self.planner.count(Instant::now());
    }

    /// Notes that the outbox has finished a round.
    pub(super) fn delivered(&self) {
        self.outbox.count(Instant::now());
    }

    /// Returns the numbers of rounds of the planner and the outbox.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.planner.number(), self.outbox.number())
    }

    /// Returns one line for `systemctl status`.
    pub(super) fn status_line(&self) -> String {
        let active = self.active();
        let integrations = counted(active.watched.len(), "integration");
        let receivers = counted(active.receivers.len(), "receiver");
        let standing = if self.store.is_active() { "" } else { "standby, " };
        format!("{standing}{integrations}, {receivers}")
    }
}
