//! `run`: the daemon, and beside it the server of its metrics.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::args::Global;
use super::error::CommandError;
use super::log;
use super::print::Answer;
use crate::daemon::{self, Daemon, MetricsSource, Signals};
use crate::http::Server;

/// Runs the daemon until SIGTERM or SIGINT; faults of the configuration are printed before it starts.
pub(super) async fn answer(global: &Global) -> Result<Answer, CommandError> {
    let assembly = daemon::open(global.config.as_deref())?;
    log::start(global, Some(&assembly.settings.log), "info")?;
    let signals = Signals::new().context("signals cannot be received")?;
    let server = bind(assembly.settings.metrics.listen).await?;
    let daemon = Daemon::start(assembly).await.map_err(anyhow::Error::new)?;
    let serving = server.map(|server| Serving::start(server, daemon.metrics.clone()));
    let control = daemon.control.clone();
    let ended = daemon.until(signals.stop(&control, global.config.as_deref())).await;
    if let Some(serving) = serving {
        serving.stop().await;
    }
    ended.map_err(anyhow::Error::new)?;
    Ok(Answer::good(String::new()))
}

/// Listens where the configuration says, if it says so.
async fn bind(listen: Option<SocketAddr>) -> anyhow::Result<Option<Server>> {
    let Some(address) = listen else { return Ok(None) };
    let server = Server::bind(address).await;
    let server = server.with_context(|| format!("metrics cannot be served at {address}"))?;
    let address = server.address();
    info!(%address, "metrics at http://{address}/metrics");
    if !address.ip().is_loopback() {
        warn!(%address, "names of integrations and receivers can be read by all who reach {address}");
    }
    Ok(Some(server))
}

/// Server that answers until it is stopped.
struct Serving {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Serving {
    fn start(server: Server, metrics: MetricsSource) -> Self {
        let stop = CancellationToken::new();
        let text = move || {
            let metrics = metrics.clone();
            async move { metrics.text().await }
        };
        let task = tokio::spawn(server.serve(text, stop.clone()));
        Self { task, stop }
    }

    /// Stops within a moment.
    async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            error!("the server of the metrics ended in a panic: {error}");
        }
    }
}
