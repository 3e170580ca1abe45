//! `check` beside a daemon: secrets that cannot be used, and what a reload would change.

use std::time::Duration;

use serde_json::{Value, json};

use crate::daemon::lake;
use crate::operations::text;
use crate::receivers::receiver;
use crate::support::{Config, Daemon, Receiver, wait_for};

const SOON: Duration = Duration::from_secs(20);

/// Returns the lines of `check` and its exit code.
fn check(config: &Config) -> (Option<i32>, String) {
    let output = config.run(&["check"]);
    (output.status.code(), text(&output))
}

#[test]
fn secrets_are_opened_and_those_that_cannot_be_used_fail_the_check() {
    let tables = receiver("on-call", "http://127.0.0.1:1/hook") + &lake("one", "a");
    let config = Config::new(&tables);
    assert_eq!(check(&config).0, Some(0), "{}", check(&config).1);
    config.secret("webhook-secret", "hunter2");
    let (code, said) = check(&config);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("receiver on-call: "), "{said}");
    assert!(said.contains("a webhook secret begins with `whsec_`"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    std::fs::remove_file(config.dir().join("aws-secret")).unwrap();
    let (code, said) = check(&config);
    assert_eq!(code, Some(1), "{said}");
    let missing = "integration[0].config.awsSecretAccessKey: secret file ";
    assert!(said.contains(missing) && said.contains("No such file"), "{said}");
    assert!(said.contains("; 2 secrets cannot be used."), "{said}");
    let output = config.run(&["check", "--json"]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["valid"], &shown["plan"]), (&true.into(), &Value::Null), "{shown}");
    let paths: Vec<_> =
        shown["secrets"].as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
    assert_eq!(paths, ["integration[0].config.awsSecretAccessKey", ""]);
}

#[test]
fn plan_against_what_is_in_force_is_printed() {
    let hook = Receiver::start();
    let chat = receiver("chat", &hook.url);
    let config = Config::new(&(chat.clone() + &lake("one", "a") + &lake("two", "b")));
    let (code, said) = check(&config);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("A reload would change"), "before the first start: {said}");
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", SOON);
    daemon.wait_status("two", "createError", SOON);
    assert!(!check(&config).1.contains("A reload would change"), "{}", check(&config).1);

    let edited = lake("one", "other").replace("* * * * * *", "*/5 * * * * *");
    let labelled = edited.replace("confirm_runs", "labels = { team = \"data\" }\nconfirm_runs");
    let renamed = lake("three", "b").replace("confirm_runs", "formerly = \"two\"\nconfirm_runs");
    let narrowed = chat.replace("allow", "labels = { team = \"data\" }\nallow");
    config.write(&(narrowed + &labelled + &renamed + &lake("four", "d")));
    let (code, said) = check(&config);
    assert_eq!(code, Some(0), "{said}");
    for line in [
        "  change one: schedule, labels.team, config.awsLocationPath\n",
        "  rename three (formerly two): config.name; its incident ends\n",
        "  add four\n",
        "  change receiver chat: labels\n",
        "  receiver chat is no longer notified of three\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    config.write(&chat);
    let (code, said) = check(&config);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("  remove one; its incident ends\n"), "{said}");
    assert!(daemon.stop().success());
}

#[test]
fn messages_that_a_changed_format_drops_are_counted_before_and_by_the_reload() {
    let chat = receiver("chat", "http://127.0.0.1:1/hook");
    let config = Config::new(&(chat.clone() + &lake("one", "a")));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", SOON);
    wait_for("messages", SOON, || {
        let rows = config.json(&["deliveries", "--json", "-n", "50"]);
        let pending = rows.as_array().unwrap().iter().filter(|row| row["state"] == "pending");
        (2 <= pending.count()).then_some(())
    });
    let native = chat
        .replace("events = [\"integration*\", \"receiver.*\", \"integration.status.*\"]\n", "")
        .replace("allow", "format = \"native\"\nallow");
    config.write(&(native + &lake("one", "a")));
    let (_, said) = check(&config);
    assert!(said.contains("receiver chat: 1 message pending, passed over"), "{said}");
    let said = text(&config.run(&["reload"]));
    let dropped = "chat: 1 pending message passed over, since format `native` has no place for it.";
    assert!(said.contains(dropped), "{said}");
    let reload = config.json(&["status", "--json"])["reload"].clone();
    let expected = json!([{ "receiver": "chat", "format": "native", "messages": 1 }]);
    assert_eq!(reload["passedOver"], expected);
    assert!(daemon.stop().success());
}
