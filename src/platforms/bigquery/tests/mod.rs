//! The platform against servers: recorded answers in `testcases/`, and bqemulator, which has the
//! interface of `BigQuery`.

mod grants;
mod stand_ins;
mod transient;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};

use super::accounts::is_of;
use super::catalog::REUSE;
use super::*;
use crate::domain::{Class, Outcome, Report, ReportStatus, Timestamp};
use crate::platforms::testing::{
    NOW, Recorded, Seen, Server, StandIn, Subject as Tested, cases, config, context,
    echo_is_hidden, facts_of_case, flat, nested, parsed, recorded_again, replay, sample_config,
    validator,
};
use crate::platforms::{Peer, Peers};

const ACCOUNT: &str = "immuta@example-project.iam.gserviceaccount.com";
/// Fragments that no report, fact, request line or debug text may contain.
const SECRETS: [&str; 3] = ["hunter2", "PRIVATE KEY", "eyJ"];
const PLAN: &str = r#"{"dryRun":true,"location":"EU","query":"SELECT 1","useLegacySql":false}"#;
const ON_PROJECT: &str = r#"{"permissions":["bigquery.datasets.create","bigquery.datasets.delete","bigquery.tables.create","bigquery.tables.delete","bigquery.tables.get","bigquery.tables.updateData","bigquery.tables.update"]}"#;
const ON_TABLE: &str = r#"{"permissions":["bigquery.tables.get","bigquery.tables.delete","bigquery.tables.update","bigquery.tables.updateData"]}"#;

/// One key for all tests.
fn key() -> &'static rcgen::KeyPair {
    static KEY: OnceLock<rcgen::KeyPair> = OnceLock::new();
    KEY.get_or_init(|| rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap())
}

/// `config` with the credential as the published interface has it, as text, and a key in it.
fn completed(config: &Json) -> Json {
    let mut config = config.clone();
    if let Some(credential) = config["credential"].as_object_mut()
        && let Some(kind) = credential.get("type")
    {
        if kind == "service_account" {
            credential.insert("private_key".to_owned(), key().serialize_pem().into());
        }
        config["credential"] = config["credential"].to_string().into();
    }
    config
}

/// Which documented operation a request asks for; none for all others.
fn asked_for(seen: &Seen) -> Option<&'static str> {
    let base = "/bigquery/v2/projects/example-project/";
    let (method, target) = seen.line.split_once(' ')?;
    if let Some(rest) = target.strip_prefix(base) {
        return match (method, rest, seen.body.as_str()) {
            ("GET", "datasets?maxResults=1&all=true", "") => Some("datasets"),
            ("GET", rest, "") if is_dataset(rest) => Some("dataset"),
            ("GET", "datasets/immuta/tables?maxResults=1", "") => Some("tables"),
            ("POST", "datasets/immuta/tables/profile:testIamPermissions", ON_TABLE) => {
                Some("table")
            }
            ("POST", "queries", body) if body.replace("EU1", "EU") == PLAN => Some("plan"),
            _ => None,
        };
    }
    let machine = "/computeMetadata/v1/instance/service-accounts/default/";
    let account = "/v1/projects/-/serviceAccounts/immuta@example-project.iam.gserviceaccount.com";
    match (method, target) {
        ("POST", "/token") => Some("token"),
        ("POST", "/v1/token") => Some("sts"),
        ("POST", _) if target == format!("{account}:generateAccessToken") => Some("impersonate"),
        ("POST", "/v3/projects/example-project:testIamPermissions") if seen.body == ON_PROJECT => {
            Some("project")
        }
        ("POST", "/v3/projects/example-project:testIamPermissions")
            if serde_json::from_str(&seen.body).ok()
                == Some(json!({ "permissions": permissions::BEYOND })) =>
        {
            Some("beyond")
        }
        ("GET", "/subject") => Some("subject"),
        ("GET", _) if target == format!("{machine}email") => Some("machine-email"),
        ("GET", _) if target.starts_with(&format!("{machine}token?scopes=https%3A%2F%2F")) => {
            Some("machine-token")
        }
        _ => None,
    }
}

