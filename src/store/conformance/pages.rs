//! Pages of every list: each row once and in its order, whatever is inserted or removed meanwhile.

use std::fmt::Debug;

use super::bench::{Bench, LEASE, failed, first_page, passed, wanted};
use super::on_every_engine;
use crate::domain::Class;
use crate::store::{
    DeliveryFilter, HistoryRow, IntegrationRow, Listed, NewSilence, Page, StatusRow, StoreError,
    View, Wanted,
};

on_every_engine!(
    integrations_inserted_and_removed_between_pages_neither_repeat_nor_hide_others,
    names_are_ordered_by_their_bytes,
    statuses_are_ordered_by_their_next_runs,
    runs_and_transitions_inserted_between_pages_do_not_shift_the_next_page,
    history_merges_both_lists_and_each_entry_occurs_once,
    deliveries_receivers_and_silences_are_paged_by_their_keys,
    cursor_of_another_list_or_database_is_refused,
    page_is_no_larger_than_the_maximum_and_never_empty_of_rows,
);

/// Reads a list in pages of two; `between` runs after each page, and may change it.
async fn walk<T, I: Debug>(
    bench: &mut Bench,
    read: impl AsyncFn(View, Page) -> Result<Listed<T>, StoreError>,
    id: impl Fn(&T) -> I,
    mut between: impl AsyncFnMut(&mut Bench),
) -> Vec<I> {
    let mut seen = Vec::new();
    let mut page = Page::first(2);
    loop {
        let Listed { rows, next } = read(bench.view(), page).await.unwrap();
        assert!(rows.len() <= 2, "{}", rows.len());
        seen.extend(rows.iter().map(&id));
        let Some(next) = next else { return seen };
        assert_eq!(rows.len(), 2, "only the last page is short");
        page = Page::after(next, 2);
        between(bench).await;
    }
}

/// Changes nothing between two pages.
async fn nothing(_bench: &mut Bench) {}

/// Adds five integrations, each of which has passed once.
async fn five(mut bench: Bench) -> Bench {
    let names = ["a1", "a2", "a3", "a4", "a5"];
    bench.sync(&names.map(wanted)).await;
    for name in names {
        bench.run_of(name, passed()).await;
    }
    bench
}

async fn integrations_inserted_and_removed_between_pages_neither_repeat_nor_hide_others(
    bench: Bench,
) {
    let mut bench = five(bench).await;
    let mut first = true;
    let change = async |bench: &mut Bench| {
        if std::mem::take(&mut first) {
            // One before the cursor goes, one before it and one after it come.
            let names = ["a2", "a3", "a4", "a5", "a0", "a45"];
            bench.sync(&names.map(wanted)).await;
        }
    };
    let name = |row: &IntegrationRow| row.name.clone();
    let seen = walk(&mut bench, async |view, page| view.integrations(page).await, name, change);
    assert_eq!(seen.await, ["a1", "a2", "a3", "a4", "a45", "a5"]);
    let targets = async |view: View, page| view.targets(page).await;
    assert_eq!(walk(&mut bench, targets, |row| row.name.clone(), nothing).await.len(), 6);
    let statuses = async |view: View, page| view.statuses(page).await;
    assert_eq!(walk(&mut bench, statuses, |row| row.name.clone(), nothing).await.len(), 6);
    bench.sync(&[]).await;
    bench.store.drain_removed(bench.context()).await.unwrap();
    let deleted = async |view: View, page| view.deleted_integrations(page).await;
    let seen = walk(&mut bench, deleted, |row| row.id.0, nothing).await;
    assert!(seen.is_sorted() && seen.len() == 7, "{seen:?}");
}

async fn names_are_ordered_by_their_bytes(mut bench: Bench) {
    let mut names = ["b", "a-1", "B", "a_1", "A", "a1", "a", "a.1"];
    bench.sync(&names.map(wanted)).await;
    names.sort_unstable();
    let all = async |view: View, page| view.integrations(page).await;
    assert_eq!(walk(&mut bench, all, |row| row.name.clone(), nothing).await, names);
    bench.receivers = names.to_vec();
    bench.sync(&[wanted("a")]).await;
    let receivers = async |view: View, page| view.receivers(page).await;
    let seen = walk(&mut bench, receivers, |row| row.name.clone(), nothing).await;
    assert_eq!(seen, names);
}

async fn statuses_are_ordered_by_their_next_runs(bench: Bench) {
    let mut bench = five(bench).await;
    let idle = |name| Wanted { disabled: true, ..wanted(name) };
    let [one, two, three, four, five] = ["a1", "a2", "a3", "a4", "a5"].map(wanted);
    bench.sync(&[idle("a0"), one, two, three, four, five, idle("a6")]).await;
    bench.run_of("a2", passed()).await;
    let all = bench.view().all_statuses().await.unwrap();
    let mut expected: Vec<_> = all.iter().map(|row| (row.next_run_at, row.name.clone())).collect();
    expected.sort_by_key(|(at, name)| (at.is_none(), *at, name.clone()));
    let read = async |view: View, page| view.statuses_by_next_run(page).await;
    let shown = |row: &StatusRow| (row.next_run_at, row.name.clone());
    assert_eq!(walk(&mut bench, read, shown, nothing).await, expected);
    let last: Vec<_> =
        expected.iter().rev().take(3).map(|(at, name)| (at.is_none(), &**name)).collect();
    assert_eq!(last, [(true, "a6"), (true, "a0"), (false, "a2")]);
}

