//! Grants: what an integration needs is printed, and a run says what of it is missing.

use serde_json::Value;

use crate::support::{Config, Postgres, SECRETS, configs};

/// Returns the state of each grant, and the exit status.
fn states(config: &Config, words: &[&str]) -> (Option<i32>, Vec<Value>, Value) {
    let words = [&["grants", "filed", "--json"], words].concat();
    let output = config.run(&words);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let needs = json["needs"].as_array().unwrap();
    (output.status.code(), needs.iter().map(|need| need["state"].clone()).collect(), json)
}

#[test]
fn printed_statements_are_enough_and_a_revoked_grant_is_named() {
    let postgres = Postgres::start();
    postgres.sql("postgres", "CREATE DATABASE filed");
    let table = configs::redshift(&postgres, "filed");
    let config = Config::new(&format!(
        "[[integration]]\nname = \"filed\"\ntype = \"Redshift\"\nautoBootstrap = false\n\
         [integration.config]\n{table}"
    ));
    let (end, found, json) = states(&config, &["--offline"]);
    assert_eq!((end, found), (Some(0), vec![Value::Null, Value::Null]));
    assert!(json["surplus"].is_null(), "{json}");
    let (end, found, json) = states(&config, &[]);
    assert_eq!((end, found), (Some(1), vec!["unknown".into(), "unknown".into()]), "{json}");
    let unseen = json["unseen"].to_string();
    assert!(unseen.contains("Nothing was asked"), "a refused log-in is not tried again: {json}");
    let statement = json["documents"][0]["text"].as_str().unwrap();
    assert_eq!(statement, "CREATE USER \"watcher\" PASSWORD '<password>';");
    postgres.sql("postgres", &statement.replace("<password>", SECRETS[0]));
    let (end, found, json) = states(&config, &[]);
    assert_eq!((end, found), (Some(0), vec!["present".into(), "unknown".into()]), "{json}");
    assert_eq!(json["surplus"], serde_json::json!([]));
    postgres.sql("postgres", "REVOKE CONNECT ON DATABASE filed FROM PUBLIC");
    let (end, found, json) = states(&config, &[]);
    assert_eq!((end, found), (Some(1), vec!["unknown".into(), "missing".into()]), "{json}");
    postgres.sql("postgres", "ALTER ROLE watcher SUPERUSER");
    let (end, _, json) = states(&config, &[]);
    assert_eq!(end, Some(0), "what it has too much is no failure: {json}");
    assert_eq!(json["surplus"][0]["revoke"], "ALTER USER \"watcher\" NOCREATEUSER;");
    let output = config.run(&["grants", "filed"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("More than the tests need\n  superuser"), "{text}");
    let unknown = config.run(&["grants", "fild"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("did you mean `filed`?"));
    assert!(!config.dir().join("state.db").exists(), "nothing is stored");
}

#[test]
fn every_sample_has_grants_without_a_connection() {
    for platform in ["s3", "synapse", "databricks", "bigquery", "redshift", "snowflake", "trino"] {
        let sample = crate::support::revalidated(&["sample", platform]);
        let text = String::from_utf8(sample.stdout).unwrap();
        let config = Config::new(&text);
        let listed = config.json(&["check", "--json"]);
        let name = listed["integrations"][0].as_str().unwrap();
        let output = config.run(&["grants", name, "--offline"]);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{platform}: {shown} {listed}");
        assert!(shown.contains("nothing was asked\n"), "{shown}");
        let places = ["<USER>", "<ROLE>", "<CATALOG>", "<PROJECT>", "<DATABASE>", "<REGION>"];
        assert!(!places.iter().any(|place| shown.contains(place)), "{shown}");
    }
}
