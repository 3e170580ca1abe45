//! The platform against servers: recorded answers in `testcases/`, and minilake, which keeps real
//! catalogs, grants and warehouses.

mod answers;
mod beyond;
mod observed;
mod stand_ins;
mod transient;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::lookup::quoted;
use super::*;
use crate::domain::{Outcome, Report, ReportStatus, Test};
use crate::input::{Faults, Value};
use crate::net::http::{HttpOptions, client};
use crate::platforms::Mode;
use crate::platforms::testing::{
    Recorded, Seen, Server, StandIn, Subject, cases, context, echo_is_hidden, flat, page, parsed,
    recorded_again, replay, sample_config, validator,
};

/// Fragments that no report, fact, request line or debug text may contain.
const SECRETS: [&str; 5] =
    ["hunter2-token", "hunter2-secret", "hunter2-access", "hunter2-entra", "hunter2-management"];
const CLIENT: &str = "4b2f9c5e-0d9b-4f3f-9d53-6b8a1d1c7a11";
const TENANT: &str = "9f37a392-1b2c-4d3e-8f4a-5b6c7d8e9f00";

fn integration(config: &Json) -> Box<dyn Validator> {
    validator(&PLATFORM, config)
}

/// Which documented operation a request asks for; none for all others.
fn asked_for(seen: &Seen) -> Option<&'static str> {
    let (method, target) = seen.line.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if method == "POST" {
        let account = "/oidc/accounts/7/v1/token";
        let entra = format!("/{TENANT}/oauth2/v2.0/token");
        return match path {
            _ if !query.is_empty() => None,
            "/oidc/v1/token" => Some("token"),
            _ if path == account => Some("token"),
            _ if path == entra && seen.body.contains("2ff814a6") => Some("entra"),
            _ if path == entra && seen.body.contains("management.core") => Some("management"),
            _ => None,
        };
    }
    if method != "GET" {
        return None;
    }
    let unity = path.strip_prefix("/api/2.1/unity-catalog/");
    match (path, unity) {
        ("/oidc/.well-known/oauth-authorization-server", None) => Some("discovery"),
        ("/aad/auth", None) => Some("tenant"),
        ("/api/2.0/preview/scim/v2/Me", None) => Some("me"),
        ("/api/2.0/token/list", None) => Some("tokens"),
        ("/api/2.0/accounts/servicePrincipals/4711/credentials/secrets", None) => Some("secrets"),
        ("/api/2.0/sql/warehouses/1a2b3c4d5e6f7a8b", None) => Some("warehouse"),
        (_, Some("current-metastore-assignment")) => Some("metastore"),
        (_, Some("catalogs/immuta")) => Some("catalog"),
        (_, Some("schemas/immuta.policies" | "schemas/immuta.gone")) => Some("schema"),
        (_, Some("tables/immuta.policies.masking/exists")) => Some("table"),
        (_, Some("tables/system.access.audit/exists")) => Some("audit"),
        (_, Some("effective-permissions/catalog/immuta")) => Some("permissions"),
        (_, Some("metastore_summary")) => Some("summary"),
        (_, Some("schemas")) if query.starts_with("catalog_name=immuta&") => Some("schemas"),
        (_, Some("tables")) if query.contains("&schema_name=policies&") => Some("tables"),
        (_, Some(path)) if path.starts_with("permissions/metastore/5f2a8c1e-") => {
            Some("granted-metastore")
        }
        (_, Some("permissions/schema/immuta.policies")) => Some("granted-schema"),
        (_, Some("permissions/table/immuta.policies.masking")) => Some("granted-table"),
        _ => None,
    }
}

/// Every request shows the credential that belongs to it, and only there.
fn check_request(seen: &Seen) {
    let operation = asked_for(seen).expect("a request on the list");
    let authorization = seen.header("authorization").unwrap_or_default();
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:hunter2-secret")));
    let bearers = ["Bearer hunter2-token", "Bearer hunter2-access", "Bearer hunter2-entra"];
    match operation {
        "discovery" | "tenant" => assert_eq!(authorization, ""),
        "token" => assert_eq!(authorization, basic),
        "entra" | "management" => {
            assert_eq!(authorization, "");
            assert!(seen.body.contains("grant_type=client_credentials"), "{}", seen.body);
        }
        _ => assert!(bearers.contains(&authorization), "{authorization}"),
    }
    let is_form = seen.line.starts_with("POST ");
    assert_eq!(seen.body.is_empty(), !is_form);
    let agent = seen.header("user-agent").unwrap_or_default();
    assert!(agent.starts_with("revalidated/"), "{agent}");
    assert_eq!(seen.header("accept"), Some("application/json"));
    for secret in SECRETS {
        assert!(!seen.line.contains(secret), "{}", seen.line);
    }
}

