//! Receivers that do not answer: probes, and the time after which they are disabled.

use super::deliveries::{ago, attempt, decided, delivery, health, recorded};
use super::kit::*;
use crate::domain::ledger::{Answer, Attempt, DeliveryRecord, Need, ProbedOutage, ReceiverHealth};
use crate::domain::{AttemptResult, DisabledReason, Next, Timestamp};

#[test]
fn a_receiver_is_disabled_when_it_has_only_failed_for_long_enough_while_awake() {
    // Readings of the awake clock at the first failure; the attempt ends at 5,000 s.
    let table = [
        (Some(4000), true, Next::RetryAfter(secs(1)), Some(8)),
        (Some(4000), true, Next::Failed, Some(7)),
        (Some(4001), true, Next::Failed, None),
        (None, true, Next::Failed, None),
        // The wall clock says that six days have passed, the awake clock says nothing yet.
        (Some(5000), true, Next::Failed, None),
        // The clock of a crashed daemon was ahead of what it had stored.
        (Some(6000), true, Next::Failed, None),
        (Some(4000), false, Next::Failed, None),
    ];
    for (number, (failing, is_trusted, next, pending)) in table.into_iter().enumerate() {
        let world = World::new().knowing(Need::Pending("pager".to_owned()), Answer::Count(8));
        let receiver = ReceiverHealth {
            failing_since: failing.map(|_| ago(600_000)),
            failing_awake: failing.map(secs),
            ..health()
        };
        let delivery = DeliveryRecord { receiver, ..delivery() };
        let attempt = Attempt { is_trusted, ..attempt(next) };
        let (_, disabled) = decided(&world, &delivery, &attempt);
        let found = disabled.map(|disabled| (disabled.reason, disabled.pending));
        let expected = pending.map(|pending| (DisabledReason::Failing, pending));
        assert_eq!(found, expected, "case {number}");
    }
}

#[test]
fn a_clock_rollback_makes_failures_no_longer() {
    for (since, expected) in [(ago(50), "failing -50 s"), (NOW.plus(secs(9)), "failing +0 s")] {
        let receiver = ReceiverHealth { failing_since: Some(since), ..health() };
        let delivery = DeliveryRecord { receiver, ..delivery() };
        let (effects, _) = recorded(&delivery, &attempt(Next::Failed));
        assert!(lines(&effects).iter().any(|line| line.contains(expected)), "{expected}");
    }
}

/// Outage of a receiver with this number of failures, which began at this awake second and is probed in
/// as many seconds.
fn outage(failures: u32, began: u64, probe_in: i64) -> ProbedOutage {
    let probe_at = Timestamp(NOW.0 + probe_in * 1000);
    ProbedOutage { failures, awake: secs(began), probe_at }
}

/// Probe that waits at least for as many seconds as the receiver asked for.
fn away(asked: u64) -> Next {
    Next::Probe { keeps_place: true, asked: secs(asked) }
}

fn answered(code: u16) -> AttemptResult {
    AttemptResult::Answered { code, hint: None }
}

/// Asserts the number of attempts, the outcome and the health after an attempt during `outage`.
fn assert_probed(
    outage: impl Into<Option<ProbedOutage>>,
    next: Next,
    result: AttemptResult,
    [attempts, outcome, expected]: [&str; 3],
) {
    let outage = outage.into();
    let place = format!("{outage:?}, {next:?}, {result:?}");
    let receiver = ReceiverHealth { outage, ..health() };
    let attempt = Attempt { result, ..attempt(next) };
    let (effects, _) = recorded(&DeliveryRecord { receiver, ..delivery() }, &attempt);
    let lines = lines(&effects);
    assert_eq!(lines[1], format!("delivery 70 after {attempts} +0 s: {outcome}"), "{place}");
    let last = lines.last().unwrap();
    let (_, found) = last.split_once("success ").unwrap();
    assert_eq!(found.trim_start_matches(|c| c != ','), expected, "{place}: {last}");
}

#[test]
fn receiver_that_does_not_answer_is_probed_after_growing_waits() {
    let none = || AttemptResult::Unreachable;
    assert_probed(None, away(0), none(), ["3", "pending never", ", 1 failures, probe +1 s"]);
    let table = [
        (outage(1, 4999, -2), 0, ", 2 failures, probe +2 s"),
        (outage(4, 4990, -9), 0, ", 5 failures, probe +10 s"),
        (outage(400, 1400, -9), 0, ", 401 failures, probe +60 s"),
        (outage(400, 1401, -9), 0, ", 401 failures, probe +10 s"),
        (outage(1, 4999, -2), 90, ", 2 failures, probe +90 s"),
    ];
    for (outage, asked, expected) in table {
        assert_probed(outage, away(asked), none(), ["3 (1 free)", "pending never", expected]);
    }
    // It was under way when the outage began.
    let expected = ["3", "pending never", ", 2 failures, probe -1 s"];
    assert_probed(outage(2, 4990, -1), away(0), none(), expected);
}

#[test]
fn server_error_lets_other_messages_come_first() {
    let next = Next::Probe { keeps_place: false, asked: secs(0) };
    let expected = ["3", "pending +0 s", ", 1 failures, probe +1 s"];
    assert_probed(None, next, answered(500), expected);
    // It follows the schedule by itself, and says no more about the receiver.
    let retry = Next::RetryAfter(secs(60));
    assert_probed(None, retry, answered(500), ["3", "pending +60 s", ""]);
    let expected = ["3 (1 free)", "pending +60 s", ", 3 failures, probe +4 s"];
    assert_probed(outage(2, 4990, -3), retry, answered(500), expected);
}

#[test]
fn any_answer_but_a_failure_ends_the_outage_of_a_receiver() {
    let table = [
        (Next::RetryAfter(secs(5)), 400, "pending +5 s"),
        (Next::Failed, 400, "failed never"),
        (Next::Delivered, 204, "delivered never"),
    ];
    for (next, code, outcome) in table {
        assert_probed(outage(2, 4990, -3), next, answered(code), ["3 (1 free)", outcome, ""]);
    }
}

#[test]
fn a_message_that_cannot_be_sent_says_nothing_about_its_receiver() {
    let attempt = Attempt { result: AttemptResult::Unsendable, ..attempt(Next::Failed) };
    let (effects, disabled) = recorded(&delivery(), &attempt);
    let expected = ["attempt 3 of 70", "delivery 70 after 3 +0 s: failed never", "advance 70 +0 s"];
    assert_eq!(lines(&effects), expected);
    assert!(disabled.is_none());
}
