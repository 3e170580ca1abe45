//! Regions: nodes take the work of the pools that their labels satisfy, and a pool without a node is a fault.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bench::{Bench, LEASE, START, wanted};
use super::nodes::silence;
use crate::domain::{IntegrationId, OwnFault, Pool};
use crate::store::{Began, Configured, Placed, Publishing, Store, Wanted};

fn labels(region: &str) -> BTreeMap<String, String> {
    [("region".to_owned(), region.to_owned())].into()
}

fn in_region(name: &str, region: &str) -> Wanted {
    Wanted { run_on: Pool::of(labels(region)), ..wanted(name) }
}

/// Opens the database as a node of a region with the configuration in force.
pub(super) async fn joined(bench: &Bench, name: &str, region: &str, all: &[Wanted]) -> Store {
    let store = bench.node_in(name, labels(region)).await.unwrap();
    let follow = Configured { publishing: Publishing::Follow, ..all.to_vec().into() };
    assert_eq!(store.sync(follow, true, bench.context()).await.unwrap().waits_for, None);
    store
}

async fn due(store: &Store, bench: &Bench) -> Vec<String> {
    let due = store.view().due(bench.now, 9).await.unwrap();
    let mut names: Vec<_> = due.into_iter().map(|one| one.name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn node_takes_what_is_meant_for_its_labels_and_nothing_else() {
    let mut bench = Bench::postgres().await;
    let all = [in_region("eu", "eu"), in_region("us", "us"), wanted("every")];
    bench.sync(&all).await;
    let (eu, us) = (joined(&bench, "e", "eu", &all).await, joined(&bench, "u", "us", &all).await);
    assert_eq!(due(&bench.store, &bench).await, ["every"], "it has no labels");
    assert_eq!(due(&eu, &bench).await, ["eu", "every"]);
    assert_eq!(due(&us, &bench).await, ["every", "us"]);
    let id = bench.id("eu").await;
    let begin =
        async |store: &Store, id: IntegrationId| store.begin(id, LEASE, bench.now).await.unwrap();
    assert!(matches!(begin(&us, id).await, Began::Waits));
    assert!(matches!(begin(&bench.store, id).await, Began::Waits));
    assert!(matches!(begin(&eu, id).await, Began::Run(_)));
    assert!(us.view().next_due_at(bench.now.minus(LEASE)).await.unwrap().is_some());

    // The integration moves with its configuration; its run goes on where it was begun.
    let moved = [in_region("eu", "us"), in_region("us", "us"), wanted("every")];
    let synced = bench.sync(&moved).await;
    assert_eq!((synced.changes.changed.count, synced.changes.added.count), (1, 0));
    assert_eq!(bench.sync(&moved).await.changes.changed.count, 0);
    for store in [&eu, &us] {
        store.beat().await.unwrap();
        let follow = Configured { publishing: Publishing::Follow, ..moved.to_vec().into() };
        store.sync(follow, false, bench.context()).await.unwrap();
    }
    bench.wait(LEASE);
    assert_eq!(due(&eu, &bench).await, ["every"]);
    assert_eq!(due(&us, &bench).await, ["eu", "every", "us"]);
    assert!(eu.serves(&Pool::of(labels("eu"))) && !us.serves(&Pool::of(labels("eu"))));
}

#[tokio::test]
async fn pool_without_a_node_for_a_minute_is_notified_once_and_ends_with_a_node() {
    let mut bench = Bench::postgres().await;
    let all = [in_region("eu", "eu"), wanted("every")];
    bench.sync(&all).await;
    let eu = joined(&bench, "e", "eu", &all).await;
    let other = joined(&bench, "u", "us", &all).await;
    let placed = [Placed { pool: Pool::of(labels("eu")), integrations: 214, receivers: 0 }];
    let look = async |store: &Store, bench: &Bench| {
        store.look_for_absent(&placed, &bench.context()).await.unwrap()
    };
    assert!(!look(&other, &bench).await.is_news);
    silence(&bench, "e");
    assert!(!look(&other, &bench).await.lasts, "it is too early");
    bench.wait(Duration::from_secs(59));
    assert!(!look(&bench.store, &bench).await.is_news);
    bench.wait(Duration::from_secs(1));
    let (first, second) = tokio::join!(look(&other, &bench), look(&bench.store, &bench));
    assert!(first.is_news != second.is_news, "{first:?} {second:?}");
    let message = first.message.or(second.message).unwrap();
    assert_eq!(message, "no node with region=eu is alive; 214 integrations wait");
    assert!(look(&other, &bench).await.lasts && look(&bench.store, &bench).await.lasts);
    let faults = bench.view().own_faults().await.unwrap();
    assert_eq!((faults[0].fault, &faults[0].message), (OwnFault::Region, &message));

    eu.beat().await.unwrap();
    let back = look(&other, &bench).await;
    assert!(back.is_news && !back.lasts, "{back:?}");
    assert!(bench.view().own_faults().await.unwrap().is_empty());
    // One that a person takes out of work is as good as none.
    bench.control().await.drain("e", true, START).await.unwrap();
    look(&other, &bench).await;
    bench.wait(Duration::from_mins(1));
    let message = look(&other, &bench).await.message.unwrap();
    assert!(message.starts_with("no node with region=eu works: all of them wait"), "{message}");
    let kinds = bench.kinds().await;
    let about: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("daemon.")).collect();
    assert_eq!(about, ["daemon.degraded", "daemon.recovered", "daemon.degraded"]);
}
