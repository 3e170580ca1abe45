//! Webhook receiver as a customer would write one: it shares no code with the sender.
//!
//! It verifies [Standard Webhooks](https://www.standardwebhooks.com) signatures by itself and reads
//! events by a shape of its own, so that the demo shows what an independent receiver sees.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::daemon::Clock;
use crate::domain::Timestamp;

/// Difference of the sender's clock that is accepted, in seconds; an older request may be a replay.
const TOLERANCE_SECS: u64 = 300;

/// Size limit of a body, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Number of ids that are remembered to detect repeats.
const IDS_MAX: usize = 1000;

/// Number of webhooks that can wait to be shown; beyond it the receiver answers 503.
const WAITING_MAX: usize = 64;

/// Request after its verification.
#[derive(Debug)]
pub(super) struct Received {
    /// Value of the header `webhook-id`.
    pub(super) id: String,
    /// True when this id was received before.
    pub(super) repeated: bool,
    /// Body, or the reason why the request was refused.
    pub(super) body: Result<Body, Refusal>,
}

/// Part of an event that the demo reads.
#[derive(Debug, Deserialize)]
pub(super) struct Body {
    /// Type of the event.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Payload of the event.
    pub(super) data: Data,
}

/// Part of a payload that the demo reads.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data {
    /// Number of the event among those of its integration.
    pub(super) sequence: i64,
    /// Integration that the event is about.
    pub(super) integration: Integration,
    /// Duration of the incident, on recovery.
    pub(super) outage_ms: Option<u64>,
}

/// Integration as events name it.
#[derive(Debug, Deserialize)]
pub(super) struct Integration {
    /// Name in the configuration.
    pub(super) name: String,
}

/// Reason why a request was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Refusal {
    /// A header is missing or unreadable.
    #[error("the header {0} is missing or malformed")]
    Header(&'static str),
    /// The timestamp is too far from this clock.
    #[error("the timestamp is more than {TOLERANCE_SECS} s off")]
    Timestamp,
    /// No signature fits the body.
    #[error("no signature fits the body")]
    Signature,
    /// The signed body is not an event.
    #[error("the body is not an event")]
    Body,
}

/// State of the receiver's route.
struct Inbox {
    key: hmac::Key,
    clock: Clock,
    seen: Mutex<VecDeque<String>>,
    out: mpsc::Sender<Received>,
}

/// Returns the receiver's routes, and the channel of verified and refused webhooks.
///
/// `secret` is the shared secret itself, not its `whsec_` form.
pub(super) fn open(secret: &[u8], clock: Clock) -> (Router, mpsc::Receiver<Received>) {
    let (out, received) = mpsc::channel(WAITING_MAX);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let inbox = Inbox { key, clock, seen: Mutex::default(), out };
    let router = Router::new()
        .route("/hooks", post(receive))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(inbox));
    (router, received)
}

async fn receive(
    State(inbox): State<Arc<Inbox>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let received = inbox.judge(&headers, &body);
    let answer = match &received.body {
        Ok(_) => (StatusCode::NO_CONTENT, String::new()),
        Err(refusal @ Refusal::Body) => (StatusCode::BAD_REQUEST, refusal.to_string()),
        Err(refusal) => (StatusCode::UNAUTHORIZED, refusal.to_string()),
    };
    match inbox.out.try_send(received) {
        Ok(()) => answer,
        Err(_full) => (StatusCode::SERVICE_UNAVAILABLE, "too many at once".to_owned()),
    }
}

impl Inbox {
    fn judge(&self, headers: &HeaderMap, body: &[u8]) -> Received {
        let now = self.clock.now();
        let id = header(headers, "webhook-id").unwrap_or_default().to_owned();
        let body = verify(&self.key, headers, body, now)
            .and_then(|()| serde_json::from_slice(body).map_err(|_error| Refusal::Body));
        let repeated = body.is_ok() && self.repeats(&id);
        Received { id, repeated, body }
    }

    /// Remembers `id`; returns true when it was known.
    fn repeats(&self, id: &str) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.iter().any(|one| one == id) {
            return true;
        }
        seen.truncate(IDS_MAX - 1);
        seen.push_front(id.to_owned());
        false
    }
}

