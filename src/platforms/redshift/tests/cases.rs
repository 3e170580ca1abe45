//! The cases in `testcases/`: each is one run against a real `PostgreSQL`, or against a server that
//! behaves as none should, and against recorded answers of AWS.
//!
//! A case is a folder as `platforms/testing.rs` has it (`@server@` is where AWS's answers come from),
//! and besides `integration.json` says which `database` server there is; `@database-port@` and
//! `@database-ca@` are its port and its authority.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::Server;
use crate::net::observe::observed;
use crate::net::record::recorded;
use crate::platforms::record::namer;
use crate::platforms::redshift::PLATFORM;
use crate::platforms::testing::{
    self, Leaks, Run, Seen, Subject, cases, config, context, credentials, names, replay_session,
    shown, validator,
};
use crate::platforms::{Mode, RunContext, Validated, find};

/// Fragments that no report, fact, request line or debug text may contain.
const SECRETS: [&str; 4] = ["pw-", "wJalrXUtnFEMI", "FwoGZXIvYXdz", "AQoDYXdzEPT"];

/// Number of cases that run at the same time; more would run into each other's time limits.
const TURNS: usize = 8;

/// Expectations of requests to AWS.
pub(super) const SUBJECT: Subject = Subject {
    folder: "redshift",
    validator: |config| validator(&PLATFORM, config),
    operation: |seen| asked_for(seen).map(str::to_owned),
    check: check_request,
    shown: Seen::with_body,
    secrets: &SECRETS,
    cases_min: 35,
};

/// Which documented operation a request asks for; none for all others.
pub(super) fn asked_for(seen: &Seen) -> Option<&'static str> {
    let query = seen.line.strip_prefix("GET /?")?;
    let creates = query.contains("AutoCreate=true") || query.contains("DbGroups");
    if query.starts_with("Action=GetClusterCredentials&") && !creates {
        return query.contains("&AutoCreate=false&").then_some("credentials");
    }
    query.starts_with("Action=AssumeRole&").then_some("role")
}

fn check_request(seen: &Seen) {
    let service = if asked_for(seen) == Some("role") { "sts" } else { "redshift" };
    let signature = seen.header("authorization").expect("a signature");
    let scope = format!("/eu-central-1/{service}/aws4_request");
    assert!(signature.contains(&scope), "{signature}");
    for name in ["host", "x-amz-content-sha256", "x-amz-date"] {
        assert!(signature.contains(name), "{name} is not signed: {signature}");
    }
    assert_eq!(seen.body, "");
}

/// Server at the database's port.
enum Database {
    Real(Arc<Server>),
    Scripted { port: u16, ca: PathBuf },
}

impl Database {
    async fn start(kind: &str, dir: &Path) -> Self {
        match kind {
            "postgres" => {
                return Self::Real(spawn_blocking(Server::shared).await.unwrap());
            }
            "postgres-without-tls" => {
                let server = spawn_blocking(|| Arc::new(Server::start(&["--no-tls"])));
                return Self::Real(server.await.unwrap());
            }
            _ => {}
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let ca = dir.join("database-ca.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        std::fs::write(&ca, authority.pem()).unwrap();
        let script: fn(TcpStream) -> _ = match kind {
            "closed" => return Self::Scripted { port, ca },
            "silent" => |stream| tokio::spawn(silent(stream)),
            "hang-up" => |stream| tokio::spawn(says(stream, b"")),
            "web-server" => {
                |stream| tokio::spawn(says(stream, b"HTTP/1.1 400 Bad Request\r\n\r\n"))
            }
            "no-tls-after-all" => |stream| tokio::spawn(says(stream, b"SE\0\0\0\x08FATAL\0\0\0")),
            other => panic!("no database server is called {other}"),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                script(stream);
            }
        });
        Self::Scripted { port, ca }
    }

    fn port_and_ca(&self) -> (u16, &Path) {
        match self {
            Self::Real(server) => (server.port, &server.ca),
            Self::Scripted { port, ca } => (*port, ca),
        }
    }
}

async fn silent(stream: TcpStream) {
    let _open = stream;
    std::future::pending::<()>().await;
}

/// Answers the client's first packet.
async fn says(mut stream: TcpStream, answer: &'static [u8]) {
    let mut request = [0; 8];
    let _read = stream.read_exact(&mut request).await;
    let _sent = stream.write_all(answer).await;
    let _closed = stream.shutdown().await;
}

