//! Independent model of the daemon's rules: written anew and differently, so that a mistake in the
//! ledger is not repeated here.

use std::time::Duration;

use super::checker::Tracked;
use super::faults::SECOND;
use crate::domain::{Policy, Schedule, Status, Subject, Timestamp};

/// Longest time between a decision and its commit, in milliseconds.
const SLACK_MS: i64 = 4 * SECOND;

/// Subscription of a receiver.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wants {
    /// All events, with outages in place of what belongs to them.
    All,
    /// Failures and recoveries only.
    Flips,
}

impl Wants {
    /// Returns the types of events of its configuration; none for all of them.
    pub(super) const fn events(self) -> Option<[&'static str; 2]> {
        match self {
            Self::All => None,
            Self::Flips => {
                Some(["integration.validation.failed", "integration.validation.recovered"])
            }
        }
    }

    /// Returns true when an event of `kind` must be queued for it; `grouped` events belong to an outage. A
    /// receiver that is notified of outages is not notified of what belongs to one.
    pub(super) fn wants(self, kind: &str, grouped: bool) -> bool {
        self.events().map_or(!grouped, |events| events.contains(&kind))
    }
}

/// Status before and after a transition.
pub(super) type Step = (Status, Status);

/// Event that a transition requires.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Required {
    /// Status after the transition.
    to: Status,
    /// True when a mute may delay it, until a time at which the status may be back.
    may_wait: bool,
}

/// Returns the types of events by which receivers are notified of a status. `incident` is true when they
/// were notified of a failure and not yet of its end.
fn kinds(to: Status, incident: bool) -> &'static [&'static str] {
    const FLAPPING: &str = "integration.flapping.started";
    if to == Status::RecurringValidationError {
        &["integration.validation.failed", FLAPPING]
    } else if to != Status::Enabled {
        &["integration.status.changed"]
    } else if incident {
        &["integration.validation.recovered", FLAPPING]
    } else {
        &["integration.status.changed", FLAPPING]
    }
}

/// Counters of consecutive runs of either kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judge {
    failing: u32,
    passing: u32,
}

impl Judge {
    /// Adds a run. Returns true or false when the configuration now counts as passed or failed.
    pub(super) fn count(
        &mut self,
        status: &str,
        class: Option<&str>,
        policy: &Policy,
    ) -> Option<bool> {
        match (status, class) {
            ("passed" | "warning", _) => {
                (self.failing, self.passing) = (0, self.passing + 1);
                (policy.recovery_runs <= self.passing).then_some(true)
            }
            ("failed", Some("local")) | ("skipped", _) => None,
            _ => {
                (self.failing, self.passing) = (self.failing + 1, 0);
                let definitive =
                    matches!(class, Some("denied" | "missing" | "invalid" | "expired"));
                (definitive || policy.confirm_runs <= self.failing).then_some(false)
            }
        }
    }

    const fn counters(self) -> (u32, u32) {
        (self.failing, self.passing)
    }
}

/// Returns the step that a verdict on a configuration causes, if it causes one.
pub(super) fn step(subject: Subject, from: Status, good: bool) -> Option<Step> {
    let to = match (subject, from, good) {
        (Subject::Active, Status::Enabled, false) => Status::RecurringValidationError,
        (Subject::Active, Status::RecurringValidationError, true)
        | (Subject::Candidate, _, true) => Status::Enabled,
        (Subject::Candidate, Status::Creating, false) => Status::CreateError,
        (Subject::Candidate, Status::Editing, false) => Status::EditError,
        (Subject::Candidate, Status::Migrating, false) => Status::MigrateError,
        _ => return None,
    };
    Some((from, to))
}

impl Tracked {
    /// Returns the expected state of an integration whose row is new.
    pub(super) fn new(number: usize) -> Self {
        Self {
            number,
            status: None,
            judge: Judge::default(),
            sequence: 0,
            incident: false,
            due: None,
            expected: None,
            unnotified: None,
            notified: None,
            row: (String::new(), 0, (0, 0)),
            mute: (String::new(), None),
        }
    }
}

/// Returns true when an operation may change a status so.
fn is_operation(from: Status, to: Status, cause: &str) -> bool {
    use Status::{Creating, DeleteError, Deleted, Deleting, Disabled, Editing, Migrating};
    match (cause, to) {
        ("changed", Editing) => {
            !matches!(from, Creating | Disabled | Deleted | Status::CreateError)
        }
        ("changed", Creating) => matches!(from, Status::CreateError | Deleted),
        ("removed", Deleting) => !matches!(from, Deleted | Deleting),
        ("drained", Deleted) | ("removalFailed", DeleteError) => from == Deleting,
        ("forceDisabled", Disabled) => from != Disabled,
        ("reenabled", Editing) | ("reenabledUntried", Creating) => from == Disabled,
        ("upgraded", Migrating) => {
            matches!(from, Status::Enabled | Status::RecurringValidationError)
        }
        _ => false,
    }
}

