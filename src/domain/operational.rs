//! Events about the daemon and its receivers, which are about no integration.

use serde::{Deserialize, Serialize};

use super::{Timestamp, UnknownName};

/// Why a receiver is disabled.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum DisabledReason {
    /// It answered 410.
    Gone,
    /// Every attempt failed for too long.
    Failing,
    /// Somebody asked for it.
    Manual,
}

impl DisabledReason {
    /// Every reason.
    const ALL: [Self; 3] = [Self::Gone, Self::Failing, Self::Manual];

    /// The name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::Manual => "manual",
        }
    }

    /// The reason as part of a sentence.
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::Gone => "it answered 410 Gone",
            Self::Failing => "every attempt failed for too long",
            Self::Manual => "somebody asked for it",
        }
    }
}

impl std::str::FromStr for DisabledReason {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|reason| reason.as_str() == name);
        found.ok_or_else(|| UnknownName(name.to_owned()))
    }
}

/// The payload of `receiver.disabled`, which the other receivers are told.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ReceiverDisabled {
    /// Version of this shape.
    pub(crate) schema_version: u32,
    /// The store's random id, renewed when it is restored from a copy.
    pub(crate) epoch: String,
    /// Counts the events that are about no integration, from 1; a receiver is not told of itself.
    pub(crate) sequence: i64,
    /// Which receiver.
    pub(crate) receiver: String,
    /// Why.
    pub(crate) reason: DisabledReason,
    /// Since when every attempt failed.
    pub(crate) failing_since: Option<Timestamp>,
    /// When an attempt last succeeded, if one did.
    pub(crate) last_success_at: Option<Timestamp>,
    /// How many events it is owed; they wait until it is enabled.
    pub(crate) owed: u32,
}

/// The payload of `webhook.ping`, which is sent to try out a receiver and never stored.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct WebhookPing {
    /// Version of this shape.
    pub(crate) schema_version: u32,
    /// Which receiver is tried.
    pub(crate) receiver: String,
    /// For people who read it.
    pub(crate) message: String,
}
