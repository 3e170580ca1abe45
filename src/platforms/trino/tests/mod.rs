//! The platform against recorded answers in `testcases/`.

mod answers;
mod beyond;
mod real;
mod runs;
mod server;
mod transient;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::reply::{Info, NextUri, QueryResults};
use super::*;
use crate::domain::{Report, ReportStatus, Test};
use crate::platforms::Mode;
use crate::platforms::testing::{
    Recorded, Seen, Server, Subject, cases, context, echo_is_hidden, facts_of, facts_of_case, flat,
    fuzz, nested, page, parsed, recorded_again, recorded_bodies, replay, sample_config, token_of,
    validator,
};

/// Fragments that no report, fact, request line or debug text may contain.
const SECRETS: [&str; 3] =
    ["hunter2", "aW1tdXRhX3N5c3RlbV9hY2NvdW50Omh1bnRlcjItc3lzdGVt", "cHJvYmU6aHVudGVyMi1wcm9iZQ=="];

/// Whom a request is sent for: by its name, or by its credentials.
fn who(seen: &Seen) -> String {
    if let Some(user) = seen.header("x-trino-user") {
        return user.to_owned();
    }
    let Some(authorization) = seen.header("authorization") else { return "none".to_owned() };
    if let Some(token) = authorization.strip_prefix("Bearer ") {
        return if token.ends_with("probe") { "probe" } else { "bearer" }.to_owned();
    }
    let pair = STANDARD.decode(authorization.strip_prefix("Basic ").unwrap()).unwrap();
    String::from_utf8(pair).unwrap().split_once(':').unwrap().0.to_owned()
}

/// The list of what may be sent; none for everything else.
fn asked_for(seen: &Seen) -> Option<String> {
    let is_probe = who(seen) == "probe";
    let (method, target) = seen.line.split_once(' ')?;
    if let Some(rest) = target.strip_prefix("/v1/statement/") {
        let (_, query) = rest.split('/').nth(1)?.rsplit_once('_')?;
        let query = match query {
            "currentuser" => "current-user",
            "probeuser" => "probe-user",
            query => query,
        };
        return match method {
            "GET" if seen.body.is_empty() => Some(format!("next-{query}")),
            "DELETE" if seen.body.is_empty() => Some("cancel".to_owned()),
            _ => None,
        };
    }
    let probe = "EXPLAIN (TYPE VALIDATE) SELECT * FROM \"lake\".\"probe\".\"orders\"";
    let operation = match (seen.line.as_str(), seen.body.as_str(), is_probe) {
        ("POST /token", body, _) if body.starts_with("grant_type=client_credentials") => "token",
        ("GET /v1/info", "", false) => "info",
        ("POST /v1/statement", "SELECT current_user", false) => "current-user",
        ("POST /v1/statement", "SELECT current_user", true) => "probe-user",
        (
            "POST /v1/statement",
            "SELECT count(*) FROM system.runtime.nodes WHERE state = 'active'",
            false,
        ) => "nodes",
        ("POST /v1/statement", "SELECT 1", false) => "one",
        ("POST /v1/statement", "SHOW CATALOGS", false) => "catalogs",
        ("POST /v1/statement", body, false) if is_catalog(body) => "catalog",
        ("POST /v1/statement", body, false) if body == probe => "access",
        ("POST /v1/statement", body, true) if body == probe => "enforced",
        ("POST /v1/statement", body, false) => of_surplus(body)?,
        _ => return None,
    };
    Some(operation.to_owned())
}

/// Returns the operation of a statement that only `grants` sends.
fn of_surplus(body: &str) -> Option<&'static str> {
    let table = "\"lake\".\"probe\".\"orders\"";
    let insert = format!("EXPLAIN (TYPE VALIDATE) INSERT INTO {table} SELECT * FROM {table}");
    let privileges = "FROM \"lake\".information_schema.table_privileges WHERE table_schema = 'probe' \
        AND table_name = 'orders'";
    let queries = "SELECT count(*) FROM system.runtime.queries WHERE \"user\" <> current_user";
    match body {
        "SHOW ROLE GRANTS" => Some("roles"),
        "SHOW ROLE GRANTS FROM \"lake\"" | "SHOW ROLE GRANTS FROM \"warehouse\"" => {
            Some("catalog-roles")
        }
        body if body == insert => Some("insert"),
        body if body == format!("EXPLAIN (TYPE VALIDATE) DELETE FROM {table}") => Some("delete"),
        body if body == queries => Some("queries"),
        body if body.starts_with("SELECT json_format(") && body.ends_with(privileges) => {
            Some("privileges")
        }
        _ => None,
    }
}

