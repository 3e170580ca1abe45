//! The life cycle of an integration: operations, their order and their results.

use std::time::Duration;

use super::super::*;
use super::bench::{Bench, LEASE, START};
use super::samples::{failed, found, passed, schedule, wanted, with_config};
use crate::domain::EventType::StatusChanged;
use crate::domain::{Cause, Class, Schedule, Status, Subject};

/// From and to of every transition of `name`, oldest first.
fn story(bench: &Bench, name: &str) -> Vec<(Option<Status>, Status)> {
    let id = bench.id(name);
    let own = bench.books.transitions.iter().filter(|one| one.integration == id);
    own.map(|one| (one.step.map(|step| step.from), one.to)).collect()
}

#[test]
fn new_integration_is_announced_and_due_at_once() {
    let mut bench = Bench::new();
    assert_eq!(bench.sync(&[wanted("one"), wanted("two")]), []);
    let row = bench.row("one");
    assert_eq!(
        (row.status, row.next_run_at, row.trigger),
        (Status::Creating, Some(START), Trigger::Change)
    );
    let event = serde_json::to_value(&bench.books.events[0].body).unwrap();
    assert_eq!(event["type"], "integration.status.changed");
    assert_eq!(event["data"]["previousStatus"], serde_json::Value::Null);
    assert_eq!(event["data"]["status"], "creating");
    assert_eq!(event["data"]["sequence"], 0);
    assert_eq!(event["data"]["transition"], 1);
    assert_eq!(event["data"]["epoch"], "epoch");
    assert_eq!(event["data"]["integration"]["labels"]["team"], "data");
    assert_eq!(bench.books.deliveries.len(), 4);
    assert_eq!(bench.sync(&[wanted("one"), wanted("two")]), []);
    assert_eq!(bench.books.events.len(), 2);
}

#[test]
fn creation_fails_is_retried_and_succeeds() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    bench.fail(Subject::Candidate, Class::Denied);
    assert_eq!(bench.status("one"), Status::CreateError);
    bench.sync(&[with_config("better")]);
    assert_eq!(
        (bench.status("one"), bench.row("one").next_run_at),
        (Status::Creating, Some(bench.now))
    );
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
    assert_eq!(bench.stored("one").active_config.as_deref(), Some("better"));
    assert_eq!(bench.row("one").notified, Status::Enabled);
    assert_eq!(bench.row("one").active.evidence.counters.passes, 0, "an operation begins anew");
}

#[test]
fn edit_that_fails_keeps_the_active_configuration() {
    let mut bench = Bench::enabled();
    let steps = bench.sync(&[with_config("worse")]);
    assert_eq!(steps[0].cause, Cause::Changed);
    assert_eq!(bench.status("one"), Status::Editing);
    bench.fail(Subject::Candidate, Class::Invalid);
    assert_eq!(bench.status("one"), Status::EditError);
    bench.run(vec![
        found(Subject::Candidate, failed(Class::Invalid)),
        found(Subject::Active, passed()),
    ]);
    assert_eq!(bench.status("one"), Status::EditError);
    let shown = |id: Option<i64>| bench.books.runs.iter().find(|run| Some(run.id.0) == id).unwrap();
    let in_force = shown(bench.row("one").active.last_run);
    assert_eq!((in_force.subject, &*in_force.rule), (Subject::Active, "a passing run"));
    let new = shown(bench.row("one").candidate.last_run);
    assert_eq!(new.subject, Subject::Candidate);
    assert_eq!(new.rule, "a definitive failure (invalid) counts at once");
    assert_eq!(bench.stored("one").active_config, Some(wanted("one").config));
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.status("one"), Status::Editing, "the way back is an edit too");
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
}

#[test]
fn retried_candidate_that_passes_ends_the_edit_and_is_shown() {
    let mut bench = Bench::enabled();
    bench.sync(&[with_config("late")]);
    bench.fail(Subject::Candidate, Class::Missing);
    bench.run(vec![found(Subject::Candidate, passed()), found(Subject::Active, passed())]);
    assert_eq!(bench.status("one"), Status::Enabled);
    let shown =
        bench.books.runs.iter().find(|run| Some(run.id.0) == bench.row("one").active.last_run);
    assert_eq!(shown.unwrap().subject, Subject::Candidate);
    assert_eq!(bench.stored("one").active_config.as_deref(), Some("late"));
}

