//! Failures by a shared cause: one message in place of one each.

use super::*;
use crate::domain::{Factor, FactorKind};

const OUTAGE: &str = "integrations.outage";
const RESOLVED: &str = "integrations.outage.resolved";
const FAILED: &str = "integration.validation.failed";
const RECOVERED: &str = "integration.validation.recovered";

fn factor(kind: FactorKind, value: &str) -> Factor {
    Factor { kind, value: value.to_owned() }
}

/// `count` enabled integrations at one host, and one elsewhere; receiver `a` wants everything,
/// `each` wants each integration told as well, `few` does not know outages.
struct Fleet {
    bench: Bench,
    names: Vec<String>,
}

impl Fleet {
    fn new(count: usize) -> Self {
        let mut bench = Bench::new();
        bench.receivers = vec!["a", "each", "few"];
        let names: Vec<_> = (0..count).map(|number| format!("n{number}")).collect();
        let at = |name: &str, host: &str| Wanted {
            factors: vec![
                factor(FactorKind::Host, host),
                factor(FactorKind::Principal, "somebody"),
            ],
            ..wanted(name)
        };
        let mut all: Vec<_> = names.iter().map(|name| at(name, "db")).collect();
        all.push(at("elsewhere", "other"));
        bench.sync(&all);
        let mut fleet = Self { bench, names };
        // Once, and again when nobody is due any more for a while.
        for _ in 0..2 {
            for name in fleet.names.clone().iter().map(String::as_str).chain(["elsewhere"]) {
                fleet.bench.run_of(name, passed());
            }
            fleet.bench.wait(Duration::from_mins(20));
        }
        fleet.bench.conn.execute("DELETE FROM delivery", []).unwrap();
        fleet
    }

    /// Every integration fails `times` times with `class`, in turn.
    fn fail(&mut self, class: Class, times: usize) {
        for _ in 0..times {
            for name in self.names.clone() {
                self.bench.run_of(&name, failed(class));
                check_invariants(&self.bench.conn);
            }
        }
    }

    fn pending(&self, receiver: &str) -> Vec<String> {
        self.bench.pending(receiver).into_iter().map(|(kind, _)| kind).collect()
    }

    fn count(&self, receiver: &str, kind: &str) -> usize {
        self.pending(receiver).iter().filter(|pending| *pending == kind).count()
    }
}

#[test]
fn what_is_shared_comes_with_how_many_others_share_it() {
    let mut fleet = Fleet::new(3);
    let shared = |bench: &Bench, name: &str| {
        let found = integration::factors(&bench.conn, bench.row(name).id).unwrap().into_iter();
        found.map(|(factor, others)| (factor.value, others)).collect::<Vec<_>>()
    };
    let counts = |host: &str, at: u32, everywhere: u32| {
        vec![(host.to_owned(), at), ("somebody".to_owned(), everywhere)]
    };
    assert_eq!(shared(&fleet.bench, "n0"), counts("db", 2, 3));
    assert_eq!(shared(&fleet.bench, "elsewhere"), counts("other", 0, 3));
    fleet.bench.sync(&[wanted("n0")]);
    let gone = fleet.bench.row("n1").status;
    assert_eq!(gone, Status::Deleted);
    assert_eq!(shared(&fleet.bench, "n0"), [], "what is configured counts");
}

#[test]
fn twenty_five_integrations_behind_one_host_are_two_messages() {
    let mut fleet = Fleet::new(25);
    fleet.fail(Class::Unreachable, 3);
    assert_eq!(fleet.pending("a"), [OUTAGE]);
    assert_eq!((fleet.count("each", OUTAGE), fleet.count("each", FAILED)), (1, 25));
    assert_eq!((fleet.count("few", OUTAGE), fleet.count("few", FAILED)), (0, 25));
    let statuses = fleet.names.iter().map(|name| fleet.bench.status(name));
    assert!(statuses.into_iter().all(|status| status == Status::RecurringValidationError));
    let events = fleet.bench.events();
    let told = events.iter().find(|event| event["type"] == OUTAGE).unwrap();
    assert_eq!(told["data"]["factor"]["value"], "db");
    assert_eq!(told["data"]["integrations"].as_array().unwrap().len(), 25, "suspects too");
    let group = &told["data"]["outageId"];
    assert!(
        events.iter().filter(|one| one["type"] == FAILED).all(|one| one["data"]["group"] == *group)
    );
    fleet.bench.wait(Duration::from_mins(5));
    for name in fleet.names.clone() {
        fleet.bench.run_of(&name, passed());
        check_invariants(&fleet.bench.conn);
    }
    assert_eq!(fleet.bench.release().outages, 1);
    assert_eq!(fleet.pending("a"), [OUTAGE, RESOLVED]);
    assert_eq!((fleet.count("each", RESOLVED), fleet.count("each", RECOVERED)), (1, 25));
    assert_eq!((fleet.count("few", RESOLVED), fleet.count("few", RECOVERED)), (0, 25));
    let resolved = fleet.bench.last_event();
    let lasted = resolved["data"]["outageMs"].as_i64().unwrap();
    assert!(300_000 < lasted, "{resolved}");
    check_invariants(&fleet.bench.conn);
}

