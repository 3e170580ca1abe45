//! Attempts, the health of receivers, and what is queued again.

use std::time::Duration;

use super::kit::*;
use crate::domain::ledger::{
    Answer, Attempt, DeliveryRecord, DeliveryState, Disabled, Effect, InIncident, Incident, Need,
    Overdue, PastEvent, Queue, ReceiverHealth, Redelivery, disable, enable, expire, record_attempt,
    redeliver, replay,
};
use crate::domain::{
    AttemptResult, DeliveryId, DisabledReason, EventType, IntegrationId, Next, Payload,
    ReceiverDisabled, Timestamp,
};

const DELIVERY: DeliveryId = DeliveryId(70);

pub(super) fn ago(seconds: u64) -> Timestamp {
    NOW.minus(secs(seconds))
}

/// An attempt that took two seconds and ended now, under the lease with [`TOKEN`].
pub(super) fn attempt(next: Next) -> Attempt {
    Attempt {
        delivery: DELIVERY,
        token: TOKEN,
        started_at: ago(2),
        duration: secs(2),
        result: AttemptResult::Unreachable,
        detail: "no answer".to_owned(),
        next,
        disable_after: secs(1000),
        awake: secs(5000),
        is_trusted: true,
        kept_max: 10,
    }
}

pub(super) fn health() -> ReceiverHealth {
    ReceiverHealth { name: "pager".to_owned(), ..ReceiverHealth::default() }
}

pub(super) fn delivery() -> DeliveryRecord {
    DeliveryRecord {
        state: DeliveryState::Pending,
        attempts: 2,
        earlier: 0,
        token: Some(TOKEN),
        receiver: health(),
        part: None,
    }
}

pub(super) fn recorded(
    delivery: &DeliveryRecord,
    attempt: &Attempt,
) -> (Vec<Effect>, Option<Disabled>) {
    let world = World::new().subscribed([subscription("pager", "*"), subscription("log", "*")]);
    decided(&world, delivery, attempt)
}

pub(super) fn decided(
    world: &World,
    delivery: &DeliveryRecord,
    attempt: &Attempt,
) -> (Vec<Effect>, Option<Disabled>) {
    let decision = world.decide(|case, context| record_attempt(case, delivery, attempt, context));
    (decision.effects, decision.answer)
}

#[test]
fn each_end_of_an_attempt_has_its_consequence() {
    let retry = Next::RetryAfter(secs(30));
    let table: [(Next, &[&str]); 3] = [
        (
            Next::Delivered,
            &[
                "attempt 3 of 70",
                "delivery 70 after 3 +0 s: delivered never",
                "advance 70 +0 s",
                "receiver pager: enabled, failing none, success +0 s",
            ],
        ),
        (
            retry,
            &[
                "attempt 3 of 70",
                "delivery 70 after 3 +0 s: pending +30 s",
                "receiver pager: enabled, failing +0 s, success none",
            ],
        ),
        (
            Next::Failed,
            &[
                "attempt 3 of 70",
                "delivery 70 after 3 +0 s: failed never",
                "advance 70 +0 s",
                "receiver pager: enabled, failing +0 s, success none",
            ],
        ),
    ];
    for (next, expected) in table {
        let (effects, disabled) = recorded(&delivery(), &attempt(next));
        assert_eq!(lines(&effects), expected, "{next:?}");
        assert!(disabled.is_none());
    }
}

#[test]
fn a_receiver_that_is_gone_is_disabled_and_keeps_its_deliveries() {
    let world = World::new()
        .subscribed([
            subscription("pager", "*"),
            subscription("log", "receiver.*"),
            subscription("x", "integration.*"),
        ])
        .knowing(Need::Pending("pager".to_owned()), Answer::Count(8));
    let before = ReceiverHealth { last_success_at: Some(ago(50)), ..health() };
    let delivery = DeliveryRecord { receiver: before, ..delivery() };
    let (effects, disabled) = decided(&world, &delivery, &attempt(Next::Gone));
    assert_eq!(
        lines(&effects),
        [
            "attempt 3 of 70",
            "delivery 70 after 3 +0 s: pending +0 s",
            "receiver pager: gone +0 s, failing +0 s, success -50 s",
            "operational 41",
            "evt receiver.disabled 41 of 0",
            "enqueue evt of 0 to log +0 s",
        ]
    );
    let disabled = disabled.unwrap();
    assert_eq!((disabled.reason, disabled.pending), (DisabledReason::Gone, 8));
    let event = disabled_event(&effects);
    assert_eq!(
        (&*event.receiver, event.reason, &*event.epoch),
        ("pager", DisabledReason::Gone, "epoch")
    );
    assert_eq!((event.failing_since, event.last_success_at), (Some(NOW), Some(ago(50))));
    assert_eq!((event.pending, event.sequence), (8, 41));
    let link = link(&effects, EventType::ReceiverDisabled);
    assert_eq!(link, "https://status.example.com/receivers/pager");
}

