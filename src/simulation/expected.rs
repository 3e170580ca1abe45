//! Expected state of an integration: what its transitions, runs and events add up to, and how a row is
//! compared with it.

use super::judge::Judge;
use super::rules::{Step, subjects};
use crate::domain::{Status, Subject, Timestamp};

/// Expected state of an integration that has a row.
#[derive(Debug)]
pub(super) struct Tracked {
    /// Number of the integration in the plan.
    pub(super) number: usize,
    /// Status after the transitions so far; none before the first.
    pub(super) status: Option<Status>,
    /// Error status that an operation has left.
    pub(super) pending: Option<Status>,
    /// Evidence about the configuration in force, or about the only one.
    pub(super) in_force: Evidence,
    /// Evidence about the candidate beside it.
    pub(super) candidate: Evidence,
    /// Sequence number of its latest event.
    pub(super) sequence: i64,
    /// Number of its status changes that are events.
    pub(super) changes: i64,
    /// True while an incident is open, whether receivers know of it or not.
    pub(super) has_incident: bool,
    /// Incident of which receivers were notified, and not yet of its end.
    pub(super) incident: Option<String>,
    /// Instant of the next run.
    pub(super) due: Option<Timestamp>,
    /// Transition that the latest run must cause.
    pub(super) expected: Option<(i64, Step)>,
    /// Status of the latest transition whose event is missing yet.
    pub(super) change: Option<Status>,
    /// Status before the latest transition.
    pub(super) before: Option<Status>,
    /// Status that receivers were notified of last.
    pub(super) notified: Option<Status>,
    /// The row as it was last written.
    pub(super) row: Row,
}

/// Evidence about one configuration.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evidence {
    /// Model of its verdicts.
    pub(super) judge: Judge,
    /// Run whose results are shown for it.
    pub(super) shown: Option<i64>,
    /// Start of that run, and true when it passed.
    pub(super) latest: Option<(Timestamp, bool)>,
}

impl Tracked {
    /// Returns the expected state of an integration whose row is new.
    pub(super) fn new(number: usize) -> Self {
        Self {
            number,
            status: None,
            pending: None,
            in_force: Evidence::default(),
            candidate: Evidence::default(),
            sequence: 0,
            changes: 0,
            has_incident: false,
            incident: None,
            due: None,
            expected: None,
            change: None,
            before: None,
            notified: None,
            row: Row::default(),
        }
    }

    /// Returns the evidence about a configuration; one that was never in force is the only one.
    pub(super) fn evidence(&mut self, subject: Subject) -> &mut Evidence {
        let is_only = matches!(self.status, Some(Status::Creating | Status::CreateError));
        if subject == Subject::Active || is_only { &mut self.in_force } else { &mut self.candidate }
    }

    /// Returns true when receivers must still be notified of a failure or of its end, in a status that
    /// is not in flight.
    fn has_news(&self) -> bool {
        use Status::{Creating, Deleting, Editing, Migrating};
        match self.status {
            None | Some(Creating | Editing | Migrating | Deleting) => false,
            Some(status) if status.is_error() => {
                self.incident.is_none() || self.notified != Some(status)
            }
            Some(_) => self.incident.is_some(),
        }
    }
}

/// Changes the expected state as a transition does.
pub(super) fn follow(tracked: &mut Tracked, to: Status, cause: Option<&str>) {
    match cause {
        Some("candidatePassed") => {
            let passed = tracked.candidate;
            let former = if passed.shown.is_some() { passed } else { tracked.in_force };
            tracked.in_force = Evidence { judge: Judge::default(), ..former };
            tracked.candidate = Evidence::default();
        }
        Some("forceDisabled") => {
            tracked.in_force.judge = Judge::default();
            tracked.candidate = Evidence::default();
        }
        Some("changed" | "upgraded" | "reenabled" | "reenabledUntried" | "returned") => {
            if to == Status::Creating {
                tracked.in_force = Evidence::default();
            }
            tracked.candidate = Evidence::default();
        }
        _ => {}
    }
    (tracked.before, tracked.status) = (tracked.status, Some(to));
    let is_flip = matches!(cause, Some("activePassed" | "activeFailed"));
    tracked.change = (!to.is_error() && !is_flip).then_some(to);
    tracked.pending = match to {
        Status::EditError | Status::MigrateError | Status::DeleteError => Some(to),
        Status::RecurringValidationError => tracked.pending,
        Status::CreateError
        | Status::Creating
        | Status::Deleted
        | Status::Deleting
        | Status::Disabled
        | Status::Editing
        | Status::Enabled
        | Status::Migrating => None,
    };
    let may_end = matches!(to, Status::Enabled | Status::Disabled | Status::Deleted);
    if to.is_error() {
        tracked.has_incident = true;
    } else if may_end && tracked.incident.is_none() {
        tracked.has_incident = false;
    }
}

