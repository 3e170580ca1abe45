//! `run`: the daemon, and beside it the server of its metrics.

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::args::{Global, Run};
use super::error::CommandError;
use super::log;
use super::print::{Answer, End};
use crate::daemon::{self, Daemon, DaemonError, MetricsSource, Signals};
use crate::http::Server;
use crate::net::farewell;
use crate::store::StoreError;

/// Runs the daemon until SIGTERM or SIGINT; faults of the configuration are printed before it starts.
///
/// Signals are received from the first moment: a SIGHUP during the start is a reload after it.
pub(super) async fn answer(global: &Global, args: Run) -> Result<Answer, CommandError> {
    let mut signals = Signals::new().context("signals cannot be received")?;
    let (daemon, server) = tokio::select! {
        started = start(global, args) => started?,
        () = signals.asked_to_stop() => return Ok(Answer::good(String::new())),
    };
    let serving = server.map(|server| Serving::start(server, daemon.metrics.clone()));
    let control = daemon.control.clone();
    let ended = daemon.until(signals.stop(&control, global.config.as_deref())).await;
    if let Some(serving) = serving {
        serving.stop().await;
    }
    // Queries of runs that were torn down are cancelled at their platforms.
    farewell::finished().await;
    ended.map_err(of_daemon)?;
    Ok(Answer::good(String::new()))
}

/// Reads the configuration and starts the daemon by it.
async fn start(global: &Global, args: Run) -> Result<(Daemon, Option<Server>), CommandError> {
    let assembly = daemon::load(global.config.as_deref()).await.map_err(of_daemon)?;
    log::start(global, Some(&assembly.settings.log), "info")?;
    let server = bind(assembly.settings.metrics.listen).await?;
    Ok((Daemon::start(assembly, args.allow_removals).await.map_err(of_daemon)?, server))
}

/// Returns the error of a command for one of the daemon: service managers go by its exit status.
fn of_daemon(error: DaemonError) -> CommandError {
    if let DaemonError::Configuration(faulty) = error {
        return faulty.into();
    }
    let end = match &error {
        DaemonError::Store(StoreError::InUse { .. }) => End::InUse,
        DaemonError::Store(StoreError::Newer { .. }) => End::Newer,
        DaemonError::Store(error) if error.is_damage() => End::Damaged,
        DaemonError::Configuration(_)
        | DaemonError::Receiver(_)
        | DaemonError::Removals(_)
        | DaemonError::Blocking(_)
        | DaemonError::Store(_)
        | DaemonError::Jobs(_)
        | DaemonError::Ended(_) => End::Failure,
    };
    CommandError::Ended(end, anyhow::Error::new(error))
}

/// Listens where the configuration says, if it says so.
async fn bind(listen: Option<SocketAddr>) -> Result<Option<Server>, CommandError> {
    let Some(address) = listen else { return Ok(None) };
    let server = Server::bind(address).await.map_err(|error| {
        let is_taken = matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable);
        let end = if is_taken { End::Address } else { End::Failure };
        let context = format!("metrics cannot be served at {address}");
        CommandError::Ended(end, anyhow::Error::new(error).context(context))
    })?;
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
