//! Subscriptions: the events that a receiver wants.

use super::{Event, EventType, Format, Payload, Timing};
use crate::domain::selection::matches;
use crate::domain::{About, Selection};

/// Events and integrations that one receiver wants.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Subscription {
    /// Name of the receiver.
    pub(crate) receiver: String,
    /// Patterns of event types, in which `*` matches any text.
    pub(crate) events: Vec<String>,
    /// Integrations that it wants events of.
    pub(crate) selection: Selection,
    /// True when it wants an event for each integration in an outage besides the outage itself.
    pub(crate) individual: bool,
    /// Format of its messages.
    pub(crate) format: Format,
    /// Timing of its messages.
    pub(crate) timing: Timing,
}

impl Subscription {
    /// Returns true when the receiver wants events of `kind` about this integration.
    #[must_use]
    pub(crate) fn wants(&self, kind: EventType, about: About<'_>) -> bool {
        self.wants_kind(kind) && self.selection.fits(about)
    }

    /// Returns true when the receiver wants events of `kind`, about whatever integration. A status change
    /// is wanted only by a pattern that names it.
    #[must_use]
    pub(crate) fn wants_kind(&self, kind: EventType) -> bool {
        let names = |pattern: &String| {
            kind != EventType::StatusChanged || pattern.starts_with("integration.status.")
        };
        self.events.iter().any(|pattern| names(pattern) && matches(pattern, kind.as_str()))
    }

    /// Returns true when it subscribes to the ends of incidents and to nothing that begins one.
    #[must_use]
    pub(crate) fn wants_only_ends(&self) -> bool {
        !self.wants_kind(EventType::ValidationFailed)
            && !self.wants_kind(EventType::FlappingStarted)
    }

    /// Returns true when a replay sends the receiver the stored `event`: what belongs to an outage is sent with
    /// the outage, and a receiver is sent nothing about itself.
    #[must_use]
    pub(crate) fn wants_again(&self, event: &Event) -> bool {
        let concerned = match &event.data {
            Payload::Integration(data) => {
                let sent_with_outage = data.group.is_some() && self.is_grouped();
                !sent_with_outage && self.selection.fits(data.integration.about())
            }
            Payload::Outage(outage) => {
                let mut members = outage.integrations.iter();
                members.any(|member| self.selection.fits(member.integration.about()))
            }
            Payload::ConfigurationApplied(_) | Payload::DaemonFaultNotice(_) => true,
            Payload::ReceiverDisabled(disabled) => disabled.receiver != self.receiver,
            Payload::WebhookPing(ping) => ping.receiver != self.receiver,
        };
        self.wants_kind(event.kind) && concerned
    }

    /// Returns true when the receiver gets one event for an outage in place of one for each integration.
    #[must_use]
    pub(crate) fn is_grouped(&self) -> bool {
        !self.individual && self.wants_kind(EventType::Outage)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn subscription_matches_by_event_name_platform_and_labels() {
        let labels = BTreeMap::from([("team".to_owned(), "data-eu".to_owned())]);
        let about = About { name: "prod-lake", kind: "Native S3", labels: &labels };
        let list = |patterns: &[&str]| patterns.iter().map(|&one| one.to_owned()).collect();
        let wants = |events: &[&str], integrations: &[&str], types: &[&str], label: &str| {
            let labels =
                label.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
            let subscription = Subscription {
                receiver: "r".to_owned(),
                events: list(events),
                selection: Selection {
                    integrations: list(integrations),
                    types: list(types),
                    labels: labels.into_iter().collect(),
                },
                ..Subscription::default()
            };
            subscription.wants(EventType::ValidationFailed, about)
        };
        let table = [
            (wants(&["*"], &[], &[], ""), true),
            (wants(&["integration.*"], &[], &[], ""), true),
            (wants(&["*.failed"], &[], &[], ""), true),
            (wants(&["integration.validation.failed"], &[], &[], ""), true),
            (wants(&["integration.validation.recovered"], &[], &[], ""), false),
            (wants(&["*.recovered", "*.failed"], &[], &[], ""), true),
            (wants(&[], &[], &[], ""), false),
            (wants(&["*"], &["prod-*"], &[], ""), true),
            (wants(&["*"], &["test-*"], &[], ""), false),
            (wants(&["*"], &["prod-lake"], &["Redshift"], ""), false),
            (wants(&["*"], &[], &["Redshift", "Native S3"], ""), true),
            (wants(&["*"], &[], &[], "team=data-*"), true),
            (wants(&["*"], &[], &[], "team=data"), false),
            (wants(&["*"], &[], &[], "tier=1"), false),
        ];
        for (number, (found, expected)) in table.into_iter().enumerate() {
            assert_eq!(found, expected, "case {number}");
        }
    }

    #[test]
    fn status_change_is_wanted_only_by_its_name() {
        let wants = |pattern: &str| {
            let events = vec![pattern.to_owned()];
            let subscription = Subscription { events, ..Subscription::default() };
            subscription.wants_kind(EventType::StatusChanged)
        };
        let found = ["*", "integration.*", "*.changed", "integration.validation.*"].map(wants);
        assert_eq!(found, [false; 4]);
        let found = ["integration.status.changed", "integration.status.*"].map(wants);
        assert_eq!(found, [true; 2]);
    }

    #[test]
    fn replay_leaves_out_events_that_an_outage_covers_and_those_about_the_receiver_itself() {
        let event = |kind: &str, data: &str| -> Event {
            let body = format!(
                r#"{{"type":"{kind}","timestamp":"2026-11-22T21:00:00Z","data":{{"schemaVersion":1,
                "epoch":"e","sequence":1,{data}}}}}"#
            );
            serde_json::from_str(&body).unwrap()
        };
        let lake =
            r#"{"id":1,"name":"lake","type":"S3","labels":{},"status":"enabled","sequence":2}"#;
        let alone = event(
            "integration.validation.failed",
            &format!(r#""integration":{lake},"status":"enabled""#),
        );
        let grouped = event(
            "integration.validation.failed",
            &format!(r#""integration":{lake},"status":"enabled","group":"out_1""#),
        );
        let outage = event(
            "integrations.outage",
            &format!(
                r#""outageId":"out_1","factor":{{"kind":"host","value":"h"}},"cause":"unreached",
                "since":"2026-11-22T21:00:00Z","integrations":[{lake}],"unlisted":0"#
            ),
        );
        let disabled =
            event("receiver.disabled", r#""receiver":"on-call","reason":"gone","pending":0"#);
        let degraded = event(
            "daemon.degraded",
            r#""fault":"disk","message":"m","since":"2026-11-22T21:00:00Z""#,
        );
        let subscription = |receiver: &str, name: &str, individual| Subscription {
            receiver: receiver.to_owned(),
            events: vec!["*".to_owned()],
            selection: Selection { integrations: vec![name.to_owned()], ..Selection::default() },
            individual,
            ..Subscription::default()
        };
        let wants = |one: Subscription| {
            [&alone, &grouped, &outage, &disabled, &degraded].map(|event| one.wants_again(event))
        };
        assert_eq!(wants(subscription("chat", "*", false)), [true, false, true, true, true]);
        assert_eq!(wants(subscription("chat", "*", true)), [true; 5]);
        assert_eq!(wants(subscription("on-call", "*", true)), [true, true, true, false, true]);
        assert_eq!(wants(subscription("chat", "ware*", true)), [false, false, false, true, true]);
        let failures = Subscription {
            events: vec!["*.failed".to_owned()],
            ..subscription("chat", "*", false)
        };
        assert_eq!(wants(failures), [true, true, false, false, false], "it is sent no outages");
    }
}
