//! Types of events and their names.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::{Status, Transition, UnknownName};

/// Type of an event, as receivers subscribe to it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum EventType {
    /// The recurring validation failed; an incident begins.
    ValidationFailed,
    /// The integration works again; the incident ends.
    ValidationRecovered,
    /// Any other change of the status.
    StatusChanged,
    /// The warnings changed while the status stayed.
    ValidationWarning,
    /// The status changes so often that messages are muted until it is stable.
    FlappingStarted,
    /// The status has been stable for long enough.
    FlappingEnded,
    /// Several integrations fail by one shared cause.
    Outage,
    /// The shared cause is over.
    OutageResolved,
    /// A fault of the daemon itself keeps it from judging integrations.
    DaemonDegraded,
    /// The fault of the daemon is over.
    DaemonRecovered,
    /// A receiver gets no messages any more.
    ReceiverDisabled,
    /// Test message to one receiver.
    WebhookPing,
}

impl EventType {
    /// Every type, in the order of the documentation.
    pub(crate) const ALL: [Self; 12] = [
        Self::ValidationFailed,
        Self::ValidationRecovered,
        Self::StatusChanged,
        Self::ValidationWarning,
        Self::FlappingStarted,
        Self::FlappingEnded,
        Self::Outage,
        Self::OutageResolved,
        Self::DaemonDegraded,
        Self::DaemonRecovered,
        Self::ReceiverDisabled,
        Self::WebhookPing,
    ];

    /// Returns the name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ValidationFailed => "integration.validation.failed",
            Self::ValidationRecovered => "integration.validation.recovered",
            Self::StatusChanged => "integration.status.changed",
            Self::ValidationWarning => "integration.validation.warning",
            Self::FlappingStarted => "integration.flapping.started",
            Self::FlappingEnded => "integration.flapping.ended",
            Self::Outage => "integrations.outage",
            Self::OutageResolved => "integrations.outage.resolved",
            Self::DaemonDegraded => "daemon.degraded",
            Self::DaemonRecovered => "daemon.recovered",
            Self::ReceiverDisabled => "receiver.disabled",
            Self::WebhookPing => "webhook.ping",
        }
    }

    /// Returns the type of the event for `transition`, given whether an incident is open.
    #[must_use]
    pub(crate) fn of(transition: Transition, incident_open: bool) -> Self {
        match (transition.to, incident_open) {
            (Status::RecurringValidationError, _) => Self::ValidationFailed,
            (Status::Enabled, true) => Self::ValidationRecovered,
            _ => Self::StatusChanged,
        }
    }
}

#[cfg(test)]
impl schemars::JsonSchema for EventType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventType".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": Self::ALL.map(Self::as_str) })
    }
}

impl std::str::FromStr for EventType {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| UnknownName(name.to_owned()))
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
    use crate::domain::Cause;

    #[test]
    fn document_lists_every_type() {
        let readme = include_str!("../../../docs/receivers.md");
        for kind in EventType::ALL {
            assert!(readme.contains(&format!("\n| `{}` | ", kind.as_str())), "{kind:?}");
        }
    }

    #[test]
    fn return_to_enabled_is_a_recovery_only_out_of_an_incident() {
        let to = |to| Transition { from: Status::Editing, to, cause: Cause::CandidatePassed };
        assert_eq!(EventType::of(to(Status::Enabled), true), EventType::ValidationRecovered);
        assert_eq!(EventType::of(to(Status::Enabled), false), EventType::StatusChanged);
        let failed = EventType::of(to(Status::RecurringValidationError), false);
        assert_eq!(failed, EventType::ValidationFailed);
    }
}
