//! The part of an integration's row that decisions are made from.

use std::collections::BTreeMap;

use super::finished::Trigger;
use crate::domain::{
    About, Class, Evidence, Flips, IntegrationId, IntegrationRef, OwnFault, Status, Subject,
    Timestamp,
};

/// Lease of a run or a delivery: an exclusive right to work on its row until an instant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Lease {
    /// Incarnation of the node that holds it.
    pub(crate) owner: i64,
    /// Random number that no other lease ever has.
    pub(crate) token: i64,
    /// First instant at which others may take the row.
    pub(crate) until: Timestamp,
}

/// Reservation of the next look for other nodes, after one could not reach the platform.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Elsewhere {
    /// Node that is not to make it.
    pub(crate) node: String,
    /// First instant at which that node may make it too.
    pub(crate) until: Timestamp,
}

/// Incident that is open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Incident {
    /// Id of the incident, `inc_<uuid>`.
    pub(crate) id: String,
    /// The start of the first failing run.
    pub(crate) since: Timestamp,
    /// An event has named it, so that receivers wait for its end.
    pub(crate) is_notified: bool,
}

/// Findings that the runs of one configuration add up to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Progress {
    /// Evidence of its runs.
    pub(crate) evidence: Evidence,
    /// Id of its latest run.
    pub(crate) last_run: Option<i64>,
    /// Start of the first of its consecutive failing runs.
    pub(crate) failing_since: Option<Timestamp>,
}

/// Reason why notifications about an integration wait.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Mute {
    /// When to look whether it still does.
    pub(crate) until: Timestamp,
    /// Its name: ``maintenance `nightly` ``, `silence 3`, `acknowledgement 4`, `flapping`.
    pub(crate) by: String,
}

/// A status that changes too often.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Flapping {
    /// Instant of the first such change.
    pub(crate) since: Timestamp,
    /// When it has been calm for long enough.
    pub(crate) until: Timestamp,
}

/// The consecutive failing runs of an integration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Suspect {
    /// When the first of them began.
    pub(crate) since: Timestamp,
    /// The class of the latest.
    pub(crate) class: Class,
}

/// Facts that a row points to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FactsRef {
    /// Those stored under this id.
    Stored(i64),
    /// Those of the run at this place of the ones that are recorded; the store finds or makes their row.
    OfRun(usize),
}

/// The facts of the last passing run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Fingerprint {
    /// Facts of that run.
    pub(crate) facts: FactsRef,
    /// When the run began.
    pub(crate) at: Timestamp,
}

/// Facts and expiries that the runs of an integration saw.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Seen {
    /// The facts of the last passing run.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// The earliest known expiry, and of what.
    pub(crate) next_end: Option<(Timestamp, String)>,
}

/// An integration's row, as far as decisions read or change it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Row {
    /// Id of the integration.
    pub(crate) id: IntegrationId,
    /// Its name in the configuration.
    pub(crate) name: String,
    /// Its platform's published name.
    pub(crate) kind: String,
    /// Its labels in the configuration.
    pub(crate) labels: BTreeMap<String, String>,
    /// Its schedule's cron expression.
    pub(crate) cron: String,
    /// Its schedule's IANA zone.
    pub(crate) zone: String,
    /// Status of the integration.
    pub(crate) status: Status,
    /// Error status that a pending operation has left; a failure of the configuration in force covers it.
    pub(crate) pending: Option<Status>,
    /// When it is due; none when nothing is to run.
    pub(crate) next_run_at: Option<Timestamp>,
    /// Why it is due.
    pub(crate) trigger: Trigger,
    /// Lease of the run that works on it.
    pub(crate) lease: Option<Lease>,
    /// Findings about the configuration in force, or about the only one, which never passed.
    pub(crate) active: Progress,
    /// Findings about the candidate beside the one in force.
    pub(crate) candidate: Progress,
    /// The number of its latest event.
    pub(crate) sequence: i64,
    /// The number of its latest event of a status change.
    pub(crate) transitions: i64,
    /// Incident that is open.
    pub(crate) incident: Option<Incident>,
    /// The status of which receivers were notified last: while they wait for the end of an incident, the
    /// one of its latest failure.
    pub(crate) notified: Status,
    /// Why its notifications wait, while some do.
    pub(crate) mute: Option<Mute>,
    /// Warnings changed while notifications were muted.
    pub(crate) warning_muted: bool,
    /// The latest notified changes between `enabled` and `recurringValidationError`.
    pub(crate) flips: Flips,
    /// Its status changes too often.
    pub(crate) flapping: Option<Flapping>,
    /// Its consecutive failing runs.
    pub(crate) suspect: Option<Suspect>,
    /// The fault on the daemon's own side that made its latest run inconclusive.
    pub(crate) own_fault: Option<OwnFault>,
    /// The outage that its failure belongs to.
    pub(crate) outage: Option<String>,
    /// Facts and expiries that its runs saw.
    pub(crate) seen: Seen,
    /// Reservation of its next look for other nodes than one.
    pub(crate) elsewhere: Option<Elsewhere>,
}

