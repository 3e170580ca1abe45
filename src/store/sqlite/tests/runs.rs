//! Runs: what a result changes, and what it must not.

use super::super::Trigger;
use super::*;
use crate::domain::{EventType, Verdict};

fn kinds(bench: &Bench) -> Vec<String> {
    bench.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_flip_writes_status_history_and_outbox_together() {
    let mut bench = Bench::enabled();
    let (transitions, deliveries) = (bench.count("transition"), bench.count("delivery"));
    let recorded = bench.fail(Subject::Active, Class::Denied);
    let Recorded::Stored { verdict, transition, .. } = recorded else { panic!("{recorded:?}") };
    assert_eq!(verdict, Verdict::Failed);
    assert_eq!(transition.unwrap().to, Status::RecurringValidationError);
    assert_eq!(bench.status("one"), Status::RecurringValidationError);
    assert_eq!(bench.count("transition"), transitions + 1);
    assert_eq!(bench.count("delivery"), deliveries + 2);
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.count("transition"), transitions + 1, "it failed before");
    assert_eq!(bench.count("delivery"), deliveries + 2);
    check_invariants(&bench.conn);
}

#[test]
fn an_interrupted_flip_leaves_nothing() {
    for table in ["run", "report", "transition", "event", "delivery"] {
        let mut bench = Bench::enabled();
        let state = |bench: &Bench| {
            ["run", "report", "transition", "event", "delivery"].map(|table| bench.count(table))
        };
        let before = (state(&bench), format!("{:?}", bench.row("one").next_run_at));
        let begun = bench.begin();
        let trigger = format!(
            "CREATE TEMP TRIGGER stop AFTER INSERT ON {table}
             WHEN (SELECT count(*) FROM {table}) > {} BEGIN SELECT raise(ABORT, 'full'); END",
            bench.count(table) + i64::from(table == "delivery"),
        );
        bench.conn.execute_batch(&trigger).unwrap();
        let runs = vec![found(Subject::Active, failed(Class::Denied))];
        let failed = bench.try_record(finished(begun.clone(), runs.clone(), bench.now));
        assert!(failed.is_err(), "{table}");
        assert_eq!(before, (state(&bench), format!("{:?}", bench.row("one").next_run_at)));
        assert_eq!(bench.status("one"), Status::Enabled, "{table}");
        bench.conn.execute_batch("DROP TRIGGER stop").unwrap();
        let again = bench.try_record(finished(begun, runs, bench.now)).unwrap();
        assert!(matches!(again, Recorded::Stored { transition: Some(_), .. }), "{table}");
    }
}

#[test]
fn a_run_begins_only_when_it_may() {
    let mut bench = Bench::enabled();
    let begun = bench.begin();
    assert!(matches!(bench.try_begin(), Began::Running));
    bench.wait(LEASE);
    let second = bench.begin();
    assert_ne!(begun.token, second.token);
    let runs = || vec![found(Subject::Active, failed(Class::Denied))];
    assert!(matches!(bench.record(begun, runs()), Recorded::Overtaken));
    assert_eq!(bench.status("one"), Status::Enabled);
    let twice = second.clone();
    assert!(matches!(bench.record(second, runs()), Recorded::Stored { .. }));
    assert!(matches!(bench.record(twice, runs()), Recorded::Overtaken));
    assert!(matches!(bench.try_begin(), Began::NotDue));
    let now = bench.now;
    let unknown = bench.write(|tx| run::begin(tx, IntegrationId(99), lease(now), now)).unwrap();
    assert!(matches!(unknown, Began::NotInUse));
}

#[test]
fn only_statuses_that_are_validated_begin() {
    for &status in Status::ALL {
        let mut bench = Bench::enabled();
        let idle = status.subjects().is_empty();
        let sql = "UPDATE integration SET next_run_at_ms = NULL WHERE ?2;
                   UPDATE integration SET status = ?1";
        for sql in sql.split(';') {
            let mut statement = bench.conn.prepare(sql).unwrap();
            match statement.parameter_count() {
                2 => statement.execute((status.as_str(), idle)).unwrap(),
                _ => statement.execute([status.as_str()]).unwrap(),
            };
        }
        assert_eq!(matches!(bench.try_begin(), Began::Run(_)), !idle, "{status}");
    }
}

