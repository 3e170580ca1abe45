//! `run`: the daemon, and beside it the servers of its metrics and of HTTP.

use anyhow::Context as _;

use super::args::{Global, Run};
use super::damaged::Places;
use super::error::CommandError;
use super::log;
use super::print::{Answer, End};
use super::serve::Servers;
use crate::config::Settings;
use crate::daemon::{self, Clock, Daemon, DaemonError, Signals, Start};
use crate::net::farewell;

/// Runs the daemon until SIGTERM or SIGINT; faults of the configuration are printed before it starts.
///
/// Signals are received from the first moment: a SIGHUP during the start is a reload after it.
pub(super) async fn answer(global: &Global, args: Run) -> Result<Answer, CommandError> {
    let mut signals = Signals::new().context("signals cannot be received")?;
    let mut places = None;
    let (daemon, servers) = tokio::select! {
        started = Box::pin(start(global, args, &mut places)) => started?,
        () = signals.asked_to_stop() => return Ok(Answer::good(String::new())),
    };
    let serving = servers.start(&daemon);
    let control = daemon.control.clone();
    let ended = Box::pin(daemon.until(signals.stop(&control, global.config.as_deref()))).await;
    serving.stop().await;
    // Queries of runs that were torn down are cancelled at their platforms.
    farewell::finished().await;
    ended.map_err(|error| of_daemon(error, places.as_ref()))?;
    Ok(Answer::good(String::new()))
}

/// Reads the configuration and starts the daemon by it.
async fn start(
    global: &Global,
    args: Run,
    places: &mut Option<Places>,
) -> Result<(Daemon, Servers), CommandError> {
    let loaded = daemon::load(global.config.as_deref()).await;
    let assembly = loaded.map_err(|error| of_daemon(error, None))?;
    log::start(global, Some(&assembly.settings.log), "info")?;
    let Settings { store, backups, .. } = &assembly.settings;
    let (store, backups) = (store.clone(), backups.dir.clone());
    let places = places.insert(Places { store, backups, config: global.config.clone() });
    let servers = Servers::bind(&assembly.settings).await?;
    let Run { allow_removals: removals, no_copy } = args;
    let start = Start { removals, is_copied: !no_copy, config: global.config.clone() };
    let started = Daemon::start_as(assembly, start).await;
    Ok((started.map_err(|error| of_daemon(error, Some(places)))?, servers))
}

/// Returns the error of a command for one of the daemon: service managers go by its exit status. A damaged
/// database comes with the newest backup in `places`.
fn of_daemon(error: DaemonError, places: Option<&Places>) -> CommandError {
    if let DaemonError::Configuration(faulty) = error {
        return faulty.into();
    }
    let end = match &error {
        DaemonError::Store(error) => End::of(error),
        DaemonError::Configuration(_)
        | DaemonError::Receiver(_)
        | DaemonError::Removals(_)
        | DaemonError::Waits(_)
        | DaemonError::Blocking(_)
        | DaemonError::Jobs(_)
        | DaemonError::Ended(_) => End::Failure,
    };
    let mut error = anyhow::Error::new(error);
    if let Some(places) = places.filter(|_| end == End::Damaged) {
        let advice = places.advice(Clock::default().now());
        error = anyhow::anyhow!("{error:#}; {advice}");
    }
    CommandError::Ended(end, error)
}
