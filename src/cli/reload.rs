//! `reload` and `config publish`: have the running daemon read its configuration again, wait for it, and show the outcome.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::time::{Instant, sleep};

use super::args::{Global, Reload};
use super::error::{CommandError, print_error};
use super::print::{Answer, End, Screen, sanitise};
use super::read;
use crate::daemon;
use crate::domain::{Location, Reload as Outcome};
use crate::store::{Control, NodeRow, View, is_in_use};

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
    let location = read::location(global, &args.source)?;
    reloaded(&location, args, screen).await
}

/// Does the same; the configuration that the daemon reads is then in force on all daemons of the database.
pub(super) async fn publish(
    global: &Global,
    args: &Reload,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let location = read::location(global, &args.source)?;
    let control = Control::open(&location, &args.by.name()).await;
    let mut control = control.context("opening the store")?;
    control.publish(screen.now).await.context("writing to the store")?;
    reloaded(&location, args, screen).await
}

async fn reloaded(
    location: &Location,
    args: &Reload,
    screen: Screen,
) -> Result<Answer, CommandError> {
    if is_in_use(location).await == Some(false) {
        return Err(stopped("the daemon does not run"));
    }
    let view = View::open(location).await.context("opening the store")?;
    note(location, args, screen).await?;
    let before = view.node().await.context("reading the store")?;
    let Some(process) = before.process else {
        return Err(stopped("the daemon has not started yet"));
    };
    daemon::ask_to_reload(process, args.main_process).with_context(|| {
        format!("process {} of the daemon at {} cannot be signalled", process.pid, location)
    })?;
    let may_live = async || {
        before.process.is_some_and(|process| daemon::may_be_alive(process, args.main_process))
            && is_in_use(location).await != Some(false)
    };
    let outcome = wait(&view, &before, may_live, screen).await?;
    let outcome = outcome
        .with_context(|| format!("the daemon of {location} has not answered; see its log"))?;
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

/// Notes who asks, with the removals that are allowed. A full disk is no reason not to reload, unless removals
/// are to be allowed.
async fn note(location: &Location, args: &Reload, screen: Screen) -> Result<(), CommandError> {
    let noted = match Control::open(location, &args.by.name()).await {
        Ok(mut control) => control.reload(args.allow_removals, screen.now).await,
        Err(error) => Err(error),
    };
    match noted {
        Err(error) if args.allow_removals.is_none() => {
            let error = anyhow::Error::new(error).context("the audit trail has no entry of this");
            print_error(&format!("warning: {}\n", sanitise(&format!("{error:#}"))));
            Ok(())
        }
        noted => Ok(noted.context("writing to the store")?),
    }
}

fn stopped(message: &'static str) -> CommandError {
    CommandError::Ended(End::NoDaemon, anyhow!(message))
}

/// Waits for the outcome of a reload that began after the signal: one that was under way then may have
/// read the files before they were changed, and is followed by another. Returns none when it takes too long.
async fn wait(
    view: &View,
    before: &NodeRow,
    may_live: impl AsyncFn() -> bool,
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
        if now.process != before.process || !may_live().await {
            return Err(stopped("the daemon ended before it reloaded"));
        }
        sleep(LOOK).await;
    }
    Ok(None)
}

fn text(outcome: &Outcome) -> String {
    let Some(reason) = &outcome.refused else {
        let mut lines =
            format!("Configuration reloaded: {}.\n", sanitise(&outcome.changes.to_string()));
        for one in &outcome.passed_over {
            lines.extend([&sanitise(&one.to_string()), ".\n"]);
        }
        return lines;
    };
    let faults = outcome.faults.iter().map(|fault| format!("{}\n", sanitise(fault)));
    let faults: String = faults.collect();
    let reason = sanitise(reason);
    format!("{faults}revalidated: reload refused, the old configuration stays: {reason}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Changes, PassedOver, Timestamp};

    /// Arguments of the command with these words more.
    fn args(words: &[&str]) -> Reload {
        use super::super::args::{Arguments, Command};
        use clap::Parser as _;
        let words = ["revalidated", "reload", "--author", "anna"].iter().chain(words);
        let Some(Command::Reload(read)) = Arguments::try_parse_from(words).unwrap().command else {
            panic!("another command")
        };
        read
    }

    #[tokio::test]
    async fn author_of_a_reload_is_noted_and_only_removals_depend_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = Location::File(folder.path().join("state.db"));
        let screen = super::super::samples::screen();
        assert!(note(&path, &args(&[]), screen).await.is_ok(), "it is only warned of");
        let removals = args(&["--allow-removals", "3"]);
        assert!(note(&path, &removals, screen).await.is_err(), "they cannot be allowed");
        let store = crate::store::Store::open(&path).await.unwrap();
        note(&path, &removals, screen).await.unwrap();
        let view = store.view();
        let page = crate::store::Page::first(9);
        let rows = view.audit(crate::store::AuditFilter::default(), page).await.unwrap().rows;
        let noted: Vec<_> = rows.iter().map(|row| (row.author.as_str(), row.at)).collect();
        assert_eq!(noted, [("anna", screen.now)]);
        assert_eq!(view.node().await.unwrap().removals_allowed, Some(3));
        store.close().await.unwrap();
    }

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
            passed_over: Vec::new(),
        };
        assert_eq!(text(&outcome), "Configuration reloaded: nothing changed.\n");
        let (receiver, format) = ("chat".to_owned(), "native".to_owned());
        outcome.passed_over = vec![PassedOver { receiver, format, messages: 1 }];
        let passed =
            "chat: 1 pending message passed over, since format `native` has no place for it.";
        assert_eq!(text(&outcome), format!("Configuration reloaded: nothing changed.\n{passed}\n"));
        outcome.refused = Some("1 fault\u{1b}".to_owned());
        outcome.faults = vec!["a.toml:1: no".to_owned()];
        let expected = "a.toml:1: no\nrevalidated: reload refused, the old configuration stays: \
                        1 fault\\u{1b}\n";
        assert_eq!(text(&outcome), expected);
    }
}
