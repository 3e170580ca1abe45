//! Runs and statements that are ended from this side.

use super::*;

#[tokio::test]
async fn abandoned_run_leaves_no_session() {
    let server = Server::shared();
    server.sql("postgres", "CREATE ROLE u_left LOGIN PASSWORD 'pw-left'");
    let validator = |changes: Json| {
        let mut all = json!({"username": "u_left", "password": "pw-left"});
        for (key, value) in changes.as_object().unwrap() {
            all[key] = value.clone();
        }
        server.redshift(all)
    };
    recurring(&*validator(json!({}))).await;
    assert!(server.is_quiet("u_left").await, "after a whole run");

    let impersonation = json!({"enabled": true, "role": "never"});
    let slow = validator(json!({"initialDatabase": "slow", "impersonation": impersonation}));
    let mut short = context(Mode::Recurring);
    short.test_limit = Duration::from_secs(2);
    let found = lines(&slow.validate(&short).await.report);
    assert_eq!(found[3..], [PASSED, "failed: No answer within 2s."]);
    assert!(server.is_quiet("u_left").await, "after a test that was abandoned");

    let abandoned = timeout(Duration::from_secs(1), recurring(&*slow)).await;
    assert!(abandoned.is_err());
    assert!(server.is_quiet("u_left").await, "after a run that was abandoned");
}

/// A statement that takes longer than `readTimeout` is cancelled at the server (SQLSTATE 57014), and so
/// is one that the limit of its test ends.
#[tokio::test]
async fn statement_without_an_answer_is_cancelled_at_the_server() {
    let server = Server::shared();
    server.sql("postgres", "CREATE ROLE u_slow LOGIN PASSWORD 'pw-slow'");
    let impersonation = json!({"enabled": true, "role": "never"});
    let validator = |limit: &str| {
        server.redshift(json!({
            "username": "u_slow", "password": "pw-slow", "initialDatabase": "slow",
            "impersonation": impersonation, "readTimeout": limit,
        }))
    };
    let cancelled = || {
        let log = server.log();
        let lines = log.iter().filter(|line| line["user"] == "u_slow");
        lines.filter(|line| line["state_code"] == "57014").count()
    };
    let report = recurring(&*validator("1s")).await;
    let finding = report.tests[4].outcome.finding().unwrap();
    assert_eq!(finding.class, Class::Unreachable);
    assert!(finding.message.ends_with("No answer within 1s"), "{finding:?}");
    assert!(server.is_quiet("u_slow").await);
    assert_eq!(cancelled(), 1);

    let mut short = context(Mode::Recurring);
    short.test_limit = Duration::from_secs(2);
    validator("20s").validate(&short).await;
    assert!(server.is_quiet("u_slow").await);
    assert_eq!(cancelled(), 2);
}
