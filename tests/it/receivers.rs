//! Receivers: disabled and enabled again, with their backlog, replays, rotated secrets and pings.

use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::support::{Config, Daemon, Delivery, Receiver, SECRETS, verify, wait_for};

const SOON: Duration = Duration::from_secs(20);

pub(crate) fn receiver(name: &str, url: &str) -> String {
    format!(
        "[[receiver]]\nname = \"{name}\"\nurl = \"{url}\"\nallow = [\"127.0.0.0/8\"]\n\
         events = [\"integration*\", \"receiver.*\", \"integration.status.*\"]\nsecrets = [{{ file = \"DIR/webhook-secret\" }}]\n"
    )
}

fn row(config: &Config, name: &str) -> Value {
    let rows = config.json(&["receivers", "--json"]);
    rows.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone()
}

/// Events about an integration that fails and is disabled: the last words of their types, with the status.
const STORY: [&str; 4] =
    ["changed creating", "failed createError", "recovered disabled", "changed disabled"];

/// Returns the messages about the integration `one` in the form of [`STORY`].
fn story(receiver: &Receiver) -> Vec<String> {
    let sent = receiver.deliveries().into_iter().map(|one| one.json());
    let about = sent.filter(|body| body["data"]["integration"]["name"] == "one");
    let line = |body: Value| {
        let kind = body["type"].as_str().unwrap().rsplit('.').next().unwrap().to_owned();
        format!("{kind} {}", body["data"]["status"].as_str().unwrap())
    };
    about.map(line).collect()
}

#[test]
fn disabled_receiver_is_announced_to_the_others_and_gets_its_backlog_when_enabled() {
    let (gone, other) = (Receiver::start(), Receiver::start());
    gone.answer(&[410]);
    let both = receiver("on-call", &gone.url) + &receiver("audit", &other.url);
    let config = Config::new(&(both.clone() + &lake("one", "a")));
    let daemon = Daemon::start(&config);
    let announced = wait_for("receiver.disabled", SOON, || {
        let all = other.deliveries().into_iter().map(|one| one.json());
        all.into_iter().find(|body| body["type"] == "receiver.disabled")
    });
    assert_eq!(announced["data"]["receiver"], "on-call", "{announced}");
    assert_eq!(announced["data"]["reason"], "gone", "{announced}");
    assert_eq!(daemon.log().matches("on-call: disabled, since it answered 410 Gone").count(), 1);
    daemon.wait_status("one", "createError", SOON);
    config.write(
        &(both.clone()
            + &lake("one", "a").replace("confirm_runs = 1", "confirm_runs = 1\ndisabled = true")),
    );
    daemon.signal("HUP");
    daemon.wait_status("one", "disabled", SOON);

    let shown = row(&config, "on-call");
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&"disabled".into(), &"gone".into()),
        "{shown}"
    );
    let pending = shown["pending"].as_u64().unwrap();
    assert!(pending == 4 && shown["oldestPendingAt"].is_string(), "{shown}");
    assert_eq!(row(&config, "audit")["state"], "enabled");
    let text = String::from_utf8(config.run(&["receivers"]).stdout).unwrap();
    assert!(text.contains("it answered 410 Gone"), "{text}");
    let warned = String::from_utf8(config.run(&["check"]).stderr).unwrap();
    assert!(warned.contains("receiver on-call: disabled"), "{warned}");
    assert_eq!(story(&gone), STORY[..1], "it is sent nothing while it is disabled");

    let refused = config.run(&["receivers", "enable", "on-call"]);
    let why = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{why}");
    assert!(why.contains(&format!("on-call is sent {pending} messages, pending since ")), "{why}");
    assert!(why.contains("--yes"), "{why}");
    let enabled = config.json(&["receivers", "enable", "on-call", "--yes", "--json"]);
    assert_eq!(enabled["state"], "enabled", "{enabled}");
    let expected = [&STORY[..1], &STORY[..]].concat();
    wait_for("backlog in order", SOON, || (story(&gone) == expected).then_some(()));
    wait_for("empty backlog", SOON, || (row(&config, "on-call")["pending"] == 0).then_some(()));

    redelivered(&config, &gone);
    assert!(daemon.stop().success());
}