async fn runs_and_transitions_inserted_between_pages_do_not_shift_the_next_page(bench: Bench) {
    let mut bench = bench.enabled().await;
    for _ in 0..3 {
        bench.run(failed(Class::Denied)).await;
        bench.run(passed()).await;
    }
    let id = bench.id("one").await;
    let more = async |bench: &mut Bench| {
        bench.run(failed(Class::Denied)).await;
        bench.run(passed()).await;
    };
    let all = bench.view().runs(id, first_page()).await.unwrap().rows;
    let all: Vec<_> = all.iter().map(|row| row.id).collect();
    assert!(all.len() == 7 && all.is_sorted_by(|one, next| next < one), "{all:?}");
    let runs = async |view: View, page| view.runs(id, page).await;
    assert_eq!(walk(&mut bench, runs, |row| row.id, more).await, all);
    let all = bench.view().transitions(id, first_page()).await.unwrap().rows;
    let all: Vec<_> = all.iter().map(|row| row.id).collect();
    let transitions = async |view: View, page| view.transitions(id, page).await;
    assert_eq!(walk(&mut bench, transitions, |row| row.id, more).await, all);
}

async fn history_merges_both_lists_and_each_entry_occurs_once(bench: Bench) {
    let mut bench = bench.enabled().await;
    for _ in 0..3 {
        bench.run(failed(Class::Denied)).await;
        // Amid changes of status one passing run is not enough.
        bench.run(passed()).await;
        bench.run(passed()).await;
    }
    let id = bench.id("one").await;
    let entry = |row: &HistoryRow| match row {
        HistoryRow::Run(run) => ('r', run.id.0, run.started_at),
        HistoryRow::Transition(transition) => ('t', transition.id, transition.at),
    };
    let history = async |view: View, page| view.history(id, page).await;
    let whole = history(bench.view(), first_page()).await.unwrap().rows;
    let whole: Vec<_> = whole.iter().map(entry).collect();
    assert_eq!(whole.len(), 10 + 8);
    assert!(whole.iter().rev().is_sorted_by_key(|(_, _, at)| at), "{whole:?}");
    assert_eq!((whole[0].0, whole[1].0), ('t', 'r'), "a change stands above its run");
    let more = async |bench: &mut Bench| drop(bench.run(passed()).await);
    assert_eq!(walk(&mut bench, history, entry, more).await, whole);
}

async fn deliveries_receivers_and_silences_are_paged_by_their_keys(bench: Bench) {
    let mut bench = five(bench).await;
    let filter = DeliveryFilter { receiver: Some("b".to_owned()), ..DeliveryFilter::default() };
    let deliveries = async |view: View, page| view.deliveries(filter.clone(), page).await;
    let whole = deliveries(bench.view(), first_page()).await.unwrap().rows;
    let whole: Vec<_> = whole.iter().map(|row| row.id).collect();
    assert!(whole.len() == 10 && whole.is_sorted_by(|one, next| next < one), "{whole:?}");
    let mut names = vec!["few", "each", "all"];
    let more = async |bench: &mut Bench| {
        // Another receiver is enqueued events too.
        bench.receivers.extend(names.pop());
        bench.run_of("a1", failed(Class::Denied)).await;
        bench.run_of("a1", passed()).await;
    };
    assert_eq!(walk(&mut bench, deliveries, |row| row.id, more).await, whole);
    bench.sync(&["a1"].map(wanted)).await;
    let receivers = async |view: View, page| view.receivers(page).await;
    let seen = walk(&mut bench, receivers, |row| row.name.clone(), nothing).await;
    assert_eq!(seen, ["a", "all", "b", "each", "few"]);
    let (now, until) = (bench.now, bench.now.plus(LEASE));
    let mut control = bench.control().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let new = NewSilence { until, ..NewSilence::default() };
        ids.push(control.silence(&new, now).await.unwrap());
    }
    control.end_silence(ids[1], now).await.unwrap();
    let all = async |view: View, page| view.silences(true, now, page).await;
    assert_eq!(walk(&mut bench, all, |row| row.id, nothing).await, ids);
    let open = async |view: View, page| view.silences(false, now, page).await;
    let ended = ids.remove(1);
    assert_eq!(walk(&mut bench, open, |row| row.id, nothing).await, ids);
    let view = bench.view();
    assert!(view.silence(ended).await.unwrap().unwrap().ended_at.is_some());
    assert!(view.silence(ids[3] + 1).await.unwrap().is_none());
}

async fn cursor_of_another_list_or_database_is_refused(bench: Bench) {
    let mut other = five(bench.another().await).await;
    other.run_of("a1", passed()).await;
    let bench = five(bench).await;
    let id = bench.id("a1").await;
    let of_names = bench.view().integrations(Page::first(1)).await.unwrap().next.unwrap();
    let of_ids = other.view().runs(id, Page::first(1)).await.unwrap().next.unwrap();
    for cursor in [of_names, of_ids.clone()] {
        let refused = bench.view().runs(id, Page::after(cursor, 1)).await;
        assert!(matches!(refused, Err(StoreError::WrongCursor)), "{refused:?}");
    }
    assert!(other.view().runs(id, Page::after(of_ids, 1)).await.is_ok());
}

async fn page_is_no_larger_than_the_maximum_and_never_empty_of_rows(bench: Bench) {
    let bench = five(bench).await;
    let page = async |limit| bench.view().integrations(Page::first(limit)).await.unwrap();
    assert_eq!(page(0).await.rows.len(), 1);
    assert_eq!(page(u32::MAX).await.rows.len(), 5);
    assert_eq!(page(5).await.next, None);
    assert!(page(4).await.next.is_some());
    assert_eq!(bench.outside().await.all_targets().await.unwrap().len(), 5);
}
