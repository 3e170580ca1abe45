//! `show`: everything about one integration.

use anyhow::Context as _;
use serde_json::Value as Json;

use super::args::{Global, Show};
use super::ask::{self, Sockets};
use super::error::CommandError;
use super::print::{Answer, Screen, ago, ahead, counted, result_word, sanitise, status_word};
use super::{explain, read, results, situation};
use crate::config::One;
use crate::domain::{Class, RunId};
use crate::store::{CandidateRow, IntegrationRow, RunRow, View};
use crate::view::{Configured, Evidence, Integration, Run, Situation, config, leaves, parsed};

/// Shows one integration as it is in the store.
pub(super) async fn answer(
    global: &Global,
    args: &Show,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let Show { named: args, run } = args;
    let (location, settings) = read::located(global, &args.source)?;
    let view = match View::open(&location).await {
        Ok(view) => view,
        Err(error) => {
            let run = run.map_or_else(String::new, |run| format!("/runs/{run}"));
            let target = ask::integration(&args.name) + &run;
            let sockets = Sockets::of(&args.source, settings.as_ref());
            return sockets.instead(&target, args.form.json, error).await;
        }
    };
    let row = read::integration(&view, &args.name).await?;
    if let Some(run) = run {
        let found = view.run(row.id, RunId(*run)).await.context("reading the store")?;
        let found = found.ok_or_else(|| no_run(&row, *run))?;
        if args.form.json {
            return Ok(Answer::json(&Run::from(&found).with_results(&found))?);
        }
        return Ok(Answer::good(run_text(&row, &found, screen)));
    }
    let One { policy, maintenance } = read::configured(global, settings.as_ref(), &row.name);
    let configured = Configured { policy, maintenance: &maintenance };
    let read = Situation::read(&view, &row, &configured, screen.now).await;
    let situation = read.context("reading the store")?;
    if args.form.json {
        return Ok(Answer::json(&Integration::with(&row, &situation, screen.now))?);
    }
    Ok(Answer::good(text(&row, &situation, screen)))
}

/// Returns the error for a run that the integration does not have.
fn no_run(row: &IntegrationRow, run: i64) -> CommandError {
    let name = sanitise(&row.name);
    let message = format!("{name} has no run {run}; `revalidated history {name}` lists those kept");
    CommandError::Usage(message)
}

/// Shows one run with all that its tests said.
pub(super) fn run_text(row: &IntegrationRow, run: &RunRow, screen: Screen) -> String {
    let (at, age) = (screen.instant(Some(run.started_at)), ago(screen.now, run.started_at));
    let took = crate::domain::duration_text(run.duration);
    let facts = [
        ("Run", format!("{} of {}{}", run.id.0, sanitise(&row.name), results::of(run.subject))),
        ("Trigger", run.trigger.as_str().to_owned()),
        ("Began", format!("{at} ({age}), took {took}")),
        ("Result", result_word(run.status)),
        ("Class", run.class.map_or("-", Class::as_str).to_owned()),
        ("Rule", sanitise(&run.rule).into_owned()),
    ];
    let facts = facts.into_iter().map(|(name, value)| format!("{name:<15}{value}\n"));
    let facts: String = facts.collect();
    let table = results::table_of(run, screen);
    let evidence =
        results::evidence(&run.report).map_or_else(String::new, |text| format!("\n{text}"));
    let drift = results::drift(run, None).map_or_else(String::new, |drift| format!("\n{drift}"));
    let verdict = Evidence::of_run(run).map_or_else(String::new, |found| {
        format!("\n{}", explain::evidence(&found, "Evidence", screen))
    });
    format!("{facts}\n{table}{evidence}{drift}{verdict}")
}

