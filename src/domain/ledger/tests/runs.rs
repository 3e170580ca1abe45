//! Recorded runs: what a result changes, and what it must not.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::*;
use super::bench::Bench;
use super::samples::{failed, found, passed, schedule, wanted, warned, with_config};
use crate::domain::EventType::{
    StatusChanged, ValidationFailed, ValidationRecovered, ValidationWarning,
};
use crate::domain::{
    Class, Expiry, ExpiryKind, Fact, FactKind, Facts, Observed, OwnFault, Status, Subject,
    Timestamp, Verdict,
};

fn stored(recorded: &Recorded) -> (Verdict, Option<Timestamp>) {
    match recorded {
        Recorded::Stored { verdict, next_run_at, .. } => (*verdict, *next_run_at),
        Recorded::Overtaken => panic!("overtaken"),
    }
}

#[test]
fn definitive_failure_changes_status_and_notifies_once() {
    let mut bench = Bench::enabled();
    let (transitions, deliveries) = (bench.books.transitions.len(), bench.books.deliveries.len());
    let recorded = bench.fail(Subject::Active, Class::Denied);
    let Recorded::Stored { run, verdict, transition, rule, .. } = recorded else { panic!() };
    assert_eq!((run.0, verdict), (2, Verdict::Failed));
    assert_eq!(transition.unwrap().to, Status::RecurringValidationError);
    assert!(rule.contains("denied"), "{rule}");
    assert_eq!(bench.books.transitions.len(), transitions + 1);
    assert_eq!(bench.books.transitions.last().unwrap().run, Some(run));
    assert_eq!(bench.books.deliveries.len(), deliveries + 2);
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.books.transitions.len(), transitions + 1, "it failed before");
    assert_eq!(bench.books.deliveries.len(), deliveries + 2);
}

#[test]
fn result_counts_only_under_the_lease_of_its_run() {
    let mut bench = Bench::enabled();
    let begun = bench.begin_of("one");
    let second = bench.begin_of("one");
    let runs = || vec![found(Subject::Active, failed(Class::Denied))];
    assert!(matches!(bench.record(begun, runs()), Recorded::Overtaken));
    assert!(bench.row("one").lease.is_some(), "the other run goes on");
    let twice = second.clone();
    assert!(matches!(bench.record(second, runs()), Recorded::Stored { .. }));
    assert!(matches!(bench.record(twice, runs()), Recorded::Overtaken));
    assert_eq!(bench.books.runs.len(), 2);
}

#[test]
fn run_without_results_is_not_stored() {
    let mut bench = Bench::enabled();
    let begun = bench.begin_of("one");
    assert!(matches!(bench.record(begun, Vec::new()), Recorded::Overtaken));
    assert_eq!(bench.books.runs.len(), 1);
}

#[test]
fn transient_failures_are_confirmed_a_minute_apart() {
    let mut bench = Bench::enabled();
    let started = bench.now;
    for number in 1..=2 {
        let (verdict, next) = stored(&bench.fail(Subject::Active, Class::Unreachable));
        assert_eq!(verdict, Verdict::Confirming, "run {number}");
        assert_eq!(next, Some(bench.minutes(1)));
        assert_eq!(bench.row("one").trigger, Trigger::Confirm);
        assert_eq!(bench.status("one"), Status::Enabled);
    }
    bench.fail(Subject::Active, Class::Unreachable);
    let row = bench.row("one");
    assert_eq!(row.status, Status::RecurringValidationError);
    assert_eq!(row.incident.as_ref().unwrap().since, started, "since the first of them");
    assert_eq!(row.next_run_at, schedule().next_due(row.id, bench.now));
    assert_eq!(row.trigger, Trigger::Schedule);
    let (verdict, _) = stored(&bench.fail(Subject::Active, Class::Unreachable));
    assert_eq!(verdict, Verdict::Failed);
}

