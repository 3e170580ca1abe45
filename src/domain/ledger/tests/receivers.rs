//! Attempts, and what they say about receivers.

use std::time::Duration;

use super::super::*;
use super::bench::{Bench, START};
use super::samples::wanted;
use crate::domain::EventType::ReceiverDisabled;
use crate::domain::{DisabledReason, Next, Timestamp};

const DAY: Duration = Duration::from_hours(24);

#[test]
fn receiver_that_is_gone_is_disabled_at_once_and_the_others_are_notified() {
    let mut bench = Bench::enabled();
    let first = bench.claim("a");
    bench.attempt(&first[0], Next::Gone);
    let disabled = bench.disabled.unwrap();
    assert_eq!((disabled.reason, disabled.pending), (DisabledReason::Gone, 2));
    let at = bench.now.plus(Duration::from_millis(20));
    assert_eq!(bench.health("a").disabled, Some((DisabledReason::Gone, at)));
    assert_eq!(bench.delivery(first[0].id).state, DeliveryState::Pending, "it waits");
    let event = bench.last_event();
    assert_eq!(bench.kinds().last(), Some(&ReceiverDisabled));
    assert_eq!(event["data"]["receiver"], "a");
    assert_eq!(event["data"]["reason"], "gone");
    assert_eq!((&event["data"]["sequence"], &event["data"]["pending"]), (&1.into(), &2.into()));
    assert_eq!(event["data"]["failingSince"], at.to_string());
    assert!(event["data"]["lastSuccessAt"].is_null());
    assert!(!bench.queued("a").contains(&ReceiverDisabled), "not about itself");
    assert!(bench.queued("b").contains(&ReceiverDisabled));
}

#[test]
fn receiver_is_disabled_once_and_enabled_once() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one"), wanted("two")]);
    let both = bench.claim("a");
    bench.attempt(&both[0], Next::Gone);
    assert!(bench.disabled.is_some());
    bench.attempt(&both[1], Next::Gone);
    assert_eq!(bench.disabled, None, "notified once");
    let health = bench.health("a");
    assert!(disable(&health, DisabledReason::Manual, bench.now).is_empty(), "it is");
    let effects = enable(&health, bench.now);
    bench.books.apply_all(&effects, None);
    let health = bench.health("a");
    assert_eq!((health.disabled, health.failing_since), (None, None));
    assert!(enable(&health, bench.now).is_empty());
    assert_eq!(bench.claim("a").len(), 2);
    let effects = disable(&health, DisabledReason::Manual, bench.now);
    bench.books.apply_all(&effects, None);
    assert_eq!(bench.health("a").disabled, Some((DisabledReason::Manual, bench.now)));
    assert!(bench.claim("a").is_empty());
}

#[test]
fn enabled_receiver_gets_its_backlog_in_order_with_all_attempts_again() {
    let mut bench = Bench::enabled();
    for _ in 0..3 {
        let sent = bench.claim("a");
        bench.attempt(&sent[0], Next::RetryAfter(Duration::ZERO));
        bench.wait(Duration::from_secs(1));
    }
    let sent = bench.claim("a");
    bench.attempt(&sent[0], Next::RetryAfter(DAY));
    assert!(bench.claim("a").is_empty());
    let disabled = disable(&bench.health("a"), DisabledReason::Manual, bench.now);
    bench.books.apply_all(&disabled, None);
    let enabled = enable(&bench.health("a"), bench.now);
    bench.books.apply_all(&enabled, None);
    let again = bench.claim("a");
    assert_eq!(again[0].id, sent[0].id, "at once");
    assert_eq!((again[0].attempts, again[0].earlier), (4, 4));
    bench.attempt(&again[0], Next::Delivered);
    bench.wait(Duration::from_secs(1));
    let order: Vec<_> = bench.deliver("a").into_iter().map(|(_, sequence)| sequence).collect();
    assert_eq!(order, [2]);
}

#[test]
fn only_failures_without_a_success_for_the_whole_time_disable() {
    let mut bench = Bench::enabled();
    bench.disable_after = DAY * 5;
    let fail = |bench: &mut Bench| {
        let sent = bench.claim("a");
        bench.attempt(&sent[0], Next::RetryAfter(Duration::ZERO));
        bench.disabled
    };
    assert_eq!(fail(&mut bench), None);
    let since = bench.health("a").failing_since;
    assert_eq!(since, Some(START.max(bench.now).plus(Duration::from_millis(20))));
    bench.wait((DAY * 5).saturating_sub(Duration::from_millis(1)));
    assert_eq!(fail(&mut bench), None);
    assert_eq!(bench.health("a").failing_since, since, "since the first");
    bench.wait(Duration::from_secs(1));
    let disabled = fail(&mut bench).unwrap();
    assert_eq!((disabled.reason, disabled.pending), (DisabledReason::Failing, 2));
}

