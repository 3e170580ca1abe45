//! Rows as they are read, for people and for the interface.

use std::collections::BTreeMap;
use std::time::Duration;

use super::mutes::MuteRow;
use crate::domain::ledger::{DeliveryState, StoredReport, Trigger};
use crate::domain::{
    About, Cause, Class, DeliveryId, Drift, EventType, Evidence, Flips, IntegrationId, OwnFault,
    ReportStatus, RunId, Status, Subject, Timestamp, Weighed,
};

/// An integration as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct IntegrationRow {
    /// Id of the row.
    pub(crate) id: IntegrationId,
    /// Name in the configuration.
    pub(crate) name: String,
    /// Its platform's published name.
    pub(crate) kind: String,
    /// Value in the configuration.
    pub(crate) auto_bootstrap: Option<bool>,
    /// Value in the configuration.
    pub(crate) labels: BTreeMap<String, String>,
    /// Status of the integration.
    pub(crate) status: Status,
    /// Error status that a pending operation has left.
    pub(crate) pending: Option<Status>,
    /// Its configuration in force, or the only one, with every secret replaced, as JSON text.
    pub(crate) config_shown: String,
    /// Start of the first consecutive failing run of that configuration.
    pub(crate) first_failure_at: Option<Timestamp>,
    /// New configuration beside the one in force.
    pub(crate) candidate: Option<CandidateRow>,
    /// Cron expression of its schedule.
    pub(crate) cron: String,
    /// IANA zone of its schedule.
    pub(crate) zone: String,
    /// When it is due; none when nothing is to run.
    pub(crate) next_run_at: Option<Timestamp>,
    /// Reason for which it is due.
    pub(crate) trigger: Trigger,
    /// Until when a run holds the lease.
    pub(crate) lease_until: Option<Timestamp>,
    /// Evidence about the configuration in force, or about the only one.
    pub(crate) evidence: Evidence,
    /// The number of its latest event.
    pub(crate) sequence: i64,
    /// Id of the open incident.
    pub(crate) incident_id: Option<String>,
    /// Since when the open incident lasts.
    pub(crate) incident_since: Option<Timestamp>,
    /// Latest run of the configuration in force, or of the only one.
    pub(crate) last_run: Option<RunRow>,
    /// Status of which receivers were notified last.
    pub(crate) notified: Status,
    /// Mute of its notifications, while some wait.
    pub(crate) mute: Option<MuteRow>,
    /// Latest changes of status that were notified.
    pub(crate) flips: Flips,
    /// Since when its status changes too often.
    pub(crate) flapping_since: Option<Timestamp>,
    /// When that has been calm for long enough.
    pub(crate) flapping_until: Option<Timestamp>,
    /// The outage that its failure belongs to.
    pub(crate) outage_id: Option<String>,
    /// Fault on the daemon's own side that made its latest run inconclusive.
    pub(crate) own_fault: Option<OwnFault>,
    /// Earliest known expiry, with what expires.
    pub(crate) expires: Option<(Timestamp, String)>,
    /// When the last passing run began, with whose facts others are compared.
    pub(crate) fingerprint_at: Option<Timestamp>,
}

/// Configuration that comes into force when it passes.
#[derive(Clone, Debug)]
pub(crate) struct CandidateRow {
    /// Configuration with every secret replaced, as JSON text.
    pub(crate) config_shown: String,
    /// Latest run of it.
    pub(crate) last_run: Option<RunRow>,
    /// Evidence of its runs.
    pub(crate) evidence: Evidence,
    /// Start of the first of its consecutive failing runs.
    pub(crate) failing_since: Option<Timestamp>,
}

impl IntegrationRow {
    /// Returns since when what the status says fails has been failing; none while nothing is said to
    /// fail.
    pub(crate) fn failing_since(&self) -> Option<Timestamp> {
        let starts = FailureStarts {
            in_force: self.first_failure_at,
            candidate: self.candidate.as_ref().and_then(|one| one.failing_since),
            incident: self.incident_since,
        };
        starts.of(self.status)
    }
}

