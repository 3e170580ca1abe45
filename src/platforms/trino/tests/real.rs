//! The platform against a real Trino, where a JDK that runs it is found (`tests/servers/trino.sh`).
//!
//! It takes minutes, so it is a step of its own: `tests/run.sh trino`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value as Json, json};
use tokio::net::{TcpListener, TcpStream};

use super::super::catalog::{ACCESS, CATALOGS, ENFORCEMENT};
use super::super::*;
use super::result;
use crate::domain::{Report, ReportStatus};
use crate::platforms::testing::{context, validator};
use crate::platforms::{Form, Mode, Need, State, documents, judged, needs};

/// Table that the rules deny to the probe user.
const TABLE: &str = "tpch.tiny.nation";

fn script(arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/trino.sh");
    Command::new(script).args(arguments).output().unwrap()
}

/// Server in a folder of its own, stopped when dropped.
struct Real {
    dir: PathBuf,
    values: HashMap<String, String>,
}

impl Real {
    fn at(name: &str) -> Self {
        let dir = format!("target/servers/trino-{name}-{}", std::process::id());
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
        std::fs::create_dir_all(&dir).unwrap();
        Self { dir, values: HashMap::new() }
    }

    fn start(mut self, options: &[&str]) -> Self {
        let dir = self.dir.to_str().unwrap().to_owned();
        let arguments: Vec<_> =
            ["start", &dir, "--wait", "300"].into_iter().chain(options.iter().copied()).collect();
        let output = script(&arguments);
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "Trino cannot be started: {printed}");
        let text = String::from_utf8(output.stdout).unwrap();
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        self.values = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        self
    }

    fn stop(&self) {
        assert!(script(&["stop", self.dir.to_str().unwrap()]).status.success());
    }

    fn port(&self, key: &str) -> u16 {
        self.values[key].parse().unwrap()
    }

    fn token(&self, options: &[&str]) -> String {
        let arguments = ["token", self.dir.to_str().unwrap(), "immuta"];
        let output = script(&[&arguments, options].concat());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Replaces the rules of the access control, which are read anew within a second or two.
    fn rules(&self, change: impl FnOnce(&mut Json)) {
        let path = self.dir.join("etc/rules.json");
        let mut rules: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut rules);
        std::fs::write(path.with_extension("new"), rules.to_string()).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
        std::thread::sleep(Duration::from_secs(4));
    }

    /// An integration of the account `immuta` with its password.
    fn config(&self) -> Json {
        json!({
            "host": "localhost", "port": self.port("https"), "tls": { "caFile": self.values["ca"] },
            "authenticationType": "userPassword", "username": "immuta", "password": "immuta-secret",
            "catalogs": ["tpch", "Memory"],
            "accessControlProbe": { "table": TABLE, "username": "probe" },
        })
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        script(&["stop", self.dir.to_str().unwrap()]);
        let _gone = std::fs::remove_dir_all(&self.dir);
    }
}

async fn validated(config: &Json) -> Report {
    validator(&PLATFORM, config).validate(&context(Mode::Recurring)).await.report
}

fn with(mut config: Json, changes: &Json) -> Json {
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    config
}

async fn check_healthy(server: &Real) {
    let own = |kind: &str| json!({ "file": server.values[kind] });
    let certificate = json!({
        "caFile": server.values["ca"], "certificate": own("client_certificate"),
        "key": own("client_key"),
    });
    let impersonating = json!({ "table": TABLE, "username": "probe" });
    let with_password = json!({ "table": TABLE, "username": "probe", "password": "probe-secret" });
    let none = Json::Null;
    let ways = [
        json!({ "expectedUser": "immuta", "clientTags": ["governance"] }),
        json!({ "accessControlProbe": with_password }),
        json!({ "authenticationType": "jwt", "token": server.token(&[]), "username": none, "password": none }),
        json!({ "authenticationType": "certificate", "tls": certificate, "username": none,
            "password": none, "accessControlProbe": impersonating }),
        json!({ "username": "umlaut", "password": "pässwörd:ü", "accessControlProbe": with_password }),
    ];
    for changes in ways {
        let report = validated(&with(server.config(), &changes)).await;
        assert_eq!(report.status(), ReportStatus::Passed, "{changes}: {report:?}");
    }
}