pub(super) fn text(row: &IntegrationRow, situation: &Situation, screen: Screen) -> String {
    let facts = facts(row, screen).into_iter().chain(situation::facts(row, situation, screen));
    let facts = facts.map(|(name, value)| format!("{name:<15}{value}\n"));
    let leaves = lines(&config(row));
    let results = match &row.last_run {
        Some(run) => {
            let table = results::table_of(run, screen);
            let drift = results::drift(run, row.fingerprint_at);
            let drift = drift.map_or(String::new(), |drift| format!("\n{drift}"));
            format!("Validation results: {}\n{table}{drift}", result_word(run.status))
        }
        None => "Not validated yet.\n".to_owned(),
    };
    let facts: String = facts.collect();
    let candidate = row.candidate.as_ref().map_or(String::new(), |new| candidate(new, screen));
    format!("{facts}\nConfiguration\n{leaves}\n{results}{candidate}")
}

/// Returns a line for each leaf of a configuration.
fn lines(config: &Json) -> String {
    let line = |(key, value): &(String, String)| {
        ["  ", &sanitise(key), " = ", &sanitise(value), "\n"].concat()
    };
    leaves(config).iter().map(line).collect()
}

/// Shows the new configuration, its results, and why it is not in force.
fn candidate(new: &CandidateRow, screen: Screen) -> String {
    let leaves = lines(&parsed(&new.config_shown));
    let heading = results::candidate(new, screen);
    let table = new.last_run.as_ref().map_or(String::new(), |run| {
        format!(
            "\nValidation results: {}\n{}",
            result_word(run.status),
            results::table_of(run, screen)
        )
    });
    format!("\n{heading}{leaves}{table}")
}

/// Returns the single facts, in the order they are shown.
fn facts(row: &IntegrationRow, screen: Screen) -> Vec<(&'static str, String)> {
    let labels = row.labels.iter().map(|(key, value)| format!("{key}={value}"));
    let labels = labels.collect::<Vec<_>>().join(", ");
    let counters = row.evidence.counters;
    let mut facts = vec![
        ("Id", row.id.0.to_string()),
        ("Name", sanitise(&row.name).into_owned()),
        ("Type", sanitise(&row.kind).into_owned()),
        ("Auto bootstrap", row.auto_bootstrap.map_or("-".to_owned(), |flag| flag.to_string())),
        ("Status", status_word(row.status)),
        ("State", if row.status.is_in_use() { "in use" } else { "not in use" }.to_owned()),
        ("Labels", if labels.is_empty() { "-".to_owned() } else { sanitise(&labels).into_owned() }),
        ("Schedule", format!("{} in {}", sanitise(&row.cron), sanitise(&row.zone))),
        (
            "Next run",
            format!("{} ({})", screen.instant(row.next_run_at), situation::next_run(row, screen)),
        ),
        ("Last run", last_run(row, screen)),
        (
            "Consecutive",
            format!(
                "{}, {}",
                counted(usize::try_from(counters.failures).unwrap_or(usize::MAX), "failing run"),
                counted(usize::try_from(counters.passes).unwrap_or(usize::MAX), "passing run"),
            ),
        ),
    ];
    if let Some((at, what)) = &row.expires {
        let when = if screen.now < *at { ahead(screen.now, *at) } else { "ended".to_owned() };
        facts.push(("Expires", format!("{at} ({when}): {}", sanitise(what))));
    }
    if let Some(incident) = &row.incident_id {
        let since = row.incident_since;
        let age = since.map_or(String::new(), |since| format!(" ({})", ago(screen.now, since)));
        let text = format!("{} since {}{age}", sanitise(incident), screen.instant(since));
        facts.push(("Incident", text));
    }
    facts
}