#[test]
fn change_overtakes_the_run_of_the_old_candidate() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    let old = bench.begin_of("one");
    assert_eq!(bench.sync(&[with_config("newer")]), [], "it is being created still");
    let recorded = bench.record(old, vec![found(Subject::Candidate, failed(Class::Denied))]);
    assert!(matches!(recorded, Recorded::Overtaken));
    assert_eq!((bench.status("one"), bench.books.runs.len()), (Status::Creating, 0));
    bench.pass(Subject::Candidate);
    assert_eq!(bench.stored("one").active_config.as_deref(), Some("newer"));
}

#[test]
fn newer_catalog_migrates_and_an_older_one_does_not() {
    let mut bench = Bench::enabled();
    let upgraded = |version| Wanted { catalog_version: version, ..wanted("one") };
    bench.sync(&[upgraded(2)]);
    assert_eq!(bench.status("one"), Status::Migrating);
    bench.fail(Subject::Candidate, Class::Denied);
    assert_eq!(bench.status("one"), Status::MigrateError);
    bench.sync(&[upgraded(3)]);
    bench.run(vec![found(Subject::Candidate, passed()), found(Subject::Active, passed())]);
    assert_eq!(bench.status("one"), Status::Enabled);
    for version in [3, 2] {
        bench.sync(&[upgraded(version)]);
        assert_eq!(bench.status("one"), Status::Enabled, "the candidate had become version 3");
    }
    bench.sync(&[upgraded(4)]);
    assert_eq!(bench.status("one"), Status::Migrating);
}

#[test]
fn force_disabling_stops_everything_and_is_undone_by_an_edit() {
    let mut bench = Bench::enabled();
    let off = || Wanted { disabled: true, ..wanted("one") };
    let begun = bench.begin_of("one");
    bench.sync(&[off()]);
    let row = bench.row("one");
    assert_eq!((row.status, row.next_run_at, row.lease), (Status::Disabled, None, None));
    let late = bench.record(begun, vec![found(Subject::Active, failed(Class::Denied))]);
    assert!(matches!(late, Recorded::Overtaken));
    assert_eq!(bench.sync(&[off()]), []);
    let mut renamed = off();
    renamed.labels.insert("tier".to_owned(), "gold".to_owned());
    assert_eq!(bench.start_up(&[renamed]), [], "it is described and stays disabled");
    assert_eq!((bench.row("one").labels.len(), bench.row("one").next_run_at), (2, None));
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.status("one"), Status::Editing);
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
}

#[test]
fn new_and_disabled_integration_waits_for_its_first_validation() {
    let mut bench = Bench::new();
    let steps = bench.sync(&[Wanted { disabled: true, ..wanted("one") }]);
    assert_eq!(steps.len(), 1);
    let expected = [(None, Status::Creating), (Some(Status::Creating), Status::Disabled)];
    assert_eq!(story(&bench, "one"), expected);
    assert_eq!(bench.kinds(), [StatusChanged, StatusChanged]);
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.status("one"), Status::Creating);
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
}

#[test]
fn removed_integration_goes_at_once_and_comes_back_as_the_same() {
    let mut bench = Bench::enabled();
    let old = bench.id("one");
    let steps = bench.sync(&[]);
    let causes: Vec<_> = steps.iter().map(|step| step.cause).collect();
    assert_eq!(causes, [Cause::Removed, Cause::Drained]);
    assert_eq!(bench.status("one"), Status::Deleted);
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.status("one"), Status::Creating);
    assert_eq!(bench.id("one"), old);
    assert_eq!(bench.stored("one").active_config, None, "nothing is in force");
    assert_eq!(bench.notified("one", 1), [StatusChanged; 5]);
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
    let off = Wanted { disabled: true, ..wanted("one") };
    bench.sync(&[]);
    bench.sync(&[off]);
    assert_eq!((bench.status("one"), bench.id("one")), (Status::Disabled, old));
}