async fn check_refusals(server: &Real) {
    use Class::{Denied, Expired, Missing};
    let none = Json::Null;
    let jwt = |options: &[&str]| json!({ "authenticationType": "jwt", "token": server.token(options), "username": none, "password": none });
    let as_probe = json!({ "username": "probe", "password": "probe-secret",
        "accessControlProbe": { "table": TABLE } });
    let as_admin = json!({ "accessControlProbe": { "table": TABLE, "username": "admin" } });
    let other = rcgen::generate_simple_self_signed(["immuta".to_owned()]).unwrap();
    let unknown = json!({ "authenticationType": "certificate", "username": none, "password": none,
        "tls": { "caFile": server.values["ca"], "certificate": other.cert.pem(),
            "key": other.signing_key.serialize_pem() } });
    let missing = json!({ "accessControlProbe": { "table": "tpch.tiny.nope" } });
    let table = [
        (json!({ "password": "wrong-hunter2" }), AUTHENTICATION, Denied, "`password`"),
        (jwt(&["--expires-in", "-60"]), AUTHENTICATION, Expired, "the token has ended"),
        (jwt(&["--audience", "other"]), AUTHENTICATION, Denied, "required-audience"),
        (jwt(&["--issuer", "https://other"]), AUTHENTICATION, Denied, "required-issuer"),
        (unknown, AUTHENTICATION, Denied, "truststore"),
        (json!({ "role": "nope" }), QUERY, Denied, "GRANT \"nope\""),
        (json!({ "catalogs": ["tpch", "pond"] }), CATALOGS, Missing, "correct `catalogs`"),
        (as_probe, ACCESS, Denied, "\"table\":\"nation\""),
        (missing, ACCESS, Missing, "Correct the name"),
        (as_admin, ENFORCEMENT, Denied, "\"new_user\":\"admin\""),
    ];
    for (changes, test, class, remedy) in table {
        let report = validated(&with(server.config(), &changes)).await;
        let failed = report.tests.iter().find(|one| one.outcome.status() == ReportStatus::Failed);
        let failed = failed.unwrap_or_else(|| panic!("{changes}: {report:?}"));
        let finding = failed.outcome.finding().unwrap();
        assert_eq!((failed.test, finding.class), (test, class), "{changes}: {finding:?}");
        let fix = finding.remediation.as_deref().unwrap_or_default();
        assert!(fix.contains(remedy), "{changes}: {finding:?}");
        let shown = format!("{report:?}");
        for bad in ["hunter2", ".java:", "\\tat "] {
            assert!(!shown.contains(bad), "{changes}: {shown}");
        }
    }
}

async fn check_rules(server: &Real) {
    let mut before = Json::Null;
    server.rules(|rules| before = rules.clone());
    server.rules(|rules| rules["queries"] = json!([{ "user": "admin", "allow": ["execute"] }]));
    let report = validated(&server.config()).await;
    let (status, message) = result(&report, QUERY);
    assert_eq!(status, ReportStatus::Failed, "{report:?}");
    assert!(message.contains("Cannot execute query"), "{message}");
    assert_eq!(result(&report, AUTHENTICATION).0, ReportStatus::Passed, "the log-in was accepted");
    server.rules(|rules| {
        rules["queries"] = json!([{ "user": ".*", "allow": ["execute"] }]);
        let filter = json!({ "user": "probe", "catalog": "tpch", "schema": "tiny", "table": "nation",
            "privileges": ["SELECT"], "filter": "1 = 0" });
        rules["tables"].as_array_mut().unwrap().insert(0, filter);
    });
    let report = validated(&server.config()).await;
    let (status, message) = result(&report, ENFORCEMENT);
    assert_eq!(status, ReportStatus::Failed, "{report:?}");
    assert!(message.contains("row filter or column mask"), "{message}");
    server.rules(|rules| *rules = before);
}

