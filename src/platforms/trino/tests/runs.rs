//! Whole runs: answers that may pass, kept tokens, and what reaches the cluster.

use std::path::Path;

use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use super::super::catalog::CATALOGS;
use super::super::*;
use super::{SUBJECT, all_well, asked_for, result};
use crate::domain::{Class, Report, ReportStatus};
use crate::platforms::Mode;
use crate::platforms::testing::{Server, cases, context, validator};

/// Writes the answer to `operation` of a case.
fn write(case: &Path, operation: &str, status: u16, body: &str) {
    let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
    let text = format!("# made by this test\n{status}\ncontent-type: {kind}\n\n{body}");
    std::fs::write(case.join(format!("{operation}.http")), text).unwrap();
}

/// Returns a case with the answers of a healthy cluster, of which some are to be replaced.
fn healthy() -> tempfile::TempDir {
    let case = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(cases("trino").join("all-well")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), case.path().join(file.file_name())).unwrap();
    }
    case
}

async fn report_of(case: &Path) -> (Report, usize) {
    let server = Server::start(&SUBJECT, case, None).await;
    let validator = validator(&PLATFORM, &all_well(&server.address));
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    let posted =
        |seen: &&crate::platforms::testing::Seen| asked_for(seen).as_deref() == Some("nodes");
    let posted = server.seen().iter().filter(posted).count();
    (report, posted)
}

/// Every error of Trino that may pass, as the answer to every try: no single run is definitive, and the
/// statement is posted twice.
#[tokio::test]
async fn error_that_may_pass_never_fails_a_run_definitively() {
    let mut runs = JoinSet::new();
    let table = include_str!("../codes.txt").lines().filter(|line| !line.starts_with('#'));
    for line in table {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        runs.spawn(async move {
            let [name, number, class, _remedy] = &words[..] else { panic!("{words:?}") };
            let case = healthy();
            let number: i64 = number.parse().unwrap();
            let error = json!({ "message": "m", "errorCode": number, "errorName": name });
            let body = json!({ "id": "q", "stats": { "state": "FAILED" }, "error": error });
            write(case.path(), "nodes", 200, &body.to_string());
            write(case.path(), "one", 200, &body.to_string());
            let (report, posted) = report_of(case.path()).await;
            let found = report.class().unwrap();
            assert_eq!(found.as_str(), class, "{name}");
            assert_eq!(posted, if found.is_definitive() { 1 } else { 2 }, "{name}");
            let finding = report.tests.iter().find(|one| one.test == QUERY).unwrap();
            let finding = finding.outcome.finding().unwrap();
            assert!(finding.remediation.is_some(), "{name} has no remedy");
            assert!(!finding.message.contains("credentials"), "{name}: {}", finding.message);
            found.is_definitive()
        });
    }
    let found = runs.join_all().await;
    let definitive = found.iter().filter(|is_definitive| **is_definitive).count();
    assert_eq!((found.len(), found.len() - definitive), (177, 51));
}

/// Every status that an ingress, a gateway or a starting server may answer with.
#[tokio::test]
async fn status_that_trino_does_not_refuse_with_is_transient() {
    let statuses = [404, 405, 408, 410, 421, 425, 429, 500, 501, 502, 503, 504, 520, 522, 529];
    let mut runs = JoinSet::new();
    for status in statuses {
        for body in ["", "not here", "<html><title>404 Not Found</title></html>"] {
            for operation in ["current-user", "next-current-user", "nodes"] {
                runs.spawn(async move {
                    let case = healthy();
                    if operation == "next-current-user" {
                        for number in 1..=6 {
                            write(case.path(), &format!("{operation}.{number}"), status, body);
                        }
                    }
                    write(case.path(), operation, status, body);
                    let (report, _) = report_of(case.path()).await;
                    let class = report.class();
                    assert!(
                        class.is_none_or(|class| !class.is_definitive()),
                        "{status} {operation}"
                    );
                    for one in &report.tests {
                        let message = one.outcome.message().unwrap_or_default();
                        assert!(!message.contains("provided credentials"), "{message}");
                    }
                });
            }
        }
    }
    runs.join_all().await;
}

fn oauth(address: &str) -> Json {
    let mut config = all_well(address);
    let keys = config.as_object_mut().unwrap();
    for key in ["username", "password", "accessControlProbe"] {
        keys.remove(key);
    }
    config["authenticationType"] = "oAuthClientCredentials".into();
    config["oAuthClientConfig"] = json!({
        "clientId": "immuta", "clientSecret": "hunter2-secret",
        "authorityUrl": format!("{address}/token"),
    });
    config
}

