//! Effects of decisions: the store applies each kind, in order, in one transaction.

use std::time::Duration;

use super::finished::Trigger;
use super::known::KnownIncident;
use super::outbox::{Attempt, DeliveryState, ReceiverHealth};
use super::row::Row;
use crate::domain::{
    DeliveryId, Event, EventType, Factor, Format, IntegrationId, OwnFault, RunId, Selection,
    SharedCause, Status, Timestamp, Transition, Weighed,
};

/// One change to what is stored.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Writes a row back.
    SaveRow(Box<Row>),
    /// Adds the row of a new integration.
    InsertIntegration(Box<NewIntegration>),
    /// Changes what of an integration's configuration needs no validation.
    Describe(Box<NewIntegration>),
    /// Makes a configuration the one that is to become active when it passes.
    Propose(Box<NewIntegration>),
    /// Makes the proposed configuration the active one.
    Adopt(IntegrationId),
    /// Takes the active configuration away, so that none is in force.
    Discard(IntegrationId),
    /// Adds run number `index` of those that are recorded.
    InsertRun {
        /// Id that the run gets.
        id: RunId,
        /// Its place in [`Finished::runs`](super::Finished::runs).
        index: usize,
        /// The rule that made its verdict.
        rule: String,
        /// Looks that the verdict rests on; none where nothing was in doubt.
        evidence: Vec<Weighed>,
    },
    /// Adds a status change to the history.
    InsertTransition(NewTransition),
    /// Adds an event with its body.
    InsertEvent(Box<NewEvent>),
    /// Stores the number of the latest operational event.
    CountOperational(i64),
    /// Changes the queue of one receiver and integration.
    Queue(QueueChange),
    /// Opens an outage, without members yet.
    OpenOutage(Box<NewOutage>),
    /// Adds a member to an outage.
    JoinOutage {
        /// Id of the outage.
        outage: String,
        /// Id of the integration.
        integration: IntegrationId,
    },
    /// Takes a member that still fails out of an outage that has ended.
    LeaveOutage(IntegrationId),
    /// Sets when an outage that is still open is to be looked at, and closed.
    ScheduleClose {
        /// Id of the outage.
        outage: String,
        /// Instant of the change.
        at: Timestamp,
    },
    /// Closes an outage for good.
    CloseOutage {
        /// Id of the outage.
        outage: String,
        /// Instant of the change.
        at: Timestamp,
    },
    /// Makes a row due at an instant.
    MakeDue {
        /// Id of the integration.
        integration: IntegrationId,
        /// Instant of the change.
        at: Timestamp,
        /// Reason of the run: to confirm what another row showed, or a request.
        trigger: Trigger,
    },
    /// Writes down that a fault on the daemon's own side lasts.
    RaiseFault {
        /// Kind of the fault.
        fault: OwnFault,
        /// Instant of its beginning.
        since: Timestamp,
        /// Description of the fault for people.
        message: String,
    },
    /// Writes down that it is over.
    ClearFault(OwnFault),
    /// Notes that a node alone had no answer from what another one found to work.
    #[cfg_attr(
        not(any(feature = "postgres", test)),
        expect(dead_code, reason = "a file has one node")
    )]
    Contradict {
        /// Name of the node.
        node: String,
        /// Id of the integration.
        integration: IntegrationId,
        /// Start of the latest run there that had no answer.
        at: Timestamp,
    },
    /// Adds a silence or an acknowledgement.
    InsertSilence {
        /// Id that it gets.
        id: i64,
        /// Silence that is added.
        new: Box<NewSilence>,
        /// Instant of the change.
        at: Timestamp,
    },
    /// Ends a silence or an acknowledgement before its time.
    EndSilence {
        /// Id of the silence.
        id: i64,
        /// Instant of the change.
        at: Timestamp,
    },
    /// Makes every mute that would end later be looked at at this instant.
    ReevaluateMutes {
        /// Instant of the change.
        at: Timestamp,
    },
    /// Writes an incident as one receiver knows it.
    SaveKnown(Box<KnownIncident>),
    /// Writes an incident as one receiver knows it, unless the receiver knows it already.
    LearnIncident(Box<KnownIncident>),
    /// Forgets an incident that is over, for all receivers.
    ForgetIncident(String),
    /// Notes that the beginning of an incident is dead for a receiver, and ends the deliveries of its end.
    BuryIncident {
        /// Id of the incident.
        incident: String,
        /// Name of the receiver.
        receiver: String,
        /// Instant of the change.
        at: Timestamp,
    },
    /// Notes that the beginning of an incident, which was dead for a receiver, is enqueued again.
    ReviveIncident {
        /// Id of the incident.
        incident: String,
        /// Name of the receiver.
        receiver: String,
    },
    /// Adds an attempt under this number; the oldest beyond [`Attempt::kept_max`] go.
    InsertAttempt(Box<Attempt>, u32),
    /// Writes back a delivery after an attempt.
    SaveDelivery(DeliveryUpdate),
    /// Writes back the health of a receiver.
    UpdateReceiver(ReceiverHealth),
}

