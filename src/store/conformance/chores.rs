//! Chores that every node looks after, on several nodes at once.

use std::time::Duration;

use super::bench::{Bench, failed, passed};
use super::nodes::{joined, names};
use crate::domain::{Class, Selection};
use crate::store::{NewSilence, Retention, Store};

#[tokio::test]
async fn chores_of_all_nodes_at_once_are_done_once() {
    let mut bench = Bench::postgres().await;
    let all = names(4);
    bench.sync(&all).await;
    let other = joined(&bench, "b", &all).await;
    for one in &all {
        bench.run_of(&one.name, passed()).await;
    }
    let new = NewSilence {
        acknowledges: None,
        selection: Selection::default(),
        author: "anna".to_owned(),
        comment: String::new(),
        from: bench.now,
        until: bench.now.plus(Duration::from_hours(3)),
    };
    bench.control().await.silence(&new, bench.now).await.unwrap();
    for one in &all {
        bench.run_of(&one.name, failed(Class::Denied)).await;
    }
    bench.deliver("a").await;
    bench.wait(Duration::from_hours(4));
    let release = async |store: &Store| {
        store.beat().await.unwrap();
        store.release(200, bench.context()).await.unwrap()
    };
    let (mut first, mut second) = tokio::join!(release(&bench.store), release(&other));
    while first.is_busy || second.is_busy {
        (first, second) = tokio::join!(release(&bench.store), release(&other));
    }
    let about: Vec<_> = bench.deliver("a").await;
    let failures = about.iter().filter(|body| body["type"] == "integration.validation.failed");
    assert_eq!(failures.count(), 4, "each is sent once");
    let retention = Retention {
        history: Duration::from_hours(1),
        deliveries: Duration::from_hours(1),
        runs_per_integration: 1,
        deliveries_max: 1,
        events_max: 1,
        batch: 500,
    };
    let prune = async |store: &Store| {
        store.beat().await.unwrap();
        store.prune(retention, bench.now).await.unwrap().rows
    };
    let (first, second) = tokio::join!(prune(&bench.store), prune(&other));
    let again = prune(&other).await;
    assert!(first + second >= again, "{first} {second} {again}");
}
