//! Start, reload and shutdown of the daemon, and the errors of each.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::time::Duration;

use crate::support::{Config, Daemon, revalidated, wait_for};

const SOON: Duration = Duration::from_secs(15);

/// Returns the table of an integration that fails at once: nothing listens on its ports.
pub(crate) fn lake(name: &str, path: &str) -> String {
    format!(
        r#"
        [[integration]]
        name = "{name}"
        type = "Native S3"
        autoBootstrap = false
        schedule = "* * * * * *"
        confirm_runs = 1
        [integration.config]
        name = "{name}"
        awsAccountId = "123456789012"
        awsRegion = "us-east-1"
        awsLocationRole = "arn:aws:iam::123456789012:role/grants"
        awsLocationPath = "s3://governed/{path}"
        authenticationType = "accessKey"
        awsAccessKeyId = "AKIAIOSFODNN7EXAMPLE"
        awsSecretAccessKey = {{ file = "DIR/aws-secret" }}
        endpoints = {{ sts = "http://127.0.0.1:1", s3 = "http://127.0.0.1:1", s3Control = "http://127.0.0.1:1" }}
        "#
    )
}

#[test]
fn reload_applies_a_valid_configuration_and_keeps_the_old_one_otherwise() {
    let config = Config::new(&lake("one", "a"));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", SOON);
    config.write(&(lake("one", "a") + &lake("two", "b")));
    daemon.signal("HUP");
    daemon.wait_status("two", "createError", SOON);
    config.write(&(lake("one", "a") + "surprise = true\n"));
    daemon.signal("HUP");
    wait_for("refusal", SOON, || daemon.log().contains("unknown key").then_some(()));
    daemon.wait_status("two", "createError", SOON);
    config.write(&lake("one", "a"));
    daemon.signal("HUP");
    daemon.wait_status("two", "deleted", SOON);
    assert!(daemon.stop().success());
}

#[test]
fn reload_that_waits_for_its_file_does_not_delay_the_shutdown() {
    let config = Config::new(&lake("one", "a"));
    let daemon = Daemon::start(&config);
    std::fs::remove_file(config.path()).unwrap();
    assert!(Command::new("mkfifo").arg(config.path()).status().unwrap().success());
    daemon.signal("HUP");
    let mut never_written = OpenOptions::new();
    // Without waiting: this fails until there is a reader.
    never_written.write(true).custom_flags(0o4000);
    let open = wait_for("reload", SOON, || never_written.open(config.path()).ok());
    assert!(daemon.stop().success());
    drop(open);
}

#[test]
fn second_daemon_on_the_same_store_is_refused() {
    let config = Config::new(&lake("one", "a"));
    let _daemon = Daemon::start(&config);
    let second = config.run(&["run"]);
    let text = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(75), "{text}");
    assert!(text.contains("state.db"), "{text}");
}

#[test]
fn invalid_configuration_exits_78_and_names_every_fault() {
    let config = Config::new("nonsense = 1\n[defaults]\nschedule = \"61 * * * *\"\n");
    for command in ["run", "check", "list"] {
        let output = config.run(&[command]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{command}: {text}");
        assert!(text.contains("nonsense: unknown key"), "{text}");
        assert!(text.contains("61 * * * *"), "{text}");
    }
}

#[test]
fn usage_errors_exit_2() {
    assert_eq!(revalidated(&["frobnicate"]).status.code(), Some(2));
    assert_eq!(revalidated(&["next", "nonsense", "--tz", "UTC"]).status.code(), Some(2));
}

#[test]
fn next_prints_the_coming_instants_in_utc() {
    let output = revalidated(&[
        "next",
        "30 9 * * *",
        "--tz",
        "Europe/Berlin",
        "--after",
        "2026-10-24T00:00:00Z",
        "-n",
        "2",
        "--json",
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    let instants: Vec<String> = serde_json::from_str(&text).unwrap();
    assert_eq!(instants, ["2026-10-24T07:30:00Z", "2026-10-25T08:30:00Z"]);
}
