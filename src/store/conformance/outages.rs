//! Outages: what an engine finds among siblings, and what receivers are notified of.

use std::time::Duration;

use super::bench::{Bench, failed, passed, wanted};
use super::on_every_engine;
use crate::domain::{Class, Factor, FactorKind, Timestamp};
use crate::store::Wanted;

on_every_engine!(
    factors_come_with_the_number_of_others_that_share_them,
    first_failure_makes_siblings_due_and_so_does_the_first_recovery,
    failure_while_siblings_pass_is_no_outage,
    receiver_that_the_outage_did_not_concern_is_notified_of_its_own_integration,
    integration_that_leaves_ends_its_outage,
);

const FAILED: &str = "integration.validation.failed";
const OUTAGE: &str = "integrations.outage";
const RESOLVED: &str = "integrations.outage.resolved";
const NAMES: [&str; 6] = ["n0", "n1", "n2", "n3", "n4", "n5"];

fn factor(kind: FactorKind, value: &str) -> Factor {
    Factor { kind, value: value.to_owned() }
}

/// The first `count` integrations on one host, and one elsewhere; all share a login and pass.
async fn fleet(mut bench: Bench, count: usize) -> (Bench, Vec<&'static str>) {
    let on = |host: &str, name: &str| {
        let factors = vec![factor(FactorKind::Host, host), factor(FactorKind::Principal, "login")];
        Wanted { factors, ..wanted(name) }
    };
    let names = NAMES[..count].to_vec();
    let elsewhere = std::iter::once(on("other", "elsewhere"));
    let all: Vec<_> = names.iter().map(|name| on("db", name)).chain(elsewhere).collect();
    bench.sync(&all).await;
    for _ in 0..2 {
        for one in &all {
            bench.run_of(&one.name, passed()).await;
        }
        bench.wait(Duration::from_mins(20));
    }
    for receiver in bench.receivers.clone() {
        bench.deliver(receiver).await;
    }
    (bench, names)
}

async fn fail(bench: &mut Bench, names: &[&str], class: Class) {
    for _ in 0..3 {
        for name in names {
            bench.run_of(name, failed(class)).await;
        }
    }
}

/// Returns the instants at which they are due, by their order.
async fn due(bench: &Bench, names: &[&str]) -> Vec<Timestamp> {
    let mut instants = Vec::new();
    for name in names {
        instants.push(bench.row(name).await.next_run_at.unwrap());
    }
    instants
}

/// Delivers to a receiver; returns the types of what it got.
async fn sent(bench: &Bench, receiver: &str) -> Vec<String> {
    let bodies = bench.deliver(receiver).await;
    bodies.iter().map(|body| body["type"].as_str().unwrap().to_owned()).collect()
}

async fn factors_come_with_the_number_of_others_that_share_them(bench: Bench) {
    let (bench, _) = fleet(bench, 3).await;
    let shared = async |bench: &Bench, name: &str| {
        let id = bench.id(name).await;
        let found = bench.view().surroundings(id, None, bench.now).await.unwrap();
        found.factors.into_iter().map(|(factor, others)| (factor.value, others)).collect::<Vec<_>>()
    };
    let counts = |host: &str, here: u32, everywhere: u32| {
        vec![(host.to_owned(), here), ("login".to_owned(), everywhere)]
    };
    assert_eq!(shared(&bench, "n0").await, counts("db", 2, 3));
    assert_eq!(shared(&bench, "elsewhere").await, counts("other", 0, 3));
    let factors = vec![factor(FactorKind::Host, "db"), factor(FactorKind::Principal, "login")];
    bench.sync(&[Wanted { factors, ..wanted("n0") }]).await;
    bench.store.drain_removed(bench.context()).await.unwrap();
    assert_eq!(shared(&bench, "n0").await, counts("db", 0, 0), "the others are deleted");
    bench.sync(&[wanted("n0")]).await;
    assert_eq!(shared(&bench, "n0").await, [], "the configuration decides");
}

async fn first_failure_makes_siblings_due_and_so_does_the_first_recovery(bench: Bench) {
    let (mut bench, names) = fleet(bench, 4).await;
    let (others, far) = (&names[1..], ["elsewhere"]);
    let before = due(&bench, others).await;
    for report in [failed(Class::Missing), passed()] {
        bench.run_of("n0", report).await;
        assert_eq!(due(&bench, others).await, before, "no other one can share that");
    }
    let elsewhere = due(&bench, &far).await;
    bench.run_of("n0", failed(Class::Unreachable)).await;
    assert!(due(&bench, others).await.iter().all(|at| *at <= bench.now));
    assert_eq!(due(&bench, &far).await, elsewhere);
    fail(&mut bench, &names, Class::Unreachable).await;
    assert!(sent(&bench, "a").await.contains(&OUTAGE.to_owned()));
    bench.run_of("n1", passed()).await;
    let members = due(&bench, &["n0", "n2", "n3"]).await;
    assert!(members.iter().all(|at| *at <= bench.now));
}

async fn failure_while_siblings_pass_is_no_outage(bench: Bench) {
    let (mut bench, names) = fleet(bench, 6).await;
    for _ in 0..4 {
        for (place, name) in names.iter().enumerate() {
            let report = if place < 3 { failed(Class::Unreachable) } else { passed() };
            bench.run_of(name, report).await;
        }
    }
    assert_eq!(sent(&bench, "a").await, [FAILED; 3]);
}

async fn receiver_that_the_outage_did_not_concern_is_notified_of_its_own_integration(
    mut bench: Bench,
) {
    bench.receivers = vec!["a", "late"];
    let (mut bench, names) = fleet(bench, 6).await;
    fail(&mut bench, &names[..5], Class::Unreachable).await;
    assert_eq!(sent(&bench, "late").await, [""; 0]);
    fail(&mut bench, &["n5"], Class::Unreachable).await;
    assert_eq!(sent(&bench, "a").await, [OUTAGE]);
    assert_eq!(sent(&bench, "late").await, [FAILED], "the list did not name it");
}

async fn integration_that_leaves_ends_its_outage(bench: Bench) {
    let (mut bench, names) = fleet(bench, 3).await;
    fail(&mut bench, &names, Class::Unreachable).await;
    for name in ["n0", "n1"] {
        bench.run_of(name, passed()).await;
    }
    bench.sync(&[]).await;
    assert_eq!(bench.store.release(9, bench.context()).await.unwrap().outages, 1);
    let kinds = sent(&bench, "a").await;
    assert_eq!(kinds.iter().filter(|kind| *kind == RESOLVED).count(), 1);
}
