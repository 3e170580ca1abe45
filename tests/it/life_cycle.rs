//! Life cycle of an integration: one message for each status, as its configuration changes.

use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::support::{AccessGrants, Config, Daemon, Receiver, wait_for};

const SOON: Duration = Duration::from_secs(15);

#[test]
fn failed_edit_keeps_the_previous_configuration_in_force() {
    let role = "arn:aws:iam::123456789012:role/grants";
    let server = AccessGrants::start("s3://governed/a*", role);
    let receiver = Receiver::start();
    // The key stands in the configuration itself, so the store cannot give the previous one back.
    let healthy = lake("one", "a")
        .replace("http://127.0.0.1:1", &server.endpoint)
        .replace("{ file = \"DIR/aws-secret\" }", &format!("\"{}\"", crate::support::SECRETS[1]));
    let broken = healthy.replace("s3://governed/a", "s3://vanished/a");
    let receivers = format!(
        "[[receiver]]\nname = \"on-call\"\nurl = \"{}\"\nallow = [\"127.0.0.0/8\"]\n\
         events = [\"*\", \"integration.status.*\"]\nsecrets = [{{ file = \"DIR/webhook-secret\" }}]\n",
        receiver.url
    );
    let config = Config::new(&(receivers.clone() + &healthy));
    let daemon = Daemon::start(&config);
    let change = |text: &str, status: &str| {
        config.write(&(receivers.clone() + text));
        daemon.signal("HUP");
        daemon.wait_status("one", status, SOON);
    };
    daemon.wait_status("one", "enabled", SOON);

    change(&broken, "editError");
    let failed_at = config.json(&["history", "one", "--json"]).as_array().unwrap().len();
    wait_for("passing run of the previous configuration", SOON, || {
        let history = config.json(&["history", "one", "--json"]);
        let entries = history.as_array().unwrap();
        let since = &entries[..entries.len() - failed_at];
        let passed = |run: &Value| run["configuration"] == "active" && run["status"] == "passed";
        let refused =
            |run: &Value| run["configuration"] == "candidate" && run["status"] == "failed";
        (since.iter().any(passed) && since.iter().any(refused)).then_some(())
    });
    daemon.wait_status("one", "editError", SOON);
    change(&healthy, "enabled");
    change(&healthy.replace("confirm_runs = 1", "confirm_runs = 1\ndisabled = true"), "disabled");
    change(&healthy, "enabled");
    let first = config.json(&["show", "one", "--json"])["id"].clone();
    change("", "deleted");
    change(&healthy, "enabled");
    let again = config.json(&["show", "one", "--json"])["id"].clone();
    assert_eq!(again, first, "a name that comes back is the same integration");

    // The edit that passes ends the incident of the one that failed, and is a change of status.
    let expected = "creating enabled editing editError editing enabled enabled disabled editing \
        enabled deleting deleted creating enabled";
    wait_for("whole story", SOON, || {
        let sent = receiver.deliveries();
        let statuses = sent.iter().filter_map(status).collect::<Vec<_>>().join(" ");
        (statuses == expected).then_some(())
    });
    assert!(daemon.stop().success());
}

/// Returns the status that an event about an integration says.
fn status(delivery: &crate::support::Delivery) -> Option<String> {
    let body: Value = delivery.json();
    body["data"]["status"].as_str().map(str::to_owned)
}
