//! Knowledge of receivers: each that was sent the beginning of an incident is sent the end, and no other is.

use std::time::Duration;

use super::super::*;
use super::bench::Bench;
use super::books::Delivery;
use super::samples::wanted;
use crate::domain::{Class, EventType, Format, Hours, Next, OwnFault, Subject, Timing};

/// `one` fails, and `a` and `b` know.
fn failing() -> Bench {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    bench
}

/// Returns the latest delivery to a receiver, with the type of its event.
fn latest(bench: &Bench, receiver: &str) -> (Delivery, EventType) {
    let found = bench.books.deliveries.iter().rev().find(|one| one.receiver == receiver).unwrap();
    let event = bench.books.events.iter().find(|event| event.id == found.event).unwrap();
    (found.clone(), event.body.kind)
}

/// Every delivery that is pending for `a` is dead.
fn kill(bench: &mut Bench) {
    bench.wait(Duration::from_secs(1));
    while let [first, ..] = bench.claim("a").as_slice() {
        bench.attempt(first, Next::Failed);
        bench.wait(Duration::from_secs(1));
    }
}

#[test]
fn end_is_sent_to_the_receivers_of_the_beginning_whatever_is_configured_by_then() {
    let mut bench = failing();
    let (began, _) = latest(&bench, "a");
    let incident = bench.row("one").incident.clone().unwrap().id;
    bench.receivers = vec!["b", "new"];
    bench.wait_until_due();
    bench.pass(Subject::Active);
    for receiver in ["a", "b"] {
        let (end, kind) = latest(&bench, receiver);
        assert_eq!(kind, EventType::ValidationRecovered, "{receiver}");
        let part = end.part.unwrap();
        assert_eq!((part.incident, part.ends), (incident.clone(), true));
        assert_eq!(part.began, Some(began.event.clone()), "its identity is that of the beginning");
    }
    assert!(!bench.queued("new").contains(&EventType::ValidationRecovered), "it never saw one");
}

#[test]
fn receiver_whose_beginning_is_dead_is_sent_no_end() {
    let mut bench = failing();
    bench.deliver("b");
    kill(&mut bench);
    bench.wait_until_due();
    bench.pass(Subject::Active);
    assert_eq!(latest(&bench, "b").1, EventType::ValidationRecovered);
    assert!(!bench.queued("a").contains(&EventType::ValidationRecovered));
}

#[test]
fn pending_end_dies_with_the_beginning_before_it() {
    let mut bench = failing();
    bench.wait_until_due();
    bench.pass(Subject::Active);
    kill(&mut bench);
    let (end, kind) = latest(&bench, "a");
    assert_eq!((kind, end.state), (EventType::ValidationRecovered, DeliveryState::Failed));
    assert_eq!(end.attempts, 0, "no attempt was made");
}

#[test]
fn beginning_that_is_delivered_again_is_ended() {
    let mut bench = failing();
    kill(&mut bench);
    let (began, _) = latest(&bench, "a");
    let queue = Queue { receiver: "a".to_owned(), integration: began.integration };
    let incident = Some(began.part.unwrap().incident);
    let again = Redelivery { id: began.id, queue, state: began.state, incident };
    bench.books.apply_all(&redeliver(&[again], bench.now), None);
    bench.wait_until_due();
    bench.pass(Subject::Active);
    assert_eq!(latest(&bench, "a").1, EventType::ValidationRecovered);
}

#[test]
fn end_of_a_daemon_fault_is_sent_to_the_receivers_of_its_beginning() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    bench.degrade(OwnFault::Disk, "the disk is full");
    bench.receivers = vec!["b", "new"];
    bench.restore(OwnFault::Disk);
    for receiver in ["a", "b"] {
        assert_eq!(latest(&bench, receiver).1, EventType::DaemonRecovered, "{receiver}");
    }
    assert!(bench.queued("new").is_empty());
    assert!(bench.books.known.is_empty());
}

