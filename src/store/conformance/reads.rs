//! Reads in pages, and what retention leaves.

use std::time::Duration;

use super::bench::{Bench, START, failed, first_page, passed, wanted};
use super::on_every_engine;
use crate::domain::{Class, Observed, OwnFault};
use crate::store::{DeliveryFilter, DeliveryState, Page, Retention, RunFilter, RunRow, SubjectRun};

on_every_engine!(
    pages_go_on_after_their_cursor,
    runs_are_read_with_the_time_of_each_test_and_their_evidence,
    events_are_numbered_in_the_order_of_their_commits,
    gap_of_pruned_events_is_noticed,
    retention_keeps_the_latest_run_and_what_is_pending,
    delivery_that_waits_too_long_for_a_disabled_receiver_is_dead,
);

async fn pages_go_on_after_their_cursor(bench: Bench) {
    bench.sync(&["n1", "n2", "n3", "n4", "n5"].map(wanted)).await;
    let (mut names, mut page) = (Vec::new(), Page::first(2));
    loop {
        let listed = bench.view().integrations(page).await.unwrap();
        assert!(listed.rows.len() <= 2);
        names.extend(listed.rows.into_iter().map(|row| row.name));
        let Some(next) = listed.next else { break };
        page = Page { after: Some(next), ..Page::first(2) };
    }
    assert_eq!(names, ["n1", "n2", "n3", "n4", "n5"]);
}

async fn runs_are_read_with_the_time_of_each_test_and_their_evidence(bench: Bench) {
    let mut bench = bench.enabled().await;
    let runs = [(failed(Class::Unreachable), 30_000), (passed(), 12)];
    for (report, ms) in runs {
        bench.wait_until_due("one").await;
        let begun = bench.begun("one").await;
        let took = [(report.tests[0].test.name, Duration::from_millis(ms))].into();
        let observed = Observed { took, ..Observed::default() };
        let subject = begun.subjects()[0];
        bench.record_run(begun, SubjectRun { subject, report, observed, own_fault: None }).await;
    }
    let id = bench.id("one").await;
    let view = bench.view();
    let read = view.runs(id, first_page()).await.unwrap().rows;
    let all = view.all_runs(RunFilter::default(), first_page()).await.unwrap().rows;
    let facts = |run: &RunRow| {
        let seen = run.evidence.iter().map(|look| (look.seen.clone(), look.missing));
        (run.took.of(0), seen.collect::<Vec<_>>())
    };
    let time = |ms| Some(Duration::from_millis(ms));
    let expected = [
        (time(12), vec![("passed".to_owned(), 0)]),
        (time(30_000), vec![("unreachable".to_owned(), 75)]),
        (None, vec![("passed".to_owned(), 0)]),
    ];
    assert_eq!(read.iter().map(facts).collect::<Vec<_>>(), expected);
    assert_eq!(all.iter().map(|one| facts(&one.row)).collect::<Vec<_>>(), expected);
    let latest = bench.row("one").await.last_run.unwrap();
    assert_eq!(facts(&latest), expected[0]);
    let one = view.run(id, read[1].id).await.unwrap().unwrap();
    assert_eq!((facts(&one), one.evidence[0].at), (expected[1].clone(), one.started_at));
}

