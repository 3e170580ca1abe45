//! Reads in pages, and what retention leaves.

use std::time::Duration;

use super::bench::{Bench, failed, first_page, passed, wanted};
use super::on_every_engine;
use crate::domain::Class;
use crate::store::{Page, Retention};

on_every_engine!(
    pages_go_on_after_their_cursor,
    events_are_numbered_in_the_order_of_their_commits,
    retention_keeps_the_latest_run_and_what_is_pending,
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

async fn events_are_numbered_in_the_order_of_their_commits(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(failed(Class::Denied)).await;
    let all = bench.view().events(0, 9).await.unwrap();
    let numbers: Vec<_> = all.rows.iter().map(|event| event.number).collect();
    assert_eq!((numbers, all.latest, all.is_behind), (vec![1, 2, 3], 3, false));
    let rest = bench.view().events(1, 1).await.unwrap();
    assert_eq!(rest.rows[0].number, 2);
    assert_eq!(rest.rows[0].integration.as_deref(), Some("one"));
}

async fn retention_keeps_the_latest_run_and_what_is_pending(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(failed(Class::Denied)).await;
    bench.run(passed()).await;
    bench.deliver("a").await;
    bench.wait(Duration::from_hours(48));
    let day = Duration::from_hours(24);
    let retention = Retention {
        history: day,
        deliveries: day,
        runs_per_integration: u32::MAX,
        deliveries_max: u32::MAX,
        events_max: u32::MAX,
        batch: 100,
    };
    let pruned = bench.store.prune(retention, bench.now).await.unwrap();
    assert!(0 < pruned.rows);
    let row = bench.row("one").await;
    let runs = bench.view().runs(row.id, first_page()).await.unwrap().rows;
    assert_eq!(runs.len(), 1, "the one that is shown");
    assert_eq!(row.last_run.map(|run| run.id), Some(runs[0].id));
    assert_eq!(bench.deliver("b").await.len(), 4, "pending deliveries stay");
    assert_eq!(bench.store.prune(retention, bench.now).await.unwrap().rows, 0);
}
