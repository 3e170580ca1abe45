//! Several nodes on one database: none does what another one does, and what a dead one has begun is free.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bench::{Bench, LEASE, START, failed, passed, schedule, wanted};
use crate::domain::{
    AttemptResult, Class, IntegrationId, Next, Observed, OwnFault, Policy, Subject, Timestamp,
};
use crate::store::{
    Attempt, Began, Begun, Capacity, Configured, Drain, Finished, FreedNode, PendingDelivery,
    Publishing, Recorded, Site, Store, StoreError, SubjectRun, Synced, Wanted,
};

/// Makes a node dead by the clock of the database.
pub(super) fn silence(bench: &Bench, name: &str) {
    let sql = "UPDATE revalidated.node SET beat_at_ms = beat_at_ms - 21000 WHERE name =";
    bench.database().administer(&format!("{sql} '{name}'"));
}

pub(super) async fn synced(
    store: &Store,
    bench: &Bench,
    configured: Configured,
    startup: bool,
) -> Synced {
    store.sync(configured, startup, bench.context()).await.unwrap()
}

/// Lets a node join that has the same files.
pub(super) async fn joined(bench: &Bench, name: &str, all: &[Wanted]) -> Store {
    let store = bench.node(name).await.unwrap();
    let found = synced(&store, bench, all.to_vec().into(), true).await;
    assert_eq!(found.waits_for, None);
    store
}

pub(super) fn finished(begun: Begun, bench: &Bench) -> Finished {
    let subject = begun.subjects().first().copied().unwrap_or(Subject::Active);
    let (report, observed) = (passed(), Observed::default());
    Finished {
        begun,
        runs: vec![SubjectRun { subject, report, observed, own_fault: None }],
        started_at: bench.now,
        duration: Duration::from_millis(5),
        policy: Policy::default(),
        schedule: schedule(),
        node: None,
    }
}

pub(super) fn names(count: usize) -> Vec<Wanted> {
    (0..count).map(|number| wanted(&format!("i{number:02}"))).collect()
}

pub(super) async fn begun(store: &Store, id: IntegrationId, now: Timestamp) -> Began {
    store.begin(id, LEASE, now).await.unwrap()
}

