//! Result of a test message to a receiver.

use std::time::Duration;

use serde::Serialize;

use super::time::millis;

/// Result of a test message to a receiver.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pinged<'a> {
    /// Name of the receiver.
    pub(crate) receiver: &'a str,
    webhook_id: &'a str,
    /// True when the answer was 2xx.
    pub(crate) delivered: bool,
    /// HTTP status of the answer, if one came.
    pub(crate) code: Option<u16>,
    duration_ms: u64,
    /// Error, or the beginning of the answer.
    pub(crate) detail: &'a str,
}

impl<'a> Pinged<'a> {
    /// Result of the message `webhook_id` to `receiver`, which was answered by `code`.
    pub(crate) fn new(
        receiver: &'a str,
        webhook_id: &'a str,
        code: Option<u16>,
        duration: Duration,
        detail: &'a str,
    ) -> Self {
        let delivered = matches!(code, Some(200..=299));
        Self { receiver, webhook_id, delivered, code, duration_ms: millis(duration), detail }
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
        let pinged = |code| Pinged::new("a", "evt_1", code, Duration::from_millis(40), "x");
        let expected = serde_json::json!({
            "receiver": "a", "webhookId": "evt_1", "delivered": true, "code": 204,
            "durationMs": 40, "detail": "x",
        });
        assert_eq!(serde_json::to_value(pinged(Some(204))).unwrap(), expected);
        for code in [None, Some(199), Some(302), Some(410)] {
            assert!(!pinged(code).delivered, "{code:?}");
        }
    }
}
