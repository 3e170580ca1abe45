//! What the store says of receivers and of what they are owed.

use crate::domain::{DisabledReason, EventType, Timestamp};

/// A receiver as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverRow {
    /// Its name.
    pub(crate) name: String,
    /// Whether the configuration in force names it.
    pub(crate) configured: bool,
    /// Why and since when it is disabled; none while it is enabled.
    pub(crate) disabled: Option<(DisabledReason, Timestamp)>,
    /// Since when every attempt has failed.
    pub(crate) failing_since: Option<Timestamp>,
    /// When an attempt last succeeded.
    pub(crate) last_success_at: Option<Timestamp>,
    /// How many deliveries it is owed.
    pub(crate) owed: u32,
    /// When the oldest event it is owed happened.
    pub(crate) oldest_owed_at: Option<Timestamp>,
}

/// Events in the order of their numbers.
#[derive(Clone, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "`GET /events` comes with the interface"))]
pub(crate) struct Events {
    /// The store's random id: numbers of another one mean other events.
    pub(crate) epoch: String,
    /// The number of the latest event there ever was.
    pub(crate) latest: i64,
    /// Events after the one asked for have been deleted: whoever asks has missed some.
    pub(crate) is_behind: bool,
    /// The events after the one asked for.
    pub(crate) rows: Vec<EventRow>,
}

/// An event as the store keeps it.
#[derive(Clone, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "`GET /events` comes with the interface"))]
pub(crate) struct EventRow {
    /// Its number, which only grows.
    pub(crate) number: i64,
    /// `evt_<uuid>`.
    pub(crate) id: String,
    /// What happened.
    pub(crate) kind: EventType,
    /// About which integration, if about one.
    pub(crate) integration: Option<String>,
    /// When it happened.
    pub(crate) created_at: Timestamp,
    /// The body, as it is sent.
    pub(crate) body: String,
}
