//! The platform against Microsoft's mock SQL server: one scenario per case in `testcases/`.
//!
//! A case is a folder: `scenario.json` says what the server does and cites its document (see
//! `tests/servers/tds/src/scenario.rs`); `integration.json` has `config`, which is laid over that of
//! [`config_of`], and perhaps `mode`, `testLimit` and `logs`, the scenarios that are talked to; an
//! Entra token endpoint answers from `token.http`; `expected.json` is the report and everything that
//! the servers were sent. A folder without `integration.json` is only where another leads.

mod beyond;
mod configuration;
mod connection;
mod transient;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::domain::ReportStatus;
use crate::net::observe::observed;
use crate::net::record::recorded;
use crate::platforms::find;
use crate::platforms::record::namer;
use crate::platforms::testing::{
    Leaks, Run, Seen, Server, StandIn, Subject, cases, context, credentials, facts_of, names,
    parsed, replay_session, sample_config, shown, validator,
};

/// Fragments that no report, fact, request line or debug text may contain.
const SECRETS: [&str; 4] = ["hunter2", "app-token", "opaque-token", "c2ln"];

/// The token endpoint of Microsoft Entra ID.
const ENTRA: Subject = Subject {
    folder: "synapse",
    validator: |config| validator(&PLATFORM, config),
    operation: |seen| {
        let is_token = seen.line == "POST /tenant%2F..%2Fx/oauth2/v2.0/token";
        is_token.then(|| "token".to_owned())
    },
    check: |seen| {
        assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(seen.header("authorization"), None);
    },
    shown: |seen| seen.with_body().replace("hunter2", "[SECRET]"),
    secrets: &SECRETS,
    cases_min: 60,
};

/// A healthy configuration for the scenario that listens on `port`, with `changes`; null removes.
fn config_of(port: &str, ca: &str, changes: &Json) -> Json {
    let port: u16 = port.parse().unwrap();
    let mut config = json!({
        "host": "localhost", "port": port, "database": "pool", "schema": "immuta",
        "username": "immuta", "password": "hunter2", "tls": { "caFile": ca },
    });
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    config
}

fn read(path: &Path) -> Json {
    let text = fs::read_to_string(path).unwrap_or_else(|_| "null".to_owned());
    serde_json::from_str(&text).unwrap()
}

/// Returns what the scenario `name` of `server` received. Anything but log-ins under the program's
/// name and the listed statements is a failure.
fn sent(server: &StandIn, name: &str, role: &str) -> Vec<String> {
    let path = Path::new(server.value("ca")).with_file_name(format!("{name}.jsonl"));
    let listed = [
        Statement::Ping,
        Statement::Control,
        Statement::ControlByName,
        Statement::Owner,
        Statement::Role(role),
        Statement::User,
        Statement::Roles,
        Statement::Permissions,
    ]
    .map(Statement::sql);
    let mut lines = Vec::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        if let Some(login) = line.get("login") {
            assert_eq!(login["application"], "revalidated", "{name}");
            let who =
                if login["token"] == true { "a token" } else { login["user"].as_str().unwrap() };
            let (server, database) = (&login["server"], &login["database"]);
            lines.push(format!("log in as {who} to {server}, database {database}"));
        } else if let Some(batch) = line["batch"].as_str() {
            assert!(listed.iter().any(|sql| sql == batch), "{name}: not on the list: {batch}");
            lines.push(batch.to_owned());
        } else if line["packet"] == "Attention" {
            lines.push("attention".to_owned());
        } else {
            assert!(line["ended"].is_string(), "{name}: not on the list: {line}");
        }
    }
    lines
}

/// Servers of a case, and the run that it describes.
struct Started {
    name: String,
    given: Json,
    entra: Server,
    config: Json,
    run: RunContext,
}