/// Run as the store has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    /// Id of the run.
    pub(super) id: i64,
    /// Configuration that was validated.
    pub(super) subject: Subject,
    /// Instant at which it began, by the daemon's clock.
    pub(super) started: Timestamp,
    /// Outcome of the run.
    pub(super) status: &'a str,
    /// Class of its failure, if it failed.
    pub(super) class: Option<&'a str>,
}

/// Transition as the store has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transition<'a> {
    /// Status before; none for the first.
    pub(super) from: Option<&'a str>,
    /// Status after the transition.
    pub(super) to: &'a str,
    /// Cause of the transition.
    pub(super) cause: Option<&'a str>,
    /// Id of the run that caused it, unless an operation did.
    pub(super) run: Option<i64>,
}

/// Returns the broken rules of a transition that is stored.
pub(super) fn transition(tracked: &mut Tracked, transition: &Transition<'_>) -> Vec<String> {
    let Transition { from, to, cause, run } = *transition;
    let mut wrong = Vec::new();
    let what = format!("i{}: transition {from:?} -> {to} ({cause:?})", tracked.number);
    if from != tracked.status.map(Status::as_str) {
        wrong.push(format!("{what} does not go on from {:?}", tracked.status));
    }
    // Several transitions of a commit: one that is muted is checked at the end of the commit.
    tracked.unnotified = tracked.unnotified.take().filter(|required| !required.may_wait);
    if let Some(required) = tracked.unnotified.take() {
        wrong.push(format!("{what}: the one before has no event, {required:?}"));
    }
    let to: Status = to.parse().unwrap();
    let from: Option<Status> = from.map(|from| from.parse().unwrap());
    match (from, run) {
        (None, _) if to == Status::Creating => {}
        (None, _) => wrong.push(format!("{what} is no beginning")),
        (Some(from), Some(run)) => {
            if tracked.expected.take() != Some((run, (from, to))) {
                wrong.push(format!("{what} is not what the runs say"));
            }
        }
        (Some(from), None) => {
            if !is_operation(from, to, cause.unwrap_or_default()) {
                wrong.push(format!("{what} has no reason"));
            }
        }
    }
    // An operation starts the counters anew; a removal does not.
    let may_wait = matches!(cause, Some("activePassed" | "activeFailed"));
    let goes_on = matches!(cause, Some("activePassed" | "activeFailed" | "removed" | "drained"));
    if !goes_on {
        tracked.judge = Judge::default();
    }
    tracked.status = Some(to);
    tracked.unnotified = Some(Required { to, may_wait });
    wrong
}

/// Returns the broken rules of an event that is stored.
pub(super) fn event(tracked: &mut Tracked, sequence: i64, kind: &str, body: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let what = format!("i{}: event {sequence} ({kind})", tracked.number);
    if sequence != tracked.sequence + 1 {
        wrong.push(format!("{what} follows {}", tracked.sequence));
    }
    tracked.sequence = sequence;
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let data = &body["data"];
    if body["type"] != *kind || data["sequence"] != sequence {
        wrong.push(format!("{what} differs from its body"));
    }
    if kind == "integration.validation.warning" {
        return wrong;
    }
    let (now, before) = (data["status"].as_str(), data["previousStatus"].as_str());
    let status = tracked.status.map(Status::as_str);
    if now != status || before != tracked.notified.map(Status::as_str) {
        let known = tracked.notified;
        wrong.push(format!("{what} says {before:?} -> {now:?}, it is {status:?}, known {known:?}"));
    }
    let waited = tracked.unnotified.take().is_some() || tracked.notified != tracked.status;
    let fits = match tracked.status {
        _ if kind == "integration.flapping.ended" => true,
        Some(status) => waited && kinds(status, tracked.incident).contains(&kind),
        None => false,
    };
    if !fits {
        wrong.push(format!("{what} belongs to no transition"));
    }
    tracked.notified = tracked.status;
    match kind {
        "integration.validation.failed" | "integration.flapping.started" => tracked.incident = true,
        "integration.validation.recovered" => tracked.incident = false,
        "integration.flapping.ended" => {
            tracked.incident = tracked.status == Some(Status::RecurringValidationError);
        }
        _ if matches!(
            tracked.status,
            Some(Status::Enabled | Status::Disabled | Status::Deleted)
        ) =>
        {
            tracked.incident = false;
        }
        _ => {}
    }
    wrong
}

