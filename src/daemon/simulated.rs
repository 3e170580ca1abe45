//! Daemon without signals, jobs and files: a simulation starts, reloads, stops and drops it.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::assemble::Assembly;
use super::clock::Clock;
use super::error::DaemonError;
use super::handle::{Core, close};
use super::health::{Health, Probe};
use super::shared::Shared;
use super::{following, life, reload};
use crate::store::{Publishing, Store, StoreError};

/// Running daemon; its tasks end with the runtime that it was started on.
pub(crate) struct Running {
    core: Core,
    /// Reason for which another daemon has its name by now; none where it is alone.
    taken: Option<oneshot::Receiver<StoreError>>,
}

/// Files of a node of several, as they are when they are read.
pub(crate) type Files = Arc<dyn Fn() -> Assembly + Send + Sync>;

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
        let core = Core::start(store, outside, assembly, clock, health).await?;
        Ok(Self { core, taken: None })
    }

    /// Starts a node of several on a store that they share, with heartbeats.
    pub(crate) async fn start_node(
        files: Files,
        store: Store,
        clock: Clock,
        probe: Probe,
    ) -> Result<Self, DaemonError> {
        let (node, assembly) = (store.clone(), files());
        let started = Self::start(&assembly, store, clock, probe);
        let Self { core, .. } = life::meanwhile(&node, Box::pin(started)).await?;
        let (lost, taken) = oneshot::channel();
        tokio::spawn(life::watch(Arc::clone(&core.shared), CancellationToken::new(), lost));
        tokio::spawn(follow(Arc::clone(&core.shared), files));
        Ok(Self { core, taken: Some(taken) })
    }

    /// Waits for a loop that ends although it was not stopped, or for another daemon that has its name.
    pub(crate) async fn ended_early(&mut self) -> DaemonError {
        let Self { core, taken } = self;
        match taken {
            Some(taken) => tokio::select! {
                ended = core.loops.ended_early() => ended,
                Ok(error) = taken => DaemonError::Store(error),
            },
            None => core.loops.ended_early().await,
        }
    }

    /// Puts another configuration in force.
    pub(crate) async fn reload(&self, assembly: &Assembly) -> Result<(), DaemonError> {
        reload::replace(&self.core.shared, assembly, Publishing::Changed).await.map(|_changes| ())
    }

    /// Returns true while it begins and sends.
    pub(crate) fn is_active(&self) -> bool {
        self.core.shared.store.is_active() && self.core.shared.store.life().is_some()
    }

    /// Ends as [`super::Daemon::until`] does after a request to stop.
    pub(crate) async fn stop(self) -> Result<(), DaemonError> {
        Ok(close(self.core.drain().await).await?)
    }
}

/// Follows the configuration that another node has put in force, by the files of this one.
async fn follow(shared: Arc<Shared>, files: Files) {
    loop {
        following::superseded(&shared).await;
        let _loading = shared.loading.lock().await;
        reload::follow_with(&shared, async { Ok(files()) }).await;
    }
}
