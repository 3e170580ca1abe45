//! The daemon on a real `PostgreSQL`: what it stores and sends, whatever ends it or the server.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::daemon::lake;
use crate::receivers::receiver;
use crate::support::{
    AccessGrants, Config, Daemon, Delivery, Postgres, Receiver, SECRETS, verify, wait_for,
};

const SOON: Duration = Duration::from_secs(30);
/// Time after which a daemon that is gone is replaced, with some reserve.
const TAKEN_OVER: Duration = Duration::from_secs(35);

/// A daemon's surroundings: a store, a platform and a receiver.
struct Scene {
    server: Postgres,
    platform: AccessGrants,
    receiver: Receiver,
    store: String,
    integration: String,
    config: Config,
}

impl Scene {
    fn new() -> Self {
        let server = Postgres::start();
        let role = "arn:aws:iam::123456789012:role/grants";
        let platform = AccessGrants::start("s3://governed/a*", role);
        let receiver = Receiver::start();
        let one = lake("one", "a").replace("http://127.0.0.1:1", &platform.endpoint);
        let socket = "[http]\nlisten = [\"unix:DIR/api.sock\"]\n";
        let steady = "[defaults]\nflap_flips = 0\n".to_owned();
        let integration = steady + &self::receiver("on-call", &receiver.url) + &one;
        let store = server.store();
        let config = Config::on(store.clone(), &(socket.to_owned() + &integration));
        Self { server, platform, receiver, store, integration, config }
    }

    /// Lets the integration fail or recover, and waits until the receiver knows.
    fn flip(&self, gone: bool) {
        let before = self.receiver.deliveries().len();
        self.platform.set_gone(gone);
        let status = if gone { "recurringValidationError" } else { "enabled" };
        self.receiver.wait("one", status, before);
    }

    /// Returns the messages about the integration, once each, in the order of their first arrival.
    fn story(&self) -> Vec<(u64, String)> {
        let mut known = BTreeSet::new();
        let sent = self.receiver.deliveries();
        let first = sent.iter().filter(|one| known.insert(one.headers["webhook-id"].clone()));
        first.filter_map(line).collect()
    }

    fn wait_delivered(&self) {
        wait_for("end of the backlog", SOON, || {
            let rows = self.config.json(&["receivers", "--json"]);
            (rows[0]["pending"] == 0).then_some(())
        });
    }
}

/// Returns the number of a message within its integration, with its type and status; status changes have none.
fn line(delivery: &Delivery) -> Option<(u64, String)> {
    let body = delivery.json();
    let data = &body["data"];
    let kind = body["type"].as_str()?.rsplit('.').next().filter(|kind| *kind != "changed")?;
    Some((data["sequence"].as_u64()?, format!("{kind} {}", data["status"].as_str()?)))
}

/// Fails unless the messages are numbered without a gap, each number once and in order.
fn assert_whole(story: &[(u64, String)]) {
    let numbers: Vec<_> = story.iter().map(|(number, _)| *number).collect();
    let first = numbers.first().copied().unwrap_or_default();
    let expected: Vec<_> = (first..).take(numbers.len()).collect();
    assert_eq!(numbers, expected, "{story:?}");
}

fn states(config: &Config) -> Vec<(String, String)> {
    let nodes = config.json(&["nodes", "--json"]);
    let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let nodes = nodes.as_array().unwrap().iter();
    nodes.map(|one| (word(one, "name"), word(one, "state"))).collect()
}

#[test]
fn kills_of_the_daemon_and_crashes_of_its_server_lose_and_double_nothing() {
    let scene = Scene::new();
    let config = &scene.config;
    let daemon = Daemon::start(config);
    daemon.wait_status("one", "enabled", SOON);
    scene.flip(true);
    daemon.kill();
    // The process has ended for certain, so that its place is free at once.
    let begun = Instant::now();
    let daemon = Daemon::start(config);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    scene.flip(false);

    scene.server.crash();
    wait_for("word that the store is away", SOON, || {
        daemon.log().contains("the store cannot be reached (").then_some(())
    });
    scene.platform.set_gone(true);
    scene.server.start_again();
    let before = scene.receiver.deliveries().len();
    scene.receiver.wait("one", "recurringValidationError", before.saturating_sub(1));
    wait_for("word that it is back", SOON, || {
        daemon.log().contains("the store is reached again").then_some(())
    });
    scene.server.crash();
    daemon.kill();
    scene.server.start_again();
    let daemon = Daemon::start(config);
    scene.flip(false);
    scene.wait_delivered();

    assert_whole(&scene.story());
    let statuses: Vec<_> = scene.story().into_iter().map(|(_, line)| line).collect();
    let flips = statuses.iter().filter(|line| line.starts_with("failed ")).count();
    assert_eq!(flips, 2, "{statuses:?}");
    verify(&scene.receiver.deliveries(), &format!("whsec_{}", SECRETS[2]));
    let machine = states(config).pop().unwrap();
    assert_eq!(machine.1, "running");
    assert!(daemon.stop().success());
    assert_eq!(states(config).pop().unwrap().1, "stopped");
}

#[test]
fn commands_work_and_a_second_daemon_is_refused_until_the_first_is_gone() {
    let scene = Scene::new();
    let config = &scene.config;
    let daemon = Daemon::start(config);
    daemon.wait_status("one", "enabled", SOON);
    let named = "[node]\nname = \"b\"\n".to_owned() + &scene.integration;
    let other = Config::on(scene.store.clone(), &named);
    let refused = other.run(&["run"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(75), "{why}");
    assert!(why.contains(" is alive (") && why.contains("one daemon at a time"), "{why}");

    let listed = config.json(&["list", "--json"]);
    assert_eq!(listed[0]["name"], "one", "{listed}");
    let silence = config.json(&["silences", "add", "--all", "--for", "1h", "--json"]);
    let id = silence["id"].to_string();
    assert!(config.run(&["silences", "end", &id]).status.success());
    let sent = config.json(&["deliveries", "--json"]);
    let again = sent[0]["id"].to_string();
    let before = scene.receiver.deliveries().len();
    assert!(config.run(&["redeliver", &again]).status.success());
    wait_for("message again", SOON, || (before < scene.receiver.deliveries().len()).then_some(()));
    let audit = config.json(&["audit", "--json"]);
    assert_eq!(audit.as_array().unwrap().len(), 3, "{audit}");
    assert!(config.run(&["revalidate", "one", "--wait", "20s"]).status.success());
    assert!(config.run(&["reload"]).status.success());
    let status = config.json(&["status", "--json"]);
    assert_eq!(status["daemon"]["state"], "running", "{status}");
    let backup = config.run(&["backup", "DIR"]);
    let why = String::from_utf8_lossy(&backup.stderr).into_owned();
    assert_eq!(backup.status.code(), Some(2), "{why}");
    assert!(why.contains("pg_dump"), "{why}");

    // What is paused for too long is taken over, and ends once it goes on.
    daemon.signal("STOP");
    let begun = Instant::now();
    let second = Daemon::start(&other);
    assert!(begun.elapsed() < TAKEN_OVER, "{:?}", begun.elapsed());
    daemon.signal("CONT");
    assert_eq!(daemon.ended().code(), Some(75));
    let nodes = states(config);
    assert!(nodes.contains(&("b".to_owned(), "running".to_owned())), "{nodes:?}");
    assert_eq!(nodes.len(), 2, "{nodes:?}");
    assert!(second.stop().success());
}
