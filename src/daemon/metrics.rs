//! Serves the metrics: what was counted, and what the loops and the store know at the moment.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{DaemonError, Shared};
use crate::http::{Backlog, IntegrationState, Permits, Server, State, Stored};
use crate::store::{PAGE_MAX, Page, ReceiverRow, StandingRow, StoreError};

/// Listens where the configuration says, if it says so.
pub(super) async fn bind(listen: Option<SocketAddr>) -> Result<Option<Server>, DaemonError> {
    let Some(address) = listen else { return Ok(None) };
    let bound = Server::bind(address).await;
    let server = bound.map_err(|source| DaemonError::Listen { address, source })?;
    let address = server.address();
    info!(%address, "metrics at http://{address}/metrics");
    if !address.ip().is_loopback() {
        warn!(%address, "whoever reaches {address} can read the names of integrations and receivers");
    }
    Ok(Some(server))
}

/// Answers until it is stopped.
pub(super) struct Serving {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Serving {
    /// Starts to answer. Holds nothing that others wait for.
    pub(super) fn start(server: Server, shared: &Arc<Shared>) -> Self {
        let (stop, shared) = (CancellationToken::new(), Arc::downgrade(shared));
        let tell = move || told(Weak::clone(&shared));
        let task = tokio::spawn(server.serve(tell, stop.clone()));
        Self { task, stop }
    }

    /// Stops, within a moment.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            error!("the metrics ended in a fault: {error}");
        }
    }
}

/// Everything as text; none when the daemon is gone.
async fn told(shared: Weak<Shared>) -> Option<String> {
    let shared = shared.upgrade()?;
    let stored = match stored(&shared).await {
        Ok(stored) => Some(stored),
        Err(error) => {
            shared.store_failed("the metrics of the store cannot be read", &error);
            None
        }
    };
    let limits = shared.active().limits;
    let (among_all, at_hosts) = shared.pressure.waiting();
    let (planner_rounds, outbox_rounds) = shared.progress();
    let permits = vec![
        Permits { limit: "runs", max: limits.runs, waiting: among_all },
        Permits { limit: "runs_per_host", max: limits.runs_per_host, waiting: at_hosts },
    ];
    let text = shared.metrics.text(State { planner_rounds, outbox_rounds, permits, stored });
    text.inspect_err(|error| error!("the metrics cannot be written: {error}")).ok()
}

async fn stored(shared: &Shared) -> Result<Stored, StoreError> {
    let now = shared.clock.now();
    let (mut integrations, mut receivers) = (Vec::new(), Vec::new());
    let mut page = Some(Page::first(PAGE_MAX));
    while let Some(asked) = page {
        let listed = shared.view.standings(asked).await?;
        page = listed.following();
        integrations.extend(listed.rows.into_iter().map(integration));
    }
    let backlog = |ReceiverRow { name, disabled, owed, oldest_owed_at, .. }| Backlog {
        name,
        pending: owed,
        oldest_age: oldest_owed_at.map_or_else(Default::default, |at| now.since(at)),
        is_disabled: disabled.is_some(),
    };
    let mut page = Some(Page::first(PAGE_MAX));
    while let Some(asked) = page {
        let listed = shared.view.receivers(asked).await?;
        page = listed.following();
        receivers.extend(listed.rows.into_iter().map(backlog));
    }
    let own_faults = shared.view.own_faults().await?.into_iter();
    Ok(Stored { integrations, receivers, own_faults: own_faults.map(|row| row.fault).collect() })
}

fn integration(row: StandingRow) -> IntegrationState {
    let StandingRow { name, kind: platform, status, last_run_at, expires_at, .. } = row;
    let conditions =
        [("muted", row.is_held), ("flapping", row.is_flapping), ("outage", row.in_outage)];
    let conditions = conditions.into_iter().filter_map(|(name, is_so)| is_so.then_some(name));
    let conditions = conditions.collect();
    IntegrationState { name, platform, status, last_run_at, expires_at, conditions }
}
