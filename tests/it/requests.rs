//! Runs that people ask for, and the audit trail of what they do.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::support::{AccessGrants, Config, Daemon, Receiver, SECRETS, verify, wait_for};

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
    let (code, woken, _) = run(&config, "status --columns 40");
    assert_eq!(code, Some(1), "{woken}");
    for part in ["\n  Why       ", "\n  Notified  none; no receiver", "\n  Handled   by bert until"]
    {
        assert!(woken.contains(part), "{part} is not in {woken}");
    }
    assert!(woken.lines().all(|line| line.chars().count() <= 40), "{woken}");
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
    let id = json[0]["runs"][0]["id"].to_string();
    let whole = config.json(&["show", "one", "--run", &id, "--json"]);
    assert_eq!((&whole["trigger"], &whole["status"]), (&"request".into(), &"passed".into()));
    let (_, failed, _) = run(&config, "history one --result failed");
    assert!(failed.ends_with("\n1 run (1 failed), 0 status changes.\n"), "{failed}");
    let (code, _, why) = run(&config, "show one --run 99999");
    assert_eq!(code, Some(2), "{why}");
    let (code, _, why) = run(&config, "revalidate off");
    assert_eq!(code, Some(2), "{why}");
    assert!(why.contains("off is disabled, so that it is not validated"), "{why}");
    let (code, none, _) = run(&config, "revalidate --failing");
    assert_eq!((code, none.as_str()), (Some(0), "No integration is failing.\n"));

    assert!(daemon.stop().success());
    let (code, _, why) = run(&config, "revalidate one --wait 20s");
    assert_eq!(code, Some(3), "{why}");
    assert!(why.contains("the daemon does not run; nothing was changed"), "{why}");
    assert_audit(&config);
}

/// Checks who has asked and acknowledged.
fn assert_audit(config: &Config) {
    let trail = config.json(&["audit", "--json"]);
    let acts: Vec<_> = trail
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["author"], entry["command"]).replace('"', ""))
        .collect();
    assert_eq!(acts, ["anna revalidate", "bert acknowledge", "anna revalidate"]);
    let (_, csv, _) = run(config, "audit --csv --author bert");
    let line = csv.lines().nth(1).unwrap();
    assert!(line.ends_with(",bert,acknowledge,1: one,rebuilding"), "{csv}");
}

/// Returns a configuration with `one`, and a receiver that subscribes to everything.
fn notified(server: &AccessGrants, receiver: &Receiver) -> Config {
    Config::new(&format!(
        "{}\n[[receiver]]\nname = \"on-call\"\nurl = \"{}\"\nallow = [\"127.0.0.0/8\"]\n\
         secrets = [{{ file = \"DIR/webhook-secret\" }}]\n",
        lake("one", "a").replace("http://127.0.0.1:1", &server.endpoint),
        receiver.url
    ))
}

#[test]
fn planned_silence_begins_and_mutes_by_itself() {
    let role = "arn:aws:iam::123456789012:role/grants";
    let server = AccessGrants::start("s3://governed/a*", role);
    let receiver = Receiver::start();
    let config = notified(&server, &receiver);
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "enabled", SOON);
    let from = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3);
    let line = format!("silences add --all --from {from} --for 1h --author anna --json");
    let (code, planned, why) = run(&config, &line);
    assert_eq!(code, Some(0), "{why}");
    let planned: Value = serde_json::from_str(&planned).unwrap();
    assert_eq!((&planned["state"], &planned["author"]), (&"planned".into(), &"anna".into()));
    let (_, listed, _) = run(&config, "silences");
    assert!(listed.ends_with("\n1 silence: 1 planned.\n"), "{listed}");
    wait_for("beginning of the silence", SOON, || {
        (config.json(&["silences", "--json"])[0]["state"] == "open").then_some(())
    });
    server.set_gone(true);
    daemon.wait_status("one", "recurringValidationError", SOON);
    let shown = config.json(&["explain", "one", "--json"]);
    assert_eq!(shown["notifications"]["muted"]["by"], "silence 1", "{shown}");
    let sent = receiver.deliveries();
    assert!(sent.iter().all(|one| !one.body.contains("validation.failed")), "{sent:?}");
    assert!(daemon.stop().success());
}

#[test]
fn sample_of_every_event_is_verified_by_the_reference_libraries() {
    let role = "arn:aws:iam::123456789012:role/grants";
    let server = AccessGrants::start("s3://governed/a*", role);
    let receiver = Receiver::start();
    let config = notified(&server, &receiver);
    let mut kinds: Vec<_> = fs::read_dir("share/samples")
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    kinds.sort();
    assert!(14 <= kinds.len(), "{kinds:?}");
    for kind in &kinds {
        let line = format!("webhook test on-call --event {kind} --json");
        let (code, sent, why) = run(&config, &line);
        assert_eq!(code, Some(0), "{kind}: {why}");
        let sent: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!((&sent["type"], &sent["delivered"]), (&kind.as_str().into(), &true.into()));
    }
    let sent = receiver.deliveries();
    let of: Vec<_> =
        sent.iter().map(|one| one.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(of, kinds);
    let marked = sent.iter().filter(|one| one.json()["test"] == true).count();
    assert_eq!(marked, kinds.len() - 1, "a ping is a test by its type");
    verify(&sent, &format!("whsec_{}", SECRETS[2]));
    let (code, _, why) = run(&config, "webhook test on-call --event integration.renamed");
    assert_eq!(code, Some(2), "{why}");
    assert!(!config.dir().join("state.db").exists(), "nothing is stored");
}
