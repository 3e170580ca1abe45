//! Mutes: what waits, what ends them, and what receivers are notified of then.

use std::time::Duration;

use super::super::*;
use super::bench::{Bench, START};
use super::samples::{failed, found, passed, wanted, warned, with_config};
use crate::domain::EventType::{
    DaemonDegraded, DaemonRecovered, FlappingEnded, FlappingStarted, StatusChanged,
    ValidationFailed, ValidationRecovered, ValidationWarning,
};
use crate::domain::{
    Class, EventType, Maintenance, OwnFault, Schedule, Selection, Status, Subject, Timestamp,
};

const HOUR: i64 = 3_600_000;

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

/// Notifications about `one` are muted for as long as the window is open, some minutes.
fn in_maintenance() -> Bench {
    let mut bench = Bench::enabled();
    bench.maintenance = vec![window(&["one"])];
    bench.now = Timestamp(START.0 + 24 * HOUR);
    bench
}

const AFTER: Timestamp = Timestamp(START.0 + 25 * HOUR);

#[test]
fn end_of_maintenance_notifies_of_what_still_differs_and_of_nothing_else() {
    let table: [(&[bool], &[EventType]); 4] = [
        (&[false], &[ValidationFailed]),
        (&[false, true], &[]),
        (&[false, true, false], &[ValidationFailed]),
        (&[true], &[]),
    ];
    for (runs, expected) in table {
        let mut bench = in_maintenance();
        let before = bench.count("one");
        for &good in runs {
            let next = bench.minutes(5);
            if good { bench.pass_at(next) } else { bench.fail_at(next) }
        }
        assert_eq!(bench.notified("one", before + 1), [], "{runs:?}: muted");
        let mute = bench.row("one").mute.clone();
        if runs.contains(&false) {
            let expected = Mute { until: AFTER, by: "maintenance `ten`".to_owned() };
            assert_eq!(mute, Some(expected));
        } else {
            assert_eq!(mute, None, "nothing happened that is muted");
        }
        assert_eq!(bench.release(), (0, 0), "{runs:?}: too early");
        bench.now = AFTER;
        bench.release();
        assert_eq!(bench.notified("one", before + 1), expected, "{runs:?}");
        assert_eq!(bench.row("one").mute, None);
        if expected.is_empty() {
            continue;
        }
        let event = bench.last_event();
        assert_eq!(event["data"]["previousStatus"], "enabled");
        assert_eq!(event["data"]["changes"][0]["class"], "denied");
        assert_eq!(event["data"]["changes"][0]["from"], "passed");
        assert_eq!(event["data"]["validationResults"]["status"], "failed");
        assert!(event["data"]["incidentId"].is_string());
    }
}

#[test]
fn maintenance_of_others_mutes_nothing() {
    let mut bench = in_maintenance();
    bench.maintenance = vec![window(&["two"])];
    bench.fail_at(bench.minutes(5));
    assert_eq!(bench.notified("one", 3), [ValidationFailed]);
}

#[test]
fn look_before_the_end_extends_a_mute_that_another_one_outlasts() {
    let mut bench = in_maintenance();
    bench.fail_at(bench.minutes(5));
    let until = Timestamp(AFTER.0 + HOUR);
    let id = bench.silence(None, until);
    bench.now = AFTER;
    assert_eq!(bench.release(), (0, 0));
    let mute = bench.row("one").mute.clone().unwrap();
    assert_eq!((mute.until, mute.by), (until, format!("silence {id}")));
    bench.now = until;
    assert_eq!(bench.release(), (1, 0));
    assert_eq!(bench.notified("one", 3), [ValidationFailed]);
}

