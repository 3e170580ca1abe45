//! Messages that are held, and what is told when nothing holds them any more.

use super::super::{NewSilence, SilenceRow, fault, own_fault, silence};
use super::*;
use crate::domain::{OwnFault, Selection};

const FAILED: &str = "integration.validation.failed";
const RECOVERED: &str = "integration.validation.recovered";
const WARNING: &str = "integration.validation.warning";

/// A window of an hour from ten o'clock on.
fn window(integrations: &[&str]) -> Maintenance {
    Maintenance {
        name: "ten".to_owned(),
        schedule: Schedule::parse("0 10 * * *", "UTC").unwrap(),
        duration: Duration::from_hours(1),
        selection: Selection {
            integrations: integrations.iter().map(|&name| name.to_owned()).collect(),
            ..Selection::default()
        },
    }
}

impl Bench {
    /// Holds messages about `one` for as long as the window is open, which it is for some minutes.
    fn in_maintenance() -> Self {
        let mut bench = Self::enabled();
        bench.maintenance = vec![window(&["one"])];
        bench.now = Timestamp(START.0 + 24 * 3_600_000);
        bench
    }

    fn fail_at(&mut self, now: Timestamp) {
        self.now = now;
        self.due_now("one");
        self.fail(Subject::Active, Class::Denied);
    }

    fn pass_at(&mut self, now: Timestamp) {
        self.now = now;
        self.due_now("one");
        self.pass(Subject::Active);
    }

    fn silence(&mut self, new: &NewSilence) -> i64 {
        let now = self.now;
        self.write(|tx| silence::add(tx, new, now)).unwrap()
    }
}

fn minutes(bench: &Bench, minutes: i64) -> Timestamp {
    Timestamp(bench.now.0 + minutes * 60_000)
}

#[test]
fn what_still_differs_at_the_end_of_maintenance_is_told_then_and_nothing_else() {
    // What happens during the window; what is told at its end.
    let table: [(&[bool], &[&str]); 4] = [
        (&[false], &[FAILED]),
        (&[false, true], &[]),
        (&[false, true, false], &[FAILED]),
        (&[true], &[]),
    ];
    for (runs, expected) in table {
        let mut bench = Bench::in_maintenance();
        let before = bench.row("one").sequence;
        for &good in runs {
            let next = minutes(&bench, 5);
            if good {
                bench.pass_at(next);
            } else {
                bench.fail_at(next);
            }
            check_invariants(&bench.conn);
        }
        assert_eq!(bench.notified("one", before + 1), [""; 0], "{runs:?}: held");
        assert_eq!(bench.release(), Released::default(), "{runs:?}: too early");
        bench.now = Timestamp(START.0 + 25 * 3_600_000);
        bench.release();
        assert_eq!(bench.notified("one", before + 1), expected, "{runs:?}");
        check_invariants(&bench.conn);
        if expected.is_empty() {
            continue;
        }
        let event = bench.last_event();
        assert_eq!(event["data"]["previousStatus"], "enabled");
        assert_eq!(event["data"]["changes"][0]["class"], "denied");
        assert!(event["data"]["incidentId"].is_string());
    }
}

#[test]
fn a_recovery_that_was_held_names_its_incident_and_how_long_it_really_lasted() {
    let mut bench = Bench::in_maintenance();
    bench.maintenance.clear();
    bench.fail_at(minutes(&bench, 1));
    let failed = bench.last_event();
    bench.maintenance = vec![window(&[])];
    bench.pass_at(minutes(&bench, 10));
    // It fails and works again unseen.
    bench.fail_at(minutes(&bench, 1));
    bench.pass_at(minutes(&bench, 1));
    let ended = bench.now;
    assert_eq!(bench.notified("one", 2).last().unwrap(), FAILED);
    bench.now = Timestamp(START.0 + 25 * 3_600_000);
    assert_eq!(bench.release().integrations, 1);
    let recovered = bench.last_event();
    assert_eq!(recovered["type"], RECOVERED);
    assert_eq!(recovered["data"]["incidentId"], failed["data"]["incidentId"]);
    let since: Timestamp = failed["data"]["failingSince"].as_str().unwrap().parse().unwrap();
    assert_eq!(recovered["data"]["outageMs"], ended.0 - since.0);
    check_invariants(&bench.conn);
}

