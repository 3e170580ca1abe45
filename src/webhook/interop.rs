//! Interoperability: deliveries as sent, verified by the libraries and servers of others.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::{Strategy, any};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::testing::{Request, Scripted, http, receiver};
use super::{Message, Sender};
use crate::domain::{AttemptResult, Timestamp, samples};
use crate::net::http::{HttpOptions, read_capped};

/// Number of deliveries to each receiver.
const DELIVERIES: usize = 50;
/// Number of secrets of each receiver.
const RECEIVERS: [usize; 4] = [1, 1, 2, 3];
/// Difference between the clocks that a verifier accepts.
const TOLERANCE: Duration = Duration::from_mins(5);
/// Time limit of a script.
const SCRIPT_MAX: Duration = Duration::from_mins(5);
/// Change to a delivery that no verifier may accept.
type Tampering = (&'static str, fn(&mut Request));

const TAMPERINGS: [Tampering; 9] = [
    ("a byte more", |request| request.body.push(b' ')),
    ("a byte less", |request| request.body.truncate(request.body.len() - 1)),
    ("another case", |request| {
        let at = request.body.iter().position(u8::is_ascii_lowercase).unwrap();
        request.body[at] = request.body[at].to_ascii_uppercase();
    }),
    ("another id", |request| header(request, "webhook-id").push('1')),
    ("another second", |request| {
        let at: i64 = request.headers["webhook-timestamp"].parse().unwrap();
        *header(request, "webhook-timestamp") = (at + 1).to_string();
    }),
    ("an id that eats the timestamp", |request| {
        let at = request.headers["webhook-timestamp"].clone();
        let id = header(request, "webhook-id");
        *id = format!("{id}.{at}");
    }),
    ("no signature", |request| header(request, "webhook-signature").clear()),
    ("signatures of another version", |request| {
        let signature = header(request, "webhook-signature");
        *signature = signature.replace("v1,", "v2,");
    }),
    ("other signatures", |request| {
        let signature = header(request, "webhook-signature");
        let entries = signature.split(' ').map(|entry| {
            let first = if entry.starts_with("v1,A") { "v1,B" } else { "v1,A" };
            format!("{first}{}", &entry[4..])
        });
        *signature = entries.collect::<Vec<_>>().join(" ");
    }),
];

fn header<'r>(request: &'r mut Request, name: &str) -> &'r mut String {
    request.headers.get_mut(name).unwrap()
}

/// Random values that are the same in every run.
struct Random(TestRunner);

impl Random {
    fn pick<S: Strategy>(&mut self, strategy: S) -> S::Value {
        strategy.new_tree(&mut self.0).unwrap().current()
    }

    fn secret(&mut self) -> String {
        let bytes = self.pick(proptest::collection::vec(any::<u8>(), 24..=64));
        format!("whsec_{}", STANDARD.encode(bytes))
    }

    /// Returns JSON with all kinds of characters, in varying layout.
    fn body(&mut self) -> String {
        let texts = self.pick(proptest::collection::vec(any::<String>(), 0..8));
        let value = json!({
            "type": "integration.validation.failed",
            "data": { "texts": texts, "number": self.pick(any::<i64>()) },
            "Grüße": "漢字 ✓ \u{1F980} \u{202e} \u{0}",
        });
        if self.pick(any::<bool>()) {
            serde_json::to_string_pretty(&value).unwrap().replace('\n', "\r\n")
        } else {
            value.to_string()
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "verifiers compare with the wall clock")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::default().plus(since)
}

/// Adds one line for the verifiers.
fn line(lines: &mut String, request: &Request, secret: &str, refused: Option<&str>) {
    let headers: serde_json::Map<_, _> = request
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("webhook-"))
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let body = String::from_utf8(request.body.clone()).unwrap();
    let why = refused.unwrap_or("as it was sent");
    let delivery = json!({
        "secret": secret, "headers": headers, "body": body,
        "expect": refused.is_none(), "why": why,
    });
    writeln!(lines, "{delivery}").unwrap();
}

/// Sends to a receiver with `secrets` and records each request, as received and tampered with.
async fn deliver(lines: &mut String, random: &mut Random, secrets: &[String]) {
    let scripted = Scripted::start(http("204 No Content", "", "")).await;
    let sender = Sender::new(scripted.receiver(json!({ "secrets": secrets }))).unwrap();
    let off = TOLERANCE + Duration::from_secs(10);
    let stale = ("too old", now().minus(off));
    let early = ("from the future", now().plus(off));
    let current = ("", now());
    for (why, at) in std::iter::repeat_n(current, DELIVERIES).chain([stale, early]) {
        let (id, body) = (format!("evt_{:016x}", random.pick(any::<u64>())), random.body());
        let sent =
            sender.send(&Message { id: &id, body: &body, began: None, format: None }, at).await;
        assert_eq!(sent.detail, "");
        let request = scripted.requests().pop().unwrap();
        assert_eq!(request.body, body.as_bytes(), "what is sent is what is stored");
        for secret in secrets {
            line(lines, &request, secret, (!why.is_empty()).then_some(why));
        }
        line(lines, &request, &random.secret(), Some("a secret that is not in use"));
        let (tampering, tamper) = random.pick(proptest::sample::select(&TAMPERINGS[..]));
        let mut tampered = request.clone();
        tamper(&mut tampered);
        line(lines, &tampered, &secrets[0], Some(tampering));
    }
    assert_eq!(scripted.requests().len(), DELIVERIES + 2);
}

