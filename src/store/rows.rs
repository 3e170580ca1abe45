//! What comes out of the store: rows, for people and for the interface.

use std::collections::BTreeMap;
use std::time::Duration;

use super::holds::HoldRow;
use crate::domain::ledger::{DeliveryState, StoredReport, Trigger};
use crate::domain::{
    Cause, Class, Counters, DeliveryId, Drift, EventType, Flips, IntegrationId, OwnFault,
    ReportStatus, RunId, Status, Subject, Timestamp,
};

/// An integration as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct IntegrationRow {
    /// Its id.
    pub(crate) id: IntegrationId,
    /// Its name.
    pub(crate) name: String,
    /// Its platform's published name.
    pub(crate) kind: String,
    /// As configured.
    pub(crate) auto_bootstrap: Option<bool>,
    /// As configured.
    pub(crate) labels: BTreeMap<String, String>,
    /// Its status.
    pub(crate) status: Status,
    /// Its configuration with every secret replaced, as JSON text.
    pub(crate) config_shown: String,
    /// Cron expression.
    pub(crate) cron: String,
    /// IANA zone.
    pub(crate) zone: String,
    /// When it is due; none when nothing is to run.
    pub(crate) next_run_at: Option<Timestamp>,
    /// Until when a run holds the lease.
    pub(crate) lease_until: Option<Timestamp>,
    /// What the runs so far add up to.
    pub(crate) counters: Counters,
    /// The number of its latest event.
    pub(crate) sequence: i64,
    /// The open incident.
    pub(crate) incident_id: Option<String>,
    /// Since when the open incident lasts.
    pub(crate) failing_since: Option<Timestamp>,
    /// Its latest run.
    pub(crate) last_run: Option<RunRow>,
    /// The status that receivers were told last.
    pub(crate) told: Status,
    /// What holds a message about it, while one is held.
    pub(crate) hold: Option<HoldRow>,
    /// The changes of status that were told lately.
    pub(crate) flips: Flips,
    /// Since when its status changes too often.
    pub(crate) flapping_since: Option<Timestamp>,
    /// When that has been calm for long enough.
    pub(crate) flapping_until: Option<Timestamp>,
    /// The outage that its failure belongs to.
    pub(crate) outage_id: Option<String>,
    /// What on the daemon's own side kept its latest run from telling anything.
    pub(crate) own_fault: Option<OwnFault>,
    /// What ends next, as far as is known, and when.
    pub(crate) expires: Option<(Timestamp, String)>,
    /// When the last passing run began, with whose facts others are compared.
    pub(crate) fingerprint_at: Option<Timestamp>,
}

/// A run as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct RunRow {
    /// Its id.
    pub(crate) id: RunId,
    /// Which configuration it looked at.
    pub(crate) subject: Subject,
    /// Why it took place.
    pub(crate) trigger: Trigger,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// How long it took.
    pub(crate) duration: Duration,
    /// Its overall result.
    pub(crate) status: ReportStatus,
    /// The class that decided.
    pub(crate) class: Option<Class>,
    /// The rule that made its verdict.
    pub(crate) rule: String,
    /// Its results.
    pub(crate) report: StoredReport,
    /// What it saw otherwise than the last run that passed before it, when it failed.
    pub(crate) drift: Vec<Drift>,
}

/// Entry of an integration's history.
#[derive(Clone, Debug)]
pub(crate) enum HistoryRow {
    /// Run, whatever it found.
    Run(RunRow),
    /// Change of status.
    Transition(TransitionRow),
}

/// A status change in the history.
#[derive(Clone, Debug)]
pub(crate) struct TransitionRow {
    /// Number of the row.
    pub(crate) id: i64,
    /// Status before; none at creation.
    pub(crate) from: Option<Status>,
    /// Status after.
    pub(crate) to: Status,
    /// Why; none at creation.
    pub(crate) cause: Option<Cause>,
    /// When.
    pub(crate) at: Timestamp,
    /// The run that caused it, if one did.
    pub(crate) run: Option<RunId>,
    /// The incident it opened, belongs to or closed.
    pub(crate) incident_id: Option<String>,
}

/// Where an integration stands, without its results.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StandingRow {
    /// Its name.
    pub(crate) name: String,
    /// Its platform's published name.
    pub(crate) kind: String,
    /// Its status.
    pub(crate) status: Status,
    /// When its latest run began.
    pub(crate) last_run_at: Option<Timestamp>,
    /// When what ends next does so, as far as is known.
    pub(crate) expires_at: Option<Timestamp>,
    /// Whether a message about it is held.
    pub(crate) is_held: bool,
    /// Whether its status changes too often.
    pub(crate) is_flapping: bool,
    /// Whether its failure belongs to an outage.
    pub(crate) in_outage: bool,
}

/// Integration as selections see it.
#[derive(Clone, Debug)]
pub(crate) struct TargetRow {
    /// Number of its row.
    pub(crate) id: IntegrationId,
    /// Configured name.
    pub(crate) name: String,
    /// Published name of its platform.
    pub(crate) kind: String,
    /// Labels by key.
    pub(crate) labels: BTreeMap<String, String>,
}

/// Which deliveries to show; everything when empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeliveryFilter {
    /// Only in this state.
    pub(crate) state: Option<DeliveryState>,
    /// Only to this receiver.
    pub(crate) receiver: Option<String>,
    /// Only about this integration.
    pub(crate) integration: Option<String>,
    /// Only those created at or after this instant.
    pub(crate) since: Option<Timestamp>,
    /// Only those created before this instant.
    pub(crate) until: Option<Timestamp>,
}

/// A delivery as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryRow {
    /// Its id.
    pub(crate) id: DeliveryId,
    /// `evt_<uuid>`.
    pub(crate) event_id: String,
    /// What happened.
    pub(crate) kind: EventType,
    /// To whom.
    pub(crate) receiver: String,
    /// About which integration, if about one.
    pub(crate) integration: Option<String>,
    /// The event's number in its integration, or among those that are about none.
    pub(crate) sequence: i64,
    /// Where it stands.
    pub(crate) state: DeliveryState,
    /// When the event happened.
    pub(crate) created_at: Timestamp,
    /// When it is tried next, while pending.
    pub(crate) due_at: Timestamp,
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
    /// How long it took.
    pub(crate) duration: Duration,
    /// The HTTP status code, if an answer came.
    pub(crate) code: Option<u16>,
    /// The error, or the beginning of the answer.
    pub(crate) detail: String,
}