/// Returns the broken rules of an event that is stored.
pub(super) fn event(tracked: &mut Tracked, sequence: i64, kind: &str, body: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let what = format!("i{}: event {sequence} ({kind})", tracked.number);
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let data = &body["data"];
    let is_change = kind == "integration.status.changed";
    let (next, change) = if is_change {
        tracked.changes += 1;
        (tracked.sequence, Some(tracked.changes))
    } else {
        (tracked.sequence + 1, None)
    };
    if sequence != next || data["transition"].as_i64() != change {
        wrong.push(format!("{what} follows {}: {}", tracked.sequence, data["transition"]));
    }
    tracked.sequence = sequence;
    if body["type"] != *kind || data["sequence"] != sequence {
        wrong.push(format!("{what} differs from its body"));
    }
    if kind == "integration.validation.warning" {
        return wrong;
    }
    let known = if is_change { tracked.before } else { tracked.notified };
    let (now, before) = (data["status"].as_str(), data["previousStatus"].as_str());
    let status = tracked.status.map(Status::as_str);
    if now != status || before != known.map(Status::as_str) {
        wrong.push(format!("{what} says {before:?} -> {now:?}, it is {status:?}, known {known:?}"));
    }
    if !notify(tracked, kind, data) {
        wrong.push(format!("{what} belongs to no transition"));
    }
    wrong
}

/// Changes what receivers know by an event; returns false when the event has no place.
fn notify(tracked: &mut Tracked, kind: &str, data: &serde_json::Value) -> bool {
    let incident = data["incidentId"].as_str().map(str::to_owned);
    match kind {
        "integration.status.changed" => {
            if !tracked.has_incident {
                tracked.notified = tracked.status;
            }
            tracked.change.take() == tracked.status
        }
        "integration.validation.failed" => {
            let fits = incident.is_some()
                && (tracked.incident.is_none() || tracked.incident == incident)
                && tracked.status.is_some_and(Status::is_error);
            (tracked.incident, tracked.notified) = (incident, tracked.status);
            tracked.has_incident = true;
            fits
        }
        "integration.validation.recovered" => {
            let fits = tracked.incident.is_some() && tracked.incident == incident;
            let reason = match tracked.status {
                Some(Status::Disabled) => "disabled",
                Some(Status::Deleted) => "removed",
                _ => "passed",
            };
            (tracked.incident, tracked.notified) = (None, tracked.status);
            tracked.has_incident = false;
            // An incident ends with the name under which it began.
            fits && (data["endedBy"] == reason || data["endedBy"] == "renamed")
        }
        "integration.flapping.started" => {
            tracked.incident = incident.or(tracked.incident.take());
            true
        }
        "integration.flapping.ended" => {
            tracked.row.flips.clear();
            true
        }
        _ => false,
    }
}