fn disabled_event(effects: &[Effect]) -> ReceiverDisabled {
    let Payload::ReceiverDisabled(data) =
        &events(effects, EventType::ReceiverDisabled)[0].body.data
    else {
        panic!("another payload")
    };
    data.clone()
}

#[test]
fn a_receiver_that_is_disabled_already_is_not_disabled_again() {
    let receiver = ReceiverHealth { disabled: Some((DisabledReason::Manual, ago(5))), ..health() };
    let delivery = DeliveryRecord { receiver, ..delivery() };
    let (effects, disabled) = recorded(&delivery, &attempt(Next::Gone));
    assert!(disabled.is_none());
    assert_eq!(lines(&effects)[2], "receiver pager: manual -5 s, failing +0 s, success none");
    assert_eq!(effects.len(), 3);
}

#[test]
fn a_success_ends_the_failures_of_a_receiver() {
    let receiver = ReceiverHealth { failing_since: Some(ago(900)), ..health() };
    let (effects, _) =
        recorded(&DeliveryRecord { receiver, ..delivery() }, &attempt(Next::Delivered));
    assert_eq!(lines(&effects)[3], "receiver pager: enabled, failing none, success +0 s");
}

#[test]
fn an_attempt_after_its_lease_counts_but_decides_only_by_a_receipt() {
    let retry = Next::RetryAfter(secs(30));
    let other = Some(TOKEN + 1);
    let table = [
        (DeliveryState::Pending, None, retry, "pending +30 s"),
        (DeliveryState::Pending, other, retry, "undecided"),
        (DeliveryState::Pending, other, Next::Failed, "undecided"),
        (DeliveryState::Pending, other, Next::Delivered, "delivered never"),
        (DeliveryState::Delivered, None, Next::Failed, "undecided"),
        (DeliveryState::Failed, None, Next::Delivered, "undecided"),
    ];
    for (number, (state, token, next, outcome)) in table.into_iter().enumerate() {
        let (effects, _) = recorded(&DeliveryRecord { state, token, ..delivery() }, &attempt(next));
        let expected = format!("delivery 70 after 3 +0 s: {outcome}");
        assert_eq!(lines(&effects)[1], expected, "case {number}");
        let advances = lines(&effects).contains(&"advance 70 +0 s".to_owned());
        assert_eq!(advances, outcome == "delivered never", "case {number}");
    }
}

#[test]
fn dead_beginning_is_no_knowledge_of_the_receiver_unless_another_delivery_says_so() {
    let part = |ends, is_alone| InIncident { incident: "inc_1".to_owned(), ends, is_alone };
    let table = [
        (Some(part(false, true)), Next::Failed, vec!["bury inc of pager +0 s"]),
        (Some(part(false, false)), Next::Failed, vec![]),
        (Some(part(true, true)), Next::Failed, vec![]),
        (Some(part(false, true)), Next::Delivered, vec![]),
        (Some(part(false, true)), Next::RetryAfter(secs(5)), vec![]),
        (None, Next::Failed, vec![]),
    ];
    for (number, (part, next, expected)) in table.into_iter().enumerate() {
        let (effects, _) = recorded(&DeliveryRecord { part, ..delivery() }, &attempt(next));
        assert_eq!(knowledge(&effects), expected, "case {number}");
    }
}

#[test]
fn beginning_that_is_queued_again_or_expires_changes_what_its_receiver_knows() {
    let one = |state| Redelivery {
        id: DeliveryId(1),
        queue: queue(Some(7)),
        state,
        incident: Some("inc_1".to_owned()),
    };
    let again = redeliver(&[one(DeliveryState::Failed)], NOW);
    assert_eq!(knowledge(&again), ["revive inc of pager"]);
    assert!(knowledge(&redeliver(&[one(DeliveryState::Pending)], NOW)).is_empty());
    let part = Some(InIncident { incident: "inc_1".to_owned(), ends: false, is_alone: true });
    let overdue = Overdue { id: DeliveryId(4), receiver: "pager".to_owned(), part };
    assert_eq!(knowledge(&expire(&[overdue], NOW)), ["bury inc of pager +0 s"]);
    let incident = Incident { id: "inc_1".to_owned(), since: ago(600), is_notified: true };
    let failure = PastEvent { incident: Some(incident), ..past(2, Some(7), None) };
    let replayed = replay(&subscription("pager", "*"), vec![failure], NOW);
    assert_eq!(knowledge(&replayed.effects), ["inc of pager sent by evt"]);
}

