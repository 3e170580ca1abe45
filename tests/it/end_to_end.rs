//! End to end: from a lost permission at a real platform to a verified message, and back.

use std::time::Duration;

use serde_json::Value;

use crate::support::{
    AccessGrants, Config, Daemon, Moto, Postgres, Receiver, SECRETS, configs, verify,
};

/// Time limit of a status change: a period of the schedule (two seconds) and a run, on a loaded machine.
const SOON: Duration = Duration::from_secs(15);

#[test]
fn revoked_permission_and_its_return_are_notified() {
    let postgres = Postgres::start();
    postgres.sql("postgres", &format!("CREATE ROLE watcher LOGIN PASSWORD '{}'", SECRETS[0]));
    postgres.sql("postgres", "CREATE DATABASE governed");
    postgres.sql("postgres", "REVOKE CONNECT ON DATABASE governed FROM PUBLIC");
    postgres.sql("postgres", "GRANT CONNECT ON DATABASE governed TO watcher");
    let receiver = Receiver::start();
    let config = Config::new(&format!(
        r#"
        [[receiver]]
        name = "on-call"
        url = "{url}"
        secrets = [{{ file = "DIR/webhook-secret" }}]
        allow = ["127.0.0.0/8"]

        [[integration]]
        name = "warehouse"
        type = "Redshift"
        autoBootstrap = false
        schedule = "*/2 * * * * *"
        [integration.config]
        {config}"#,
        url = receiver.url,
        config = configs::redshift(&postgres, "governed"),
    ));
    let daemon = Daemon::start(&config);
    daemon.wait_status("warehouse", "enabled", SOON);
    flip_and_recover(
        &receiver,
        "warehouse",
        || postgres.sql("postgres", "REVOKE CONNECT ON DATABASE governed FROM watcher"),
        || postgres.sql("postgres", "GRANT CONNECT ON DATABASE governed TO watcher"),
    );
    assert!(daemon.stop().success());
}

#[test]
fn deleted_bucket_and_its_return_are_notified() {
    let moto = Moto::start();
    moto.request("PUT", "/governed");
    moto.request("PUT", "/governed/data/object");
    let grants =
        AccessGrants::start("s3://governed/data/*", "arn:aws:iam::123456789012:role/grants");
    let receiver = Receiver::start();
    receiver.answer(&[503]);
    let config = Config::new(&format!(
        r#"
        [[receiver]]
        name = "on-call"
        url = "{url}"
        secrets = [{{ file = "DIR/webhook-secret" }}]
        allow = ["127.0.0.0/8"]
        retry = ["1s", "1s"]

        [[integration]]
        name = "lake"
        type = "Native S3"
        autoBootstrap = false
        schedule = "*/2 * * * * *"
        [integration.config]
        {config}"#,
        url = receiver.url,
        config = configs::s3("lake", &moto, &grants),
    ));
    let daemon = Daemon::start(&config);
    daemon.wait_status("lake", "enabled", SOON);
    flip_and_recover(
        &receiver,
        "lake",
        || {
            moto.request("DELETE", "/governed/data/object");
            moto.request("DELETE", "/governed");
        },
        || {
            moto.request("PUT", "/governed");
            moto.request("PUT", "/governed/data/object");
        },
    );
    assert!(daemon.stop().success());
}

/// Breaks and fixes the platform, and checks the messages that the receiver gets.
fn flip_and_recover(receiver: &Receiver, name: &str, break_it: impl Fn(), fix: impl Fn()) {
    break_it();
    let failed = receiver.wait(name, "recurringValidationError", 0);
    let failed = failed.json();
    assert_eq!(failed["type"], "integration.validation.failed");
    assert_eq!(failed["data"]["previousStatus"], "enabled");
    assert_eq!(failed["data"]["validationResults"]["status"], "failed");
    let incident = failed["data"]["incidentId"].clone();
    assert!(incident.as_str().unwrap().starts_with("inc_"), "{failed}");
    let before = receiver.deliveries().len();
    fix();
    let recovered = receiver.wait(name, "enabled", before).json();
    assert_eq!(recovered["type"], "integration.validation.recovered");
    assert_eq!(recovered["data"]["incidentId"], incident);
    assert!(0 < recovered["data"]["outageMs"].as_i64().unwrap());
    let deliveries = receiver.deliveries();
    let mut sequences: Vec<_> =
        deliveries.iter().map(|one| one.json()["data"]["sequence"].as_i64().unwrap()).collect();
    sequences.dedup();
    let expected: Vec<_> = (1..=i64::try_from(sequences.len()).unwrap()).collect();
    assert_eq!(sequences, expected, "in order, without gaps, repeats only in place");
    verify(&deliveries, &format!("whsec_{}", SECRETS[2]));
    let leaked = |body: &Value| SECRETS.iter().any(|secret| body.to_string().contains(secret));
    assert!(!deliveries.iter().any(|one| leaked(&one.json())));
}
