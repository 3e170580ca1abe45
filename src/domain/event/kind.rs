//! Types of events.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::{Status, Transition, UnknownName};

/// What kind of thing a receiver is told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum EventType {
    /// `enabled` to `recurringValidationError`.
    ValidationFailed,
    /// Back to `enabled`, closing an incident.
    ValidationRecovered,
    /// Every other transition.
    StatusChanged,
    /// There is a new warning while the status stays.
    ValidationWarning,
    /// It fails and works again so often that messages are held until it is calm.
    FlappingStarted,
    /// It has been calm for long enough.
    FlappingEnded,
    /// Several integrations fail by one shared cause.
    Outage,
    /// They work again.
    OutageResolved,
    /// Something on the daemon's own side keeps it from telling what works.
    DaemonDegraded,
    /// It no longer does.
    DaemonRecovered,
    /// A receiver is no longer sent anything.
    ReceiverDisabled,
    /// A receiver is tried out.
    WebhookPing,
}

impl EventType {
    /// Every type.
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

    /// The name on the wire and in the database.
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

    /// The type of the event that tells of `transition`, given whether an incident is open.
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
    fn a_return_to_enabled_is_a_recovery_only_out_of_an_incident() {
        let to = |to| Transition { from: Status::Editing, to, cause: Cause::CandidatePassed };
        assert_eq!(EventType::of(to(Status::Enabled), true), EventType::ValidationRecovered);
        assert_eq!(EventType::of(to(Status::Enabled), false), EventType::StatusChanged);
        let failed = EventType::of(to(Status::RecurringValidationError), false);
        assert_eq!(failed, EventType::ValidationFailed);
    }
}
