//! Events that receivers are sent, as types that are both written and read.
//!
//! The body of an event is written once, in the transaction that stores it (transactional outbox).
//! Receiver formats and replays read it again with the same types. A body of an older version is read
//! too: members that were added later have defaults.

mod format;
mod integration;
mod kind;
mod links;
mod operational;
mod sample;
mod subscription;
mod timing;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

use super::Timestamp;
pub(crate) use format::Format;
pub(crate) use integration::{Change, EndedBy, EventData, IntegrationRef, RunRef, VerdictNotice};
pub(crate) use kind::EventType;
pub(crate) use links::{Links, PageUrl, integration_path, named_path};
pub(crate) use operational::{
    ConfigurationApplied, DaemonFaultNotice, DisabledReason, OutageMember, OutageNotice, OwnFault,
    ReceiverDisabled, WebhookPing,
};
pub(crate) use sample::sample;
pub(crate) use subscription::Subscription;
pub(crate) use timing::Timing;

/// Version of the body's shape; a published shape never changes.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Body of a webhook in the format `standard`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "EventOf{Data}"))]
pub(crate) struct Event<Data = Payload> {
    /// Type of the event, which decides the shape of its data.
    #[serde(rename = "type")]
    pub(crate) kind: EventType,
    /// Instant at which the event happened.
    pub(crate) timestamp: Timestamp,
    /// Payload in the shape of the event's type.
    pub(crate) data: Data,
    /// True for a sample that `webhook test` sends: nothing has happened. Left out otherwise.
    #[serde(rename = "test", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_test: bool,
}

impl<Data> Event<Data> {
    /// Event that has happened.
    pub(crate) const fn new(kind: EventType, timestamp: Timestamp, data: Data) -> Self {
        Self { kind, timestamp, data, is_test: false }
    }
}

/// Payload of an event, of the shape that the event's type has.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Payload {
    /// Payload about one integration.
    Integration(Box<EventData>),
    /// Payload about a configuration that was applied.
    ConfigurationApplied(ConfigurationApplied),
    /// Payload about integrations that fail by one shared cause.
    Outage(OutageNotice),
    /// Payload about a fault of the daemon itself.
    DaemonFaultNotice(DaemonFaultNotice),
    /// Payload about a receiver that gets no messages any more.
    ReceiverDisabled(ReceiverDisabled),
    /// Payload of a test message.
    WebhookPing(WebhookPing),
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Unread {
            #[serde(rename = "type")]
            kind: EventType,
            timestamp: Timestamp,
            data: Box<RawValue>,
            #[serde(default, rename = "test")]
            is_test: bool,
        }
        let Unread { kind, timestamp, data, is_test } = Unread::deserialize(deserializer)?;
        let data = Payload::read(kind, &data).map_err(de::Error::custom)?;
        Ok(Self { kind, timestamp, data, is_test })
    }
}

impl Payload {
    /// Returns the links of the event, where it has any.
    pub(crate) fn links(&self) -> Option<&Links> {
        match self {
            Self::Integration(data) => data.links.as_ref(),
            Self::ConfigurationApplied(applied) => applied.links.as_ref(),
            Self::Outage(outage) => outage.links.as_ref(),
            Self::DaemonFaultNotice(notice) => notice.links.as_ref(),
            Self::ReceiverDisabled(disabled) => disabled.links.as_ref(),
            Self::WebhookPing(_) => None,
        }
    }

    /// Reads the payload of an event of type `kind`.
    fn read(kind: EventType, data: &RawValue) -> serde_json::Result<Self> {
        let data = data.get();
        Ok(match kind {
            EventType::ValidationFailed
            | EventType::ValidationRecovered
            | EventType::ValidationReminder
            | EventType::StatusChanged
            | EventType::ValidationWarning
            | EventType::FlappingStarted
            | EventType::FlappingEnded => Self::Integration(serde_json::from_str(data)?),
            EventType::ConfigurationApplied => {
                Self::ConfigurationApplied(serde_json::from_str(data)?)
            }
            EventType::Outage | EventType::OutageResolved => {
                Self::Outage(serde_json::from_str(data)?)
            }
            EventType::DaemonDegraded | EventType::DaemonRecovered => {
                Self::DaemonFaultNotice(serde_json::from_str(data)?)
            }
            EventType::ReceiverDisabled => Self::ReceiverDisabled(serde_json::from_str(data)?),
            EventType::WebhookPing => Self::WebhookPing(serde_json::from_str(data)?),
        })
    }
}

