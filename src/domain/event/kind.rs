//! Types of events and their names.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::UnknownName;

/// Type of an event, as receivers subscribe to it.
#[derive(
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    PartialEq,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantArray,
)]
#[strum(const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
pub(crate) enum EventType {
    /// The integration entered an error status; an incident begins or goes on.
    #[strum(serialize = "integration.validation.failed")]
    ValidationFailed,
    /// The incident of the integration ends.
    #[strum(serialize = "integration.validation.recovered")]
    ValidationRecovered,
    /// The integration still fails, and the failure is not acknowledged.
    #[strum(serialize = "integration.validation.reminder")]
    ValidationReminder,
    /// Any other change of the status.
    #[strum(serialize = "integration.status.changed")]
    StatusChanged,
    /// The warnings changed while the status stayed.
    #[strum(serialize = "integration.validation.warning")]
    ValidationWarning,
    /// The status changes so often that messages are muted until it is stable.
    #[strum(serialize = "integration.flapping.started")]
    FlappingStarted,
    /// The status has been stable for long enough.
    #[strum(serialize = "integration.flapping.ended")]
    FlappingEnded,
    /// A configuration was applied that differs from the one before.
    #[strum(serialize = "configuration.applied")]
    ConfigurationApplied,
    /// Several integrations fail by one shared cause.
    #[strum(serialize = "integrations.outage")]
    Outage,
    /// The shared cause is over.
    #[strum(serialize = "integrations.outage.resolved")]
    OutageResolved,
    /// A fault of the daemon itself keeps it from judging integrations.
    #[strum(serialize = "daemon.degraded")]
    DaemonDegraded,
    /// The fault of the daemon is over.
    #[strum(serialize = "daemon.recovered")]
    DaemonRecovered,
    /// A receiver gets no messages any more.
    #[strum(serialize = "receiver.disabled")]
    ReceiverDisabled,
    /// Test message to one receiver.
    #[strum(serialize = "webhook.ping")]
    WebhookPing,
}

impl EventType {
    /// Every type, in the order of the documentation.
    pub(crate) const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Returns the name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

#[cfg(test)]
impl schemars::JsonSchema for EventType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventType".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": Self::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>() })
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_lists_every_type() {
        let readme = include_str!("../../../docs/receivers.md");
        for &kind in EventType::ALL {
            assert!(readme.contains(&format!("\n| `{}` | ", kind.as_str())), "{kind:?}");
        }
    }
}
