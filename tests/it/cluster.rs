//! The daemon on a real `PostgreSQL`: what it stores and sends, whatever ends it or the server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::daemon::lake;
use crate::receivers::receiver;
use crate::support::{
    AccessGrants, Config, Daemon, Delivery, Lakes, Mood, Moody, Postgres, Receiver, SECRETS,
    verify, wait_for,
};

const SOON: Duration = Duration::from_secs(30);

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
fn commands_work_and_a_second_daemon_of_the_same_name_is_refused() {
    let scene = Scene::new();
    let config = &scene.config;
    let daemon = Daemon::start(config);
    daemon.wait_status("one", "enabled", SOON);
    let same = Config::on(scene.store.clone(), &scene.integration);
    let refused = same.run(&["run"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(78), "{why}");
    assert!(why.contains(" is alive (") && why.contains("another node.name"), "{why}");

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

    assert!(daemon.stop().success());
}

/// Integrations of every node.
const LAKES: usize = 12;
/// Time in which the runs of a node that was killed begin elsewhere.
const ELSEWHERE: Duration = Duration::from_secs(25);

/// Nodes with the same files and secrets, each in a folder of its own.
pub(crate) struct Nodes {
    server: Postgres,
    pub(crate) lakes: Lakes,
    pub(crate) receiver: Moody,
    pub(crate) store: String,
    pub(crate) secrets: Config,
}

impl Nodes {
    pub(crate) fn new() -> Self {
        let (server, lakes) = (Postgres::start(), Lakes::start(7));
        let store = server.store();
        let secrets = Config::new("");
        Self { server, lakes, receiver: Moody::start(Mood::Fine, 7), store, secrets }
    }

    /// Returns the files of a node with so many integrations.
    fn files(&self, name: &str, count: usize) -> String {
        let node = format!("[node]\nname = \"{name}\"\n[defaults]\nflap_flips = 0\n");
        let receiver = receiver("on-call", &self.receiver.url);
        let lakes: String = (0..count).map(|number| self.lakes.integration(number)).collect();
        let text = format!("{node}[outages]\nmin = 1024\n{receiver}{lakes}");
        text.replace("DIR", self.secrets.dir().to_str().unwrap())
    }

    fn config(&self, name: &str, count: usize) -> Config {
        Config::on(self.store.clone(), &self.files(name, count))
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        let rows = self.server.rows("state", sql);
        rows.iter().find_map(|line| line.trim().parse().ok()).unwrap_or_else(|| panic!("{rows:?}"))
    }

    /// Waits until every integration in use has a run that began after this, by any node.
    pub(crate) fn wait_for_runs(&self, limit: Duration) {
        let now = self.number("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
        let missing = format!(
            "SELECT count(*) FROM revalidated.integration WHERE status NOT IN ('deleting', 'deleted')
             AND NOT EXISTS (SELECT 1 FROM revalidated.run WHERE integration_id = integration.id
                             AND started_at_ms > {now})"
        );
        wait_for("runs of all integrations", limit, || {
            std::thread::sleep(Duration::from_millis(200));
            (self.number(&missing) == 0).then_some(())
        });
    }

    /// Fails unless no run of an integration began before the one before it had ended.
    pub(crate) fn assert_no_overlap(&self) {
        let overlaps = "SELECT count(*) FROM (
            SELECT started_at_ms, lag(started_at_ms + duration_ms) OVER (
                PARTITION BY integration_id ORDER BY started_at_ms) AS ended_ms
            FROM revalidated.run) AS runs WHERE started_at_ms < ended_ms - 50";
        assert_eq!(self.number(overlaps), 0);
    }

    /// Fails unless the receiver has every message once by its id, and in order of its integration.
    fn assert_whole(&self) {
        let mut known = BTreeSet::new();
        let mut stories: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for one in self.receiver.taken() {
            if !known.insert(one.delivery.headers["webhook-id"].clone()) {
                continue;
            }
            let Some((number, _)) = line(&one.delivery) else { continue };
            let body = one.delivery.json();
            let name = body["data"]["integration"]["name"].as_str().unwrap();
            stories.entry(name.to_owned()).or_default().push(number);
        }
        assert!(LAKES < stories.len(), "{:?}", stories.keys());
        for (name, numbers) in &stories {
            let expected: Vec<_> = (1..=u64::try_from(numbers.len()).unwrap()).collect();
            assert_eq!(numbers, &expected, "{name}");
            let last =
                format!("SELECT max(sequence) FROM revalidated.integration WHERE name = '{name}'");
            assert_eq!(self.number(&last), i64::try_from(numbers.len()).unwrap(), "{name}");
        }
        let twice = self.number(
            "SELECT count(*) FROM (SELECT 1 FROM revalidated.event
            WHERE integration_id IS NOT NULL AND type NOT LIKE 'integration.status.%'
            GROUP BY integration_id, sequence HAVING count(*) > 1) AS same",
        );
        assert_eq!(twice, 0);
    }
}