#[test]
fn delivery_that_ends_with_the_receiver_is_not_counted_as_pending() {
    let mut bench = Bench::enabled();
    bench.disable_after = Duration::ZERO;
    let sent = bench.claim("a");
    bench.attempt(&sent[0], Next::Failed);
    assert_eq!(bench.disabled.map(|disabled| disabled.pending), Some(1));
    assert_eq!(bench.delivery(sent[0].id).state, DeliveryState::Failed);
}

#[test]
fn one_success_ends_the_failures() {
    let mut bench = Bench::enabled();
    bench.disable_after = DAY * 5;
    let sent = bench.claim("a");
    bench.attempt(&sent[0], Next::RetryAfter(DAY * 4));
    bench.wait(DAY * 4 + Duration::from_secs(1));
    let sent = bench.claim("a");
    bench.attempt(&sent[0], Next::Delivered);
    let health = bench.health("a");
    assert_eq!(health.failing_since, None);
    assert_eq!(health.last_success_at, Some(bench.now.plus(Duration::from_millis(20))));
    bench.wait(DAY * 4);
    let sent = bench.claim("a");
    bench.attempt(&sent[0], Next::Failed);
    assert_eq!(bench.disabled, None);
}

#[test]
fn clock_rollback_does_not_make_failures_last_longer() {
    let mut bench = Bench::enabled();
    bench.disable_after = DAY;
    let sent = bench.claim("a");
    bench.attempt(&sent[0], Next::RetryAfter(Duration::ZERO));
    let before = bench.now;
    bench.now = before.minus(DAY);
    bench.books.deliveries.iter_mut().for_each(|one| one.due_at = one.due_at.map(|_| Timestamp(0)));
    let sent = bench.claim("a");
    bench.attempt(&sent[0], Next::RetryAfter(Duration::ZERO));
    assert_eq!(bench.disabled, None);
    let since = bench.health("a").failing_since;
    assert_eq!(since, Some(bench.now.plus(Duration::from_millis(20))));
}

#[test]
fn attempt_decides_what_follows_for_its_delivery() {
    let wait = Duration::from_secs(9);
    let end = Duration::from_millis(20);
    let table = [
        (Next::Delivered, DeliveryState::Delivered, None),
        (Next::Failed, DeliveryState::Failed, None),
        (Next::RetryAfter(wait), DeliveryState::Pending, Some(end + wait)),
        (Next::Gone, DeliveryState::Pending, Some(end)),
    ];
    for (next, state, due) in table {
        let mut bench = Bench::new();
        bench.sync(&[wanted("one")]);
        let sent = bench.claim("a");
        bench.attempt(&sent[0], next);
        let after = bench.delivery(sent[0].id);
        assert_eq!((after.state, after.attempts, after.token), (state, 1, None), "{next:?}");
        if let Some(due) = due {
            assert_eq!(after.due_at, Some(bench.now.plus(due)), "{next:?}");
        }
    }
}

#[test]
fn successor_is_due_when_a_delivery_has_ended() {
    for next in [Next::Delivered, Next::Failed] {
        let mut bench = Bench::enabled();
        let sent = bench.claim("a");
        assert_eq!(sent.len(), 1, "the second waits");
        bench.attempt(&sent[0], next);
        bench.wait(Duration::from_secs(1));
        let second = bench.claim("a");
        assert_eq!(second[0].number, 2);
    }
}

#[test]
fn overtaken_attempt_counts_only_as_a_receipt() {
    for (next, state) in [
        (Next::Failed, DeliveryState::Pending),
        (Next::RetryAfter(DAY), DeliveryState::Pending),
        (Next::Delivered, DeliveryState::Delivered),
    ] {
        let mut bench = Bench::new();
        bench.sync(&[wanted("one")]);
        let first = bench.claim("a").remove(0);
        // Its lease ran out, and it is being sent again.
        let one = bench.books.deliveries.iter_mut().find(|one| one.id == first.id).unwrap();
        one.token = Some(99);
        bench.attempt(&first, next);
        let after = bench.delivery(first.id);
        assert_eq!((after.state, after.attempts), (state, 1), "{next:?}");
        if state == DeliveryState::Pending {
            assert_eq!(after.token, Some(99), "the other attempt decides");
        }
    }
}

#[test]
fn late_attempt_does_not_undo_an_end() {
    for next in [Next::RetryAfter(DAY), Next::Failed, Next::Delivered] {
        let mut bench = Bench::enabled();
        let sent = bench.claim("a");
        bench.attempt(&sent[0], Next::Delivered);
        bench.attempt(&sent[0], next);
        let after = bench.delivery(sent[0].id);
        assert_eq!((after.state, after.attempts), (DeliveryState::Delivered, 2), "{next:?}");
        bench.wait(Duration::from_secs(1));
        assert_eq!(bench.claim("a").len(), 1);
    }
}