/// Returns the rules that a commit has broken for an integration: something is missing, or sums differ.
pub(super) fn after_commit(tracked: &mut Tracked) -> Vec<String> {
    let mut wrong = Vec::new();
    let what = format!("i{}", tracked.number);
    if let Some(expected) = tracked.expected.take() {
        wrong.push(format!("{what}: the transition of a run is missing: {expected:?}"));
    }
    if let Some(required) = tracked.change.take() {
        wrong.push(format!("{what}: the event of a transition is missing: {required:?}"));
    }
    let row = tracked.row.clone();
    let (status, known) = (tracked.status.map(Status::as_str), tracked.notified);
    if Some(row.notified.as_str()) != known.map(Status::as_str) {
        wrong.push(format!("{what} counts {} as notified, and {known:?} was", row.notified));
    }
    if row.mute.is_none() && tracked.has_news() {
        wrong.push(format!("{what} is known as {}, is not muted, and is another", row.notified));
    }
    let subjects = tracked.status.map(|status| subjects(status, tracked.pending));
    if tracked.due.is_none() && subjects.is_some_and(|subjects| !subjects.is_empty()) {
        wrong.push(format!("{what} is to be run and never due"));
    }
    if Some(row.status.as_str()) != status {
        let now = &row.status;
        wrong.push(format!("{what} is {now}, and its transitions end in {:?}", tracked.status));
    }
    if row.pending.as_deref() != tracked.pending.map(Status::as_str) {
        wrong.push(format!("{what} has {:?} pending, not {:?}", row.pending, tracked.pending));
    }
    if row.sequence != tracked.sequence {
        let count = row.sequence;
        wrong.push(format!("{what} counts {count} events, there are {}", tracked.sequence));
    }
    let fails = tracked.status.is_some_and(Status::is_error);
    if fails && row.incident.is_none() {
        wrong.push(format!("{what} is {} and has no open incident", row.status));
    }
    for (own, found, which) in [
        (&mut tracked.in_force, row.in_force, "the configuration in force"),
        (&mut tracked.candidate, row.candidate, "the new configuration"),
    ] {
        wrong.extend(own.compared(found).map(|found| format!("{what}, {which} {found}")));
    }
    wrong
}

impl Evidence {
    /// Compares it with a row's counters, evidence, and the run that the row shows.
    fn compared(&mut self, row: Shown) -> Option<String> {
        // A candidate that was replaced by another before it was judged starts anew.
        if row == Shown::default() {
            *self = Self::default();
            return None;
        }
        let Shown { counters, evidence, run } = row;
        let own = self.judge.counters();
        if own != counters {
            return Some(format!("counts runs as {counters:?}, they add up to {own:?}"));
        }
        let own = self.judge.evidence();
        if own != evidence {
            return Some(format!("has evidence {evidence:?}, its runs add up to {own:?}"));
        }
        if self.shown == run {
            return None;
        }
        Some(format!("shows the results of run {run:?}, its latest is {:?}", self.shown))
    }
}

/// Columns of a row about one configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shown {
    /// Numbers of consecutive failing and passing runs.
    pub(super) counters: (u32, u32),
    /// Number of looks that count, and true when it is known to fail.
    pub(super) evidence: (usize, bool),
    /// Run whose results are shown.
    pub(super) run: Option<i64>,
}

impl Shown {
    /// Returns the columns, with the text of the evidence.
    pub(super) fn new(counters: (u32, u32), evidence: Option<&str>, run: Option<i64>) -> Self {
        let evidence = evidence.map_or((0, false), |text| {
            let json: serde_json::Value = serde_json::from_str(text).unwrap();
            (json["looks"].as_array().unwrap().len(), json["failing"] == true)
        });
        Self { counters, evidence, run }
    }
}

/// A row as it was last written.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) status: String,
    pub(super) pending: Option<String>,
    pub(super) sequence: i64,
    pub(super) in_force: Shown,
    pub(super) candidate: Shown,
    pub(super) incident: Option<String>,
    /// Status that receivers were notified of.
    pub(super) notified: String,
    /// End of a mute.
    pub(super) mute: Option<i64>,
    /// Instants of the status changes that were notified.
    pub(super) flips: Vec<i64>,
    /// Start and class of the failure that others may share.
    pub(super) suspect: Option<(i64, String)>,
}

impl Row {
    /// Returns true when the status had changed often by `started`, in a window of `span` milliseconds.
    pub(super) fn is_unsteady(&self, started: Timestamp, span: i64) -> bool {
        let recent = self.flips.iter().filter(|at| started.0 - span < **at && **at <= started.0);
        2 <= recent.count()
    }
}
