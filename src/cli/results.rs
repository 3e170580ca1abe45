//! The table of a report's tests, for every command that shows one.

use super::print::{Column, Screen, Table, ago, result_word, sanitise};
use crate::domain::{Class, Counters, Subject, Timestamp, duration_text};
use crate::store::{CandidateRow, RunRow, StoredReport, StoredTest};

const RESULT: Column = Column::whole("RESULT");
const CLASS: Column = Column::whole("CLASS").dropped(2);
const TEST: Column = Column::text("TEST");
const MESSAGE: Column = Column::text("MESSAGE");

/// Lays out one row per test: result, class, name, message, and the remediation on its own line.
#[must_use]
pub(super) fn table(screen: Screen, report: &StoredReport) -> String {
    let mut table = Table::new(screen, [RESULT, CLASS, TEST, MESSAGE]);
    for test in &report.tests {
        table.row([result_word(test.status), class(test), name(test), message(test)]);
    }
    table.text()
}

/// Lays out the same of a stored run, with the time of each test where it is known.
#[must_use]
pub(super) fn table_of(run: &RunRow, screen: Screen) -> String {
    if run.took.is_empty() {
        return table(screen, &run.report);
    }
    let took = Column::whole("TOOK").dropped(1);
    let mut table = Table::new(screen, [RESULT, CLASS, took, TEST, MESSAGE]);
    for (place, test) in run.report.tests.iter().enumerate() {
        let took = run.took.of(place).map_or_else(|| "-".to_owned(), duration_text);
        table.row([result_word(test.status), class(test), took, name(test), message(test)]);
    }
    table.text()
}

fn class(test: &StoredTest) -> String {
    test.class.map_or("-", Class::as_str).to_owned()
}

fn name(test: &StoredTest) -> String {
    sanitise(&test.name).into_owned()
}

/// Returns a line for each test that failed or warned, with its class and its remediation.
pub(super) fn findings(report: &StoredReport) -> String {
    let line = |test: &StoredTest| {
        let class = test.class.map_or("-", Class::as_str);
        let said = test.message.as_deref().unwrap_or_default();
        let fix = test.remediation.as_deref();
        let fix = fix.map_or(String::new(), |fix| format!("\n    Fix: {}", sanitise(fix)));
        let result = result_word(test.status);
        format!("  {result} ({class}) {}: {}{fix}\n", sanitise(&test.name), sanitise(said))
    };
    report.tests.iter().filter(|test| test.class.is_some()).map(line).collect()
}

/// Returns the raw errors of the platform, by the test.
pub(super) fn evidence(report: &StoredReport) -> Option<String> {
    let line = |test: &StoredTest| {
        let said = test.evidence.as_deref()?;
        Some(format!("  {}: {}\n", sanitise(&test.name), sanitise(said)))
    };
    let lines: String = report.tests.iter().filter_map(line).collect();
    (!lines.is_empty()).then(|| format!("What the platform said\n{lines}"))
}

/// Returns ` of the new configuration`, or nothing for the one in force.
pub(super) const fn of(subject: Subject) -> &'static str {
    match subject {
        Subject::Active => "",
        Subject::Candidate => " of the new configuration",
    }
}

/// Returns the message and the remediation.
fn message(test: &StoredTest) -> String {
    let said = test.message.as_deref().map(|said| sanitise(said).into_owned());
    let fix = test.remediation.as_deref().map(|fix| format!("Fix: {}", sanitise(fix)));
    let lines: Vec<_> = said.into_iter().chain(fix).collect();
    if lines.is_empty() { "-".to_owned() } else { lines.join("\n") }
}

/// Returns since when a new configuration fails, by which rule, and that it is not in force.
pub(super) fn candidate(new: &CandidateRow, screen: Screen) -> String {
    let since = new.failing_since.map_or(String::new(), |since| {
        format!(", failing since {} ({})", screen.instant(Some(since)), ago(screen.now, since))
    });
    let rule = new.last_run.as_ref().map(|run| format!("Rule: {}\n", sanitise(&run.rule)));
    let Counters { failures, passes } = new.evidence.counters;
    format!(
        "New configuration{since}; not in force until it passes\n{}\
         Consecutive: {failures} failing, {passes} passing\n",
        rule.unwrap_or_default()
    )
}

/// Lists the differences from the last passing run, which began at `since`.
pub(super) fn drift(run: &RunRow, since: Option<Timestamp>) -> Option<String> {
    let lines = run.drift.iter().map(|drift| format!("  {}\n", sanitise(&drift.text())));
    let lines: String = lines.collect();
    let since = since.map_or(String::new(), |since| format!(" at {since}"));
    (!lines.is_empty()).then(|| format!("What changed since the last passing run{since}\n{lines}"))
}
