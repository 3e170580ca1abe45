//! The life cycle, end to end.

use super::*;
use crate::domain::{Cause, RunId};

/// From and to of every transition of `name`, oldest first.
fn story(bench: &Bench, name: &str) -> Vec<(Option<Status>, Status)> {
    let mut rows =
        history::transitions(&bench.conn, bench.row(name).id, &Page::first(100)).unwrap().rows;
    rows.reverse();
    rows.into_iter().map(|row| (row.from, row.to)).collect()
}

#[test]
fn a_new_integration_is_announced_and_due_at_once() {
    let mut bench = Bench::new();
    let synced = bench.sync(&[wanted("one"), wanted("two")]);
    assert_eq!(synced.ids.len(), 2);
    assert!(synced.transitions.is_empty());
    let row = bench.row("one");
    assert_eq!((row.status, row.next_run_at), (Status::Creating, Some(START)));
    let event = &bench.events()[0];
    assert_eq!(event["type"], "integration.status.changed");
    assert_eq!(event["data"]["previousStatus"], serde_json::Value::Null);
    assert_eq!(event["data"]["status"], "creating");
    assert_eq!(event["data"]["sequence"], 1);
    assert_eq!(event["data"]["integration"]["labels"]["team"], "data");
    assert_eq!(bench.count("delivery"), 4);
    assert!(bench.sync(&[wanted("one"), wanted("two")]).transitions.is_empty());
    assert_eq!(bench.count("event"), 2);
}

#[test]
fn creation_fails_is_retried_and_succeeds() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    bench.fail(Subject::Candidate, Class::Denied);
    assert_eq!(bench.status("one"), Status::CreateError);
    bench.sync(&[with_config("better")]);
    assert_eq!(bench.status("one"), Status::Creating);
    assert_eq!(bench.row("one").next_run_at, Some(bench.now));
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
    bench.wait_until_due();
    assert_eq!(bench.active_config("one"), "better");
    check_invariants(&bench.conn);
}

#[test]
fn an_edit_that_fails_keeps_the_active_configuration() {
    let mut bench = Bench::enabled();
    let synced = bench.sync(&[with_config("worse")]);
    assert_eq!(synced.transitions[0].1.cause, Cause::Changed);
    assert_eq!(bench.status("one"), Status::Editing);
    bench.fail(Subject::Candidate, Class::Invalid);
    assert_eq!(bench.status("one"), Status::EditError);
    let shown = |bench: &Bench| bench.row("one").last_run.unwrap();
    assert_eq!(shown(&bench).subject, Subject::Candidate);
    bench.run(vec![
        found(Subject::Candidate, failed(Class::Invalid)),
        found(Subject::Active, passed()),
    ]);
    assert_eq!(bench.status("one"), Status::EditError);
    assert_eq!(shown(&bench).subject, Subject::Active);
    assert_eq!(bench.count("run"), 4);
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.status("one"), Status::Editing, "the way back is an edit too");
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
    check_invariants(&bench.conn);
}

#[test]
fn a_retried_candidate_that_passes_ends_the_edit() {
    let mut bench = Bench::enabled();
    bench.sync(&[with_config("late")]);
    bench.fail(Subject::Candidate, Class::Missing);
    let runs = vec![found(Subject::Candidate, passed()), found(Subject::Active, passed())];
    bench.run(runs);
    assert_eq!(bench.status("one"), Status::Enabled);
    assert_eq!(bench.row("one").last_run.unwrap().subject, Subject::Candidate);
    bench.wait_until_due();
    assert_eq!(bench.active_config("one"), "late");
}

#[test]
fn a_change_overtakes_the_run_of_the_old_candidate() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    let old = bench.begin();
    let token = old.token;
    let synced = bench.sync(&[with_config("newer")]);
    assert!(synced.transitions.is_empty(), "it is being created still");
    let recorded = bench.record(old, vec![found(Subject::Candidate, failed(Class::Denied))]);
    assert!(matches!(recorded, Recorded::Overtaken));
    assert_eq!((bench.status("one"), bench.count("run")), (Status::Creating, 0));
    let new = bench.begin();
    assert_ne!(new.token, token);
    bench.record(new, vec![found(Subject::Candidate, passed())]);
    bench.wait_until_due();
    assert_eq!(bench.active_config("one"), "newer");
}

#[test]
fn a_newer_catalog_migrates() {
    let mut bench = Bench::enabled();
    let upgraded = |version| Wanted { catalog_version: version, ..wanted("one") };
    bench.sync(&[upgraded(2)]);
    assert_eq!(bench.status("one"), Status::Migrating);
    bench.fail(Subject::Candidate, Class::Denied);
    assert_eq!(bench.status("one"), Status::MigrateError);
    bench.sync(&[upgraded(3)]);
    let runs = vec![found(Subject::Candidate, passed()), found(Subject::Active, passed())];
    bench.run(runs);
    assert_eq!(bench.status("one"), Status::Enabled);
    bench.sync(&[upgraded(3)]);
    assert_eq!(bench.status("one"), Status::Enabled, "the candidate had become version 3");
    bench.sync(&[upgraded(4)]);
    assert_eq!(bench.status("one"), Status::Migrating);
    check_invariants(&bench.conn);
}

