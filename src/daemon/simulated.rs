//! The daemon without signals, jobs and files: what a simulation starts, reloads, stops and drops.

use super::health::{Health, Probe};
use super::{
    Arc, Assembly, CancellationToken, Clock, DaemonError, Loops, Shared, Store, close, reload,
};

/// A running daemon; its tasks end with the runtime that it was started on.
pub(crate) struct Running {
    shared: Arc<Shared>,
    loops: Loops,
    stop: CancellationToken,
    abort: CancellationToken,
}

impl Running {
    /// Starts as [`super::run`] does.
    pub(crate) async fn start(
        assembly: &Assembly,
        store: Store,
        clock: Clock,
        probe: Probe,
    ) -> Result<Self, DaemonError> {
        let (active, synced) = reload::prepare(&store, assembly, clock.now(), None).await?;
        let lasting = store.view().own_faults().await?;
        let health = Health::with(lasting.into_iter().map(|row| row.fault)).probing(probe);
        let shared = Arc::new(Shared::new(store, clock, active, health));
        shared.changed(&synced);
        let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
        let loops = Loops::start(&shared, &stop, &abort);
        Ok(Self { shared, loops, stop, abort })
    }

    /// Waits for a loop that ends although nobody stopped it.
    pub(crate) async fn ended_early(&mut self) -> DaemonError {
        self.loops.ended_early().await
    }

    /// Puts another configuration in force.
    pub(crate) async fn reload(&self, assembly: &Assembly) -> Result<(), DaemonError> {
        reload::replace(&self.shared, assembly).await
    }

    /// Ends as [`super::run`] does after a request to stop.
    pub(crate) async fn stop(self) -> Result<(), DaemonError> {
        let Self { shared, loops, stop, abort } = self;
        stop.cancel();
        loops.drain(shared.active().drain, &abort).await;
        Ok(close(shared).await?)
    }
}
