//! Events about several integrations, the daemon and its receivers, which are about no single
//! integration.

use serde::{Deserialize, Serialize};

use super::IntegrationRef;
use crate::domain::{Factor, Status, Timestamp, UnknownName};

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
#[derive(Clone, Debug, Deserialize, Serialize)]
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

/// The payload of `integrations.outage` and `integrations.outage.resolved`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OutageNotice {
    /// Version of this shape.
    pub(crate) schema_version: u32,
    /// The store's random id, renewed when it is restored from a copy.
    pub(crate) epoch: String,
    /// Counts the events that are about no single integration, from 1.
    pub(crate) sequence: i64,
    /// `out_<uuid>`, the same at the end; it stands in `group` of what happened to each integration.
    pub(crate) outage_id: String,
    /// What the integrations have in common.
    pub(crate) factor: Factor,
    /// What kind of trouble they share: `unreached`, `refused` or `expired`.
    pub(crate) cause: String,
    /// When the first of them began to fail.
    pub(crate) since: Timestamp,
    /// How long it lasted, at the end.
    pub(crate) outage_ms: Option<i64>,
    /// Those that fail, or failed, by it, as far as known; 500 at most.
    pub(crate) integrations: Vec<OutageMember>,
    /// How many more there are.
    pub(crate) unlisted: u32,
}

/// An integration in an outage.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OutageMember {
    /// Which integration.
    #[serde(flatten)]
    pub(crate) integration: IntegrationRef,
    /// Its status now. One that fails but is still to be confirmed is `enabled`; one that is not when
    /// the outage ends is told of by itself from then on.
    pub(crate) status: Status,
    /// The number of its latest event: those up to it are part of this.
    pub(crate) sequence: i64,
}

/// What on the daemon's own side keeps it from telling what works.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum OwnFault {
    /// Nothing can be reached.
    Network,
    /// The clock is wrong.
    Clock,
    /// The disk is almost full.
    Disk,
    /// File descriptors are used up.
    Descriptors,
    /// A validation cannot be made, such as for a secret that cannot be read.
    Validation,
}

impl OwnFault {
    /// Every fault.
    pub(crate) const ALL: [Self; 5] =
        [Self::Network, Self::Clock, Self::Disk, Self::Descriptors, Self::Validation];

    /// The name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::Descriptors => "descriptors",
            Self::Validation => "validation",
        }
    }
}

impl std::str::FromStr for OwnFault {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|fault| fault.as_str() == name);
        found.ok_or_else(|| UnknownName(name.to_owned()))
    }
}

/// The payload of `daemon.degraded` and `daemon.recovered`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DaemonTrouble {
    /// Version of this shape.
    pub(crate) schema_version: u32,
    /// The store's random id, renewed when it is restored from a copy.
    pub(crate) epoch: String,
    /// Counts the events that are about no single integration, from 1.
    pub(crate) sequence: i64,
    /// What is wrong, or was.
    pub(crate) fault: OwnFault,
    /// For people.
    pub(crate) message: String,
    /// Since when.
    pub(crate) since: Timestamp,
    /// How long it lasted, at the end.
    pub(crate) lasted_ms: Option<i64>,
}

/// The payload of `webhook.ping`, which is sent to try out a receiver and never stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
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