#[test]
fn force_disabling_stops_everything_and_is_undone_by_an_edit() {
    let mut bench = Bench::enabled();
    let off = || Wanted { disabled: true, ..wanted("one") };
    let begun = bench.begin();
    bench.sync(&[off()]);
    let row = bench.row("one");
    assert_eq!((row.status, row.next_run_at), (Status::Disabled, None));
    assert!(matches!(bench.try_begin(), Began::NotInUse));
    let late = bench.record(begun, vec![found(Subject::Active, failed(Class::Denied))]);
    assert!(matches!(late, Recorded::Overtaken));
    assert!(bench.sync(&[off()]).transitions.is_empty());
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.status("one"), Status::Editing);
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
    check_invariants(&bench.conn);
}

#[test]
fn one_that_is_new_and_disabled_waits_for_its_first_validation() {
    let mut bench = Bench::new();
    let synced = bench.sync(&[Wanted { disabled: true, ..wanted("one") }]);
    assert_eq!(synced.transitions.len(), 1);
    assert_eq!(
        story(&bench, "one"),
        [(None, Status::Creating), (Some(Status::Creating), Status::Disabled)]
    );
    check_invariants(&bench.conn);
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.status("one"), Status::Creating);
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
}

#[test]
fn what_is_removed_goes_at_once_and_its_name_is_free() {
    let mut bench = Bench::enabled();
    let old = bench.row("one").id;
    let synced = bench.sync(&[]);
    assert_eq!(synced.transitions.len(), 2);
    assert_eq!(bench.status("one"), Status::Deleted);
    assert!(integration::living(&bench.conn, &Page::first(9)).unwrap().rows.is_empty());
    assert_eq!(integration::deleted(&bench.conn, &Page::first(9)).unwrap().rows.len(), 1);
    bench.sync(&[wanted("one")]);
    let new = bench.row("one");
    assert_eq!(new.status, Status::Creating);
    assert_ne!(new.id, old);
    assert_eq!(history::transitions(&bench.conn, old, &Page::first(9)).unwrap().rows.len(), 4);
    check_invariants(&bench.conn);
}

#[test]
fn a_removal_waits_for_the_run_that_is_on() {
    for finish in [true, false] {
        let mut bench = Bench::enabled();
        let begun = bench.begin();
        bench.sync(&[]);
        assert_eq!(bench.status("one"), Status::Deleting);
        let drain = |bench: &mut Bench| {
            let tell = bench.tell();
            bench.write(|tx| sync::drain(tx, &tell)).unwrap().transitions.len()
        };
        assert_eq!(drain(&mut bench), 0);
        let runs = bench.count("run");
        if finish {
            let late = bench.record(begun, vec![found(Subject::Active, failed(Class::Denied))]);
            assert!(matches!(late, Recorded::Overtaken));
        } else {
            bench.wait(LEASE);
        }
        assert_eq!((drain(&mut bench), bench.status("one")), (1, Status::Deleted));
        assert_eq!(bench.count("run"), runs, "a removed integration gets no results");
        check_invariants(&bench.conn);
    }
}

#[test]
fn what_comes_back_while_it_is_removed_is_edited() {
    let mut bench = Bench::enabled();
    let begun = bench.begin();
    bench.sync(&[]);
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.status("one"), Status::Editing);
    let late = bench.record(begun, vec![found(Subject::Active, passed())]);
    assert!(matches!(late, Recorded::Overtaken));
    bench.pass(Subject::Candidate);
    assert_eq!(bench.status("one"), Status::Enabled);
    check_invariants(&bench.conn);
}

#[test]
fn a_removal_that_cannot_be_stored_is_rolled_back_and_tried_again() {
    let mut bench = Bench::enabled();
    let trigger = "CREATE TEMP TRIGGER stop BEFORE INSERT ON transition
        WHEN new.to_status = 'deleted' BEGIN SELECT raise(ABORT, 'no'); END";
    bench.conn.execute_batch(trigger).unwrap();
    bench.sync(&[]);
    assert_eq!(bench.status("one"), Status::DeleteError);
    check_invariants(&bench.conn);
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.status("one"), Status::DeleteError, "watched, and left as it is");
    bench.conn.execute_batch("DROP TRIGGER stop").unwrap();
    bench.sync(&[]);
    assert_eq!(bench.status("one"), Status::Deleted);
    check_invariants(&bench.conn);
}

#[test]
fn a_failed_removal_is_taken_back_by_an_edit() {
    let mut bench = Bench::enabled();
    let trigger = "CREATE TEMP TRIGGER stop BEFORE INSERT ON transition
        WHEN new.to_status = 'deleted' BEGIN SELECT raise(ABORT, 'no'); END";
    bench.conn.execute_batch(trigger).unwrap();
    bench.sync(&[]);
    bench.sync(&[wanted("one")]);
    assert_eq!(bench.status("one"), Status::Editing);
}

