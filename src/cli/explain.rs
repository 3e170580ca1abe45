//! `explain`: why an integration has its status, and when it runs next and why then.

use anyhow::Context as _;
use serde::Serialize;

use super::args::{Global, Named};
use super::history::trigger_word;
use super::next::{coming, table as instants_table};
use super::print::{
    Answer, Screen, Table, Tone, ago, instant, result_word, sanitise, status_word, toned,
};
use super::shape::{Counters, DaemonFault, Messages, Run};
use super::special::{Special, degraded};
use super::{Trouble, list, read, results};
use crate::domain::{
    Class, ReportStatus, SPREAD_MAX, Schedule, Status, Subject, Timestamp, duration_text,
};
use crate::store::{IntegrationRow, OwnFaultRow, Page, RunRow, StoredTest};

/// How many of the latest runs are shown.
const RUNS: u32 = 10;
/// How many coming instants are shown.
const INSTANTS: usize = 5;

/// All there is to say.
#[derive(Debug)]
struct Explanation {
    row: IntegrationRow,
    runs: Vec<RunRow>,
    special: Special,
    /// What is wrong on the daemon's own side.
    faults: Vec<OwnFaultRow>,
    /// None when the stored expression or zone is no longer understood.
    schedule: Option<Schedule>,
}

/// What programs get.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained<'a> {
    name: &'a str,
    status: Status,
    failing_since: Option<Timestamp>,
    counters: Counters,
    rule: Option<&'a str>,
    last_passed_at: Option<Timestamp>,
    runs: Vec<Run<'a>>,
    messages: Messages<'a>,
    daemon_faults: Vec<DaemonFault<'a>>,
    next_run_at: Option<Timestamp>,
    next_run_reason: String,
    schedule: &'a str,
    zone: &'a str,
    coming: Vec<Coming>,
}

/// An instant of the schedule, with the spread.
#[derive(Debug, Serialize)]
struct Coming {
    utc: Timestamp,
    local: String,
}

/// Explains one integration.
pub(super) async fn answer(
    global: &Global,
    args: &Named,
    screen: Screen,
) -> Result<Answer, Trouble> {
    let (view, assembly) = read::both(global, &args.source)?;
    let row = read::integration(&view, &args.name).await?;
    let special = Special::read(&view, assembly.as_ref(), &row, screen.now).await?;
    let faults = view.own_faults().await.context("reading the store")?;
    let runs = view.runs(row.id, Page::first(RUNS)).await.context("reading the store")?.rows;
    let schedule = Schedule::parse(&row.cron, &row.zone).ok();
    let explanation = Explanation { row, runs, special, faults, schedule };
    if args.form.json {
        return Ok(Answer::json(&explanation.explained(screen.now))?);
    }
    Ok(Answer::good(explanation.text(screen)))
}

impl Explanation {
    /// The coming instants at which it is due, spread included.
    fn coming(&self, now: Timestamp) -> Vec<Timestamp> {
        let (id, idle) = (self.row.id, self.row.status.subjects().is_empty());
        let Some(schedule) = self.schedule.as_ref().filter(|_| !idle) else { return Vec::new() };
        coming(now, |after| schedule.next_due(id, after)).take(INSTANTS).collect()
    }