/// True for the statement that tries one catalog.
fn is_catalog(body: &str) -> bool {
    let rest = body.strip_prefix("EXPLAIN (TYPE VALIDATE) SELECT * FROM \"");
    rest.is_some_and(|rest| rest.ends_with("\".information_schema.schemata"))
}

/// Checks every request of a case.
fn check_request(seen: &Seen) {
    if seen.line == "POST /token" {
        assert!(!seen.headers.keys().any(|name| name.starts_with("x-trino")), "{seen:?}");
        return;
    }
    assert_eq!(seen.header("x-trino-source"), Some("revalidated"), "{seen:?}");
    let is_public = seen.line == "GET /v1/info";
    let shows =
        seen.headers.contains_key("authorization") || seen.headers.contains_key("x-trino-user");
    assert_eq!(shows, !is_public, "{seen:?}");
    assert!(!seen.headers.keys().any(|name| name.contains("encoding")), "{seen:?}");
    assert!(seen.header("user-agent").is_some_and(|agent| agent.starts_with("revalidated/")));
    let of_system = ["x-trino-role"].into_iter().filter(|_| who(seen) != "probe");
    let shared = ["x-trino-source", "x-trino-user", "x-trino-client-tags", "x-trino-time-zone"];
    let allowed: Vec<_> = shared.into_iter().chain(of_system).collect();
    for name in seen.headers.keys().filter(|name| name.starts_with("x-")) {
        assert!(allowed.contains(&name.as_str()), "{name}");
    }
}

const SUBJECT: Subject = Subject {
    folder: "trino",
    validator: |config| validator(&PLATFORM, config),
    operation: asked_for,
    check: check_request,
    shown: |seen| {
        let is_token = seen.line == "POST /token";
        if is_token { seen.line.clone() } else { format!("{} as {}", seen.with_body(), who(seen)) }
    },
    secrets: &SECRETS,
    cases_min: 50,
};

#[tokio::test]
async fn recorded_answers_are_reported_as_expected() {
    replay(SUBJECT).await;
}

#[tokio::test]
async fn case_that_is_recorded_again_hides_its_names_and_has_the_same_verdicts() {
    recorded_again(SUBJECT, "Trino", Recorded::plain).await;
}

#[tokio::test]
async fn echoed_credentials_are_hidden() {
    echo_is_hidden(SUBJECT, &["all-well", "token"], &[flat, nested, page]).await;
}

#[tokio::test]
async fn equal_runs_see_equal_facts() {
    let expected = [
        "version [] 476",
        "principal [] immuta_system_account",
        "grant [catalogs] lake",
        "grant [catalogs] system",
        "grant [catalogs] warehouse",
        "grant [lake.probe.orders] SELECT",
    ];
    assert_eq!(facts_of_case(SUBJECT, "all-well").await, expected);
    assert_eq!(facts_of_case(SUBJECT, "token").await, expected, "an opaque token says nothing");
}

#[tokio::test]
async fn expiry_of_tokens_is_observed() {
    let server = Server::start(&SUBJECT, &cases("trino").join("token"), None).await;
    let exp = 1_800_000_000_i64;
    let claims = json!({ "sub": "immuta_system_account", "exp": exp });
    let probe = json!({ "sub": "probe", "exp": exp + 86_400 });
    let mut config = all_well(&server.address);
    for key in ["username", "password"] {
        config.as_object_mut().unwrap().remove(key);
    }
    config["authenticationType"] = "jwt".into();
    config["token"] = token_of(&claims).into();
    config["accessControlProbe"] =
        json!({ "table": "lake.probe.orders", "token": token_of(&probe) });
    let validator = validator(&PLATFORM, &config);
    let run = context(Mode::Recurring);
    let found = facts_of(&*validator, &run).await;
    let expected = [
        "claim [probe token subject] probe",
        "claim [token subject] immuta_system_account",
        "token [] ends 2027-01-15T08:00:00Z",
        "token [in `accessControlProbe`] ends 2027-01-16T08:00:00Z",
    ];
    let is_of_token = |line: &&String| line.contains("token");
    assert_eq!(found.iter().filter(is_of_token).collect::<Vec<_>>(), expected);
}