#[test]
fn a_plain_change_is_no_edit_and_a_new_schedule_counts_at_once() {
    let mut bench = Bench::enabled();
    bench.pass(Subject::Active);
    let before = bench.row("one");
    let mut plain = wanted("one");
    plain.labels.insert("tier".to_owned(), "gold".to_owned());
    plain.config_shown = r#"{"host":"ONE"}"#.to_owned();
    assert!(bench.sync(&[plain.clone()]).transitions.is_empty());
    let after = bench.row("one");
    assert_eq!(after.labels.len(), 2);
    assert_eq!(after.config_shown, plain.config_shown);
    assert_eq!(after.next_run_at, before.next_run_at);
    plain.schedule = Schedule::parse("30 4 * * *", "Europe/Berlin").unwrap();
    bench.sync(&[plain.clone()]);
    let retimed = bench.row("one");
    assert_eq!((retimed.cron.as_str(), retimed.zone.as_str()), ("30 4 * * *", "Europe/Berlin"));
    assert_eq!(retimed.next_run_at, plain.schedule.next_due(retimed.id, bench.now));
    assert_eq!(bench.status("one"), Status::Enabled);
}

#[test]
fn a_schedule_that_changes_during_a_run_plans_the_next() {
    let mut bench = Bench::enabled();
    let begun = bench.begin();
    let schedule = Schedule::parse("30 4 * * *", "UTC").unwrap();
    bench.sync(&[Wanted { schedule: schedule.clone(), ..wanted("one") }]);
    bench.record(begun, vec![found(Subject::Active, passed())]);
    let row = bench.row("one");
    assert_eq!(row.next_run_at, schedule.next_due(row.id, bench.now));
}

#[test]
fn another_platform_under_the_same_name_is_an_edit() {
    let mut bench = Bench::enabled();
    let other = Wanted { kind: "Native S3".to_owned(), ..with_config("bucket") };
    bench.sync(&[other]);
    bench.fail(Subject::Candidate, Class::Denied);
    assert_eq!(bench.row("one").kind, "Native S3");
    bench.wait_until_due();
    let begun = bench.begin();
    assert_eq!(begun.kind, "Redshift", "the one that the active configuration is for");
    let runs = vec![found(Subject::Candidate, passed()), found(Subject::Active, passed())];
    bench.record(begun, runs);
    bench.wait_until_due();
    assert_eq!(bench.begin().kind, "Native S3");
}

#[test]
fn what_came_due_while_the_daemon_was_down_runs_once_and_spread() {
    let mut bench = Bench::enabled();
    bench.pass(Subject::Active);
    bench.wait(Duration::from_hours(30));
    let synced = bench.start_up(&[wanted("one")]);
    let id = synced.ids["one"];
    let due = bench.now.plus(schedule().spread_of(id, bench.now));
    assert_eq!(bench.row("one").next_run_at, Some(due));
    bench.now = due.plus(Duration::from_secs(1));
    bench.start_up(&[wanted("one")]);
    assert_eq!(bench.row("one").next_run_at, Some(due), "a restart does not put it off again");
    let begun = bench.begin();
    assert_eq!(begun.trigger, super::super::Trigger::Startup);
    bench.record(begun, vec![found(Subject::Active, passed())]);
    let next = bench.row("one").next_run_at.unwrap();
    assert_eq!(Some(next), schedule().next_due(id, bench.now));
    bench.start_up(&[wanted("one")]);
    assert_eq!(bench.row("one").next_run_at, Some(next));
}

#[test]
fn transitions_know_the_run_that_caused_them() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    let rows =
        history::transitions(&bench.conn, bench.row("one").id, &Page::first(1)).unwrap().rows;
    assert_eq!(rows[0].cause, Some(Cause::ActiveFailed));
    assert_eq!(rows[0].run, Some(RunId(2)));
    assert_eq!(rows[0].incident_id, bench.row("one").incident_id);
}

#[test]
fn a_clock_set_back_by_days_makes_due_again_what_lies_ahead() {
    for by_sync in [true, false] {
        let mut bench = Bench::enabled();
        bench.pass(Subject::Active);
        let ahead = bench.row("one").next_run_at;
        let id = bench.row("one").id;
        let roll_back = |bench: &mut Bench| {
            if by_sync {
                bench.start_up(&[wanted("one")]);
            } else {
                let (now, schedules) = (bench.now, [(id, schedule())]);
                bench
                    .write(|tx| super::super::clock_rollback::reschedule(tx, &schedules, now))
                    .unwrap();
            }
        };
        bench.now = bench.now.minus(Duration::from_mins(20));
        roll_back(&mut bench);
        assert_eq!(bench.row("one").next_run_at, ahead, "by less than a period: no run twice");
        bench.now = bench.now.minus(Duration::from_hours(72));
        roll_back(&mut bench);
        assert_eq!(bench.row("one").next_run_at, schedule().next_due(id, bench.now));
        check_invariants(&bench.conn);
    }
}