/// Returns the output of a script; fails with its errors.
async fn run(script: &str, argument: &Path) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/verify").join(script);
    let mut command = tokio::process::Command::new(&path);
    command.arg(argument).kill_on_drop(true);
    let ended = tokio::time::timeout(SCRIPT_MAX, command.output()).await;
    let output = ended.unwrap_or_else(|_| panic!("{script} takes longer than {SCRIPT_MAX:?}"));
    let output = output.unwrap_or_else(|error| panic!("{script} cannot be started: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed; it needs python3 and npm: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn reference_libraries_accept_every_delivery_and_no_tampered_one() {
    let dir = tempfile::tempdir().unwrap();
    run("install.sh", dir.path()).await;
    let mut random = Random(TestRunner::deterministic());
    let mut lines = String::new();
    for count in RECEIVERS {
        let secrets: Vec<_> = (0..count).map(|_| random.secret()).collect();
        deliver(&mut lines, &mut random, &secrets).await;
    }
    let path = dir.path().join("deliveries.jsonl");
    std::fs::write(&path, &lines).unwrap();
    let said = run("verify.sh", &path).await;
    let good = RECEIVERS.iter().sum::<usize>() * DELIVERIES;
    let bad = lines.lines().count() - good;
    let wanted = ["Python standardwebhooks", "Python svix", "JavaScript standardwebhooks"]
        .map(|library| format!("{library}: {good} accepted, {bad} refused\n"));
    assert_eq!(said, wanted.concat());
}

/// Returns a stored event that formats are tested with, by its short name.
fn golden(name: &str) -> String {
    let (_, body) = samples().into_iter().find(|(found, _)| *found == name).unwrap();
    body
}

#[tokio::test]
async fn cloud_events_are_read_by_the_reference_library() {
    let dir = tempfile::tempdir().unwrap();
    run("install.sh", dir.path()).await;
    let scripted = Scripted::start(http("204 No Content", "", "")).await;
    let sender = Sender::new(scripted.receiver(json!({ "format": "cloudevents" }))).unwrap();
    let mut lines = String::new();
    for name in ["failed", "recovered", "changed", "warning"] {
        let body = golden(name);
        let id = format!("evt_{name}");
        assert_eq!(
            sender
                .send(&Message { id: &id, body: &body, began: None, format: None }, now())
                .await
                .detail,
            ""
        );
        let request = scripted.requests().pop().unwrap();
        assert!(request.headers["webhook-signature"].starts_with("v1,"));
        let event: serde_json::Value = serde_json::from_str(&body).unwrap();
        let line = json!({
            "headers": { "content-type": request.headers["content-type"] },
            "body": String::from_utf8(request.body).unwrap(),
            "id": id, "type": event["type"], "subject": event["data"]["integration"]["name"],
        });
        writeln!(lines, "{line}").unwrap();
    }
    let path = dir.path().join("events.jsonl");
    std::fs::write(&path, lines).unwrap();
    assert_eq!(run("cloudevents.sh", &path).await, "CloudEvents: 4 read\n");
}

#[tokio::test]
async fn alertmanager_fires_and_resolves_an_alert() {
    let dir = tempfile::tempdir().unwrap();
    let script = |verb: &str| {
        let script = "tests/servers/alertmanager.sh";
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(script);
        std::process::Command::new(script).arg(verb).arg(dir.path()).output().unwrap()
    };
    let output = script("start");
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let endpoint = text.trim().strip_prefix("endpoint=").unwrap_or_else(|| panic!("{errors}"));
    let url = format!("{endpoint}/api/v2/alerts");
    let receiver = receiver(&url, json!({ "format": "alertmanager", "secrets": null }));
    let sender = Sender::new(receiver).unwrap();
    let client = crate::net::http::client(&HttpOptions::default()).unwrap();
    let active = async || {
        let alerts = client.get(&url).send().await.unwrap();
        let alerts = read_capped(alerts, 1 << 20).await.unwrap();
        serde_json::from_slice::<Vec<serde_json::Value>>(&alerts).unwrap()
    };
    // The recorded events are of another day, and Alertmanager ends what ended long ago.
    let (began, ended) = (now().minus(Duration::from_mins(2)), now());
    let dated = |name: &str| {
        let event = golden(name).replace("2026-11-22T20:59:59Z", &began.to_string());
        let event = event.replace("2026-11-22T21:00:00Z", &began.to_string());
        event.replace("2026-11-22T21:06:30Z", &ended.to_string())
    };
    let send = async |name: &str| {
        let body = dated(name);
        let sent = sender
            .send(&Message { id: "evt_1", body: &body, began: None, format: None }, now())
            .await;
        assert_eq!(sent.result, AttemptResult::Answered { code: 200, hint: None }, "{sent:?}");
    };
    send("failed").await;
    let alerts = active().await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["labels"]["integration"], "lake");
    assert_eq!(alerts[0]["status"]["state"], "active");
    send("failed").await;
    assert_eq!(active().await.len(), 1, "a repetition is the same alert");
    send("recovered").await;
    assert_eq!(active().await, Vec::<serde_json::Value>::new());
    assert!(script("stop").status.success());
}
