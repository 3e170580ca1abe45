//! Retention by number: what is too many goes, oldest first, and nothing that is shown, compared with or pending.

use std::time::Duration;

use super::bench::{Bench, failed, first_page, passed, wanted};
use super::on_every_engine;
use crate::domain::{Class, DeliveryId, Next, ReportStatus};
use crate::store::{DeliveryFilter, DeliveryRow, DeliveryState, Retention, Surplus};

on_every_engine!(
    latest_runs_stay_with_what_is_shown_and_compared_with,
    deliveries_that_ended_first_go_and_none_that_is_pending,
    latest_events_stay_and_those_that_a_delivery_refers_to,
    latest_attempts_of_a_delivery_stay_and_are_counted_on,
    old_transitions_go_and_runs_that_they_name,
);

/// Retention that keeps everything.
const ALL: Retention = Retention {
    history: Duration::from_hours(24 * 365),
    deliveries: Duration::from_hours(24 * 365),
    runs_per_integration: u32::MAX,
    deliveries_max: u32::MAX,
    events_max: u32::MAX,
    batch: 2,
};

/// Deletes what is too many in batches of two; returns the number of rows of each.
async fn drop_all(bench: &Bench, retention: Retention) -> Vec<usize> {
    let mut rounds = Vec::new();
    loop {
        let mut found = bench.view().surplus(retention).await.unwrap();
        if found == Surplus::default() {
            return rounds;
        }
        while let batch = found.next(retention.batch)
            && batch != Surplus::default()
        {
            rounds.push(bench.store.drop_surplus(batch).await.unwrap());
        }
    }
}

async fn deliveries(bench: &Bench, state: Option<DeliveryState>) -> Vec<DeliveryRow> {
    let filter = DeliveryFilter { state, ..DeliveryFilter::default() };
    bench.view().deliveries(filter, first_page()).await.unwrap().rows
}

async fn ids(bench: &Bench, state: DeliveryState) -> Vec<DeliveryId> {
    let mut ids: Vec<_> =
        deliveries(bench, Some(state)).await.into_iter().map(|one| one.id).collect();
    ids.reverse();
    ids
}

async fn latest_runs_stay_with_what_is_shown_and_compared_with(bench: Bench) {
    let mut bench = bench.enabled().await;
    for _ in 0..9 {
        bench.run(failed(Class::Denied)).await;
    }
    bench.sync(&[wanted("one"), wanted("two")]).await;
    let id = bench.id("one").await;
    let runs = async |bench: &Bench| {
        let rows = bench.view().runs(id, first_page()).await.unwrap().rows;
        rows.into_iter().rev().map(|run| (run.id, run.status)).collect::<Vec<_>>()
    };
    let all = runs(&bench).await;
    let retention = Retention { runs_per_integration: 3, ..ALL };
    let rounds = drop_all(&bench, retention).await;
    assert!(2 < rounds.len() && rounds.iter().all(|rows| *rows <= 4), "{rounds:?}");
    let left = runs(&bench).await;
    assert_eq!(left[0].1, ReportStatus::Passed, "the next warnings are compared with it");
    assert_eq!(left[1..], all[7..]);
    let shown = bench.row("one").await.last_run.unwrap();
    assert_eq!(Some(shown.id), left.last().map(|(id, _)| *id));
    let stale = Surplus { runs: vec![shown.id.0], ..Surplus::default() };
    assert_eq!(bench.store.drop_surplus(stale).await.unwrap(), 0, "it is shown");
    let fewer = Retention { runs_per_integration: 0, ..ALL };
    drop_all(&bench, fewer).await;
    assert_eq!(runs(&bench).await, [all[0], all[9]]);
}

async fn old_transitions_go_and_runs_that_they_name(bench: Bench) {
    let mut bench = bench.enabled().await;
    for _ in 0..4 {
        bench.run(failed(Class::Denied)).await;
        bench.run(passed()).await;
        bench.run(passed()).await;
    }
    let id = bench.id("one").await;
    let before = bench.view().transitions(id, first_page()).await.unwrap().rows;
    let retention = Retention { runs_per_integration: 3, ..ALL };
    drop_all(&bench, retention).await;
    let after = bench.view().transitions(id, first_page()).await.unwrap().rows;
    let ids =
        |rows: &[crate::store::TransitionRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(&before)[..3]);
    let runs = bench.view().runs(id, first_page()).await.unwrap().rows;
    let is_there = |run| runs.iter().any(|one| one.id == run);
    assert!(
        after.iter().filter_map(|row| row.run).all(is_there),
        "a run that is gone is not named"
    );
    assert!(after.iter().any(|row| row.run.is_none()));
    let lost = bench.view().timelines(bench.now, bench.now).await.unwrap()[0].lost_at;
    assert_eq!(lost, Some(before[3].at));
}