const MINUTE: Duration = Duration::from_mins(1);

impl Bench {
    /// Looks at incidents of which receivers may be due to be sent more; returns how many were sent.
    fn wake(&mut self) -> usize {
        let (context, now) = (self.context(), self.now);
        let is_due = |one: &&KnownIncident| one.look_at.is_some_and(|at| at <= now);
        let due: Vec<_> = self.books.known.values().filter(is_due).cloned().collect();
        let mut sent = 0;
        for one in due {
            let row = one.integration.map(|id| self.books.rows[&id].row.clone());
            let wake = |case: &Case| wake(case, &one, row.as_ref(), &context);
            sent += usize::from(self.books.decide(now, None, wake));
        }
        self.check();
        sent
    }
}

/// `one` is enabled, and `all` is only sent what has lasted for a time.
fn escalating(after: Duration) -> Bench {
    let mut bench = Bench::enabled();
    bench.receivers = vec!["a", "all"];
    bench.timing.insert("all", Timing { after: Some(after), ..Timing::default() });
    bench
}

#[test]
fn receiver_that_waits_is_sent_what_has_lasted_and_its_end() {
    let mut bench = escalating(MINUTE * 15);
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.queued("all"), []);
    bench.wait(MINUTE * 14);
    assert_eq!((bench.wake(), bench.queued("all")), (0, vec![]));
    bench.wait(MINUTE);
    assert_eq!(bench.wake(), 1);
    assert_eq!(bench.queued("all"), [EventType::ValidationFailed]);
    assert_eq!(bench.wake(), 0, "once");
    bench.wait_until_due();
    bench.pass(Subject::Active);
    let expected = [EventType::ValidationFailed, EventType::ValidationRecovered];
    assert_eq!(bench.queued("all"), expected);
}

#[test]
fn failure_that_ends_before_its_time_is_not_sent_to_a_receiver_that_waits() {
    let mut bench = escalating(MINUTE * 90);
    bench.fail(Subject::Active, Class::Denied);
    bench.wait_until_due();
    bench.pass(Subject::Active);
    bench.wait(MINUTE * 120);
    assert_eq!((bench.wake(), bench.queued("all")), (0, vec![]));
    assert!(bench.books.known.is_empty());
}

#[test]
fn acknowledged_failure_is_not_escalated_before_the_acknowledgement_ends() {
    let mut bench = escalating(MINUTE * 15);
    bench.fail(Subject::Active, Class::Denied);
    let id = bench.id("one");
    let until = bench.minutes(40);
    bench.silence(Some(id), until);
    bench.wait(MINUTE * 20);
    assert_eq!((bench.wake(), bench.queued("all")), (0, vec![]));
    bench.now = until;
    assert_eq!(bench.wake(), 1);
    assert_eq!(bench.queued("all"), [EventType::ValidationFailed]);
}

#[test]
fn reminders_follow_at_their_waits_until_the_end_and_count() {
    let mut bench = Bench::enabled();
    let remind = vec![MINUTE * 10, MINUTE * 20];
    bench.timing.insert("b", Timing { remind, ..Timing::default() });
    bench.fail(Subject::Active, Class::Denied);
    let sequence = bench.row("one").sequence;
    let mut sent = Vec::new();
    for wait in [9, 1, 19, 1, 20] {
        bench.wait(MINUTE * wait);
        sent.push(bench.wake());
    }
    assert_eq!(sent, [0, 1, 0, 1, 1]);
    let event = bench.last_event();
    assert_eq!(event["type"], "integration.validation.reminder");
    assert_eq!(
        (&event["data"]["reminder"], &event["data"]["sequence"]),
        (&3.into(), &sequence.into())
    );
    let incident = bench.row("one").incident.clone().unwrap().id;
    assert_eq!(event["data"]["incidentId"], incident);
    assert_eq!(event["data"]["validationResults"]["status"], "failed");
    let reminder = |one: &&EventType| **one == EventType::ValidationReminder;
    assert_eq!(bench.queued("b").iter().filter(reminder).count(), 3);
    assert!(!bench.queued("a").contains(&EventType::ValidationReminder), "it did not ask");
    bench.wait_until_due();
    bench.pass(Subject::Active);
    bench.wait(MINUTE * 60);
    assert_eq!(bench.wake(), 0);
    assert_eq!(latest(&bench, "b").1, EventType::ValidationRecovered);
}

