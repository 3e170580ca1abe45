//! Snowflake against two independent servers.

use super::*;

/// Name, changes of the configuration, test, and what it reports.
type StandInCase = (&'static str, Json, Test, &'static str, &'static str);

fn snowduck_cases(closed: &str) -> [StandInCase; 12] {
    let key = json!({ "authenticationType": "keyPair", "token": null, "username": "anna",
        "privateKey": { "content": key_pem() } });
    let password = json!({ "authenticationType": "userPassword", "token": null,
        "username": "anna", "password": "hunter2" });
    let with = |base: &Json, changes: Json| {
        let mut config = base.clone();
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        config
    };
    let no_warehouse = "Warehouse [NOPE] does not exist or is not visible to role [SYSADMIN].";
    let no_database = "The Immuta-managed database [NOPE] does not exist";
    let no_roles = "Snowflake responded with code [000002] and message [000002 (0A000): SHOW ROLES";
    let grants = json!({ "tableGrants": { "enabled": true } });
    [
        ("token", json!({}), WAREHOUSE, "passed", ""),
        ("token", json!({}), ROLE, "passed", ""),
        ("key", key.clone(), DATABASE_EXISTS, "passed", ""),
        ("password", password.clone(), WAREHOUSE, "passed", ""),
        ("password", password.clone(), DATABASE_EXISTS, "passed", ""),
        ("no warehouse", json!({ "warehouse": "nope" }), WAREHOUSE, "failed", no_warehouse),
        (
            "no database",
            with(&key, json!({ "database": "nope" })),
            DATABASE_EXISTS,
            "failed",
            no_database,
        ),
        (
            "password, no database",
            with(&password, json!({ "database": "nope" })),
            DATABASE_EXISTS,
            "failed",
            no_database,
        ),
        (
            "another role",
            json!({ "role": "nope" }),
            ROLE,
            "failed",
            "The session has role [SYSADMIN] instead of [NOPE].",
        ),
        ("SQL error", grants.clone(), PREFIX, "failed", no_roles),
        ("password, SQL error", with(&password, grants), PREFIX, "failed", no_roles),
        (
            "no server there",
            json!({ "endpoint": closed }),
            CONNECT,
            "failed",
            "Unable to connect to host. No connection",
        ),
    ]
}

#[tokio::test]
async fn snowduck_answers_for_warehouses_databases_and_errors() {
    let duck = StandIn::start("snowduck");
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    for (name, changes, test, status, expected) in snowduck_cases(&closed) {
        let mut config = json!({
            "host": "org-account.snowflakecomputing.com", "endpoint": duck.value("endpoint"),
            "warehouse": "default_warehouse", "database": "immuta", "role": "sysadmin",
            "authenticationType": "programmaticAccessToken", "token": "hunter2",
            "tableGrants": { "enabled": false },
        });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        let report = validator(&PLATFORM, &config).validate(&context(Mode::Recurring)).await.report;
        let found = outcome(&report, test);
        assert!(found.0 == status && found.1.contains(expected), "{name}: {found:?} {report:?}");
        if status == "passed" {
            assert_eq!(report.class(), None, "{name}: {report:?}");
        }
    }
}

/// fakesnow lacks `CURRENT_ACCOUNT` and gives rows in Arrow only, so that what is seen of it is the
/// log-in, a refused statement within the session, and the session's end.
#[tokio::test]
async fn passwords_log_in_to_fakesnow() {
    let fake = StandIn::start("fakesnow");
    let config = json!({
        "host": "org-account.snowflakecomputing.com", "endpoint": fake.value("endpoint"),
        "warehouse": "wh", "database": "immuta", "authenticationType": "userPassword",
        "username": "anna", "password": "hunter2",
    });
    let report = validator(&PLATFORM, &config).validate(&context(Mode::Recurring)).await.report;
    let found = finding(&report, CONNECT);
    assert_eq!(found.class, Class::Missing);
    let expected = "Unable to connect to host. Snowflake responded with code [002";
    assert!(found.message.starts_with(expected), "{}", found.message);
    assert!(!format!("{report:?}").contains("hunter2"));
    let log = fake.value("log").to_owned();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(
        log.contains("POST /session/v1/login-request") && log.contains("Session login"),
        "{log}"
    );
}