#[test]
fn fuzz_answers() {
    let mut seeds = recorded_bodies("trino");
    seeds.push(br#"{"id":"q","nextUri":"https://a/v1/statement/q","data":[[1],["a"]]}"#.to_vec());
    fuzz(&seeds, |bytes| {
        let place = Place { origin: "https://a", alias: Some("b") };
        if let Ok(mut results) = serde_json::from_slice::<QueryResults>(bytes) {
            let _known = results.is_known();
            let _state = results.state().map(str::len);
            let _rows = results.first_column();
            let uri = results.next_uri.take().and_then(|uri| NextUri::parse(&uri, place).ok());
            assert!(uri.is_none_or(|uri| uri.as_str().starts_with("https://a/")));
            if let Some(error) = results.error {
                let failure = Failure::query("q", &error);
                assert!(!failure.detail.is_empty() && failure.evidence.is_some(), "{failure:?}");
            }
        }
        if let Ok(info) = serde_json::from_slice::<Info>(bytes) {
            let _read = (info.is_known(), info.version());
        }
        let text = String::from_utf8_lossy(bytes);
        if let Ok(uri) = NextUri::parse(&text, place) {
            assert!(uri.as_str().starts_with("https://a/"));
        }
        let _table = statement::Table::parse(&text);
    });
}

fn result(report: &Report, test: Test) -> (ReportStatus, &str) {
    let found = report.tests.iter().find(|result| result.test == test).unwrap();
    (found.outcome.status(), found.outcome.message().unwrap_or_default())
}

fn all_well(address: &str) -> Json {
    let path = cases("trino").join("all-well/integration.json");
    let text = std::fs::read_to_string(path).unwrap().replace("@server@", address);
    serde_json::from_str::<Json>(&text).unwrap()["config"].take()
}

#[test]
fn an_integration_is_known_by_where_it_connects() {
    let mut config = all_well("https://trino.example.com");
    config["endpoint"] = "https://10.1.2.3:8443".into();
    config["tls"] = json!({ "serverName": "trino.example.com" });
    let identity = validator(&PLATFORM, &config).identity();
    assert_eq!(identity.host, "10.1.2.3:8443");
    assert_eq!(identity.target.as_deref(), Some("10.1.2.3:8443"));
    assert_eq!(identity.config_name, None);
}

#[tokio::test]
async fn secrets_are_read_anew_for_every_run() {
    let server = Server::start(&SUBJECT, &cases("trino").join("all-well"), None).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("password");
    let mut config = all_well(&server.address);
    config["password"] = json!({ "file": path });
    config.as_object_mut().unwrap().remove("accessControlProbe");
    let validator = validator(&PLATFORM, &config);
    for password in ["hunter2", "hunter3"] {
        std::fs::write(&path, password).unwrap();
        let asked = server.seen().len();
        assert_eq!(validator.validate(&context(Mode::Recurring)).await.report.class(), None);
        let encoded = STANDARD.encode(format!("immuta_system_account:{password}"));
        for seen in server.seen().iter().skip(asked + 1) {
            assert_eq!(seen.header("authorization"), Some(format!("Basic {encoded}").as_str()));
        }
    }
}

/// A case in which the query for the nodes stays in the queue.
fn queued() -> tempfile::TempDir {
    let case = tempfile::tempdir().unwrap();
    let queued = std::fs::read_to_string(cases("trino").join("all-well/nodes.http")).unwrap();
    for name in ["nodes", "next-nodes"] {
        std::fs::write(case.path().join(format!("{name}.http")), &queued).unwrap();
    }
    for number in 1..=3 {
        let name = format!("next-nodes.{number}.http");
        std::fs::write(case.path().join(name), &queued).unwrap();
    }
    for name in ["info", "current-user", "next-current-user"] {
        let name = format!("{name}.http");
        let from = cases("trino").join("all-well").join(&name);
        std::fs::copy(from, case.path().join(&name)).unwrap();
    }
    case
}

#[tokio::test]
async fn query_of_a_run_that_is_torn_down_is_cancelled() {
    let case = queued();
    let server = Server::start(&SUBJECT, case.path(), None).await;
    let validator = validator(&PLATFORM, &all_well(&server.address));
    let run = context(Mode::Recurring);
    let is_cancelled = || server.seen().iter().any(|seen| seen.line.starts_with("DELETE /v1/"));
    let is_queued =
        || server.seen().iter().any(|seen| asked_for(seen).as_deref() == Some("next-nodes"));
    let queued = async {
        while !is_queued() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = validator.validate(&run) => panic!("the query waits"),
        () = queued => (),
    }
    crate::net::farewell::finished().await;
    assert!(is_cancelled(), "{:?}", server.seen());
}

/// A server that holds no request back, as a gateway may, is not asked as fast as it can answer; and
/// it learns when the query is abandoned.
#[tokio::test]
async fn query_in_the_queue_is_polled_slowly_and_then_abandoned() {
    let case = queued();
    let server = Server::start(&SUBJECT, case.path(), None).await;
    let mut run = context(Mode::Recurring);
    run.test_limit = Duration::from_secs(2);
    let report = validator(&PLATFORM, &all_well(&server.address)).validate(&run).await.report;
    let expected = "The cluster accepted the connection but could not run a query. The query \
        waits: it is QUEUED at the end of the time limit.";
    assert_eq!(result(&report, QUERY), (ReportStatus::Failed, expected));
    let seen = server.seen();
    let asked = seen.iter().filter(|seen| asked_for(seen).as_deref() == Some("next-nodes")).count();
    assert!((2..40).contains(&asked), "{asked}");
    assert!(seen.last().unwrap().line.starts_with("DELETE /v1/statement/queued/"), "{seen:?}");
}

#[test]
fn the_sample_is_a_configuration_with_each_of_its_commented_parts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&path, authority.cert.pem()).unwrap();
    let sample = PLATFORM.sample.replace("/etc/revalidated/trino-ca.pem", path.to_str().unwrap());
    let parts: Vec<_> = sample.split("\n\n").collect();
    for enabled in 0..parts.len() {
        let mut parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
        let lines = parts[enabled].lines().map(|line| {
            let key = line.strip_prefix("# ").unwrap_or(line);
            let name = key.split_once(" = ").map_or("", |(name, _)| name);
            let is_key = key.starts_with('[') || (!name.is_empty() && !name.contains(' '));
            if is_key { key } else { line }
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let is_token = text.contains("\ntoken = ");
        let is_oauth = text.contains("\n[integration.config.oAuthClientConfig]");
        parts[enabled] = text;
        let mut config = sample_config(
            &PLATFORM,
            &parts.join(
                "

",
            ),
        );
        if is_token {
            config["authenticationType"] = "jwt".into();
            config.as_object_mut().unwrap().remove("password");
        }
        if is_oauth {
            config["authenticationType"] = "oAuthClientCredentials".into();
            config.as_object_mut().unwrap().remove("password");
        }
        let (_, faults) = parsed(&PLATFORM, &config);
        assert!(faults.is_empty(), "{config:#} {faults:?}");
    }
    for key in config::KEYS {
        assert!(
            sample.contains(&format!("{key} = ")) || sample.contains(&format!(".{key}]")),
            "{key}"
        );
    }
}

#[test]
fn every_test_is_marked_as_unpublished() {
    for test in PLATFORM.catalog {
        assert!(test.name.starts_with("Recurring validation: "), "{}", test.name);
        assert!(!test.message.contains("Immuta"), "nothing is published here: {}", test.message);
    }
    assert_eq!(PLATFORM.auto_bootstrap, AutoBootstrap::Absent);
}
