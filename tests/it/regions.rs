//! Regions on several daemons: work runs where its labels are, and what one node alone cannot reach does not fail.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;

use crate::cluster::{Nodes, wait_state};
use crate::receivers::receiver;
use crate::support::{Config, Daemon, wait_for};

const SOON: Duration = Duration::from_mins(2);
/// Integrations of Europe; two more are of the other region.
const EUROPEAN: usize = 6;

/// Returns the files of a node of a region, which differ from those of others in what is its own.
fn files(nodes: &Nodes, name: &str, region: &str, canary: &str) -> String {
    let own = format!(
        "[node]\nname = \"{name}\"\nlabels = {{ region = \"{region}\" }}\n\
         [own_faults]\ncanaries = [\"{canary}\"]\n"
    );
    let lakes = (0..EUROPEAN + 2).map(|number| {
        let region = if number < EUROPEAN { "eu" } else { "us" };
        let lake = nodes.lakes.integration(number);
        lake.replace("schedule", &format!("run_on = {{ region = \"{region}\" }}\nschedule"))
    });
    let lakes: String = lakes.collect();
    let receiver = receiver("on-call", &nodes.receiver.url).replace("receiver.*", "daemon.*");
    let rest = "[limits]\ntest = \"1s\"\n[outages]\nmin = 1024\n";
    let text = format!("{own}{rest}{receiver}{lakes}");
    text.replace("DIR", nodes.secrets.dir().to_str().unwrap())
}

/// Waits for a message of this type about a fault.
fn wait_message(nodes: &Nodes, kind: &str, fault: &str, limit: Duration) -> Value {
    wait_for(&format!("{kind} {fault}"), limit, || {
        let sent = nodes.receiver.taken();
        let mut bodies = sent.iter().map(|one| one.delivery.json());
        bodies.find(|body| body["type"] == kind && body["data"]["fault"] == fault)
    })
}

fn runs_of(daemon: &Daemon<'_>, lakes: std::ops::Range<usize>) -> usize {
    let log = daemon.log();
    lakes.filter(|number| log.contains(&format!("lake-{number}: validation "))).count()
}

#[test]
fn work_runs_in_its_region_and_what_one_node_alone_cannot_reach_does_not_fail() {
    let nodes = Nodes::new();
    nodes.lakes.stabilise();
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = canary.local_addr().unwrap().to_string();
    let other = nodes.lakes.endpoint.trim_start_matches("http://").to_owned();
    let config = |name: &str, region: &str, canary: &str| {
        Config::on(nodes.store.clone(), &files(&nodes, name, region, canary))
    };
    let (a, b, c) =
        (config("a", "eu", &address), config("b", "eu", &other), config("c", "us", &other));
    let (first, second, third) = (Daemon::start(&a), Daemon::start(&b), Daemon::start(&c));
    let (eu, us) = (0..EUROPEAN, EUROPEAN..EUROPEAN + 2);
    wait_for("runs on every node", SOON, || {
        let all = [runs_of(&first, eu.clone()), runs_of(&second, eu.clone())];
        (all.iter().all(|ran| 0 < *ran) && runs_of(&third, us.clone()) == 2).then_some(())
    });
    nodes.wait_for_runs(SOON);
    let away = [&first, &second].map(|daemon| runs_of(daemon, us.clone()));
    assert_eq!((away, runs_of(&third, eu.clone())), ([0, 0], 0), "each in its region");
    // No node is left for what the other region has.
    assert!(third.stop().success());

    // The platform answers one node no more; its canary does.
    nodes.lakes.cut_off(first.pid());
    wait_for("word of contradictions", SOON, || {
        first.log().contains("a canary answers, so that this node goes on").then_some(())
    });
    let contradicted = "SELECT count(*) FROM revalidated.run
        WHERE rule LIKE '%node a alone had no answer, which counts as a fault on its own side%'";
    assert!(3 <= nodes.number(contradicted));
    let looks = "SELECT count(*) FROM revalidated.run WHERE evidence LIKE '%\"n\":\"a\"%'";
    assert!(3 <= nodes.number(looks));

    // Neither does its canary: it hands its work over until that takes connections again.
    drop(canary);
    let waiting = wait_state(&b, "a", "standby");
    let why = waiting["waitsFor"].as_str().unwrap();
    assert!(why.contains("none of the canaries answers"), "{why}");
    let degraded = wait_message(&nodes, "daemon.degraded", "network", SOON);
    assert_eq!(degraded["data"]["node"], "a", "{degraded}");
    let leased = "SELECT count(*) FROM revalidated.work JOIN revalidated.node
        ON incarnation = lease_owner WHERE node.name = 'a'";
    wait_for("leases handed back", SOON, || (nodes.number(leased) == 0).then_some(()));
    nodes.lakes.cut_off(0);
    let canary = TcpListener::bind(&address).unwrap();
    wait_state(&b, "a", "running");
    wait_message(&nodes, "daemon.recovered", "network", SOON);
    let flips = "SELECT count(*) FROM revalidated.transition WHERE to_status LIKE '%rror'";
    assert_eq!(nodes.number(flips), 0);

    let absent = wait_message(&nodes, "daemon.degraded", "region", 2 * SOON);
    let expected = "no node with region=us is alive; 2 integrations wait";
    assert_eq!(absent["data"]["message"], expected, "{absent}");
    let status = b.json(&["status", "--json"]);
    assert!(status.to_string().contains(expected), "{status}");
    let third = Daemon::start(&c);
    wait_message(&nodes, "daemon.recovered", "region", SOON);
    for daemon in [first, second, third] {
        assert!(daemon.stop().success());
    }
    drop(canary);
    nodes.assert_no_overlap();
}