/// Queues the first message for `gone` again, then all of them, and checks that they arrive.
fn redelivered(config: &Config, gone: &Receiver) {
    let before = gone.deliveries();
    let first = config.json(&["deliveries", "--receiver", "on-call", "--json", "-n", "1000"]);
    let first = first.as_array().unwrap().last().unwrap()["id"].to_string();
    assert!(config.run(&["redeliver", &first]).status.success());
    wait_for("message again", SOON, || (before.len() < gone.deliveries().len()).then_some(()));
    let again = gone.deliveries().pop().unwrap();
    assert_eq!(again.headers["webhook-id"], before[0].headers["webhook-id"]);
    assert_eq!(again.body, before[0].body);
    wait_for("receipt", SOON, || (row(config, "on-call")["pending"] == 0).then_some(()));

    let plan = config.run(&["replay", "on-call", "--since", "1h"]);
    assert_eq!(plan.status.code(), Some(2));
    let replay = ["replay", "on-call", "--since", "1h", "--yes", "--json"];
    let queued = config.json(&replay)["events"].as_i64().unwrap();
    let all = before.len() + 1 + usize::try_from(queued).unwrap();
    wait_for("replay", SOON, || (all == gone.deliveries().len()).then_some(()));
    assert_eq!(story(gone)[before.len() + 1..], STORY, "in order");
    verify(&gone.deliveries(), &format!("whsec_{}", SECRETS[2]));
}

/// Returns the number of signatures of each of `deliveries`.
fn signatures(deliveries: &[Delivery]) -> Vec<usize> {
    let count = |one: &Delivery| one.headers["webhook-signature"].split(' ').count();
    deliveries.iter().map(count).collect()
}

#[test]
fn rotated_secret_leaves_every_message_verifiable() {
    const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw";
    let listening = Receiver::start();
    let old = receiver("on-call", &listening.url);
    let file = |name: &str| format!("{{ file = \"DIR/{name}\" }}");
    let (before, after) = (file("webhook-secret"), file("webhook-secret-new"));
    let both = old.replace(&before, &format!("{after}, {before}"));
    let config = Config::new(&(both + &lake("one", "a")));
    config.secret("webhook-secret-new", NEW);
    let daemon = Daemon::start(&config);
    listening.wait("one", "createError", 0);
    daemon.wait_status("one", "createError", SOON);
    let sent = listening.deliveries();
    assert_eq!(signatures(&sent), vec![2; sent.len()]);
    verify(&sent, &format!("whsec_{}", SECRETS[2]));
    verify(&sent, NEW);

    let disabled =
        lake("one", "a").replace("confirm_runs = 1", "confirm_runs = 1\ndisabled = true");
    config.write(&(old.replace(&before, &after) + &disabled));
    daemon.signal("HUP");
    let last = [listening.wait("one", "disabled", sent.len())];
    assert_eq!(signatures(&last), [1]);
    verify(&last, NEW);
    assert!(daemon.stop().success());
}

#[test]
fn webhook_test_reaches_a_receiver_and_stores_nothing() {
    let listening = Receiver::start();
    listening.answer(&[200, 500]);
    let config = Config::new(&receiver("on-call", &listening.url));
    let good = config.json(&["webhook", "test", "on-call", "--json"]);
    assert_eq!((&good["delivered"], &good["code"]), (&true.into(), &200.into()), "{good}");
    let failed = config.run(&["webhook", "test", "on-call"]);
    let text = String::from_utf8(failed.stdout).unwrap();
    assert_eq!(failed.status.code(), Some(1), "{text}");
    assert!(text.starts_with("on-call: webhook.ping not delivered, 500 after "), "{text}");
    let sent = listening.deliveries();
    assert_eq!(sent[0].json()["type"], "webhook.ping");
    verify(&sent, &format!("whsec_{}", SECRETS[2]));
    assert_eq!(config.run(&["webhook", "test", "oncall"]).status.code(), Some(2));
    assert!(!config.dir().join("state.db").exists(), "nothing is stored");
}
