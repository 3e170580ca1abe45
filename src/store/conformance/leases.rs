//! Leases of runs: one at a time, and results only under the lease that is valid.

use std::time::Duration;

use super::bench::{Bench, LEASE, START, failed, passed, wanted};
use super::on_every_engine;
use crate::domain::{Class, IntegrationId, Status, Timestamp};
use crate::store::{Began, Recorded, Wanted};

on_every_engine!(
    run_begins_only_when_it_is_due_and_free,
    due_runs_are_listed_longest_first,
    result_of_a_lost_lease_is_not_stored,
    result_is_stored_once,
    lease_that_is_given_back_leaves_the_run_due,
    restart_frees_the_leases_of_the_daemon_before_it,
    change_of_the_configuration_takes_the_lease_away,
);

async fn run_begins_only_when_it_is_due_and_free(bench: Bench) {
    let mut bench = bench.enabled().await;
    let begun = bench.begun("one").await;
    assert!(matches!(bench.begin("one").await, Began::Running));
    assert!(bench.view().due(bench.now, 9).await.unwrap().is_empty());
    let until = bench.now.plus(LEASE);
    assert_eq!(bench.view().next_due_at(bench.now).await.unwrap(), Some(until));
    assert_eq!(bench.view().next_due_at(until).await.unwrap(), None, "a lease wakes once");
    bench.record(begun, passed()).await;
    assert!(matches!(bench.begin("one").await, Began::NotDue));
    let unknown = bench.store.begin(IntegrationId(99), LEASE, bench.now).await.unwrap();
    assert!(matches!(unknown, Began::NotInUse));
    bench.sync(&[Wanted { disabled: true, ..wanted("one") }]).await;
    bench.wait(LEASE);
    assert!(matches!(bench.begin("one").await, Began::NotInUse));
}

async fn due_runs_are_listed_longest_first(mut bench: Bench) {
    bench.sync(&[wanted("one")]).await;
    bench.wait(Duration::from_secs(5));
    bench.sync(&[wanted("one"), wanted("two")]).await;
    let due = async |bench: &Bench| {
        let due = bench.view().due(bench.now, 9).await.unwrap();
        due.into_iter().map(|due| due.name).collect::<Vec<_>>()
    };
    assert_eq!(due(&bench).await, ["one", "two"]);
    let next = async |bench: &Bench| bench.view().next_due_at(Timestamp(0)).await.unwrap();
    assert_eq!(next(&bench).await, Some(START));
    bench.begun("one").await;
    assert_eq!((due(&bench).await, next(&bench).await), (vec!["two".to_owned()], Some(bench.now)));
    bench.sync(&[wanted("one"), Wanted { disabled: true, ..wanted("two") }]).await;
    let lease = bench.now.plus(LEASE);
    assert_eq!(next(&bench).await, Some(lease));
    bench.now = lease;
    assert_eq!(due(&bench).await, ["one"]);
}

async fn result_of_a_lost_lease_is_not_stored(bench: Bench) {
    let mut bench = bench.enabled().await;
    let lost = bench.begun("one").await;
    bench.wait(LEASE);
    let valid = bench.begun("one").await;
    assert_ne!(lost.token, valid.token);
    let recorded = bench.record(lost, failed(Class::Denied)).await;
    assert!(matches!(recorded, Recorded::Overtaken));
    assert_eq!(bench.status("one").await, Status::Enabled);
    assert!(matches!(bench.record(valid, passed()).await, Recorded::Stored { .. }));
}

async fn result_is_stored_once(bench: Bench) {
    let bench = bench.enabled().await;
    let begun = bench.begun("one").await;
    let twice = begun.clone();
    assert!(matches!(bench.record(begun, passed()).await, Recorded::Stored { .. }));
    assert!(matches!(bench.record(twice, passed()).await, Recorded::Overtaken));
}

async fn lease_that_is_given_back_leaves_the_run_due(bench: Bench) {
    let bench = bench.enabled().await;
    let begun = bench.begun("one").await;
    bench.store.give_back(begun.clone()).await.unwrap();
    assert_eq!(bench.view().due(bench.now, 9).await.unwrap().len(), 1);
    let again = bench.begun("one").await;
    bench.store.give_back(begun.clone()).await.unwrap();
    assert!(matches!(bench.begin("one").await, Began::Running), "another lease");
    assert!(matches!(bench.record(begun, passed()).await, Recorded::Overtaken));
    assert!(matches!(bench.record(again, passed()).await, Recorded::Stored { .. }));
}

async fn restart_frees_the_leases_of_the_daemon_before_it(bench: Bench) {
    let bench = bench.enabled().await;
    let begun = bench.begun("one").await;
    let sent = bench.claim("a", 9).await;
    let bench = bench.restart().await;
    assert_eq!(bench.view().due(bench.now, 9).await.unwrap().len(), 1);
    assert!(matches!(bench.record(begun, passed()).await, Recorded::Overtaken));
    let again = bench.claim("a", 9).await;
    assert_eq!((again[0].id, &again[0].event_id), (sent[0].id, &sent[0].event_id));
    assert_ne!(again[0].token, sent[0].token);
}

async fn change_of_the_configuration_takes_the_lease_away(bench: Bench) {
    bench.sync(&[wanted("one")]).await;
    let begun = bench.begun("one").await;
    bench.sync(&[Wanted { config: "{}".to_owned(), ..wanted("one") }]).await;
    assert!(matches!(bench.record(begun, failed(Class::Denied)).await, Recorded::Overtaken));
    assert_eq!(bench.status("one").await, Status::Creating);
    let begun = bench.begun("one").await;
    assert!(matches!(bench.record(begun, passed()).await, Recorded::Stored { .. }));
    assert_eq!(bench.status("one").await, Status::Enabled);
}