#[tokio::test]
async fn access_token_is_kept_and_replaced_once_when_it_is_refused() {
    let case = healthy();
    let refused = "# Trino 476, wrong token\n401\nwww-authenticate: Bearer\n\nInvalid credentials";
    // The first run takes one answer; the second is refused, and asks again with a new token.
    std::fs::write(case.path().join("current-user.2.http"), refused).unwrap();
    let server = Server::start(&SUBJECT, case.path(), None).await;
    let validator = validator(&PLATFORM, &oauth(&server.address));
    let asked = |name: &str| {
        server.seen().iter().filter(|seen| asked_for(seen).as_deref() == Some(name)).count()
    };
    for (tokens, log_ins) in [(1, 1), (2, 3), (2, 4)] {
        let report = validator.validate(&context(Mode::Recurring)).await.report;
        assert_eq!(result(&report, AUTHENTICATION).0, ReportStatus::Passed, "{report:?}");
        assert_eq!((asked("token"), asked("current-user")), (tokens, log_ins));
    }
}

#[tokio::test]
async fn fresh_access_token_that_is_refused_is_not_sent_again() {
    let case = healthy();
    write(case.path(), "current-user", 401, "Invalid credentials");
    let server = Server::start(&SUBJECT, case.path(), None).await;
    let validator = validator(&PLATFORM, &oauth(&server.address));
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    assert_eq!(report.class(), Some(Class::Denied));
    let is_log_in =
        |seen: &crate::platforms::testing::Seen| asked_for(seen).as_deref() == Some("current-user");
    assert_eq!(server.seen().iter().filter(|seen| is_log_in(seen)).count(), 1);
}

/// Returns how many log-ins reached the cluster, or how many secrets the provider.
fn sent(server: &Server, operation: &str) -> usize {
    server.seen().iter().filter(|seen| asked_for(seen).as_deref() == Some(operation)).count()
}

#[tokio::test]
async fn refused_password_is_not_sent_by_later_runs_until_it_changes() {
    let case = healthy();
    write(case.path(), "current-user", 401, "Invalid credentials");
    let path = case.path().join("password");
    std::fs::write(&path, "hunter2").unwrap();
    let server = Server::start(&SUBJECT, case.path(), None).await;
    let mut config = all_well(&server.address);
    config["password"] = json!({ "file": path });
    let (first, second) = (validator(&PLATFORM, &config), validator(&PLATFORM, &config));
    let run = context(Mode::Recurring);
    let before = first.validate(&run).await;
    run.log_ins.stored();
    for other in [&first, &second] {
        let after = other.validate(&run).await;
        assert_eq!(result(&after.report, AUTHENTICATION), result(&before.report, AUTHENTICATION));
        assert!(after.observed.is_repeat);
        assert_eq!(sent(&server, "current-user"), 1);
    }
    std::fs::write(&path, "hunter3").unwrap();
    assert!(!first.validate(&run).await.observed.is_repeat);
    assert_eq!(sent(&server, "current-user"), 2);
}