#[test]
fn recovery_that_needs_two_passes_is_confirmed_soon() {
    let mut bench = Bench::enabled();
    bench.policy.recovery_runs = Some(2);
    bench.fail(Subject::Active, Class::Denied);
    let (verdict, next) = stored(&bench.pass(Subject::Active));
    assert_eq!((verdict, next), (Verdict::Recovering, Some(bench.minutes(1))));
    let (verdict, next) = stored(&bench.pass(Subject::Active));
    assert_eq!(verdict, Verdict::Passed);
    assert_eq!(next, schedule().next_due(bench.id("one"), bench.now));
    let mut healthy = Bench::enabled();
    healthy.policy.recovery_runs = Some(2);
    let (verdict, next) = stored(&healthy.pass(Subject::Active));
    assert_eq!(verdict, Verdict::Recovering);
    assert_eq!(next, schedule().next_due(healthy.id("one"), healthy.now), "it works already");
}

#[test]
fn known_failure_is_not_checked_out_of_turn() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    bench.now = bench.minutes(1);
    let (verdict, next) = stored(&bench.fail(Subject::Active, Class::Unreachable));
    assert_eq!(verdict, Verdict::Failed);
    let row = bench.row("one");
    assert_eq!(
        (row.active.evidence.counters.failures, row.status),
        (2, Status::RecurringValidationError)
    );
    assert_eq!(next, schedule().next_due(row.id, bench.now));
}

#[test]
fn inconclusive_creation_is_tried_again_soon() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    let (verdict, next) = stored(&bench.fail(Subject::Candidate, Class::Local));
    assert_eq!((verdict, bench.status("one")), (Verdict::Inconclusive, Status::Creating));
    assert_eq!(next, Some(bench.minutes(1)));
}

#[test]
fn confirmation_does_not_outlast_the_schedule() {
    let mut bench = Bench::enabled();
    bench.policy.confirm_wait = Some(Duration::from_hours(3));
    let (_, next) = stored(&bench.fail(Subject::Active, Class::Unreachable));
    assert_eq!(next, schedule().next_due(bench.id("one"), bench.now));
}

#[test]
fn local_fault_changes_nothing_but_the_history() {
    let mut bench = Bench::enabled();
    let begun = bench.begin_of("one");
    let own_fault = Some(OwnFault::Network);
    let run = SubjectRun { own_fault, ..found(Subject::Active, failed(Class::Local)) };
    let (verdict, next) = stored(&bench.record(begun, vec![run]));
    assert_eq!(verdict, Verdict::Inconclusive);
    assert_eq!(next, schedule().next_due(bench.id("one"), bench.now));
    let row = bench.row("one");
    assert_eq!((row.status, row.own_fault), (Status::Enabled, own_fault));
    assert_eq!(bench.books.runs.last().unwrap().class, Some(Class::Local));
    assert!(bench.books.faults.contains_key(&OwnFault::Network));
    bench.pass(Subject::Active);
    assert_eq!(bench.row("one").own_fault, None);
    assert!(bench.books.faults.contains_key(&OwnFault::Network), "ended by what noticed it");
}

#[test]
fn repeated_refusal_is_no_new_evidence() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Unreachable);
    let observed = Observed { is_repeat: true, ..Observed::default() };
    let repeat = || SubjectRun {
        observed: observed.clone(),
        ..found(Subject::Active, failed(Class::Denied))
    };
    let before = bench.row("one").clone();
    bench.run(vec![repeat()]);
    let after = bench.row("one");
    assert_eq!((after.status, after.suspect), (Status::Enabled, before.suspect));
    assert_eq!(after.active.evidence.counters, before.active.evidence.counters);
    assert_eq!(after.next_run_at, schedule().next_due(after.id, bench.now), "no run out of turn");
    assert_eq!(
        bench.books.runs.last().unwrap().class,
        Some(Class::Denied),
        "it is shown as it was"
    );
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.row("one").status, Status::RecurringValidationError);
    let (events, counters) = (bench.kinds().len(), bench.row("one").active.evidence.counters);
    bench.run(vec![repeat()]);
    let row = bench.row("one");
    assert_eq!(
        (row.status, row.active.evidence.counters),
        (Status::RecurringValidationError, counters)
    );
    assert_eq!(bench.kinds().len(), events, "nothing is notified");
}

