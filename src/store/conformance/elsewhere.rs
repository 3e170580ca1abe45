//! Confirmation from elsewhere: the next look after one that had no answer is for other nodes, and contradictions are kept.

use std::time::Duration;

use super::bench::{Bench, LEASE, failed, passed, run, wanted};
use super::nodes::{finished, silence};
use super::regions::joined;
use crate::domain::ledger::{Contradiction, is_suspect};
use crate::domain::{Class, IntegrationId, OwnFault, Report, Status};
use crate::store::{Began, Begun, Recorded, Site, Store};

/// Host of every run.
const SITE: Site<'_> = Site { host: "db:5439", most: 9 };

async fn begin(store: &Store, bench: &Bench, id: IntegrationId) -> Began {
    store.begin_at(id, SITE, LEASE, bench.now).await.unwrap()
}

async fn begun(store: &Store, bench: &Bench, id: IntegrationId) -> Begun {
    run(begin(store, bench, id).await)
}

/// Runs an integration on a node now.
async fn run_on(store: &Store, bench: &Bench, id: IntegrationId, report: Report) {
    let mut finished = finished(begun(store, bench, id).await, bench);
    finished.runs[0].report = report;
    finished.node = store.vantage();
    let recorded = store.record(finished, bench.context()).await.unwrap();
    assert!(matches!(recorded, Recorded::Stored { .. }), "{recorded:?}");
}

async fn is_due(store: &Store, bench: &Bench) -> bool {
    !store.view().due(bench.now, 9).await.unwrap().is_empty()
}

#[tokio::test]
async fn look_that_one_node_made_in_vain_is_left_to_others() {
    let mut bench = Bench::postgres().await.enabled().await;
    let all = [wanted("one")];
    let (a, b) = (joined(&bench, "a", "eu", &all).await, joined(&bench, "b", "eu", &all).await);
    let id = bench.id("one").await;
    run_on(&a, &bench, id, failed(Class::Unreachable)).await;
    bench.wait_until_due("one").await;
    assert!(!is_due(&a, &bench).await && is_due(&b, &bench).await);
    assert!(matches!(begin(&a, &bench, id).await, Began::Waits));
    assert!(!a.view().has_requests(bench.now).await.unwrap());
    // A wait later it may look too.
    let before = bench.now;
    bench.wait(Duration::from_mins(1));
    assert!(is_due(&a, &bench).await);
    bench.now = before;

    run_on(&b, &bench, id, failed(Class::Unreachable)).await;
    let looks = bench.row("one").await.evidence.looks;
    let nodes: Vec<_> = looks.iter().map(|look| look.node.as_deref()).collect();
    assert_eq!(nodes, [Some("a"), Some("b")]);
    bench.wait_until_due("one").await;
    assert!(is_due(&a, &bench).await && !is_due(&b, &bench).await, "now it is the other way round");
    run_on(&a, &bench, id, failed(Class::Unreachable)).await;
    bench.wait_until_due("one").await;
    run_on(&b, &bench, id, failed(Class::Unreachable)).await;
    assert_eq!(bench.status("one").await, Status::RecurringValidationError);
}

#[tokio::test]
async fn node_without_another_one_that_may_look_decides_alone() {
    let mut bench = Bench::postgres().await.enabled().await;
    let all = [wanted("one")];
    let (a, b) = (joined(&bench, "a", "eu", &all).await, joined(&bench, "b", "eu", &all).await);
    let id = bench.id("one").await;
    // The bench's own node is drained by its name, and the other is dead, or waits.
    silence(&bench, "");
    silence(&bench, "b");
    run_on(&a, &bench, id, failed(Class::Unreachable)).await;
    bench.wait_until_due("one").await;
    assert!(is_due(&a, &bench).await);
    b.beat().await.unwrap();
    b.wait_for(OwnFault::Network, Some("it is cut off".to_owned()));
    b.wait_for(OwnFault::Clock, Some("it is late".to_owned()));
    b.beat().await.unwrap();
    run_on(&a, &bench, id, failed(Class::Unreachable)).await;
    bench.wait_until_due("one").await;
    assert!(is_due(&a, &bench).await, "the other one waits");
    b.wait_for(OwnFault::Clock, None);
    assert!(!b.is_active());
    b.wait_for(OwnFault::Network, None);
    b.beat().await.unwrap();
    assert!(b.is_active());
    run_on(&a, &bench, id, failed(Class::Unreachable)).await;
    bench.wait_until_due("one").await;
    assert!(!is_due(&a, &bench).await, "it works again");
}

#[tokio::test]
async fn contradictions_are_kept_for_the_node_until_it_forgets_them() {
    let mut bench = Bench::postgres().await;
    let all = super::nodes::names(3);
    bench.sync(&all).await;
    for one in &all {
        bench.run_of(&one.name, passed()).await;
    }
    let (a, b) = (joined(&bench, "a", "eu", &all).await, joined(&bench, "b", "eu", &all).await);
    for one in &all {
        bench.wait_until_due(&one.name).await;
        let id = bench.id(&one.name).await;
        run_on(&a, &bench, id, failed(Class::Unreachable)).await;
        bench.wait_until_due(&one.name).await;
        run_on(&b, &bench, id, passed()).await;
        assert_eq!(bench.status(&one.name).await, Status::Enabled);
    }
    let found: Vec<Contradiction> = a.contradictions().await.unwrap();
    assert!(found.iter().all(|one| one.host == SITE.host), "{found:?}");
    assert_eq!((found.len(), b.contradictions().await.unwrap().len()), (3, 0));
    assert!(is_suspect(&found, found[2].at));
    a.forget_contradictions().await.unwrap();
    assert!(a.contradictions().await.unwrap().is_empty());
}

#[tokio::test]
async fn fault_of_a_node_names_it_to_receivers() {
    let bench = Bench::postgres().await.enabled().await;
    let a = joined(&bench, "a", "eu", &[wanted("one")]).await;
    bench.deliver("a").await;
    a.degrade(OwnFault::Network, "it reaches nothing".to_owned(), bench.context()).await.unwrap();
    a.restore(OwnFault::Network, bench.context()).await.unwrap();
    let sent = bench.deliver("a").await;
    let about: Vec<_> = sent.iter().map(|body| (&body["type"], &body["data"]["node"])).collect();
    assert_eq!(about.len(), 2, "{sent:?}");
    assert!(about.iter().all(|(_, node)| *node == "a"), "{about:?}");
    assert_eq!(sent[0]["data"]["message"], "node a: it reaches nothing");
    bench.store.degrade(OwnFault::Store, "lost".to_owned(), bench.context()).await.unwrap();
    let sent = bench.deliver("a").await;
    assert!(sent[0]["data"].get("node").is_none(), "it is of all nodes: {sent:?}");
}
