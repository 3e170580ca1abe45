//! Daemon without signals, jobs and files: a simulation starts, reloads, stops and drops it.

use super::assemble::Assembly;
use super::clock::Clock;
use super::error::DaemonError;
use super::handle::{Core, close};
use super::health::{Health, Probe};
use super::reload;
use crate::store::{Publishing, Store};

/// Running daemon; its tasks end with the runtime that it was started on.
pub(crate) struct Running(Core);

impl Running {
    /// Starts as [`super::Daemon::start`] does.
    pub(crate) async fn start(
        assembly: &Assembly,
        store: Store,
        clock: Clock,
        probe: Probe,
    ) -> Result<Self, DaemonError> {
        let outside = store.view();
        let health = Health::default().probing(probe);
        Ok(Self(Core::start(store, outside, assembly, clock, health).await?))
    }

    /// Waits for a loop that ends although it was not stopped.
    pub(crate) async fn ended_early(&mut self) -> DaemonError {
        self.0.loops.ended_early().await
    }

    /// Puts another configuration in force.
    pub(crate) async fn reload(&self, assembly: &Assembly) -> Result<(), DaemonError> {
        reload::replace(&self.0.shared, assembly, Publishing::Changed).await.map(|_changes| ())
    }

    /// Ends as [`super::Daemon::until`] does after a request to stop.
    pub(crate) async fn stop(self) -> Result<(), DaemonError> {
        Ok(close(self.0.drain().await).await?)
    }
}
