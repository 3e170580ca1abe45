//! `reload`: has the running daemon read its configuration again, waits for it, and shows the outcome.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::time::{Instant, sleep};

use super::args::{Global, Reload};
use super::error::CommandError;
use super::print::{Answer, End, Screen, sanitise};
use super::read;
use crate::daemon;
use crate::domain::Reload as Outcome;
use crate::store::{Control, NodeNote, NodeRow, View, is_in_use};

/// Longest wait for the outcome: a file of the configuration may hang for a minute.
const WAIT_MAX: Duration = Duration::from_secs(90);
/// Time between two looks at the outcome.
const LOOK: Duration = Duration::from_millis(50);

/// Signals the daemon and waits for its answer.
pub(super) async fn answer(
    global: &Global,
    args: &Reload,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let path = read::path(global, &args.source)?;
    if is_in_use(&path) == Some(false) {
        return Err(stopped("the daemon does not run"));
    }
    let view = View::open(&path).context("opening the store")?;
    if let Some(number) = args.allow_removals {
        let mut control = Control::open(&path).context("opening the store")?;
        control.note(&NodeNote::AllowRemovals(number)).context("allowing the removals")?;
    }
    let before = view.node().await.context("reading the store")?;
    let Some(process) = before.process else {
        return Err(stopped("the daemon has not started yet"));
    };
    daemon::ask_to_reload(process, args.main_process).with_context(|| {
        format!("process {} of the daemon at {} cannot be signalled", process.pid, path.display())
    })?;
    let may_live = || {
        before.process.is_some_and(|process| daemon::may_be_alive(process, args.main_process))
            && is_in_use(&path) != Some(false)
    };
    let outcome = wait(&view, &before, may_live, screen).await?;
    let outcome = outcome.with_context(|| {
        format!("the daemon of {} has not answered; see its log", path.display())
    })?;
    let end = match (&outcome.refused, outcome.is_configuration) {
        (None, _) => End::Success,
        (Some(_), true) => End::Configuration,
        (Some(_), false) => End::Failure,
    };
    let answer = if args.form.json {
        Answer::json(&outcome)?
    } else if outcome.refused.is_some() {
        Answer { note: text(&outcome), ..Answer::good(String::new()) }
    } else {
        Answer::good(text(&outcome))
    };
    Ok(Answer { end, ..answer })
}

fn stopped(message: &'static str) -> CommandError {
    CommandError::Ended(End::NoDaemon, anyhow!(message))
}

/// Waits for the outcome of a reload that began after the signal: one that was under way then may have
/// read the files before they were changed, and is followed by another. Returns none when it takes too long.
async fn wait(
    view: &View,
    before: &NodeRow,
    may_live: impl Fn() -> bool,
    screen: Screen,
) -> Result<Option<Outcome>, CommandError> {
    let number = before.reload.as_ref().map_or(0, |reload| reload.number);
    let begun = Instant::now();
    while begun.elapsed() < WAIT_MAX {
        let now = view.node().await.context("reading the store")?;
        let done = now.reload.filter(|reload| {
            number + 1 < reload.number || (number < reload.number && screen.now <= reload.begun_at)
        });
        if let Some(outcome) = done {
            return Ok(Some(outcome));
        }
        if now.process != before.process || !may_live() {
            return Err(stopped("the daemon ended before it reloaded"));
        }
        sleep(LOOK).await;
    }
    Ok(None)
}

fn text(outcome: &Outcome) -> String {
    let Some(reason) = &outcome.refused else {
        return format!("Configuration reloaded: {}.\n", sanitise(&outcome.changes.to_string()));
    };
    let faults = outcome.faults.iter().map(|fault| format!("{}\n", sanitise(fault)));
    let faults: String = faults.collect();
    let reason = sanitise(reason);
    format!("{faults}revalidated: reload refused, the old configuration stays: {reason}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Changes, Timestamp};

    #[test]
    fn outcome_is_a_sentence_or_the_faults() {
        let mut outcome = Outcome {
            number: 1,
            begun_at: Timestamp(0),
            ended_at: Timestamp(0),
            refused: None,
            faults: Vec::new(),
            is_configuration: false,
            changes: Changes::default(),
        };
        assert_eq!(text(&outcome), "Configuration reloaded: nothing changed.\n");
        outcome.refused = Some("1 fault\u{1b}".to_owned());
        outcome.faults = vec!["a.toml:1: no".to_owned()];
        let expected = "a.toml:1: no\nrevalidated: reload refused, the old configuration stays: \
                        1 fault\\u{1b}\n";
        assert_eq!(text(&outcome), expected);
    }
}