/// Verifies the three headers of Standard Webhooks against the body.
fn verify(
    key: &hmac::Key,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Refusal> {
    let needed = |name| header(headers, name).ok_or(Refusal::Header(name));
    let (id, sent_at, signatures) =
        (needed("webhook-id")?, needed("webhook-timestamp")?, needed("webhook-signature")?);
    let seconds: i64 = sent_at.parse().map_err(|_error| Refusal::Header("webhook-timestamp"))?;
    if TOLERANCE_SECS < now.unix_seconds().abs_diff(seconds) {
        return Err(Refusal::Timestamp);
    }
    let signed = [id.as_bytes(), b".", sent_at.as_bytes(), b".", body].concat();
    let fits = signatures
        .split(' ')
        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
        .any(|tag| hmac::verify(key, &signed, &tag).is_ok());
    if fits { Ok(()) } else { Err(Refusal::Signature) }
}

/// Returns the text of a header that is given exactly once and is not empty.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let text = values.next()?.to_str().ok()?;
    (values.next().is_none() && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// Published example of the Standard Webhooks libraries.
    const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT_AT: &str = "1614265330";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn headers(changed: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let published =
            [("webhook-id", ID), ("webhook-timestamp", SENT_AT), ("webhook-signature", SIGNATURE)];
        for (name, value) in published.into_iter().chain(changed.iter().copied()) {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    fn key() -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(SECRET).unwrap())
    }

    fn verdict(changed: &[(&'static str, &'static str)], body: &[u8]) -> Result<(), Refusal> {
        verify(&key(), &headers(changed), body, Timestamp(1_614_265_330_000))
    }

    #[test]
    fn published_example_is_accepted() {
        assert_eq!(verdict(&[], BODY), Ok(()));
        let rotated =
            [("webhook-signature", "v1,AAAA v2,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")];
        assert_eq!(verdict(&rotated, BODY), Ok(()));
    }

    #[test]
    fn changed_request_is_refused() {
        let cases = [
            (("webhook-id", "msg_other"), Refusal::Signature),
            (("webhook-timestamp", "1614265331"), Refusal::Signature),
            (("webhook-timestamp", "soon"), Refusal::Header("webhook-timestamp")),
            (("webhook-signature", "v1,AAAA"), Refusal::Signature),
            (("webhook-signature", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), {
                Refusal::Signature
            }),
            (("webhook-signature", ""), Refusal::Header("webhook-signature")),
        ];
        for (change, refusal) in cases {
            assert_eq!(verdict(&[change], BODY), Err(refusal), "{change:?}");
        }
        assert_eq!(verdict(&[], br#"{"test": 2432232315}"#), Err(Refusal::Signature));
    }

    #[test]
    fn missing_or_doubled_header_is_refused() {
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let now = Timestamp(1_614_265_330_000);
            let mut without = headers(&[]);
            without.remove(name);
            assert_eq!(verify(&key(), &without, BODY, now), Err(Refusal::Header(name)));
            let mut twice = headers(&[]);
            let value = twice[name].clone();
            twice.append(name, value);
            assert_eq!(verify(&key(), &twice, BODY, now), Err(Refusal::Header(name)));
        }
    }

    #[test]
    fn request_from_the_past_or_the_future_is_refused() {
        for (off_secs, accepted) in [(-301, false), (-300, true), (300, true), (301, false)] {
            let now = Timestamp((1_614_265_330 + off_secs) * 1000);
            let expected = if accepted { Ok(()) } else { Err(Refusal::Timestamp) };
            assert_eq!(verify(&key(), &headers(&[]), BODY, now), expected, "{off_secs}");
        }
    }

    #[tokio::test]
    async fn event_is_passed_on_and_its_repeat_is_detected() {
        let clock = Clock::default();
        let secret = STANDARD.decode(SECRET).unwrap();
        let (out, mut received) = mpsc::channel(2);
        let inbox = Arc::new(Inbox { key: key(), clock, seen: Mutex::default(), out });
        let body = br#"{"type":"integration.validation.recovered","data":{"sequence":3,
            "integration":{"id":1,"name":"orders"},"status":"enabled","outageMs":6000}}"#;
        let sent_at = inbox.clock.now().unix_seconds().to_string();
        let signed = [b"evt_1.", sent_at.as_bytes(), b".", body].concat();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), &signed);
        let mut headers = HeaderMap::new();
        let signature = format!("v1,{}", STANDARD.encode(tag));
        headers.insert("webhook-id", HeaderValue::from_static("evt_1"));
        headers.insert("webhook-timestamp", HeaderValue::from_str(&sent_at).unwrap());
        headers.insert("webhook-signature", HeaderValue::from_str(&signature).unwrap());
        for expected in [StatusCode::NO_CONTENT, StatusCode::NO_CONTENT] {
            let bytes = Bytes::from_static(body);
            let answer = receive(State(Arc::clone(&inbox)), headers.clone(), bytes).await;
            assert_eq!(answer.0, expected);
        }
        let (first, second) = (received.recv().await.unwrap(), received.recv().await.unwrap());
        assert_eq!((first.repeated, second.repeated), (false, true));
        let event = first.body.unwrap();
        assert_eq!((event.data.integration.name.as_str(), event.data.sequence), ("orders", 3));
        assert_eq!(event.data.outage_ms, Some(6000));

        headers.insert("webhook-id", HeaderValue::from_static("evt_2"));
        let bytes = Bytes::from_static(body);
        let answer = receive(State(Arc::clone(&inbox)), headers.clone(), bytes).await;
        assert_eq!(answer.0, StatusCode::UNAUTHORIZED);
        assert_eq!(received.recv().await.unwrap().body.unwrap_err(), Refusal::Signature);
    }
}
