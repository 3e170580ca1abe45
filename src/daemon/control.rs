//! Means to steer a running daemon, and what only its process knows.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::clock::Clock;
use super::latest_backup::BackupState;
use super::reload;
use super::shared::Shared;
use crate::blocking;
use crate::config::Backups;
use crate::domain::{IntegrationId, Maintenance, PageUrl, Policy, Timestamp};
use crate::store::{self, StoreError};
use crate::webhook::Sender;

/// Time limit of a change that a person wants.
const CHANGE_MAX: Duration = Duration::from_secs(10);

/// Steers a running daemon. Clone it freely; it keeps nothing alive.
#[derive(Clone)]
pub(crate) struct Control {
    shared: Weak<Shared>,
}

/// Time without progress after which a loop stands still.
const STILL: Duration = Duration::from_secs(90);

/// Live figures of the daemon, which only its process knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulse {
    /// Number of runs in progress.
    pub(crate) running: u64,
    /// Number of runs that may be in progress at once.
    pub(crate) limit: usize,
    /// Lateness that 99 % of the latest runs stay within; none before the first run.
    pub(crate) lateness: Option<Duration>,
    /// Loops by their names, each with the time since its latest round.
    pub(crate) loops: [(&'static str, Duration); 2],
}

impl Pulse {
    /// Returns the name of a loop that has made no progress for too long.
    pub(crate) fn still(&self) -> Option<&'static str> {
        self.loops.iter().find(|(_, idle)| Self::is_still(*idle)).map(|(name, _)| *name)
    }

    /// Returns true for a loop whose latest round lies back too far.
    pub(crate) fn is_still(idle: Duration) -> bool {
        STILL < idle
    }
}

impl Control {
    /// Control over the daemon that has `shared`.
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::downgrade(shared) }
    }

    /// Reads the main configuration file `config`, or the one at the default path, and puts it in
    /// force; one that is wrong is logged and changes nothing.
    pub(crate) async fn reload(&self, config: Option<&Path>) {
        if let Some(shared) = self.shared.upgrade() {
            reload::reload(&shared, config).await;
        }
    }

    /// Returns the present instant by the daemon's clock.
    pub(crate) fn now(&self) -> Timestamp {
        let shared = self.shared.upgrade();
        shared.map_or_else(|| Clock::default().now(), |shared| shared.clock.now())
    }

    /// Returns the windows in which messages are muted, by the configuration in force.
    pub(crate) fn maintenance(&self) -> Arc<[Maintenance]> {
        let shared = self.shared.upgrade();
        shared.map_or_else(|| Arc::from([]), |shared| Arc::clone(&shared.active().maintenance))
    }

    /// Returns the address of the page that events link to, by the configuration in force.
    pub(crate) fn page(&self) -> Option<PageUrl> {
        PageUrl::of(&self.shared.upgrade()?.active().http)
    }

    /// Returns the lateness that 99 % of the latest runs stay within; none before the first run.
    pub(crate) fn lateness(&self) -> Option<Duration> {
        self.shared.upgrade()?.metrics.lateness()
    }

    /// Returns the policy by which the runs of an integration are judged.
    pub(crate) fn policy(&self, id: IntegrationId) -> Option<Policy> {
        Some(self.shared.upgrade()?.active().watched.get(&id)?.policy)
    }

    /// Returns the sender of a receiver that the configuration in force names.
    pub(crate) fn sender(&self, receiver: &str) -> Option<Arc<Sender>> {
        self.shared.upgrade()?.active().receivers.get(receiver).map(Arc::clone)
    }

    /// Makes one change that a person wants, noted as done by `author`, in one short transaction beside
    /// the daemon's; then wakes the loops, so that it takes effect at once.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be opened or written, or answers too late.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        author: &str,
        change: impl AsyncFnOnce(&mut store::Control, Timestamp) -> Result<T, StoreError>
        + Send
        + 'static,
    ) -> Result<T, StoreError> {
        let Some(shared) = self.shared.upgrade() else { return Err(StoreError::Stopped) };
        let (location, now) = (shared.active().fixed.store.clone(), shared.clock.now());
        let author = author.to_owned();
        let runtime = Handle::current();
        let changed = move || {
            runtime.block_on(async {
                change(&mut store::Control::open(&location, &author).await?, now).await
            })
        };
        let changed = blocking::run("changes of the database", CHANGE_MAX, changed).await;
        let changed = changed.map_err(|_late| StoreError::TooSlow)??;
        shared.planning.notify_one();
        shared.delivering.notify_one();
        Ok(changed)
    }

    /// Returns the settings of backups, by the configuration in force.
    pub(crate) fn backups(&self) -> Option<Backups> {
        Some(self.shared.upgrade()?.active().backups.clone())
    }

    /// Returns the state of the backups that the daemon makes; none while it makes none, or has not looked yet.
    pub(crate) fn backup_state(&self) -> Option<BackupState> {
        self.shared.upgrade()?.latest_backup.get()
    }

    /// Returns the live figures; none when the daemon is gone.
    pub(crate) fn pulse(&self) -> Option<Pulse> {
        let (shared, now) = (self.shared.upgrade()?, Instant::now());
        Some(Pulse {
            running: shared.metrics.in_flight(),
            limit: shared.active().limits.runs,
            lateness: shared.metrics.lateness(),
            loops: [("planner", shared.planner.idle(now)), ("outbox", shared.outbox.idle(now))],
        })
    }
}