#[test]
fn muted_recovery_names_its_incident_and_how_long_it_really_lasted() {
    let mut bench = in_maintenance();
    bench.maintenance.clear();
    bench.fail_at(bench.minutes(1));
    let failure = bench.last_event();
    bench.maintenance = vec![window(&[])];
    bench.pass_at(bench.minutes(10));
    // It fails and works again unseen.
    bench.fail_at(bench.minutes(1));
    bench.pass_at(bench.minutes(1));
    let ended = bench.now;
    assert_eq!(bench.notified("one", 2).last(), Some(&ValidationFailed));
    bench.now = AFTER;
    assert_eq!(bench.release(), (1, 0));
    let recovery = bench.last_event();
    assert_eq!(bench.kinds().last(), Some(&ValidationRecovered));
    assert_eq!(recovery["data"]["incidentId"], failure["data"]["incidentId"]);
    assert_eq!(recovery["data"]["changes"][0]["from"], "failed");
    let since: Timestamp = failure["data"]["failingSince"].as_str().unwrap().parse().unwrap();
    assert_eq!(recovery["data"]["outageMs"], ended.0 - since.0);
}

#[test]
fn run_after_the_end_notifies_of_the_muted_failure_before_it_is_judged() {
    let mut bench = in_maintenance();
    let before = bench.count("one");
    bench.fail_at(bench.minutes(5));
    bench.pass_at(AFTER);
    assert_eq!(bench.notified("one", before + 1), [ValidationFailed, ValidationRecovered]);
}

#[test]
fn operation_that_works_is_notified_at_once_and_ends_the_mute() {
    let mut bench = in_maintenance();
    bench.fail_at(bench.minutes(5));
    bench.sync(&[with_config("{}")]);
    bench.pass(Subject::Candidate);
    assert_eq!(bench.kinds().last(), Some(&StatusChanged), "receivers knew of no failure");
    assert!(bench.last_event()["data"]["incidentId"].is_null());
    bench.fail_at(bench.minutes(5));
    bench.sync(&[Wanted { disabled: true, ..wanted("one") }]);
    let event = bench.last_event();
    assert_eq!(
        (&event["data"]["status"], &event["data"]["previousStatus"]),
        (&"disabled".into(), &"recurringValidationError".into())
    );
    let row = bench.row("one");
    assert_eq!((&row.mute, row.warning_muted, row.suspect), (&None, false, None));
}

#[test]
fn muted_warnings_are_notified_when_they_are_still_there() {
    for still in [true, false] {
        let mut bench = in_maintenance();
        let before = bench.count("one");
        bench.due_now("one");
        bench.run(vec![found(Subject::Active, warned("soon"))]);
        assert!(bench.row("one").warning_muted);
        if !still {
            bench.pass_at(bench.minutes(5));
        }
        assert_eq!(bench.notified("one", before + 1), []);
        bench.now = AFTER;
        assert_eq!(bench.release(), (1, 0));
        let expected: &[EventType] = if still { &[ValidationWarning] } else { &[] };
        assert_eq!(bench.notified("one", before + 1), expected);
        if still {
            assert_eq!(bench.last_event()["data"]["previousStatus"], "enabled");
        }
    }
}

#[test]
fn acknowledgement_mutes_one_integration_only() {
    let mut bench = Bench::enabled();
    bench.sync(&[wanted("one"), wanted("two")]);
    bench.run_of("two", passed());
    let id = bench.id("one");
    bench.fail_at(bench.minutes(1));
    let sequence = bench.count("one");
    let until = bench.minutes(60);
    let silence = bench.silence(Some(id), until);
    bench.run_of("two", failed(Class::Denied));
    assert_eq!(bench.notified("two", 1).last(), Some(&ValidationFailed));
    bench.pass_at(bench.minutes(1));
    assert_eq!(bench.row("one").mute.clone().unwrap().by, format!("acknowledgement {silence}"));
    assert_eq!(bench.notified("one", sequence + 1), [], "an acknowledged failure stays quiet");
    assert!(bench.row("one").incident.is_some(), "receivers do not know that it is over");
    bench.now = until;
    bench.release();
    assert_eq!(bench.notified("one", sequence + 1), [ValidationRecovered]);
}

