//! Runs that people ask for, and the audit trail of what they do.

use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::support::{AccessGrants, Config, Daemon};

const SOON: Duration = Duration::from_secs(20);

/// Runs a command, and returns its exit code with both outputs.
fn run(config: &Config, line: &str) -> (Option<i32>, String, String) {
    let words: Vec<_> = line.split(' ').collect();
    let output = config.run(&words);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn repair_is_seen_at_once_and_who_asked_is_kept() {
    let role = "arn:aws:iam::123456789012:role/grants";
    let server = AccessGrants::start("s3://governed/a*", role);
    let seldom = |name: &str| {
        let lake = lake(name, "a").replace("* * * * * *", "0 0 1 1 *");
        lake.replace("http://127.0.0.1:1", &server.endpoint)
    };
    let off = seldom("off").replace("autoBootstrap", "disabled = true\nautoBootstrap");
    let config = Config::new(&(seldom("one") + &off.replace("/a\"", "/b\"")));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "enabled", SOON);
    server.set_gone(true);
    let (code, shown, _) = run(&config, "revalidate one --wait 20s --author anna");
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.starts_with("one (Native S3): failed in "), "{shown}");
    assert!(shown.contains("; status recurringValidationError\n  failed (missing) "), "{shown}");
    let (code, acknowledged, _) =
        run(&config, "acknowledge one --for 4h --comment rebuilding --author bert");
    assert_eq!(code, Some(0), "{acknowledged}");
    let (_, listed, _) = run(&config, "list --failing");
    assert!(listed.contains("acknowledged by bert: rebuilding"), "{listed}");
    let shown = config.json(&["show", "one", "--json"]);
    assert_eq!(shown["revalidated"]["acknowledgement"]["author"], "bert");
    server.set_gone(false);
    let (code, json, _) = run(&config, "revalidate --failing --wait 20s --json --author anna");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json[0]["passed"]), (Some(0), &true.into()), "{json}");
    assert_eq!(json[0]["runs"][0]["trigger"], "request", "{json}");
    assert_eq!(json[0]["status"], "enabled");
    let (code, _, why) = run(&config, "revalidate off");
    assert_eq!(code, Some(2), "{why}");
    assert!(why.contains("off is disabled, so that it is not validated"), "{why}");
    let (code, none, _) = run(&config, "revalidate --failing");
    assert_eq!((code, none.as_str()), (Some(0), "No integration is failing.\n"));

    assert!(daemon.stop().success());
    let (code, _, why) = run(&config, "revalidate one --wait 20s");
    assert_eq!(code, Some(3), "{why}");
    assert!(why.contains("the daemon does not run; nothing was changed"), "{why}");
    let trail = config.json(&["audit", "--json"]);
    let acts: Vec<_> = trail
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["author"], entry["command"]).replace('"', ""))
        .collect();
    assert_eq!(acts, ["anna revalidate", "bert acknowledge", "anna revalidate"]);
    let (_, csv, _) = run(&config, "audit --csv --author bert");
    let line = csv.lines().nth(1).unwrap();
    assert!(line.ends_with(",bert,acknowledge,1: one,rebuilding"), "{csv}");
}
