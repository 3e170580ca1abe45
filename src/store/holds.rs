//! What the store says of messages that are held, and of outages.

use crate::domain::{Factor, IntegrationId, OwnFault, Selection, Timestamp};

/// Something that holds messages, made by a person.
#[derive(Clone, Debug)]
pub(crate) struct SilenceRow {
    /// Its id.
    pub(crate) id: i64,
    /// The integration that is acknowledged, when it is about one.
    pub(crate) acknowledged: Option<(IntegrationId, String)>,
    /// Whose messages are held.
    pub(crate) selection: Selection,
    /// Why, in somebody's words.
    pub(crate) comment: String,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it ends by itself.
    pub(crate) until: Timestamp,
    /// When somebody ended it before.
    pub(crate) ended_at: Option<Timestamp>,
}

/// What becomes a [`SilenceRow`].
#[derive(Clone, Debug)]
pub(crate) struct NewSilence {
    /// The integration to be acknowledged; without one, it is about the selection.
    pub(crate) acknowledges: Option<IntegrationId>,
    /// Whose messages are held.
    pub(crate) selection: Selection,
    /// Why.
    pub(crate) comment: String,
    /// When it ends by itself.
    pub(crate) until: Timestamp,
}

/// Why messages about an integration are held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HoldRow {
    /// By what, in words: ``maintenance `nightly` ``, `silence 3`, `acknowledgement 4`, `flapping`.
    pub(crate) by: String,
    /// When that ends, as far as is known.
    pub(crate) until: Timestamp,
}

/// An outage that integrations share.
#[derive(Clone, Debug)]
pub(crate) struct OutageRow {
    /// `out_<uuid>`.
    pub(crate) id: String,
    /// What they have in common.
    pub(crate) factor: Factor,
    /// Since when.
    pub(crate) since: Timestamp,
}

/// Something that is wrong on the daemon's own side.
#[derive(Clone, Debug)]
pub(crate) struct OwnFaultRow {
    /// What.
    pub(crate) fault: OwnFault,
    /// Since when.
    pub(crate) since: Timestamp,
    /// For people.
    pub(crate) message: String,
}

/// What a look at what is held did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Released {
    /// For how many integrations messages are no longer held.
    pub(crate) integrations: usize,
    /// How many outages have ended.
    pub(crate) outages: usize,
}
