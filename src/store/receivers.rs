//! Receivers and events, as they are read.

use std::collections::BTreeMap;

use crate::domain::{DisabledReason, EventType, Timestamp};

/// A receiver as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverRow {
    /// Name of the receiver.
    pub(crate) name: String,
    /// True when the configuration in force names it.
    pub(crate) configured: bool,
    /// Why and since when it is disabled; none while it is enabled.
    pub(crate) disabled: Option<(DisabledReason, Timestamp)>,
    /// Since when every attempt has failed.
    pub(crate) failing_since: Option<Timestamp>,
    /// When an attempt last succeeded.
    pub(crate) last_success_at: Option<Timestamp>,
    /// Number of pending deliveries.
    pub(crate) pending: u32,
    /// Instant of the oldest event that is pending.
    pub(crate) oldest_pending_at: Option<Timestamp>,
}

/// Numbers of pending messages by their receiver and the type of their event.
pub(crate) type PendingTypes = BTreeMap<String, Vec<(EventType, u32)>>;

/// Events in the order of their numbers.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    /// The store's random id: numbers of another one mean other events.
    pub(crate) epoch: String,
    /// The number of the latest event there ever was.
    pub(crate) latest: i64,
    /// The number up to which events have been deleted.
    pub(crate) pruned: i64,
    /// Events after the one asked for have been deleted: the reader has missed some.
    pub(crate) is_behind: bool,
    /// The events after the one asked for.
    pub(crate) rows: Vec<EventRow>,
}

/// An event as the store keeps it.
#[derive(Clone, Debug)]
pub(crate) struct EventRow {
    /// Its number, which only grows.
    pub(crate) number: i64,
    /// Id of the event, `evt_<uuid>`.
    pub(crate) id: String,
    /// Type of the event.
    pub(crate) kind: EventType,
    /// Name of the integration that it is about, if it is about one.
    pub(crate) integration: Option<String>,
    /// Instant of the event.
    pub(crate) created_at: Timestamp,
    /// The body, as it is sent.
    pub(crate) body: String,
}