#[test]
fn removal_waits_for_the_run_that_is_on() {
    for finish in [true, false] {
        let mut bench = Bench::enabled();
        let begun = bench.begin_of("one");
        bench.sync(&[]);
        assert_eq!(bench.status("one"), Status::Deleting);
        let row = bench.row("one").clone();
        assert_eq!(bench.drain(&row), None);
        let runs = bench.books.runs.len();
        if finish {
            let late = bench.record(begun, vec![found(Subject::Active, failed(Class::Denied))]);
            assert!(matches!(late, Recorded::Overtaken));
        } else {
            bench.wait(LEASE);
        }
        let row = bench.row("one").clone();
        assert_eq!(bench.drain(&row).map(|step| step.to), Some(Status::Deleted));
        assert_eq!((bench.row("one").lease, bench.books.runs.len()), (None, runs));
    }
}

#[test]
fn integration_that_comes_back_while_it_is_removed_is_edited() {
    let mut bench = Bench::enabled();
    let begun = bench.begin_of("one");
    bench.sync(&[]);
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.status("one"), Status::Editing);
    let late = bench.record(begun, vec![found(Subject::Active, passed())]);
    assert!(matches!(late, Recorded::Overtaken));
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
}

#[test]
fn removal_that_cannot_be_stored_is_rolled_back_and_planned_by_its_schedule() {
    let mut bench = Bench::enabled();
    let context = bench.context();
    let row = bench.row("one").clone();
    let (row, step) = bench.books.decide(bench.now, None, |case| remove(case, &row, &context));
    assert_eq!(step.map(|step| step.cause), Some(Cause::Removed));
    assert_eq!((row.status, row.next_run_at), (Status::Deleting, None));
    let step = bench.books.decide(bench.now, None, |case| roll_back_removal(case, &row, &context));
    assert_eq!(step.map(|step| step.to), Some(Status::DeleteError));
    let row = bench.row("one");
    assert_eq!(row.next_run_at, schedule().next_due(row.id, bench.now));
    assert_eq!(row.trigger, Trigger::Schedule);
    bench.check();
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.status("one"), Status::RecurringValidationError);
    bench.pass(Subject::Active);
    assert_eq!(bench.status("one"), Status::DeleteError, "back to what the removal left");
    bench.sync(&[]);
    assert_eq!(bench.status("one"), Status::Deleted);
}

#[test]
fn removal_under_way_is_not_begun_again() {
    let mut bench = Bench::enabled();
    bench.begin_of("one");
    bench.sync(&[]);
    let events = bench.books.events.len();
    assert_eq!(bench.sync(&[]), []);
    assert_eq!(bench.books.events.len(), events);
}

#[test]
fn plain_change_is_no_edit_and_a_new_schedule_counts_at_once() {
    let mut bench = Bench::enabled();
    bench.pass(Subject::Active);
    let before = bench.row("one").clone();
    let mut plain = wanted("one");
    plain.labels.insert("tier".to_owned(), "gold".to_owned());
    plain.config_shown = r#"{"host":"ONE"}"#.to_owned();
    assert_eq!(bench.sync(&[plain.clone()]), []);
    let after = bench.stored("one");
    assert_eq!((after.row.labels.len(), &after.config_shown), (2, &plain.config_shown));
    assert_eq!(after.row.next_run_at, before.next_run_at);
    plain.schedule = Schedule::parse("30 4 * * *", "Europe/Berlin").unwrap();
    bench.sync(&[plain.clone()]);
    let retimed = bench.row("one");
    assert_eq!((retimed.cron.as_str(), retimed.zone.as_str()), ("30 4 * * *", "Europe/Berlin"));
    assert_eq!(retimed.next_run_at, plain.schedule.next_due(retimed.id, bench.now));
    assert_eq!(bench.status("one"), Status::Enabled);
}