async fn events_are_numbered_in_the_order_of_their_commits(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(failed(Class::Denied)).await;
    let all = bench.view().events(0, 9).await.unwrap();
    let numbers: Vec<_> = all.rows.iter().map(|event| event.number).collect();
    assert_eq!((numbers, all.latest, all.is_behind), (vec![1, 2, 3, 4], 4, false));
    let rest = bench.view().events(2, 1).await.unwrap();
    assert_eq!(rest.rows[0].number, 3);
    assert_eq!(rest.rows[0].integration.as_deref(), Some("one"));
    assert_eq!(all.rows[0].created_at, START);
    assert!(all.rows[0].body.contains(r#""status":"creating""#));
    let fault = OwnFault::Disk;
    bench.store.degrade(fault, "full".to_owned(), bench.context()).await.unwrap();
    let operational = &bench.view().events(4, 9).await.unwrap().rows[0];
    assert_eq!(operational.integration, None);
    assert!(operational.body.contains(&all.epoch));
}

const DAY: Duration = Duration::from_hours(24);

/// Keeps history for a while, however much it is.
fn kept_for(age: Duration) -> Retention {
    Retention {
        history: age,
        deliveries: age,
        runs_per_integration: u32::MAX,
        deliveries_max: u32::MAX,
        events_max: u32::MAX,
        batch: 100,
    }
}

async fn gap_of_pruned_events_is_noticed(bench: Bench) {
    let mut bench = bench.enabled().await;
    for receiver in ["a", "b"] {
        bench.deliver(receiver).await;
    }
    let retention = Retention { history: DAY * 365, ..kept_for(DAY) };
    for _ in 0..2 {
        bench.wait(DAY * 2);
        bench.store.prune(retention, bench.now).await.unwrap();
    }
    let none = bench.view().events(1, 9).await.unwrap();
    assert_eq!((none.rows.len(), none.latest, none.is_behind), (0, 3, true));
    assert!(!bench.view().events(3, 9).await.unwrap().is_behind);
    bench.run(failed(Class::Denied)).await;
    assert_eq!(bench.view().events(3, 9).await.unwrap().rows[0].number, 4, "numbers go on");
}

async fn retention_keeps_the_latest_run_and_what_is_pending(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(failed(Class::Denied)).await;
    bench.run(passed()).await;
    bench.deliver("a").await;
    bench.wait(Duration::from_hours(48));
    let retention = kept_for(DAY);
    let pruned = bench.store.prune(retention, bench.now).await.unwrap();
    assert!(0 < pruned.rows);
    let row = bench.row("one").await;
    let runs = bench.view().runs(row.id, first_page()).await.unwrap().rows;
    assert_eq!(runs.len(), 1, "the one that is shown");
    assert_eq!(row.last_run.map(|run| run.id), Some(runs[0].id));
    assert_eq!(bench.deliver("b").await.len(), 4, "pending deliveries stay");
    assert_eq!(bench.store.prune(retention, bench.now).await.unwrap().rows, 0);
}

async fn delivery_that_waits_too_long_for_a_disabled_receiver_is_dead(bench: Bench) {
    let mut bench = bench.enabled().await;
    let retention = Retention { history: DAY * 365, ..kept_for(DAY) };
    bench.deliver("b").await;
    bench.control().await.disable("a", bench.now).await.unwrap();
    assert_eq!(bench.store.prune(retention, bench.now).await.unwrap().dead, 0, "not old enough");
    bench.wait(DAY);
    bench.run(failed(Class::Denied)).await;
    bench.wait(Duration::from_secs(1));
    assert_eq!(bench.store.prune(retention, bench.now).await.unwrap().dead, 2);
    let filter = DeliveryFilter { receiver: Some("a".to_owned()), ..Default::default() };
    let rows = bench.view().deliveries(filter, first_page()).await.unwrap().rows;
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Pending, DeliveryState::Failed, DeliveryState::Failed]);
    bench.receivers = vec!["b"];
    bench.control().await.enable("a", bench.now).await.unwrap();
    let idle = bench.sync(&[wanted("one")]).await.idle;
    let idle: Vec<_> = idle.iter().map(|row| (row.name.as_str(), row.pending)).collect();
    assert_eq!(idle, [("a", 1)]);
    bench.wait(DAY * 2);
    let pruned = bench.store.prune(retention, bench.now).await.unwrap();
    assert_eq!(pruned.dead, 1, "it is no longer configured");
    assert!(bench.sync(&[wanted("one")]).await.idle.is_empty());
    bench.wait(DAY * 2);
    bench.store.prune(retention, bench.now).await.unwrap();
    assert!(bench.control().await.receiver("a").await.unwrap().is_none(), "it is forgotten");
    assert!(bench.control().await.receiver("b").await.unwrap().is_some());
}