fn last_run(row: &IntegrationRow, screen: Screen) -> String {
    let Some(run) = &row.last_run else { return "-".to_owned() };
    let age = ago(screen.now, run.started_at);
    let took = crate::domain::duration_text(run.duration);
    format!("{} ({age}), took {took}", screen.instant(Some(run.started_at)))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn text_shows_every_part_of_an_integration() {
        let expected = "\
Id             5
Name           lake
Type           Redshift
Auto bootstrap true
Status         recurringValidationError
State          in use
Labels         team=data
Schedule       */15 * * * * in Europe/Berlin
Next run       2026-11-23T10:05:00Z (in 5m)
Last run       2026-11-23T09:56:40Z (3m 20s ago), took 812ms
Consecutive    3 failing runs, 0 passing runs
Expires        2026-12-03T10:00:00Z (in 10d): the token ci\\u{9b}
Incident       inc-1 since 2026-11-23T08:00:00Z (2h ago)
Notified       enabled
Muted          by silence 3 until 2026-11-23T12:00:00Z (in 2h)
Changes        1 notified within 6h; 3 allowed
Flapping       since 2026-11-23T09:00:00Z (1h ago); ends at 2026-11-23T10:20:00Z (in 20m) without another status change
Outage         out_1 of host db\\u{1b} since 2026-11-23T08:00:00Z (2h ago)
Fault          daemon fault (network); the status stays
Shared         host db\\u{1b} with 3 others

Configuration
  host = h\\u{1b}[31m
  okta.password = [REDACTED]
  port = 5439

Validation results: failed
RESULT   CLASS        TOOK   TEST             MESSAGE
passed   -            3ms    Host is given    -
failed   unreachable  809ms  Connect to host  Unable\\nto connect to host.
                                              Fix: Open port 5439.
skipped  -            -      Create role      Not run.

What changed since the last passing run at 2026-11-23T07:45:00Z
  version of h: 1.3 instead of 1.2\\u{9b}
";
        let (row, mut situation) = samples::troubled();
        situation.mutes.clear();
        let shown = text(&row, &situation, samples::screen());
        assert_eq!(samples::plain(&shown), expected);
    }

    #[test]
    fn new_configuration_is_a_paragraph_of_its_own() {
        let shown = text(&samples::edited(), &Situation::default(), samples::screen());
        let expected = "

New configuration, failing since 2026-11-23T09:00:00Z (1h ago); not in force until it passes
Rule: a definitive failure (denied) counts at once
Consecutive: 2 failing, 0 passing
  host = other

Validation results: failed
RESULT   CLASS        TOOK   TEST             MESSAGE
passed   -            3ms    Host is given    -
failed   unreachable  809ms  Connect to host  Unable\\nto connect to host.
                                              Fix: Open port 5439.
skipped  -            -      Create role      Not run.
";
        let shown = samples::plain(&shown);
        assert!(shown.ends_with(expected.trim_start_matches('\n')), "{shown}");
        let (before, _) = shown.split_once("New configuration").unwrap();
        assert!(before.contains("Validation results: passed"), "{before}");
    }

    #[test]
    fn run_is_shown_with_all_that_its_tests_said() {
        let expected = "\
Run            912 of lake
Trigger        confirm
Began          2026-11-23T09:56:40Z (3m 20s ago), took 812ms
Result         failed
Class          unreachable
Rule           a transient failure \\u{9b}

RESULT   CLASS        TOOK   TEST             MESSAGE
passed   -            3ms    Host is given    -
failed   unreachable  809ms  Connect to host  Unable\\nto connect to host.
                                              Fix: Open port 5439.
skipped  -            -      Create role      Not run.

What the platform said
  Connect to host: refused\\u{1b}[31m

What changed since the last passing run
  version of h: 1.3 instead of 1.2\\u{9b}

Evidence: What was seen weighs 100 of the 100 that a failure needs.
AT                    WEIGHT  MISSING  SEEN
2026-11-23T08:00:00Z  25      75       unreachable
2026-11-23T08:00:30Z  25      50       unreachable
2026-11-23T08:02:00Z  25      25       unreachable
2026-11-23T08:02:00Z  25      0        3 others with the same host db\\u{1b} fail too
";
        let shown = run_text(&samples::integration(), &samples::run(), samples::screen());
        assert_eq!(samples::plain(&shown), expected);
        let unknown = no_run(&samples::integration(), 7).to_string();
        assert_eq!(unknown, "lake has no run 7; `revalidated history lake` lists those kept");
    }

    #[test]
    fn an_integration_without_a_run_has_no_results() {
        let mut row = samples::integration();
        row.last_run = None;
        assert!(
            text(&row, &Situation::default(), samples::screen())
                .ends_with("\nNot validated yet.\n")
        );
    }
}
