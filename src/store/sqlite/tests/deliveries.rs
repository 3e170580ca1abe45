//! Deliveries: one per receiver, and retention in batches.

use super::super::prune;
use super::*;

#[test]
fn event_is_queued_once_for_each_subscribed_receiver() {
    let mut bench = Bench::new();
    bench.receivers = vec!["a", "a"];
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.count("delivery"), 1);
    bench.receivers = vec![];
    bench.pass(Subject::Candidate);
    assert_eq!((bench.count("event"), bench.count("delivery")), (2, 1));
}

fn prune_all(bench: &mut Bench, batch: u32) -> Vec<usize> {
    let retention = kept_for(Duration::from_hours(24), batch);
    let now = bench.now;
    let rounds =
        std::iter::repeat_with(|| bench.write(|tx| prune::prune(tx, retention, now)).unwrap().rows);
    rounds.take_while(|deleted| 0 < *deleted).collect()
}

#[test]
fn pruning_keeps_pending_deliveries_and_the_latest_run() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    bench.pass(Subject::Active);
    while let [first, ..] = bench.claim(&[("a", 1)]).as_slice() {
        bench.attempt(first, Next::Delivered);
    }
    let (pending, events) = (bench.count("delivery WHERE receiver = 'b'"), bench.count("event"));
    assert!(prune_all(&mut bench, 2).is_empty(), "nothing is old yet");
    bench.wait(Duration::from_hours(25));
    let rounds = prune_all(&mut bench, 1);
    assert!(2 < rounds.len() && rounds.iter().all(|deleted| *deleted <= 4), "{rounds:?}");
    assert_eq!(bench.count("delivery WHERE receiver = 'a'"), 0);
    assert_eq!(bench.count("delivery WHERE receiver = 'b'"), pending);
    assert_eq!(bench.count("event"), events, "still pending for the other");
    assert_eq!((bench.count("attempt"), bench.count("transition")), (0, 0));
    assert_eq!((bench.count("run"), bench.count("report")), (1, 1));
    assert_eq!(bench.row("one").last_run.unwrap().rule, "a passing run");
    while let [first, ..] = bench.claim(&[("b", 1)]).as_slice() {
        bench.attempt(first, Next::Delivered);
    }
    bench.wait(Duration::from_hours(25));
    prune_all(&mut bench, 100);
    assert_eq!((bench.count("delivery"), bench.count("event")), (0, 0));
    let sequence = bench.row("one").sequence;
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.last_event()["data"]["sequence"], sequence + 1, "numbers go on");
    assert_eq!(bench.count("pragma_foreign_key_check"), 0);
}
