//! `explain`: why an integration has its status, and when it runs next and why then.

use anyhow::Context as _;

use super::args::{Global, Named};
use super::ask::{self, Sockets};
use super::error::CommandError;
use super::history::trigger_word;
use super::next::table as instants_table;
use super::print::{
    Answer, Column, Screen, Table, Tone, ago, result_word, sanitise, status_word, toned,
};
use super::situation::{degraded, facts, next_run};
use super::{read, results};
use crate::config::One;
use crate::domain::Subject;
use crate::store::{IntegrationRow, RunRow, View};
use crate::view::{Configured, Evidence, Explanation};

/// Explains the status of one integration.
pub(super) async fn answer(
    global: &Global,
    args: &Named,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let (location, settings) = read::located(global, &args.source)?;
    let view = match View::open(&location).await {
        Ok(view) => view,
        Err(error) => {
            let target = ask::integration(&args.name) + "/explain";
            let sockets = Sockets::of(&args.source, settings.as_ref());
            return sockets.instead(&target, args.form.json, error).await;
        }
    };
    let row = read::integration(&view, &args.name).await?;
    let One { policy, maintenance } = read::configured(global, settings.as_ref(), &row.name);
    let configured = Configured { policy, maintenance: &maintenance };
    let read = Explanation::read(&view, row, &configured, screen.now).await;
    let explanation = read.context("reading the store")?;
    if args.form.json {
        return Ok(Answer::json(&explanation.shown(screen.now))?);
    }
    Ok(Answer::good(text(&explanation, screen)))
}

pub(super) fn text(explanation: &Explanation, screen: Screen) -> String {
    let Explanation { row, runs, situation, faults, .. } = explanation;
    let since = row.failing_since().map(|since| {
        format!(", failing since {} ({})", screen.instant(Some(since)), ago(screen.now, since))
    });
    let heading = format!(
        "{}: {}{}",
        sanitise(&row.name),
        status_word(row.status),
        since.unwrap_or_default()
    );
    let mut parts = vec![heading + "\n" + &degraded(faults, screen)];
    let facts = facts(row, situation, screen).into_iter();
    let facts = facts.map(|(name, value)| format!("{:<12} {value}\n", format!("{name}:")));
    let facts: String = facts.collect();
    match &row.last_run {
        Some(last) => {
            parts.push(rule(last, row) + &facts);
            parts.push(evidence(&explanation.evidence(), "Evidence", screen));
            parts.extend(failures(last, "the latest run"));
            parts.extend(results::drift(last, row.fingerprint_at));
        }
        None => parts.push(format!("It has not been validated yet.\n{facts}")),
    }
    if let Some(new) = &row.candidate {
        parts.push(results::candidate(new, screen));
        let found = explanation.candidate_evidence();
        parts.extend(
            found.map(|found| evidence(&found, "Evidence of the new configuration", screen)),
        );
        let last = new.last_run.as_ref();
        parts.extend(last.and_then(|last| failures(last, "the new configuration")));
    }
    if !runs.is_empty() {
        parts.push(format!("Latest runs\n{}", runs_table(runs, screen)));
    }
    parts.push(format!(
        "Next run: {} ({})\n{}\n",
        screen.instant(row.next_run_at),
        next_run(row, screen),
        sanitise(&explanation.reason(screen.now)),
    ));
    let upcoming = explanation.upcoming(screen.now);
    if !upcoming.is_empty() {
        let table = instants_table(&upcoming, screen);
        parts.push(format!("Upcoming runs of its schedule\n{table}"));
    }
    parts.join("\n")
}

/// Returns the rule of the last verdict, and the consecutive results.
fn rule(last: &RunRow, row: &IntegrationRow) -> String {
    format!(
        "Rule:        {}\nConsecutive: {} failing, {} passing\n",
        sanitise(&last.rule),
        row.evidence.counters.failures,
        row.evidence.counters.passes,
    )
}

