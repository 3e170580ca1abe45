//! Runs of the validator against a real `PostgreSQL`, which Redshift's protocol comes from.
//!
//! `tests/servers/postgres.sh` starts the server, `tests/real/postgres_redshift.sql` fills it. The
//! tests share one while any of them runs; it stops with the last, or when this process is killed.

mod abandoned;
mod cases;
mod connection;
mod grants;
mod iam;
mod messages;
mod observed;
mod server;
mod transient;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};

use super::client::Statement;
use super::*;
use crate::domain::{Outcome, Report, Timestamp};
use crate::input::{Faults, Value};
use server::Server;

const PASSED: &str = "passed";
const BEFORE: &str = "skipped: applies before set-up";
const AFTER: &str = "skipped: applies after set-up";
const NO_IMPERSONATION: &str = "skipped: impersonation is not enabled";

fn redshift(port: u16, ca: &Path, changes: Json) -> Box<dyn Validator> {
    let mut config = json!({
        "host": "127.0.0.1", "port": port, "database": "immuta",
        "username": "u_scram", "password": "pw-scram", "tls": {"caFile": ca},
    });
    let Json::Object(changes) = changes else { panic!("changes are an object") };
    for (key, value) in changes {
        config[key] = value;
    }
    let value = Value::from_json(&config, &Arc::from("test"));
    let faults = Faults::default();
    let found = (PLATFORM.parse)(Reader::new(&value, "config", &faults).unwrap(), false);
    found.unwrap_or_else(|| panic!("{:?}", faults.into_parts().0))
}

/// Long enough for a busy machine, too short for a second attempt beside `connectTimeout`.
fn context(mode: Mode) -> RunContext {
    RunContext {
        test_limit: Duration::from_secs(10),
        run_limit: Duration::from_mins(1),
        now: Timestamp(0),
        ..crate::platforms::testing::context(mode)
    }
}

async fn recurring(validator: &dyn Validator) -> Report {
    validator.validate(&context(Mode::Recurring)).await.report
}

async fn preflight(validator: &dyn Validator) -> Report {
    validator.validate(&context(Mode::Preflight)).await.report
}

/// `status` or `status: message` of every test, in catalog order.
fn lines(report: &Report) -> Vec<String> {
    let line = |outcome: &Outcome| {
        let status = outcome.status().as_str();
        outcome.message().map_or_else(|| status.to_owned(), |text| format!("{status}: {text}"))
    };
    assert!(report.tests.iter().map(|found| found.test).eq(CATALOG.iter().copied()));
    report.tests.iter().map(|found| line(&found.outcome)).collect()
}

fn not_run(test: Test) -> String {
    format!("skipped: Not run because [{}] did not pass.", test.name)
}

/// Asserts that logging in failed with this class and detail, that the message is bounded, that
/// there is a remedy, and that everything else is skipped.
fn assert_refused(report: &Report, class: Class, detail: &str) {
    let found = lines(report);
    assert_eq!(found[0], format!("failed: Unable to connect to host. {detail}"));
    assert_eq!(found[1..], [BEFORE, BEFORE, &not_run(CONNECT), NO_IMPERSONATION]);
    let finding = report.tests[0].outcome.finding().unwrap();
    assert_eq!(finding.class, class, "{finding:?}");
    assert!(finding.remediation.as_ref().is_some_and(|text| !text.is_empty()), "{finding:?}");
    assert!(!format!("{finding:?}").contains("pw-"), "{finding:?}");
}

#[test]
fn the_catalog_says_what_is_published() {
    let published = [
        (CONNECT, "Initial validation: basic connection test", "Unable to connect to host."),
        (
            DATABASE_ABSENT,
            "Validate automatic: database does not exist",
            "The database already exists. If this database can be safely dropped, please do so \
            and try again. Alternatively, specify a different database name.",
        ),
        (
            ROLE_ABSENT,
            "Validate automatic: impersonation role does not exist",
            "Impersonation role already exists. If this role can be safely dropped please do so \
            and try again. Alternatively, specify a different role name.",
        ),
    ];
    for (test, name, message) in published {
        assert_eq!((test.name, test.message), (name, message));
    }
}

