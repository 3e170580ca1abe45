//! The values of the outbox that decisions read and change: deliveries, their queues, attempts, and the
//! health of receivers.

use std::time::Duration;

use super::row::Incident;
use crate::domain::{AttemptResult, DeliveryId, DisabledReason, IntegrationId, Next, Timestamp};

/// State of a delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase", const_into_str)]
pub(crate) enum DeliveryState {
    /// It is queued, or being sent.
    Pending,
    /// A 2xx answer came.
    Delivered,
    /// It has ended without one (dead-lettered).
    Failed,
}

impl DeliveryState {
    /// All states of deliveries.
    pub(crate) const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The name in the database and for people.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Returns the state of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == name)
    }

    /// Returns true when it is sent no more.
    pub(crate) const fn has_ended(self) -> bool {
        match self {
            Self::Pending => false,
            Self::Delivered | Self::Failed => true,
        }
    }
}

/// One attempt, to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// Id of its delivery.
    pub(crate) delivery: DeliveryId,
    /// Token of the lease under which it was sent.
    pub(crate) token: i64,
    /// When it was sent.
    pub(crate) started_at: Timestamp,
    /// Duration of the attempt.
    pub(crate) duration: Duration,
    /// Result of the HTTP request.
    pub(crate) result: AttemptResult,
    /// The error, or the beginning of the answer: redacted and bounded.
    pub(crate) detail: String,
    /// Consequence for its delivery.
    pub(crate) next: Next,
    /// Awake time for which every attempt must have failed to disable the receiver.
    pub(crate) disable_after: Duration,
    /// Reading of the awake clock at its end.
    pub(crate) awake: Duration,
    /// Nothing is wrong with the daemon itself, so that a failure is evidence.
    pub(crate) is_trusted: bool,
    /// The most attempts of one delivery that are kept, the latest.
    pub(crate) kept_max: u32,
}

impl Attempt {
    /// Returns when it ended, by the clock that shows `now`: one that was rolled back while the attempt was
    /// under way would let what follows wait until its beginning comes again.
    pub(super) fn ended_at(&self, now: Timestamp) -> Timestamp {
        if now < self.started_at { now } else { self.started_at.plus(self.duration) }
    }
}

/// A delivery as an attempt finds it.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryRecord {
    /// State of the delivery.
    pub(crate) state: DeliveryState,
    /// Number of its attempts so far.
    pub(crate) attempts: u32,
    /// Number of those that do not count: probes, and attempts before it was last queued.
    pub(crate) earlier: u32,
    /// Token of its current lease.
    pub(crate) token: Option<i64>,
    /// Health of its receiver.
    pub(crate) receiver: ReceiverHealth,
    /// Its part in an incident, if it has one.
    pub(crate) part: Option<InIncident>,
}

/// Part of a delivery in an incident, with what is left for its receiver when it is dead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct InIncident {
    /// Id of the incident.
    pub(crate) incident: String,
    /// The delivery ends it.
    pub(crate) ends: bool,
    /// No other delivery notifies the receiver that it lasts.
    pub(crate) is_alone: bool,
}

/// Queue of one receiver about one integration, or about none.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Queue {
    /// Name of the receiver.
    pub(crate) receiver: String,
    /// Id of the integration.
    pub(crate) integration: Option<IntegrationId>,
}

/// A delivery that is to be queued again.
#[derive(Clone, Debug)]
pub(crate) struct Redelivery {
    /// Id of the delivery.
    pub(crate) id: DeliveryId,
    /// Queue that it is in.
    pub(crate) queue: Queue,
    /// Its state until now.
    pub(crate) state: DeliveryState,
    /// Id of the incident that it notifies the receiver of, unless it ends it.
    pub(crate) incident: Option<String>,
}

/// A delivery that has waited too long.
#[derive(Clone, Debug)]
pub(crate) struct Overdue {
    /// Id of the delivery.
    pub(crate) id: DeliveryId,
    /// Name of its receiver.
    pub(crate) receiver: String,
    /// Its part in an incident, if it has one.
    pub(crate) part: Option<InIncident>,
}

/// An event of the past.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PastEvent {
    /// Id of the event, `evt_<uuid>`.
    pub(crate) id: String,
    /// Integration that it is about, if it is about one.
    pub(crate) integration: Option<IntegrationId>,
    /// Instant of the event.
    pub(crate) at: Timestamp,
    /// The delivery of it to the receiver at hand.
    pub(crate) delivery: Option<(DeliveryId, DeliveryState)>,
    /// The incident that it begins or goes on with, while that is open.
    pub(crate) incident: Option<Incident>,
}

/// Health of a receiver.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ReceiverHealth {
    /// Name of the receiver.
    pub(crate) name: String,
    /// The reason and the instant when it was disabled; none while it is enabled.
    pub(crate) disabled: Option<(DisabledReason, Timestamp)>,
    /// When the first of its consecutive failed attempts ended.
    pub(crate) failing_since: Option<Timestamp>,
    /// When an attempt last succeeded.
    pub(crate) last_success_at: Option<Timestamp>,
    /// Reading of the awake clock when the first of its consecutive failed attempts ended.
    pub(crate) failing_awake: Option<Duration>,
    /// Outage during which one message at a time probes it; none while it answers.
    pub(crate) outage: Option<ProbedOutage>,
}

/// Outage of a receiver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ProbedOutage {
    /// Number of failed probes, the attempt that began it among them.
    pub(crate) failures: u32,
    /// Reading of the awake clock at its beginning.
    pub(crate) awake: Duration,
    /// Instant of the next probe.
    pub(crate) probe_at: Timestamp,
}

/// A receiver that an attempt has disabled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Disabled {
    /// Reason of the disabling.
    pub(crate) reason: DisabledReason,
    /// Number of deliveries that are pending for it.
    pub(crate) pending: u32,
}
