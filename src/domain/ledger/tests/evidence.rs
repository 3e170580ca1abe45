//! The rule of evidence in the ledger: looks soon, siblings asked for only when they can decide, and the evidence in
//! events.

use std::time::Duration;

use super::super::*;
use super::bench::Bench;
use super::outages::Fleet;
use super::samples::{failed, found, passed, report, schedule};
use crate::domain::{Class, EventType, Finding, Outcome, Policy, Status, Subject, VerdictNotice};

/// With one integration that is enabled and due, judged by the rule alone.
fn by_the_rule() -> Bench {
    Bench { policy: Policy::default(), ..Bench::enabled() }
}

/// A host with so many integrations, judged by the rule alone.
fn fleet(count: usize) -> Fleet {
    let mut fleet = Fleet::new(count);
    fleet.bench.policy = Policy::default();
    fleet
}

fn doubtful(class: Class) -> SubjectRun {
    let finding = Finding::new(class, "no").doubtful();
    found(Subject::Active, report(vec![Outcome::Failed(finding)]))
}

/// Returns the verdict in the latest event.
fn verdict(bench: &Bench) -> VerdictNotice {
    let body = serde_json::to_value(&bench.books.events.last().unwrap().body).unwrap();
    serde_json::from_value(body["data"]["verdict"].clone()).unwrap()
}

/// Returns true when the latest decision asked for failing siblings.
fn asked_siblings(bench: &Bench) -> bool {
    bench.books.needs.iter().any(|need| matches!(need, Need::FailingSiblings(_)))
}

#[test]
fn answer_that_may_be_a_gateways_is_asked_for_once_more_within_seconds() {
    for repeats in [true, false] {
        let mut bench = by_the_rule();
        let events = bench.books.events.len();
        bench.run(vec![doubtful(Class::Missing)]);
        let row = bench.row("one");
        assert_eq!((row.status, row.trigger), (Status::Enabled, Trigger::Confirm));
        assert_eq!(row.next_run_at, Some(bench.now.plus(Duration::from_secs(4))));
        let again =
            if repeats { doubtful(Class::Missing) } else { found(Subject::Active, passed()) };
        bench.run(vec![again]);
        let row = bench.row("one");
        assert_eq!(row.status == Status::RecurringValidationError, repeats);
        assert_eq!(row.next_run_at, schedule().next_due(row.id, bench.now));
        assert_eq!(bench.books.events.len(), events + usize::from(repeats));
        if repeats {
            let VerdictNotice { rule, evidence } = verdict(&bench);
            assert!(rule.contains("may not be the platform's own answer in look 2"), "{rule}");
            let looks = evidence.iter().map(|look| (look.seen.as_str(), look.certain, look.weight));
            assert_eq!(looks.collect::<Vec<_>>(), [("missing", Some(false), 50); 2]);
        }
    }
}

#[test]
fn refused_log_in_is_never_asked_for_again_whoever_answered() {
    let mut bench = by_the_rule();
    let refused = Finding::new(Class::Denied, "no").doubtful().refusing_log_in();
    bench.run(vec![found(Subject::Active, report(vec![Outcome::Failed(refused)]))]);
    let row = bench.row("one");
    assert_eq!(row.status, Status::RecurringValidationError);
    assert_eq!(row.trigger, Trigger::Schedule);
}

#[test]
fn waits_grow_until_silence_is_a_failure() {
    let mut bench = by_the_rule();
    let first = bench.now;
    for (second, next) in [(0, Some(30)), (30, Some(120)), (120, Some(300)), (300, None)] {
        assert_eq!(bench.row("one").status, Status::Enabled, "{second}");
        bench.fail(Subject::Active, Class::Unreachable);
        assert_eq!(bench.now.since(first).as_secs(), second);
        let planned = bench.row("one").next_run_at.unwrap().since(first).as_secs();
        assert_eq!(Some(planned).filter(|at| *at <= 300), next, "{second}");
    }
    let row = bench.row("one");
    assert_eq!(row.status, Status::RecurringValidationError);
    assert_eq!(row.incident.as_ref().unwrap().since, first);
    assert_eq!(verdict(&bench).evidence.len(), 4);
    bench.pass(Subject::Active);
    assert_eq!(bench.kinds().last(), Some(&EventType::ValidationRecovered));
    let VerdictNotice { rule, evidence } = verdict(&bench);
    assert_eq!((rule.as_str(), evidence.len(), evidence[0].weight), ("a passing run", 1, 100));
    assert!(bench.row("one").active.evidence.looks.is_empty());
}