#[test]
fn a_run_after_the_end_tells_before_it_is_judged() {
    let mut bench = Bench::in_maintenance();
    let before = bench.row("one").sequence;
    bench.fail_at(minutes(&bench, 5));
    bench.pass_at(Timestamp(START.0 + 25 * 3_600_000));
    assert_eq!(bench.notified("one", before + 1), [FAILED, RECOVERED]);
    check_invariants(&bench.conn);
}

#[test]
fn an_operation_is_told_at_once_and_ends_what_was_held() {
    let mut bench = Bench::in_maintenance();
    bench.fail_at(minutes(&bench, 5));
    bench.sync(&[with_config("{}")]);
    bench.pass(Subject::Candidate);
    let event = bench.last_event();
    assert_eq!(event["type"], "integration.status.changed", "nobody knew that it failed");
    bench.fail_at(minutes(&bench, 5));
    bench.sync(&[Wanted { disabled: true, ..wanted("one") }]);
    let event = bench.last_event();
    assert_eq!(
        (&event["data"]["status"], &event["data"]["previousStatus"]),
        (&"disabled".into(), &"enabled".into())
    );
    assert!(bench.row("one").mute.is_none());
    check_invariants(&bench.conn);
}

#[test]
fn warnings_are_held_and_told_when_they_are_still_there() {
    for still in [true, false] {
        let mut bench = Bench::in_maintenance();
        let before = bench.row("one").sequence;
        bench.due_now("one");
        bench.run(vec![found(Subject::Active, warned("soon"))]);
        if !still {
            bench.pass_at(minutes(&bench, 5));
        }
        assert_eq!(bench.notified("one", before + 1), [""; 0]);
        bench.now = Timestamp(START.0 + 25 * 3_600_000);
        bench.release();
        let expected: &[&str] = if still { &[WARNING] } else { &[] };
        assert_eq!(bench.notified("one", before + 1), expected);
        check_invariants(&bench.conn);
    }
}

#[test]
fn a_silence_holds_what_it_selects_until_it_ends_or_is_ended() {
    for ended_early in [true, false] {
        let mut bench = Bench::enabled();
        let before = bench.row("one").sequence;
        let until = minutes(&bench, 120);
        let other = Selection { types: vec!["Snowflake".to_owned()], ..Selection::default() };
        let own = Selection {
            labels: BTreeMap::from([("team".to_owned(), "d*".to_owned())]),
            ..Selection::default()
        };
        let silence = |selection| NewSilence {
            acknowledges: None,
            selection,
            comment: "moving".to_owned(),
            until,
        };
        bench.silence(&silence(other));
        let id = bench.silence(&silence(own));
        bench.fail_at(minutes(&bench, 5));
        let hold = bench.row("one").mute.unwrap();
        assert_eq!((hold.by, hold.until), (format!("silence {id}"), until));
        if ended_early {
            let now = bench.now;
            assert!(bench.write(|tx| silence::end(tx, id, now)).unwrap());
            assert!(!bench.write(|tx| silence::end(tx, id, now)).unwrap(), "only once");
        } else {
            bench.now = until;
        }
        assert_eq!(bench.release().integrations, 1);
        assert_eq!(bench.notified("one", before + 1), [FAILED]);
        let listed = |ended: bool| -> Vec<SilenceRow> {
            silence::list(&bench.conn, ended, bench.now, &Page::first(9)).unwrap().rows
        };
        assert_eq!(listed(true).len(), 2);
        assert_eq!(listed(false).len(), usize::from(ended_early));
    }
}

