//! What should be: written anew and differently from what the daemon does it by, so that a mistake
//! there is not made here as well.

use std::time::Duration;

use super::checker::Tracked;
use super::faults::SECOND;
use crate::domain::{Policy, Schedule, Status, Subject, Timestamp};

/// How far apart the planning and its commit may be, in milliseconds.
const SLACK_MS: i64 = 4 * SECOND;

/// What one of the receivers wants to be told of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wants {
    /// Everything.
    All,
    /// That something fails, and that it works again.
    Flips,
}

impl Wants {
    /// What its configuration says of it; nothing is everything.
    pub(super) const fn events(self) -> Option<[&'static str; 2]> {
        match self {
            Self::All => None,
            Self::Flips => {
                Some(["integration.validation.failed", "integration.validation.recovered"])
            }
        }
    }

    /// True when it is owed an event of `kind`, which belongs to an outage when `grouped`; the one place
    /// that knows. Who is told of outages is told of nothing that belongs to one.
    pub(super) fn wants(self, kind: &str, grouped: bool) -> bool {
        self.events().map_or(!grouped, |events| events.contains(&kind))
    }
}

/// A status and the one after it.
pub(super) type Step = (Status, Status);

/// What a transition must be told by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Told {
    /// The status after.
    to: Status,
    /// It may be held, and told later if it still differs then.
    may_wait: bool,
}

/// How a change from the status that was told last is told: the one place that knows. `incident` is
/// whether a failure has been told and no end of it.
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

/// Runs in a row, and what they say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judge {
    failing: u32,
    passing: u32,
}

