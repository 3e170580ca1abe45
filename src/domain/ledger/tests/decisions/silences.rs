//! Silences and acknowledgements: made, and ended before their time.

use super::kit::*;
use crate::domain::ledger::{
    Answer, Effect, Mute, Need, NewSilence, Row, Silence, SilenceRecord, add_silence, end_silence,
    record, reevaluate_mutes, release,
};
use crate::domain::{Class, IntegrationId, Selection, Timestamp};

fn new(acknowledges: Option<IntegrationId>, selection: Selection) -> NewSilence {
    let (author, comment) = ("anna".to_owned(), "moving".to_owned());
    let (from, until) = (NOW.plus(secs(60)), NOW.plus(secs(3600)));
    NewSilence { acknowledges, selection, author, comment, from, until }
}

#[test]
fn a_silence_is_stored_under_its_id_as_it_was_given() {
    let table = [
        (new(None, named("ware*")), "silence 3 of 0 +0 s until +3600 s"),
        (new(Some(ID), named("warehouse")), "silence 3 of 7 +0 s until +3600 s"),
    ];
    for (given, expected) in table {
        let effects = add_silence(3, &given, NOW);
        assert_eq!(lines(&effects), [expected]);
        let [Effect::InsertSilence { new, .. }] = effects.as_slice() else { panic!("one effect") };
        assert_eq!(**new, given, "selection, author and comment included");
    }
}

#[test]
fn only_an_open_silence_is_ended_and_then_every_mute_is_looked_at() {
    let ended = ["end silence 3 +0 s", "look at mutes +0 s"];
    let (early, second) = (NOW.minus(secs(60)), secs(1));
    let table: [(Timestamp, Option<Timestamp>, bool); 5] = [
        (NOW.plus(second), None, true),
        (NOW.plus(secs(3600)), None, true),
        (NOW, None, false),
        (NOW.minus(second), None, false),
        (NOW.plus(secs(3600)), Some(early), false),
    ];
    for (until, ended_at, is_open) in table {
        let record = SilenceRecord { id: 3, until, ended_at };
        let decision = end_silence(Some(&record), NOW);
        assert_eq!(decision.answer, is_open, "{record:?}");
        let expected: &[&str] = if is_open { &ended } else { &[] };
        assert_eq!(lines(&decision.effects), expected, "{record:?}");
    }
}

#[test]
fn an_unknown_silence_is_not_ended() {
    let decision = end_silence(None, NOW);
    assert!(!decision.answer && decision.effects.is_empty());
}

#[test]
fn a_change_of_the_configuration_has_every_mute_looked_at() {
    assert_eq!(lines(&[reevaluate_mutes(NOW)]), ["look at mutes +0 s"]);
}

/// A silence of everything, from and until so many seconds after now.
fn silence(id: i64, from: u64, until: u64) -> Silence {
    let (from, until) = (NOW.plus(secs(from)), NOW.plus(secs(until)));
    Silence { id, acknowledges: None, selection: named("*"), from, until }
}

#[test]
fn planned_silence_mutes_nothing_before_it_begins() {
    let table = [
        (vec![silence(3, 1, 900)], None),
        (vec![silence(3, 0, 900)], Some(("silence 3", 900))),
        (vec![silence(3, 1, 900), silence(4, 0, 100)], Some(("silence 4", 100))),
        (vec![silence(3, 0, 900), silence(4, 1, 1000)], Some(("silence 3", 900))),
        (vec![], None),
    ];
    for (silences, expected) in table {
        let world = World::new().knowing(Need::Silences, Answer::Silences(silences.clone()));
        let run = finished(row().status, [failed(Class::Denied)]);
        let effects = world.decide(|case, context| record(case, &row(), &run, context)).effects;
        let mute = saved(&effects).mute.map(|mute| (mute.by, mute.until));
        let expected = expected.map(|(by, until)| (by.to_owned(), NOW.plus(secs(until))));
        assert_eq!(mute, expected, "{silences:?}");
        assert_eq!(is_quiet(&effects), expected.is_some(), "{silences:?}");
    }
}

#[test]
fn silence_that_begins_when_another_ends_goes_on_muting() {
    let mute = Some(Mute { until: NOW, by: "silence 3".to_owned() });
    let row = Row { lease: None, mute, ..failing_row(Class::Denied) };
    let muted = |silences: Vec<Silence>| {
        let world = World::new().knowing(Need::Silences, Answer::Silences(silences));
        let decision = world.decide(|case, context| release(case, &row, context));
        (decision.answer, saved(&decision.effects).mute.map(|mute| mute.by))
    };
    assert_eq!(muted(vec![silence(4, 0, 60)]), (false, Some("silence 4".to_owned())));
    assert_eq!(muted(vec![silence(4, 1, 60)]), (true, None), "it has not begun");
}