impl Started {
    async fn of(server: &StandIn, case: &Path) -> Self {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let given = read(&case.join("integration.json"));
        let entra = Server::start(&ENTRA, case, None).await;
        let ca = server.value("ca");
        let changes = given["config"].to_string();
        let changes = changes.replace("@authority@", &entra.address).replace("@ca@", ca);
        let changes = serde_json::from_str(&changes).unwrap();
        let config = config_of(server.value(&name), ca, &changes);
        let preflight = given["mode"] == "preflight";
        let mut run = context(if preflight { Mode::Preflight } else { Mode::Recurring });
        if let Some(limit) = given["testLimit"].as_str() {
            let limit: jiff::SignedDuration = limit.parse().unwrap();
            run.test_limit = limit.unsigned_abs();
        }
        Self { name, given, entra, config, run }
    }
}

/// Records a case as `--record` does.
async fn record_again(server: &StandIn, case: &Path) -> Result<(), String> {
    if replay_session(ENTRA, case).await.is_some() {
        return Ok(());
    }
    let Started { name, given, entra, config, mut run } = Started::of(server, case).await;
    "integration-of-the-case".clone_into(&mut run.name);
    let platform = find(PLATFORM.kind).unwrap();
    let validator = validator(&PLATFORM, &config);
    let (Validated { report, .. }, recording) =
        recorded(namer(platform), validator.validate(&run)).await;
    let sent = entra.seen().iter().flat_map(credentials).collect();
    let is_timed = given["testLimit"].is_string();
    let leaks = Leaks { secrets: &SECRETS, sent, names: names(&config), is_timed };
    let folder = tempfile::tempdir().unwrap();
    let run = Run { platform, config, context: run, report, recording };
    leaks.checked(&name, run, folder.path()).await
}