/// Exactly the rules that `grants` prints let the validation of an account pass that may do nothing else, and each of
/// them that is taken away is named as missing.
async fn check_grants(server: &Real) {
    let mut before = Json::Null;
    server.rules(|rules| before = rules.clone());
    let config = with(server.config(), &json!({ "catalogs": ["Memory"] }));
    let names = validator(&PLATFORM, &config).names();
    let all: Vec<_> = needs(GRANTS, &names);
    let all: Vec<_> = all.into_iter().filter(|need| need.grant.form == Form::Rules).collect();
    assert_eq!(all.len(), 7, "{all:?}");
    let apply = |needs: &[Need]| {
        let document = documents(needs, &names).pop().unwrap();
        server.rules(|rules| *rules = serde_json::from_str(&document.text).unwrap());
    };
    apply(&all);
    let report = validated(&config).await;
    assert_eq!(report.status(), ReportStatus::Passed, "{report:?}");
    let states = judged(&all, &report);
    assert!(states.iter().all(|(state, _)| *state == State::Present), "{states:?}");
    for place in 0..all.len() {
        let mut fewer = all.clone();
        let revoked = fewer.remove(place);
        apply(&fewer);
        let report = validated(&config).await;
        let states = judged(&all, &report);
        let missing = all.iter().zip(&states).filter(|(_, (state, _))| *state == State::Missing);
        let missing: Vec<_> = missing.map(|(need, _)| need.text.as_str()).collect();
        assert_eq!(missing, [revoked.text.as_str()], "{report:?}");
    }
    server.rules(|rules| *rules = before);
}

/// Rights of an account beyond its needs are seen whatever decides about them, and nothing is changed by looking.
async fn check_surplus(server: &Real) {
    let mut before = Json::Null;
    server.rules(|rules| before = rules.clone());
    let surplus = async || {
        let validator = validator(&PLATFORM, &server.config());
        let found = validator.surplus(&context(Mode::Recurring), &Observed::default()).await;
        assert_eq!(found.unseen.len(), 1, "{:?}", found.unseen);
        found.found.into_iter().map(|one| one.what).collect::<Vec<_>>()
    };
    // The runs before were those of the probe user too.
    let view = "queries of other users, which it may view";
    assert_eq!(surplus().await, [view]);
    server.rules(|rules| {
        let own = json!({ "user": "immuta", "catalog": "tpch", "schema": "tiny", "table": "nation",
            "privileges": ["SELECT", "INSERT"] });
        rules["tables"].as_array_mut().unwrap().insert(0, own);
        // A catalog that may only be read refuses it, whatever a table's rule says.
        let catalog = json!({ "user": "immuta", "catalog": "tpch", "allow": "all" });
        rules["catalogs"].as_array_mut().unwrap().insert(0, catalog);
        rules["queries"] = json!([{ "user": ".*", "allow": ["execute"] }]);
    });
    let insert = format!("INSERT on {TABLE}: the cluster's access control permits it");
    assert_eq!(surplus().await, [insert]);
    server.rules(|rules| *rules = before);
}

/// Passes connections on to one of several servers, and breaks all of them when it changes.
async fn switch(target: Arc<AtomicU16>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let target = Arc::clone(&target);
            tokio::spawn(async move {
                let now = target.load(Ordering::Relaxed);
                let Ok(mut server) = TcpStream::connect(("127.0.0.1", now)).await else { return };
                let changed = async {
                    while target.load(Ordering::Relaxed) == now {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                };
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => (),
                    () = changed => (),
                }
            });
        }
    });
    port
}