const SUBJECT: Subject = Subject {
    folder: "databricks",
    validator: integration,
    operation: |seen| asked_for(seen).map(str::to_owned),
    check: check_request,
    shown: |seen| seen.with_body().replace("hunter2-secret", "[REDACTED]"),
    secrets: &SECRETS,
    cases_min: 60,
};

#[tokio::test]
async fn recorded_answers_are_reported_as_expected() {
    replay(SUBJECT).await;
}

#[tokio::test]
async fn case_that_is_recorded_again_hides_its_names_and_has_the_same_verdicts() {
    recorded_again(SUBJECT, "Databricks", Recorded::plain).await;
}

#[tokio::test]
async fn echoed_credentials_are_hidden() {
    echo_is_hidden(SUBJECT, &["all-well", "entra"], &[flat, page]).await;
}

/// A server that answers as in `case`, and the configuration of that case.
async fn server(case: &str) -> (Server, Json) {
    let dir = cases("databricks").join(case);
    let server = Server::start(&SUBJECT, &dir, None).await;
    let text = std::fs::read_to_string(dir.join("integration.json")).unwrap();
    let text = text.replace("@server@", &server.address);
    let config = serde_json::from_str::<Json>(&text).unwrap()["config"].take();
    (server, config)
}

fn outcome(report: &Report, test: Test) -> (ReportStatus, String) {
    let found = report.tests.iter().find(|result| result.test == test).unwrap();
    let outcome: &Outcome = &found.outcome;
    (outcome.status(), outcome.message().unwrap_or_default().to_owned())
}

fn count(server: &Server, operation: &str) -> usize {
    server.seen().iter().filter(|seen| asked_for(seen) == Some(operation)).count()
}

#[tokio::test]
async fn a_token_is_kept_until_it_nearly_ends() {
    for (case, operations) in [
        ("all-well", &["discovery", "token"][..]),
        ("entra-not-in-the-workspace", &["entra", "management"]),
    ] {
        let (server, config) = server(case).await;
        let validator = integration(&config);
        let mut run = context(Mode::Recurring);
        let later = |minutes| run.now.plus(Duration::from_mins(minutes));
        let steps = [(run.now, 1), (later(54), 1), (later(55), 2), (later(60), 2)];
        for (now, expected) in steps {
            run.now = now;
            let report = validator.validate(&run).await.report;
            assert_eq!(outcome(&report, BASIC).0, ReportStatus::Passed, "{report:?}");
            for operation in operations {
                assert_eq!(count(&server, operation), expected, "{operation} at {now}");
            }
        }
    }
}

#[tokio::test]
async fn a_kept_token_that_is_refused_is_replaced_once_and_a_new_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("refused-early");
    std::fs::create_dir(&case).unwrap();
    std::os::unix::fs::symlink(cases("databricks").join("all-well"), dir.path().join("all-well"))
        .unwrap();
    let refused = "# databricks-sdk-py\n401\n\n{\"error_code\": 401, \"message\": \"no\"}";
    std::fs::write(case.join("me.2.http"), refused).unwrap();
    std::fs::write(case.join("me.4.http"), refused).unwrap();
    std::fs::write(case.join("me.5.http"), refused).unwrap();
    let server = Server::start(&SUBJECT, &case, None).await;
    let (_, mut config) = self::server("all-well").await;
    config["workspaceUrl"] = server.address.clone().into();
    let validator = integration(&config);
    let run = context(Mode::Recurring);
    // Runs: passes; the second `Me` is refused, the third passes; fourth and fifth are refused.
    let expected = [(ReportStatus::Passed, 1, 1), (ReportStatus::Passed, 3, 2)];
    for (status, asked, tokens) in expected.into_iter().chain([(ReportStatus::Failed, 5, 3)]) {
        let report = validator.validate(&run).await.report;
        assert_eq!(outcome(&report, BASIC).0, status, "{report:?}");
        assert_eq!((count(&server, "me"), count(&server, "token")), (asked, tokens));
    }
}

#[tokio::test]
async fn the_way_in_may_differ_from_the_workspace() {
    let (server, mut config) = server("all-well").await;
    config["endpoint"] = server.address.clone().into();
    config["workspaceUrl"] = "https://adb-7.7.azuredatabricks.net/?o=7#x".into();
    config.as_object_mut().unwrap().remove("workspaceId");
    let validator = integration(&config);
    let identity = validator.identity();
    assert_eq!(format!("http://{}", identity.host), server.address);
    assert_eq!(identity.target.as_deref(), Some("adb-7.7.azuredatabricks.net/immuta"));
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    let message = format!("Connected to [adb-7.7.azuredatabricks.net] as [{CLIENT}].");
    assert_eq!(outcome(&report, BASIC), (ReportStatus::Passed, message));
    for seen in server.seen() {
        check_request(&seen);
        let with_id = seen.header("authorization").is_some_and(|value| value.starts_with("Bearer"));
        assert_eq!(seen.header("x-databricks-workspace-id"), with_id.then_some("7"));
    }
}

