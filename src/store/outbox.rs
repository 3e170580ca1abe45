//! Values of the outbox: deliveries that may be sent now, redelivery and replay.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::ledger::{DeliveryState, Incident, Replay};
use crate::domain::{DeliveryId, Event, EventType, Format, Payload, Timestamp};

/// Number of messages that may be sent to a receiver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Capacity {
    /// The most that this node may send now.
    pub(crate) free: u32,
    /// The most that all nodes together may be sending.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has one node"))]
    pub(crate) most: u32,
}

/// A delivery that may be sent now, under a lease.
#[derive(Clone, Debug)]
pub(crate) struct PendingDelivery {
    /// Id of the delivery.
    pub(crate) id: DeliveryId,
    /// `evt_<uuid>`: the `webhook-id`, the same at every attempt.
    pub(crate) event_id: String,
    /// Name of the receiver.
    pub(crate) receiver: String,
    /// Name of the integration that it is about, if it is about one.
    pub(crate) integration: Option<String>,
    /// The body, as stored.
    pub(crate) body: String,
    /// The number of this attempt since the delivery was last queued, from 1, without probes.
    pub(crate) attempt: u32,
    /// Reading of the awake clock at its first attempt since then.
    pub(crate) tried_awake: Option<Duration>,
    /// Token of its lease.
    pub(crate) token: i64,
    /// The body of the event that began the incident for the receiver, when that was another one.
    pub(crate) began: Option<String>,
    /// Format in which the incident began; none for the receiver's present one.
    pub(crate) format: Option<Format>,
    /// Id of the incident that the delivery is part of.
    pub(crate) incident: Option<String>,
}

/// An alert that is to be sent again as it is.
#[derive(Clone, Debug)]
pub(crate) struct Resend {
    /// Number of the integration of whose queue it is part, where nodes share the database; zero for those about none.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has one node"))]
    pub(crate) lane: i64,
    /// Id of the incident.
    pub(crate) incident: String,
    /// Name of the receiver.
    pub(crate) receiver: String,
    /// Id of the event that began it: the `webhook-id`, as before.
    pub(crate) event_id: String,
    /// The body, as stored.
    pub(crate) body: String,
    /// Format in which the incident began; none for the receiver's present one.
    pub(crate) format: Option<Format>,
}

/// Result of queueing deliveries again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Redelivered {
    /// Each delivery with its receiver and the state it had; those that were pending stay as they were.
    Queued(Vec<(DeliveryId, String, DeliveryState)>),
    /// There are no such deliveries; nothing was changed.
    Unknown(Vec<DeliveryId>),
}

/// Span of time of which the events are replayed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    /// First instant of the span.
    pub(crate) since: Timestamp,
    /// First instant after the span; without one it has no end.
    pub(crate) until: Option<Timestamp>,
}

/// Events that a replay queues, or would queue.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Replayed {
    /// Number of events that are queued again.
    pub(crate) events: u64,
    /// Number of integrations that they are about.
    pub(crate) integrations: u64,
    /// Number of events that are pending already.
    pub(crate) already_pending: u64,
    /// When the first and the last of the events happened.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// There are more events than one replay takes; nothing was changed.
    pub(crate) is_too_much: bool,
}

impl Replayed {
    /// Counts what a replay would queue.
    pub(super) fn of(replay: &Replay, is_too_much: bool) -> Self {
        let Replay { fresh, pending, .. } = replay;
        let integrations: BTreeSet<_> = fresh.iter().filter_map(|one| one.integration).collect();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let first = fresh.iter().map(|one| one.at).min();
        Self {
            events: count(fresh.len()),
            integrations: count(integrations.len()),
            already_pending: count(*pending),
            span: first.zip(fresh.iter().map(|one| one.at).max()),
            is_too_much,
        }
    }
}

/// Returns the incident `open` when `event` begins it or goes on with it.
pub(super) fn incident_of(event: &Event, open: Option<&str>) -> Option<Incident> {
    let is_kind = matches!(event.kind, EventType::ValidationFailed | EventType::FlappingStarted);
    let Payload::Integration(data) = &event.data else { return None };
    let id = data.incident_id.clone().filter(|id| is_kind && Some(id.as_str()) == open)?;
    Some(Incident { id, since: data.failing_since.unwrap_or(event.timestamp), is_notified: true })
}
