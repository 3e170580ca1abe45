//! Vantage points in the ledger: the next look is reserved for others, and contradictions name the node.

use std::time::Duration;

use super::super::*;
use super::bench::Bench;
use super::samples::{failed, found, passed};
use crate::domain::{Class, IntegrationId, Policy, Status, Subject, Timestamp};

/// With one integration that is enabled and due, and these nodes.
fn with_nodes(nodes: &[&str]) -> Bench {
    let mut bench = Bench { policy: Policy::default(), ..Bench::enabled() };
    bench.books.nodes = nodes.iter().map(|&node| node.to_owned()).collect();
    bench
}

/// Runs the integration on a node when it is due.
fn run_on(bench: &mut Bench, node: &str, run: SubjectRun) -> Recorded {
    bench.now = bench.now.max(bench.row("one").next_run_at.unwrap());
    let begun = bench.begin_of("one");
    let finished = Finished { node: Some(node.to_owned()), ..bench.finished(begun, vec![run]) };
    bench.record_finished(&finished)
}

fn silent() -> SubjectRun {
    found(Subject::Active, failed(Class::Unreachable))
}

#[test]
fn next_look_is_reserved_for_others_until_a_wait_after_it_is_due() {
    let mut bench = with_nodes(&["a", "b"]);
    run_on(&mut bench, "a", silent());
    let row = bench.row("one");
    let next = row.next_run_at.unwrap();
    let until = next.plus(Duration::from_mins(1));
    assert_eq!(row.elsewhere, Some(Elsewhere { node: "a".to_owned(), until }));
    run_on(&mut bench, "b", silent());
    assert_eq!(bench.row("one").elsewhere.as_ref().unwrap().node, "b");
    run_on(&mut bench, "b", found(Subject::Active, failed(Class::Unavailable)));
    assert_eq!(bench.row("one").elsewhere, None, "an answer is one from anywhere");
    for nodes in [&["a"][..], &[]] {
        let mut bench = with_nodes(nodes);
        run_on(&mut bench, "a", silent());
        assert_eq!(bench.row("one").elsewhere, None, "no other can look");
    }
}

#[test]
fn flip_waits_for_another_node_for_as_long_as_it_has_time_to_look() {
    let mut bench = with_nodes(&["a", "b"]);
    for _ in 0..3 {
        run_on(&mut bench, "a", silent());
    }
    // Each of its looks came while the next one was reserved for the other node.
    run_on(&mut bench, "a", silent());
    assert_eq!(bench.status("one"), Status::Enabled);
    let mut late = with_nodes(&["a", "b"]);
    for _ in 0..4 {
        late.now = late.row("one").elsewhere.as_ref().map_or(late.now, |one| one.until);
        run_on(&mut late, "a", silent());
    }
    assert_eq!(late.status("one"), Status::RecurringValidationError, "others had time");
    run_on(&mut bench, "b", silent());
    assert_eq!(bench.status("one"), Status::RecurringValidationError);
    assert_eq!(bench.row("one").elsewhere, None, "nothing is in doubt");
}

#[test]
fn node_whose_silence_another_one_contradicts_is_noted_and_nothing_flips() {
    let mut bench = with_nodes(&["a", "b"]);
    let (events, id) = (bench.books.events.len(), bench.id("one"));
    run_on(&mut bench, "a", silent());
    run_on(&mut bench, "b", found(Subject::Active, passed()));
    assert_eq!(bench.books.contradicted, [("a".to_owned(), id)]);
    assert_eq!((bench.status("one"), bench.books.events.len()), (Status::Enabled, events));
    assert_eq!(bench.row("one").elsewhere, None);
    // The same node finds it to work again: that was the platform.
    run_on(&mut bench, "a", silent());
    run_on(&mut bench, "a", found(Subject::Active, passed()));
    assert_eq!(bench.books.contradicted.len(), 1);
}

#[test]
fn three_contradicted_integrations_within_ten_minutes_make_a_node_suspect() {
    let now = Timestamp(10_000_000);
    let ago = |id: i64, secs: u64| Contradiction {
        integration: IntegrationId(id),
        host: "db".to_owned(),
        at: now.minus(Duration::from_secs(secs)),
    };
    let table: [(Vec<Contradiction>, bool); 5] = [
        (vec![], false),
        (vec![ago(1, 0), ago(2, 60)], false),
        (vec![ago(1, 0), ago(2, 60), ago(3, 599)], true),
        (vec![ago(1, 0), ago(2, 60), ago(3, 600)], false),
        (vec![ago(1, 900), ago(2, 1), ago(3, 2), ago(4, 3)], true),
    ];
    for (number, (all, expected)) in table.into_iter().enumerate() {
        assert_eq!(is_suspect(&all, now), expected, "case {number}");
    }
}
