//! State of an integration for a monitoring system: from a run that was just made, or from what the daemon stored.

use std::time::Duration;

use super::output::{Figures, Found, State};
use crate::domain::{Class, Observed, Report, ReportStatus, Status, Timestamp, duration_text};
use crate::store::{IntegrationRow, NodeRow, RunRow, StoredReport, StoredTest};
use crate::view::Liveness;

/// Time after which the daemon should have noted again that it lives, and by which a run may be late.
const SILENT_MAX: Duration = Duration::from_mins(5);

/// Run that was just made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    /// Results of its tests.
    pub(super) report: &'a Report,
    /// Observations beside those results.
    pub(super) observed: &'a Observed,
    /// Time that it took.
    pub(super) took: Duration,
}

/// Daemon that stored a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Daemon<'a> {
    /// State of its process.
    pub(super) liveness: Liveness,
    /// Row of its node.
    pub(super) node: &'a NodeRow,
}

/// Returns the state after `run`; `row` is what the daemon has stored, where that can be read.
pub(super) fn run(run: Run<'_>, row: Option<&IntegrationRow>, now: Timestamp) -> Found {
    let stored = StoredReport::from(run.report);
    // Without a daemon nothing else would ever confirm a failure.
    let is_confirmed = row.is_none_or(|row| row.status.is_error());
    let (state, message) = judged(run.report.status(), run.report.class(), is_confirmed, &stored);
    let first = run.observed.expiries.iter().map(|expiry| expiry.at).min();
    let at = first.or_else(|| row?.expires.as_ref().map(|(at, _)| *at));
    let figures = Figures {
        duration: Some(run.took),
        failures: row.map(|row| row.evidence.counters.failures),
        expiry: at.map(|at| at.since(now)),
        ..Figures::default()
    };
    Found { state, message, details: details(&stored), figures }
}

/// Returns the state that the daemon has stored.
pub(super) fn row(row: &IntegrationRow, daemon: &Daemon<'_>, now: Timestamp) -> Found {
    let candidate = row.candidate.as_ref().filter(|_| row.status != Status::Enabled);
    let of_candidate = candidate.and_then(|new| Some((new.last_run.as_ref()?, &new.evidence)));
    let latest = of_candidate.or_else(|| Some((row.last_run.as_ref()?, &row.evidence)));
    let (state, message) = match unseen(row, daemon, now) {
        Some(reason) => (State::Unknown, reason),
        None => match latest {
            Some((last, _)) => of_run(row, last, now),
            None if row.status.is_error() => (State::Critical, row.status.to_string()),
            None => (State::Unknown, "it has not been validated yet".to_owned()),
        },
    };
    let mut details = latest.map(|(last, _)| details(&last.report)).unwrap_or_default();
    details.insert(0, format!("status {}", row.status));
    if let Some(mute) = &row.mute {
        details.insert(1, format!("muted by {} until {}", mute.by, mute.until));
    }
    let figures = Figures {
        duration: latest.map(|(last, _)| last.duration),
        failures: latest.map(|(_, evidence)| evidence.counters.failures),
        expiry: row.expires.as_ref().map(|(at, _)| at.since(now)),
        ..Figures::default()
    };
    Found { state, message, details, figures }
}

/// Returns the reason for which the row says nothing about the present.
fn unseen(row: &IntegrationRow, daemon: &Daemon<'_>, now: Timestamp) -> Option<String> {
    let is_old = |at: Timestamp| SILENT_MAX < now.since(at);
    let status = row.status;
    if !row.status.is_in_use() {
        return Some(format!("it is not validated, since its status is {status}"));
    }
    if daemon.liveness == Liveness::Stopped {
        return Some(format!("the daemon does not run; the latest status is {status}"));
    }
    if let Some(at) = daemon.node.seen_at.filter(|at| is_old(*at)) {
        let age = duration_text(now.since(at));
        return Some(format!("the daemon was last seen {age} ago; the latest status is {status}"));
    }
    let is_running = row.lease_until.is_some_and(|until| now <= until);
    let due = row.next_run_at.filter(|at| is_old(*at) && !is_running)?;
    let late = duration_text(now.since(due));
    Some(format!("its run is {late} late; the latest status is {status}"))
}

