//! Test messages, which are sent once and never stored: `webhook.ping`, or the sample of another type.

use serde_json::Value as Json;
use uuid::Builder;

use super::{Message, SendError, Sender};
use crate::domain::{Event, EventType, PageUrl, SCHEMA_VERSION, Timestamp, WebhookPing, sample};

use super::send::Sent;

/// Text for people in a ping.
const MESSAGE: &str = "This is a test of the receiver; nothing has happened.";

impl Sender {
    /// Sends a test message of this type once; returns its id and the outcome. A sample links to `page`, since it is
    /// about nothing that has a page of its own.
    ///
    /// # Errors
    ///
    /// Fails when no id or no message can be made.
    pub(crate) async fn test(
        &self,
        kind: EventType,
        now: Timestamp,
        page: Option<&PageUrl>,
    ) -> Result<(String, Sent), SendError> {
        let mut random = [0; 10];
        aws_lc_rs::rand::fill(&mut random).map_err(|_unspecified| SendError::Random)?;
        let millis = u64::try_from(now.0).unwrap_or(0);
        let uuid = Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        let id = format!("evt_{uuid}");
        let body = if kind == EventType::WebhookPing {
            serde_json::to_string(&self.ping(now))?
        } else {
            dated(kind, now, page)?
        };
        let message = Message { id: &id, body: &body, began: None, format: None };
        let sent = self.send(&message, now).await;
        Ok((id, sent))
    }

    /// Returns the event that names this receiver.
    fn ping(&self, now: Timestamp) -> Event<WebhookPing> {
        let data = WebhookPing {
            schema_version: SCHEMA_VERSION,
            receiver: self.receiver().name.clone(),
            message: MESSAGE.to_owned(),
        };
        Event::new(EventType::WebhookPing, now, data)
    }
}

/// Returns the sample of a type as if it happened now, with its mark. The incident is always the same: the sample
/// of its end ends it.
fn dated(kind: EventType, now: Timestamp, page: Option<&PageUrl>) -> serde_json::Result<String> {
    let event: Event = serde_json::from_str(sample(kind))?;
    let mut json: Json = serde_json::from_str(sample(kind))?;
    shift(&mut json, now.0.saturating_sub(event.timestamp.0));
    if let Some(links) = json.pointer_mut("/data/links") {
        *links = serde_json::to_value(page.map(PageUrl::overview))?;
    }
    let event: Event = serde_json::from_value(json)?;
    serde_json::to_string(&Event { is_test: true, ..event })
}

/// Moves every instant in `json` by so many milliseconds.
fn shift(json: &mut Json, by_ms: i64) {
    match json {
        Json::String(text) => {
            if let Ok(Timestamp(at)) = text.parse() {
                *text = Timestamp(at.saturating_add(by_ms)).to_string();
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| shift(item, by_ms)),
        Json::Object(members) => members.values_mut().for_each(|member| shift(member, by_ms)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
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
        let (id, sent) =
            sender.test(EventType::WebhookPing, Timestamp(1_795_381_200_750), None).await.unwrap();
        assert_eq!(sent.result, AttemptResult::Answered { code: 200, hint: None });
        assert_eq!(sent.detail, "welcome");
        let requests = scripted.requests();
        assert_eq!(requests[0].headers["webhook-id"], id);
        assert!(requests[0].headers["webhook-signature"].starts_with("v1,"));
        let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
        assert_eq!(body["type"], "webhook.ping");
        assert_eq!(body["data"]["receiver"], "scripted");
        assert_eq!(body.get("test"), None, "it is one by its type");
    }

    #[tokio::test]
    async fn sample_of_each_type_is_sent_signed_marked_and_of_today() {
        let scripted = Scripted::start(http("200 OK", "", "")).await;
        let sender = Sender::new(scripted.receiver(json!({}))).unwrap();
        let now = Timestamp(1_895_381_200_750);
        let url = Some("https://status.example.org".to_owned());
        let http = crate::domain::HttpSettings { url, page: true, ..Default::default() };
        let kinds = EventType::ALL.iter().filter(|kind| **kind != EventType::WebhookPing);
        for (&kind, page) in kinds.zip([None, PageUrl::of(&http)].into_iter().cycle()) {
            let (id, sent) = sender.test(kind, now, page.as_ref()).await.unwrap();
            assert_eq!(sent.result, AttemptResult::Answered { code: 200, hint: None });
            let request = scripted.requests().pop().unwrap();
            assert_eq!(request.headers["webhook-id"], id);
            assert!(request.headers["webhook-signature"].starts_with("v1,"));
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!((&body["type"], &body["test"]), (&kind.as_str().into(), &true.into()));
            assert_eq!(body["timestamp"], now.to_string());
            let text = body.to_string();
            assert!(!text.contains("2026-11-2"), "an instant stays behind: {text}");
            let link = page.map(|page| serde_json::to_value(page.overview()).unwrap());
            assert_eq!(body["data"].get("links"), link.as_ref(), "{text}");
        }
    }

    #[tokio::test]
    async fn sample_of_an_end_ends_that_of_its_beginning() {
        let scripted = Scripted::start(http("202 Accepted", "", "")).await;
        let changes =
            json!({ "format": "pagerduty", "secrets": null, "routing_key": "R0ut1ngKey" });
        let sender = Sender::new(scripted.receiver(changes)).unwrap();
        let pairs = [
            (EventType::ValidationFailed, EventType::ValidationRecovered),
            (EventType::Outage, EventType::OutageResolved),
            (EventType::DaemonDegraded, EventType::DaemonRecovered),
        ];
        for (begins, ends) in pairs {
            for (kind, at) in [(begins, 1_895_381_200_750), (ends, 1_895_381_900_000)] {
                sender.test(kind, Timestamp(at), None).await.unwrap();
            }
            let requests = scripted.requests();
            let [.., begun, ended] = requests.as_slice() else { panic!("two requests") };
            let [begun, ended] = [begun, ended]
                .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap());
            assert_eq!(
                (&begun["event_action"], &ended["event_action"]),
                (&"trigger".into(), &"resolve".into())
            );
            assert_eq!(begun["dedup_key"], ended["dedup_key"], "{begins:?}");
            let summary = begun["payload"]["summary"].as_str().unwrap();
            assert!(summary.starts_with("[test] "), "{summary}");
        }
    }

    #[tokio::test]
    async fn format_that_cannot_express_a_ping_is_reported() {
        let scripted = Scripted::start(http("200 OK", "", "")).await;
        let changes = json!({ "format": "alertmanager", "secrets": null });
        let sender = Sender::new(scripted.receiver(changes)).unwrap();
        let (_, sent) = sender.test(EventType::WebhookPing, Timestamp(0), None).await.unwrap();
        assert_eq!(sent.result, AttemptResult::Unsendable);
        assert!(
            sent.detail.contains("format `alertmanager` cannot express webhook.ping"),
            "{sent:?}"
        );
        assert_eq!(scripted.requests().len(), 0);
    }
}
