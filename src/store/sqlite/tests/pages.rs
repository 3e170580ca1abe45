//! Pages of every list: each row once, whatever is inserted or deleted meanwhile.

use super::super::page::{Key, Listed};
use super::super::{DeliveryFilter, HistoryRow, NewSilence, receiver, silence};
use super::*;

/// Walks a list in pages of two; `between` runs after each page, and may change it.
fn walk<T, I: std::fmt::Debug>(
    bench: &mut Bench,
    read: impl Fn(&Connection, &Page) -> Result<Listed<T>, StoreError>,
    id: impl Fn(&T) -> I,
    mut between: impl FnMut(&mut Bench),
) -> Vec<I> {
    let mut seen = Vec::new();
    let mut page = Page::first(2);
    loop {
        let Listed { rows, next } = read(&bench.conn, &page).unwrap();
        assert!(rows.len() <= 2, "{}", rows.len());
        seen.extend(rows.iter().map(&id));
        let Some(next) = next else { return seen };
        assert_eq!(rows.len(), 2, "only the last page is short");
        page = Page::after(next, 2);
        between(bench);
    }
}

/// A bench with five integrations, each of which has passed once.
fn five() -> Bench {
    let mut bench = Bench::new();
    let names = ["a1", "a2", "a3", "a4", "a5"];
    bench.sync(&names.map(wanted));
    for name in names {
        bench.run_of(name, passed());
    }
    bench
}

#[test]
fn integrations_inserted_and_removed_between_pages_neither_repeat_nor_hide_others() {
    let mut bench = five();
    let (mut first, names) = (true, ["a2", "a3", "a4", "a5"]);
    let change = |bench: &mut Bench| {
        if std::mem::take(&mut first) {
            // One before the cursor goes, one before it and one after it come.
            let wanted: Vec<_> = names.into_iter().chain(["a0", "a45"]).map(wanted).collect();
            bench.sync(&wanted);
        }
    };
    let seen = walk(&mut bench, integration::living, |row| row.name.clone(), change);
    assert_eq!(seen, ["a1", "a2", "a3", "a4", "a45", "a5"]);
    let id = |row: &super::super::TargetRow| row.name.clone();
    assert_eq!(walk(&mut bench, integration::targets, id, |_| ()).len(), 6);
    let id = |row: &super::super::StatusRow| row.name.clone();
    assert_eq!(walk(&mut bench, integration::statuses, id, |_| ()).len(), 6);
    bench.sync(&[]);
    let seen = walk(&mut bench, integration::deleted, |row| row.id.0, |_| ());
    assert!(seen.is_sorted() && seen.len() == 7, "{seen:?}");
}

#[test]
fn runs_and_transitions_inserted_between_pages_do_not_shift_the_next_page() {
    let mut bench = Bench::enabled();
    for _ in 0..3 {
        bench.fail(Subject::Active, Class::Denied);
        bench.pass(Subject::Active);
    }
    let id = bench.row("one").id;
    let runs: Vec<_> = (1..=7).rev().collect();
    let more = |bench: &mut Bench| {
        bench.fail(Subject::Active, Class::Denied);
        bench.pass(Subject::Active);
    };
    let read = |tx: &Connection, page: &Page| history::runs(tx, id, page);
    assert_eq!(walk(&mut bench, read, |row| row.id.0, more), runs);
    let all = history::transitions(&bench.conn, id, &Page::first(100)).unwrap().rows;
    let all: Vec<_> = all.iter().map(|row| row.id).collect();
    let read = |tx: &Connection, page: &Page| history::transitions(tx, id, page);
    assert_eq!(walk(&mut bench, read, |row| row.id, more), all);
}

#[test]
fn the_history_merges_both_lists_and_each_entry_occurs_once() {
    let mut bench = Bench::enabled();
    for _ in 0..3 {
        bench.fail(Subject::Active, Class::Denied);
        // Amid changes of status one passing run is not enough.
        bench.pass(Subject::Active);
        bench.pass(Subject::Active);
    }
    let id = bench.row("one").id;
    let entry = |row: &HistoryRow| match row {
        HistoryRow::Run(run) => ('r', run.id.0, run.started_at),
        HistoryRow::Transition(transition) => ('t', transition.id, transition.at),
    };
    let read = |tx: &Connection, page: &Page| history::history(tx, id, page);
    let whole: Vec<_> =
        read(&bench.conn, &Page::first(100)).unwrap().rows.iter().map(entry).collect();
    assert_eq!(whole.len(), 10 + 8);
    assert!(whole.iter().rev().is_sorted_by_key(|(_, _, at)| at), "{whole:?}");
    assert_eq!((whole[0].0, whole[1].0), ('t', 'r'), "a change stands above its run");
    let more = |bench: &mut Bench| drop(bench.pass(Subject::Active));
    assert_eq!(walk(&mut bench, read, entry, more), whole);
}