#[test]
fn an_integration_is_known_by_host_port_and_database() {
    let changes = json!({"host": "R.Example.Com", "database": "Immuta", "initialDatabase": "dev"});
    let found = redshift(5439, Path::new("/ca.pem"), changes).identity();
    assert_eq!(found.host, "r.example.com:5439");
    assert_eq!(found.target.as_deref(), Some("r.example.com:5439/immuta"));
    assert_eq!(found.config_name, None);
}

#[tokio::test]
async fn every_kind_of_password_logs_in() {
    let server = Server::shared();
    let users = [
        ("u_scram", "pw-scram"),
        ("u_md5", "pw-md5"),
        ("u_clear", "pw-clear"),
        ("U Ünïcode \"quoted\"", "pw-unicode"),
    ];
    for (username, password) in users {
        let validator = server.redshift(json!({"username": username, "password": password}));
        let found = lines(&recurring(&*validator).await);
        assert_eq!(found, [PASSED, BEFORE, BEFORE, PASSED, NO_IMPERSONATION], "{username}");
    }
}

#[tokio::test]
async fn every_refusal_of_the_server_has_its_class_and_text() {
    let server = Server::shared();
    let user = |name: &str| json!({"username": name, "password": name.replace("u_", "pw-")});
    let login = |name: &str| json!({"initialDatabase": name});
    let cases = [
        (
            json!({"password": "pw-wrong"}),
            Class::Denied,
            "[28P01] password authentication failed for user \"u_scram\"",
        ),
        (
            json!({"username": "u_md5", "password": "pw-wrong"}),
            Class::Denied,
            "[28P01] password authentication failed for user \"u_md5\"",
        ),
        (
            user("u_unknown"),
            Class::Denied,
            "[28P01] password authentication failed for user \"u_unknown\"",
        ),
        (
            user("u_expired"),
            Class::Denied,
            "[28P01] password authentication failed for user \"u_expired\"",
        ),
        (user("u_nologin"), Class::Denied, "[28000] role \"u_nologin\" is not permitted to log in"),
        (
            json!({"username": "u_rejected", "password": "pw-of-none"}),
            Class::Denied,
            "[28000] pg_hba.conf rejects connection for host \"127.0.0.1\", user \"u_rejected\", \
            database \"immuta\", SSL encryption",
        ),
        (
            user("u_limited"),
            Class::Throttled,
            "[53300] too many connections for role \"u_limited\"",
        ),
        (
            login("closed"),
            Class::Invalid,
            "[55000] database \"closed\" is not currently accepting connections",
        ),
        (login("walled"), Class::Denied, "[42501] permission denied for database \"walled\""),
        (login("absent"), Class::Missing, "[3D000] database \"absent\" does not exist"),
    ];
    for (changes, class, detail) in cases {
        let report = recurring(&*server.redshift(changes)).await;
        assert_refused(&report, class, detail);
    }
}

