//! `run`: the daemon, and beside it the servers of its metrics and of HTTP.

use anyhow::Context as _;

use super::args::{Global, Run};
use super::error::CommandError;
use super::log;
use super::print::{Answer, End};
use super::serve::Servers;
use crate::daemon::{self, Daemon, DaemonError, Signals};
use crate::net::farewell;
use crate::store::StoreError;

/// Runs the daemon until SIGTERM or SIGINT; faults of the configuration are printed before it starts.
///
/// Signals are received from the first moment: a SIGHUP during the start is a reload after it.
pub(super) async fn answer(global: &Global, args: Run) -> Result<Answer, CommandError> {
    let mut signals = Signals::new().context("signals cannot be received")?;
    let (daemon, servers) = tokio::select! {
        started = start(global, args) => started?,
        () = signals.asked_to_stop() => return Ok(Answer::good(String::new())),
    };
    let serving = servers.start(&daemon);
    let control = daemon.control.clone();
    let ended = daemon.until(signals.stop(&control, global.config.as_deref())).await;
    serving.stop().await;
    // Queries of runs that were torn down are cancelled at their platforms.
    farewell::finished().await;
    ended.map_err(of_daemon)?;
    Ok(Answer::good(String::new()))
}

/// Reads the configuration and starts the daemon by it.
async fn start(global: &Global, args: Run) -> Result<(Daemon, Servers), CommandError> {
    let assembly = daemon::load(global.config.as_deref()).await.map_err(of_daemon)?;
    log::start(global, Some(&assembly.settings.log), "info")?;
    let servers = Servers::bind(&assembly.settings).await?;
    Ok((Daemon::start(assembly, args.allow_removals).await.map_err(of_daemon)?, servers))
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
