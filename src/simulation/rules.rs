//! Independent model of the daemon's rules: written anew and differently, so that a mistake in the
//! ledger is not repeated here.

use super::expected::{Tracked, follow};
use super::faults::SECOND;
use super::judge::Ask;
use crate::domain::{Schedule, Status, Subject, Timestamp};

/// Longest time between a decision and its commit, in milliseconds.
const SLACK_MS: i64 = 4 * SECOND;

/// Subscription of a receiver.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wants {
    /// All events, with outages in place of what belongs to them.
    All,
    /// Failures and recoveries only.
    Flips,
    /// Failures and recoveries of the integrations with one label only.
    Team,
}

impl Wants {
    /// Returns the types of events of its configuration; none for all of them.
    pub(super) const fn events(self) -> Option<[&'static str; 2]> {
        match self {
            Self::All => None,
            Self::Flips | Self::Team => {
                Some(["integration.validation.failed", "integration.validation.recovered"])
            }
        }
    }

    /// Returns true when an event of `kind` must be queued for it; `grouped` events belong to an outage. A
    /// receiver that is notified of outages is not notified of what belongs to one, and a status change
    /// is only for receivers that name it.
    pub(super) fn wants(self, kind: &str, grouped: bool) -> bool {
        let is_named = kind == "integration.status.changed";
        self.events().map_or(!grouped && !is_named, |events| events.contains(&kind))
    }
}

/// Status before and after a transition.
pub(super) type Step = (Status, Status);

/// Returns the step that a verdict on a configuration causes, if it causes one. `pending` is the error
/// status that an operation has left.
pub(super) fn step(
    subject: Subject,
    from: Status,
    pending: Option<Status>,
    good: bool,
) -> Option<Step> {
    use Status::{EditError, Enabled, MigrateError, RecurringValidationError};
    let to = match (subject, from, good) {
        (Subject::Active, Enabled | EditError | MigrateError | Status::DeleteError, false) => {
            RecurringValidationError
        }
        (Subject::Active, RecurringValidationError, true) => pending.unwrap_or(Enabled),
        (Subject::Candidate, _, true) => Enabled,
        (Subject::Candidate, Status::Creating, false) => Status::CreateError,
        (Subject::Candidate, Status::Editing, false) => EditError,
        (Subject::Candidate, Status::Migrating, false) => MigrateError,
        _ => return None,
    };
    Some((from, to))
}

/// Returns the configurations that a run validates, the one that may end an operation first.
pub(super) fn subjects(status: Status, pending: Option<Status>) -> &'static [Subject] {
    use Status::{
        CreateError, Creating, Deleted, Deleting, Disabled, EditError, Editing, MigrateError,
        Migrating, RecurringValidationError,
    };
    match (status, pending) {
        (Deleting | Deleted | Disabled, _) => &[],
        (Creating | CreateError | Editing | Migrating, _) => &[Subject::Candidate],
        (EditError | MigrateError, _)
        | (RecurringValidationError, Some(EditError | MigrateError)) => {
            &[Subject::Candidate, Subject::Active]
        }
        _ => &[Subject::Active],
    }
}

/// Returns true when an operation may change a status so.
fn is_operation(from: Status, to: Status, cause: &str) -> bool {
    use Status::{Creating, DeleteError, Deleted, Deleting, Disabled, Editing, Migrating};
    match (cause, to) {
        ("changed", Editing) => {
            !matches!(from, Creating | Disabled | Deleted | Status::CreateError)
        }
        ("changed", Creating) => from == Status::CreateError,
        ("returned", Creating) => {
            matches!(from, Deleted | Deleting | DeleteError | Status::RecurringValidationError)
        }
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
    if let Some(required) = tracked.change.take() {
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
    follow(tracked, to, cause);
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
    /// Next looks that the verdicts of the latest run ask for.
    pub(super) asks: &'a [Ask],
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
                // At once, when a sibling has begun to fail or works again.
                let is_now = (-SLACK_MS..=0).contains(&ahead);
                let fits = |ask: &Ask| match *ask {
                    Ask::After(wait) => (wait - SLACK_MS..=wait).contains(&ahead),
                    Ask::At(instant) => self.due == instant,
                };
                let fits = is_now || self.asks.iter().any(fits);
                let asks = self.asks;
                fits.then_some(()).ok_or_else(|| format!("is {ahead} ms ahead, not {asks:?}"))
            }
            "startup" => {
                let most = self.tables.iter().map(Table::spread_max).max().unwrap();
                let fits = (-SLACK_MS..=most).contains(&ahead);
                fits.then_some(()).ok_or_else(|| format!("is {ahead} ms ahead, not up to {most}"))
            }
            "change" | "request" => {
                (ahead <= 0).then_some(()).ok_or_else(|| format!("is {ahead} ms ahead"))
            }
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

    /// Returns the longest spread: a tenth of the longest time, half a minute at least where that is a minute or
    /// more, five minutes at most.
    pub(super) fn spread_max(&self) -> i64 {
        let least = if self.longest < 60 * SECOND { 0 } else { 30 * SECOND };
        (self.longest / 10).clamp(least, 300 * SECOND)
    }
}
