//! Events as they are stored: numbered, with the bodies that receivers get.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::Timestamp;
use crate::store::EventRow;

/// Event with its number and the body that receivers get.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredEvent<'a> {
    /// Number in the order of all events, which only grows.
    number: i64,
    /// Id of the event: the `webhook-id` of its messages.
    id: &'a str,
    /// Type of the event.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Name of the integration that it is about, if it is about one.
    integration: Option<&'a str>,
    /// Instant of the event.
    created_at: Timestamp,
    /// Body as it is signed and sent to receivers of the standard format.
    #[cfg_attr(test, schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    body: &'a RawValue,
}

impl<'a> StoredEvent<'a> {
    /// Event that a row holds; none when its body cannot be read.
    pub(crate) fn new(row: &'a EventRow) -> Option<Self> {
        Some(Self {
            number: row.number,
            id: &row.id,
            kind: row.kind.as_str(),
            integration: row.integration.as_deref(),
            created_at: row.created_at,
            body: serde_json::from_str(&row.body).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EventType;

    #[test]
    fn body_is_shown_byte_for_byte() {
        let mut row = EventRow {
            number: 7,
            id: "evt_1".to_owned(),
            kind: EventType::ValidationFailed,
            integration: Some("lake".to_owned()),
            created_at: Timestamp(0),
            body: "{ \"b\":1.0,  \"a\":\"\\u00e4\" }".to_owned(),
        };
        let shown = serde_json::to_string(&StoredEvent::new(&row)).unwrap();
        assert!(shown.contains(&format!("\"body\":{}", row.body)), "{shown}");
        row.body = "{".to_owned();
        assert!(StoredEvent::new(&row).is_none());
    }
}