/// Returns the state after the latest run that the daemon has stored.
fn of_run(row: &IntegrationRow, last: &RunRow, now: Timestamp) -> (State, String) {
    if let Some(fault) = row.own_fault.filter(|_| !row.status.is_error()) {
        let fault = fault.as_str();
        return (State::Unknown, format!("a fault of the daemon itself ({fault}) gave no verdict"));
    }
    let (state, message) = judged(last.status, last.class, row.status.is_error(), &last.report);
    if row.status.is_error() {
        let message =
            if state == State::Ok { "recovery is not confirmed".to_owned() } else { message };
        return (State::Critical, message);
    }
    // A definitive failure that has not changed the status is asked for once more.
    let state = if state == State::Critical { State::Warning } else { state };
    let message = match last.status {
        ReportStatus::Passed => {
            format!("{message} {} ago", duration_text(now.since(last.started_at)))
        }
        ReportStatus::Failed if state == State::Warning && !message.starts_with(UNCONFIRMED) => {
            format!("{UNCONFIRMED}{message}")
        }
        ReportStatus::Failed | ReportStatus::Warning | ReportStatus::Skipped => message,
    };
    (state, message)
}

/// Beginning of the message of a failure that is not confirmed.
const UNCONFIRMED: &str = "unconfirmed: ";

/// Returns the state and the message of a report.
fn judged(
    status: ReportStatus,
    class: Option<Class>,
    is_confirmed: bool,
    report: &StoredReport,
) -> (State, String) {
    match (status, class) {
        (ReportStatus::Passed, _) => (State::Ok, passed(report)),
        (ReportStatus::Warning, _) => (State::Warning, problem(report, ReportStatus::Warning)),
        (ReportStatus::Skipped, _) => (State::Unknown, problem(report, ReportStatus::Skipped)),
        (ReportStatus::Failed, Some(Class::Local) | None) => {
            (State::Unknown, problem(report, ReportStatus::Failed))
        }
        (ReportStatus::Failed, Some(class)) if is_confirmed || class.is_definitive() => {
            (State::Critical, problem(report, ReportStatus::Failed))
        }
        (ReportStatus::Failed, Some(_)) => {
            (State::Warning, format!("{UNCONFIRMED}{}", problem(report, ReportStatus::Failed)))
        }
    }
}

fn passed(report: &StoredReport) -> String {
    let count = report.tests.iter().filter(|test| test.status == ReportStatus::Passed).count();
    let tests = if count == 1 { "test" } else { "tests" };
    format!("{count} {tests} passed")
}

/// Returns the message of the first test with this result.
fn problem(report: &StoredReport, status: ReportStatus) -> String {
    let first = report.tests.iter().find(|test| test.status == status);
    let said = |test: &StoredTest| test.message.clone().unwrap_or_else(|| test.name.clone());
    first.map_or_else(|| format!("the run was {}", status.as_str()), said)
}

