//! `CloudEvents` 1.0 in structured JSON mode, with the `sequence` and `partitioning` extensions.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::{
    ConfigurationApplied, DaemonFaultNotice, Event, EventType, OutageNotice, Payload,
    ReceiverDisabled, Timestamp, WebhookPing,
};

/// The event with its attributes.
#[derive(Debug, Serialize)]
pub(super) struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    /// Identity of the daemon's store: it changes when the store is restored from a copy.
    source: String,
    #[serde(rename = "type")]
    kind: EventType,
    subject: &'a str,
    time: Timestamp,
    datacontenttype: &'static str,
    /// Zero-padded, since consumers compare it as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    /// Events that must stay in order have the same key.
    partitionkey: &'a str,
    /// Extension of a sample, about which nothing has happened.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test: bool,
    data: &'a RawValue,
}

/// Returns `event` under its `id`, with its payload `data` as stored.
pub(super) fn event<'a>(id: &'a str, event: &'a Event, data: &'a RawValue) -> CloudEvent<'a> {
    let (subject, numbered) = match &event.data {
        Payload::Integration(data) => {
            (data.integration.name.as_str(), Some((&data.epoch, data.sequence)))
        }
        Payload::ConfigurationApplied(ConfigurationApplied { epoch, sequence, .. })
        | Payload::Outage(OutageNotice { epoch, sequence, .. })
        | Payload::DaemonFaultNotice(DaemonFaultNotice { epoch, sequence, .. }) => {
            ("daemon", Some((epoch, *sequence)))
        }
        Payload::ReceiverDisabled(ReceiverDisabled { receiver, epoch, sequence, .. }) => {
            (receiver.as_str(), Some((epoch, *sequence)))
        }
        // It is sent without the store.
        Payload::WebhookPing(WebhookPing { receiver, .. }) => (receiver.as_str(), None),
    };
    CloudEvent {
        specversion: "1.0",
        id,
        source: format!("urn:revalidated:{}", numbered.map_or("ping", |(epoch, _)| epoch.as_str())),
        kind: event.kind,
        subject,
        time: event.timestamp,
        datacontenttype: "application/json",
        sequence: numbered.map(|(_, sequence)| format!("{sequence:020}")),
        partitionkey: subject,
        test: event.is_test,
        data,
    }
}