    fn explained(&self, now: Timestamp) -> Explained<'_> {
        let local = |at| self.schedule.as_ref().map(|schedule| schedule.local(at));
        let coming = self.coming(now).into_iter();
        Explained {
            name: &self.row.name,
            status: self.row.status,
            failing_since: self.row.failing_since,
            counters: self.row.counters.into(),
            rule: self.runs.first().map(|run| run.rule.as_str()),
            last_passed_at: self.row.fingerprint_at,
            runs: self.runs.iter().map(Run::from).collect(),
            messages: Messages::of(&self.row, &self.special, now),
            daemon_faults: self.faults.iter().map(DaemonFault::from).collect(),
            next_run_at: self.row.next_run_at,
            next_run_reason: self.reason(now),
            schedule: &self.row.cron,
            zone: &self.row.zone,
            coming: coming
                .map(|utc| Coming { utc, local: local(utc).unwrap_or_default() })
                .collect(),
        }
    }

    fn text(&self, screen: Screen) -> String {
        let Self { row, runs, special, faults, .. } = self;
        let since = row.failing_since.map(|since| {
            format!(", failing since {} ({})", instant(Some(since)), ago(screen.now, since))
        });
        let heading = format!(
            "{}: {}{}",
            sanitise(&row.name),
            status_word(row.status),
            since.unwrap_or_default()
        );
        let mut parts = vec![heading + "\n" + &degraded(faults, screen)];
        let facts = special.facts(row, screen).into_iter();
        let facts = facts.map(|(name, value)| format!("{:<9} {value}\n", format!("{name}:")));
        let facts: String = facts.collect();
        match runs.first() {
            Some(last) => {
                parts.push(rule(last, row) + &facts);
                parts.push(format!("Latest runs\n{}", runs_table(runs, screen)));
                parts.extend(failures(last));
                parts.extend(results::drift(last, row.fingerprint_at));
            }
            None => parts.push(format!("It has not been validated yet.\n{facts}")),
        }
        parts.push(format!(
            "Next run: {} ({})\n{}\n",
            instant(row.next_run_at),
            list::next_run(row, screen),
            sanitise(&self.reason(screen.now)),
        ));
        let coming = self.coming(screen.now);
        if let Some(schedule) = self.schedule.as_ref().filter(|_| !coming.is_empty()) {
            let table = instants_table(schedule, &coming, screen);
            parts.push(format!("Coming instants of its schedule\n{table}"));
        }
        parts.join("\n")
    }

    /// Why it runs next when it does.
    fn reason(&self, now: Timestamp) -> String {
        let row = &self.row;
        if row.status.subjects().is_empty() {
            return format!("Nothing runs while it is {}.", row.status);
        }
        if let Some(until) = row.lease_until.filter(|until| now < *until) {
            return format!("A run is under way; it has until {until}.");
        }
        let (Some(at), Some(schedule)) = (row.next_run_at, &self.schedule) else {
            return "No run is planned.".to_owned();
        };
        let Some(last) = self.runs.first() else {
            return "It runs for the first time as soon as it can.".to_owned();
        };
        let ended = last.started_at.plus(last.duration);
        let cron = format!("`{}` in {}", schedule.text(), schedule.zone());
        if schedule.next_due(row.id, ended) == Some(at)
            || schedule.next_due(row.id, Timestamp(at.0.saturating_sub(1))) == Some(at)
        {
            let spread = spread(schedule, at).map(|wait| {
                let wait = duration_text(wait);
                format!(", {wait} later so that integrations do not all start at once")
            });
            return format!("Its schedule: {cron}{}.", spread.unwrap_or_default());
        }
        if is_open(last, row.status) {
            let wait = duration_text(at.since(ended));
            return format!(
                "To confirm, {wait} after a run that was not conclusive: {}.",
                last.rule
            );
        }
        format!("Out of turn, because something changed; its schedule is {cron}.")
    }
}

/// True when more runs are needed before the last one decides about `status`.
fn is_open(last: &RunRow, status: Status) -> bool {
    match last.status {
        ReportStatus::Failed => last.class.is_some_and(|class| !class.is_definitive()),
        ReportStatus::Passed | ReportStatus::Warning => status != Status::Enabled,
        ReportStatus::Skipped => true,
    }
}

/// How long after an instant of the schedule `at` lies; none when it is one itself.
fn spread(schedule: &Schedule, at: Timestamp) -> Option<std::time::Duration> {
    let from = at.minus(SPREAD_MAX);
    let before = coming(from, |after| schedule.next_after(after)).take_while(|one| *one <= at);
    before.last().map(|base| at.since(base)).filter(|wait| !wait.is_zero())
}

/// The rule that held or flipped the status, with what the runs add up to.
fn rule(last: &RunRow, row: &IntegrationRow) -> String {
    format!(
        "Rule:     {}\nIn a row: {} failing, {} passing\n",
        sanitise(&last.rule),
        row.counters.failures,
        row.counters.passes,
    )
}