#[tokio::test]
async fn node_of_another_name_joins_and_one_of_the_same_is_refused() {
    let bench = Bench::postgres().await.enabled().await;
    let other = joined(&bench, "b", &[wanted("one")]).await;
    // It beats meanwhile, so that it is known to be alive.
    let beating = other.clone();
    let beats = tokio::spawn(async move {
        loop {
            beating.beat().await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let refused = bench.node("b").await.unwrap_err();
    beats.abort();
    assert!(matches!(refused, StoreError::Occupied { .. }), "{refused}");
    let why = refused.to_string();
    assert!(
        why.contains("a node named b is alive (") && why.contains("another node.name"),
        "{why}"
    );
    let nodes = bench.view().nodes().await.unwrap();
    let alive: Vec<_> = nodes.iter().map(|node| (node.generation, node.is_alive)).collect();
    assert_eq!(alive, [(Some(1), Some(true)); 2]);
    other.close().await.unwrap();
    bench.node("b").await.unwrap();
}

#[tokio::test]
async fn run_that_all_nodes_want_is_begun_by_one() {
    let mut bench = Bench::postgres().await;
    let all = names(40);
    bench.sync(&all).await;
    let nodes = [joined(&bench, "b", &all).await, joined(&bench, "c", &all).await];
    bench.wait(Duration::from_hours(1));
    let due = bench.view().due(bench.now, 99).await.unwrap();
    assert_eq!(due.len(), 40);
    let mut tasks = Vec::new();
    for store in [&bench.store, &nodes[0], &nodes[1]] {
        for one in &due {
            let (store, id, now) = (store.clone(), one.id, bench.now);
            tasks.push(tokio::spawn(async move { begun(&store, id, now).await }));
        }
    }
    let mut runs = BTreeMap::new();
    for task in tasks {
        if let Began::Run(begun) = task.await.unwrap() {
            *runs.entry(begun.id).or_insert(0) += 1;
        }
    }
    assert_eq!((runs.len(), runs.values().max()), (40, Some(&1)));
}

#[tokio::test]
async fn runs_at_a_host_are_counted_over_all_nodes() {
    let mut bench = Bench::postgres().await;
    let all = names(6);
    bench.sync(&all).await;
    let other = joined(&bench, "b", &all).await;
    bench.wait(Duration::from_hours(1));
    let due = bench.view().due(bench.now, 99).await.unwrap();
    let site = Site { host: "db.example", most: 3 };
    let mut runs = Vec::new();
    for (number, one) in due.iter().enumerate() {
        let store = if number % 2 == 0 { &bench.store } else { &other };
        match store.begin_at(one.id, site, LEASE, bench.now).await.unwrap() {
            Began::Run(begun) => runs.push(begun),
            Began::HostFull => {}
            other @ (Began::NotDue | Began::Running | Began::NotInUse | Began::Waits) => {
                panic!("{other:?}")
            }
        }
    }
    assert_eq!(runs.len(), 3);
    let elsewhere = Site { host: "db2.example", most: 1 };
    let last = due.last().unwrap().id;
    assert!(matches!(
        other.begin_at(last, elsewhere, LEASE, bench.now).await.unwrap(),
        Began::Run(_)
    ));
    // One that ends leaves room for another.
    let first = runs.remove(0);
    bench.store.record(finished(first, &bench), bench.context()).await.unwrap();
    let fourth = other.begin_at(due[3].id, site, LEASE, bench.now).await.unwrap();
    assert!(matches!(fourth, Began::Run(_)), "{fourth:?}");
}

#[tokio::test]
async fn leases_of_a_dead_node_are_freed_once_and_it_goes_on_without_them() {
    let bench = Bench::postgres().await.enabled().await;
    let other = joined(&bench, "b", &[wanted("one")]).await;
    let third = joined(&bench, "c", &[wanted("one")]).await;
    let id = bench.id("one").await;
    let Began::Run(lost) = begun(&other, id, bench.now).await else { panic!("it is due") };
    let life = other.life();
    assert!(bench.store.beat().await.unwrap().freed.is_empty());
    assert!(matches!(begun(&bench.store, id, bench.now).await, Began::Running));
    silence(&bench, "b");
    let (first, second) = tokio::join!(bench.store.beat(), third.beat());
    let (mut freed, more) = (first.unwrap().freed, second.unwrap().freed);
    freed.extend(more);
    assert_eq!(freed, [FreedNode { name: "b".to_owned(), runs: 1, has_ended: false }]);
    let Began::Run(again) = begun(&bench.store, id, bench.now).await else { panic!("it is free") };
    let beat = other.beat().await.unwrap();
    assert!(beat.was_displaced);
    assert_ne!(other.life(), life, "what it has claimed is no longer its own");
    let late = other.record(finished(lost, &bench), bench.context()).await.unwrap();
    assert!(matches!(late, Recorded::Overtaken));
    let stored = bench.store.record(finished(again, &bench), bench.context()).await.unwrap();
    assert!(matches!(stored, Recorded::Stored { .. }));
    assert!(!other.beat().await.unwrap().was_displaced);
    let alive = bench.view().nodes().await.unwrap();
    assert!(alive.iter().all(|node| node.is_alive == Some(true)));
}

#[tokio::test]
async fn messages_to_a_receiver_are_counted_over_all_nodes_and_one_of_each_is_sent() {
    let mut bench = Bench::postgres().await;
    let all = names(5);
    bench.sync(&all).await;
    let other = joined(&bench, "b", &all).await;
    for one in &all {
        bench.run_of(&one.name, passed()).await;
    }
    for one in &all {
        bench.run_of(&one.name, failed(Class::Denied)).await;
    }
    let claim = async |store: &Store| {
        let capacity = BTreeMap::from([("a".to_owned(), Capacity { free: 2, most: 3 })]);
        store.claim_within(capacity, LEASE, bench.now).await.unwrap()
    };
    let (mut first, second) = tokio::join!(claim(&bench.store), claim(&other));
    assert_eq!(first.len() + second.len(), 3);
    first.extend(second);
    let mut about: Vec<_> = first.iter().map(|one| one.integration.clone().unwrap()).collect();
    about.dedup();
    assert_eq!(about.len(), 3, "one at a time about each");
    assert!(claim(&other).await.is_empty());
    bench.attempt(&first[0], Next::Delivered).await;
    assert_eq!(claim(&other).await.len(), 1);
}

#[tokio::test]
async fn node_with_other_files_waits_until_they_are_the_same() {
    let bench = Bench::postgres().await;
    bench.sync(&[wanted("one")]).await;
    let both: Configured = vec![wanted("one"), wanted("two")].into();
    let other = bench.node("b").await.unwrap();
    let waits = synced(&other, &bench, both.clone(), true).await.waits_for.unwrap();
    assert!(waits.contains("the cluster runs configuration 1 ("), "{waits}");
    assert!(waits.contains("integration two is only here; it waits until they agree"), "{waits}");
    assert!(!other.is_active() && bench.store.is_active());
    let id = bench.id("one").await;
    assert!(matches!(begun(&other, id, START).await, Began::Waits));
    // A reload here puts nothing in force; one on the node that works does.
    assert!(synced(&other, &bench, both.clone(), false).await.waits_for.is_some());
    let reloaded = bench.store.sync(both.clone(), false, bench.context()).await.unwrap();
    assert_eq!((reloaded.waits_for, reloaded.changes.added.count), (None, 1));
    assert!(other.beat().await.unwrap().is_superseded);
    let follow = Configured { publishing: Publishing::Follow, ..both.clone() };
    let joined = synced(&other, &bench, follow, false).await;
    assert_eq!((joined.waits_for, joined.ids.len(), joined.changes.added.count), (None, 2, 0));
    assert!(other.is_active() && !other.beat().await.unwrap().is_superseded);

    // Of two that change their files at the same time, the second waits.
    let third: Configured = vec![wanted("one"), wanted("three")].into();
    assert_eq!(synced(&other, &bench, third, false).await.waits_for, None);
    assert!(matches!(begun(&bench.store, id, START).await, Began::Waits), "by files of before");
    let fourth: Configured = vec![wanted("one"), wanted("four")].into();
    let late = synced(&bench.store, &bench, fourth.clone(), false).await.waits_for.unwrap();
    assert!(
        late.contains("configuration 3 (") && late.contains("put in force by node b"),
        "{late}"
    );
    assert!(late.contains("integration four is only here, integration three is missing"), "{late}");
    // A person may put its files in force nevertheless.
    bench.control().await.publish(START).await.unwrap();
    assert_eq!(synced(&bench.store, &bench, fourth, false).await.waits_for, None);
    assert!(bench.store.is_active());
    let generations: Vec<_> =
        bench.view().nodes().await.unwrap().iter().map(|node| node.generation).collect();
    assert_eq!(generations, [Some(4), Some(3)]);
}

#[tokio::test]
async fn start_alone_puts_changed_files_in_force_unless_it_missed_a_change() {
    let bench = Bench::postgres().await;
    bench.sync(&[wanted("one")]).await;
    let other = joined(&bench, "b", &[wanted("one")]).await;
    other.close().await.unwrap();
    let two: Configured = vec![wanted("one"), wanted("two")].into();
    bench.store.sync(two, false, bench.context()).await.unwrap();
    bench.store.clone().close().await.unwrap();
    // It ran configuration 1, and 2 is in force.
    let stale = bench.node("b").await.unwrap();
    assert!(synced(&stale, &bench, vec![wanted("one")].into(), true).await.waits_for.is_some());
    stale.close().await.unwrap();
    let mut bench = bench;
    bench.store = bench.node("").await.unwrap();
    let changed = vec![wanted("one"), wanted("three")].into();
    assert_eq!(synced(&bench.store, &bench, changed, true).await.waits_for, None);
}

#[tokio::test]
async fn drained_node_begins_and_sends_nothing_until_it_is_resumed() {
    let bench = Bench::postgres().await.enabled().await;
    let other = joined(&bench, "b", &[wanted("one")]).await;
    let id = bench.id("one").await;
    let Began::Run(run) = begun(&other, id, bench.now).await else { panic!("it is due") };
    let mut control = bench.control().await;
    assert!(control.drain("b", true, START).await.unwrap());
    assert!(!control.drain("zzz", true, START).await.unwrap());
    assert!(other.beat().await.unwrap().is_draining);
    let drain = async || bench.view().nodes().await.unwrap()[1].drain;
    assert_eq!(drain().await, Some(Drain::Draining));
    assert!(!other.is_active());
    other.record(finished(run, &bench), bench.context()).await.unwrap();
    assert_eq!(drain().await, Some(Drain::Drained));
    assert!(matches!(begun(&other, id, bench.now).await, Began::Waits));
    assert!(control.drain("b", false, START).await.unwrap());
    assert!(!other.beat().await.unwrap().is_draining);
    assert!(other.is_active());
    assert_eq!(drain().await, None);
}

#[tokio::test]
async fn fault_of_two_nodes_is_notified_once_and_ends_with_the_last() {
    let bench = Bench::postgres().await.enabled().await;
    let other = joined(&bench, "b", &[wanted("one")]).await;
    let third = joined(&bench, "c", &[wanted("one")]).await;
    let fault = OwnFault::Network;
    let degrade = async |store: &Store| {
        store.degrade(fault, "none answers".to_owned(), bench.context()).await.unwrap()
    };
    let (first, second) = tokio::join!(degrade(&other), degrade(&third));
    assert!(first != second, "receivers are notified once");
    assert_eq!(bench.view().own_faults().await.unwrap().len(), 1);
    assert_eq!(bench.store.lasting_faults().await.unwrap(), []);
    assert_eq!(other.lasting_faults().await.unwrap(), [fault]);
    assert!(!other.restore(fault, bench.context()).await.unwrap());
    // The other one dies with it.
    silence(&bench, "c");
    let freed = bench.store.beat().await.unwrap().freed;
    assert_eq!(freed, [FreedNode { name: "c".to_owned(), runs: 0, has_ended: false }]);
    bench.store.end_faults_of_dead(bench.context()).await.unwrap();
    let kinds = bench.kinds().await;
    let about: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("daemon.")).collect();
    assert_eq!(about, ["daemon.degraded", "daemon.recovered"]);
}

#[tokio::test]
async fn late_receipt_of_a_dead_node_ends_its_message_and_nothing_else() {
    let bench = Bench::postgres().await.enabled().await;
    let other = joined(&bench, "b", &[wanted("one")]).await;
    let all = BTreeMap::from([("a".to_owned(), 9)]);
    let sent: Vec<PendingDelivery> = other.claim(all.clone(), LEASE, bench.now).await.unwrap();
    silence(&bench, "b");
    bench.store.beat().await.unwrap();
    let again = bench.store.claim(all, LEASE, bench.now).await.unwrap();
    assert_eq!((sent.len(), again.len(), &sent[0].event_id), (1, 1, &again[0].event_id));
    let attempt = Attempt {
        delivery: sent[0].id,
        token: sent[0].token,
        started_at: bench.now,
        duration: Duration::ZERO,
        result: AttemptResult::Answered { code: 204, hint: None },
        detail: "an answer".to_owned(),
        next: Next::Delivered,
        disable_after: Duration::MAX,
        awake: Duration::ZERO,
        is_trusted: true,
        kept_max: 9,
    };
    other.record_attempt(attempt, bench.context()).await.unwrap().await.unwrap();
    bench.attempt(&again[0], Next::Delivered).await;
    let next = bench.claim("a", 9).await;
    assert_eq!((next.len(), next[0].event_id == sent[0].event_id), (1, false), "it was sent once");
}

#[tokio::test]
async fn messages_of_a_queue_wait_for_an_alert_of_it_that_another_node_sends_again() {
    let mut bench = Bench::postgres().await.enabled().await;
    let other = joined(&bench, "b", &[wanted("one")]).await;
    bench.run(failed(Class::Denied)).await;
    bench.deliver("a").await;
    bench.wait_until_due("one").await;
    let run = bench.begun("one").await;
    let every = BTreeMap::from([("a".to_owned(), Duration::from_mins(1))]);
    let id = bench.id("one").await;
    let due = format!(
        "UPDATE revalidated.incident_receiver SET resend_at_ms = {} WHERE integration_id = {}",
        bench.now.0, id.0
    );
    bench.database().administer(&due);
    let claims = tokio::join!(other.claim_resends(every.clone(), bench.now), async {
        bench.store.claim_resends(every.clone(), bench.now).await
    });
    let mut again = claims.0.unwrap();
    again.extend(claims.1.unwrap());
    assert_eq!(again.len(), 1, "one node sends it");
    bench.record(run, passed()).await;
    assert!(bench.claim("a", 9).await.is_empty(), "its end waits");
    other.end_resend(&again[0]).await.unwrap();
    assert_eq!(bench.claim("a", 9).await.len(), 1);
}
