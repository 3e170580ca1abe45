//! Facts of runs are stored once, and shared by the integrations that see the same.

use std::collections::BTreeSet;

use super::super::{Retention, prune};
use super::*;
use crate::domain::{Fact, FactKind};

/// Returns facts that name these grants on `db`.
fn seen(grants: &[&str]) -> Observed {
    let values: BTreeSet<_> = grants.iter().map(|&one| one.to_owned()).collect();
    let fact = Fact { kind: FactKind::Grant, of: "db".to_owned() };
    Observed { facts: [(fact, values)].into(), ..Observed::default() }
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
    let (first, second) = (seen(&["a", "b"]), seen(&["b"]));
    let facts = |seen: &Observed| Some(seen.facts.clone());
    assert_eq!(bench.see(passed(), first.clone()), facts(&first));
    assert_eq!(bench.see(failed(Class::Denied), second.clone()), facts(&first), "it failed");
    assert_eq!(bench.see(report(Vec::new()), Observed::default()), facts(&Observed::default()));
    assert_eq!(bench.see(warned("w"), second.clone()), facts(&second), "it passed");
    assert_eq!(bench.see(passed(), second.clone()), facts(&second));
    assert_eq!(bench.count("fingerprint"), 1, "facts without a row that points to them are gone");
    let at = bench.row("one").fingerprint_at.unwrap();
    assert_eq!(at, bench.row("one").last_run.unwrap().started_at);
    bench.see(failed(Class::Denied), first);
    assert_eq!(bench.row("one").fingerprint_at, Some(at));
}

#[test]
fn integrations_that_see_the_same_share_it() {
    let mut bench = Bench::enabled();
    bench.see(passed(), seen(&["a"]));
    bench.sync(&[wanted("one"), wanted("two")]);
    let id = bench.row("two").id;
    bench.now = bench.now.max(bench.row("two").next_run_at.unwrap());
    let now = bench.now;
    let begun = match bench.write(|tx| run::begin(tx, id, lease(now), now)).unwrap() {
        Began::Run(begun) => begun,
        other @ (Began::NotDue
        | Began::Running
        | Began::NotInUse
        | Began::HostFull
        | Began::Waits) => panic!("{other:?}"),
    };
    assert_eq!(begun.fingerprint, None);
    bench.record(begun, vec![run_of(Subject::Candidate, passed(), seen(&["a"]))]);
    assert_eq!(bench.count("fingerprint"), 1);
    bench.see(passed(), seen(&["b"]));
    assert_eq!(bench.count("fingerprint"), 2, "the other one still points to it");
}

#[test]
fn facts_go_with_a_removed_integration() {
    let mut bench = Bench::enabled();
    bench.see(passed(), seen(&["a"]));
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
