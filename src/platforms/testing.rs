//! Recorded exchanges: what platform folders keep in `testcases/<case>/`, served to the real client.
//!
//! A case is a folder:
//! - `integration.json`: `config` (`@server@` stands for the address of the server, `@host@` and
//!   `@port@` for its parts, `@ca@` for a file with its certificate authority), and perhaps `mode`
//!   (`preflight`), `testLimit` (such as `PT1S`), `files` (name to content, `@dir@` is their folder)
//!   and `tls`: `trusted`, or `untrusted` or `expired` or `otherName` for a certificate that must be
//!   refused, or `broken` for a server that hangs up;
//! - `<operation>.http`, or `<operation>.<number>.http` for one request of several: the source of the
//!   answer in a line that begins with `# `, the status (or `silence`), headers, an empty line, the
//!   body, `@server@` in it being the address. An operation without a file is answered as in the
//!   case `all-well`. Beside real headers there are `x-repeat: N`, which sends the body N times, and `x-cut: 1`, which breaks off;
//! - `expected.json`: the report, and the requests that led to it. What was found instead is written
//!   to `target/testcases/<folder>/<case>.json`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{Mode, Platform, RunContext, Validator};
use crate::domain::{Finding, Report, TestResult, ValidationResults};
use crate::input::{Faults, Reader, Value};

/// The clock of every run.
pub(super) const NOW: &str = "2026-11-22T21:00:00Z";

/// The platform whose cases are replayed.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    /// Its folder, such as `databricks`.
    pub(super) folder: &'static str,
    /// Its validator for a `config` that must be right; see [`validator`].
    pub(super) validator: fn(&Json) -> Box<dyn Validator>,
    /// The operation that a request asks for: the list of what may be sent. None is a failure.
    pub(super) operation: fn(&Seen) -> Option<String>,
    /// What every request must be like besides.
    pub(super) check: fn(&Seen),
    /// How a request is listed in `expected.json`; what differs from run to run is left out.
    pub(super) shown: fn(&Seen) -> String,
    /// What no report, no request line and no debug text may hold.
    pub(super) secrets: &'static [&'static str],
    /// The least number of cases.
    pub(super) cases_min: usize,
}

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Method and target.
    pub(super) line: String,
    /// By name in lower case.
    pub(super) headers: HashMap<String, String>,
    /// The body.
    pub(super) body: String,
}

impl Seen {
    /// The value of the header `name`, which is in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Method and target, and the body where there is one.
    pub(super) fn with_body(&self) -> String {
        if self.body.is_empty() {
            self.line.clone()
        } else {
            format!("{} {}", self.line, self.body)
        }
    }
}

/// A server that answers from the files of one case, or else from those of `all-well`.
pub(super) struct Server {
    /// `http://127.0.0.1:PORT`, or `https://localhost:PORT`.
    pub(super) address: String,
    /// Its certificate authority, when it has one.
    pub(super) ca_pem: Option<String>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

struct Script {
    case: PathBuf,
    address: String,
    operation: fn(&Seen) -> Option<String>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts one on a port of its own; `tls` as in `integration.json`.
    pub(super) async fn start(subject: &Subject, case: &Path, tls: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let address = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let script = Script {
            case: case.to_owned(),
            address: address.clone(),
            operation: subject.operation,
            seen: Arc::clone(&seen),
        };
        let script = Arc::new(script);
        let (acceptor, ca_pem) = tls.map(acceptor).unzip();
        let broken = tls == Some("broken");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, acceptor) = (Arc::clone(&script), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        _ if broken => {}
                        None => script.answer(stream).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                script.answer(stream).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, ca_pem, seen }
    }

    /// Every request so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A certificate of the kind that `tls` names, and the authority that clients are to trust.
fn acceptor(tls: &str) -> (TlsAcceptor, String) {
    let authority = |name: &str| {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap()
    };
    let trusted = authority("trusted");
    let name = if tls == "otherName" { "other.example" } else { "localhost" };
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    if tls == "expired" {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = if tls == "untrusted" {
        params.signed_by(&key, &authority("unknown")).unwrap()
    } else {
        params.signed_by(&key, &trusted).unwrap()
    };
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), trusted.pem())
}

