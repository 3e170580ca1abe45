//! Mutes, outages and faults of the daemon, as they are read.

use crate::domain::ledger::{DeliveryState, NoticeState};
use crate::domain::{Factor, IntegrationId, OwnFault, Selection, SharedCause, Timestamp};

/// Silence or acknowledgement, made by a person.
#[derive(Clone, Debug)]
pub(crate) struct SilenceRow {
    /// Id of the silence.
    pub(crate) id: i64,
    /// The integration that is acknowledged, when it is about one.
    pub(crate) acknowledged: Option<(IntegrationId, String)>,
    /// Integrations that are muted.
    pub(crate) selection: Selection,
    /// Name of the person who made it; empty when it is not known.
    pub(crate) author: String,
    /// Comment of its author.
    pub(crate) comment: String,
    /// Instant of its creation.
    pub(crate) created_at: Timestamp,
    /// When it begins by itself.
    pub(crate) from: Timestamp,
    /// When it ends by itself.
    pub(crate) until: Timestamp,
    /// Instant at which it was ended early, if it was.
    pub(crate) ended_at: Option<Timestamp>,
}

/// Reason why notifications about an integration are muted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MuteRow {
    /// Name of the mute: ``maintenance `nightly` ``, `silence 3`, `acknowledgement 4`, `flapping`.
    pub(crate) by: String,
    /// Instant at which the mute ends, as far as is known.
    pub(crate) until: Timestamp,
}

/// An outage that integrations share.
#[derive(Clone, Debug)]
pub(crate) struct OutageRow {
    /// Id of the outage, `out_<uuid>`.
    pub(crate) id: String,
    /// Factor that the integrations share.
    pub(crate) factor: Factor,
    /// Kind of failure that the integrations share.
    pub(crate) cause: SharedCause,
    /// Instant of its beginning.
    pub(crate) since: Timestamp,
    /// Instant at which it was over, if it is.
    pub(crate) ended_at: Option<Timestamp>,
    /// Number of integrations that belong, or belonged, to it.
    pub(crate) members: u32,
}

/// Notification of an open incident, for one receiver.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NoticeRow {
    /// Name of the receiver.
    pub(crate) receiver: String,
    /// State of the incident for the receiver.
    pub(crate) state: NoticeState,
    /// State of the delivery of its beginning, or of its latest reminder, while that is kept.
    pub(crate) delivery: Option<DeliveryState>,
    /// Instant at which that delivery ended.
    pub(crate) ended_at: Option<Timestamp>,
    /// Instant at which it is tried next; of a receiver that waits, when it is sent something.
    pub(crate) due_at: Option<Timestamp>,
}

/// Fault on the daemon's own side that lasts.
#[derive(Clone, Debug)]
pub(crate) struct OwnFaultRow {
    /// Node that has it, or had it first; none where it is of all nodes, or of the only one.
    pub(crate) node: Option<String>,
    /// Kind of the fault.
    pub(crate) fault: OwnFault,
    /// Instant of its beginning.
    pub(crate) since: Timestamp,
    /// Description of the fault for people.
    pub(crate) message: String,
}

/// Result of a look at mutes and outages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Released {
    /// Number of integrations that are no longer muted.
    pub(crate) integrations: usize,
    /// Number of outages that have ended.
    pub(crate) outages: usize,
    /// Number of receivers that are sent more of an incident that lasts.
    pub(crate) incidents: usize,
    /// True when another node is at it, or this one is to leave it to others.
    pub(crate) is_busy: bool,
}