#[test]
fn outage_of_a_host_is_found_by_its_siblings_at_the_third_look() {
    let mut fleet = fleet(25);
    fleet.fail(Class::Unreachable, 2);
    assert_eq!(fleet.bench.queued("a"), []);
    fleet.bench.run_of("n0", failed(Class::Unreachable));
    assert_eq!(fleet.bench.queued("a"), [EventType::Outage]);
    let shown = verdict(&fleet.bench);
    let last = shown.evidence.last().unwrap();
    assert_eq!((last.seen.as_str(), last.weight, last.missing), ("siblings", 25, 0));
    assert_eq!(last.siblings.as_ref().unwrap().failing, 24);
    assert!(shown.rule.ends_with(
        "and 24 others with the same host db fail too: 100 of the 100 that a failure needs"
    ));
    for name in fleet.names.clone().iter().skip(1) {
        fleet.bench.run_of(name, failed(Class::Unreachable));
    }
    for name in fleet.names.clone() {
        fleet.bench.run_of(&name, passed());
    }
    fleet.bench.release();
    assert_eq!(fleet.bench.queued("a"), [EventType::Outage, EventType::OutageResolved]);
}

#[test]
fn short_fault_of_a_host_is_no_failure_of_its_integrations() {
    let mut fleet = fleet(25);
    fleet.fail(Class::Unreachable, 2);
    for name in fleet.names.clone() {
        fleet.bench.run_of(&name, passed());
    }
    assert_eq!(fleet.bench.queued("a"), []);
    assert!(fleet.names.iter().all(|name| fleet.bench.status(name) == Status::Enabled));
}

#[test]
fn siblings_are_asked_for_only_when_they_can_decide() {
    let mut fleet = fleet(1);
    // The fourth look makes a failure, which may be part of an outage.
    for asks in [false, false, true, true, false] {
        fleet.bench.run_of("n0", failed(Class::Unreachable));
        assert_eq!(asked_siblings(&fleet.bench), asks, "{}", fleet.bench.now);
    }
    let mut throttled = by_the_rule();
    let mut counted =
        Bench { policy: Policy { confirm_runs: Some(9), ..Policy::default() }, ..by_the_rule() };
    for _ in 0..5 {
        throttled.fail(Subject::Active, Class::Throttled);
        counted.fail(Subject::Active, Class::Unreachable);
        assert!(!asked_siblings(&throttled) && !asked_siblings(&counted));
    }
}

#[test]
fn member_that_still_fails_while_its_outage_ends_is_looked_at_again_soon() {
    let mut fleet = fleet(5);
    fleet.fail(Class::Unreachable, 3);
    for name in ["n1", "n2", "n3", "n4"] {
        fleet.bench.due_now(name);
        fleet.bench.run_of(name, passed());
    }
    for _ in 0..2 {
        fleet.bench.run_of("n0", failed(Class::Throttled));
        let row = fleet.bench.row("n0");
        let soon = fleet.bench.minutes(2);
        assert_eq!((row.next_run_at, row.trigger), (Some(soon), Trigger::Confirm));
    }
    fleet.bench.run_of("n0", passed());
    fleet.bench.release();
    assert_eq!(fleet.bench.queued("a"), [EventType::Outage, EventType::OutageResolved]);
}

#[test]
fn few_siblings_or_those_that_pass_confirm_nothing() {
    let mut two = fleet(2);
    two.fail(Class::Unreachable, 3);
    assert_eq!(two.bench.queued("a"), []);
    let mut many = fleet(8);
    for _ in 0..3 {
        for (place, name) in many.names.clone().iter().enumerate() {
            let good = 2 < place;
            many.bench.run_of(name, if good { passed() } else { failed(Class::Unreachable) });
        }
    }
    assert_eq!(many.bench.queued("a"), [], "3 fail, and 5 pass");
}

#[test]
fn throttling_makes_no_sibling_due() {
    let mut fleet = fleet(4);
    fleet.bench.due_now("n0");
    fleet.bench.run_of("n0", failed(Class::Throttled));
    assert_eq!(fleet.due(), 0);
    fleet.bench.due_now("n1");
    fleet.bench.run_of("n1", failed(Class::Unavailable));
    assert_eq!(fleet.due(), 2, "one that is throttled is no sign of an outage");
}

#[test]
fn recovery_amid_changes_of_status_needs_two_looks() {
    let mut bench = by_the_rule();
    bench.policy.flap_flips = 9;
    bench.fail(Subject::Active, Class::Denied);
    bench.pass(Subject::Active);
    assert_eq!(bench.status("one"), Status::Enabled, "one is enough the first time");
    bench.fail(Subject::Active, Class::Denied);
    bench.pass(Subject::Active);
    let row = bench.row("one");
    assert_eq!((row.status, row.trigger), (Status::RecurringValidationError, Trigger::Confirm));
    assert_eq!(row.next_run_at, Some(bench.minutes(1)));
    bench.fail(Subject::Active, Class::Unreachable);
    bench.pass(Subject::Active);
    assert_eq!(bench.status("one"), Status::RecurringValidationError, "it begins anew");
    bench.pass(Subject::Active);
    assert_eq!(bench.status("one"), Status::Enabled);
    let weights: Vec<_> = verdict(&bench).evidence.iter().map(|look| look.weight).collect();
    assert_eq!(weights, [50, 50]);
}