#[test]
fn the_history_keeps_its_order_where_a_clock_was_rolled_back() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    let sql = "UPDATE run SET started_at_ms = started_at_ms + 90000000 WHERE id = 1";
    bench.conn.execute(sql, []).unwrap();
    let id = bench.row("one").id;
    let entry = |row: &HistoryRow| match row {
        HistoryRow::Run(run) => Some(run.id.0),
        HistoryRow::Transition(_) => None,
    };
    let read = |tx: &Connection, page: &Page| history::history(tx, id, page);
    let seen = walk(&mut bench, read, entry, |_| ());
    assert_eq!(seen.len(), 2 + 3);
    assert_eq!(seen.into_iter().flatten().collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn deliveries_receivers_and_silences_are_paged_by_their_keys() {
    let mut bench = five();
    let filter = DeliveryFilter { receiver: Some("b".to_owned()), ..DeliveryFilter::default() };
    let read = |tx: &Connection, page: &Page| history::deliveries(tx, &filter, page);
    let whole: Vec<_> =
        read(&bench.conn, &Page::first(100)).unwrap().rows.iter().map(|row| row.id).collect();
    assert_eq!(whole.len(), 10);
    let mut names = vec!["late", "few", "each"];
    let more = |bench: &mut Bench| {
        // Another receiver is enqueued events too.
        bench.receivers.extend(names.pop());
        bench.run_of("a1", failed(Class::Denied));
        bench.run_of("a1", passed());
    };
    assert_eq!(walk(&mut bench, read, |row| row.id, more), whole);
    bench.sync(&["a1"].map(wanted));
    let seen = walk(&mut bench, receiver::receivers, |row| row.name.clone(), |_| ());
    assert_eq!(seen, ["a", "b", "each", "few", "late"]);
    let (now, until) = (bench.now, bench.now.plus(LEASE));
    for _ in 0..5 {
        let new = NewSilence { until, ..NewSilence::default() };
        bench.write(|tx| silence::add(tx, &new, now)).unwrap();
    }
    bench.write(|tx| silence::end(tx, 2, now)).unwrap();
    let read = |ended| move |tx: &Connection, page: &Page| silence::list(tx, ended, now, page);
    assert_eq!(walk(&mut bench, read(false), |row| row.id, |_| ()), [1, 3, 4, 5]);
    assert_eq!(walk(&mut bench, read(true), |row| row.id, |_| ()), [1, 2, 3, 4, 5]);
    assert!(silence::find(&bench.conn, 2).unwrap().unwrap().ended_at.is_some());
    assert!(silence::find(&bench.conn, 6).unwrap().is_none());
}

#[test]
fn a_cursor_of_another_list_or_database_is_refused() {
    let (bench, other) = (five(), five());
    let next =
        |bench: &Bench| integration::living(&bench.conn, &Page::first(1)).unwrap().next.unwrap();
    let refused = |result: Result<Listed<super::super::RunRow>, StoreError>| {
        assert!(matches!(result, Err(StoreError::WrongCursor)), "{result:?}");
    };
    let id = bench.row("a1").id;
    refused(history::runs(&bench.conn, id, &Page::after(next(&bench), 1)));
    let mut cursor = next(&other);
    cursor.key = Key::Id(7);
    refused(history::runs(&bench.conn, id, &Page::after(cursor.clone(), 1)));
    assert!(history::runs(&other.conn, id, &Page::after(cursor, 1)).is_ok());
}

#[test]
fn no_page_is_larger_than_the_maximum_or_empty_of_rows() {
    let bench = five();
    let page = |limit| integration::living(&bench.conn, &Page::first(limit)).unwrap();
    assert_eq!(page(0).rows.len(), 1);
    assert_eq!(page(u32::MAX).rows.len(), 5);
    assert_eq!(page(5).next, None);
    assert!(page(4).next.is_some());
}
