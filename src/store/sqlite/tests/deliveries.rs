//! Deliveries: order, leases, attempts, and what may be forgotten.

use super::super::{DeliveryFilter, DeliveryState, prune};
use super::*;

const ROOM: [(&str, u32); 2] = [("a", 8), ("b", 8)];

fn sent(claimed: &[PendingDelivery]) -> Vec<(&str, &str)> {
    let named = claimed.iter().map(|one| (one.receiver.as_str(), one.integration.as_deref()));
    named.map(|(receiver, name)| (receiver, name.unwrap_or("-"))).collect()
}

fn listed(bench: &Bench, filter: &DeliveryFilter) -> Vec<super::super::DeliveryRow> {
    history::deliveries(&bench.conn, filter, &Page::first(100)).unwrap().rows
}

#[test]
fn a_delivery_waits_for_its_predecessor() {
    let mut bench = Bench::enabled();
    let first = bench.claim(&[("a", 8)]);
    assert_eq!(sent(&first), [("a", "one")]);
    assert!(first[0].body.contains(r#""status":"creating""#));
    assert!(bench.claim(&[("a", 8)]).is_empty(), "the first is on its way");
    bench.attempt(&first[0], Next::RetryAfter(Duration::from_secs(5)));
    assert!(bench.claim(&[("a", 8)]).is_empty(), "the second waits as long as the first");
    bench.wait(Duration::from_secs(5));
    let again = bench.claim(&[("a", 8)]);
    assert_eq!((again[0].id, again[0].attempt), (first[0].id, 2));
    assert_eq!(again[0].event_id, first[0].event_id);
    bench.attempt(&again[0], Next::Failed);
    let second = bench.claim(&[("a", 8)]);
    assert!(second[0].body.contains(r#""status":"enabled""#));
    assert_eq!(sent(&bench.claim(&[("b", 8)])), [("b", "one")], "receivers do not wait for others");
    check_invariants(&bench.conn);
}

#[test]
fn room_bounds_each_receiver_and_others_are_left_alone() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one"), wanted("two"), wanted("three")]);
    assert_eq!(bench.claim(&[("a", 2), ("b", 0)]).len(), 2);
    assert_eq!(bench.claim(&[("a", 9)]).len(), 1);
    assert_eq!(bench.claim(&[("gone", 9)]).len(), 0);
    assert_eq!(bench.claim(&[("b", 9)]).len(), 3);
    let pending = DeliveryFilter { state: Some(DeliveryState::Pending), ..Default::default() };
    assert_eq!(listed(&bench, &pending).len(), 6, "a lease is not an end");
}

#[test]
fn a_lease_that_runs_out_is_claimed_again_under_the_same_id() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    let first = bench.claim(&ROOM);
    bench.wait(LEASE);
    let second = bench.claim(&ROOM);
    assert_eq!(first[0].event_id, second[0].event_id);
    bench.attempt(&second[0], Next::Delivered);
    bench.attempt(&first[0], Next::RetryAfter(Duration::ZERO));
    let filter = DeliveryFilter { receiver: Some("a".to_owned()), ..Default::default() };
    let row = &listed(&bench, &filter)[0];
    assert_eq!(row.state, DeliveryState::Delivered, "a late failure does not undo a receipt");
    let attempts: Vec<_> = row.attempts.iter().map(|one| (one.number, one.code)).collect();
    assert_eq!(attempts, [(1, Some(204)), (2, None)]);
    check_invariants(&bench.conn);
}

#[test]
fn a_second_receipt_changes_nothing() {
    let mut bench = Bench::enabled();
    let first = bench.claim(&[("a", 1)]);
    bench.attempt(&first[0], Next::Delivered);
    bench.attempt(&first[0], Next::Delivered);
    assert_eq!(bench.claim(&[("a", 9)]).len(), 1);
    check_invariants(&bench.conn);
}

#[test]
fn the_next_delivery_is_the_first_that_need_not_wait() {
    let mut bench = Bench::enabled();
    let next = |bench: &Bench, names: &[&str]| {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        queue::next_delivery_at(&bench.conn, &names).unwrap()
    };
    assert_eq!(next(&bench, &["a", "b"]), Some(START));
    assert_eq!(next(&bench, &[]), None);
    let claimed = bench.claim(&[("a", 1)]);
    assert_eq!(next(&bench, &["a"]), Some(bench.now.plus(LEASE)));
    bench.attempt(&claimed[0], Next::RetryAfter(Duration::from_secs(7)));
    assert_eq!(next(&bench, &["a"]), Some(bench.now.plus(Duration::from_secs(7))));
    assert_eq!(next(&bench, &["a", "b"]), Some(START));
}

#[test]
fn only_what_is_subscribed_is_owed_and_once_to_each() {
    let mut bench = Bench::new();
    bench.receivers = vec!["a", "a"];
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.count("delivery"), 1);
    bench.receivers = vec![];
    bench.pass(Subject::Candidate);
    assert_eq!((bench.count("event"), bench.count("delivery")), (2, 1));
}

#[test]
fn filters_narrow_the_list_newest_first() {
    let mut bench = Bench::enabled();
    bench.sync(&[wanted("one"), wanted("two")]);
    let all = listed(&bench, &DeliveryFilter::default());
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by_key(|row| std::cmp::Reverse(row.id)));
    let by = |filter: DeliveryFilter| listed(&bench, &filter).len();
    let two = || Some("two".to_owned());
    assert_eq!(by(DeliveryFilter { integration: two(), ..Default::default() }), 2);
    assert_eq!(by(DeliveryFilter { receiver: Some("b".to_owned()), ..Default::default() }), 3);
    assert_eq!(by(DeliveryFilter { since: Some(bench.now), ..Default::default() }), 2);
    assert_eq!(by(DeliveryFilter { until: Some(bench.now), ..Default::default() }), 4);
    let failed = Some(DeliveryState::Failed);
    assert_eq!(by(DeliveryFilter { state: failed, ..Default::default() }), 0);
}