/// Waits until a node is in a state.
pub(crate) fn wait_state(config: &Config, name: &str, state: &str) -> Value {
    wait_for(&format!("node {name} {state}"), SOON, || {
        std::thread::sleep(Duration::from_millis(200));
        let nodes = config.json(&["nodes", "--json"]);
        let found = nodes.as_array().unwrap().iter().find(|one| one["name"] == name)?;
        (found["state"] == state).then(|| found.clone())
    })
}

/// Puts files in force by hand, with which nodes wait for each other; then takes one out of work, and in again.
fn publish_and_drain(nodes: &Nodes, [a, _, c]: &[Config; 3]) {
    // Files that a person wants to be in force are so from then on, and the others wait for theirs to be the same.
    c.write(&nodes.files("c", LAKES + 2));
    assert_eq!(c.run(&["reload", "--author", "anna"]).status.code(), Some(0), "it runs the latest");
    wait_state(a, "a", "standby");
    let published = a.run(&["config", "publish", "--author", "anna"]);
    assert!(published.status.success(), "{}", String::from_utf8_lossy(&published.stderr));
    wait_state(a, "c", "standby");
    assert_eq!(wait_state(a, "a", "running")["generation"], 4);
    wait_state(a, "b", "running");
    c.write(&nodes.files("c", LAKES + 1));
    assert!(c.run(&["reload"]).status.success());

    assert!(a.run(&["nodes", "drain", "b"]).status.success());
    wait_state(a, "b", "drained");
    assert!(a.run(&["nodes", "resume", "b"]).status.success());
    wait_state(a, "b", "running");
}

#[test]
fn three_daemons_share_the_work_and_what_one_leaves_goes_on_elsewhere() {
    let nodes = Nodes::new();
    let configs = ["a", "b", "c"].map(|name| nodes.config(name, LAKES));
    let [a, b, c] = &configs;
    let (first, second) = (Daemon::start(a), Daemon::start(b));
    let third = Daemon::start(c);
    let ran = |daemon: &Daemon<'_>| daemon.log().contains(": validation ");
    wait_for("runs on every node", SOON, || {
        (ran(&first) && ran(&second) && ran(&third)).then_some(())
    });
    let listed: Vec<_> = states(a).into_iter().map(|(name, state)| name + " " + &state).collect();
    assert_eq!(listed, ["a running", "b running", "c running"]);

    // While runs are under way, one is killed, and one is paused for so long that its work is another's.
    nodes.lakes.slow_down(250);
    std::thread::sleep(Duration::from_secs(3));
    second.signal("STOP");
    third.kill();
    nodes.wait_for_runs(ELSEWHERE);
    nodes.lakes.slow_down(0);
    for (name, why) in [("b", "was not heard of"), ("c", "has ended")] {
        wait_state(a, name, "gone");
        let said = format!("node {name} {why}");
        wait_for(&said, SOON, || first.log().contains(&said).then_some(()));
    }
    second.signal("CONT");
    wait_for("word that it goes on", SOON, || {
        second.log().contains("others have its runs and messages by now").then_some(())
    });
    wait_state(a, "b", "running");

    // One is reloaded: the other waits until it has the same files, and so does one that starts.
    a.write(&nodes.files("a", LAKES + 1));
    assert!(a.run(&["reload"]).status.success());
    let waiting = wait_state(a, "b", "standby");
    let why = waiting["waitsFor"].as_str().unwrap();
    assert!(
        why.contains("integration lake-12 is missing here; it waits until they agree"),
        "{why}"
    );
    let third = Daemon::start(c);
    wait_state(a, "c", "standby");
    for (name, config) in [("b", b), ("c", c)] {
        config.write(&nodes.files(name, LAKES + 1));
        let reloaded = config.run(&["reload"]);
        assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
        let joined = wait_state(a, name, "running");
        assert_eq!(joined["generation"], 2, "{joined}");
    }
    nodes.wait_for_runs(SOON);

    publish_and_drain(&nodes, &configs);
    nodes.lakes.stabilise();
    nodes.wait_for_runs(SOON);
    nodes.wait_for_runs(SOON);
    wait_for("end of the backlog", SOON, || {
        (nodes.number("SELECT count(*) FROM revalidated.delivery WHERE state = 'pending'") == 0)
            .then_some(())
    });
    for daemon in [first, second, third] {
        assert!(daemon.stop().success());
    }
    nodes.assert_no_overlap();
    nodes.assert_whole();
}
