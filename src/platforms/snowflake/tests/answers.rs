//! Answers of public reports, sent to the whole validator: class, advice, and number of log-ins.

use super::*;
use crate::platforms::LogIns;

/// Server that answers as in the case `password`, but for the answers in `files`.
async fn answering(files: &[(&str, String)]) -> (tempfile::TempDir, Server, Box<dyn Validator>) {
    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("case");
    std::fs::create_dir(&case).unwrap();
    let all_well = cases("snowflake").join("all-well");
    std::os::unix::fs::symlink(all_well, dir.path().join("all-well")).unwrap();
    for (name, text) in files {
        std::fs::write(case.join(format!("{name}.http")), text).unwrap();
    }
    let server = Server::start(&SUBJECT, &case, None).await;
    let secret = dir.path().join("password");
    std::fs::write(&secret, SECRET).unwrap();
    let config = json!({
        "host": "org-account.snowflakecomputing.com", "endpoint": server.address,
        "warehouse": "immuta_wh", "database": "IMMUTA", "role": "immuta_system",
        "authenticationType": "userPassword", "username": "immuta_system_account",
        "password": { "file": secret },
    });
    (dir, server, Box::new(snowflake(&config)))
}

/// Answer of the drivers' protocol that refuses a log-in.
fn refusal(code: &str, message: &str) -> String {
    let body = json!({ "data": { "nextAction": "RETRY_LOGIN" }, "code": code,
        "message": message, "success": false });
    format!("# a public report\n200\ncontent-type: application/json\n\n{body}")
}

fn log_ins(server: &Server) -> usize {
    server.seen().iter().filter(|seen| asked_for(seen).as_deref() == Some("login")).count()
}

/// The sources are in `docs/platforms/snowflake.md`.
#[tokio::test]
async fn refused_log_in_is_sent_once_and_advised_by_its_cause() {
    let table = [
        ("390100", "Incorrect username or password was specified.", Class::Denied, "single-factor"),
        (
            "390101",
            "User access disabled. Contact your local system administrator.",
            Class::Denied,
            "SET DISABLED = FALSE",
        ),
        (
            "390102",
            "Your user account has been temporarily locked due to too many failed attempts.",
            Class::Denied,
            "MINS_TO_UNLOCK = 0",
        ),
        (
            "390106",
            "Specified password has expired.  Password must be changed using the Snowflake web \
            console.",
            Class::Expired,
            "MUST_CHANGE_PASSWORD = FALSE",
        ),
        (
            "394507",
            "Failed to authenticate: MFA authentication is required, but none of your current MFA \
            methods are supported for programmatic authentication.",
            Class::Denied,
            "TYPE = SERVICE",
        ),
        (
            "390202",
            "Authentication attempt rejected by the current authentication policy.",
            Class::Denied,
            "AUTHENTICATION_METHODS = ('PASSWORD')",
        ),
        (
            "390422",
            "Incoming request with IP/Token 203.0.113.7 is not allowed to access Snowflake.",
            Class::Denied,
            "ALLOWED_NETWORK_RULE_LIST",
        ),
        ("399999", "A reason that is not listed.", Class::Denied, "`username`"),
    ];
    for (code, message, class, advice) in table {
        let (_dir, server, validator) = answering(&[("login", refusal(code, message))]).await;
        let report = validator.validate(&context(Mode::Recurring)).await.report;
        let found = finding(&report, CONNECT);
        assert_eq!(found.class, class, "{message}");
        assert!(found.message.contains(message.split_whitespace().next().unwrap()), "{found:?}");
        let remediation = found.remediation.as_deref().unwrap();
        assert!(remediation.contains(advice), "{message}: {remediation}");
        assert_eq!(log_ins(&server), 1, "{message}");
    }
}

#[tokio::test]
async fn refused_password_is_not_sent_by_later_runs_until_it_changes() {
    let refused = refusal("390100", "Incorrect username or password was specified.");
    let (dir, server, validator) = answering(&[("login", refused)]).await;
    let run = context(Mode::Recurring);
    let first = validator.validate(&run).await;
    run.log_ins.stored();
    let second = validator.validate(&run).await;
    assert_eq!(log_ins(&server), 1);
    assert!(!first.observed.is_repeat && second.observed.is_repeat);
    let (before, after) = (finding(&first.report, CONNECT), finding(&second.report, CONNECT));
    assert_eq!((before.class, &before.message), (after.class, &after.message));
    assert_eq!(before.remediation, after.remediation);
    let evidence = after.evidence.as_deref().unwrap();
    assert!(evidence.starts_with("not tried again: refused at "), "{evidence}");
    std::fs::write(dir.path().join("password"), "pLanted-passw0rd-Zq7-new").unwrap();
    assert!(!validator.validate(&run).await.observed.is_repeat);
    assert_eq!(log_ins(&server), 2);
    let asked = RunContext { log_ins: LogIns::default(), ..run };
    validator.validate(&asked).await;
    assert_eq!(log_ins(&server), 3, "a process of its own");
}

#[tokio::test]
async fn refused_address_is_tried_at_every_run() {
    let refused = refusal("390422", "Incoming request is not allowed to access Snowflake.");
    let (_dir, server, validator) = answering(&[("login", refused)]).await;
    let run = context(Mode::Recurring);
    for expected in 1..=3 {
        validator.validate(&run).await;
        run.log_ins.stored();
        assert_eq!(log_ins(&server), expected);
    }
}