impl Row {
    /// Returns true while a run works on it.
    pub(crate) fn is_leased(&self, now: Timestamp) -> bool {
        self.lease.is_some_and(|lease| now < lease.until)
    }

    /// Makes it due at `at`; a run that works on it now loses its lease.
    pub(super) fn restart(&mut self, at: Option<Timestamp>) {
        self.next_run_at = at;
        self.trigger = Trigger::Change;
        self.lease = None;
    }

    /// Returns the findings about one configuration.
    pub(super) const fn progress(&self, subject: Subject) -> &Progress {
        match subject {
            Subject::Candidate if !self.status.is_untried() => &self.candidate,
            Subject::Candidate | Subject::Active => &self.active,
        }
    }

    /// Returns the findings about one configuration, to be changed.
    pub(super) const fn progress_mut(&mut self, subject: Subject) -> &mut Progress {
        match subject {
            Subject::Candidate if !self.status.is_untried() => &mut self.candidate,
            Subject::Candidate | Subject::Active => &mut self.active,
        }
    }

    /// Puts the candidate, which has passed, in force; its evidence begins anew.
    pub(super) fn adopt(&mut self) {
        let passed = std::mem::take(&mut self.candidate);
        let last_run = passed.last_run.or(self.active.last_run);
        self.active = Progress { last_run, ..Progress::default() };
    }

    /// Returns the configuration whose failure led to the status.
    pub(super) const fn failing_subject(&self) -> Option<Subject> {
        match self.status {
            Status::RecurringValidationError => Some(Subject::Active),
            Status::CreateError | Status::EditError | Status::MigrateError => {
                Some(Subject::Candidate)
            }
            Status::Creating
            | Status::Deleted
            | Status::DeleteError
            | Status::Deleting
            | Status::Disabled
            | Status::Editing
            | Status::Enabled
            | Status::Migrating => None,
        }
    }

    /// Returns true when receivers wait for the end of an incident.
    pub(super) fn is_incident_known(&self) -> bool {
        self.incident.as_ref().is_some_and(|incident| incident.is_notified)
    }

    /// Returns true when receivers know less than the status says: of a failure, or of the end of one.
    pub(super) fn has_news(&self) -> bool {
        let is_known = self.is_incident_known();
        if self.status.is_error() { !is_known || self.notified != self.status } else { is_known }
    }

    /// Drops what earlier runs added up to for notifications: an operation begins anew.
    pub(super) fn forget(&mut self) {
        self.mute = None;
        self.warning_muted = false;
        self.flips.0.clear();
        self.flapping = None;
        self.suspect = None;
    }

    /// Returns how selections see it.
    pub(super) fn about(&self) -> About<'_> {
        About { name: &self.name, kind: &self.kind, labels: &self.labels }
    }

    /// Returns how events name it.
    pub(crate) fn reference(&self) -> IntegrationRef {
        IntegrationRef {
            id: self.id.0,
            name: self.name.clone(),
            kind: self.kind.clone(),
            labels: self.labels.clone(),
        }
    }
}