/// Returns a line for each test that failed or warned, and one for its remediation.
fn details(report: &StoredReport) -> Vec<String> {
    let tests = report.tests.iter().filter(|test| test.class.is_some());
    let lines = tests.flat_map(|test| {
        let said = test.message.as_deref().unwrap_or_default();
        let line = format!("{}: {}: {said}", test.status.as_str(), test.name);
        let fix = test.remediation.as_ref().map(|fix| format!("Fix: {fix}"));
        std::iter::once(line).chain(fix)
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::samples;
    use super::*;
    use crate::domain::{Counters, Evidence, Finding, Outcome, OwnFault, Test, TestResult};

    fn report(class: Option<Class>) -> Report {
        let outcome = class.map_or(Outcome::Passed(None), |class| {
            Outcome::Failed(Finding::new(class, "No answer.").fix("Open the port."))
        });
        Report { tests: vec![TestResult { test: Test::always("connect", ""), outcome }] }
    }

    fn warned() -> Report {
        let outcome = Outcome::Warning(Finding::new(Class::Expired, "It expires soon."));
        Report { tests: vec![TestResult { test: Test::always("expiry", ""), outcome }] }
    }

    fn enabled() -> IntegrationRow {
        let last = samples::run();
        let last = RunRow {
            status: ReportStatus::Passed,
            class: None,
            report: StoredReport::from(&report(None)),
            ..last
        };
        let evidence =
            Evidence { counters: Counters { failures: 0, passes: 4 }, ..Evidence::default() };
        IntegrationRow {
            status: Status::Enabled,
            last_run: Some(last),
            evidence,
            ..samples::integration()
        }
    }

    fn failed(class: Class, row: IntegrationRow) -> IntegrationRow {
        let found = report(Some(class));
        let last = RunRow {
            status: ReportStatus::Failed,
            class: Some(class),
            report: StoredReport::from(&found),
            ..samples::run()
        };
        IntegrationRow { last_run: Some(last), ..row }
    }

    #[test]
    fn run_that_was_just_made_has_a_state() {
        let (enabled, failing) = (enabled(), samples::integration());
        let unreachable = report(Some(Class::Unreachable));
        let table = [
            (report(None), Some(&enabled), State::Ok, "1 test passed"),
            (warned(), Some(&enabled), State::Warning, "It expires soon."),
            (unreachable.clone(), Some(&enabled), State::Warning, "unconfirmed: No answer."),
            (unreachable.clone(), Some(&failing), State::Critical, "No answer."),
            (unreachable, None, State::Critical, "No answer."),
            (report(Some(Class::Denied)), Some(&enabled), State::Critical, "No answer."),
            (report(Some(Class::Local)), Some(&failing), State::Unknown, "No answer."),
        ];
        for (report, row, state, message) in table {
            let observed = Observed::default();
            let made = Run { report: &report, observed: &observed, took: Duration::from_secs(1) };
            let found = run(made, row, samples::now());
            assert_eq!((found.state, found.message.as_str()), (state, message));
        }
    }

    #[test]
    fn stored_row_has_a_state() {
        let (enabled, failing) = (enabled(), samples::integration());
        let recovering = IntegrationRow { last_run: enabled.last_run.clone(), ..failing.clone() };
        let with = |status| IntegrationRow { status, ..enabled.clone() };
        let new = IntegrationRow { status: Status::Creating, last_run: None, ..enabled.clone() };
        let local = IntegrationRow { own_fault: Some(OwnFault::Network), ..enabled.clone() };
        let late = IntegrationRow {
            next_run_at: Some(samples::at("2026-11-23T09:50:00Z")),
            ..enabled.clone()
        };
        let table = [
            (enabled.clone(), State::Ok, "1 test passed 3m 20s ago"),
            (
                failed(Class::Unreachable, enabled.clone()),
                State::Warning,
                "unconfirmed: No answer.",
            ),
            (failed(Class::Denied, enabled.clone()), State::Warning, "unconfirmed: No answer."),
            (failed(Class::Local, enabled.clone()), State::Unknown, "No answer."),
            (failing, State::Critical, "Unable\nto connect to host."),
            (recovering, State::Critical, "recovery is not confirmed"),
            (samples::edited(), State::Critical, "Unable\nto connect to host."),
            (
                with(Status::Disabled),
                State::Unknown,
                "it is not validated, since its status is disabled",
            ),
            (new, State::Unknown, "it has not been validated yet"),
            (local, State::Unknown, "a fault of the daemon itself (network) gave no verdict"),
            (late, State::Unknown, "its run is 10m late; the latest status is enabled"),
        ];
        for (row, state, message) in table {
            let node = NodeRow { seen_at: Some(samples::now()), ..NodeRow::default() };
            let daemon = Daemon { liveness: Liveness::Running, node: &node };
            let found = super::row(&row, &daemon, samples::now());
            assert_eq!((found.state, found.message.as_str()), (state, message), "{:?}", row.status);
        }
    }

    #[test]
    fn daemon_that_is_gone_or_silent_says_nothing_about_the_present() {
        let at = samples::at("2026-11-23T09:50:00Z");
        let table = [
            (
                Liveness::Stopped,
                samples::now(),
                "the daemon does not run; the latest status is enabled",
            ),
            (
                Liveness::Running,
                at,
                "the daemon was last seen 10m ago; the latest status is enabled",
            ),
            (
                Liveness::Unknown,
                at,
                "the daemon was last seen 10m ago; the latest status is enabled",
            ),
        ];
        for (liveness, seen_at, message) in table {
            let node = NodeRow { seen_at: Some(seen_at), ..NodeRow::default() };
            let found = row(&enabled(), &Daemon { liveness, node: &node }, samples::now());
            assert_eq!((found.state, found.message.as_str()), (State::Unknown, message));
        }
    }
}
