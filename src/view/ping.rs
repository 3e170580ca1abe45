//! Result of a test message to a receiver.

use std::time::Duration;

use serde::Serialize;

use super::time::millis;
use crate::domain::EventType;

/// Result of a test message to a receiver.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pinged<'a> {
    /// Name of the receiver.
    pub(crate) receiver: &'a str,
    webhook_id: &'a str,
    /// Type of the event that was sent.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// True when the answer was 2xx.
    pub(crate) delivered: bool,
    /// HTTP status of the answer, if one came.
    pub(crate) code: Option<u16>,
    duration_ms: u64,
    /// Error, or the beginning of the answer.
    pub(crate) detail: &'a str,
}

impl<'a> Pinged<'a> {
    /// Result of an event of type `kind` to `receiver`, which was answered by `code`.
    pub(crate) fn new(
        receiver: &'a str,
        kind: EventType,
        code: Option<u16>,
        duration: Duration,
        detail: &'a str,
    ) -> Self {
        let delivered = matches!(code, Some(200..=299));
        let (webhook_id, kind, duration_ms) = ("", kind.as_str(), millis(duration));
        Self { receiver, webhook_id, kind, delivered, code, duration_ms, detail }
    }

    /// Adds the id under which it was sent.
    #[must_use]
    pub(crate) const fn under(self, webhook_id: &'a str) -> Self {
        Self { webhook_id, ..self }
    }

    /// Time until the answer or the error.
    pub(crate) const fn duration(&self) -> Duration {
        Duration::from_millis(self.duration_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_of_success_counts_as_delivered() {
        let took = Duration::from_millis(40);
        let pinged =
            |code| Pinged::new("a", EventType::WebhookPing, code, took, "x").under("evt_1");
        let expected = serde_json::json!({
            "receiver": "a", "webhookId": "evt_1", "type": "webhook.ping", "delivered": true, "code": 204,
            "durationMs": 40, "detail": "x",
        });
        assert_eq!(serde_json::to_value(pinged(Some(204))).unwrap(), expected);
        for code in [None, Some(199), Some(302), Some(410)] {
            assert!(!pinged(code).delivered, "{code:?}");
        }
    }
}