#[tokio::test]
async fn refused_client_secret_is_not_sent_by_later_runs() {
    let case = healthy();
    write(case.path(), "token", 401, r#"{"error":"invalid_client"}"#);
    let server = Server::start(&SUBJECT, case.path(), None).await;
    let validator = validator(&PLATFORM, &oauth(&server.address));
    let run = context(Mode::Recurring);
    for _ in 0..3 {
        assert_eq!(validator.validate(&run).await.report.class(), Some(Class::Denied));
        run.log_ins.stored();
        assert_eq!(sent(&server, "token"), 1);
    }
}

#[tokio::test]
async fn log_in_without_an_answer_is_tried_at_every_run() {
    let case = healthy();
    write(case.path(), "current-user", 503, "");
    let server = Server::start(&SUBJECT, case.path(), None).await;
    let validator = validator(&PLATFORM, &all_well(&server.address));
    let run = context(Mode::Recurring);
    let mut before = 0;
    for _ in 0..3 {
        let validated = validator.validate(&run).await;
        run.log_ins.stored();
        assert!(!validated.report.class().unwrap().is_definitive());
        assert!(before < sent(&server, "current-user") && !validated.observed.is_repeat);
        before = sent(&server, "current-user");
    }
}

#[tokio::test]
async fn password_outside_of_latin_1_is_refused_unsent() {
    let server = Server::start(&SUBJECT, &cases("trino").join("all-well"), None).await;
    let mut config = all_well(&server.address);
    config["password"] = "пароль-hunter2".into();
    let report = validator(&PLATFORM, &config).validate(&context(Mode::Recurring)).await.report;
    let (status, message) = result(&report, AUTHENTICATION);
    assert_eq!((status, report.class()), (ReportStatus::Failed, Some(Class::Invalid)));
    assert!(message.contains("not in ISO-8859-1"), "{message}");
    assert!(server.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

#[tokio::test]
async fn roles_and_headers_reach_the_cluster_and_roles_no_other_user() {
    let server = Server::start(&SUBJECT, &cases("trino").join("all-well"), None).await;
    let mut config = all_well(&server.address);
    config["role"] = "reader".into();
    config["roles"] = json!({ "lake": "admin" });
    config["clientTags"] = json!(["a", "b"]);
    let report = validator(&PLATFORM, &config).validate(&context(Mode::Recurring)).await.report;
    assert_eq!(report.status(), ReportStatus::Passed, "{report:?}");
    for seen in server.seen().iter().filter(|seen| seen.line != "GET /v1/info") {
        assert_eq!(seen.header("x-trino-client-tags"), Some("a,b"), "{seen:?}");
        let is_probe = super::who(seen) == "probe";
        assert_eq!(seen.header("x-trino-role").is_none(), is_probe, "{seen:?}");
    }
}

/// A catalog whose connector did not start is listed all the same; whether its schemas may be listed is
/// not asked.
#[tokio::test]
async fn every_catalog_is_tried_and_the_broken_ones_are_named() {
    let denied = "Access Denied: Cannot select from table lake.information_schema.schemata";
    let disabled = "Catalog 'warehouse' failed to initialize and is disabled";
    let unused = "The catalog [warehouse] is listed but could not be used.";
    let table = [
        ("CATALOG_UNAVAILABLE", 125, disabled, Some(Class::Unavailable), "did not start."),
        ("CATALOG_NOT_FOUND", 44, "Catalog 'warehouse' not found", Some(Class::Missing), unused),
        ("GENERIC_INTERNAL_ERROR", 65_536, "trouble", Some(Class::Unavailable), unused),
        ("JDBC_ERROR", 67_108_864, "refused", Some(Class::Unavailable), unused),
        ("PERMISSION_DENIED", 4, denied, None, ""),
    ];
    for (name, number, message, class, expected) in table {
        let case = healthy();
        let kind = if number < 65_536 { "USER_ERROR" } else { "EXTERNAL" };
        let kind = if number == 65_536 { "INTERNAL_ERROR" } else { kind };
        let error = json!({
            "message": message, "errorCode": number, "errorName": name, "errorType": kind,
        });
        let body = json!({ "id": "q", "stats": { "state": "FAILED" }, "error": error }).to_string();
        // The second catalog, and the second try of it.
        for place in ["catalog.2", "catalog.3"] {
            write(case.path(), place, 200, &body);
        }
        let (report, _) = report_of(case.path()).await;
        let (status, found) = result(&report, CATALOGS);
        assert_eq!(report.class(), class, "{name}: {found}");
        assert_eq!(status == ReportStatus::Passed, class.is_none(), "{name}: {found}");
        assert!(found.contains(expected) && !found.contains("lake"), "{name}: {found}");
    }
}

/// The second statement that meets a coordinator which has just been restarted, or a standby.
#[tokio::test]
async fn forgotten_query_is_posted_once_more_and_then_fails_in_its_own_words() {
    for (answers, expected) in [(1, None), (9, Some(Class::Unavailable))] {
        let case = healthy();
        for number in 1..=answers {
            let name = format!("next-nodes.{number}");
            write(case.path(), &name, 404, "Error 404 Not Found: Query not found");
        }
        if expected.is_some() {
            write(case.path(), "next-nodes", 404, "Error 404 Not Found: Query not found");
        }
        let (report, posted) = report_of(case.path()).await;
        assert_eq!((report.class(), posted), (expected, 2), "{report:?}");
        let (_, found) = result(&report, QUERY);
        assert_eq!(found.contains("The cluster has forgotten the query"), expected.is_some());
        assert!(!found.contains("credentials"), "{found}");
    }
}

/// A statement that was taken proves the log-in: the query fails, and it is not posted a second time.
#[tokio::test]
async fn query_that_waits_is_no_failed_log_in() {
    let case = healthy();
    let body = std::fs::read_to_string(case.path().join("current-user.http")).unwrap();
    for name in ["", ".1", ".2", ".3"] {
        std::fs::write(case.path().join(format!("next-current-user{name}.http")), &body).unwrap();
    }
    let server = Server::start(&SUBJECT, case.path(), None).await;
    let mut run = context(Mode::Recurring);
    run.test_limit = Duration::from_secs(2);
    let mut config = all_well(&server.address);
    config.as_object_mut().unwrap().remove("expectedUser");
    let report = validator(&PLATFORM, &config).validate(&run).await.report;
    assert_eq!(result(&report, AUTHENTICATION), (ReportStatus::Passed, ""), "{report:?}");
    let (status, message) = result(&report, QUERY);
    assert_eq!((status, report.class()), (ReportStatus::Failed, Some(Class::Unavailable)));
    assert!(message.contains("waits: it is QUEUED"), "{message}");
    let asked = |name: &str| {
        server.seen().iter().filter(|seen| asked_for(seen).as_deref() == Some(name)).count()
    };
    assert_eq!((asked("current-user"), asked("nodes"), asked("cancel")), (1, 0, 1));
}

/// Behind a private link the coordinator names its public host, which is asked for over the link.
#[tokio::test]
async fn page_at_the_public_host_is_asked_for_at_the_endpoint() {
    let case = healthy();
    let public = std::fs::read_to_string(case.path().join("nodes.http")).unwrap();
    let moved =
        |host: &str| public.replace("\"nextUri\": \"@server@", &format!("\"nextUri\": \"{host}"));
    for (host, expected) in [
        ("https://trino.example.com", None),
        ("https://trino.example.com:8443", None),
        ("http://trino.example.com", Some(Class::Invalid)),
        ("https://evil.example", Some(Class::Invalid)),
    ] {
        assert!(moved(host).contains(host), "{public}");
        std::fs::write(case.path().join("nodes.http"), moved(host)).unwrap();
        let (report, posted) = report_of(case.path()).await;
        assert_eq!((report.class(), posted), (expected, 1), "{host}: {report:?}");
        let finding = report.tests.iter().find_map(|one| one.outcome.finding());
        let fix = finding.and_then(|finding| finding.remediation.clone()).unwrap_or_default();
        assert_eq!(fix.contains("keep the Host header"), expected.is_some(), "{host}: {fix}");
    }
}

/// Passwords of the system account and of the probe user that are refused are not sent again by the same
/// configuration, nor by another integration that has them.
#[tokio::test]
async fn refused_credentials_are_not_sent_again_until_they_change() {
    for operation in ["current-user", "enforced"] {
        let case = healthy();
        write(case.path(), operation, 401, "Access Denied: Invalid credentials");
        let server = Server::start(&SUBJECT, case.path(), None).await;
        let mut config = all_well(&server.address);
        config["accessControlProbe"] = json!({
            "table": "lake.probe.orders", "username": "probe", "password": "hunter2-probe",
        });
        let sent = || {
            let is_sent = |seen: &&crate::platforms::testing::Seen| {
                asked_for(seen).as_deref() == Some(operation)
            };
            server.seen().iter().filter(is_sent).count()
        };
        let run = context(Mode::Recurring);
        for is_repeat in [false, true, true] {
            let found = validator(&PLATFORM, &config).validate(&run).await;
            assert_eq!(found.report.class(), Some(Class::Denied), "{operation}");
            assert_eq!((found.observed.is_repeat, sent()), (is_repeat, 1), "{operation}");
            run.log_ins.stored();
        }
        let key =
            if operation == "enforced" { &mut config["accessControlProbe"] } else { &mut config };
        key["password"] = "hunter3-hunter2".into();
        let found = validator(&PLATFORM, &config).validate(&run).await;
        assert_eq!((found.observed.is_repeat, sent()), (false, 2), "{operation}: another password");
    }
}

#[tokio::test]
async fn password_or_certificate_that_cannot_be_used_is_found_without_a_connection() {
    let probe = json!({ "table": "a.b.c", "username": "probe", "password": "пароль" });
    let broken = json!({ "certificate": "hunter2", "key": "hunter2" });
    let table = [
        (json!({}), ""),
        (json!({ "password": "pässwörd" }), ""),
        (json!({ "password": { "file": "/nowhere" } }), ""),
        (json!({ "password": "€" }), "config.password"),
        (json!({ "accessControlProbe": probe }), "config.accessControlProbe.password"),
        (json!({ "tls": broken }), "config.tls.certificate"),
    ];
    for (changes, expected) in table {
        let mut config = all_well("https://trino.example.com");
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        let found = validator(&PLATFORM, &config).examine().await;
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths.join(" "), expected, "{changes}: {found:?}");
        assert!(found.iter().all(|(_, why)| !why.contains("hunter2")), "{found:?}");
    }
}