#[test]
fn a_released_run_stays_due_and_takes_no_result() {
    let mut bench = Bench::enabled();
    let begun = bench.begin();
    bench.write(|tx| run::give_back(tx, &begun)).unwrap();
    let late = bench.record(begun.clone(), vec![found(Subject::Active, passed())]);
    assert!(matches!(late, Recorded::Overtaken));
    let again = bench.begin();
    assert_eq!(again.due_at, begun.due_at);
    bench.write(|tx| run::give_back(tx, &begun)).unwrap();
    assert!(matches!(bench.try_begin(), Began::Running), "the old token opens nothing");
}

#[test]
fn transient_failures_are_confirmed_a_minute_apart() {
    let mut bench = Bench::enabled();
    let started = bench.now;
    for number in 1..=2 {
        let recorded = bench.fail(Subject::Active, Class::Unreachable);
        let Recorded::Stored { verdict, next_run_at, .. } = recorded else { panic!("stored") };
        assert_eq!(verdict, Verdict::Confirming, "run {number}");
        assert_eq!(next_run_at, Some(bench.now.plus(Duration::from_mins(1))));
        assert_eq!(bench.status("one"), Status::Enabled);
    }
    bench.wait_until_due();
    let begun = bench.begin();
    assert_eq!(begun.trigger, Trigger::Confirm);
    bench.record(begun, vec![found(Subject::Active, failed(Class::Unreachable))]);
    let row = bench.row("one");
    assert_eq!(row.status, Status::RecurringValidationError);
    assert_eq!(row.failing_since, Some(started), "since the first of them");
    assert_eq!(row.next_run_at, schedule().next_due(row.id, bench.now));
    let recorded = bench.fail(Subject::Active, Class::Unreachable);
    assert!(matches!(recorded, Recorded::Stored { verdict: Verdict::Failed, .. }));
}

#[test]
fn what_has_failed_already_is_not_checked_out_of_turn() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.status("one"), Status::RecurringValidationError);
    let recorded = bench.fail(Subject::Active, Class::Unreachable);
    let Recorded::Stored { verdict, next_run_at, .. } = recorded else { panic!("stored") };
    assert_eq!(verdict, Verdict::Confirming);
    let row = bench.row("one");
    assert_eq!((row.counters.failures, row.status), (2, Status::RecurringValidationError));
    assert_eq!(next_run_at, schedule().next_due(row.id, bench.now));
}

#[test]
fn a_creation_that_nothing_can_be_told_of_is_tried_again_soon() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    let recorded = bench.fail(Subject::Candidate, Class::Local);
    let Recorded::Stored { verdict, next_run_at, .. } = recorded else { panic!("stored") };
    assert_eq!((verdict, bench.status("one")), (Verdict::Inconclusive, Status::Creating));
    assert_eq!(next_run_at, Some(bench.now.plus(Duration::from_mins(1))));
}

#[test]
fn a_confirmation_does_not_outlast_the_schedule() {
    let mut bench = Bench::enabled();
    bench.wait_until_due();
    let mut done = finished(
        bench.begin(),
        vec![found(Subject::Active, failed(Class::Unreachable))],
        bench.now,
    );
    done.policy.confirm_wait = Duration::from_hours(3);
    bench.try_record(done).unwrap();
    let row = bench.row("one");
    assert_eq!(row.next_run_at, schedule().next_due(row.id, bench.now));
}

#[test]
fn a_fault_of_ours_changes_nothing_but_the_history() {
    let mut bench = Bench::enabled();
    let recorded = bench.fail(Subject::Active, Class::Local);
    let Recorded::Stored { verdict, transition, .. } = recorded else { panic!("stored") };
    assert_eq!((verdict, transition), (Verdict::Inconclusive, None));
    assert_eq!(bench.status("one"), Status::Enabled);
    assert_eq!(bench.row("one").last_run.unwrap().class, Some(Class::Local));
}