/// True for a look at the dataset, or at its access list alone; never at both.
fn is_dataset(rest: &str) -> bool {
    let views = ["datasetView=METADATA", "datasetView=ACL"];
    let Some((path, view)) = rest.split_once('?') else { return false };
    ["datasets/immuta", "datasets/gone"].contains(&path) && views.contains(&view)
}

fn form(seen: &Seen) -> HashMap<String, String> {
    form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect()
}

/// Whatever is sent is on the list, with the token that it needs and no other secret.
fn check_request(seen: &Seen) {
    let header = |name: &str| seen.header(name);
    assert!(header("user-agent").is_some_and(|agent| agent.starts_with("revalidated/")));
    let bearer = header("authorization");
    match asked_for(seen).expect("on the list") {
        "token" => {
            assert_eq!(bearer, None);
            let form = form(seen);
            assert_eq!(form.len(), 2);
            assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
            check_assertion(&form["assertion"]);
        }
        "sts" => {
            assert_eq!(bearer, None);
            let form = form(seen);
            assert_eq!(form["subject_token"], "hunter2-subject-token");
            let grant = "urn:ietf:params:oauth:grant-type:token-exchange";
            assert_eq!(form["grant_type"], grant);
            assert!(form["audience"].starts_with("//iam.googleapis.com/projects/"));
        }
        "subject" => assert_eq!((bearer, header("metadata")), (None, Some("True"))),
        "machine-email" | "machine-token" => {
            assert_eq!((bearer, header("metadata-flavor")), (None, Some("Google")));
        }
        "impersonate" => assert_eq!(bearer, Some("Bearer ya29.hunter2-federated")),
        _ => assert!(bearer.is_some_and(|bearer| bearer.starts_with("Bearer ya29.hunter2-"))),
    }
}

/// The signature is that of the key, and the claims are those that Google documents.
fn check_assertion(assertion: &str) {
    let parts: Vec<_> = assertion.split('.').collect();
    let decoded = |part: &str| -> Json {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(decoded(parts[0]), json!({ "alg": "RS256", "typ": "JWT", "kid": "key-1" }));
    let claims = decoded(parts[1]);
    let now = NOW.parse::<Timestamp>().unwrap().unix_seconds();
    assert_eq!(claims["aud"], "https://oauth2.googleapis.com/token");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/cloud-platform.read-only");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    assert!(now <= claims["iat"].as_i64().unwrap());
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key().public_key_raw());
    let signed = format!("{}.{}", parts[0], parts[1]);
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
}

/// A request without what differs from run to run and what is secret.
fn shown(seen: &Seen) -> String {
    match asked_for(seen) {
        Some("token") => format!("{} with an assertion", seen.line),
        Some("sts") => {
            let scope = form(seen)["scope"].clone();
            format!("{} with the token of the workload for {scope}", seen.line)
        }
        _ => seen.with_body(),
    }
}

const TESTED: Tested = Tested {
    folder: "bigquery",
    validator: |config| validator(&PLATFORM, &completed(config)),
    operation: |seen| asked_for(seen).map(str::to_owned),
    check: check_request,
    shown,
    secrets: &SECRETS,
    cases_min: 60,
};

#[tokio::test]
async fn recorded_answers_are_reported_as_expected() {
    // Making the key takes longer than some cases wait.
    key();
    replay(TESTED).await;
}

#[tokio::test]
async fn case_that_is_recorded_again_hides_its_names_and_has_the_same_verdicts() {
    recorded_again(TESTED, "Google BigQuery", |config| Recorded::plain(&completed(config))).await;
}

#[tokio::test]
async fn echoed_credentials_are_hidden() {
    key();
    let names = ["all-well", "workload-identity", "machine"];
    echo_is_hidden(TESTED, &names, &[flat, nested]).await;
}

