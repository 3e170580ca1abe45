//! Tests of one attempt against scripted receivers.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value as Json, json};
use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::domain::{EventType, Secret, sample};
use crate::webhook::testing::{Answer, OTHER_SECRET, Request, SECRET, Scripted, http, receiver};

const NOW: Timestamp = Timestamp(1_795_381_200_750);
const MESSAGE: Message<'_> = Message {
    id: "evt_0190",
    body: "{\"text\": \"Grüße ✓\\n\" ,\"n\":1.0}",
    began: None,
    format: None,
};

async fn send(receiver: Receiver) -> Sent {
    Sender::new(receiver).unwrap().send(&MESSAGE, NOW).await
}

/// Returns result and detail of one attempt at a receiver that gives `answer`.
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
async fn request_has_the_headers_and_body_of_the_standard() {
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
async fn answer_is_reported_with_its_status_and_text() {
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
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = format!("location: http://{}/\r\n", inside.addr);
        let (result, detail) = answered(http(status, &location, "over there"), json!({})).await;
        assert_eq!(result, code(status[..3].parse().unwrap()));
        assert_eq!(detail, "redirects are not followed: over there");
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn retry_after_counts_only_with_429_and_503_and_is_bounded() {
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
async fn secret_url_is_read_at_every_attempt_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("url");
    let path = "/services/T000/B000/hunter2hunter2";
    let answer = http("404 Not Found", "", &format!("no_service {path}"));
    let scripted = Scripted::start(answer).await;
    let changes = json!({ "url": { "file": file }, "format": "slack", "secrets": null });
    let sender = Sender::new(scripted.receiver(changes)).unwrap();
    let body = sample(EventType::ValidationFailed);
    let attempt = async |url: &str| {
        std::fs::write(&file, url).unwrap();
        sender.send(&Message { id: "evt_1", body, began: None, format: None }, NOW).await
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
async fn missing_answer_is_reported_with_its_cause() {
    let head = "HTTP/1.1 200 OK\r\n".to_owned();
    let pause = Duration::from_millis(20);
    let table = [
        (Answer::Silence, "no answer within 300ms"),
        (Answer::Repeats(head.clone(), b"x".to_vec(), pause), "no answer within 300ms"),
        (Answer::Reset, "no answer: Connection reset by peer"),
        (Answer::BreaksOff(String::new()), "no answer: connection closed before"),
        (Answer::BreaksOff(head), "no answer: connection closed before"),
        (Answer::BreaksOff("SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned()), "no answer: invalid HTTP"),
    ];
    for (answer, wanted) in table {
        let shown = format!("{answer:?}");
        let (result, detail) = answered(answer, json!({ "timeout": "300ms" })).await;
        assert_eq!(result, AttemptResult::Unreachable, "{shown}");
        assert!(detail.starts_with(wanted), "{shown}: {detail}");
    }
}

#[tokio::test]
async fn status_decides_even_when_the_body_is_cut() {
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
async fn answer_is_stored_bounded_and_without_secrets() {
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
async fn message_without_a_readable_secret_is_not_sent() {
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
async fn refused_address_and_closed_port_have_different_errors() {
    let scripted = Scripted::start(http("200 OK", "", "")).await;
    let port = scripted.addr.port();
    let inside = receiver(&format!("https://localhost:{port}/?t=hunter2"), json!({}));
    let inside = Receiver { allow: Allow::default(), ..inside };
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
async fn literal_address_is_checked_when_the_client_is_made() {
    let open = receiver("http://127.0.0.1:9/", json!({}));
    let closed = Receiver { allow: Allow::default(), ..open };
    let error = chain(&Sender::new(closed).unwrap_err());
    assert!(error.starts_with("the address is refused: 127.0.0.1 is a loopback"), "{error}");
}

/// Answers one request over TLS with a certificate of an unknown authority; returns its PEM.
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
async fn certificate_of_an_unknown_authority_is_refused() {
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
async fn connection_without_tls_is_refused() {
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

#[tokio::test]
async fn message_has_the_format_of_its_beginning_while_the_receiver_has_what_that_needs() {
    let scripted = Scripted::start(http("200 OK", "", "")).await;
    let body = sample(EventType::ValidationRecovered);
    let began = sample(EventType::ValidationFailed);
    let slack = json!({ "format": "slack", "secrets": null });
    let pager = json!({ "format": "pagerduty", "secrets": null, "routing_key": { "env": "PATH" } });
    let table = [
        // The receiver has become a chat, which has neither a key nor a secret.
        (slack.clone(), Some(Format::PagerDuty), "blocks"),
        (slack.clone(), Some(Format::Standard), "blocks"),
        (slack, Some(Format::Alertmanager), "endsAt"),
        (json!({}), Some(Format::Slack), "blocks"),
        (json!({}), None, "incidentId"),
        (pager.clone(), Some(Format::PagerDuty), "dedup_key"),
        (pager, Some(Format::Teams), "attachments"),
    ];
    for (changes, format, expected) in table {
        let shown = format!("{changes} {format:?}");
        let sender = Sender::new(scripted.receiver(changes)).unwrap();
        let message = Message { id: "evt_1", body, began: Some(began), format };
        let sent = sender.send(&message, NOW).await;
        assert_eq!(sent.result, AttemptResult::Answered { code: 200, hint: None }, "{sent:?}");
        let request = scripted.requests().pop().unwrap();
        let sent = String::from_utf8(request.body).unwrap();
        assert!(sent.contains(expected), "{shown}: {sent}");
    }
}
