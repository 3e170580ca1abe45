//! The part of an integration's row that decisions are made from.

use std::collections::BTreeMap;

use super::finished::Trigger;
use crate::domain::{
    About, Class, Counters, Flips, IntegrationId, IntegrationRef, OwnFault, Status, Timestamp,
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

/// Incident that is open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Incident {
    /// Id of the incident, `inc_<uuid>`.
    pub(crate) id: String,
    /// The start of the first failing run.
    pub(crate) since: Timestamp,
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
    /// Those of the run that is being recorded; the store finds or makes their row.
    OfThisRun,
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
    /// When it is due; none when nothing is to run.
    pub(crate) next_run_at: Option<Timestamp>,
    /// Why it is due.
    pub(crate) trigger: Trigger,
    /// Lease of the run that works on it.
    pub(crate) lease: Option<Lease>,
    /// Counters of its consecutive failures and passes.
    pub(crate) counters: Counters,
    /// The number of its latest event.
    pub(crate) sequence: i64,
    /// Incident that is open.
    pub(crate) incident: Option<Incident>,
    /// The run whose results users see.
    pub(crate) last_run: Option<i64>,
    /// The status of which receivers were notified last.
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
        self.counters = Counters::default();
    }

    /// Closes the incident when it is over and receivers know: until they do, the notification that
    /// waits has to name it.
    pub(super) fn close_incident(&mut self) {
        let is_known = self.notified == Status::Enabled && self.flapping.is_none();
        if self.status == Status::Enabled && is_known {
            self.incident = None;
        }
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
