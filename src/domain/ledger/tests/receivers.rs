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
    bench.books.apply_all(&enable(&health, bench.now), None);
    assert_eq!(bench.health("a"), health);
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
fn sleep_between_failures_is_no_evidence() {
    let mut bench = Bench::enabled();
    bench.disable_after = DAY * 5;
    let fail = |bench: &mut Bench| {
        let sent = bench.claim("a");
        bench.attempt(&sent[0], Next::RetryAfter(Duration::ZERO));
        bench.disabled
    };
    assert_eq!(fail(&mut bench), None);
    bench.wait(DAY * 6);
    bench.asleep = DAY * 6;
    assert_eq!(fail(&mut bench), None);
    bench.wait(DAY * 5);
    bench.is_trusted = false;
    assert_eq!(fail(&mut bench), None, "the daemon itself is at fault");
    bench.is_trusted = true;
    bench.wait(Duration::from_secs(1));
    assert!(fail(&mut bench).is_some());
}

#[test]
fn receiver_that_comes_back_gets_everything_in_order() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one"), wanted("two"), wanted("three")]);
    let away = Next::Probe { keeps_place: true, asked: Duration::ZERO };
    let all = bench.claim("a");
    assert_eq!(all.len(), 3);
    for sent in &all {
        bench.attempt(sent, away);
    }
    let mut probes = 0;
    for wait in [1, 2, 4, 8, 10, 10] {
        assert!(bench.claim("a").is_empty(), "{wait}");
        bench.wait(Duration::from_secs(wait) + Duration::from_millis(20));
        let probe = bench.claim("a");
        assert_eq!(probe.len(), 1, "one at a time");
        assert_eq!(probe[0].id, all[0].id, "the oldest");
        assert!(bench.claim("a").is_empty(), "and no other meanwhile");
        bench.attempt(&probe[0], away);
        probes += 1;
        let delivery = bench.delivery(all[0].id);
        assert_eq!(
            (delivery.attempts, delivery.earlier),
            (1 + probes, probes),
            "they do not count"
        );
    }
    bench.wait(Duration::from_secs(11));
    let probe = bench.claim("a");
    bench.attempt(&probe[0], Next::Delivered);
    assert_eq!(bench.health("a").outage, None);
    let rest: Vec<_> = bench.claim("a").into_iter().map(|one| one.id).collect();
    assert_eq!(rest, [all[1].id, all[2].id], "at once");
}

#[test]
fn message_that_fails_by_itself_lets_others_through() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one"), wanted("two")]);
    let both = bench.claim("a");
    let own = Next::Probe { keeps_place: false, asked: Duration::ZERO };
    bench
        .books
        .deliveries
        .iter_mut()
        .filter(|one| one.id == both[1].id)
        .for_each(|one| one.token = None);
    bench.attempt(&both[0], own);
    bench.wait(Duration::from_secs(2));
    let probe = bench.claim("a");
    assert_eq!(probe[0].id, both[1].id, "the other one is tried first");
    bench.attempt(&probe[0], Next::Delivered);
    assert_eq!(bench.claim("a")[0].id, both[0].id);
}

#[test]
fn redelivered_or_enabled_is_sent_now() {
    for is_enable in [true, false] {
        let mut bench = Bench::enabled();
        let sent = bench.claim("a");
        let asked = DAY / 2;
        bench.attempt(&sent[0], Next::Probe { keeps_place: true, asked });
        bench.wait(Duration::from_secs(1));
        assert!(bench.claim("a").is_empty());
        let queue = Queue { receiver: "a".to_owned(), integration: sent[0].integration };
        let state = DeliveryState::Pending;
        let effects = if is_enable {
            enable(&bench.health("a"), bench.now)
        } else {
            redeliver(&[Redelivery { id: sent[0].id, queue, state, incident: None }], bench.now)
        };
        bench.books.apply_all(&effects, None);
        assert_eq!(bench.claim("a")[0].id, sent[0].id, "enable: {is_enable}");
    }
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