impl Script {
    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(seen) = read(&mut stream).await else { return };
        let operation = (self.operation)(&seen).unwrap_or_else(|| "none".to_owned());
        let number = {
            let mut log = self.seen.lock().unwrap();
            log.push(seen);
            let same = |seen: &&Seen| (self.operation)(seen).as_ref() == Some(&operation);
            log.iter().filter(same).count()
        };
        let named = |dir: &Path| {
            let later = dir.join(format!("{operation}.{number}.http"));
            let first = dir.join(format!("{operation}.http"));
            [later, first].into_iter().find(|path| path.exists())
        };
        let file = named(&self.case).or_else(|| named(&self.case.with_file_name("all-well")));
        let Some(file) = file else {
            return write(&mut stream, "599", "", "no answer is recorded", 0).await;
        };
        let text = std::fs::read_to_string(file).unwrap();
        let (source, text) = text.split_once('\n').unwrap();
        assert!(source.starts_with("# "), "the first line says where the answer is documented");
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let body = body.replace("@server@", &self.address);
        let (status, headers) = head.split_once('\n').unwrap_or((head, ""));
        if status.trim() == "silence" {
            return std::future::pending().await;
        }
        let directive = |name: &str| headers.lines().find_map(|line| line.strip_prefix(name));
        let times = directive("x-repeat: ").map_or(1, |times| times.parse().unwrap());
        let missing = if directive("x-cut: ").is_some() { 100 } else { 0 };
        write(&mut stream, status, headers, &body.repeat(times), missing).await;
    }
}

/// Reads one request.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: HashMap<_, _> =
        headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen { line, headers, body: String::from_utf8(body).unwrap() })
}

/// Writes one answer that claims to be `missing` bytes longer than it is.
async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    status: &str,
    headers: &str,
    body: &str,
    missing: usize,
) {
    let length = body.len() + missing;
    let headers = headers.replace('\n', "\r\n");
    let separator = if headers.is_empty() { "" } else { "\r\n" };
    let answer = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\
         {headers}{separator}\r\n{body}"
    );
    // The client may hang up on a body that is too large.
    let _sent = stream.write_all(answer.as_bytes()).await;
    let _closed = stream.shutdown().await;
}

/// A recurring run with the usual limits.
pub(super) fn context(mode: Mode) -> RunContext {
    RunContext {
        name: "lake".to_owned(),
        mode,
        everyone: [].into(),
        test_limit: Duration::from_secs(30),
        run_limit: Duration::from_mins(2),
        now: NOW.parse().unwrap(),
    }
}

/// The validator of `config`, which must be right.
pub(super) fn validator(platform: &Platform, config: &Json) -> Box<dyn Validator> {
    let (validator, faults) = parsed(platform, config);
    assert!(faults.is_empty(), "{faults:?}");
    validator.unwrap()
}

/// What the platform makes of `config`, and its faults.
pub(super) fn parsed(
    platform: &Platform,
    config: &Json,
) -> (Option<Box<dyn Validator>>, Vec<String>) {
    let value = Value::from_json(config, &"case".into());
    let faults = Faults::default();
    let validator = (platform.parse)(Reader::new(&value, "config", &faults).unwrap());
    let faults = faults.into_parts().0.iter().map(ToString::to_string).collect();
    (validator, faults)
}

/// The cases of a platform folder.
pub(super) fn cases(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platforms").join(folder).join("testcases")
}

/// A report as `expected.json` holds it.
pub(super) fn shown(report: &Report, requests: &[String]) -> Json {
    let mut findings = serde_json::Map::new();
    for TestResult { test, outcome } in &report.tests {
        if let Some(Finding { class, remediation, evidence, .. }) = outcome.finding() {
            let finding =
                json!({ "class": class, "remediation": remediation, "evidence": evidence });
            findings.insert(test.name.to_owned(), finding);
        }
    }
    json!({
        "class": report.class(),
        "validationResults": ValidationResults::from(report),
        "findings": findings,
        "requests": requests,
    })
}