#[tokio::test]
async fn equal_runs_see_equal_facts() {
    let us = "principal [] immuta@example-project.iam.gserviceaccount.com";
    let of_dataset = "grant [example-project:immuta]";
    let of_project = "grant [example-project] bigquery.";
    let all = ["datasets.create", "datasets.delete", "jobs.create", "tables.create"];
    let tables = ["tables.delete", "tables.get", "tables.update", "tables.updateData"];
    let key = "claim [key id] key-1".to_owned();
    let mut expected = vec![us.to_owned()];
    expected.extend([all, tables].concat().iter().map(|name| format!("{of_project}{name}")));
    expected.extend([format!("{of_dataset} bigquery.datasets.get"), key.clone()]);
    assert_eq!(facts_of_case(TESTED, "all-well").await, expected);
    let seen = facts_of_case(TESTED, "permissions-on-the-dataset").await;
    let expected = [
        us.to_owned(),
        format!("{of_project}jobs.create"),
        format!("{of_dataset} bigquery.datasets.get"),
        format!("{of_dataset} role WRITER"),
        key,
    ];
    assert_eq!(seen, expected);
    let seen = facts_of_case(TESTED, "permissions-on-the-table").await;
    let of_tables = seen.iter().filter(|line| line.starts_with("grant [tables of "));
    assert_eq!(of_tables.count(), 4, "{seen:?}");
    let machine = facts_of_case(TESTED, "machine").await;
    assert_eq!(machine[0], us);
}

fn outcome(report: &Report, test: Test) -> &Outcome {
    let found = report.tests.iter().find(|result| result.test == test);
    &found.expect("every test is listed").outcome
}

fn message(report: &Report, test: Test) -> (ReportStatus, &str) {
    let outcome = outcome(report, test);
    (outcome.status(), outcome.message().unwrap_or_default())
}

/// A server that answers as the case does, and the configuration that leads to it.
async fn served(case: &str, dir: &std::path::Path) -> (Server, Json) {
    let folder = cases("bigquery").join(case);
    let server = Server::start(&TESTED, &folder, None).await;
    let given = std::fs::read_to_string(folder.join("integration.json")).unwrap();
    let config = config(&serde_json::from_str(&given).unwrap(), &server, dir);
    (server, completed(&config))
}

fn count(server: &Server, operation: &str) -> usize {
    server.seen().iter().filter(|seen| asked_for(seen) == Some(operation)).count()
}

#[tokio::test]
async fn a_token_is_kept_until_it_nearly_ends_and_while_the_key_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (server, mut config) = served("all-well", dir.path()).await;
    let path = dir.path().join("key.json");
    let text = config["credential"].as_str().unwrap().to_owned();
    std::fs::write(&path, &text).unwrap();
    config["credential"] = json!({ "file": path });
    let validator = validator(&PLATFORM, &config);
    let mut run = context(Mode::Recurring);
    let start = run.now;
    for (minutes, expected) in [(0, 1), (1, 1), (54, 1), (55, 2), (56, 2)] {
        run.now = start.plus(Duration::from_mins(minutes));
        let report = validator.validate(&run).await.report;
        assert_eq!(report.status(), ReportStatus::Passed, "{report:?}");
        assert_eq!(count(&server, "token"), expected, "after {minutes} minutes");
    }
    std::fs::write(&path, format!("{text}\n ")).unwrap();
    validator.validate(&run).await;
    assert_eq!(count(&server, "token"), 3, "another credential, another token");
    server.seen().iter().for_each(check_request);
}