/// Returns the evidence as a sentence, and each look with its weight.
pub(super) fn evidence(evidence: &Evidence, heading: &str, screen: Screen) -> String {
    let Evidence { sentence, looks, overrides, .. } = evidence;
    let counted = (!overrides.is_empty()).then(|| {
        let keys = overrides.join(", ");
        format!("Runs are counted in place of the rule of evidence: {}\n", sanitise(&keys))
    });
    let text = format!("{heading}: {}\n{}", sanitise(sentence), counted.unwrap_or_default());
    if looks.is_empty() {
        return text;
    }
    let columns = [
        Column::whole("AT"),
        Column::whole("WEIGHT"),
        Column::whole("MISSING"),
        Column::text("SEEN"),
    ];
    let mut table = Table::new(screen, columns);
    for look in looks {
        table.row([
            screen.instant(Some(look.at)),
            look.weight.to_string(),
            look.missing.to_string(),
            sanitise(&look.words()).into_owned(),
        ]);
    }
    text + &table.text()
}

fn runs_table(runs: &[RunRow], screen: Screen) -> String {
    let columns = [
        Column::whole("AT"),
        Column::whole("TRIGGER").dropped(2),
        Column::whole("CONFIGURATION").dropped(1),
        Column::whole("RESULT"),
        Column::whole("CLASS").dropped(3),
        Column::text("RULE"),
    ];
    let mut table = Table::new(screen, columns);
    for run in runs {
        table.row([
            screen.instant(Some(run.started_at)),
            trigger_word(run.trigger).to_owned(),
            configuration_word(run.subject).to_owned(),
            result_word(run.status),
            run.class.map_or_else(|| toned("-", Tone::Quiet), |class| class.as_str().to_owned()),
            sanitise(&run.rule).into_owned(),
        ]);
    }
    table.text()
}

const fn configuration_word(subject: Subject) -> &'static str {
    match subject {
        Subject::Active => "in force",
        Subject::Candidate => "new",
    }
}

