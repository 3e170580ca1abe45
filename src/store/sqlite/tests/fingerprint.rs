//! Facts and expiries of runs are kept, compared and notified.

use std::collections::BTreeSet;

use super::super::{Retention, prune};
use super::*;
use crate::domain::{Expiry, ExpiryKind, Fact, FactKind};

/// Name of what expires, and in how many days from the start.
type End = (&'static str, u32);

/// Grants on `db`, and tokens with their ends.
fn seen(grants: &[&str], ends: &[End]) -> Observed {
    let values: BTreeSet<_> = grants.iter().map(|&one| one.to_owned()).collect();
    let fact = Fact { kind: FactKind::Grant, of: "db".to_owned() };
    let expiry = |&(of, days): &End| Expiry {
        kind: ExpiryKind::Token,
        of: of.to_owned(),
        at: START.plus(Duration::from_hours(24) * days),
    };
    Observed {
        facts: [(fact, values)].into(),
        expiries: ends.iter().map(expiry).collect(),
        ..Observed::default()
    }
}

fn run_of(subject: Subject, report: Report, observed: Observed) -> SubjectRun {
    SubjectRun { subject, report, observed, own_fault: None }
}

impl Bench {
    /// Runs `one` and returns what the next run is given to compare with.
    fn see(&mut self, report: Report, observed: Observed) -> Option<crate::domain::Facts> {
        self.run(vec![run_of(Subject::Active, report, observed)]);
        check_invariants(&self.conn);
        self.wait_until_due();
        let begun = self.begin();
        run::give_back(&self.conn, &begun).unwrap();
        begun.fingerprint
    }
}

#[test]
fn facts_are_those_of_the_last_passing_run_and_stored_once() {
    let mut bench = Bench::enabled();
    let (first, second) = (seen(&["a", "b"], &[]), seen(&["b"], &[]));
    let facts = |seen: &Observed| Some(seen.facts.clone());
    assert_eq!(bench.see(passed(), first.clone()), facts(&first));
    assert_eq!(bench.see(failed(Class::Denied), second.clone()), facts(&first), "it failed");
    assert_eq!(bench.see(report(Vec::new()), Observed::default()), facts(&Observed::default()));
    assert_eq!(bench.see(warned("w"), second.clone()), facts(&second), "it passed");
    assert_eq!(bench.see(passed(), second.clone()), facts(&second));
    assert_eq!(bench.count("fingerprint"), 1, "what nobody points to is gone");
    let at = bench.row("one").fingerprint_at.unwrap();
    assert_eq!(at, bench.row("one").last_run.unwrap().started_at);
    bench.see(failed(Class::Denied), first);
    assert_eq!(bench.row("one").fingerprint_at, Some(at));
}

#[test]
fn integrations_that_see_the_same_share_it() {
    let mut bench = Bench::enabled();
    bench.see(passed(), seen(&["a"], &[]));
    bench.sync(&[wanted("one"), wanted("two")]);
    let id = bench.row("two").id;
    bench.now = bench.now.max(bench.row("two").next_run_at.unwrap());
    let now = bench.now;
    let begun = match bench.write(|tx| run::begin(tx, id, lease(now), now)).unwrap() {
        Began::Run(begun) => begun,
        other @ (Began::NotDue | Began::Running | Began::NotInUse) => panic!("{other:?}"),
    };
    assert_eq!(begun.fingerprint, None);
    bench.record(begun, vec![run_of(Subject::Candidate, passed(), seen(&["a"], &[]))]);
    assert_eq!(bench.count("fingerprint"), 1);
    bench.see(passed(), seen(&["b"], &[]));
    assert_eq!(bench.count("fingerprint"), 2, "the other one still points to it");
}

#[test]
fn a_failing_run_keeps_and_tells_what_it_saw_otherwise() {
    let mut bench = Bench::enabled();
    bench.see(passed(), seen(&["a", "b"], &[]));
    assert_eq!(bench.last_event()["data"]["drift"], serde_json::json!([]));
    bench.see(failed(Class::Denied), seen(&["b", "c"], &[]));
    let expected = serde_json::json!([
        { "kind": "grant", "of": "db", "lost": ["a"], "gained": ["c"] },
    ]);
    let event = bench.last_event();
    assert_eq!(event["type"], "integration.validation.failed");
    assert_eq!(event["data"]["drift"], expected);
    let run = bench.row("one").last_run.unwrap();
    assert_eq!(serde_json::to_value(&run.drift).unwrap(), expected);
    assert_eq!(
        history::runs(&bench.conn, bench.row("one").id, &Page::first(9)).unwrap().rows[0].drift,
        run.drift
    );
    bench.see(passed(), seen(&["c"], &[]));
    assert_eq!(bench.row("one").last_run.unwrap().drift, []);
    assert_eq!(bench.last_event()["type"], "integration.validation.recovered");
    assert_eq!(bench.last_event()["data"]["drift"], serde_json::json!([]));
}

#[test]
fn a_configuration_that_is_not_in_force_is_not_compared() {
    let mut bench = Bench::enabled();
    bench.see(passed(), seen(&["a"], &[]));
    bench.sync(&[with_config("{}")]);
    let candidate = run_of(Subject::Candidate, failed(Class::Denied), seen(&["b"], &[]));
    bench.run(vec![candidate, run_of(Subject::Active, passed(), seen(&["c"], &[]))]);
    assert_eq!(bench.status("one"), Status::EditError);
    assert_eq!(bench.last_event()["data"]["drift"], serde_json::json!([]));
    bench.wait_until_due();
    assert_eq!(bench.begin().fingerprint, Some(seen(&["c"], &[]).facts), "that in force passed");
}

#[test]
fn the_next_end_is_known_until_a_whole_run_says_otherwise() {
    let mut bench = Bench::enabled();
    let steps: [(Report, &[End], Option<End>); 6] = [
        (passed(), &[("late", 20), ("soon", 5)], Some(("the token soon", 5))),
        (failed(Class::Denied), &[], Some(("the token soon", 5))),
        (failed(Class::Denied), &[("late", 20)], Some(("the token soon", 5))),
        (failed(Class::Denied), &[("sooner", 3)], Some(("the token sooner", 3))),
        (warned("w"), &[("late", 20)], Some(("the token late", 20))),
        (passed(), &[], None),
    ];
    for (number, (report, ends, expected)) in steps.into_iter().enumerate() {
        bench.see(report, seen(&[], ends));
        let expected = expected
            .map(|(what, days)| (START.plus(Duration::from_hours(24) * days), what.to_owned()));
        assert_eq!(bench.row("one").expires, expected, "step {number}");
    }
    bench.see(failed(Class::Denied), seen(&[], &[("first", 9)]));
    let (_, what) = bench.row("one").expires.unwrap();
    assert_eq!(what, "the token first", "better than nothing");
}

#[test]
fn facts_go_with_a_removed_integration() {
    let mut bench = Bench::enabled();
    bench.see(passed(), seen(&["a"], &[]));
    bench.sync(&[]);
    assert_eq!(bench.status("one"), Status::Deleted);
    assert_eq!(bench.count("fingerprint"), 1);
    let forever = Duration::from_hours(24 * 365);
    let retention = Retention {
        history: forever,
        deliveries: forever,
        runs_per_integration: u32::MAX,
        events_max: u32::MAX,
        deliveries_max: u32::MAX,
        batch: 9,
    };
    let now = bench.now;
    for rows in [1, 0] {
        let pruned = bench.write(|tx| prune::prune(tx, retention, now)).unwrap();
        assert_eq!((pruned.rows, bench.count("fingerprint")), (rows, 0));
    }
    check_invariants(&bench.conn);
}