/// Replays every case of `subject`.
pub(super) async fn replay(subject: Subject) {
    let entries = std::fs::read_dir(cases(subject.folder)).unwrap();
    let found: Vec<_> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    assert!(subject.cases_min <= found.len(), "only {} cases", found.len());
    let running: Vec<_> =
        found.into_iter().map(|case| tokio::spawn(replay_one(subject, case))).collect();
    let mut wrong = Vec::new();
    for case in running {
        wrong.extend(case.await.unwrap().err());
    }
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

async fn replay_one(subject: Subject, case: PathBuf) -> Result<(), String> {
    let name = case.file_name().unwrap().to_str().unwrap().to_owned();
    let read = |name: &str| -> Json {
        let text = std::fs::read_to_string(case.join(name)).unwrap_or_else(|_| "null".to_owned());
        serde_json::from_str(&text).unwrap()
    };
    let given = read("integration.json");
    let server = Server::start(&subject, &case, given["tls"].as_str()).await;
    let dir = tempfile::tempdir().unwrap();
    let config = config(&given, &server, dir.path());
    let validator = (subject.validator)(&config);
    let preflight = given["mode"] == "preflight";
    let mut run = context(if preflight { Mode::Preflight } else { Mode::Recurring });
    if let Some(limit) = given["testLimit"].as_str() {
        let limit: jiff::SignedDuration = limit.parse().unwrap();
        run.test_limit = limit.unsigned_abs();
    }
    let report = validator.validate(&run).await;
    let seen = server.seen();
    for request in &seen {
        assert!((subject.operation)(request).is_some(), "{name}: not on the list: {request:?}");
        (subject.check)(request);
    }
    let requests: Vec<_> = seen.iter().map(subject.shown).collect();
    let found = shown(&report, &requests);
    let text = format!("{found:#}\n").replace(&server.address, "@server@");
    let port = server.address.rsplit_once(':').unwrap().1;
    let text = text.replace(&format!("localhost:{port}"), "@host@:@port@");
    let text = text.replace(&format!("127.0.0.1:{port}"), "@host@:@port@");
    let text = text.replace(dir.path().to_str().unwrap(), "@dir@");
    let everything = format!("{text} {validator:?}");
    for secret in subject.secrets {
        assert!(!everything.contains(secret), "{name} shows {secret}");
    }
    let found: Json = serde_json::from_str(&text).unwrap();
    if found == read("expected.json") {
        return Ok(());
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/testcases");
    let target = target.join(subject.folder);
    std::fs::create_dir_all(&target).unwrap();
    std::fs::write(target.join(format!("{name}.json")), &text).unwrap();
    Err(format!("{name}: found\n{text}"))
}

/// The configuration of a case with its slots filled, its files written to `dir`.
pub(super) fn config(given: &Json, server: &Server, dir: &Path) -> Json {
    let (_, authority) = server.address.split_once("://").unwrap();
    let (host, port) = authority.rsplit_once(':').unwrap();
    let ca = dir.join("ca.pem");
    std::fs::write(&ca, server.ca_pem.as_deref().unwrap_or_default()).unwrap();
    let filled = |text: &str| {
        text.replace("@server@", &server.address)
            .replace("@host@", host)
            .replace("\"@port@\"", port)
            .replace("@port@", port)
            .replace("@ca@", ca.to_str().unwrap())
            .replace("@dir@", dir.to_str().unwrap())
    };
    for (name, content) in given["files"].as_object().into_iter().flatten() {
        std::fs::write(dir.join(name), filled(content.as_str().unwrap())).unwrap();
    }
    serde_json::from_str(&filled(&given["config"].to_string())).unwrap()
}

/// A server that nobody here wrote, started by `tests/servers/<name>.sh` and stopped when dropped.
pub(super) struct StandIn {
    name: &'static str,
    dir: PathBuf,
    /// What the script printed: `key=value` lines.
    values: HashMap<String, String>,
}

impl StandIn {
    /// Starts it in a folder of its own and waits until it answers.
    pub(super) fn start(name: &'static str) -> Self {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let dir = format!("target/servers/{name}-{}-{number}", std::process::id());
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
        let mut started = Self { name, dir, values: HashMap::new() };
        let output = started.script("start");
        let text = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} cannot be started: {complaint}");
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        started.values = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        started
    }

    /// The value that the script printed for `key`.
    pub(super) fn value(&self, key: &str) -> &str {
        &self.values[key]
    }

    fn script(&self, verb: &str) -> std::process::Output {
        let script = format!("tests/servers/{}.sh", self.name);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
        std::process::Command::new(script).arg(verb).arg(&self.dir).output().unwrap()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.script("stop");
        let _gone = std::fs::remove_dir_all(&self.dir);
    }
}

/// Feeds `parse` with broken variants of `seeds`: cut, spliced, repeated, with bytes and numbers
/// changed. It must not panic; what it returns does not matter. `REVALIDATED_FUZZ_SECONDS` says for
/// how long, and otherwise it is a fixed number of rounds.
pub(super) fn fuzz(seeds: &[Vec<u8>], parse: impl Fn(&[u8])) {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    assert!(!seeds.is_empty(), "nothing to start from");
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let seconds = std::env::var("REVALIDATED_FUZZ_SECONDS").ok();
    let seconds = seconds.map(|text| text.parse().expect("a number of seconds"));
    let end = seconds.map(|seconds| tokio::time::Instant::now() + Duration::from_secs(seconds));
    let mut runner =
        if end.is_some() { TestRunner::default() } else { TestRunner::deterministic() };
    let change = (0_u8..7, proptest::num::u64::ANY, proptest::num::u64::ANY);
    let plan = proptest::collection::vec(change, 1..8);
    let plan = (proptest::num::usize::ANY, plan);
    let mut rounds = 0_u64;
    while end.map_or(rounds < 2_000, |end| tokio::time::Instant::now() < end) {
        let (seed, changes) = plan.new_tree(&mut runner).unwrap().current();
        let mut bytes = seeds[seed % seeds.len()].clone();
        for (kind, at, what) in changes {
            mutate(
                &mut bytes,
                kind,
                (at, what),
                &seeds[usize::try_from(at).unwrap() % seeds.len()],
            );
        }
        bytes.truncate(1 << 20);
        parse(&bytes);
        rounds += 1;
    }
}

fn mutate(bytes: &mut Vec<u8>, kind: u8, (at, what): (u64, u64), other: &[u8]) {
    const WORDS: [&str; 12] = [
        "null",
        "true",
        "-1",
        "1e309",
        "18446744073709551616",
        "[]",
        "{}",
        "\"\"",
        "\\ud800",
        "\u{0}",
        "[[[[[[[[[[[[[[[[",
        "\"a\":",
    ];
    let pick = |number: u64, below: usize| usize::try_from(number).unwrap() % below.max(1);
    let spot = pick(at, bytes.len() + 1);
    match kind {
        0 => bytes.truncate(spot),
        1 => {
            if let Some(byte) = bytes.get_mut(spot) {
                *byte = what.to_le_bytes()[0];
            }
        }
        2 => {
            let word = WORDS[pick(what, WORDS.len())];
            bytes.splice(spot..spot, word.bytes());
        }
        3 => {
            let end = (spot + pick(what, 64)).min(bytes.len());
            bytes.drain(spot..end);
        }
        4 => {
            let end = (spot + pick(what, 256)).min(bytes.len());
            let piece = bytes[spot..end].to_vec();
            bytes.splice(spot..spot, piece.repeat(3));
        }
        5 => {
            let from = pick(what, other.len() + 1);
            bytes.splice(spot.., other[from..].iter().copied());
        }
        _ => {
            // Replaces the JSON value that begins here, if one does.
            let end = bytes[spot..].iter().position(|byte| b",}]".contains(byte));
            let end = spot + end.unwrap_or(0);
            let word = WORDS[pick(what, WORDS.len())];
            bytes.splice(spot..end, word.bytes());
        }
    }
}

/// The bodies of every recorded answer of `folder`, to start a [`fuzz`] from.
pub(super) fn recorded_bodies(folder: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for case in std::fs::read_dir(cases(folder)).unwrap() {
        let case = case.unwrap().path();
        for file in case.read_dir().into_iter().flatten() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "http") {
                let text = std::fs::read_to_string(&path).unwrap();
                let body = text.split_once("\n\n").map_or("", |(_, body)| body);
                found.push(body.as_bytes().to_vec());
            }
        }
    }
    found
}