#[test]
fn acknowledged_failure_is_reminded_of_after_the_acknowledgement() {
    let mut bench = Bench::enabled();
    bench.timing.insert("b", Timing { remind: vec![MINUTE * 10], ..Timing::default() });
    bench.fail(Subject::Active, Class::Denied);
    let (id, until) = (bench.id("one"), bench.minutes(30));
    bench.silence(Some(id), until);
    bench.wait(MINUTE * 10);
    assert_eq!(bench.wake(), 0);
    bench.now = until;
    assert_eq!(bench.wake(), 1);
    assert_eq!(latest(&bench, "b").1, EventType::ValidationReminder);
}

#[test]
fn reminder_is_the_beginning_for_a_receiver_whose_beginning_is_dead() {
    let mut bench = failing();
    kill(&mut bench);
    bench.timing.insert("a", Timing { remind: vec![MINUTE * 10], ..Timing::default() });
    let context = bench.context();
    let effects: Vec<_> =
        bench.books.known.values().filter_map(|one| replan(one, &context)).collect();
    bench.books.apply_all(&effects, None);
    bench.wait(MINUTE * 10);
    assert_eq!(bench.wake(), 1);
    let (reminder, kind) = latest(&bench, "a");
    assert_eq!(kind, EventType::ValidationReminder);
    assert_eq!(reminder.part.unwrap().began, None);
    bench.wait_until_due();
    bench.pass(Subject::Active);
    let (end, kind) = latest(&bench, "a");
    assert_eq!(
        (kind, end.part.unwrap().began),
        (EventType::ValidationRecovered, Some(reminder.event))
    );
}

#[test]
fn failure_outside_of_the_hours_is_sent_when_they_begin_if_it_still_fails() {
    // Every test begins on Monday at 10:00 UTC.
    let night = Hours::parse("mon-sun", "20:00", "06:00", "UTC").unwrap();
    let mut bench = Bench::enabled();
    bench.receivers = vec!["a", "all"];
    bench.timing.insert("all", Timing { hours: Some(night), ..Timing::default() });
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.queued("all"), []);
    let due = bench.books.known.values().find_map(|one| one.look_at).unwrap();
    assert_eq!(due.to_string(), "2026-11-23T20:00:00Z");
    bench.now = due;
    assert_eq!(bench.wake(), 1);
    assert_eq!(bench.queued("all"), [EventType::ValidationFailed]);
}

#[test]
fn alert_is_planned_to_be_sent_again_while_its_format_asks_for_that() {
    let timing = Timing { resend: Some(MINUTE), ..Timing::default() };
    let mut bench = Bench::enabled();
    bench.receivers = vec!["a"];
    bench.timing.insert("a", timing);
    bench.fail(Subject::Active, Class::Denied);
    let known = bench.books.known.values().next().cloned().unwrap();
    assert_eq!(known.resend_at, None, "its format is another one");
    let alert = KnownIncident { format: Some(Format::Alertmanager), ..known };
    let context = bench.context();
    let Some(Effect::SaveKnown(planned)) = replan(&alert, &context) else { panic!("a change") };
    assert_eq!(planned.resend_at, Some(bench.now.plus(MINUTE)));
    assert!(replan(&planned, &context).is_none(), "it is planned already");
    bench.receivers.clear();
    let Some(Effect::SaveKnown(gone)) = replan(&planned, &bench.context()) else {
        panic!("a change")
    };
    assert_eq!(gone.resend_at, None, "the receiver is gone");
}