#[test]
fn the_first_to_fail_makes_its_siblings_due_at_once_and_the_first_to_pass_too() {
    let mut fleet = Fleet::new(4);
    let due = |fleet: &Fleet| {
        let now = fleet.bench.now;
        let is_due = |name: &&String| fleet.bench.row(name).next_run_at.unwrap() <= now;
        fleet.names.iter().filter(is_due).count()
    };
    for report in [failed(Class::Missing), passed()] {
        fleet.bench.due_now("n0");
        fleet.bench.run_of("n0", report);
        assert_eq!(due(&fleet), 0, "its own trouble");
    }
    fleet.bench.due_now("n0");
    let long_before = fleet.bench.now;
    fleet.bench.run_of("n0", failed(Class::Unreachable));
    assert_eq!(due(&fleet), 3);
    let elsewhere = fleet.bench.row("elsewhere").next_run_at.unwrap();
    assert!(long_before < elsewhere, "who is elsewhere is left alone");
    fleet.fail(Class::Unreachable, 3);
    fleet.bench.wait(Duration::from_secs(90));
    assert_eq!(fleet.pending("a").last().unwrap(), OUTAGE);
    fleet.bench.run_of("n1", passed());
    assert_eq!(due(&fleet), 3, "the others of the outage");
}

#[test]
fn who_still_fails_after_the_outage_is_told_of_by_himself() {
    let mut fleet = Fleet::new(4);
    fleet.fail(Class::Unavailable, 3);
    for name in ["n1", "n2", "n3"] {
        fleet.bench.run_of(name, passed());
    }
    assert_eq!(fleet.bench.release().outages, 0, "the last one may follow");
    fleet.bench.wait(Duration::from_mins(11));
    assert_eq!(fleet.bench.release().outages, 1);
    let mut told = fleet.pending("a");
    told.sort();
    assert_eq!(told, [FAILED, OUTAGE, RESOLVED]);
    assert_eq!(fleet.count("each", FAILED), 4, "and not twice to those who knew");
    fleet.bench.run_of("n0", passed());
    assert_eq!(fleet.count("a", RECOVERED), 1);
    check_invariants(&fleet.bench.conn);
}

#[test]
fn one_that_fails_while_its_siblings_pass_is_no_outage() {
    let mut fleet = Fleet::new(6);
    for _ in 0..3 {
        for (place, name) in fleet.names.clone().iter().enumerate() {
            let good = 2 < place;
            fleet.bench.run_of(name, if good { passed() } else { failed(Class::Throttled) });
        }
    }
    assert_eq!(fleet.pending("a"), [FAILED; 3]);
}

#[test]
fn a_refused_identity_is_an_outage_that_nobody_is_tried_for() {
    let mut fleet = Fleet::new(5);
    fleet.bench.due_now("n0");
    fleet.bench.run_of("n0", failed(Class::Denied));
    let now = fleet.bench.now;
    let due = fleet.names.iter().filter(|name| fleet.bench.row(name).next_run_at.unwrap() <= now);
    assert_eq!(due.count(), 0, "accounts get locked");
    for name in ["n1", "n2", "n3", "n4"] {
        fleet.bench.run_of(name, failed(Class::Denied));
    }
    // The first two are told before anybody can know.
    assert_eq!(fleet.pending("a"), [FAILED, FAILED, OUTAGE]);
    let events = fleet.bench.events();
    let told = events.iter().find(|event| event["type"] == OUTAGE).unwrap();
    let data = &told["data"];
    assert_eq!((&data["factor"]["kind"], &data["cause"]), (&"principal".into(), &"refused".into()));
    for name in fleet.names.clone() {
        fleet.bench.run_of(&name, passed());
    }
    fleet.bench.release();
    let pending = fleet.pending("a");
    assert_eq!(pending.len(), 6, "{pending:?}");
    assert_eq!((fleet.count("a", RECOVERED), fleet.count("a", RESOLVED)), (2, 1));
    check_invariants(&fleet.bench.conn);
}

#[test]
fn a_receiver_that_the_outage_did_not_concern_is_told_of_its_own_integration() {
    let mut fleet = Fleet::new(6);
    fleet.bench.receivers = vec!["a", "late"];
    fleet.names.truncate(5);
    fleet.fail(Class::Unreachable, 3);
    assert_eq!(fleet.pending("late"), [""; 0]);
    for _ in 0..3 {
        fleet.bench.run_of("n5", failed(Class::Unreachable));
    }
    assert_eq!(fleet.pending("a"), [OUTAGE]);
    assert_eq!(fleet.pending("late"), [FAILED], "the list did not name it");
}

#[test]
fn an_integration_that_is_edited_leaves_its_outage_which_ends_with_the_last() {
    let mut fleet = Fleet::new(3);
    fleet.fail(Class::Unreachable, 3);
    for name in ["n0", "n1"] {
        fleet.bench.run_of(name, passed());
    }
    fleet.bench.sync(&[]);
    check_invariants(&fleet.bench.conn);
    assert_eq!(fleet.bench.release().outages, 1);
    assert_eq!(fleet.count("a", RESOLVED), 1);
}