async fn deliveries_that_ended_first_go_and_none_that_is_pending(bench: Bench) {
    let mut bench = bench.enabled().await;
    for _ in 0..3 {
        bench.run(failed(Class::Denied)).await;
        bench.run(passed()).await;
        bench.wait(Duration::from_hours(12));
    }
    while let [first] = bench.claim("a", 1).await.as_slice() {
        bench.wait(Duration::from_millis(1));
        bench.attempt(first, Next::Delivered).await;
    }
    let (all, pending) = (
        ids(&bench, DeliveryState::Delivered).await,
        ids(&bench, DeliveryState::Pending).await.len(),
    );
    assert!(5 < all.len() && all.len() == pending, "{all:?}");
    let retention = Retention { deliveries_max: 3, ..ALL };
    let gone = all.len() - 3;
    let found = bench.view().surplus(retention).await.unwrap();
    assert_eq!(found.deliveries, all[..gone].iter().map(|id| id.0).collect::<Vec<_>>());
    bench.control().await.redeliver(&all[..1], bench.now).await.unwrap();
    let dropped = bench.store.drop_surplus(found).await.unwrap();
    assert_eq!(dropped, gone - 1, "one is pending again");
    assert_eq!(ids(&bench, DeliveryState::Delivered).await, all[gone..]);
    assert_eq!(ids(&bench, DeliveryState::Pending).await.len(), pending + 1);
    assert!(bench.view().delivery(all[1]).await.unwrap().is_none());
    assert_eq!(drop_all(&bench, retention).await, [0; 0]);
}

async fn latest_events_stay_and_those_that_a_delivery_refers_to(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(failed(Class::Denied)).await;
    bench.deliver("b").await;
    bench.receivers = vec!["b"];
    for _ in 0..3 {
        bench.run(passed()).await;
        bench.wait(Duration::from_hours(12));
        bench.run(failed(Class::Denied)).await;
        bench.deliver("b").await;
    }
    let all = bench.view().events(0, 100).await.unwrap();
    let numbers: Vec<_> = all.rows.iter().map(|event| event.number).collect();
    let retention = Retention { events_max: 2, deliveries_max: 1, ..ALL };
    drop_all(&bench, retention).await;
    let left = bench.view().events(0, 100).await.unwrap();
    let pending = deliveries(&bench, Some(DeliveryState::Pending)).await;
    assert!(!pending.is_empty(), "of the receiver that is no longer configured");
    let is_used = |id: &str| pending.iter().any(|one| one.event_id == id);
    let latest = all.latest;
    assert!(left.rows.iter().all(|event| is_used(&event.id) || latest - 2 < event.number));
    assert!(left.rows.len() < numbers.len() && left.latest == latest);
    let is_left = |number: &i64| left.rows.iter().any(|event| event.number == *number);
    assert!(numbers.iter().filter(|number| latest - 2 < **number).all(is_left));
    let gone = numbers.iter().copied().filter(|number| !is_left(number)).max();
    assert_eq!(Some(left.pruned), gone);
    assert!(bench.view().events(left.pruned - 1, 9).await.unwrap().is_behind);
    assert!(!bench.view().events(left.pruned, 9).await.unwrap().is_behind);
}

async fn latest_attempts_of_a_delivery_stay_and_are_counted_on(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.kept_max = 3;
    for number in 1..=5 {
        let sent = bench.claim("a", 1).await;
        assert_eq!(sent[0].attempt, number);
        bench.attempt(&sent[0], Next::RetryAfter(Duration::ZERO)).await;
    }
    let numbers = async |bench: &Bench| {
        let row = deliveries(bench, None).await.into_iter().rfind(|one| one.receiver == "a");
        row.unwrap().attempts.iter().map(|one| one.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&bench).await, [3, 4, 5]);
    bench.kept_max = 1;
    let sent = bench.claim("a", 1).await;
    bench.attempt(&sent[0], Next::Delivered).await;
    assert_eq!(numbers(&bench).await, [6]);
}
