//! Deliveries that are queued again: redelivery, replay, and those that expire.

use std::time::Duration;

use super::super::*;
use super::bench::Bench;
use super::books::Delivery;
use super::samples::wanted;
use crate::domain::{Class, IntegrationId, Next, Subject, Subscription, Timestamp};

fn redelivery(one: &Delivery) -> Redelivery {
    let queue = Queue { receiver: one.receiver.clone(), integration: one.integration };
    let incident = one.part.as_ref().filter(|part| !part.ends).map(|part| part.incident.clone());
    Redelivery { id: one.id, queue, state: one.state, incident }
}

fn subscription(receiver: &str) -> Subscription {
    Subscription { receiver: receiver.to_owned(), ..Subscription::default() }
}

/// Three events about `one`, all delivered to both receivers.
fn delivered() -> Bench {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    bench.wait(Duration::from_secs(1));
    for receiver in ["a", "b"] {
        bench.deliver(receiver);
    }
    bench
}

fn own(bench: &Bench, receiver: &str) -> Vec<Delivery> {
    let all = bench.books.deliveries.iter();
    all.filter(|one| one.receiver == receiver).cloned().collect()
}

#[test]
fn redelivered_events_go_out_in_order_with_all_attempts() {
    let mut bench = delivered();
    let all = own(&bench, "a");
    let again = [&all[2], &all[0]].map(redelivery);
    let effects = redeliver(&again, bench.now);
    bench.books.apply_all(&effects, None);
    bench.check();
    let first = bench.claim("a");
    assert_eq!((first.len(), first[0].id), (1, all[0].id));
    assert_eq!((first[0].attempts, first[0].earlier), (1, 1));
    bench.attempt(&first[0], Next::Delivered);
    bench.wait(Duration::from_secs(1));
    assert_eq!(bench.claim("a")[0].id, all[2].id);
    assert!(bench.claim("b").is_empty(), "others are left alone");
}

#[test]
fn redelivery_of_a_pending_delivery_changes_only_the_order() {
    let mut bench = delivered();
    let first = own(&bench, "a").remove(0);
    let effects = redeliver(&[redelivery(&first)], bench.now);
    bench.books.apply_all(&effects, None);
    let pending = bench.delivery(first.id).clone();
    let effects = redeliver(&[redelivery(&pending)], bench.now);
    assert_eq!(effects.len(), 2, "no second time");
    bench.books.apply_all(&effects, None);
    assert_eq!(bench.delivery(first.id).due_at, pending.due_at);
    bench.check();
}

#[test]
fn earlier_event_that_is_queued_again_goes_before_one_under_way() {
    let mut bench = Bench::enabled();
    let first = bench.claim("a").remove(0);
    bench.attempt(&first, Next::Delivered);
    bench.wait(Duration::from_secs(1));
    let second = bench.claim("a").remove(0);
    let again = redelivery(bench.delivery(first.id));
    let effects = redeliver(&[again], bench.now);
    bench.books.apply_all(&effects, None);
    bench.check();
    bench.attempt(&second, Next::RetryAfter(Duration::ZERO));
    bench.check();
    assert_eq!(bench.claim("a")[0].id, first.id);
}

fn past(bench: &Bench, receiver: &str) -> Vec<PastEvent> {
    let of = |event: &NewEvent| {
        let sent = bench.books.deliveries.iter();
        let mut sent = sent.filter(|one| one.event == event.id && one.receiver == receiver);
        PastEvent {
            id: event.id.clone(),
            integration: event.integration,
            at: event.body.timestamp,
            delivery: sent.next().map(|one| (one.id, one.state)),
            incident: None,
        }
    };
    bench.books.events.iter().map(of).collect()
}

#[test]
fn replay_queues_every_event_once_and_in_order() {
    let mut bench = delivered();
    bench.sync(&[wanted("one"), wanted("two")]);
    let replayed = replay(&subscription("a"), past(&bench, "a"), bench.now);
    assert_eq!((replayed.fresh.len(), replayed.pending), (3, 1), "one is queued already");
    bench.books.apply_all(&replayed.effects, None);
    bench.check();
    let again = replay(&subscription("a"), past(&bench, "a"), bench.now);
    assert_eq!((again.fresh.len(), again.pending, again.effects.len()), (0, 4, 0));
    let one = bench.id("one");
    let mut order = bench.deliver("a");
    order.retain(|(integration, _)| *integration == Some(one));
    let expected: Vec<_> = (1..=3).map(|sequence| (Some(one), sequence)).collect();
    assert_eq!(order, expected);
}

#[test]
fn replay_reaches_a_receiver_that_was_not_there() {
    let mut bench = delivered();
    bench.receivers.push("new");
    let replayed = replay(&subscription("new"), past(&bench, "new"), bench.now);
    assert_eq!((replayed.fresh.len(), replayed.pending), (3, 0));
    bench.books.apply_all(&replayed.effects, None);
    bench.check();
    let order: Vec<_> = bench.deliver("new").into_iter().map(|(_, sequence)| sequence).collect();
    assert_eq!(order, [1, 2, 3]);
}

#[test]
fn replay_gives_each_queue_its_head_once() {
    let event = |id: &str, integration: Option<i64>| PastEvent {
        id: id.to_owned(),
        integration: integration.map(IntegrationId),
        at: Timestamp(5),
        delivery: None,
        incident: None,
    };
    let events = vec![event("x", None), event("y", Some(1)), event("z", Some(1))];
    let replayed = replay(&subscription("a"), events, Timestamp(9));
    let is_head = |effect: &&Effect| {
        matches!(effect, Effect::Queue(QueueChange::RequeueHead { at: Timestamp(9), .. }))
    };
    assert_eq!(replayed.effects.iter().filter(is_head).count(), 2);
    assert_eq!(replayed.effects.len(), 6);
}

#[test]
fn expired_heads_end_and_their_successors_become_heads() {
    let mut bench = Bench::enabled();
    let head = bench.claim("a").remove(0);
    let overdue = Overdue { id: head.id, receiver: "a".to_owned(), part: None };
    let effects = expire(&[overdue], bench.now);
    assert_eq!(effects.len(), 2);
    bench.books.apply_all(&effects, None);
    bench.check();
    let after = bench.delivery(head.id);
    assert_eq!((after.state, after.token), (DeliveryState::Failed, None));
    assert_eq!(bench.claim("a")[0].number, head.number + 1);
    assert!(expire(&[], bench.now).is_empty());
}
