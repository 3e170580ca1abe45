//! Mutes by people: silences and acknowledgements, from the command to the message.

use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::support::{AccessGrants, Config, Daemon, Receiver, SECRETS, verify, wait_for};

const SOON: Duration = Duration::from_secs(20);

/// Runs a command that must be refused with exit code 2, and returns its error.
fn refused(config: &Config, line: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    let output = config.run(&words);
    let why = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{line}: {why}");
    why
}

/// Returns the JSON that the command `line` prints.
fn json(config: &Config, line: &str) -> Value {
    let words: Vec<_> = line.split(' ').chain(["--json"]).collect();
    config.json(&words)
}

/// Waits until a notification about `one` is muted, and returns the mute.
fn muted(config: &Config) -> Value {
    wait_for("muted notification", SOON, || {
        let shown = json(config, "explain one")["notifications"].clone();
        let is_muted = shown["notifiedStatus"] != json(config, "show one")["status"];
        is_muted.then(|| shown["muted"].clone())
    })
}

#[test]
fn notification_that_is_muted_is_sent_when_its_mute_ends() {
    let role = "arn:aws:iam::123456789012:role/grants";
    let server = AccessGrants::start("s3://governed/a*", role);
    let receiver = Receiver::start();
    let config = Config::new(&format!(
        "{}\n[[receiver]]\nname = \"on-call\"\nurl = \"{}\"\nallow = [\"127.0.0.0/8\"]\n\
         secrets = [{{ file = \"DIR/webhook-secret\" }}]\n",
        lake("one", "a").replace("http://127.0.0.1:1", &server.endpoint),
        receiver.url
    ));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "enabled", SOON);
    let known = receiver.deliveries().len();

    let why = refused(&config, "acknowledge one --for 4h");
    assert!(why.contains("one is enabled; only what is in an error status"), "{why}");
    let why = refused(&config, "silences add --integration oen --for 1h");
    assert!(why.contains("Did you mean `one`?") && why.contains("--yes"), "{why}");
    let why = refused(&config, "silences add --all --until 2020-01-01T00:00:00Z");
    assert!(why.contains("2020-01-01T00:00:00Z is past"), "{why}");
    assert_eq!(json(&config, "silences"), serde_json::json!([]), "nothing was changed");
    let silence = json(&config, "silences add --integration o* --for 1h --comment moving");
    assert_eq!((&silence["id"], &silence["covers"]), (&1.into(), &1.into()), "{silence}");

    server.set_gone(true);
    daemon.wait_status("one", "recurringValidationError", SOON);
    assert_eq!(muted(&config)["by"], "silence 1");
    let listed = String::from_utf8(config.run(&["list"]).stdout).unwrap();
    assert!(listed.lines().any(|line| line.ends_with("  muted")), "{listed}");
    assert_eq!(receiver.deliveries().len(), known, "no message while it is muted");
    assert_eq!(json(&config, "silences end 1")["open"], false);
    let failed = receiver.wait("one", "recurringValidationError", known).json();
    assert_eq!(failed["type"], "integration.validation.failed", "{failed}");
    assert!(refused(&config, "silences end 1").contains("silence 1 has ended already"));
    assert!(refused(&config, "silences end 7").contains("no silence has the id 7"));

    let made = json(&config, "acknowledge one --for 4h");
    assert_eq!((&made["kind"], &made["integration"]), (&"acknowledgement".into(), &"one".into()));
    server.set_gone(false);
    daemon.wait_status("one", "enabled", SOON);
    assert_eq!(muted(&config)["by"], "acknowledgement 2");
    assert_eq!(receiver.deliveries().len(), known + 1, "no message while it is muted");
    assert!(config.run(&["silences", "end", "2"]).status.success());
    let recovered = receiver.wait("one", "enabled", known + 1).json();
    assert_eq!(recovered["data"]["incidentId"], failed["data"]["incidentId"]);
    assert_eq!(json(&config, "silences --ended").as_array().unwrap().len(), 2);
    verify(&receiver.deliveries(), &format!("whsec_{}", SECRETS[2]));
    assert!(daemon.stop().success());
}