#[tokio::test]
async fn the_impersonation_role_is_a_group_or_a_role() {
    const HIDDEN: &str = "The impersonation role [absent] does not exist or is not visible to the \
        Immuta system account.";
    let server = Server::shared();
    let failed = format!("failed: {HIDDEN}");
    let cases = [
        ("immuta", json!({"enabled": true}), PASSED),
        ("immuta", json!({"enabled": true, "role": "IMMUTA_IMPERSONATION"}), PASSED),
        ("immuta", json!({"enabled": true, "role": "As_Role"}), PASSED),
        ("immuta", json!({"enabled": true, "role": "absent"}), &failed),
        ("immuta", json!({"enabled": false, "role": "absent"}), NO_IMPERSONATION),
        ("no_view", json!({"enabled": true}), PASSED),
        ("no_view", json!({"enabled": true, "role": "absent"}), &failed),
        ("no_grant", json!({"enabled": true}), PASSED),
        ("no_grant", json!({"enabled": true, "role": "absent"}), &failed),
    ];
    for (login, impersonation, expected) in cases {
        let changes = json!({"initialDatabase": login, "impersonation": impersonation});
        let report = recurring(&*server.redshift(changes)).await;
        assert_eq!(lines(&report), [PASSED, BEFORE, BEFORE, PASSED, expected], "{login}");
        let Some(finding) = report.tests[4].outcome.finding() else { continue };
        assert_eq!(finding.class, Class::Missing);
        let fix = "CREATE GROUP \"absent\"; or, where it is a role, GRANT ROLE \"absent\" TO \
            \"u_scram\"; svv_roles shows a user its own roles alone.";
        assert_eq!(finding.remediation.as_deref(), Some(fix));
        assert_eq!(finding.evidence.is_some(), login != "immuta", "{finding:?}");
    }
}

#[tokio::test]
async fn preflight_wants_neither_database_nor_role() {
    let server = Server::shared();
    let found_database = format!("failed: {} Found database [immuta].", DATABASE_ABSENT.message);
    let found = |what: &str| format!("failed: {} Found {what}.", ROLE_ABSENT.message);
    let blind =
        |why: &str| format!("warning: Only groups were looked at: roles cannot be read. {why}");
    let role = |name: &str| json!({"enabled": true, "role": name});
    let cases = [
        ("immuta", "immuta", role("as_role"), found_database.clone(), found("role [as_role]")),
        (
            "immuta",
            "immuta",
            role("immuta_impersonation"),
            found_database.clone(),
            found("group [immuta_impersonation]"),
        ),
        ("dev", "planned", role("planned"), PASSED.to_owned(), PASSED.to_owned()),
        ("dev", "planned", json!({}), PASSED.to_owned(), NO_IMPERSONATION.to_owned()),
        (
            "no_view",
            "planned",
            role("planned"),
            PASSED.to_owned(),
            blind("[42P01] relation \"svv_roles\" does not exist"),
        ),
        (
            "no_grant",
            "planned",
            role("planned"),
            PASSED.to_owned(),
            blind("[42501] permission denied for view svv_roles"),
        ),
    ];
    for (login, database, impersonation, first, second) in cases {
        let changes = json!({
            "initialDatabase": login, "database": database, "impersonation": impersonation,
        });
        let report = preflight(&*server.redshift(changes)).await;
        assert_eq!(lines(&report), [PASSED, &first, &second, AFTER, AFTER], "{login} {database}");
    }
}

#[tokio::test]
async fn a_log_in_to_a_missing_database_proves_the_connection_and_that_it_is_missing() {
    let server = Server::shared();
    let changes = json!({"database": "Absent", "impersonation": {"enabled": true}});
    let validator = server.redshift(changes);
    let report = recurring(&*validator).await;
    let missing = "failed: The Immuta-managed database [absent] does not exist or is not visible \
        to the Immuta system account.";
    let skipped = not_run(DATABASE_EXISTS);
    assert_eq!(lines(&report), [PASSED, BEFORE, BEFORE, missing, &skipped]);
    let finding = report.tests[3].outcome.finding().unwrap();
    assert_eq!(finding.class, Class::Missing);
    assert!(finding.remediation.as_ref().unwrap().contains("CREATE DATABASE \"absent\";"));
    assert!(finding.evidence.as_ref().unwrap().contains("database \"absent\" does not exist"));

    let report = preflight(&*validator).await;
    let skipped = "skipped: Not run because there is no database to log in to; name one in \
        `initialDatabase`.";
    assert_eq!(lines(&report), [PASSED, PASSED, skipped, AFTER, AFTER]);
}