#[test]
fn commands_disable_and_enable_a_receiver_once() {
    let disabled = ReceiverHealth {
        disabled: Some((DisabledReason::Failing, ago(5))),
        failing_since: Some(ago(900)),
        last_success_at: Some(ago(950)),
        ..health()
    };
    let effects = disable(&health(), DisabledReason::Manual, NOW);
    assert_eq!(lines(&effects), ["receiver pager: manual +0 s, failing none, success none"]);
    assert!(disable(&disabled, DisabledReason::Manual, NOW).is_empty());
    let effects = enable(&disabled, NOW);
    let expected = ["receiver pager: enabled, failing none, success -950 s", "refresh pager +0 s"];
    assert_eq!(lines(&effects), expected);
    assert_eq!(lines(&enable(&health(), NOW)), ["refresh pager +0 s", "probe pager +0 s"]);
}

fn queue(integration: Option<i64>) -> Queue {
    Queue { receiver: "pager".to_owned(), integration: integration.map(IntegrationId) }
}

#[test]
fn redelivery_queues_what_has_ended_and_keeps_the_order() {
    let one = |id, integration, state| Redelivery {
        id: DeliveryId(id),
        queue: queue(integration),
        state,
        incident: None,
    };
    let found = [
        one(1, Some(7), DeliveryState::Failed),
        one(2, Some(7), DeliveryState::Pending),
        one(3, None, DeliveryState::Delivered),
    ];
    let mut expected = vec!["requeue 1", "requeue 3"];
    expected.extend([
        "head of 7 to pager +0 s",
        "head of 7 to pager +0 s",
        "head of 0 to pager +0 s",
        "probe pager +0 s",
    ]);
    assert_eq!(lines(&redeliver(&found, NOW)), expected);
}

fn past(
    number: i64,
    integration: Option<i64>,
    delivery: Option<(i64, DeliveryState)>,
) -> PastEvent {
    PastEvent {
        id: format!("evt_{number}"),
        integration: integration.map(IntegrationId),
        at: ago(500),
        delivery: delivery.map(|(id, state)| (DeliveryId(id), state)),
        incident: None,
    }
}

#[test]
fn a_replay_queues_each_event_that_is_not_pending() {
    let events = vec![
        past(1, Some(7), Some((31, DeliveryState::Delivered))),
        past(2, Some(7), None),
        past(3, Some(9), Some((33, DeliveryState::Pending))),
        past(4, None, Some((34, DeliveryState::Failed))),
    ];
    let replay = replay(&subscription("pager", "*"), events, NOW);
    assert_eq!(
        lines(&replay.effects),
        [
            "requeue 31",
            "insert evt_2 of 7 to pager",
            "requeue 34",
            "head of 0 to pager +0 s",
            "head of 7 to pager +0 s",
            "probe pager +0 s",
        ]
    );
    assert_eq!(replay.pending, 1);
    let fresh: Vec<_> = replay.fresh.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(fresh, ["evt_1", "evt_2", "evt_4"]);
}

#[test]
fn deliveries_that_waited_too_long_end_and_let_the_next_one_go() {
    let overdue = |id| Overdue { id: DeliveryId(id), receiver: "pager".to_owned(), part: None };
    let effects = expire(&[overdue(4), overdue(6)], NOW);
    assert_eq!(
        lines(&effects),
        ["expire 4 +0 s", "advance 4 +0 s", "expire 6 +0 s", "advance 6 +0 s"]
    );
}

#[test]
fn attempts_end_after_their_duration() {
    let long = Attempt { duration: Duration::from_secs(90), ..attempt(Next::RetryAfter(secs(30))) };
    let (effects, _) = recorded(&delivery(), &long);
    assert_eq!(lines(&effects)[1], "delivery 70 after 3 +88 s: pending +118 s");
}

#[test]
fn clock_rollback_during_an_attempt_delays_nothing_after_it() {
    let ahead = NOW.plus(secs(10_000));
    let retried = Attempt { started_at: ahead, ..attempt(Next::RetryAfter(secs(30))) };
    let (effects, _) = recorded(&delivery(), &retried);
    assert_eq!(lines(&effects)[1], "delivery 70 after 3 +0 s: pending +30 s");
    let probe = Next::Probe { asked: secs(0), keeps_place: false };
    let (effects, _) = recorded(&delivery(), &Attempt { started_at: ahead, ..attempt(probe) });
    assert!(lines(&effects)[2].ends_with("1 failures, probe +1 s"), "{:?}", lines(&effects));
    let taken = Attempt { started_at: ahead, ..attempt(Next::Delivered) };
    let (effects, _) = recorded(&delivery(), &taken);
    assert!(lines(&effects).contains(&"advance 70 +0 s".to_owned()), "{:?}", lines(&effects));
}

#[test]
fn only_pending_deliveries_have_not_ended() {
    let ended: Vec<_> =
        DeliveryState::ALL.iter().map(|state| (state.as_str(), state.has_ended())).collect();
    assert_eq!(ended, [("pending", false), ("delivered", true), ("failed", true)]);
}
