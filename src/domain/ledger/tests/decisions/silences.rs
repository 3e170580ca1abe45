//! Silences and acknowledgements: made, and ended before their time.

use super::kit::{ID, NOW, lines, named, secs};
use crate::domain::ledger::{
    Effect, NewSilence, SilenceRecord, add_silence, end_silence, reevaluate_mutes,
};
use crate::domain::{IntegrationId, Selection, Timestamp};

fn new(acknowledges: Option<IntegrationId>, selection: Selection) -> NewSilence {
    let (comment, until) = ("moving".to_owned(), NOW.plus(secs(3600)));
    NewSilence { acknowledges, selection, comment, until }
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
        assert_eq!(**new, given, "selection and comment included");
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