impl Judge {
    /// Adds a run; the step that it causes, if it causes one.
    pub(super) fn judge(
        &mut self,
        (status, class): (&str, Option<&str>),
        policy: &Policy,
        from: Option<Status>,
        subject: Subject,
    ) -> Option<Step> {
        let good = match (status, class) {
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
        }?;
        let from = from?;
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

    const fn counters(self) -> (u32, u32) {
        (self.failing, self.passing)
    }
}

impl Tracked {
    /// An integration that has just been given a row.
    pub(super) fn new(number: usize) -> Self {
        Self {
            number,
            status: None,
            judge: Judge::default(),
            sequence: 0,
            incident: false,
            due: None,
            expected: None,
            untold: None,
            told: None,
            row: (String::new(), 0, (0, 0)),
            holds: (String::new(), None),
        }
    }
}

/// What an operation may do to a status.
fn is_operation(from: Status, to: Status, cause: &str) -> bool {
    use Status::{Creating, DeleteError, Deleted, Deleting, Disabled, Editing, Migrating};
    match (cause, to) {
        ("changed", Editing) => {
            !matches!(from, Creating | Disabled | Deleted | Status::CreateError)
        }
        ("changed", Creating) => from == Status::CreateError,
        ("removed", Deleting) => !matches!(from, Deleted | Deleting),
        ("drained", Deleted) | ("removalFailed", DeleteError) => from == Deleting,
        ("forceDisabled", Disabled) => !matches!(from, Deleted | Disabled),
        ("reenabled", Editing) | ("reenabledUntried", Creating) => from == Disabled,
        ("upgraded", Migrating) => {
            matches!(from, Status::Enabled | Status::RecurringValidationError)
        }
        _ => false,
    }
}

/// A transition is written: what is wrong with it.
pub(super) fn transition(
    tracked: &mut Tracked,
    (from, to, cause): (Option<&str>, &str, Option<&str>),
    run: Option<i64>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let what = format!("i{}: transition {from:?} -> {to} ({cause:?})", tracked.number);
    if from != tracked.status.map(Status::as_str) {
        wrong.push(format!("{what} does not go on from {:?}", tracked.status));
    }
    // One after the other in a commit: what is held has its own look at the end of it.
    tracked.untold = tracked.untold.take().filter(|untold| !untold.may_wait);
    if let Some(untold) = tracked.untold.take() {
        wrong.push(format!("{what}: nobody was told of the one before, {untold:?}"));
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
    // An operation starts anew; a removal only ends.
    let may_wait = matches!(cause, Some("activePassed" | "activeFailed"));
    let goes_on = matches!(cause, Some("activePassed" | "activeFailed" | "removed" | "drained"));
    if !goes_on {
        tracked.judge = Judge::default();
    }
    tracked.status = Some(to);
    tracked.untold = Some(Told { to, may_wait });
    wrong
}

/// An event is written: what is wrong with it.
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
        wrong.push(format!("{what} is told as another"));
    }
    if kind == "integration.validation.warning" {
        return wrong;
    }
    let (now, before) = (data["status"].as_str(), data["previousStatus"].as_str());
    let status = tracked.status.map(Status::as_str);
    if now != status || before != tracked.told.map(Status::as_str) {
        let told = tracked.told;
        wrong.push(format!("{what} tells {before:?} -> {now:?}, it is {status:?}, told {told:?}"));
    }
    let waited = tracked.untold.take().is_some() || tracked.told != tracked.status;
    let fits = match tracked.status {
        _ if kind == "integration.flapping.ended" => true,
        Some(status) => waited && kinds(status, tracked.incident).contains(&kind),
        None => false,
    };
    if !fits {
        wrong.push(format!("{what} tells of no transition"));
    }
    tracked.told = tracked.status;
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

/// A commit has touched an integration: what is missing of it.
pub(super) fn settled(tracked: &mut Tracked) -> Vec<String> {
    let mut wrong = Vec::new();
    let what = format!("i{}", tracked.number);
    if let Some(expected) = tracked.expected.take() {
        wrong.push(format!("{what}: the transition of a run is missing: {expected:?}"));
    }
    let (told, hold) = &tracked.holds;
    let is_held = hold.is_some();
    let untold = tracked.untold.take().filter(|untold| !(untold.may_wait && is_held));
    // Back where it was told to be, there is nothing to tell.
    let untold = untold.filter(|untold| tracked.told != Some(untold.to));
    if let Some(untold) = untold {
        wrong.push(format!("{what}: the event of a transition is missing: {untold:?}"));
    }
    if Some(told.as_str()) != tracked.told.map(Status::as_str) {
        wrong.push(format!("{what} counts {told} as told, and {:?} was", tracked.told));
    }
    if !is_held && tracked.told != tracked.status {
        wrong.push(format!("{what} is told as {told}, nothing holds more, and it is another"));
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

/// An integration has been planned.
pub(super) struct Planned<'a> {
    /// When it was due before.
    pub(super) former: Option<Timestamp>,
    /// When it is due.
    pub(super) due: Timestamp,
    /// What the clock shows.
    pub(super) wall: Timestamp,
    /// Every schedule it has had.
    pub(super) tables: &'a [Table],
    /// The clock has been set: what lay too far ahead by then has been brought near.
    pub(super) was_set: bool,
    /// How long a confirming run is waited for.
    pub(super) confirm_wait: Duration,
}

impl Planned<'_> {
    /// Says what is wrong with the plan.
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

    /// Within the spread after an instant of the schedule, with no instant left out.
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

/// A schedule with the longest time between two of its instants, in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Table {
    schedule: Schedule,
    /// The longest time between two instants, in milliseconds.
    pub(super) longest: i64,
}

impl Table {
    /// That of `schedule`, as it is after `start`.
    pub(super) fn of(schedule: &Schedule, start: Timestamp) -> Self {
        let after = |instant: &Timestamp| schedule.next_after(*instant);
        let instants: Vec<_> = std::iter::successors(Some(start), after).skip(1).take(24).collect();
        let longest = instants.windows(2).map(|pair| pair[1].0 - pair[0].0).max();
        Self { schedule: schedule.clone(), longest: longest.unwrap_or_default() }
    }

    /// A tenth of that, five minutes at most.
    pub(super) fn spread_max(&self) -> i64 {
        (self.longest / 10).min(300 * SECOND)
    }
}