/// A standby takes over again and again while queries run: what was asked of the other one is forgotten.
async fn check_standby(first: &Real, second: &Real) {
    let ports = [first.port("https"), second.port("https")];
    let target = Arc::new(AtomicU16::new(ports[0]));
    let port = switch(Arc::clone(&target)).await;
    let config = with(first.config(), &json!({ "port": port, "connectTimeout": "2s" }));
    let turns = Arc::clone(&target);
    let turning = tokio::spawn(async move {
        for number in 0.. {
            tokio::time::sleep(Duration::from_millis(70 + 30 * (number % 7))).await;
            turns.store(ports[usize::from(number % 2 == 0)], Ordering::Relaxed);
        }
    });
    let forgotten = |server: &Real| {
        let log = std::fs::read_to_string(server.dir.join("requests.log")).unwrap_or_default();
        log.lines()
            .filter(|line| line.contains("/v1/statement/") && line.contains("\t404\t"))
            .count()
    };
    for round in 0..60 {
        let report = validated(&config).await;
        let class = report.class();
        assert!(class.is_none_or(|class| !class.is_definitive()), "round {round}: {report:?}");
        if 3 < forgotten(first) + forgotten(second) {
            break;
        }
    }
    turning.abort();
    assert!(0 < forgotten(first) + forgotten(second), "no query was forgotten");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let report = validated(&config).await;
    assert_eq!(report.class(), None, "{report:?}");
}

/// The coordinator ends and starts again: every run meanwhile fails for a reason that may pass.
async fn check_restart(server: Real) {
    let config = server.config();
    server.stop();
    let report = validated(&config).await;
    assert_eq!(report.class(), Some(Class::Unreachable), "{report:?}");
    let starting = tokio::task::spawn_blocking(move || server.start(&[]));
    while !starting.is_finished() {
        let class = validated(&config).await.class();
        assert!(class.is_none_or(|class| !class.is_definitive()), "{class:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let server = starting.await.unwrap();
    assert_eq!(validated(&config).await.class(), None);
    drop(server);
}

async fn check_no_workers() {
    let server =
        Real::at("no-workers").start(&["--set", "node-scheduler.include-coordinator=false"]);
    let config = json!({
        "host": "localhost", "port": server.port("http"), "tls": false,
        "authenticationType": "none", "username": "immuta",
    });
    let mut run = context(Mode::Recurring);
    run.test_limit = Duration::from_secs(8);
    let report = validator(&PLATFORM, &config).validate(&run).await.report;
    assert_eq!(result(&report, AUTHENTICATION).0, ReportStatus::Passed, "{report:?}");
    let (status, message) = result(&report, QUERY);
    assert_eq!((status, report.class()), (ReportStatus::Failed, Some(Class::Unavailable)));
    assert!(message.contains("waits: it is QUEUED"), "{message}");
    // It writes its log at the latest when it ends.
    server.stop();
    let log = std::fs::read_to_string(server.dir.join("requests.log")).unwrap();
    assert!(log.contains("DELETE"), "the query is cancelled at the server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes, and needs a JDK 24 or newer: tests/run.sh trino"]
#[expect(clippy::print_stdout, reason = "for the step of the check that shows it")]
async fn real_server_is_found_healthy_and_broken() {
    let found = script(&["find"]);
    if !found.status.success() {
        let why = String::from_utf8_lossy(&found.stderr);
        println!("left out: {}", why.trim());
        return;
    }
    let auth = ["--auth", "password,jwt,certificate"];
    let server = Real::at("first").start(&auth);
    check_healthy(&server).await;
    check_refusals(&server).await;
    let standby = Real::at("standby");
    let keys =
        ["ca.pem", "ca.key", "client.pem", "client.key", "keystore.pem", "jwt.key", "jwt.pub"];
    for name in keys {
        std::fs::copy(server.dir.join(name), standby.dir.join(name)).unwrap();
    }
    let standby = standby.start(&auth);
    check_standby(&server, &standby).await;
    drop(standby);
    check_rules(&server).await;
    check_grants(&server).await;
    check_surplus(&server).await;
    check_restart(server).await;
    check_no_workers().await;
    println!("a real Trino was validated");
}