async fn replay_one(server: &StandIn, case: &Path) -> Result<(), String> {
    if let Some(replayed) = replay_session(ENTRA, case).await {
        return replayed;
    }
    let Started { name, given, entra, config, run } = Started::of(server, case).await;
    let port = server.value(&name);
    let validator = validator(&PLATFORM, &config);
    let (Validated { report, observed }, by_net) = observed(validator.validate(&run)).await;
    let seen: Vec<Seen> = entra.seen();
    for request in &seen {
        assert!((ENTRA.operation)(request).is_some(), "{name}: not on the list: {request:?}");
        (ENTRA.check)(request);
    }
    let mut requests: Vec<_> = seen.iter().map(ENTRA.shown).collect();
    let own = [json!(&name)];
    for log in given["logs"].as_array().map_or(&own[..], Vec::as_slice) {
        requests.extend(sent(server, log.as_str().unwrap(), "IMMUTA_IMPERSONATION"));
    }
    let found = shown(&report, &requests);
    let text = format!("{found:#}\n").replace(&format!("localhost:{port}"), "@host@:@port@");
    let everything = format!("{text} {validator:?} {observed:?} {by_net:?}");
    for secret in SECRETS {
        assert!(!everything.contains(secret), "{name} shows {secret}");
    }
    let found: Json = serde_json::from_str(&text).unwrap();
    if found == read(&case.join("expected.json")) {
        return Ok(());
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/testcases/synapse");
    fs::create_dir_all(&target).unwrap();
    fs::write(target.join(format!("{name}.json")), &text).unwrap();
    Err(format!("{name}: found\n{text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_is_reported_as_expected() {
    each(|server, case| Box::pin(replay_one(server, case))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_is_recorded_without_names_and_replayed_with_equal_verdicts() {
    each(|server, case| Box::pin(record_again(server, case))).await;
}

/// Runs `work` on every case, a few at a time: the time limits of some are short.
async fn each(work: for<'a> fn(&'a StandIn, &'a Path) -> BoxFuture<'a, Result<(), String>>) {
    let server = Arc::new(StandIn::start("tds"));
    let found = fs::read_dir(cases("synapse")).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<_> = found.filter(|path| path.join("integration.json").exists()).collect();
    assert!(ENTRA.cases_min <= found.len(), "only {} cases", found.len());
    let turns = Arc::new(tokio::sync::Semaphore::new(8));
    let run = |case: PathBuf| {
        let (server, turns) = (Arc::clone(&server), Arc::clone(&turns));
        tokio::spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            work(&server, &case).await
        })
    };
    let running: Vec<_> = found.into_iter().map(run).collect();
    let mut wrong = Vec::new();
    for case in running {
        wrong.extend(case.await.unwrap().err());
    }
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_runs_see_equal_facts() {
    let server = StandIn::start("tds");
    let granted = ["grant [pool] CONTROL", "grant [pool] role IMMUTA_IMPERSONATION"];
    let ends = [&granted[..], &["token [] ends 2026-11-23T02:13:20Z"]].concat();
    for (name, expected) in [("all-well", &granted[..]), ("entra-token", &ends)] {
        let changes = &read(&cases("synapse").join(name).join("integration.json"))["config"];
        let config = config_of(server.value(name), server.value("ca"), changes);
        let validator = validator(&PLATFORM, &config);
        for _ in 0..2 {
            let run = context(Mode::Recurring);
            assert_eq!(facts_of(&*validator, &run).await, expected, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_refused_and_let_in_again_is_noticed_and_never_tried_twice() {
    let server = StandIn::start("tds");
    let (port, ca) = (server.value("all-well").to_owned(), server.value("ca").to_owned());
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    let changes = json!({ "password": { "file": password } });
    let validator = validator(&PLATFORM, &config_of(&port, &ca, &changes));
    let table = [
        ("hunter2\n", ReportStatus::Passed, None),
        ("other\n", ReportStatus::Failed, Some(Class::Denied)),
        ("hunter2\n", ReportStatus::Passed, None),
        ("\n", ReportStatus::Failed, Some(Class::Local)),
    ];
    for (secret, status, class) in table {
        fs::write(&password, secret).unwrap();
        let report = validator.validate(&context(Mode::Recurring)).await.report;
        assert_eq!((report.status(), report.class()), (status, class), "{report:?}");
    }
    let logins = sent(&server, "all-well", "IMMUTA_IMPERSONATION");
    assert_eq!(logins.iter().filter(|line| line.starts_with("log in")).count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_kept_and_replaced_once_when_it_is_refused_before_its_time() {
    let server = StandIn::start("tds");
    let case = cases("synapse").join("entra-application");
    let entra = Server::start(&ENTRA, &case, None).await;
    let changes = read(&case.join("integration.json"))["config"].to_string();
    let changes = changes.replace("@authority@", &entra.address);
    let changes: Json = serde_json::from_str(&changes).unwrap();
    let validator_at = |scenario: &str| {
        let config = config_of(server.value(scenario), server.value("ca"), &changes);
        validator(&PLATFORM, &config)
    };
    let good = validator_at("entra-application");
    for _ in 0..2 {
        let report = good.validate(&context(Mode::Recurring)).await.report;
        assert_eq!(report.status(), ReportStatus::Passed, "{report:?}");
    }
    assert_eq!(entra.seen().len(), 1, "the second run has the token of the first");
    // The same scenario refuses the second log-in, so that a kept token meets a refusal.
    let fickle = validator_at("entra-application-refused-once");
    let statuses = async || fickle.validate(&context(Mode::Recurring)).await.report.status();
    assert_eq!(statuses().await, ReportStatus::Passed);
    assert_eq!(entra.seen().len(), 2);
    assert_eq!(statuses().await, ReportStatus::Passed, "a new token is tried");
    assert_eq!(entra.seen().len(), 3);
    assert_eq!(statuses().await, ReportStatus::Failed, "and then no other");
    assert_eq!(entra.seen().len(), 4);
    let sent = sent(&server, "entra-application-refused-once", "IMMUTA_IMPERSONATION");
    assert_eq!(sent.iter().filter(|line| line.starts_with("log in")).count(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_roles_are_values_and_never_text() {
    let server = StandIn::start("tds");
    for role in ["x'; DROP ROLE [immuta]; --", "''", "o\u{2019}clock", "größe", "\\", "]"] {
        let changes = json!({ "impersonation": { "enabled": true, "role": role } });
        let config = config_of(server.value("all-well"), server.value("ca"), &changes);
        let report = validator(&PLATFORM, &config).validate(&context(Mode::Recurring)).await.report;
        let message = report.tests[4].outcome.message().unwrap();
        assert!(message.starts_with(&format!("The impersonation role [{role}] does")), "{message}");
    }
    let log = Path::new(server.value("ca")).with_file_name("all-well.jsonl");
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("name = N'x''; DROP ROLE [immuta]; --' AND type"), "{log}");
}