#[tokio::test]
async fn a_principal_outside_of_the_workspace_shows_where_it_belongs() {
    let (server, config) = server("entra-not-in-the-workspace").await;
    integration(&config).validate(&context(Mode::Recurring)).await;
    let seen = server.seen();
    let me = seen.iter().find(|seen| asked_for(seen) == Some("me")).unwrap();
    let resource = config["azure"]["resourceId"].as_str();
    assert_eq!(me.header("x-databricks-azure-workspace-resource-id"), resource);
    assert_eq!(me.header("x-databricks-azure-sp-management-token"), Some("hunter2-management"));
}

#[tokio::test]
async fn a_rotated_token_is_read_at_the_next_run() {
    let (server, mut config) = server("personal-token").await;
    let file = tempfile::NamedTempFile::new().unwrap();
    config["token"] = json!({ "file": file.path() });
    let validator = integration(&config);
    for token in ["hunter2-token", "hunter2-access"] {
        std::fs::write(file.path(), token).unwrap();
        validator.validate(&context(Mode::Recurring)).await;
        let bearer = format!("Bearer {token}");
        let seen = server.seen();
        assert_eq!(seen.last().unwrap().header("authorization"), Some(bearer.as_str()));
    }
    std::fs::write(file.path(), "hunter2\u{1}").unwrap();
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    assert_eq!(report.class(), Some(Class::Local), "{report:?}");
}

/// The faults of a right configuration with `changes` laid over it; null takes a key away.
fn faults(changes: &Json) -> Vec<String> {
    let mut config = json!({
        "workspaceUrl": "w.cloud.databricks.com", "authenticationType": "token",
        "token": { "file": "/t" },
    });
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    let (validator, faults) = parsed(&PLATFORM, &config);
    assert!(validator.is_some() || !faults.is_empty(), "nothing read, and no reason");
    faults
}

fn machine(changes: &Json) -> Json {
    let mut table = json!({ "clientId": "c", "clientSecret": { "file": "/s" } });
    for (key, value) in changes.as_object().unwrap() {
        table[key] = value.clone();
    }
    json!({ "token": null, "authenticationType": "oAuthM2M", "oAuthClientConfig": table })
}

fn entra(changes: &Json) -> Json {
    let mut config = machine(changes);
    config["azure"] = config["oAuthClientConfig"].take();
    config["authenticationType"] = "azureServicePrincipal".into();
    config
}

#[test]
fn valid_configuration_is_read() {
    let accounts = "https://accounts.cloud.databricks.com/oidc/accounts/7";
    let good = [
        json!({}),
        json!({ "workspaceUrl": "https://w.gcp.databricks.com/browse?o=7#x", "port": 443 }),
        json!({ "workspaceUrl": "https://w.example.com:8443", "port": 8443 }),
        json!({ "httpPath": "sql/1.0/endpoints/ab-1/", "checkWarehouse": true }),
        json!({ "httpPath": "sql/protocolv1/o/1/0923-x" }),
        json!({ "workspaceId": 7, "catalog": "l\u{e4}ke", "audit": { "enabled": false } }),
        json!({ "proxyOptions": { "host": "p", "port": 3128 } }),
        json!({ "endpoint": "https://10.0.0.1", "tls": { "serverName": "w.cloud.databricks.com" } }),
        json!({ "expectedObjects": ["a", "a.b"], "requiredPrivileges": ["use catalog"] }),
        machine(&json!({ "useCertificate": false, "scope": "all-apis" })),
        machine(&json!({ "authorityUrl": accounts })),
        machine(&json!({ "authorityUrl": "https://w.cloud.databricks.com" })),
        machine(&json!({ "authorityUrl": "https://idp.example.com/oauth2/token" })),
        entra(&json!({ "tenantId": "t.onmicrosoft.com", "cloud": "china" })),
        entra(&json!({ "resourceId": "/subscriptions/1/x", "authorityUrl": "https://a.example" })),
    ];
    for changes in good {
        assert_eq!(faults(&changes), [""; 0], "{changes}");
    }
}