/// Returns the folders of all cases.
fn folders() -> Vec<PathBuf> {
    let found = std::fs::read_dir(cases("redshift")).unwrap();
    let found: Vec<_> = found.map(|entry| entry.unwrap().path()).collect();
    assert!(SUBJECT.cases_min <= found.len(), "only {} cases", found.len());
    found
}

/// Runs `work` on every case, a few at a time.
async fn each<F>(work: fn(PathBuf) -> F)
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let turns = Arc::new(Semaphore::new(TURNS));
    let run = |case| {
        let turns = Arc::clone(&turns);
        tokio::spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            work(case).await
        })
    };
    let running: Vec<_> = folders().into_iter().map(run).collect();
    let mut wrong = Vec::new();
    for case in running {
        wrong.extend(case.await.unwrap().err());
    }
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_case_is_reported_as_expected() {
    each(replay).await;
}

#[tokio::test]
async fn every_case_is_recorded_without_names_and_replayed_with_equal_verdicts() {
    each(record_again).await;
}

/// Servers of a case, and the run that it describes.
struct Started {
    name: String,
    dir: tempfile::TempDir,
    database: Database,
    server: testing::Server,
    config: Json,
    run: RunContext,
    is_timed: bool,
}

impl Started {
    async fn of(case: &Path) -> Self {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let dir = tempfile::tempdir().unwrap();
        let text = std::fs::read_to_string(case.join("integration.json")).unwrap();
        let given: Json = serde_json::from_str(&text).unwrap();
        let database = Database::start(given["database"].as_str().unwrap(), dir.path()).await;
        let (port, ca) = database.port_and_ca();
        let given = given.to_string().replace("\"@database-port@\"", &port.to_string());
        let given = given.replace("@database-ca@", ca.to_str().unwrap());
        let given: Json = serde_json::from_str(&given).unwrap();
        let server = testing::Server::start(&SUBJECT, case, given["tls"].as_str()).await;
        let config = config(&given, &server, dir.path());
        let preflight = given["mode"] == "preflight";
        let mut run = context(if preflight { Mode::Preflight } else { Mode::Recurring });
        let seconds = given["testSeconds"].as_u64();
        if let Some(seconds) = seconds {
            run.test_limit = Duration::from_secs(seconds);
        }
        Self { name, dir, database, server, config, run, is_timed: seconds.is_some() }
    }
}

/// Records a case as `--record` does.
async fn record_again(case: PathBuf) -> Result<(), String> {
    if replay_session(SUBJECT, &case).await.is_some() {
        return Ok(());
    }
    let Started { name, dir, database: _database, server, config, mut run, is_timed } =
        Started::of(&case).await;
    "integration-of-the-case".clone_into(&mut run.name);
    let platform = find(PLATFORM.kind).unwrap();
    let validator = (SUBJECT.validator)(&config);
    let (Validated { report, .. }, recording) =
        recorded(namer(platform), validator.validate(&run)).await;
    let sent = server.seen().iter().flat_map(credentials).collect();
    let leaks = Leaks { secrets: &SECRETS, sent, names: names(&config), is_timed };
    let run = Run { platform, config, context: run, report, recording };
    leaks.checked(&name, run, dir.path()).await
}

async fn replay(case: PathBuf) -> Result<(), String> {
    if let Some(replayed) = replay_session(SUBJECT, &case).await {
        return replayed;
    }
    let Started { name, dir, database, server, config, run, is_timed: _ } =
        Started::of(&case).await;
    let (port, _) = database.port_and_ca();
    let validator = (SUBJECT.validator)(&config);
    let (Validated { report, observed }, by_net) = observed(validator.validate(&run)).await;
    let seen = server.seen();
    for request in &seen {
        assert!(asked_for(request).is_some(), "{name}: not on the list: {request:?}");
        check_request(request);
    }
    let requests: Vec<_> = seen.iter().map(SUBJECT.shown).collect();
    let text = format!("{:#}\n", shown(&report, &requests));
    let text = text.replace(&server.address, "@server@");
    let text = text.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:@database-port@");
    let text = text.replace(dir.path().to_str().unwrap(), "@dir@");
    let everything = format!("{text} {validator:?} {observed:?} {by_net:?}");
    for secret in SECRETS {
        assert!(!everything.contains(secret), "{name} shows {secret}");
    }
    let expected = std::fs::read_to_string(case.join("expected.json")).unwrap_or_default();
    if text == expected {
        return Ok(());
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/testcases/redshift");
    std::fs::create_dir_all(&target).unwrap();
    std::fs::write(target.join(format!("{name}.json")), &text).unwrap();
    Err(format!("{name}: found\n{text}"))
}
