//! Commands beside a running daemon, as people and programs use them.

use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::support::{Config, Daemon, Receiver};

#[test]
fn commands_read_the_store_beside_a_running_daemon() {
    let receiver = Receiver::start();
    let url = &receiver.url;
    let config = Config::new(&format!(
        "{}\n[[receiver]]\nname = \"on-call\"\nurl = \"{url}\"\nallow = [\"127.0.0.0/8\"]\n\
         secrets = [{{ file = \"DIR/webhook-secret\" }}]\n",
        lake("one", "a")
    ));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", Duration::from_secs(15));
    receiver.wait("one", "createError", 0);

    let shown = config.json(&["show", "one", "--json"]);
    assert_eq!(shown["type"], "Native S3");
    assert_eq!(shown["autoBootstrap"], false);
    assert_eq!(shown["config"]["awsSecretAccessKey"], "[REDACTED]");
    assert_eq!(shown["validationResults"]["status"], "failed");
    assert_eq!(config.json(&["list", "--json"])[0]["name"], "one");
    let history = config.json(&["history", "one", "--json"]).to_string();
    assert!(history.contains("createError") && history.contains("unreachable"), "{history}");
    let explained = config.json(&["explain", "one", "--json"]).to_string();
    assert!(explained.contains("unreachable"), "{explained}");
    let delivered = config.json(&["deliveries", "--state", "delivered", "--json"]);
    assert_eq!(delivered[0]["type"], "integration.validation.failed", "{delivered}");
    let report = config.json(&["report", "--format", "json"]);
    assert_eq!(report["integrations"][0]["name"], "one", "{report}");
    assert_eq!(report["total"]["openAtEnd"], 1, "{report}");
    assert_eq!(config.run(&["report", "--month", "2999-01"]).status.code(), Some(2));
    for command in [
        "list",
        "show one",
        "history one",
        "explain one",
        "deliveries",
        "check",
        "report",
        "top --once",
    ] {
        let words: Vec<_> = command.split(' ').collect();
        let output = config.run(&words);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !text.is_empty(), "{command}: {text}");
        assert!(!text.contains('\u{1b}'), "no colour off a terminal: {text:?}");
    }
    let unknown = config.run(&["show", "oen"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("did you mean `one`?"));
}

#[test]
fn manual_validation_stores_nothing_and_exits_1_on_failure() {
    let config = Config::new(&lake("one", "a"));
    let output = config.run(&["validate", "one", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tests = report["validationResults"]["validationTests"].as_array().unwrap();
    assert_eq!(tests.len(), 9, "{report}");
    assert!(!config.dir().join("state.db").exists(), "nothing is stored");
    let all = config.run(&["validate", "--all", "--preflight", "--json"]);
    let reports: Value = serde_json::from_slice(&all.stdout).unwrap();
    let skipped = reports[0].to_string().matches("applies before set-up").count();
    assert_eq!(skipped, 0, "{reports}");
}

#[test]
fn catalog_lists_every_platform_with_its_tests() {
    let output = crate::support::revalidated(&["catalog", "--json"]);
    let catalog: Value = serde_json::from_slice(&output.stdout).unwrap();
    let platforms = catalog.as_array().unwrap();
    let count = |kind: &str| {
        let found = platforms.iter().find(|platform| platform["type"] == kind).unwrap();
        found["tests"].as_array().unwrap().len()
    };
    let counts = [
        ("Native S3", 8),
        ("Azure Synapse Analytics", 5),
        ("Databricks", 5),
        ("Google BigQuery", 13),
        ("Redshift", 5),
        ("Snowflake", 9),
        ("Trino", 7),
    ];
    assert_eq!(platforms.len(), counts.len());
    for (kind, tests) in counts {
        assert_eq!(count(kind), tests + 2, "{kind}: its own tests, and those of all platforms");
    }
    let first = &platforms[0]["tests"][0];
    assert!(first["name"].is_string() && first["when"] == "always", "{first}");
}