fn prune_all(bench: &mut Bench, batch: u32) -> Vec<usize> {
    let retention = kept_for(Duration::from_hours(24), batch);
    let now = bench.now;
    let rounds =
        std::iter::repeat_with(|| bench.write(|tx| prune::prune(tx, retention, now)).unwrap().rows);
    rounds.take_while(|deleted| 0 < *deleted).collect()
}

#[test]
fn pruning_keeps_what_is_owed_and_the_latest_run() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    bench.pass(Subject::Active);
    while let [first, ..] = bench.claim(&[("a", 1)]).as_slice() {
        bench.attempt(first, Next::Delivered);
    }
    let (owed, events) = (bench.count("delivery WHERE receiver = 'b'"), bench.count("event"));
    assert!(prune_all(&mut bench, 2).is_empty(), "nothing is old yet");
    bench.wait(Duration::from_hours(25));
    let rounds = prune_all(&mut bench, 1);
    assert!(2 < rounds.len() && rounds.iter().all(|deleted| *deleted <= 4), "{rounds:?}");
    assert_eq!(bench.count("delivery WHERE receiver = 'a'"), 0);
    assert_eq!(bench.count("delivery WHERE receiver = 'b'"), owed);
    assert_eq!(bench.count("event"), events, "still owed to the other");
    assert_eq!((bench.count("attempt"), bench.count("transition")), (0, 0));
    assert_eq!((bench.count("run"), bench.count("report")), (1, 1));
    assert_eq!(bench.row("one").last_run.unwrap().rule, "a passing run");
    while let [first, ..] = bench.claim(&[("b", 1)]).as_slice() {
        bench.attempt(first, Next::Delivered);
    }
    bench.wait(Duration::from_hours(25));
    prune_all(&mut bench, 100);
    assert_eq!((bench.count("delivery"), bench.count("event")), (0, 0));
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.last_event()["data"]["sequence"], events + 1, "numbers go on");
    assert_eq!(bench.count("pragma_foreign_key_check"), 0);
}

#[test]
fn a_clock_set_back_does_not_hold_up_what_is_owed() {
    let mut bench = Bench::new();
    bench.receivers = vec!["a", "b", "c"];
    bench.sync(&[wanted("one")]);
    let sent = bench.claim(&[("a", 1)]);
    bench.attempt(&sent[0], Next::RetryAfter(Duration::from_hours(5)));
    bench.wait(Duration::from_mins(1));
    let due = |bench: &Bench| {
        let sql = "SELECT due_at_ms FROM delivery ORDER BY receiver";
        let mut statement = bench.conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(|at| Timestamp(at.unwrap())).collect::<Vec<_>>()
    };
    let before = due(&bench);
    let roll_back = |bench: &mut Bench| {
        let now = bench.now;
        bench.write(|tx| super::super::clock_rollback::reschedule(tx, &[], now)).unwrap();
    };
    roll_back(&mut bench);
    assert_eq!(due(&bench), before, "a wait that the receiver was granted stays");
    bench.now = bench.now.minus(Duration::from_hours(72));
    roll_back(&mut bench);
    assert_eq!(due(&bench), [bench.now; 3]);
    check_invariants(&bench.conn);
}
