//! Samples: an event of each type as it is stored, for tests of receivers and for whoever writes one.

use super::EventType;

/// Includes the sample of a type by its name.
macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../../share/samples/", $name, "/standard.json"))
    };
}

/// Returns the body of an event of this type, with realistic contents.
pub(crate) const fn sample(kind: EventType) -> &'static str {
    match kind {
        EventType::ValidationFailed => sample!("integration.validation.failed"),
        EventType::ValidationRecovered => sample!("integration.validation.recovered"),
        EventType::ValidationReminder => sample!("integration.validation.reminder"),
        EventType::StatusChanged => sample!("integration.status.changed"),
        EventType::ValidationWarning => sample!("integration.validation.warning"),
        EventType::FlappingStarted => sample!("integration.flapping.started"),
        EventType::FlappingEnded => sample!("integration.flapping.ended"),
        EventType::ConfigurationApplied => sample!("configuration.applied"),
        EventType::Outage => sample!("integrations.outage"),
        EventType::OutageResolved => sample!("integrations.outage.resolved"),
        EventType::DaemonDegraded => sample!("daemon.degraded"),
        EventType::DaemonRecovered => sample!("daemon.recovered"),
        EventType::ReceiverDisabled => sample!("receiver.disabled"),
        EventType::WebhookPing => sample!("webhook.ping"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    #[test]
    fn sample_of_each_type_is_an_event_of_that_type() {
        for &kind in EventType::ALL {
            let event: Event = serde_json::from_str(sample(kind)).unwrap();
            assert_eq!((event.kind, event.is_test), (kind, false));
        }
    }
}
