//! Incidents as receivers know them: to whom a beginning and an end go, and as which part.

use super::kit::*;
use super::known::known;
use crate::domain::ledger::{
    Answer, Effect, KnownIncident, Need, NoticeState, Part, QueueChange, Row, record, wake,
};
use crate::domain::{Class, Format, Status, Subscription, Timing};

/// Returns the receivers that a delivery is enqueued for, each with its part in an incident.
fn parts(effects: &[Effect]) -> Vec<(String, Option<Part>)> {
    let part = |effect: &Effect| {
        if let Effect::Queue(QueueChange::Enqueue { receiver, part, .. }) = effect {
            Some((receiver.clone(), part.as_deref().cloned()))
        } else {
            None
        }
    };
    effects.iter().filter_map(part).collect()
}

/// The failing integration passes, and these receivers know its incident.
fn recovers(world: &World, knowing: Vec<KnownIncident>) -> Vec<Effect> {
    let row = failing_row(Class::Denied);
    let world = world.clone().knowing(Need::Known("inc_1".to_owned()), Answer::Known(knowing));
    let run = finished(row.status, [passed()]);
    world.decide(|case, context| record(case, &row, &run, context)).effects
}

#[test]
fn end_has_the_identity_and_the_format_of_the_beginning() {
    let format = Some(Format::PagerDuty);
    let knowing = KnownIncident { format, ..known("inc_1", "pager", true) };
    let world = World::new()
        .subscribed([Subscription { format: Format::Slack, ..subscription("pager", "*") }]);
    let effects = recovers(&world, vec![knowing]);
    let (incident, began) = ("inc_1".to_owned(), Some("evt_0".to_owned()));
    let expected = Part { incident, began, format, ends: true };
    assert_eq!(parts(&effects), [("pager".to_owned(), Some(expected))]);
    assert_eq!(knowledge(&effects), ["forget inc"]);
}

#[test]
fn end_goes_to_the_receivers_that_know_and_to_those_that_name_ends_alone() {
    let state = |state| KnownIncident { state, ..known("inc_1", "pager", true) };
    let sent = || vec![known("inc_1", "pager", true)];
    let all = || subscription("pager", "*");
    let elsewhere = Subscription { selection: named("other"), ..all() };
    let ends = subscription("pager", "*.recovered");
    let failures = subscription("pager", "*.failed");
    let table = [
        (all(), sent(), 1),
        (elsewhere, sent(), 1),
        (failures.clone(), sent(), 1),
        (failures, vec![known("inc_1", "pager", false)], 0),
        (subscription("another", "*"), sent(), 1),
        (all(), Vec::new(), 0),
        (ends, Vec::new(), 1),
        (all(), vec![state(NoticeState::Waiting)], 0),
        (all(), vec![state(NoticeState::Dead)], 0),
    ];
    for (number, (subscription, knowing, expected)) in table.into_iter().enumerate() {
        let effects = recovers(&World::new().subscribed([subscription]), knowing);
        assert_eq!(parts(&effects).len(), expected, "case {number}");
    }
}

#[test]
fn failure_begins_the_incident_for_each_receiver_that_subscribes_to_it() {
    let waits = Timing { after: Some(secs(3600)), ..Timing::default() };
    let world = World::new().subscribed([
        Subscription { format: Format::Alertmanager, ..subscription("alerts", "*") },
        subscription("failures", "*.failed"),
        subscription("warnings", "*.warning"),
        Subscription { timing: waits, ..subscription("late", "*") },
    ]);
    let run = finished(Status::Enabled, [failed(Class::Denied)]);
    let effects = world.decide(|case, context| record(case, &row(), &run, context)).effects;
    let begun = |effect: &Effect| {
        if let Effect::SaveKnown(known) = effect {
            Some((known.receiver.clone(), known.state, known.wants_end, known.format))
        } else {
            None
        }
    };
    let found: Vec<_> = effects.iter().filter_map(begun).collect();
    let standard = Some(Format::Standard);
    assert_eq!(
        found,
        [
            ("alerts".to_owned(), NoticeState::Sent, true, Some(Format::Alertmanager)),
            ("failures".to_owned(), NoticeState::Sent, false, standard),
            ("late".to_owned(), NoticeState::Waiting, true, standard),
        ]
    );
    let receivers: Vec<_> = parts(&effects).into_iter().map(|(receiver, _)| receiver).collect();
    assert_eq!(receivers, ["alerts", "failures"]);
}

#[test]
fn wake_sends_what_waited_and_forgets_what_is_over() {
    let waiting = KnownIncident {
        state: NoticeState::Waiting,
        due_at: Some(NOW),
        look_at: Some(NOW),
        ..known("inc_1", "late", true)
    };
    let timing = Timing { after: Some(secs(600)), ..Timing::default() };
    let later = Timing { after: Some(secs(700)), ..Timing::default() };
    let late = |timing| Subscription { timing, ..subscription("late", "*") };
    let failing = failing_row(Class::Denied);
    let editing = Row { status: Status::Editing, ..failing.clone() };
    let table = [
        (
            late(timing.clone()),
            failing.clone(),
            vec!["insert evt_0 of 7 to late", "head of 7 to late +0 s"],
        ),
        (late(later), failing.clone(), vec![]),
        (late(timing.clone()), editing, vec![]),
        (subscription("another", "*"), failing, vec![]),
        (late(timing), row(), vec![]),
    ];
    for (number, (subscription, row, expected)) in table.into_iter().enumerate() {
        let world = World::new().subscribed([subscription]);
        let wake = world.decide(|case, context| wake(case, &waiting, Some(&row), context));
        assert_eq!(lines(&wake.effects), expected, "case {number}");
        assert_eq!(wake.answer, !expected.is_empty(), "case {number}");
        let forgets = knowledge(&wake.effects) == ["forget inc"];
        assert_eq!(forgets, row.incident.is_none(), "case {number}");
    }
}