#[tokio::test]
async fn a_refused_credential_is_tried_once_in_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let (server, config) = served("key-rotated", dir.path()).await;
    let validator = validator(&PLATFORM, &config);
    for runs in 1..=2 {
        validator.validate(&context(Mode::Recurring)).await;
        assert_eq!(count(&server, "token"), runs);
    }
    let run = context(Mode::Recurring);
    for is_repeat in [false, true, true] {
        let found = validator.validate(&run).await;
        run.log_ins.stored();
        assert_eq!((found.observed.is_repeat, count(&server, "token")), (is_repeat, 3));
        assert_eq!(found.report.class(), Some(Class::Denied));
    }
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn integrations_of_the_same_service_account_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (server, config) = served("all-well", dir.path()).await;
    let validator = validator(&PLATFORM, &config);
    let identity = validator.identity();
    assert_eq!(identity.target.as_deref(), Some(ACCOUNT));
    assert_eq!(format!("http://{}", identity.host), server.address);
    let peer = |kind, target: Option<&str>| Peer {
        id: Some(7),
        name: "other".to_owned(),
        kind,
        identity: Identity { target: target.map(str::to_owned), ..Identity::default() },
    };
    let skipped = "No data source credentials are known to revalidated.";
    let failed = "BigQuery doesn't support the reuse of service accounts for integrations that are \
        currently being used for data sources. [immuta@example-project.iam.gserviceaccount.com] is \
        also used by the integration [other].";
    let table = [
        (peer("Native S3", Some(ACCOUNT)), ReportStatus::Skipped, skipped),
        (peer(PLATFORM.kind, None), ReportStatus::Skipped, skipped),
        (peer(PLATFORM.kind, Some("other@example-project")), ReportStatus::Passed, ""),
        (peer(PLATFORM.kind, Some(ACCOUNT)), ReportStatus::Failed, failed),
    ];
    for (peer, status, expected) in table {
        let mut run = context(Mode::Recurring);
        run.everyone = Peers::from_iter([peer]).into();
        let report = validator.validate(&run).await.report;
        assert_eq!(message(&report, REUSE), (status, expected));
    }
}

#[test]
fn principal_comes_from_the_credential_or_the_configuration() {
    let machine = json!({
        "authenticationType": "metadataServer", "projectId": "example", "serviceAccount": ACCOUNT,
    });
    let unread = json!({ "credential": { "file": "/none" } });
    for (config, target) in [(machine, Some(ACCOUNT)), (unread, None)] {
        let identity = validator(&PLATFORM, &config).identity();
        assert_eq!(identity.host, "bigquery.googleapis.com");
        assert_eq!(identity.target.as_deref(), target);
    }
}

#[test]
fn accounts_of_projects_of_domains_end_differently() {
    let of_domain = "a@name.example.com.iam.gserviceaccount.com";
    is_of("example.com:name", of_domain).unwrap();
    is_of("example-project", ACCOUNT).unwrap();
    for (project, account) in [("name", of_domain), ("ample-project", ACCOUNT), ("p", "a@b")] {
        assert_eq!(is_of(project, account).unwrap_err().class, Class::Invalid, "{project}");
    }
}

/// The sample's `config` with the commented keys that begin with one of `keys` in force.
fn sample(keys: &[&str]) -> Json {
    let mut lines = Vec::new();
    for line in PLATFORM.sample.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let wanted = keys.iter().any(|key| bare.starts_with(key));
        let name = bare.split(" = ").next().unwrap_or_default();
        if wanted && lines.iter().any(|known: &String| known.starts_with(&format!("{name} = "))) {
            lines.retain(|known: &String| !known.starts_with(&format!("{name} = ")));
        }
        lines.push(if wanted { bare.to_owned() } else { line.to_owned() });
    }
    sample_config(
        &PLATFORM,
        &lines.join(
            "
",
        ),
    )
}

#[test]
fn the_sample_is_a_configuration_with_every_key() {
    validator(&PLATFORM, &sample(&[]));
    let common = ["dataSource", "strict", "scope", "universe", "port", "connect", "read", "proxy"];
    let endpoints = ["[integration", "bigquery", "resource", "token", "sts", "iam", "metadata"];
    let all: Vec<_> = common.into_iter().chain(endpoints).collect();
    let config = sample(&all);
    assert_eq!(config.as_object().unwrap().len(), 17);
    assert_eq!(config["endpoints"].as_object().unwrap().len(), 6);
    validator(&PLATFORM, &config);
    validator(&PLATFORM, &sample(&["authenticationType = \"w", "credential = { file"]));
    let (_, faults) = parsed(&PLATFORM, &sample(&["tls"]));
    assert!(faults.len() == 1 && faults[0].contains("/etc/revalidated/ca.pem"), "{faults:?}");
}

/// The catalog is the published one, to the letter, followed by the unpublished test.
#[test]
fn our_own_tests_stand_last_and_are_marked() {
    let recurring: Vec<_> = PLATFORM.catalog.iter().skip(12).collect();
    assert_eq!(recurring, [&PRESENT]);
    assert!(PRESENT.name.starts_with("Recurring validation: "));
}