#[test]
fn an_incident_goes_from_the_failure_to_the_recovery() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    let failed = bench.last_event();
    assert_eq!(failed["type"], EventType::ValidationFailed.as_str());
    let incident = failed["data"]["incidentId"].as_str().unwrap().to_owned();
    assert!(incident.starts_with("inc_"));
    assert_eq!(failed["data"]["changes"][0]["test"], "second");
    assert_eq!(failed["data"]["changes"][0]["class"], "denied");
    assert_eq!(failed["data"]["changes"][0]["remediation"], "GRANT it");
    assert_eq!(failed["data"]["validationResults"]["status"], "failed");
    assert_eq!(failed["data"]["run"]["trigger"], "schedule");
    assert_eq!(failed["data"]["outageMs"], serde_json::Value::Null);
    let since = bench.row("one").failing_since.unwrap();
    bench.pass(Subject::Active);
    let recovered = bench.last_event();
    assert_eq!(recovered["type"], EventType::ValidationRecovered.as_str());
    assert_eq!(recovered["data"]["incidentId"], incident);
    assert_eq!(recovered["data"]["failingSince"], since.to_string());
    assert_eq!(recovered["data"]["outageMs"], bench.now.0 - since.0);
    assert_eq!(recovered["data"]["changes"][0]["from"], "failed");
    assert_eq!(bench.row("one").incident_id, None);
    bench.fail(Subject::Active, Class::Denied);
    assert_ne!(bench.row("one").incident_id, Some(incident));
}

#[test]
fn changes_tell_what_broke_and_what_works_again_however_often_that_was_confirmed() {
    let mut bench = Bench::enabled();
    for _ in 0..3 {
        bench.fail(Subject::Active, Class::Unreachable);
    }
    let change = |bench: &Bench| {
        let event = bench.last_event();
        let changes = event["data"]["changes"].as_array().unwrap().clone();
        let of = |one: &serde_json::Value| {
            [&one["test"], &one["from"], &one["to"]]
                .map(|text| text.as_str().unwrap_or_default().to_owned())
        };
        (event["type"].as_str().unwrap().to_owned(), changes.iter().map(of).collect::<Vec<_>>())
    };
    let expected = [["second", "passed", "failed"].map(str::to_owned)];
    assert_eq!(change(&bench), (EventType::ValidationFailed.as_str().to_owned(), expected.into()));
    for _ in 0..2 {
        bench.wait_until_due();
        let runs = vec![found(Subject::Active, passed())];
        let mut done = finished(bench.begin(), runs, bench.now);
        done.policy.recovery_runs = 2;
        bench.try_record(done).unwrap();
    }
    let expected = [["second", "failed", "passed"].map(str::to_owned)];
    let recovered = EventType::ValidationRecovered.as_str().to_owned();
    assert_eq!(change(&bench), (recovered, expected.into()));
}

#[test]
fn an_incident_lasts_through_an_edit_and_ends_with_the_integration() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    let incident = bench.row("one").incident_id;
    bench.sync(&[with_config("mended")]);
    assert_eq!(bench.row("one").incident_id, incident);
    bench.pass(Subject::Candidate);
    assert_eq!(bench.last_event()["type"], EventType::ValidationRecovered.as_str());
    bench.fail(Subject::Active, Class::Denied);
    let second = bench.row("one").incident_id.unwrap();
    bench.sync(&[]);
    let event = bench.last_event();
    assert_eq!(event["data"]["status"], "deleted");
    assert_eq!(event["data"]["incidentId"], second);
    assert_eq!(event["data"]["validationResults"]["status"], "failed");
    assert_eq!(bench.row("one").incident_id, None);
}