/// Returns the rules that a commit has broken for an integration: something is missing, or sums differ.
pub(super) fn after_commit(tracked: &mut Tracked) -> Vec<String> {
    let mut wrong = Vec::new();
    let what = format!("i{}", tracked.number);
    if let Some(expected) = tracked.expected.take() {
        wrong.push(format!("{what}: the transition of a run is missing: {expected:?}"));
    }
    let (notified, mute) = &tracked.mute;
    let is_muted = mute.is_some();
    let required = tracked.unnotified.take().filter(|one| !(one.may_wait && is_muted));
    // Back at the status that receivers know, no event is required.
    let required = required.filter(|one| tracked.notified != Some(one.to));
    if let Some(required) = required {
        wrong.push(format!("{what}: the event of a transition is missing: {required:?}"));
    }
    if Some(notified.as_str()) != tracked.notified.map(Status::as_str) {
        let known = tracked.notified;
        wrong.push(format!("{what} counts {notified} as notified, and {known:?} was"));
    }
    if !is_muted && tracked.notified != tracked.status {
        wrong.push(format!("{what} is known as {notified}, is not muted, and is another"));
    }
    if tracked.due.is_none() && tracked.status.is_some_and(|status| !status.subjects().is_empty()) {
        wrong.push(format!("{what} is to be run and never due"));
    }
    let (status, sequence, counters) = &tracked.row;
    if Some(status.as_str()) != tracked.status.map(Status::as_str) {
        wrong.push(format!("{what} is {status}, and its transitions end in {:?}", tracked.status));
    }
    if *sequence != tracked.sequence {
        wrong.push(format!("{what} counts {sequence} events, there are {}", tracked.sequence));
    }
    if *counters != tracked.judge.counters() {
        // A candidate that was replaced by another before it was judged starts anew.
        if *counters == (0, 0) {
            tracked.judge = Judge::default();
        } else {
            let own = tracked.judge.counters();
            wrong.push(format!("{what} counts runs as {counters:?}, they add up to {own:?}"));
        }
    }
    wrong
}

/// Plan for the next run of an integration.
pub(super) struct Planned<'a> {
    /// Instant at which it was due before.
    pub(super) former: Option<Timestamp>,
    /// Instant at which it is due.
    pub(super) due: Timestamp,
    /// Instant that the clock shows.
    pub(super) wall: Timestamp,
    /// Schedules that it has had.
    pub(super) tables: &'a [Table],
    /// True when the clock has been set: runs that were then too far ahead have been planned anew.
    pub(super) was_set: bool,
    /// Wait before a confirming run.
    pub(super) confirm_wait: Duration,
}

impl Planned<'_> {
    /// Returns an error that says what is wrong with the plan.
    pub(super) fn fits(&self, trigger: &str) -> Result<(), String> {
        let ahead = self.due.0 - self.wall.0;
        if self.was_set && trigger != "change" && self.is_on_schedule().is_ok() {
            return Ok(());
        }
        match trigger {
            "schedule" => self.is_on_schedule(),
            "confirm" => {
                let wait = i64::try_from(self.confirm_wait.as_millis()).unwrap();
                // At once, when a sibling has begun to fail or works again.
                let fits =
                    (wait - SLACK_MS..=wait).contains(&ahead) || (-SLACK_MS..=0).contains(&ahead);
                fits.then_some(()).ok_or_else(|| format!("is {ahead} ms ahead, not {wait}"))
            }
            "startup" => {
                let most = self.tables.iter().map(Table::spread_max).max().unwrap();
                let fits = (-SLACK_MS..=most).contains(&ahead);
                fits.then_some(()).ok_or_else(|| format!("is {ahead} ms ahead, not up to {most}"))
            }
            "change" => (ahead <= 0).then_some(()).ok_or_else(|| format!("is {ahead} ms ahead")),
            other => Err(format!("no trigger is called {other}")),
        }
    }

    /// Returns an error unless it is within the spread after an instant of the schedule, and no instant is
    /// left out.
    fn is_on_schedule(&self) -> Result<(), String> {
        let mut why = String::new();
        for table in self.tables.iter().rev() {
            let most = table.spread_max();
            let instant = table.schedule.next_after(Timestamp(self.due.0 - most - 1)).unwrap();
            let from = self.former.map_or(self.wall, |former| former.max(self.wall));
            let next = table.schedule.next_after(from).unwrap();
            if instant <= self.due && self.due.0 <= next.0 + most {
                return Ok(());
            }
            let cron = table.schedule.text();
            why = format!("`{cron}` has {instant}, and {next} after {from}; spread {most}");
        }
        Err(why)
    }
}

/// Schedule with the longest time between two of its instants.
#[derive(Clone, Debug)]
pub(super) struct Table {
    schedule: Schedule,
    /// Longest time between two instants, in milliseconds.
    pub(super) longest: i64,
}

impl Table {
    /// Returns the table of `schedule`, as it is after `start`.
    pub(super) fn of(schedule: &Schedule, start: Timestamp) -> Self {
        let after = |instant: &Timestamp| schedule.next_after(*instant);
        let instants: Vec<_> = std::iter::successors(Some(start), after).skip(1).take(24).collect();
        let longest = instants.windows(2).map(|pair| pair[1].0 - pair[0].0).max();
        Self { schedule: schedule.clone(), longest: longest.unwrap_or_default() }
    }

    /// Returns the longest spread: a tenth of the longest time, five minutes at most.
    pub(super) fn spread_max(&self) -> i64 {
        (self.longest / 10).min(300 * SECOND)
    }
}
