//! Payloads of events about no single integration: outages, the daemon itself, receivers.

use serde::{Deserialize, Serialize};

use super::{IntegrationRef, Links};
use crate::domain::{Changes, Factor, Status, Timestamp, UnknownName};

/// Reason why a receiver is disabled.
#[derive(
    Clone,
    Copy,
    Debug,
    Deserialize,
    Eq,
    PartialEq,
    Serialize,
    strum::IntoStaticStr,
    strum::EnumString,
)]
#[strum(serialize_all = "lowercase", const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum DisabledReason {
    /// The receiver answered 410 Gone.
    Gone,
    /// Every attempt failed for too long.
    Failing,
    /// An operator disabled it.
    Manual,
}

impl DisabledReason {
    /// Returns the name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Returns the reason as part of a sentence.
    pub(crate) const fn clause(self) -> &'static str {
        match self {
            Self::Gone => "it answered 410 Gone",
            Self::Failing => "every attempt failed for too long",
            Self::Manual => "an operator disabled it",
        }
    }
}

/// Payload of `receiver.disabled`, which is sent to the other receivers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ReceiverDisabled {
    /// Version of this shape, which is only extended.
    pub(crate) schema_version: u32,
    /// Random id of the store, renewed when the store is restored from a copy.
    pub(crate) epoch: String,
    /// Number of this event among those about no single integration, from 1; a receiver gets none about
    /// itself.
    pub(crate) sequence: i64,
    /// Name of the receiver.
    pub(crate) receiver: String,
    /// Reason why it is disabled.
    pub(crate) reason: DisabledReason,
    /// Instant since which every attempt failed.
    pub(crate) failing_since: Option<Timestamp>,
    /// Instant of the latest successful attempt, if there was one.
    pub(crate) last_success_at: Option<Timestamp>,
    /// Number of pending deliveries, which wait until the receiver is enabled.
    #[serde(alias = "owed")]
    pub(crate) pending: u32,
    /// Links to the page, where the daemon's configuration names its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) links: Option<Links>,
}

/// Payload of `integrations.outage` and `integrations.outage.resolved`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OutageNotice {
    /// Version of this shape, which is only extended.
    pub(crate) schema_version: u32,
    /// Random id of the store, renewed when the store is restored from a copy.
    pub(crate) epoch: String,
    /// Number of this event among those about no single integration, from 1.
    pub(crate) sequence: i64,
    /// Id `out_<uuid>`, the same at the end, and `group` in the events of each integration.
    pub(crate) outage_id: String,
    /// Factor that the integrations share.
    pub(crate) factor: Factor,
    /// Cause that they share: `unreached`, `refused` or `expired`.
    pub(crate) cause: String,
    /// Instant at which the first of them began to fail.
    pub(crate) since: Timestamp,
    /// Duration of the outage, at its end.
    pub(crate) outage_ms: Option<i64>,
    /// Integrations that fail, or failed, by it, as far as known; 500 at most.
    pub(crate) integrations: Vec<OutageMember>,
    /// Number of further integrations that are not listed.
    pub(crate) unlisted: u32,
    /// Links to the page, where the daemon's configuration names its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) links: Option<Links>,
}

/// Integration that fails by an outage.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OutageMember {
    /// Integration as events name it.
    #[serde(flatten)]
    pub(crate) integration: IntegrationRef,
    /// Status of the integration: `enabled` while its failure is not confirmed. One that still fails when
    /// the outage ends has events of its own from then on.
    pub(crate) status: Status,
    /// Number of its latest event: this event covers those up to it.
    pub(crate) sequence: i64,
}

/// Fault of the daemon itself that keeps it from judging integrations.
#[derive(
    Clone,
    Copy,
    Debug,
    Deserialize,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantArray,
)]
#[strum(serialize_all = "lowercase", const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum OwnFault {
    /// No host can be reached.
    Network,
    /// The local clock is wrong.
    Clock,
    /// The disk of the database is almost full.
    Disk,
    /// File descriptors are used up.
    Descriptors,
    /// A validation cannot run, for example because a secret cannot be read.
    Validation,
    /// The configuration has been refused for ten minutes; the one before stays in force.
    Configuration,
    /// No backup could be made for two periods of their schedule.
    Backup,
    /// The database has lost what was acknowledged, as by a failover to a standby that was behind.
    Store,
    /// No node has the labels that something is meant for.
    Region,
}

impl OwnFault {
    /// Every fault, in the order of declaration.
    pub(crate) const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Returns the name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Payload of `daemon.degraded` and `daemon.recovered`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DaemonFaultNotice {
    /// Version of this shape, which is only extended.
    pub(crate) schema_version: u32,
    /// Random id of the store, renewed when the store is restored from a copy.
    pub(crate) epoch: String,
    /// Number of this event among those about no single integration, from 1.
    pub(crate) sequence: i64,
    /// Fault that lasts, or has ended.
    pub(crate) fault: OwnFault,
    /// Description of the fault for people.
    pub(crate) message: String,
    /// Node that has the fault, or had it first, where several daemons share a database; none where it is of all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) node: Option<String>,
    /// Instant at which the fault began.
    pub(crate) since: Timestamp,
    /// Duration of the fault, at its end.
    pub(crate) lasted_ms: Option<i64>,
    /// Links to the page, where the daemon's configuration names its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) links: Option<Links>,
}

impl DaemonFaultNotice {
    /// Returns the id of the incident that the fault is, the same at its beginning and its end.
    pub(crate) fn incident_id(&self) -> String {
        format!("revalidated-{}-{}", self.fault.as_str(), self.since.0)
    }
}

/// Payload of `webhook.ping`, which tests a receiver and is never stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct WebhookPing {
    /// Version of this shape, which is only extended.
    pub(crate) schema_version: u32,
    /// Name of the receiver that is tested.
    pub(crate) receiver: String,
    /// Text for the people who read it.
    pub(crate) message: String,
}

/// Payload of `configuration.applied`: the sum of what it changed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ConfigurationApplied {
    /// Version of this shape, which is only extended.
    pub(crate) schema_version: u32,
    /// Random id of the store, renewed when the store is restored from a copy.
    pub(crate) epoch: String,
    /// Number of this event among those about no single integration, from 1.
    pub(crate) sequence: i64,
    /// Changes as counts, each with the first names.
    #[serde(flatten)]
    pub(crate) changes: Changes,
    /// Links to the page, where the daemon's configuration names its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) links: Option<Links>,
}