/// Lists the tests of a run that failed or warned, with the class of each.
fn failures(last: &RunRow, of: &str) -> Option<String> {
    let lines = results::findings(&last.report);
    (!lines.is_empty()).then(|| format!("Findings of {of}\n{lines}"))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, explanation};
    use super::*;
    use crate::domain::{Policy, Schedule};

    #[test]
    fn text_shows_the_rule_the_runs_and_the_plan() {
        let mut explanation = explanation();
        explanation.schedule = None;
        let expected = "\
lake: recurringValidationError, failing since 2026-11-23T08:00:00Z (2h ago)

Rule:        a transient failure \\u{9b}
Consecutive: 3 failing, 0 passing

Evidence: It is known to fail: what was seen weighs 100 of the 100 that a failure needs.
AT                    WEIGHT  MISSING  SEEN
2026-11-23T08:00:00Z  25      75       unreachable
2026-11-23T08:00:30Z  25      50       unreachable
2026-11-23T08:02:00Z  25      25       unreachable
2026-11-23T08:02:00Z  25      0        3 others with the same host db\\u{1b} fail too

Findings of the latest run
  failed (unreachable) Connect to host: Unable\\nto connect to host.
    Fix: Open port 5439.

What changed since the last passing run at 2026-11-23T07:45:00Z
  version of h: 1.3 instead of 1.2\\u{9b}

Latest runs
AT                    TRIGGER  CONFIGURATION  RESULT  CLASS        RULE
2026-11-23T09:56:40Z  confirm  in force       failed  unreachable  a transient failure \\u{9b}

Next run: 2026-11-23T10:05:00Z (in 5m)
No run is planned.
";
        assert_eq!(samples::plain(&text(&explanation, samples::screen())), expected);
    }

    #[test]
    fn each_configuration_is_explained_by_its_own_rule() {
        let mut explanation = explanation();
        explanation.row = samples::edited();
        let shown = samples::plain(&text(&explanation, samples::screen()));
        let expected = "\
lake: editError, failing since 2026-11-23T09:00:00Z (1h ago)

Rule:        a transient failure \\u{9b}
Consecutive: 0 failing, 7 passing
";
        assert!(shown.starts_with(expected), "{shown}");
        let new = "
New configuration, failing since 2026-11-23T09:00:00Z (1h ago); not in force until it passes
Rule: a definitive failure (denied) counts at once
Consecutive: 2 failing, 0 passing

Evidence of the new configuration: It is known to fail: what was seen weighs 100 of the 100 that a failure needs.
AT                    WEIGHT  MISSING  SEEN
2026-11-23T09:00:00Z  100     0        denied

Findings of the new configuration
  failed (unreachable) Connect to host: Unable\\nto connect to host.
    Fix: Open port 5439.
";
        assert!(shown.contains(new), "{shown}");
    }

    #[test]
    fn keys_that_override_the_rule_are_named_beside_the_evidence() {
        let mut explanation = explanation();
        let policy = Policy { confirm_runs: Some(4), ..Policy::default() };
        explanation.situation.policy = Some(policy);
        explanation.row.evidence.looks.truncate(2);
        explanation.row.evidence.is_failing = false;
        let shown = samples::plain(&text(&explanation, samples::screen()));
        let expected = "
Evidence: It may fail: what was seen weighs 50 of the 100 that a failure needs; 50 are missing.
Runs are counted in place of the rule of evidence: confirm_runs = 4
AT                    WEIGHT  MISSING  SEEN
";
        assert!(shown.contains(expected), "{shown}");
    }

    #[test]
    fn mutes_and_daemon_faults_are_shown_beside_the_rule() {
        let mut explanation = explanation();
        (explanation.row, explanation.situation) = samples::troubled();
        explanation.situation.mutes.remove(0);
        explanation.faults = samples::faults().into();
        let shown = samples::plain(&text(&explanation, samples::screen()));
        let expected = "\
lake: recurringValidationError, failing since 2026-11-23T08:00:00Z (2h ago)
The daemon is degraded since 2026-11-23T09:00:00Z (1h ago), network: no canary answers\\u{1b}; no status changes because of it.

Rule:        a transient failure \\u{9b}
Consecutive: 3 failing, 0 passing
Notified:    enabled
Muted:       by silence 3 until 2026-11-23T12:00:00Z (in 2h)
Mutes:       flapping until 2026-11-23T10:20:00Z (in 20m)
Changes:     1 notified within 6h; 3 allowed
Flapping:    since 2026-11-23T09:00:00Z (1h ago); ends at 2026-11-23T10:20:00Z (in 20m) without another status change
Outage:      out_1 of host db\\u{1b} since 2026-11-23T08:00:00Z (2h ago)
Fault:       daemon fault (network); the status stays
Shared:      host db\\u{1b} with 3 others

Evidence: It is known to fail";
        assert!(shown.starts_with(expected), "{shown}");
    }

    #[test]
    fn upcoming_runs_are_shown_in_utc_and_in_the_zone() {
        let mut explanation = explanation();
        explanation.row.cron = "30 9 * * *".to_owned();
        explanation.schedule = Schedule::parse("30 9 * * *", "Europe/Berlin").ok();
        let shown = text(&explanation, samples::screen());
        let (_, table) = shown.split_once("\nUpcoming runs of its schedule\n").unwrap();
        let lines: Vec<_> = table.lines().collect();
        let upcoming = explanation.upcoming(samples::screen().now);
        assert_eq!(lines.len(), 1 + upcoming.len(), "{shown}");
        for (line, at) in lines[1..].iter().zip(upcoming) {
            assert!(at.local.ends_with(" CET"), "{}", at.local);
            let (utc, shown) = line.split_once("  ").unwrap();
            let second = crate::domain::Timestamp(at.utc.unix_seconds() * 1000).to_string();
            assert_eq!((utc, shown.trim_start()), (second.as_str(), at.local.as_str()));
        }
    }

    #[test]
    fn an_integration_without_a_run_is_explained() {
        let mut fresh = explanation();
        fresh.runs.clear();
        fresh.row.last_run = None;
        let shown = text(&fresh, samples::screen());
        assert!(shown.contains("It has not been validated yet.\n"), "{shown}");
        assert!(shown.contains("It runs for the first time as soon as it can.\n"), "{shown}");
    }
}