/// Returns an event of every type as stored, under a short name.
#[cfg(test)]
pub(crate) fn samples() -> Vec<(&'static str, String)> {
    let name = |kind| match kind {
        EventType::ValidationFailed => "failed",
        EventType::ValidationRecovered => "recovered",
        EventType::ValidationReminder => "reminder",
        EventType::StatusChanged => "changed",
        EventType::ValidationWarning => "warning",
        EventType::FlappingStarted => "flapping",
        EventType::FlappingEnded => "calm",
        EventType::ConfigurationApplied => "applied",
        EventType::Outage => "outage",
        EventType::OutageResolved => "resolved",
        EventType::DaemonDegraded => "degraded",
        EventType::DaemonRecovered => "restored",
        EventType::ReceiverDisabled => "disabled",
        EventType::WebhookPing => "ping",
    };
    EventType::ALL.iter().map(|&kind| (name(kind), sample(kind).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};
    use proptest::sample;

    use super::*;
    use crate::domain::{Factor, FactorKind, Siblings, Status, Weighed};

    /// Body of a webhook in the format `standard`; `type` decides which of these it is.
    #[derive(Serialize, schemars::JsonSchema)]
    #[serde(untagged)]
    #[schemars(rename = "Event")]
    #[expect(dead_code, reason = "only its shape is used")]
    enum Published {
        Outage(Event<OutageNotice>),
        DaemonFaultNotice(Event<DaemonFaultNotice>),
        ConfigurationApplied(Event<ConfigurationApplied>),
        Integration(Box<Event<EventData>>),
        ReceiverDisabled(Event<ReceiverDisabled>),
        WebhookPing(Event<WebhookPing>),
    }

    #[test]
    fn event_of_every_type_is_written_as_it_was_read() {
        for (name, body) in samples() {
            let event: Event = serde_json::from_str(&body).unwrap();
            let written = format!("{}\n", serde_json::to_string_pretty(&event).unwrap());
            assert_eq!(written, body, "{name}");
        }
    }

    #[test]
    fn body_of_an_older_version_is_read_with_defaults() {
        for (name, body) in samples() {
            let mut json: serde_json::Value = serde_json::from_str(&body).unwrap();
            let data = json["data"].as_object_mut().unwrap();
            let optional = [
                "drift",
                "changes",
                "run",
                "failingSince",
                "outageMs",
                "group",
                "transition",
                "reminder",
                "endedBy",
                "links",
            ];
            data.retain(|key, value| !optional.contains(&key.as_str()) && !value.is_null());
            let event: Event = serde_json::from_value(json.clone()).unwrap();
            let written = serde_json::to_value(&event).unwrap();
            for (key, value) in json["data"].as_object().unwrap() {
                assert_eq!(written["data"][key], *value, "{name}: {key}");
            }
        }
    }

    #[test]
    fn payload_that_does_not_fit_its_type_is_refused() {
        let body = |kind: &str, data: &str| {
            let body =
                format!(r#"{{"type":"{kind}","timestamp":"2026-11-22T21:00:00Z","data":{data}}}"#);
            serde_json::from_str::<Event>(&body).map(|event| event.kind).map_err(|e| e.to_string())
        };
        let ping = r#"{"schemaVersion":1,"receiver":"r","message":"m","added":{"later":[1]}}"#;
        assert_eq!(body("webhook.ping", ping), Ok(EventType::WebhookPing));
        let refused = |kind, data, expected: &str| {
            let error = body(kind, data).unwrap_err();
            assert!(error.contains(expected), "{kind}: {error}");
        };
        refused("integration.validation.failed", ping, "missing field `epoch`");
        refused("integrations.outage", ping, "missing field `epoch`");
        refused("daemon.degraded", ping, "missing field `epoch`");
        refused("receiver.disabled", ping, "missing field `epoch`");
        refused("webhook.ping", "[]", "invalid length 0");
        refused("integration.renamed", ping, "unknown name `integration.renamed`");
    }

    #[test]
    fn published_schema_equals_that_of_the_types() {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        let schema = settings.into_generator().into_root_schema_for::<Published>();
        let found = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = format!("event.v{SCHEMA_VERSION}.schema.json");
        let published = std::fs::read_to_string(root.join("schemas").join(&file));
        if published.unwrap_or_default() != found {
            std::fs::write(root.join("target").join(&file), found).unwrap();
            panic!("schemas/{file} differs; the types give target/{file}");
        }
    }

    fn text() -> impl Strategy<Value = String> {
        any::<String>()
    }

    fn integration() -> impl Strategy<Value = IntegrationRef> {
        let labels = proptest::collection::btree_map(text(), text(), 0..4);
        (any::<i64>(), text(), text(), labels).prop_map(|(id, name, kind, labels)| IntegrationRef {
            id,
            name,
            kind,
            labels,
        })
    }

    fn timestamp() -> impl Strategy<Value = Timestamp> {
        (0..4_102_444_800_000_i64).prop_map(Timestamp)
    }

    fn look(text: &str) -> Weighed {
        let factor = Factor { kind: FactorKind::Host, value: text.to_owned() };
        Weighed {
            at: Timestamp(0),
            seen: text.to_owned(),
            certain: Some(true),
            siblings: Some(Siblings { factor, failing: 3 }),
            weight: 25,
            missing: 75,
            node: Some(text.to_owned()),
        }
    }

    fn payload() -> impl Strategy<Value = (EventType, Payload)> {
        let status = || sample::select(Status::ALL.to_vec());
        let changed =
            (integration(), status(), proptest::option::of(status()), any::<i64>(), text())
                .prop_map(|(integration, status, previous_status, sequence, text)| {
                    let evidence = vec![look(&text)];
                    let data = EventData {
                        schema_version: SCHEMA_VERSION,
                        epoch: text.clone(),
                        sequence,
                        transition: Some(sequence),
                        reminder: None,
                        incident_id: Some(text.clone()),
                        integration,
                        status,
                        previous_status,
                        validation_results: None,
                        changes: Vec::new(),
                        drift: Vec::new(),
                        run: None,
                        verdict: Some(VerdictNotice { rule: text.clone(), evidence }),
                        failing_since: None,
                        outage_ms: Some(sequence),
                        ended_by: Some(EndedBy::Renamed),
                        group: Some(text.clone()),
                        links: Some(Links { page: text }),
                    };
                    (EventType::StatusChanged, Payload::Integration(Box::new(data)))
                });
        let members = proptest::collection::vec((integration(), status(), any::<i64>()), 0..4);
        let outage = (members, text(), timestamp(), any::<u32>()).prop_map(
            |(members, text, since, unlisted)| {
                let integrations = members.into_iter().map(|(integration, status, sequence)| {
                    OutageMember { integration, status, sequence }
                });
                let notice = OutageNotice {
                    schema_version: SCHEMA_VERSION,
                    epoch: text.clone(),
                    sequence: 1,
                    outage_id: text.clone(),
                    factor: Factor { kind: FactorKind::Host, value: text.clone() },
                    cause: text,
                    since,
                    outage_ms: None,
                    integrations: integrations.collect(),
                    unlisted,
                    links: None,
                };
                (EventType::Outage, Payload::Outage(notice))
            },
        );
        let ping = (text(), text()).prop_map(|(receiver, message)| {
            let ping = WebhookPing { schema_version: SCHEMA_VERSION, receiver, message };
            (EventType::WebhookPing, Payload::WebhookPing(ping))
        });
        prop_oneof![changed, outage, ping]
    }

    proptest! {
        #[test]
        fn written_event_is_read_and_written_again_byte_for_byte(
            (kind, data) in payload(),
            timestamp in timestamp(),
        ) {
            let written = serde_json::to_string(&Event::new(kind, timestamp, data)).unwrap();
            let read: Event = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), written);
        }
    }
}