#[test]
fn silence_mutes_the_integrations_of_its_selection_only() {
    let mut bench = Bench::enabled();
    bench.sync(&[wanted("one"), wanted("two")]);
    bench.run_of("two", passed());
    let selection = Selection { integrations: vec!["o*".to_owned()], ..Selection::default() };
    let until = bench.minutes(600);
    bench.add_silence(&NewSilence { selection, until, ..NewSilence::default() });
    let before = bench.count("one");
    for name in ["one", "two"] {
        bench.run_of(name, failed(Class::Denied));
    }
    assert_eq!(bench.notified("one", before + 1), []);
    assert_eq!(bench.notified("two", 3), [ValidationFailed]);
}

#[test]
fn silence_that_is_ended_early_notifies_of_what_it_muted() {
    let mut bench = Bench::enabled();
    let until = bench.minutes(60);
    let id = bench.silence(None, until);
    bench.fail_at(bench.minutes(5));
    let before = bench.count("one");
    assert!(bench.end_silence(id));
    assert!(!bench.end_silence(id), "it ends once");
    assert_eq!(bench.release(), (1, 0));
    assert_eq!(bench.notified("one", before + 1), [ValidationFailed]);
    bench.now = until;
    assert_eq!(bench.release(), (0, 0), "nothing is notified twice");
}

#[test]
fn end_of_one_silence_leaves_what_another_one_mutes() {
    let mut bench = Bench::enabled();
    let (short, long) = (bench.minutes(30), bench.minutes(60));
    let rest = bench.silence(None, short);
    let first = bench.silence(None, long);
    bench.fail_at(bench.minutes(5));
    assert!(bench.end_silence(first));
    assert_eq!(bench.release(), (0, 0));
    let mute = bench.row("one").mute.clone().unwrap();
    assert_eq!((mute.until, mute.by), (short, format!("silence {rest}")));
    bench.now = short;
    assert_eq!(bench.release(), (1, 0));
}

#[test]
fn maintenance_that_leaves_the_configuration_ends_its_mutes() {
    let mut bench = in_maintenance();
    bench.fail_at(bench.minutes(5));
    let before = bench.count("one");
    bench.maintenance.clear();
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.release(), (1, 0));
    assert_eq!(bench.notified("one", before + 1), [ValidationFailed]);
}

#[test]
fn longest_mute_is_the_one_that_is_named() {
    let mut bench = Bench::enabled();
    let short = bench.minutes(30);
    bench.silence(None, short);
    let until = bench.minutes(90);
    let longest = bench.silence(None, until);
    bench.fail_at(bench.minutes(1));
    let mute = bench.row("one").mute.clone().unwrap();
    assert_eq!((mute.until, mute.by), (until, format!("silence {longest}")));
}

#[test]
fn more_status_changes_than_are_allowed_are_flapping_until_it_is_calm() {
    let mut bench = Bench::enabled();
    let before = bench.count("one");
    for _ in 0..4 {
        bench.fail_at(bench.minutes(5));
        bench.pass_at(bench.minutes(5));
    }
    let expected = [ValidationFailed, ValidationRecovered, ValidationFailed, FlappingStarted];
    assert_eq!(bench.notified("one", before + 1), expected);
    let flapping = bench.row("one").flapping.unwrap();
    let calm = bench.row("one").mute.clone().unwrap();
    assert_eq!(calm.by, "flapping");
    assert_eq!(calm.until, bench.minutes(120), "two of its hours after the latest change");
    assert_eq!(flapping.until, calm.until);
    bench.now = Timestamp(calm.until.0 - 1);
    assert_eq!(bench.release(), (0, 0));
    bench.now = calm.until;
    assert_eq!(bench.release(), (1, 0));
    let event = bench.last_event();
    assert_eq!(bench.notified("one", before + 5), [FlappingEnded, ValidationRecovered]);
    assert_eq!(event["data"]["status"], "enabled");
    assert!(event["data"]["incidentId"].is_string());
    let row = bench.row("one");
    assert_eq!((&row.incident, row.flapping, row.flips.0.len()), (&None, None, 0));
    bench.fail_at(bench.minutes(5));
    assert_eq!(bench.notified("one", before + 7), [ValidationFailed], "notified as before");
}