/// Instants at which failures began that a status may be about.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailureStarts {
    /// Start of the first consecutive failing run of the configuration in force, or of the only one.
    pub(super) in_force: Option<Timestamp>,
    /// Start of the first consecutive failing run of the configuration that waits to pass.
    pub(super) candidate: Option<Timestamp>,
    /// Start of the open incident.
    pub(super) incident: Option<Timestamp>,
}

impl FailureStarts {
    /// Returns since when what `status` says fails has been failing.
    pub(super) fn of(self, status: Status) -> Option<Timestamp> {
        match status {
            Status::CreateError | Status::RecurringValidationError => {
                self.in_force.or(self.incident)
            }
            Status::EditError | Status::MigrateError => self.candidate.or(self.incident),
            Status::DeleteError => self.incident,
            Status::Creating
            | Status::Deleted
            | Status::Deleting
            | Status::Disabled
            | Status::Editing
            | Status::Enabled
            | Status::Migrating => None,
        }
    }
}

/// A run as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct RunRow {
    /// Id of the row.
    pub(crate) id: RunId,
    /// Configuration that it validated.
    pub(crate) subject: Subject,
    /// Trigger of the run.
    pub(crate) trigger: Trigger,
    /// Instant of its beginning.
    pub(crate) started_at: Timestamp,
    /// Duration from its beginning to its end.
    pub(crate) duration: Duration,
    /// Overall result of its tests.
    pub(crate) status: ReportStatus,
    /// Class that decided the result.
    pub(crate) class: Option<Class>,
    /// The rule that made its verdict.
    pub(crate) rule: String,
    /// Results of its tests.
    pub(crate) report: StoredReport,
    /// Facts in which it differs from the last passing run, when it failed.
    pub(crate) drift: Vec<Drift>,
    /// Time that each test took, in the order of its results; none for those that were not run.
    pub(crate) took: Took,
    /// Looks that its verdict rests on; none where nothing was in doubt.
    pub(crate) evidence: Vec<Weighed>,
}

/// Time that each test of a run took, in the order of its results.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Took(pub(crate) Vec<Option<Duration>>);

impl Took {
    /// Returns the time that the test at this place took; none when it was not run, or its time is not known.
    pub(crate) fn of(&self, place: usize) -> Option<Duration> {
        self.0.get(place).copied().flatten()
    }

    /// Returns true when no time is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

/// Entry of an integration's history.
#[derive(Clone, Debug)]
pub(crate) enum HistoryRow {
    /// Run, whatever it found.
    Run(RunRow),
    /// Change of the status.
    Transition(TransitionRow),
}

/// A status change in the history.
#[derive(Clone, Debug)]
pub(crate) struct TransitionRow {
    /// Number of the row.
    pub(crate) id: i64,
    /// Status before the change; none at creation.
    pub(crate) from: Option<Status>,
    /// Status after the change.
    pub(crate) to: Status,
    /// Cause of the change; none at creation.
    pub(crate) cause: Option<Cause>,
    /// Instant of the change.
    pub(crate) at: Timestamp,
    /// The run that caused it, if one did.
    pub(crate) run: Option<RunId>,
    /// The incident it opened, belongs to or closed.
    pub(crate) incident_id: Option<String>,
}

/// Status and conditions of an integration, without its results: a row that lists of thousands are made of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StatusRow {
    /// Number of its row.
    pub(crate) id: IntegrationId,
    /// Name in the configuration.
    pub(crate) name: String,
    /// Its platform's published name.
    pub(crate) kind: String,
    /// Labels of the integration, by key.
    pub(crate) labels: BTreeMap<String, String>,
    /// Status of the integration.
    pub(crate) status: Status,
    /// Latest run of the configuration in force, or of the only one, in short.
    pub(crate) last_run: Option<Mark>,
    /// Since when what the status says fails has been failing.
    pub(crate) failing_since: Option<Timestamp>,
    /// When the last passing run began.
    pub(crate) last_passed_at: Option<Timestamp>,
    /// Instant at which it is due; none when nothing is to run.
    pub(crate) next_run_at: Option<Timestamp>,
    /// Until when a run holds the lease.
    pub(crate) lease_until: Option<Timestamp>,
    /// Instant of the next expiry, as far as is known, with what expires.
    pub(crate) expires: Option<(Timestamp, String)>,
    /// True while its notifications are muted.
    pub(crate) is_muted: bool,
    /// True while its status changes too often.
    pub(crate) is_flapping: bool,
    /// Outage that its failure belongs to.
    pub(crate) outage_id: Option<String>,
}

