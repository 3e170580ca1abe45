//! Answers of a real Trino 476, one file for each state of the server: class, words and remedy of each.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value as Json, json};

use super::super::classify::Failure;
use super::super::reply::{NextUri, Place, QueryResults};
use super::super::{Trino, config, refusal};
use crate::domain::{Class, Finding};
use crate::input::{Faults, Reader, Value};
use crate::net::exchange::Answer;

/// State, class, and what message and remedy contain.
type State = (&'static str, Class, &'static str, &'static str);

/// States in which the last answer of the server is a failure.
const FAILURES: &[State] = &[
    ("catalog-denied", Class::Denied, "Cannot access catalog tpch", "\"catalog\":\"tpch\""),
    ("catalog-dropped", Class::Missing, "Catalog 'pg' not found", "Correct the name"),
    ("catalog-failed-at-start", Class::Unavailable, "failed to initialize", "coordinator's log"),
    ("catalog-missing", Class::Missing, "Catalog 'nope' not found", "Correct the name"),
    ("column-denied", Class::Denied, "Cannot select from table", "\"privileges\":[\"SELECT\"]"),
    ("connector-database-missing", Class::Unavailable, "\"nodb\" does not", "connector reads from"),
    ("connector-down", Class::Unavailable, "Connection to 127.0.0.1:5432", "connector reads from"),
    ("connector-permission-select", Class::Unavailable, "permission denied", "the connector's own"),
    ("create-catalog-invalid", Class::Unavailable, "Invalid configuration property", "the log"),
    ("empty-password", Class::Denied, "password is empty", "`password` is empty"),
    ("exceeded-time-limit", Class::Unavailable, "planning time limit of 1.00ms", "Raise the limit"),
    ("execute-denied", Class::Denied, "Cannot execute query", "\"allow\":[\"execute\"]"),
    ("execute-denied-probe", Class::Denied, "Cannot execute query", "\"allow\":[\"execute\"]"),
    ("gateway-cluster-gone", Class::Unavailable, "Request to remote Trino server", "gateway"),
    ("gateway-no-cluster", Class::Unavailable, "HTTP 500", "a healthy cluster"),
    ("gateway-query-not-found", Class::Unavailable, "HTTP 500", "a healthy cluster"),
    ("grant-not-supported", Class::Invalid, "does not support permission", "rewrites statements"),
    ("impersonation-denied", Class::Denied, "cannot impersonate", "\"new_user\":\"admin\""),
    ("invalid-session-property", Class::Invalid, "query_max_queued_time", "session property"),
    ("jwt-expired", Class::Expired, "JWT expired at 2026-11-28T19:27:05.000Z.", "has ended"),
    ("jwt-not-a-token", Class::Denied, "Invalid compact JWT string", "is no JSON web token"),
    ("jwt-wrong-audience", Class::Denied, "Invalid Audience: [other]", "required-audience"),
    ("jwt-wrong-issuer", Class::Denied, "Expected iss claim to be", "required-issuer"),
    ("jwt-wrong-signature", Class::Denied, "JWT signature does not match", "key-file"),
    ("no-certificate", Class::Denied, "Unauthorized", "no passwords here but JWT"),
    ("no-credentials", Class::Denied, "Unauthorized", "Correct `username` [immuta]"),
    ("no-resource-group", Class::Unavailable, "No matching resource group", "Add a selector"),
    ("no-workers-for-too-long", Class::Unavailable, "only 0 workers are", "Look at the workers"),
    ("nodes-denied", Class::Denied, "system.runtime.nodes", "\"schema\":\"runtime\""),
    ("oauth2-and-password-bearer-garbage", Class::Denied, "Invalid credentials", "Correct `user"),
    ("oauth2-and-password-no-credentials", Class::Denied, "Unauthorized", "Correct `username`"),
    ("oauth2-and-password-wrong-password", Class::Denied, "Invalid credentials", "`password`"),
    ("oauth2-expired-token", Class::Denied, "Invalid credentials", "sign-in at a browser"),
    ("oauth2-no-credentials", Class::Denied, "Unauthorized", "`oAuthClientCredentials`"),
    ("oauth2-wrong-password", Class::Denied, "Unauthorized", "`oAuthClientCredentials`"),
    ("password-and-oauth2-no-credentials", Class::Denied, "Unauthorized", "Correct `username`"),
    ("password-and-oauth2-wrong-password", Class::Denied, "Invalid credentials", "`password`"),
    ("password-file-broken", Class::Unavailable, "Authentication error", "password-authenticator"),
    ("password-over-http", Class::Invalid, "over HTTP is not enabled", "process-forwarded=true"),
    ("prefix", Class::Unavailable, "What answered is not Trino", "the path in `endpoint`"),
    ("proxy-502", Class::Unavailable, "titled [502 Bad Gateway]", "the route of the ingress"),
    ("proxy-503", Class::Unavailable, "titled [503 Service Temp", "the route of the ingress"),
    (
        "proxy-forwarded-header-refused",
        Class::Invalid,
        "processing of the X-Forwarded-Proto header.",
        "http-server.process-forwarded=true",
    ),
    (
        "proxy-forwarded-header-refused-info",
        Class::Invalid,
        "processing of the X-Forwarded-Proto header.",
        "http-server.process-forwarded=true",
    ),
    ("proxy-host-header-lost", Class::Invalid, "is at [https://inner", "keep the Host header"),
    ("proxy-open-nexturi-http", Class::Invalid, "is at [http://trino", "X-Forwarded-Proto"),
    (
        "proxy-without-forwarded-headers",
        Class::Invalid,
        "Authentication over HTTP is not enabled.",
        "let the proxy that ends TLS send X-Forwarded-Proto",
    ),
    ("query-not-found", Class::Unavailable, "forgotten the query", "sticky sessions"),
    ("query-not-found-queued", Class::Unavailable, "forgotten the query", "sticky sessions"),
    ("queue-full", Class::Throttled, "Too many queued queries", "Raise maxQueued"),
    ("role-missing", Class::Denied, "Cannot set role nope", "GRANT \"nope\" TO USER \"immuta\""),
    ("role-not-granted", Class::Denied, "Cannot set role admin", "GRANT \"admin\""),
    (
        "role-system",
        Class::Denied,
        "HTTP 500: Access Denied: Cannot set role nope.",
        "GRANT \"nope\"",
    ),
    ("row-filter-broken", Class::Missing, "Invalid row filter", "Correct the name"),
    ("rules-broken", Class::Unavailable, "Invalid JSON file", "file of its access control"),
    ("rules-missing", Class::Unavailable, "File does not exist", "file of its access control"),
    ("schema-missing", Class::Missing, "Schema 'nope' does not exist", "Correct the name"),
    ("set-role-denied", Class::Denied, "Cannot set role admin", "GRANT \"admin\""),
    ("sql-standard-denied", Class::Denied, "table s.t", "GRANT SELECT ON \"s\".\"t\""),
    ("starting-statement", Class::Unavailable, "still initializing", "Wait"),
    (
        "starting-statement-authenticators-not-loaded",
        Class::Unavailable,
        "HTTP 500: authenticators were not loaded.",
        "the coordinator is starting",
    ),
    ("table-denied", Class::Denied, "table tpch.tiny.nation", "\"table\":\"nation\""),
    ("table-missing", Class::Missing, "'tpch.tiny.nope' does not exist", "Correct the name"),
    ("user-mapping-failed", Class::Denied, "No user mapping patterns", "user-mapping.pattern"),
    ("user-over-http", Class::Invalid, "over HTTP is not enabled", "process-forwarded=true"),
    ("view-stale", Class::Invalid, "Failed analyzing stored view", "Recreate the view"),
    ("worker-statement", Class::Unavailable, "What answered is not Trino", "correct `host`"),
    ("wrong-password", Class::Denied, "Invalid credentials", "Correct `username` [immuta]"),
];

/// States in which the last answer is one of a cluster that works, or that may still.
const GOOD: &[&str] = &[
    "certificate-as-other",
    "connector-permission-explain",
    "count-nodes",
    "explain-validate",
    "impersonation-allowed",
    "info",
    "no-workers",
    "oauth2-and-password-token-of-the-issuer",
    "proxy-prefix",
    "proxy-process-forwarded",
    "role-of-no-catalog",
    "select-current-user",
    "set-role",
    "show-catalogs",
    "starting-info",
    "worker-info",
    "worker-shutting-down",
];

/// An integration with a password, or with a token for states that are about tokens.
fn trino(state: &str) -> Trino {
    let mut config = json!({ "host": "trino.example.com", "username": "immuta" });
    let (kind, key) =
        if state.starts_with("jwt") { ("jwt", "token") } else { ("userPassword", "password") };
    config["authenticationType"] = kind.into();
    config[key] = json!({ "file": "/s" });
    let (value, faults) = (Value::from_json(&config, &"f".into()), Faults::default());
    let config = config::parse(Reader::new(&value, "config", &faults).unwrap());
    Trino { config: config.unwrap() }
}

/// Returns the last answer in a file.
fn last(state: &str) -> Json {
    let path = format!("{}/src/platforms/trino/tests/answers", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(format!("{path}/{state}.json")).unwrap();
    let mut file: Json = serde_json::from_str(&text).unwrap();
    file["answers"].as_array_mut().unwrap().pop().unwrap()
}

/// Returns a recorded answer as it came over the network.
fn answer(recorded: &Json) -> Answer {
    let mut headers = HeaderMap::new();
    for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for value in values.iter().filter_map(Json::as_str) {
            headers.append(&name, HeaderValue::from_str(value).unwrap());
        }
    }
    let body =
        recorded["body"].as_str().map_or_else(|| recorded["body"].to_string(), str::to_owned);
    let status = recorded["status"].as_u64().unwrap().try_into().unwrap();
    Answer { status, headers, body: body.into_bytes(), ..Answer::default() }
}

/// Returns the failure of a recorded answer, if it is one.
fn failure(state: &str) -> Option<Failure> {
    let recorded = last(state);
    let answer = answer(&recorded);
    if !answer.is_success() {
        let is_of_page = state.starts_with("query-not-found") || state.starts_with("gateway");
        return Some(Failure::refused(&refusal::read(&answer, is_of_page, 300)));
    }
    let results: QueryResults = answer.json().ok()?;
    if let Some(error) = &results.error {
        return Some(Failure::query("q", error));
    }
    // The addresses of these answers were replaced by placeholders.
    let inner = if state == "proxy-host-header-lost" { "https://inner:8080" } else { "https://a" };
    let scheme =
        if state == "proxy-open-nexturi-http" { "http://trino.example.com" } else { inner };
    let uri = results.next_uri?;
    let path = uri.find("/v1/").map_or("", |at| &uri[at..]);
    let place = Place { origin: "https://trino.example.com", alias: None };
    let is_elsewhere = state == "proxy-host-header-lost" || state == "proxy-open-nexturi-http";
    let server = if is_elsewhere { scheme } else { place.origin };
    let page = NextUri::parse(&format!("{server}{path}"), place).err()?;
    Some(Failure::next_page(&page, &page.why))
}

#[test]
fn every_state_of_a_real_server_has_its_class_words_and_remedy() {
    for (state, class, words, remedy) in FAILURES {
        let failure = failure(state).unwrap_or_else(|| panic!("{state}"));
        let found = trino(state).advised(&failure, failure.finding_that("It failed."));
        let Finding { message, remediation, evidence, .. } = found;
        let remediation = remediation.unwrap_or_default();
        assert_eq!(failure.class, *class, "{state}: {message}");
        assert!(message.contains(words), "{state}: {message}");
        assert!(remediation.contains(remedy), "{state}: {remediation}");
        let all = format!("{message} {remediation} {evidence:?}");
        for bad in ["\\tat ", "\tat ", "Exception", "oauth2/token/", "{\"message\""] {
            assert!(!all.contains(bad), "{state} shows {bad}: {all}");
        }
    }
    for state in GOOD {
        assert!(failure(state).is_none(), "{state}");
    }
}

#[test]
fn every_recorded_answer_is_in_one_of_the_tables() {
    let folder = format!("{}/src/platforms/trino/tests/answers", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> = files.map(|name| name.replace(".json", "")).collect();
    files.sort();
    let failures = FAILURES.iter().map(|(state, ..)| *state);
    let mut known: Vec<_> = failures.chain(GOOD.iter().copied()).collect();
    known.sort_unstable();
    assert_eq!(files, known);
}

/// Only a refusal of credentials may speak of them, and a failure of another kind must not.
#[test]
fn only_refused_credentials_are_spoken_of() {
    for (state, ..) in FAILURES {
        let failure = failure(state).unwrap();
        let is_of_log_in = last(state)["status"] == 401;
        assert_eq!(failure.is_of_credentials(), is_of_log_in, "{state}");
    }
}