#[test]
fn warnings_are_told_when_they_change_and_not_when_they_go() {
    let mut bench = Bench::enabled();
    let warning = EventType::ValidationWarning.as_str();
    let steps = [
        (passed(), false, "nothing to warn of"),
        (warned("expires in 9 days"), true, "the first warning"),
        (warned("expires in 9 days"), false, "the same again"),
        (failed(Class::Unreachable), false, "a failure that is not confirmed"),
        (warned("expires in 9 days"), false, "the same after a failure"),
        (warned("expires in 2 days"), true, "another text"),
        (passed(), false, "gone"),
        (warned("expires in 2 days"), true, "back"),
    ];
    for (report, told, why) in steps {
        let before = bench.count("event");
        bench.run(vec![found(Subject::Active, report)]);
        assert_eq!(bench.count("event") - before, i64::from(told), "{why}");
        if told {
            let event = bench.last_event();
            assert_eq!(
                (event["type"].as_str(), bench.status("one")),
                (Some(warning), Status::Enabled)
            );
            assert_eq!(event["data"]["previousStatus"], "enabled");
        }
    }
    check_invariants(&bench.conn);
}

#[test]
fn a_recovery_with_a_warning_is_one_event() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    bench.run(vec![found(Subject::Active, warned("soon"))]);
    bench.run(vec![found(Subject::Active, warned("soon"))]);
    let expected = [EventType::ValidationFailed, EventType::ValidationRecovered];
    assert_eq!(kinds(&bench)[2..], expected.map(|kind| kind.as_str().to_owned()));
}

#[test]
fn equal_results_are_stored_once() {
    let mut bench = Bench::enabled();
    for _ in 0..5 {
        bench.pass(Subject::Active);
    }
    assert_eq!((bench.count("run"), bench.count("report")), (6, 1));
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!((bench.count("run"), bench.count("report")), (7, 2));
    let id = bench.row("one").id;
    let runs = history::runs(&bench.conn, id, &Page::first(2)).unwrap().rows;
    assert_eq!(runs[0].class, Some(Class::Denied));
    assert_eq!(runs[0].report.tests[1].remediation.as_deref(), Some("GRANT it"));
    assert_eq!(runs[0].duration, Duration::from_millis(812));
    assert_eq!(runs[1].rule, "a passing run");
}

#[test]
fn a_clock_set_back_does_not_repeat_a_run() {
    let mut bench = Bench::enabled();
    let begun = bench.begin();
    let due = begun.due_at;
    bench.now = due.minus(Duration::from_mins(20));
    bench.record(begun, vec![found(Subject::Active, passed())]);
    let row = bench.row("one");
    assert_eq!(row.next_run_at, schedule().next_due(row.id, due));
}

#[test]
fn the_queue_lists_what_is_due_longest_first() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    bench.wait(Duration::from_secs(5));
    bench.sync(&[wanted("one"), wanted("two")]);
    let due = |bench: &Bench| {
        let due = queue::due(&bench.conn, bench.now, 9).unwrap();
        due.into_iter().map(|due| due.name).collect::<Vec<_>>()
    };
    assert_eq!(due(&bench), ["one", "two"]);
    assert_eq!(queue::next_due_at(&bench.conn, Timestamp(0)).unwrap(), Some(START));
    bench.begin();
    assert_eq!(due(&bench), ["two"]);
    assert_eq!(queue::next_due_at(&bench.conn, Timestamp(0)).unwrap(), Some(bench.now));
    bench.sync(&[wanted("one"), Wanted { disabled: true, ..wanted("two") }]);
    let lease = bench.now.plus(LEASE);
    assert_eq!(queue::next_due_at(&bench.conn, Timestamp(0)).unwrap(), Some(lease));
    bench.now = lease;
    assert_eq!(due(&bench), ["one"]);
}

#[test]
fn a_lease_that_has_run_out_wakes_nobody() {
    let mut bench = Bench::enabled();
    bench.begin();
    let lease = bench.now.plus(LEASE);
    assert_eq!(queue::next_due_at(&bench.conn, bench.now).unwrap(), Some(lease));
    assert_eq!(queue::next_due_at(&bench.conn, lease).unwrap(), None, "it is due, and told so");
}

#[test]
fn a_clock_set_back_by_a_year_does_not_end_the_runs_for_a_year() {
    let mut bench = Bench::enabled();
    let begun = bench.begin();
    let today = begun.due_at.minus(Duration::from_hours(24 * 365));
    bench.now = today;
    bench.record(begun, vec![found(Subject::Active, passed())]);
    let row = bench.row("one");
    assert_eq!(row.next_run_at, schedule().next_due(row.id, today));
}