#[tokio::test]
async fn a_dropped_database_is_noticed_at_the_next_run() {
    let server = Server::shared();
    server.sql("postgres", "CREATE DATABASE doomed");
    let impersonation = json!({"enabled": true});
    let inside = json!({"database": "doomed", "impersonation": impersonation});
    let mut outside = inside.clone();
    outside["initialDatabase"] = json!("dev");
    let [inside, outside] = [inside, outside].map(|changes| server.redshift(changes));
    let good = [PASSED, BEFORE, BEFORE, PASSED, PASSED];
    assert_eq!(lines(&recurring(&*inside).await), good);
    assert_eq!(lines(&recurring(&*outside).await), good);

    server.sql("postgres", "DROP DATABASE doomed WITH (FORCE)");
    let missing = "failed: The Immuta-managed database [doomed] does not exist or is not visible \
        to the Immuta system account.";
    let skipped = not_run(DATABASE_EXISTS);
    assert_eq!(lines(&recurring(&*inside).await), [PASSED, BEFORE, BEFORE, missing, &skipped]);
    assert_eq!(lines(&recurring(&*outside).await), [PASSED, BEFORE, BEFORE, missing, PASSED]);
}

#[tokio::test]
async fn hostile_names_are_values_and_never_text() {
    let server = Server::shared();
    let names = [
        ("x'; DROP TABLE role_rows; --", true),
        ("o\"clock", true),
        ("größe", true),
        ("x' OR '1'='1", false),
        ("\\'; DROP TABLE role_rows; --", false),
        ("$1", false),
        ("%", false),
        ("\u{202e}\u{1f4a3}", false),
    ];
    for (name, is_there) in names {
        let changes = json!({
            "initialDatabase": "immuta", "database": name,
            "impersonation": {"enabled": true, "role": name},
        });
        let found = lines(&recurring(&*server.redshift(changes)).await);
        let missing = |what| {
            let name = name.to_lowercase();
            format!(
                "failed: The {what} [{name}] does not exist or is not visible to the Immuta \
                system account."
            )
        };
        assert_eq!(found[3], missing("Immuta-managed database"), "{found:?}");
        let role = if is_there { PASSED.to_owned() } else { missing("impersonation role") };
        assert_eq!(found[4], role, "{found:?}");
    }
    let left = server.sql("immuta", "SELECT count(*) FROM role_rows");
    assert_eq!(left.trim(), "1");
}

#[tokio::test]
async fn the_server_sees_nothing_but_the_listed_statements_over_tls() {
    let server = Server::shared();
    let changes = json!({"impersonation": {"enabled": true, "role": "absent"}});
    let validator = server.redshift(changes);
    recurring(&*validator).await;
    preflight(&*validator).await;
    validator.surplus(&context(Mode::Recurring), &Observed::default()).await;
    let listed: BTreeSet<String> = [
        Statement::Ping,
        Statement::Database(""),
        Statement::Group(""),
        Statement::Role(""),
        Statement::CreatesDatabases,
    ]
    .map(|statement| format!("execute <unnamed>: {}", statement.sql()))
    .into();
    let mut seen = BTreeSet::new();
    for line in server.log() {
        // Sessions that were ended from this side leave the server without a client to answer (08006).
        if line["application_name"] != "revalidated" || line["state_code"] == "08006" {
            continue;
        }
        let text = line["message"].as_str().unwrap();
        if line["statement"].is_string() {
            let statement = format!("execute <unnamed>: {}", line["statement"].as_str().unwrap());
            assert!(listed.contains(&statement), "{line}");
        } else if text.starts_with("connection authorized: ") {
            assert!(text.contains("SSL enabled (protocol=TLSv1.3"), "{line}");
        } else if !text.starts_with("disconnection: ") && line["error_severity"] == "LOG" {
            assert!(listed.contains(text), "{line}");
            seen.insert(text.to_owned());
        }
    }
    assert_eq!(seen, listed);
}