#[test]
fn an_acknowledgement_holds_one_integration_only() {
    let mut bench = Bench::enabled();
    bench.sync(&[wanted("one"), wanted("two")]);
    bench.run_of("two", passed());
    let id = bench.row("one").id;
    bench.fail_at(minutes(&bench, 1));
    let sequence = bench.row("one").sequence;
    let until = minutes(&bench, 60);
    let selection = Selection::default();
    let new = NewSilence { acknowledges: Some(id), selection, comment: String::new(), until };
    let silence = bench.silence(&new);
    bench.run_of("two", failed(Class::Denied));
    assert_eq!(bench.notified("two", 1).last().unwrap(), FAILED);
    bench.pass_at(minutes(&bench, 1));
    assert_eq!(bench.row("one").mute.unwrap().by, format!("acknowledgement {silence}"));
    bench.now = until;
    bench.release();
    assert_eq!(bench.notified("one", sequence + 1), [RECOVERED]);
    check_invariants(&bench.conn);
}

#[test]
fn more_flips_than_are_let_pass_are_told_as_flapping_until_it_is_calm() {
    let mut bench = Bench::enabled();
    let before = bench.row("one").sequence;
    for _ in 0..4 {
        bench.fail_at(minutes(&bench, 5));
        bench.pass_at(minutes(&bench, 5));
        check_invariants(&bench.conn);
    }
    let started = "integration.flapping.started";
    assert_eq!(bench.notified("one", before + 1), [FAILED, RECOVERED, FAILED, started]);
    assert!(bench.row("one").flapping_since.is_some());
    let calm = bench.row("one").mute.unwrap().until;
    assert_eq!(calm, minutes(&bench, 120), "two of its hours after the latest flip");
    bench.now = calm;
    assert_eq!(bench.release().integrations, 1);
    let event = bench.last_event();
    assert_eq!(event["type"], "integration.flapping.ended");
    assert_eq!(event["data"]["status"], "enabled");
    assert!(event["data"]["incidentId"].is_string());
    assert!(bench.row("one").incident_id.is_none());
    check_invariants(&bench.conn);
    bench.fail_at(minutes(&bench, 5));
    assert_eq!(bench.notified("one", before + 6), [FAILED], "it is told of as before");
}

#[test]
fn a_fault_of_ours_is_told_once_however_many_integrations_it_keeps_from_being_validated() {
    let mut bench = Bench::enabled();
    bench.sync(&[wanted("one"), wanted("two")]);
    bench.run_of("two", passed());
    let degraded = |bench: &Bench| {
        let events = bench.events().into_iter();
        let types = events.map(|event| event["type"].as_str().unwrap().to_owned());
        types.filter(|kind| kind.starts_with("daemon.")).collect::<Vec<_>>()
    };
    for name in ["one", "two", "one"] {
        bench.run_of(name, failed(Class::Local));
    }
    assert_eq!(degraded(&bench), ["daemon.degraded"]);
    let event = bench.last_event();
    assert_eq!(
        (&event["data"]["fault"], &event["data"]["message"]),
        (&"validation".into(), &"one: no".into())
    );
    bench.run_of("one", passed());
    assert_eq!(degraded(&bench).len(), 1, "the other still cannot be validated");
    bench.run_of("two", failed(Class::Denied));
    assert_eq!(degraded(&bench), ["daemon.degraded", "daemon.recovered"]);
    assert_eq!(fault::all(&bench.conn).unwrap().len(), 0);
    let tell = bench.tell();
    assert!(bench.write(|tx| own_fault::begin(tx, OwnFault::Disk, "full", &tell)).unwrap());
    assert!(!bench.write(|tx| own_fault::begin(tx, OwnFault::Disk, "full", &tell)).unwrap());
    assert!(bench.write(|tx| own_fault::end(tx, OwnFault::Disk, &tell)).unwrap());
    assert!(!bench.write(|tx| own_fault::end(tx, OwnFault::Disk, &tell)).unwrap());
}