#[test]
fn incident_goes_from_the_failure_to_the_recovery() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    let failure = bench.last_event();
    assert_eq!(bench.kinds().last(), Some(&ValidationFailed));
    let incident = failure["data"]["incidentId"].as_str().unwrap().to_owned();
    assert!(incident.starts_with("inc_"));
    assert_eq!(failure["data"]["changes"].as_array().unwrap().len(), 1);
    assert_eq!(failure["data"]["changes"][0]["test"], "second");
    assert_eq!(failure["data"]["changes"][0]["remediation"], "GRANT it");
    assert_eq!(failure["data"]["validationResults"]["status"], "failed");
    assert_eq!(failure["data"]["run"]["id"], 2);
    assert_eq!(failure["data"]["run"]["trigger"], "schedule");
    assert_eq!(failure["data"]["run"]["durationMs"], 812);
    assert!(failure["data"]["outageMs"].is_null());
    let since = bench.row("one").incident.clone().unwrap().since;
    bench.pass(Subject::Active);
    let recovery = bench.last_event();
    assert_eq!(bench.kinds().last(), Some(&ValidationRecovered));
    assert_eq!(recovery["data"]["incidentId"], incident);
    assert_eq!(recovery["data"]["failingSince"], since.to_string());
    assert_eq!(recovery["data"]["outageMs"], bench.now.0 - since.0);
    assert_eq!(recovery["data"]["changes"][0]["from"], "failed");
    assert_eq!(bench.row("one").incident, None);
    bench.fail(Subject::Active, Class::Denied);
    assert_ne!(bench.row("one").incident.clone().unwrap().id, incident);
}

#[test]
fn changes_compare_with_the_run_that_went_the_other_way() {
    let mut bench = Bench::enabled();
    bench.policy.recovery_runs = Some(2);
    for _ in 0..3 {
        bench.fail(Subject::Active, Class::Unreachable);
    }
    let change = |bench: &Bench| {
        let event = bench.last_event();
        let changes = event["data"]["changes"].as_array().unwrap().clone();
        assert_eq!(changes.len(), 1);
        ["test", "from", "to"].map(|key| changes[0][key].as_str().unwrap().to_owned())
    };
    assert_eq!(change(&bench), ["second", "passed", "failed"]);
    for _ in 0..2 {
        bench.pass(Subject::Active);
    }
    assert_eq!(change(&bench), ["second", "failed", "passed"]);
}

#[test]
fn incident_lasts_through_an_edit_and_ends_with_the_integration() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    let incident = bench.row("one").incident.clone();
    bench.sync(&[with_config("fixed")]);
    assert_eq!(bench.row("one").incident, incident);
    bench.pass(Subject::Candidate);
    let count = bench.kinds().len();
    assert_eq!(bench.kinds()[count - 2..], [ValidationRecovered, StatusChanged]);
    assert_eq!(bench.row("one").incident, None);
    bench.fail(Subject::Active, Class::Denied);
    let second = bench.row("one").incident.clone().unwrap().id;
    bench.sync(&[]);
    let count = bench.kinds().len();
    assert_eq!(bench.kinds()[count - 2..], [ValidationRecovered, StatusChanged]);
    let event = serde_json::to_value(&bench.books.events[count - 2].body).unwrap();
    assert_eq!(event["data"]["status"], "deleted");
    assert_eq!(event["data"]["endedBy"], "removed");
    assert_eq!(event["data"]["incidentId"], second);
    assert_eq!(event["data"]["validationResults"]["status"], "failed");
    assert_eq!(bench.row("one").incident, None);
}

#[test]
fn warnings_are_notified_when_they_are_new() {
    let mut bench = Bench::enabled();
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
    for (report, is_new, why) in steps {
        let before = bench.books.events.len();
        bench.run(vec![found(Subject::Active, report)]);
        assert_eq!(bench.books.events.len() - before, usize::from(is_new), "{why}");
        if is_new {
            assert_eq!(bench.kinds().last(), Some(&ValidationWarning));
            let event = bench.last_event();
            assert_eq!(event["data"]["previousStatus"], "enabled");
            assert!(!event["data"]["run"].is_null());
        }
    }
}