fn runs_table(runs: &[RunRow], screen: Screen) -> String {
    let mut table = Table::new(screen, 1, ["AT", "TRIGGER", "SUBJECT", "RESULT", "CLASS", "RULE"]);
    for run in runs {
        table.row([
            instant(Some(run.started_at)),
            trigger_word(run.trigger).to_owned(),
            subject_word(run.subject).to_owned(),
            result_word(run.status),
            run.class.map_or_else(|| toned("-", Tone::Quiet), |class| class.as_str().to_owned()),
            sanitise(&run.rule).into_owned(),
        ]);
    }
    table.text()
}

const fn subject_word(subject: Subject) -> &'static str {
    match subject {
        Subject::Active => "active",
        Subject::Candidate => "new",
    }
}

/// The tests of the latest run that failed or warned, with the class of each.
fn failures(last: &RunRow) -> Option<String> {
    let line = |test: &StoredTest| {
        let class = test.class.map_or("-", Class::as_str);
        let said = test.message.as_deref().unwrap_or_default();
        let fix = test.remediation.as_deref();
        let fix = fix.map_or(String::new(), |fix| format!("\n    fix: {}", sanitise(fix)));
        let result = result_word(test.status);
        format!("  {result} ({class}) {}: {}{fix}\n", sanitise(&test.name), sanitise(said))
    };
    let found = last.report.tests.iter().filter(|test| test.class.is_some());
    let lines: String = found.map(line).collect();
    (!lines.is_empty()).then(|| format!("What the latest run found\n{lines}"))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use std::time::Duration;

    fn explanation() -> Explanation {
        let row = samples::integration();
        let schedule = Schedule::parse(&row.cron, &row.zone).ok();
        let (runs, special) = (vec![samples::run()], Special::default());
        Explanation { row, runs, special, faults: Vec::new(), schedule }
    }

    #[test]
    fn people_see_the_rule_the_runs_and_the_plan() {
        let mut explanation = explanation();
        explanation.schedule = None;
        let expected = "\
lake: recurringValidationError, failing since 2026-11-23T08:00:00Z (2h ago)

Rule:     a transient failure \\u{9b}
In a row: 3 failing, 0 passing

Latest runs
AT                    TRIGGER  SUBJECT  RESULT  CLASS        RULE
2026-11-23T09:56:40Z  confirm  active   failed  unreachable  a transient failure \\u{9b}

What the latest run found
  failed (unreachable) Connect to host: Unable\\nto connect to host.
    fix: Open port 5439.

What changed since the last passing run at 2026-11-23T07:45:00Z
  version of h: 1.3 instead of 1.2\\u{9b}

Next run: 2026-11-23T10:05:00Z (in 5m)
No run is planned.
";
        assert_eq!(samples::plain(&explanation.text(samples::screen())), expected);
    }

    #[test]
    fn what_keeps_receivers_from_knowing_stands_beside_the_rule() {
        let mut explanation = explanation();
        (explanation.row, explanation.special) = samples::troubled();
        explanation.special.in_force.remove(0);
        explanation.faults = samples::faults().into();
        let shown = samples::plain(&explanation.text(samples::screen()));
        let expected = "\
lake: recurringValidationError, failing since 2026-11-23T08:00:00Z (2h ago)
The daemon is degraded since 2026-11-23T09:00:00Z (1h ago), network: no canary answers\\u{1b}; no status changes by it.

Rule:     a transient failure \\u{9b}
In a row: 3 failing, 0 passing
Told:     enabled
Held:     by silence 3 until 2026-11-23T12:00:00Z (in 2h)
In force: flapping until 2026-11-23T10:20:00Z (in 20m)
Flips:    1 told within 6h; 3 are let pass
Flapping: since 2026-11-23T09:00:00Z (1h ago); calm at 2026-11-23T10:20:00Z (in 20m) without another flip
Outage:   out_1 of host db\\u{1b} since 2026-11-23T08:00:00Z (2h ago)
Ours:     network, so the status stays
Shared:   host db\\u{1b} with 3 others

Latest runs
";
        assert!(shown.starts_with(expected), "{shown}");
        let json = serde_json::to_value(explanation.explained(samples::screen().now)).unwrap();
        assert_eq!(json["messages"]["held"]["by"], "silence 3");
        assert_eq!(json["messages"]["inForce"][0]["by"], "flapping");
        assert_eq!(json["daemonFaults"][0]["fault"], "network");
    }

    #[test]
    fn the_coming_instants_are_shown_in_utc_and_in_the_zone() {
        let mut explanation = explanation();
        explanation.row.cron = "30 9 * * *".to_owned();
        explanation.schedule = Schedule::parse("30 9 * * *", "Europe/Berlin").ok();
        let shown = explanation.text(samples::screen());
        let (_, table) = shown.split_once("\nComing instants of its schedule\n").unwrap();
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 1 + INSTANTS, "{shown}");
        for (line, at) in lines[1..].iter().zip(explanation.coming(samples::screen().now)) {
            let local = explanation.schedule.as_ref().unwrap().local(at);
            assert!(local.ends_with(" CET"), "{local}");
            let (utc, shown) = line.split_once("  ").unwrap();
            assert_eq!((utc, shown.trim_start()), (at.to_string().as_str(), local.as_str()));
        }
    }

    #[test]
    fn the_reason_of_the_next_run_is_told() {
        let now = samples::screen().now;
        let mut explained = explanation();
        let due = explained.schedule.as_ref().unwrap().next_due(explained.row.id, now).unwrap();
        let reason = |explained: &Explanation| explained.reason(now);

        let confirming = reason(&explained);
        let expected = "To confirm, 8m 19s after a run that was not conclusive: a transient";
        assert!(confirming.starts_with(expected), "{confirming}");

        explained.row.next_run_at = Some(due);
        let scheduled = reason(&explained);
        let start = "Its schedule: `*/15 * * * *` in Europe/Berlin, ";
        assert!(scheduled.starts_with(start), "{scheduled}");
        assert!(scheduled.ends_with(" later so that integrations do not all start at once."));

        explained.runs[0].status = ReportStatus::Passed;
        explained.runs[0].class = None;
        explained.row.next_run_at = Some(now);
        assert!(reason(&explained).starts_with("To confirm, "), "a recovery that needs more runs");
        explained.row.status = Status::Enabled;
        assert!(reason(&explained).starts_with("Out of turn, because something changed"));

        explained.row.lease_until = Some(now.plus(Duration::from_secs(9)));
        let running = "A run is under way; it has until 2026-11-23T10:00:09Z.";
        assert_eq!(reason(&explained), running);

        explained.row.status = Status::Disabled;
        assert_eq!(reason(&explained), "Nothing runs while it is disabled.");
        assert!(explained.coming(now).is_empty());
    }

    #[test]
    fn an_integration_without_a_run_is_explained() {
        let mut fresh = explanation();
        fresh.runs.clear();
        let shown = fresh.text(samples::screen());
        assert!(shown.contains("It has not been validated yet.\n"), "{shown}");
        assert!(shown.contains("It runs for the first time as soon as it can.\n"), "{shown}");
    }

    #[test]
    fn programs_get_the_same() {
        let explanation = explanation();
        let now = samples::screen().now;
        let json = serde_json::to_value(explanation.explained(now)).unwrap();
        assert_eq!(json["rule"], "a transient failure \u{9b}");
        assert_eq!(json["counters"]["failures"], 3);
        assert_eq!(json["runs"][0]["class"], "unreachable");
        assert_eq!(json["runs"][0]["drift"][0]["gained"], serde_json::json!(["1.3"]));
        assert_eq!(json["lastPassedAt"], "2026-11-23T07:45:00Z");
        assert_eq!(json["coming"].as_array().unwrap().len(), INSTANTS);
        let schedule = explanation.schedule.as_ref().unwrap();
        let due = schedule.next_due(explanation.row.id, now).unwrap();
        assert_eq!(json["coming"][0]["utc"], due.to_string());
        assert_eq!(json["coming"][0]["local"], schedule.local(due));
        assert_eq!(json["coming"][4]["utc"], due.plus(Duration::from_hours(1)).to_string());
    }

    #[test]
    fn the_spread_is_what_lies_between_the_schedule_and_the_run() {
        let schedule = Schedule::parse("0 * * * *", "UTC").unwrap();
        let at = samples::at("2026-11-23T10:02:30Z");
        assert_eq!(spread(&schedule, at), Some(Duration::from_secs(150)));
        assert_eq!(spread(&schedule, samples::at("2026-11-23T10:00:00Z")), None);
    }
}