impl StatusRow {
    /// Returns what selections compare.
    pub(crate) fn about(&self) -> About<'_> {
        About { name: &self.name, kind: &self.kind, labels: &self.labels }
    }
}

/// Mark of a strip: a run without its results.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Mark {
    /// Id of the run.
    pub(crate) run: RunId,
    /// Instant of its beginning.
    pub(crate) started_at: Timestamp,
    /// Duration from its beginning to its end.
    pub(crate) duration: Duration,
    /// Overall result of its tests.
    pub(crate) status: ReportStatus,
    /// Class that decided the result.
    pub(crate) class: Option<Class>,
}

impl From<&RunRow> for Mark {
    fn from(run: &RunRow) -> Self {
        Self {
            run: run.id,
            started_at: run.started_at,
            duration: run.duration,
            status: run.status,
            class: run.class,
        }
    }
}

impl From<&IntegrationRow> for StatusRow {
    fn from(row: &IntegrationRow) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            kind: row.kind.clone(),
            labels: row.labels.clone(),
            status: row.status,
            last_run: row.last_run.as_ref().map(Mark::from),
            failing_since: row.failing_since(),
            last_passed_at: row.fingerprint_at,
            next_run_at: row.next_run_at,
            lease_until: row.lease_until,
            expires: row.expires.clone(),
            is_muted: row.mute.is_some(),
            is_flapping: row.flapping_since.is_some(),
            outage_id: row.outage_id.clone(),
        }
    }
}

/// Integration as selections see it.
#[derive(Clone, Debug)]
pub(crate) struct TargetRow {
    /// Number of its row.
    pub(crate) id: IntegrationId,
    /// Name in the configuration.
    pub(crate) name: String,
    /// Published name of its platform.
    pub(crate) kind: String,
    /// Labels of the integration, by key.
    pub(crate) labels: BTreeMap<String, String>,
}

/// Filter of deliveries; shows everything when empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeliveryFilter {
    /// Only in this state.
    pub(crate) state: Option<DeliveryState>,
    /// Only to this receiver.
    pub(crate) receiver: Option<String>,
    /// Only about this integration.
    pub(crate) integration: Option<String>,
    /// Only events of this type.
    pub(crate) kind: Option<EventType>,
    /// Only those created at or after this instant.
    pub(crate) since: Option<Timestamp>,
    /// Only those created before this instant.
    pub(crate) until: Option<Timestamp>,
}

/// A delivery as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryRow {
    /// Id of the row.
    pub(crate) id: DeliveryId,
    /// Id of the event, `evt_<uuid>`.
    pub(crate) event_id: String,
    /// Type of the event.
    pub(crate) kind: EventType,
    /// Name of the receiver.
    pub(crate) receiver: String,
    /// Name of the integration that the event is about, if it is about one.
    pub(crate) integration: Option<String>,
    /// The event's number in its integration, or among those that are about none.
    pub(crate) sequence: i64,
    /// State of the delivery.
    pub(crate) state: DeliveryState,
    /// When the event happened.
    pub(crate) created_at: Timestamp,
    /// When it is tried next, while pending.
    pub(crate) due_at: Timestamp,
    /// The delivery that it waits for, while pending: an earlier one about the same integration, or the one
    /// that probes a receiver which does not answer.
    pub(crate) behind: Option<DeliveryId>,
    /// Its attempts, oldest first.
    pub(crate) attempts: Vec<AttemptRow>,
}

/// An attempt as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct AttemptRow {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// When it was sent.
    pub(crate) started_at: Timestamp,
    /// Duration from its beginning to its end.
    pub(crate) duration: Duration,
    /// The HTTP status code, if an answer came.
    pub(crate) code: Option<u16>,
    /// The error, or the beginning of the answer.
    pub(crate) detail: String,
}