#[test]
fn recovery_with_a_warning_is_one_event() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    bench.run(vec![found(Subject::Active, warned("soon"))]);
    bench.run(vec![found(Subject::Active, warned("soon"))]);
    assert_eq!(bench.kinds()[2..], [ValidationFailed, ValidationRecovered]);
}

#[test]
fn clock_rollback_does_not_repeat_a_run() {
    let mut bench = Bench::enabled();
    let begun = bench.begin_of("one");
    let due = begun.due_at;
    bench.now = due.minus(Duration::from_mins(20));
    bench.record(begun, vec![found(Subject::Active, passed())]);
    let row = bench.row("one");
    assert_eq!(row.next_run_at, schedule().next_due(row.id, due));
}

#[test]
fn clock_rollback_by_a_year_does_not_end_the_runs_for_a_year() {
    let mut bench = Bench::enabled();
    let begun = bench.begin_of("one");
    let today = begun.due_at.minus(Duration::from_hours(24 * 365));
    bench.now = today;
    bench.record(begun, vec![found(Subject::Active, passed())]);
    let row = bench.row("one");
    assert_eq!(row.next_run_at, schedule().next_due(row.id, today));
}

fn expiring(at: i64) -> Observed {
    let (kind, of) = (ExpiryKind::Token, format!("t{at}"));
    let expiries = BTreeSet::from([Expiry { kind, of, at: Timestamp(at) }]);
    Observed { expiries, ..Observed::default() }
}

#[test]
fn earliest_expiry_is_that_of_the_last_passing_run_unless_a_failing_one_saw_an_earlier() {
    let mut bench = Bench::enabled();
    let mut see = |report, observed: Observed| {
        let run = SubjectRun { observed, ..found(Subject::Active, report) };
        bench.run(vec![run]);
        bench.row("one").seen.next_end.clone().map(|(at, _)| at.0)
    };
    assert_eq!(see(passed(), expiring(500)), Some(500));
    assert_eq!(see(failed(Class::Denied), expiring(900)), Some(500), "it may have ended early");
    assert_eq!(see(failed(Class::Denied), expiring(300)), Some(300));
    assert_eq!(see(failed(Class::Denied), Observed::default()), Some(300));
    assert_eq!(see(passed(), expiring(900)), Some(900));
    assert_eq!(see(passed(), Observed::default()), None);
    assert_eq!(see(failed(Class::Denied), expiring(700)), Some(700), "the first that is known");
}

#[test]
fn facts_are_those_of_the_last_passing_run() {
    let mut bench = Bench::enabled();
    let began = bench.now;
    bench.pass(Subject::Active);
    let seen = bench.row("one").seen.fingerprint;
    assert_eq!(seen, Some(Fingerprint { facts: FactsRef::OfRun(0), at: began }));
    bench.row_mut("one").seen.fingerprint =
        Some(Fingerprint { facts: FactsRef::Stored(4), at: began });
    bench.fail(Subject::Active, Class::Denied);
    let seen = bench.row("one").seen.fingerprint;
    assert_eq!(seen, Some(Fingerprint { facts: FactsRef::Stored(4), at: began }));
}

#[test]
fn failure_names_the_facts_that_differ_from_the_last_passing_run() {
    let grants = |value: &str| {
        let fact = Fact { kind: FactKind::Grant, of: "db".to_owned() };
        Facts::from([(fact, BTreeSet::from([value.to_owned()]))])
    };
    for (subject, named) in [(Subject::Active, 1), (Subject::Candidate, 0)] {
        let mut bench = Bench::enabled();
        if subject == Subject::Candidate {
            bench.sync(&[with_config("other")]);
        }
        let mut begun = bench.begin_of("one");
        begun.fingerprint = Some(grants("read"));
        let observed = Observed { facts: grants("write"), ..Observed::default() };
        let run = SubjectRun { observed, ..found(subject, failed(Class::Denied)) };
        bench.record(begun, vec![run]);
        let drift = bench.last_event()["data"]["drift"].as_array().unwrap().len();
        assert_eq!(drift, named, "{subject:?}");
    }
}
