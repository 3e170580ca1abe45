//! Test message `webhook.ping`, which is sent once and never stored.

use uuid::Builder;

use super::{Message, SendError, Sender};
use crate::domain::{Event, EventType, SCHEMA_VERSION, Timestamp, WebhookPing};

use super::send::Sent;

/// Text for people in the message.
const MESSAGE: &str = "This is a test of the receiver; nothing has happened.";

impl Sender {
    /// Sends a `webhook.ping` once; returns its id and the outcome.
    ///
    /// # Errors
    ///
    /// Fails when no id or no message can be made.
    pub(crate) async fn ping(&self, now: Timestamp) -> Result<(String, Sent), SendError> {
        let mut random = [0; 10];
        aws_lc_rs::rand::fill(&mut random).map_err(|_unspecified| SendError::Random)?;
        let millis = u64::try_from(now.0).unwrap_or(0);
        let uuid = Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        let id = format!("evt_{uuid}");
        let event = Event {
            kind: EventType::WebhookPing,
            timestamp: now,
            data: WebhookPing {
                schema_version: SCHEMA_VERSION,
                receiver: self.receiver().name.clone(),
                message: MESSAGE.to_owned(),
            },
        };
        let body = serde_json::to_string(&event)?;
        let sent =
            self.send(&Message { id: &id, body: &body, began: None, format: None }, now).await;
        Ok((id, sent))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Scripted, http};
    use super::*;
    use crate::domain::AttemptResult;

    #[tokio::test]
    async fn ping_is_sent_as_a_signed_event() {
        let scripted = Scripted::start(http("200 OK", "", "welcome")).await;
        let sender = Sender::new(scripted.receiver(json!({}))).unwrap();
        let (id, sent) = sender.ping(Timestamp(1_795_381_200_750)).await.unwrap();
        assert_eq!(sent.result, AttemptResult::Answered { code: 200, hint: None });
        assert_eq!(sent.detail, "welcome");
        let requests = scripted.requests();
        assert_eq!(requests[0].headers["webhook-id"], id);
        assert!(requests[0].headers["webhook-signature"].starts_with("v1,"));
        let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
        assert_eq!(body["type"], "webhook.ping");
        assert_eq!(body["data"]["receiver"], "scripted");
    }

    #[tokio::test]
    async fn format_that_cannot_express_a_ping_is_reported() {
        let scripted = Scripted::start(http("200 OK", "", "")).await;
        let changes = json!({ "format": "alertmanager", "secrets": null });
        let sender = Sender::new(scripted.receiver(changes)).unwrap();
        let (_, sent) = sender.ping(Timestamp(0)).await.unwrap();
        assert_eq!(sent.result, AttemptResult::Unsendable);
        assert!(
            sent.detail.contains("format `alertmanager` cannot express webhook.ping"),
            "{sent:?}"
        );
        assert_eq!(scripted.requests().len(), 0);
    }
}