#[test]
fn policy_allows_as_many_status_changes_as_it_says() {
    for (allowed, expected) in [(1, 2), (2, 3), (5, 6)] {
        let mut bench = Bench::enabled();
        bench.policy.flap_flips = allowed;
        let before = bench.count("one");
        for round in 0..8 {
            let next = bench.minutes(5);
            if round % 2 == 0 { bench.fail_at(next) } else { bench.pass_at(next) }
        }
        let kinds = bench.notified("one", before + 1);
        let place = kinds.iter().position(|kind| *kind == FlappingStarted);
        assert_eq!(place.map(|place| place + 1), Some(expected), "{allowed}");
        assert_eq!(kinds.len(), expected, "nothing after it");
    }
}

#[test]
fn calm_of_a_flapping_integration_lasts_as_long_as_the_policy_where_runs_are_frequent() {
    let mut bench = Bench::enabled();
    bench.policy.flap_flips = 1;
    bench.policy.flap_calm = Duration::from_hours(5);
    bench.fail_at(bench.minutes(5));
    bench.pass_at(bench.minutes(5));
    assert_eq!(bench.row("one").flapping.unwrap().until, bench.minutes(300));
}

#[test]
fn fault_of_the_daemon_is_notified_once_however_many_integrations_it_concerns() {
    let mut bench = Bench::enabled();
    bench.sync(&[wanted("one"), wanted("two")]);
    bench.run_of("two", passed());
    let daemon = |bench: &Bench| {
        let mut kinds = bench.kinds();
        kinds.retain(|kind| matches!(kind, DaemonDegraded | DaemonRecovered));
        kinds
    };
    for name in ["one", "two", "one"] {
        bench.run_of(name, failed(Class::Local));
    }
    assert_eq!(daemon(&bench), [DaemonDegraded]);
    let event = bench.last_event();
    assert_eq!(
        (&event["data"]["fault"], &event["data"]["message"]),
        (&"validation".into(), &"one: no".into())
    );
    assert!(event["data"]["lastedMs"].is_null());
    let since = bench.books.faults[&OwnFault::Validation].since;
    bench.run_of("one", passed());
    assert_eq!(daemon(&bench).len(), 1, "the other still cannot be validated");
    bench.run_of("two", failed(Class::Denied));
    assert_eq!(daemon(&bench), [DaemonDegraded, DaemonRecovered]);
    let recovered = bench.books.events.iter().find(|one| one.body.kind == DaemonRecovered);
    let recovered = serde_json::to_value(&recovered.unwrap().body).unwrap();
    assert_eq!(recovered["data"]["lastedMs"], bench.now.0 - since.0);
    assert!(bench.books.faults.is_empty());
}

#[test]
fn fault_that_a_check_notices_begins_once_and_ends_once() {
    let mut bench = Bench::enabled();
    assert!(bench.degrade(OwnFault::Disk, "full"));
    assert!(!bench.degrade(OwnFault::Disk, "full"));
    assert!(bench.degrade(OwnFault::Clock, "wrong"));
    assert!(bench.restore(OwnFault::Disk));
    assert!(!bench.restore(OwnFault::Disk));
    assert_eq!(bench.kinds()[2..], [DaemonDegraded, DaemonDegraded, DaemonRecovered]);
    let notified = bench.queued("a");
    assert_eq!(notified[2..], [DaemonDegraded, DaemonDegraded, DaemonRecovered]);
    assert_eq!(bench.books.operational, 3);
}

#[test]
fn fault_of_one_validation_ends_when_its_integration_is_taken_out_of_use() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Local);
    assert_eq!(bench.row("one").own_fault, Some(OwnFault::Validation));
    assert_eq!(bench.status("one"), Status::Enabled);
    bench.sync(&[Wanted { disabled: true, ..wanted("one") }]);
    assert!(bench.books.faults.is_empty());
    assert!(bench.kinds().contains(&DaemonRecovered));
}
