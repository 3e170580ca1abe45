//! `validate NAME --nagios` and `status NAME --nagios`: an integration as a service of Nagios, Icinga and their kind.
//!
//! Everything goes to standard output, since that is what they show, and no error has an exit status that would
//! be taken for the state of the integration.

mod judge;
mod output;

use anyhow::{Context as _, anyhow};
use tokio::time::Instant;

pub(super) use self::output::State;
use self::output::{Found, clean, text};
use super::args::{DaemonStatus, Global, Validate};
use super::error::CommandError;
use super::print::{Answer, End};
use super::read;
use crate::daemon::{self, Assembly, Signals};
use crate::domain::{Location, Timestamp};
use crate::net::farewell;
use crate::platforms::Mode;
use crate::store::{IntegrationRow, View, is_in_use};
use crate::view::Liveness;

/// Option by which a command is a plugin.
const OPTION: &str = "--nagios";
/// Most characters of an error.
const ERROR_MAX: usize = 1024;

/// Returns true when the program was called as a plugin, whatever else the command line says.
pub(super) fn is_asked() -> bool {
    let is_before = |word: &std::ffi::OsString| word != "--";
    std::env::args_os().skip(1).take_while(is_before).any(|word| word == OPTION)
}

/// Returns the answer after an error: nothing could be found out.
pub(super) fn failed(error: &CommandError) -> Answer {
    let said = error.text();
    let said = said.strip_prefix("revalidated: ").unwrap_or(&said);
    unknown(said)
}

/// Returns the answer when nothing could be found out.
pub(super) fn unknown(said: &str) -> Answer {
    let text = format!("REVALIDATED UNKNOWN - {}\n", clean(said, ERROR_MAX));
    answer_of(State::Unknown, text)
}

fn answer_of(state: State, text: String) -> Answer {
    Answer { end: End::Monitored(state.code()), is_json: true, ..Answer::good(text) }
}

/// Validates one integration now.
pub(super) async fn validate(
    global: &Global,
    args: &Validate,
    now: Timestamp,
) -> Result<Answer, CommandError> {
    let name = args.name.as_deref().unwrap_or_default();
    let (assembly, faulty) = daemon::open_partly(global.config.as_deref())?;
    let Some(one) = assembly.integrations.get(name) else {
        let known: Vec<_> = assembly.integrations.keys().map(String::as_str).collect();
        return Err(faulty.map_or_else(|| read::unknown(name, &known), Into::into));
    };
    let mode = if args.preflight { Mode::Preflight } else { Mode::Recurring };
    let began = Instant::now();
    let mut signals = Signals::new().context("signals cannot be received")?;
    let (report, observed) = tokio::select! {
        seen = daemon::observe_once(&assembly, one, name, mode) => seen,
        () = signals.asked_to_stop() => {
            farewell::finished().await;
            return Err(CommandError::Ended(End::Interrupted, anyhow!("interrupted")));
        }
    };
    let took = began.elapsed();
    let row = stored(&assembly.settings.store, name).await;
    let run = judge::Run { report: &report, observed: &observed, took };
    let mut found = judge::run(run, row.as_ref(), now);
    limits(&mut found, Some(&assembly), name);
    Ok(answer_of(found.state, text(name, &found)))
}

/// Shows the state of one integration as the daemon left it.
pub(super) async fn status(
    global: &Global,
    args: &DaemonStatus,
    now: Timestamp,
) -> Result<Answer, CommandError> {
    let name = args.name.as_deref().unwrap_or_default();
    let opened = daemon::open_partly(global.config.as_deref());
    let (location, assembly) = match (&args.source.store, opened) {
        (Some(path), opened) => (path.clone().into(), opened.ok().map(|(assembly, _)| assembly)),
        (None, Ok((assembly, _))) => (assembly.settings.store.clone(), Some(assembly)),
        (None, Err(faulty)) => return Err(faulty.into()),
    };
    // Before the database is opened: see there.
    let liveness = Liveness::from(is_in_use(&location).await);
    let view = View::open(&location).await.context("opening the store")?;
    let row = read::integration(&view, name).await?;
    let node = view.node().await.context("reading the store")?;
    let mut found = judge::row(&row, &judge::Daemon { liveness, node: &node }, now);
    limits(&mut found, assembly.as_ref(), name);
    Ok(answer_of(found.state, text(name, &found)))
}

/// Adds the limits of the configuration to the figures.
fn limits(found: &mut Found, assembly: Option<&Assembly>, name: &str) {
    let policy = assembly.and_then(|all| all.integrations.get(name)).map(|one| one.policy);
    found.figures.duration_max = assembly.map(|all| all.settings.limits.test);
    found.figures.failures_max = policy.unwrap_or_default().failures_needed();
}

/// Returns the row of an integration, as far as this user can read it.
async fn stored(location: &Location, name: &str) -> Option<IntegrationRow> {
    View::open(location).await.ok()?.integration(name).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_unknown_on_one_line() {
        let error = CommandError::Usage("no integration is called a|b\nc".to_owned());
        let answer = failed(&error);
        assert_eq!(answer.text, "REVALIDATED UNKNOWN - no integration is called a/b c\n");
        assert_eq!(answer.end.code(), 3);
        assert_eq!(failed(&CommandError::Other(anyhow!("disk full"))).end.code(), 3);
    }
}