#[test]
fn new_schedule_waits_for_a_run_that_is_on_or_due_or_confirms() {
    let other = Wanted { schedule: Schedule::parse("30 4 * * *", "UTC").unwrap(), ..wanted("one") };
    let mut bench = Bench::enabled();
    let due = bench.row("one").next_run_at;
    bench.wait(Duration::from_secs(1));
    bench.sync(std::slice::from_ref(&other));
    assert_eq!(bench.row("one").next_run_at, due, "it is due");
    let begun = bench.begin_of("one");
    bench.sync(&[wanted("one")]);
    bench.sync(std::slice::from_ref(&other));
    assert_eq!(bench.row("one").next_run_at, due, "it is being run");
    bench.record(begun, vec![found(Subject::Active, failed(Class::Unreachable))]);
    let confirm = bench.row("one").next_run_at;
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.row("one").next_run_at, confirm, "a failure is being confirmed");
    bench.run(vec![found(Subject::Active, passed())]);
    bench.sync(std::slice::from_ref(&other));
    let row = bench.row("one");
    assert_eq!(row.next_run_at, other.schedule.next_due(row.id, bench.now));
}

#[test]
fn schedule_that_changes_during_a_run_plans_the_next() {
    let mut bench = Bench::enabled();
    let begun = bench.begin_of("one");
    let schedule = Schedule::parse("30 4 * * *", "UTC").unwrap();
    bench.sync(&[Wanted { schedule: schedule.clone(), ..wanted("one") }]);
    bench.record(begun, vec![found(Subject::Active, passed())]);
    let row = bench.row("one");
    assert_eq!(row.next_run_at, schedule.next_due(row.id, bench.now));
}

#[test]
fn another_platform_or_bootstrap_under_the_same_name_is_an_edit() {
    for other in [
        Wanted { kind: "Native S3".to_owned(), ..wanted("one") },
        Wanted { auto_bootstrap: Some(true), ..wanted("one") },
    ] {
        let mut bench = Bench::enabled();
        let steps = bench.sync(&[other]);
        assert_eq!(steps[0].cause, Cause::Changed);
    }
}

#[test]
fn runs_that_came_due_while_the_daemon_was_down_are_made_up_for_once_and_spread() {
    let mut bench = Bench::enabled();
    bench.pass(Subject::Active);
    bench.wait(Duration::from_hours(30));
    bench.start_up(&[wanted("one")]);
    let id = bench.id("one");
    let due = bench.now.plus(schedule().spread_of(id, bench.now));
    assert_eq!(bench.row("one").next_run_at, Some(due));
    bench.now = due.plus(Duration::from_secs(1));
    bench.start_up(&[wanted("one")]);
    assert_eq!(bench.row("one").next_run_at, Some(due), "a restart does not put it off again");
    let begun = bench.begin_of("one");
    assert_eq!(begun.trigger, Trigger::Startup);
    bench.record(begun, vec![found(Subject::Active, passed())]);
    let next = bench.row("one").next_run_at;
    assert_eq!(next, schedule().next_due(id, bench.now));
    bench.start_up(&[wanted("one")]);
    assert_eq!(bench.row("one").next_run_at, next);
}

#[test]
fn operation_in_flight_is_not_spread_at_a_start() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    bench.wait(Duration::from_hours(1));
    bench.start_up(&[wanted("one")]);
    assert_eq!(bench.row("one").next_run_at, Some(START), "its operator waits for it");
}

#[test]
fn clock_rolled_back_by_days_makes_due_again_what_lies_ahead() {
    let mut bench = Bench::enabled();
    bench.pass(Subject::Active);
    let ahead = bench.row("one").clone();
    bench.now = bench.now.minus(Duration::from_mins(20));
    assert_eq!(after_clock_rollback(&ahead, &schedule(), bench.now), None, "no run twice");
    bench.now = bench.now.minus(Duration::from_hours(72));
    let near = after_clock_rollback(&ahead, &schedule(), bench.now).unwrap();
    assert_eq!(near.next_run_at, schedule().next_due(ahead.id, bench.now));
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.row("one").next_run_at, near.next_run_at);
}