#[tokio::test]
async fn statement_that_does_not_end_is_aborted() {
    let running = json!({ "code": "333333", "message": "Query execution in progress.",
        "success": true, "data": { "queryId": "01b7d0a2-0000-4d1c-0000-0002" } });
    let running = format!("# a statement that waits\n200\n\n{running}");
    let files = [("driver-usable", running.clone()), ("driver-poll", running)];
    let (_dir, server, validator) = answering(&files).await;
    let run = RunContext { test_limit: Duration::from_secs(2), ..context(Mode::Recurring) };
    let report = validator.validate(&run).await.report;
    let found = finding(&report, WAREHOUSE);
    assert_eq!(found.class, Class::Unavailable);
    let expected = "The question could not be answered. The statement was still running";
    assert!(found.message.starts_with(expected), "{}", found.message);
    let seen = server.seen();
    let ids: Vec<_> = ["driver-usable", "driver-abort"]
        .iter()
        .map(|name| seen.iter().find(|seen| asked_for(seen).as_deref() == Some(name)).unwrap())
        .collect();
    let aborted: Json = serde_json::from_str(&ids[1].body).unwrap();
    let id = aborted["requestId"].as_str().unwrap();
    assert!(ids[0].line.contains(id), "{} {aborted}", ids[0].line);
}

/// Statuses that snowflake-connector-python 4.8.1 tries again (`is_retryable_http_code`).
#[tokio::test]
async fn status_that_the_connectors_retry_passes_by_itself() {
    for status in [307, 308, 400, 403, 405, 408, 429, 500, 502, 503, 504] {
        let page = format!("# a gateway\n{status}\ncontent-type: text/html\n\n<title>No</title>");
        let once = [("login.1", page.clone())];
        let (_dir, _server, validator) = answering(&once).await;
        let report = validator.validate(&context(Mode::Recurring)).await.report;
        assert_eq!(outcome(&report, CONNECT).0, "passed", "{status}: {report:?}");
        let (_dir, server, validator) = answering(&[("login", page)]).await;
        let report = validator.validate(&context(Mode::Recurring)).await.report;
        assert!(!finding(&report, CONNECT).class.is_definitive(), "{status}");
        assert_eq!(log_ins(&server), 3, "{status}");
    }
}

fn log_in_of(server: &Server) -> Json {
    let seen = server.seen();
    let log_in = seen.iter().find(|seen| asked_for(seen).as_deref() == Some("login")).unwrap();
    serde_json::from_str::<Json>(&log_in.body).unwrap()["data"].take()
}

#[tokio::test]
async fn identity_of_a_workload_logs_in_with_a_token() {
    const TOKEN: &str = "pLanted-passw0rd-Zq7.b.c";
    let issued = json!({ "access_token": TOKEN, "expires_in": "3599", "token_type": "Bearer" });
    let google = format!("# Google's metadata server\n200\n\n{TOKEN}\n");
    let table = [
        (json!({ "provider": "OIDC", "token": TOKEN }), String::new(), ""),
        (json!({ "provider": "AWS", "token": TOKEN }), String::new(), ""),
        (
            json!({ "provider": "AZURE", "clientId": "c" }),
            format!("# Azure's instance metadata service\n200\n\n{issued}"),
            "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=api%3A%2F%2F\
            fd3f753b-eed3-462c-b6a7-a4b5bb650aad&client_id=c",
        ),
        (
            json!({ "provider": "GCP" }),
            google,
            "GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=\
            snowflakecomputing.com",
        ),
    ];
    for (mut identity, metadata, line) in table {
        let (_dir, server, _) = answering(&[("none", metadata)]).await;
        identity["metadataEndpoint"] = server.address.clone().into();
        let provider = identity["provider"].clone();
        let config = minimal(&json!({
            "endpoint": server.address, "authenticationType": "workloadIdentity", "token": null,
            "workloadIdentity": identity, "tableGrants": { "enabled": false },
        }));
        let report = snowflake(&config).validate(&context(Mode::Recurring)).await.report;
        assert_eq!(outcome(&report, CONNECT).0, "passed", "{provider}: {report:?}");
        let data = log_in_of(&server);
        assert_eq!(
            (&data["AUTHENTICATOR"], &data["PROVIDER"]),
            (&json!("WORKLOAD_IDENTITY"), &provider)
        );
        assert_eq!((&data["TOKEN"], data.get("LOGIN_NAME")), (&json!(TOKEN), None));
        let first = server.seen().remove(0);
        assert!(line.is_empty() || first.line == line, "{}", first.line);
    }
}

#[tokio::test]
async fn machine_without_an_identity_is_advised_and_not_logged_in() {
    let refused = json!({ "error": "invalid_request", "error_description": "Identity not found" });
    let table = [
        ("AZURE", format!("# Azure\n400\n\n{refused}"), Class::Invalid),
        ("AZURE", "# Azure, busy\n410\n\n".to_owned(), Class::Unavailable),
        ("GCP", "# Google, without a service account\n404\n\nNot found".to_owned(), Class::Invalid),
    ];
    for (provider, metadata, class) in table {
        let (_dir, server, _) = answering(&[("none", metadata)]).await;
        let identity = json!({ "provider": provider, "metadataEndpoint": server.address });
        let config = minimal(&json!({
            "endpoint": server.address, "authenticationType": "workloadIdentity", "token": null,
            "workloadIdentity": identity,
        }));
        let report = snowflake(&config).validate(&context(Mode::Recurring)).await.report;
        assert_eq!(finding(&report, CONNECT).class, class, "{provider}: {report:?}");
        assert_eq!(log_ins(&server), 0);
    }
}
