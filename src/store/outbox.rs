//! The outbox: what may be sent now, and what was queued again.

use crate::domain::ledger::DeliveryState;
use crate::domain::{DeliveryId, Timestamp};

/// A delivery that may be sent now, under a lease.
#[derive(Clone, Debug)]
pub(crate) struct PendingDelivery {
    /// Which delivery.
    pub(crate) id: DeliveryId,
    /// `evt_<uuid>`: the `webhook-id`, the same at every attempt.
    pub(crate) event_id: String,
    /// To whom.
    pub(crate) receiver: String,
    /// About which integration, if about one.
    pub(crate) integration: Option<String>,
    /// The body, as stored.
    pub(crate) body: String,
    /// The number of this attempt since the delivery was last owed anew, from 1.
    pub(crate) attempt: u32,
    /// Token of its lease.
    pub(crate) token: i64,
}

/// What became of the wish to owe deliveries anew.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Redelivered {
    /// Each delivery with its receiver and the state it had; those that were pending stay as they were.
    Owed(Vec<(DeliveryId, String, DeliveryState)>),
    /// There are no such deliveries; nothing was changed.
    Unknown(Vec<DeliveryId>),
}

/// What a replay owes, or would owe.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Replayed {
    /// How many events are owed anew.
    pub(crate) events: u64,
    /// About how many integrations.
    pub(crate) integrations: u64,
    /// How many more are owed already.
    pub(crate) already_owed: u64,
    /// When the first and the last of the events happened.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// There are more events than one replay takes; nothing was changed.
    pub(crate) is_too_much: bool,
}