/// A change to a queue: the deliveries of one receiver about one integration, in the order of their
/// events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum QueueChange {
    /// Appends a delivery, due at once when the queue is empty.
    Enqueue {
        /// Id of the event.
        event: String,
        /// Name of the receiver.
        receiver: String,
        /// Integration that the event is about, if it is about one.
        integration: Option<IntegrationId>,
        /// Instant of the change.
        at: Timestamp,
        /// Part of the delivery in an incident.
        part: Option<Box<Part>>,
    },
    /// Puts a delivery of an earlier event into its place, unless the receiver has one of it already.
    Insert {
        /// Id of the event.
        event: String,
        /// Name of the receiver.
        receiver: String,
        /// Integration that the event is about, if it is about one.
        integration: Option<IntegrationId>,
        /// Part of the delivery in an incident.
        part: Option<Box<Part>>,
    },
    /// Queues a delivery that has ended again, with as many attempts as the first time.
    Requeue(DeliveryId),
    /// Ends a delivery without an attempt.
    Expire {
        /// Id of the delivery.
        id: DeliveryId,
        /// Instant of the change.
        at: Timestamp,
    },
    /// Makes the head of a queue due now, and nothing behind it.
    RequeueHead {
        /// Name of the receiver.
        receiver: String,
        /// Integration that the event is about, if it is about one.
        integration: Option<IntegrationId>,
        /// Instant of the change.
        at: Timestamp,
    },
    /// Makes the head due of the queue that a delivery which ended was in.
    Advance {
        /// Id of the delivery.
        ended: DeliveryId,
        /// Instant of the change.
        at: Timestamp,
    },
    /// Makes the next probe of a receiver due now.
    ProbeNow {
        /// Name of the receiver.
        receiver: String,
        /// Instant of the change.
        at: Timestamp,
    },
    /// Gives every pending delivery of a receiver new attempts, and makes the heads due at once.
    Refresh {
        /// Name of the receiver.
        receiver: String,
        /// Instant of the change.
        at: Timestamp,
    },
}

/// Part of a delivery in an incident.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Part {
    /// Id of the incident.
    pub(crate) incident: String,
    /// Id of the event that began it for the receiver; none when this delivery does.
    pub(crate) began: Option<String>,
    /// Format in which it began.
    pub(crate) format: Option<Format>,
    /// The delivery ends it.
    pub(crate) ends: bool,
}

impl Part {
    /// Returns the part in an incident that a receiver knows, and that another event has `began`.
    pub(super) fn of(known: &KnownIncident, began: Option<String>, ends: bool) -> Self {
        let (incident, format) = (known.incident.id.clone(), known.format);
        Self { incident, began, format, ends }
    }
}

/// An event that has been emitted.
#[derive(Clone, Debug)]
pub(super) struct Emitted {
    /// Id of the event, `evt_<uuid>`.
    pub(super) id: String,
    /// Integration that the event is about, if it is about one.
    pub(super) integration: Option<IntegrationId>,
    /// Type of the event.
    pub(super) kind: EventType,
}

/// An integration with its configuration, as effects write it.
#[derive(Clone, Debug)]
pub(crate) struct NewIntegration {
    /// Row of the integration.
    pub(crate) row: Row,
    /// Former name that the configuration declares.
    pub(crate) formerly: Option<String>,
    /// Its `autoBootstrap`, as configured.
    pub(crate) auto_bootstrap: Option<bool>,
    /// Its platform configuration, as [`Wanted::config`](super::Wanted::config).
    pub(crate) config: String,
    /// The same as users see it.
    pub(crate) config_shown: String,
    /// The version of its platform's catalog.
    pub(crate) catalog_version: u32,
    /// Canonical text of the pool that may validate it.
    #[cfg_attr(
        not(any(feature = "postgres", test)),
        expect(dead_code, reason = "a file has one node")
    )]
    pub(crate) pool: String,
    /// When it was first seen.
    pub(crate) created_at: Timestamp,
}

/// A status change to be written into the history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NewTransition {
    /// Id of the integration.
    pub(crate) integration: IntegrationId,
    /// The change; none when the integration is new.
    pub(crate) step: Option<Transition>,
    /// The status after it.
    pub(crate) to: Status,
    /// Instant of the change.
    pub(crate) at: Timestamp,
    /// The run that caused it.
    pub(crate) run: Option<RunId>,
    /// The incident that it opens, belongs to or closes.
    pub(crate) incident: Option<String>,
}

/// An outage to be opened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NewOutage {
    /// Id of the outage, `out_<uuid>`.
    pub(crate) id: String,
    /// The event that announces it.
    pub(crate) event: String,
    /// Factor that the integrations share.
    pub(crate) factor: Factor,
    /// Kind of failure that they share.
    pub(crate) cause: SharedCause,
    /// When the first of them began to fail.
    pub(crate) since: Timestamp,
}

/// Silence or acknowledgement that is to be made.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct NewSilence {
    /// The integration to be acknowledged; without one, it is about the selection.
    pub(crate) acknowledges: Option<IntegrationId>,
    /// Integrations that are muted.
    pub(crate) selection: Selection,
    /// Name of the person who makes it.
    pub(crate) author: String,
    /// Comment of its author.
    pub(crate) comment: String,
    /// When it begins by itself; at once, unless that lies ahead.
    pub(crate) from: Timestamp,
    /// When it ends by itself.
    pub(crate) until: Timestamp,
}

/// A delivery after an attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct DeliveryUpdate {
    /// Id of the delivery.
    pub(crate) id: DeliveryId,
    /// Number of its attempts.
    pub(crate) attempts: u32,
    /// Number of those that do not count.
    pub(crate) earlier: u32,
    /// Reading of the awake clock, kept from the first attempt on.
    pub(crate) awake: Duration,
    /// Its state and when it is due again, if that changes; none while another lease decides about it.
    pub(crate) outcome: Option<(DeliveryState, Option<Timestamp>)>,
    /// When the attempt ended.
    pub(crate) at: Timestamp,
}

/// An event to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    /// Id of the event, `evt_<uuid>`.
    pub(crate) id: String,
    /// Integration that the event is about, if it is about one.
    pub(crate) integration: Option<IntegrationId>,
    /// Its number in its integration, or among operational events; status changes and reminders repeat
    /// the one before.
    pub(crate) sequence: i64,
    /// The body that is sent.
    pub(crate) body: Event,
}
