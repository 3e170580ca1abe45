//! `CloudEvents` 1.0 in structured JSON mode, with the `sequence` and `partitioning` extensions.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A stored event, its payload untouched.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Facts {
    epoch: Option<String>,
    sequence: Option<i64>,
    integration: Option<Named>,
    receiver: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// The event with its attributes.
#[derive(Debug, Serialize)]
pub(super) struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    /// Which daemon's store: it changes when the store is restored from a copy.
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: String,
    datacontenttype: &'static str,
    /// Zero-padded, since consumers compare it as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    /// What must stay in order stays together.
    partitionkey: String,
    data: &'a RawValue,
}

/// The stored event `body` under its id.
///
/// # Errors
///
/// Fails when `body` is no stored event.
pub(super) fn event<'a>(id: &'a str, body: &'a str) -> serde_json::Result<CloudEvent<'a>> {
    let Stored { kind, timestamp, data } = serde_json::from_str(body)?;
    let Facts { epoch, sequence, integration, receiver } = serde_json::from_str(data.get())?;
    let subject = integration.map(|one| one.name).or(receiver).unwrap_or("daemon".to_owned());
    Ok(CloudEvent {
        specversion: "1.0",
        id,
        // A ping is sent without the store.
        source: epoch
            .map_or("urn:revalidated:ping".to_owned(), |epoch| format!("urn:revalidated:{epoch}")),
        kind,
        subject: subject.clone(),
        time: timestamp,
        datacontenttype: "application/json",
        sequence: sequence.map(|sequence| format!("{sequence:020}")),
        partitionkey: subject,
        data,
    })
}
