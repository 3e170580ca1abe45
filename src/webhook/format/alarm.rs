//! Alarms: what incident managers open with one event and close with another.

use std::collections::BTreeMap;

use super::text::{NAME_MAX, integration_name};
use crate::domain::{Event, EventType, Payload, Timestamp, one_line};

/// Deduplication key of the samples of a fault of the daemon.
const TEST_KEY: &str = "revalidated-test";

/// Severity of an event, for forms that only distinguish this much.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Severity {
    /// Something fails that worked before.
    Failure,
    /// Something works again after a failure.
    Recovery,
    /// Something works, with a warning.
    Warning,
    /// Nothing has got better or worse.
    Notice,
}

impl Severity {
    /// Returns the severity of `event`.
    pub(super) fn of(event: &Event) -> Self {
        let in_error = match &event.data {
            Payload::Integration(data) => data.status.is_error(),
            Payload::ConfigurationApplied(_)
            | Payload::Outage(_)
            | Payload::DaemonFaultNotice(_)
            | Payload::ReceiverDisabled(_)
            | Payload::WebhookPing(_) => false,
        };
        match event.kind {
            EventType::ValidationFailed
            | EventType::ValidationReminder
            | EventType::FlappingStarted
            | EventType::Outage
            | EventType::DaemonDegraded
            | EventType::ReceiverDisabled => Self::Failure,
            EventType::ValidationRecovered
            | EventType::OutageResolved
            | EventType::DaemonRecovered => Self::Recovery,
            EventType::ValidationWarning => Self::Warning,
            EventType::FlappingEnded => {
                if in_error {
                    Self::Failure
                } else {
                    Self::Recovery
                }
            }
            EventType::StatusChanged => {
                if in_error {
                    Self::Failure
                } else {
                    Self::Notice
                }
            }
            EventType::ConfigurationApplied | EventType::WebhookPing => Self::Notice,
        }
    }
}

/// Alarm that one event raises and another one ends.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Alarm {
    /// Deduplication key: the same in both events.
    pub(super) key: String,
    /// Name of this kind of alarm.
    pub(super) name: &'static str,
    /// Name of what fails.
    pub(super) source: String,
    /// Kind of what fails, such as a platform's name.
    pub(super) component: String,
    /// Instant at which the failure began.
    pub(super) since: Timestamp,
    /// Labels of the integration that fails.
    pub(super) labels: BTreeMap<String, String>,
}

impl Alarm {
    /// Returns the alarm that `event` raises or ends; none for an event outside of any incident.
    pub(super) fn of(event: &Event) -> Option<Self> {
        match &event.data {
            Payload::Integration(data) => Some(Self {
                key: data.incident_id.clone()?,
                name: "IntegrationValidationFailed",
                source: integration_name(&data.integration),
                component: data.integration.kind.clone(),
                since: data.failing_since.unwrap_or(event.timestamp),
                labels: data.integration.labels.clone(),
            }),
            Payload::Outage(outage) => Some(Self {
                key: outage.outage_id.clone(),
                name: "IntegrationsOutage",
                source: one_line(&outage.factor.value, NAME_MAX),
                component: outage.factor.kind.as_str().to_owned(),
                since: outage.since,
                labels: BTreeMap::new(),
            }),
            Payload::DaemonFaultNotice(notice) => Some(Self {
                // The samples of its beginning and its end are sent at any time.
                key: if event.is_test { TEST_KEY.to_owned() } else { notice.incident_id() },
                name: "RevalidatedDegraded",
                source: "revalidated".to_owned(),
                component: notice.fault.as_str().to_owned(),
                since: notice.since,
                labels: BTreeMap::new(),
            }),
            Payload::ConfigurationApplied(_)
            | Payload::ReceiverDisabled(_)
            | Payload::WebhookPing(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;

    fn event(name: &str) -> Event {
        let (_, body) = samples().into_iter().find(|(found, _)| *found == name).unwrap();
        serde_json::from_str(&body).unwrap()
    }

    #[test]
    fn severity_follows_the_type_and_the_status() {
        let table = [
            ("failed", Severity::Failure),
            ("recovered", Severity::Recovery),
            ("reminder", Severity::Failure),
            ("changed", Severity::Notice),
            ("applied", Severity::Notice),
            ("warning", Severity::Warning),
            ("flapping", Severity::Failure),
            ("calm", Severity::Recovery),
            ("outage", Severity::Failure),
            ("resolved", Severity::Recovery),
            ("degraded", Severity::Failure),
            ("restored", Severity::Recovery),
            ("disabled", Severity::Failure),
            ("ping", Severity::Notice),
        ];
        assert_eq!(table.len(), samples().len());
        for (name, expected) in table {
            assert_eq!(Severity::of(&event(name)), expected, "{name}");
        }
        for name in ["calm", "changed"] {
            let mut event = event(name);
            let Payload::Integration(data) = &mut event.data else { panic!("{name}") };
            data.status = crate::domain::Status::EditError;
            assert_eq!(Severity::of(&event), Severity::Failure, "{name} in an error status");
        }
    }

    #[test]
    fn alarm_is_ended_under_the_key_that_raised_it() {
        for (raised, ended) in [
            ("failed", "recovered"),
            ("reminder", "recovered"),
            ("outage", "resolved"),
            ("degraded", "restored"),
        ] {
            let alarms = [raised, ended].map(|name| Alarm::of(&event(name)).unwrap());
            assert_eq!(alarms[0], alarms[1], "{raised}");
        }
        for name in ["changed", "applied", "disabled", "ping"] {
            assert_eq!(Alarm::of(&event(name)), None, "{name}");
        }
    }
}
