//! One attempt to deliver one message.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::time::Instant;

use super::format::{FormatError, Rendered};
use super::receiver::{Receiver, Target, parse_url};
use super::sign::{Key, KeyError, signatures};
use super::text::cut;
use crate::domain::{AttemptResult, Redactor, SecretRef, Timestamp, duration_text, one_line};
use crate::net::address::{RefusedAddress, host_permitted};
use crate::net::exchange::retry_after;
use crate::net::http::{self, HttpError, HttpOptions};
use crate::net::resolve::GuardedResolver;
use crate::secrets::{self, SecretError};

/// The most that is read of an answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// The most that is kept of an answer or an error, in bytes.
const DETAIL_BYTES_MAX: usize = 1024;
/// The longest path of a URL that cannot be a secret, in bytes: `/hook`.
const PATH_SHOWN_MAX: usize = 16;
/// The shortest segment of a longer path that can be a secret by itself, in bytes.
const SEGMENT_BYTES_MIN: usize = 8;
/// The longest segment of lower-case letters that is a word, such as `integrations`, in bytes.
const WORD_BYTES_MAX: usize = 12;
/// The shortest value in a query that can be a secret by itself, in bytes.
const VALUE_BYTES_MIN: usize = 6;

/// Why nothing can be sent, or nothing came back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The URL's host is an address that is not open.
    #[error("the address is refused")]
    Address(#[from] RefusedAddress),
    /// The HTTP client cannot be built.
    #[error("no HTTP client can be made")]
    Client(#[from] HttpError),
    /// A secret cannot be read; nothing is sent unsigned.
    #[error("not sent, since it cannot be signed")]
    Secret(#[from] SecretError),
    /// A secret was read and is no key.
    #[error("not sent, since it cannot be signed with the secret in {place}")]
    Key {
        /// Where the secret is kept.
        place: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// The URL that is kept as a secret is none that can be sent to.
    #[error("not sent, since the URL in {place} {fault}")]
    Url {
        /// Where the URL is kept.
        place: String,
        /// What is wrong with it; never shows it.
        fault: String,
    },
    /// The event has no place in the receiver's format.
    #[error("not sent, since it cannot be put into the receiver's format")]
    Format(#[from] FormatError),
    /// No id can be made for a message.
    #[error("the system gives no random numbers")]
    Random,
    /// A message cannot be written.
    #[error("the message cannot be written")]
    Message(#[from] serde_json::Error),
    /// No answer.
    #[error("{0}")]
    NoAnswer(String),
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'m> {
    /// The event's id, the same in every attempt and for every receiver.
    pub(crate) id: &'m str,
    /// JSON, sent as it stands.
    pub(crate) body: &'m str,
}

/// What came of an attempt.
#[derive(Debug)]
pub(crate) struct Sent {
    /// What the delivery's next step is decided by.
    pub(crate) result: AttemptResult,
    /// How long it took in all.
    pub(crate) duration: Duration,
    /// The beginning of the answer, or the error: one line of at most 1 KiB, without secrets.
    pub(crate) detail: String,
}

/// Sends to one receiver.
#[derive(Debug)]
pub(crate) struct Sender {
    line: Line,
    receiver: Receiver,
    /// Everything that was ever shown to the receiver and must not come back from it.
    redactor: Redactor,
}

/// What messages go over.
#[derive(Debug)]
enum Line {
    /// The network.
    Http(Client),
    /// A receiver of a simulation.
    #[cfg(test)]
    Simulated(super::Wire),
}

impl Sender {
    /// A sender to `receiver`, with connections of its own.
    ///
    /// # Errors
    ///
    /// Fails when the receiver's address is refused or its certificate authorities cannot be read.
    pub(crate) fn new(receiver: Receiver) -> Result<Self, SendError> {
        let resolver = GuardedResolver::new(receiver.allow.clone());
        Self::resolving(receiver, resolver)
    }

    /// The same, with another way to resolve names.
    ///
    /// # Errors
    ///
    /// As of [`Sender::new`].
    pub(super) fn resolving(
        receiver: Receiver,
        resolver: GuardedResolver,
    ) -> Result<Self, SendError> {
        if let Target::Fixed(url) = &receiver.target {
            host_permitted(url.host_str().unwrap_or_default(), &receiver.allow)?;
        }
        #[cfg(test)]
        if let Some(wire) = receiver.wire.clone() {
            let redactor = Redactor::default();
            return Ok(Self { line: Line::Simulated(wire), receiver, redactor });
        }
        let line = Line::Http(client(&receiver, resolver)?);
        Ok(Self { line, receiver, redactor: Redactor::default() })
    }

    /// To whom this sends.
    pub(crate) const fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// Sends `message` once, signed for the instant `now` with every secret as it is kept by now.
    ///
    /// The answer's status decides, so a receiver that breaks off after its status is still heard.
    pub(crate) async fn send(&self, message: &Message<'_>, now: Timestamp) -> Sent {
        let began = Instant::now();
        let (result, detail) = match self.attempt(message, now).await {
            Ok(answered) => answered,
            Err(error) => (AttemptResult::Unreachable, chain(&error)),
        };
        Sent { result, duration: began.elapsed(), detail: cut(detail, DETAIL_BYTES_MAX) }
    }

    async fn attempt(
        &self,
        message: &Message<'_>,
        now: Timestamp,
    ) -> Result<(AttemptResult, String), SendError> {
        let Receiver { format, routing_key, .. } = &self.receiver;
        let keys = self.keys().await?;
        let url = self.url().await?;
        #[cfg_attr(
            not(test),
            expect(clippy::infallible_destructuring_match, reason = "tests have another line")
        )]
        let client = match &self.line {
            Line::Http(client) => client,
            #[cfg(test)]
            Line::Simulated(wire) => return Ok((wire.0.post(message).await, String::new())),
        };
        let key = match routing_key {
            Some(reference) => Some(secrets::resolve(reference).await?),
            None => None,
        };
        if let Some(key) = &key {
            self.redactor.learn(key);
        }
        let Rendered { content_type, body } =
            format.render(message.id, message.body, key.as_ref())?;
        let at = now.unix_seconds();
        let mut request = client
            .post(url.clone())
            .header(CONTENT_TYPE, content_type)
            .header("webhook-id", message.id)
            .header("webhook-timestamp", at);
        if format.is_signed() {
            let signatures = signatures(&keys, message.id, at, &body);
            request = request.header("webhook-signature", signatures);
        }
        let request = request.body(body);
        let response = request.send().await.map_err(|error| self.no_answer(&error))?;
        let status = response.status();
        let hint = hint(status, response.headers(), now);
        let hint = hint.map(|hint| hint.min(self.receiver.retry.hint_max));
        let answer = beginning(response).await;
        let answer = self.redactor.line(&String::from_utf8_lossy(&answer), DETAIL_BYTES_MAX);
        let detail = match (status.is_redirection(), answer.is_empty()) {
            (true, true) => "redirects are not followed".to_owned(),
            (true, false) => format!("redirects are not followed: {answer}"),
            (false, _) => answer,
        };
        Ok((AttemptResult::Answered { code: status.as_u16(), hint }, detail))
    }

    async fn keys(&self) -> Result<Vec<Key>, SendError> {
        let mut keys = Vec::new();
        for reference in &self.receiver.secrets {
            let value = secrets::resolve(reference).await?;
            let key = Key::parse(&value)
                .map_err(|source| SendError::Key { place: place(reference), source })?;
            // The prefix is the same for everybody, and no secret.
            let text = value.expose();
            self.redactor.learn_text(text.strip_prefix(super::sign::PREFIX).unwrap_or(text));
            keys.push(key);
        }
        Ok(keys)
    }

    async fn url(&self) -> Result<Url, SendError> {
        let url = match &self.receiver.target {
            Target::Fixed(url) => url.clone(),
            Target::Kept(reference) => {
                let text = secrets::resolve(reference).await?;
                parse_url(text.expose(), &self.receiver.allow)
                    .map_err(|fault| SendError::Url { place: place(reference), fault })?
            }
        };
        learn_url(&self.redactor, &url);
        Ok(url)
    }

    /// Returns what an HTTP error comes down to: the layers above only repeat that a request failed,
    /// and the uppermost shows its URL.
    fn cause(&self, error: &reqwest::Error) -> String {
        let sources = std::iter::successors(error.source(), |&error| error.source());
        sources.last().map_or_else(
            || "the request cannot be made".to_owned(),
            |error| self.redactor.line(&error.to_string(), DETAIL_BYTES_MAX),
        )
    }

    fn no_answer(&self, error: &reqwest::Error) -> SendError {
        let Receiver { timeout, connect_timeout, .. } = &self.receiver;
        SendError::NoAnswer(match (error.is_timeout(), error.is_connect()) {
            (true, true) => format!("no connection within {}", duration_text(*connect_timeout)),
            (true, false) => format!("no answer within {}", duration_text(*timeout)),
            (false, true) => format!("no connection: {}", self.cause(error)),
            (false, false) => format!("no answer: {}", self.cause(error)),
        })
    }
}

/// Teaches `redactor` the parts of `url` that can be a secret: the query and its values, and a path
/// that is longer than `/hook`, from the first to the last segment that is more than a word.
fn learn_url(redactor: &Redactor, url: &Url) {
    redactor.learn_text(url.query().unwrap_or_default());
    for (_, value) in url.query_pairs().filter(|(_, value)| VALUE_BYTES_MIN <= value.len()) {
        redactor.learn_text(&value);
    }
    if url.path().len() <= PATH_SHOWN_MAX {
        return;
    }
    let is_word = |text: &str| {
        text.len() <= WORD_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let mut segments: Vec<_> = url.path().split('/').collect();
    let words = segments.iter().take_while(|text| is_word(text)).count();
    segments.drain(..words);
    while segments.pop_if(|text| is_word(text)).is_some() {}
    redactor.learn_text(&segments.join("/"));
    for segment in segments.into_iter().filter(|text| SEGMENT_BYTES_MIN <= text.len()) {
        if !is_word(segment) {
            redactor.learn_text(segment);
        }
    }
}

fn client(receiver: &Receiver, resolver: GuardedResolver) -> Result<Client, HttpError> {
    http::client(&HttpOptions {
        connect_timeout: receiver.connect_timeout,
        total_timeout: receiver.timeout,
        ca_file: receiver.ca_file.clone(),
        resolver: Some(Arc::new(resolver)),
        idle_connections_max: receiver.concurrency,
        ..HttpOptions::default()
    })
}

/// The beginning of the answer's body, as far as it came.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = ANSWER_BYTES_MAX.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if body.len() == ANSWER_BYTES_MAX {
            break;
        }
    }
    body
}

/// The wait that a receiver asks for, where asking has a meaning.
fn hint(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    retry_after(headers, now)
}

/// Where a secret is kept, for messages.
fn place(reference: &SecretRef) -> String {
    match reference {
        SecretRef::Literal(_) => "the configuration".to_owned(),
        SecretRef::File(path) => format!("file {}", path.display()),
        SecretRef::Env(name) => format!("environment variable {name}"),
        SecretRef::Credential(name) => format!("credential {name}"),
    }
}

/// The error with its sources, on one line.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let texts: Vec<_> =
        causes.map(|error| one_line(&error.to_string(), DETAIL_BYTES_MAX)).collect();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::SocketAddr;
    use std::sync::Arc;

    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use serde_json::{Value as Json, json};
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::domain::Secret;
    use crate::webhook::testing::{
        Answer, OTHER_SECRET, Request, SECRET, Scripted, http, receiver,
    };

    const NOW: Timestamp = Timestamp(1_795_381_200_750);
    const MESSAGE: Message<'_> =
        Message { id: "evt_0190", body: "{\"text\": \"Grüße ✓\\n\" ,\"n\":1.0}" };

    async fn send(receiver: Receiver) -> Sent {
        Sender::new(receiver).unwrap().send(&MESSAGE, NOW).await
    }

    /// Result and detail of one attempt at a receiver that gives `answer`.
    async fn answered(answer: Answer, changes: Json) -> (AttemptResult, String) {
        let scripted = Scripted::start(answer).await;
        let sent = send(scripted.receiver(changes)).await;
        assert_eq!(scripted.requests().len(), 1, "one attempt is one request");
        assert!(sent.duration < Duration::from_secs(5), "{:?}", sent.duration);
        assert!(sent.detail.len() <= DETAIL_BYTES_MAX && !sent.detail.contains(['\n', '\r']));
        (sent.result, sent.detail)
    }

    fn code(code: u16) -> AttemptResult {
        AttemptResult::Answered { code, hint: None }
    }

    fn signed(secrets: &[&str], at: i64) -> String {
        let keys: Vec<_> = secrets
            .iter()
            .map(|secret| Key::parse(&Secret::new((*secret).to_owned())).unwrap())
            .collect();
        signatures(&keys, MESSAGE.id, at, MESSAGE.body)
    }

    fn signature(request: &Request) -> &str {
        &request.headers["webhook-signature"]
    }

    #[tokio::test]
    async fn a_request_is_what_the_standard_says() {
        let scripted = Scripted::start(http("204 No Content", "", "")).await;
        let sender = Sender::new(scripted.receiver(json!({ "secrets": [SECRET, OTHER_SECRET] })));
        let sender = sender.unwrap();
        let later = NOW.plus(Duration::from_secs(5));
        for now in [NOW, later] {
            let sent = sender.send(&MESSAGE, now).await;
            assert_eq!((sent.result, sent.detail.as_str()), (code(204), ""));
        }
        assert_eq!(scripted.connections(), 1, "connections are kept");
        let requests = scripted.requests();
        for (request, now) in requests.iter().zip([NOW, later]) {
            let at = now.unix_seconds();
            assert_eq!(request.line, "POST /hook HTTP/1.1");
            assert_eq!(request.body, MESSAGE.body.as_bytes());
            assert_eq!(request.headers["content-type"], "application/json");
            let version = env!("CARGO_PKG_VERSION");
            assert_eq!(request.headers["user-agent"], format!("revalidated/{version}"));
            assert_eq!(request.headers["webhook-id"], "evt_0190");
            assert_eq!(request.headers["webhook-timestamp"], at.to_string());
            assert_eq!(signature(request), signed(&[SECRET, OTHER_SECRET], at));
            assert_eq!(signature(request).split(' ').count(), 2);
        }
        assert_ne!(signature(&requests[0]), signature(&requests[1]), "signed afresh");
    }

    #[tokio::test]
    async fn every_answer_is_told_as_it_is() {
        let table = [
            (http("200 OK", "", "{\"ok\":true}\r\n"), 200, "{\"ok\":true}"),
            (http("202 Accepted", "", ""), 202, ""),
            (http("400 Bad Request", "", "bad\nsignature\0"), 400, "bad signature"),
            (http("404 Not Found", "retry-after: 7\r\n", "no such hook"), 404, "no such hook"),
            (http("410 Gone", "", ""), 410, ""),
            (http("500 Internal Server Error", "", "\x1b[2Jboom"), 500, "[2Jboom"),
            (http("999 Odd", "", ""), 999, ""),
            (http("304 Not Modified", "", ""), 304, "redirects are not followed"),
            (http("200 OK", "content-encoding: gzip\r\n", "\x1f\x08not gzip"), 200, "not gzip"),
        ];
        for (answer, wanted, detail) in table {
            assert_eq!(answered(answer, json!({})).await, (code(wanted), detail.to_owned()));
        }
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let inside = Scripted::start(http("200 OK", "", "")).await;
        for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
        {
            let location = format!("location: http://{}/\r\n", inside.addr);
            let (result, detail) = answered(http(status, &location, "over there"), json!({})).await;
            assert_eq!(result, code(status[..3].parse().unwrap()));
            assert_eq!(detail, "redirects are not followed: over there");
        }
        assert_eq!(inside.connections(), 0);
    }

    #[tokio::test]
    async fn hints_come_from_429_and_503_alone_and_are_bounded() {
        let table = [
            ("429 Too Many Requests", "90", Some(90)),
            ("503 Service Unavailable", "90", Some(90)),
            ("500 Internal Server Error", "90", None),
            ("200 OK", "90", None),
            ("429 Too Many Requests", "99999999999999999999999", Some(3600)),
            ("429 Too Many Requests", "Mon, 23 Nov 2026 23:59:59 GMT", Some(3600)),
        ];
        for (status, value, secs) in table {
            let answer = http(status, &format!("retry-after: {value}\r\n"), "");
            let (result, _) = answered(answer, json!({ "retry_after_max": "1h" })).await;
            let AttemptResult::Answered { hint, .. } = result else { panic!("{result:?}") };
            assert_eq!(hint, secs.map(Duration::from_secs), "{status} {value}");
        }
    }

    #[tokio::test]
    async fn a_url_that_is_kept_as_a_secret_is_read_at_every_attempt_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("url");
        let path = "/services/T000/B000/hunter2hunter2";
        let answer = http("404 Not Found", "", &format!("no_service {path}"));
        let scripted = Scripted::start(answer).await;
        let changes = json!({ "url": { "file": file }, "format": "slack", "secrets": null });
        let sender = Sender::new(scripted.receiver(changes)).unwrap();
        let body = include_str!("format/golden/failed/event.json");
        let attempt = async |url: &str| {
            std::fs::write(&file, url).unwrap();
            sender.send(&Message { id: "evt_1", body }, NOW).await
        };
        let sent = attempt(&format!("http://{}{path}", scripted.addr)).await;
        assert_eq!(sent.result, AttemptResult::Answered { code: 404, hint: None });
        assert_eq!(sent.detail, "no_service /services/[REDACTED]");
        let request = scripted.requests().pop().unwrap();
        assert!(!request.headers.contains_key("webhook-signature"));
        assert!(request.body.starts_with(b"{\"text\":\"lake: validation failed"));
        for (url, expected) in [
            ("http://10.1.2.3/hunter2", "10.1.2.3"),
            ("hunter2", "is not a URL"),
            ("ftp://h.example/hunter2", "must begin with https://"),
        ] {
            let sent = attempt(url).await;
            assert_eq!(sent.result, AttemptResult::Unreachable);
            assert!(sent.detail.contains(expected), "{url}: {}", sent.detail);
            assert!(!sent.detail.contains("hunter2"), "{}", sent.detail);
        }
    }

    #[tokio::test]
    async fn no_answer_is_told_with_its_cause() {
        let head = "HTTP/1.1 200 OK\r\n".to_owned();
        let pause = Duration::from_millis(20);
        let table = [
            (Answer::Silence, "no answer within 300ms"),
            (Answer::Repeats(head.clone(), b"x".to_vec(), pause), "no answer within 300ms"),
            (Answer::Reset, "no answer: Connection reset by peer"),
            (Answer::BreaksOff(String::new()), "no answer: connection closed before"),
            (Answer::BreaksOff(head), "no answer: connection closed before"),
            (
                Answer::BreaksOff("SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned()),
                "no answer: invalid HTTP",
            ),
        ];
        for (answer, wanted) in table {
            let shown = format!("{answer:?}");
            let (result, detail) = answered(answer, json!({ "timeout": "300ms" })).await;
            assert_eq!(result, AttemptResult::Unreachable, "{shown}");
            assert!(detail.starts_with(wanted), "{shown}: {detail}");
        }
    }

    #[tokio::test]
    async fn the_status_decides_whatever_becomes_of_the_body() {
        let head = "HTTP/1.1 200 OK\r\n".to_owned();
        let gzip = format!("{head}content-encoding: gzip\r\n\r\n\x1f");
        let with_length = format!("{head}content-length: 100\r\n\r\nthe beginning");
        let bad_chunk = format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n");
        let open = format!("{head}\r\n");
        let drip = Answer::Repeats(open.clone(), b"drip ".to_vec(), Duration::from_millis(20));
        let table = [
            (Answer::BreaksOff(with_length), "5s", "the beginning"),
            (Answer::BreaksOff(bad_chunk), "5s", ""),
            (Answer::Repeats(open, vec![b'e'; 65_536], Duration::ZERO), "5s", "eeee"),
            (Answer::Repeats(gzip, vec![0; 65_536], Duration::ZERO), "5s", ""),
            (drip, "300ms", "drip drip"),
        ];
        for (answer, timeout, wanted) in table {
            let (result, detail) = answered(answer, json!({ "timeout": timeout })).await;
            assert_eq!(result, code(200), "{wanted}");
            assert!(detail.starts_with(wanted), "{wanted}: {detail}");
        }
    }

    #[tokio::test]
    async fn an_answer_is_kept_in_part_and_without_secrets() {
        let long = "ä".repeat(20_000);
        let (_, detail) = answered(http("500 Oh", "", &long), json!({})).await;
        assert_eq!(detail, "ä".repeat(DETAIL_BYTES_MAX / 2));
        let echo = format!("{}{SECRET}: cannot POST /hook?token=hunter2", " ".repeat(9_000));
        let scripted = Scripted::start(http("404 Not Found", "", &echo)).await;
        let url = format!("http://{}/hook?token=hunter2", scripted.addr);
        let sent = send(receiver(&url, json!({}))).await;
        assert_eq!(sent.detail, "whsec_[REDACTED]: cannot POST /hook?[REDACTED]");
    }

    #[tokio::test]
    async fn what_cannot_be_signed_is_not_sent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let scripted = Scripted::start(http("200 OK", "", "")).await;
        let secrets = json!({ "secrets": [SECRET, { "file": path }] });
        let sender = Sender::new(scripted.receiver(secrets)).unwrap();
        let fails = async |wanted: &str| {
            let sent = sender.send(&MESSAGE, NOW).await;
            assert_eq!(sent.result, AttemptResult::Unreachable);
            assert!(sent.detail.starts_with("not sent, since it cannot be signed"));
            assert!(sent.detail.contains(wanted), "{}", sent.detail);
            assert!(sent.detail.contains(path.to_str().unwrap()), "{}", sent.detail);
            assert!(!sent.detail.contains("hunter2"), "{}", sent.detail);
        };
        fails("cannot be read: No such file").await;
        std::fs::write(&path, "hunter2").unwrap();
        fails("begins with `whsec_`").await;
        assert_eq!(scripted.connections(), 0);
        std::fs::write(&path, format!("{OTHER_SECRET}\n")).unwrap();
        assert_eq!(sender.send(&MESSAGE, NOW).await.result, code(200), "secrets are read anew");
        let wanted = signed(&[SECRET, OTHER_SECRET], NOW.unix_seconds());
        assert_eq!(signature(&scripted.requests()[0]), wanted);
    }

    #[tokio::test]
    async fn a_closed_port_and_a_name_that_leads_inside_are_told_apart() {
        let scripted = Scripted::start(http("200 OK", "", "")).await;
        let port = scripted.addr.port();
        let inside = receiver(&format!("https://localhost:{port}/?t=hunter2"), json!({}));
        let inside = Receiver { allow: crate::net::address::Allow::default(), ..inside };
        let sent = send(inside).await;
        assert_eq!(sent.result, AttemptResult::Unreachable);
        assert!(sent.detail.contains("is a loopback address; name it"), "{}", sent.detail);
        assert!(!sent.detail.contains("hunter2"), "{}", sent.detail);
        assert_eq!(scripted.connections(), 0);
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?t=hunter2", closed.local_addr().unwrap());
        drop(closed);
        let sent = send(receiver(&url, json!({}))).await;
        assert_eq!(sent.result, AttemptResult::Unreachable);
        assert!(sent.detail.starts_with("no connection: Connection refused"), "{}", sent.detail);
        assert!(!sent.detail.contains("hunter2"), "{}", sent.detail);
    }

    #[tokio::test]
    async fn a_written_out_address_is_checked_again_before_anything_is_sent() {
        let open = receiver("http://127.0.0.1:9/", json!({}));
        let closed = Receiver { allow: crate::net::address::Allow::default(), ..open };
        let error = chain(&Sender::new(closed).unwrap_err());
        assert!(error.starts_with("the address is refused: 127.0.0.1 is a loopback"), "{error}");
    }

    /// Answers one request over TLS with a certificate that nobody knows; gives its PEM.
    fn tls_server() -> (SocketAddr, String) {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let server = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = StreamOwned::new(server, stream);
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        });
        (addr, made.cert.pem())
    }

    #[tokio::test]
    async fn a_certificate_must_come_from_a_known_authority() {
        let (addr, _pem) = tls_server();
        let sent = send(receiver(&format!("https://{addr}/"), json!({}))).await;
        assert_eq!(sent.result, AttemptResult::Unreachable);
        let wanted = "no connection: invalid peer certificate: UnknownIssuer";
        assert_eq!(sent.detail, wanted);
        let (addr, pem) = tls_server();
        let dir = tempfile::tempdir().unwrap();
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, pem).unwrap();
        let known = receiver(&format!("https://{addr}/"), json!({ "ca_file": ca_file }));
        assert_eq!(send(known).await.result, code(200));
        let missing = json!({ "ca_file": dir.path().join("none.pem") });
        let error = chain(&Sender::new(receiver("https://a.example/", missing)).unwrap_err());
        assert!(error.contains("none.pem cannot be read"), "{error}");
    }

    #[tokio::test]
    async fn a_connection_that_is_not_secured_is_none() {
        let silent = Scripted::start(Answer::Silence).await;
        let changes = json!({ "connect_timeout": "200ms" });
        let sent = send(receiver(&format!("https://{}/", silent.addr), changes)).await;
        assert_eq!(sent.result, AttemptResult::Unreachable);
        assert_eq!(sent.detail, "no connection within 200ms");
        let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", plain.local_addr().unwrap());
        let talks_plainly = async {
            let (mut stream, _) = plain.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            stream
        };
        let (sent, _stream) = tokio::join!(send(receiver(&url, json!({}))), talks_plainly);
        assert_eq!(sent.result, AttemptResult::Unreachable);
        assert!(sent.detail.starts_with("no connection: received corrupt"), "{}", sent.detail);
    }
}