#[test]
fn fault_is_named_with_its_key() {
    let table = [
        (json!({ "workspaceUrl": null }), "config.workspaceUrl: missing"),
        (json!({ "workspaceUrl": "http://w.example.com" }), "config.workspaceUrl: must begin with"),
        (json!({ "workspaceUrl": "https://u:p@w" }), "config.workspaceUrl: must be an address"),
        (json!({ "workspaceUrl": "https://w:1", "port": 2 }), "has another port than `port`"),
        (json!({ "authenticationType": null }), "config.authenticationType: missing"),
        (json!({ "authenticationType": "oAuth2M2M" }), "did you mean `oAuthM2M`?"),
        (json!({ "token": null }), "config.token: missing"),
        (
            json!({ "azure": { "clientId": "c", "clientSecret": { "file": "/s" } } }),
            "config.azure: is only used with authenticationType `azureServicePrincipal`",
        ),
        (machine(&json!({ "useCertificate": true })), "useCertificate: `true` is not supported"),
        (machine(&json!({ "clientSecret": null })), "oAuthClientConfig.clientSecret: missing"),
        (
            machine(&json!({ "authorityUrl": "http://x/token" })),
            "authorityUrl: must be https://host",
        ),
        (machine(&json!({ "authorityUrl": "https://x/y" })), "authorityUrl: must be https://host"),
        (entra(&json!({ "tenantId": "a/b" })), "config.azure.tenantId: must be"),
        (entra(&json!({ "cloud": "gov" })), "config.azure.cloud: expected one of"),
        (entra(&json!({ "resourceId": "x" })), "config.azure.resourceId: must be /subscriptions/"),
        (json!({ "catalog": "a.b" }), "config.catalog: must be the name of a catalog"),
        (json!({ "catalog": "" }), "config.catalog: must be the name of a catalog"),
        (json!({ "checkWarehouse": true }), "config.httpPath: must be /sql/1.0/warehouses/<id>"),
        (
            json!({ "checkWarehouse": true, "httpPath": "/sql/1.0/warehouses/..%2F" }),
            "config.httpPath: must be",
        ),
        (json!({ "workspaceId": "x" }), "config.workspaceId: must be the number behind `?o=`"),
        (json!({ "expectedObjects": ["a.b.c"] }), "config.expectedObjects: must be `schema` or"),
        (json!({ "expectedObjects": vec!["a"; 51] }), "config.expectedObjects: more than 50"),
        (json!({ "requiredPrivileges": ["1"] }), "config.requiredPrivileges: must be privileges"),
        (json!({ "endpoint": "http://w.example.com" }), "config.endpoint: must begin with https"),
        (json!({ "proxyOptions": { "host": "p" } }), "config.proxyOptions.port: missing"),
        (json!({ "workspaceURL": "x" }), "did you mean `workspaceUrl`?"),
    ];
    for (changes, expected) in table {
        let found = faults(&changes);
        assert_eq!(found.len(), 1, "{changes}: {found:?}");
        assert!(found[0].contains(expected), "{changes}: {found:?}");
    }
}

#[test]
fn the_sample_is_a_configuration_and_so_is_every_way_in_its_comments() {
    let (head, rest) = PLATFORM.sample.split_once("# A personal access token").unwrap();
    let (token, rest) = rest.split_once("\n# Or a client id").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let (machine, rest) = rest.split_once("\n# ... or in Microsoft Entra.\n").unwrap();
    let (entra, rest) = rest.split_once("\n# [integration.config]\n").unwrap();
    let (more, others) = rest.split_once("# tls = { caFile").unwrap();
    assert_eq!(others.lines().count(), 2, "both are tested elsewhere");
    let enabled = |text: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix("# "));
        let keys = lines.filter(|line| !line.ends_with(':'));
        keys.collect::<Vec<_>>().join("\n")
    };
    // A serverName cannot be used with a proxy, nor a proxy with it.
    let without = |word: &str| {
        let lines = more.lines().filter(|line| !line.contains(word));
        lines.collect::<Vec<_>>().join("\n")
    };
    let token = token.split_once('\n').unwrap().1;
    let ways = [
        format!("{head}{token}"),
        format!("{head}{token}{}", enabled(&without("tls = "))),
        format!("{head}{token}{}", enabled(&without("proxyOptions"))),
        format!("{head}{}", enabled(machine)),
        format!("{head}{}", enabled(entra)),
    ];
    for way in ways {
        validator(&PLATFORM, &sample_config(&PLATFORM, &way));
    }
}

proptest! {
    /// SQL in remediations holds any name as one: a quote in it is doubled.
    #[test]
    fn quoted_names_cannot_end_early(name in any::<String>()) {
        let quoted = quoted(&name);
        let inner = quoted.strip_prefix('`').unwrap().strip_suffix('`').unwrap();
        prop_assert_eq!(inner.replace("``", ""), name.replace('`', ""));
        prop_assert_eq!(inner.replace("``", "`"), name);
    }
}
