//! Outages: one piece of news in place of one for each integration.

use std::time::Duration;

use super::super::*;
use super::bench::Bench;
use super::samples::{failed, found, passed, wanted};
use crate::domain::EventType::{
    Outage as Begins, OutageResolved as Ends, ValidationFailed as Fails,
    ValidationRecovered as Recovers,
};
use crate::domain::{Class, EventType, Factor, FactorKind, Status, Subject};

fn factor(kind: FactorKind, value: &str) -> Factor {
    Factor { kind, value: value.to_owned() }
}

fn at_host(name: &str, host: &str) -> Wanted {
    let factors = vec![factor(FactorKind::Host, host), factor(FactorKind::Principal, "person")];
    Wanted { factors, ..wanted(name) }
}

/// Enabled integrations at one host, and one elsewhere; receiver `a` wants everything, `each` wants each
/// integration as well, `few` does not know outages.
pub(super) struct Fleet {
    pub(super) bench: Bench,
    pub(super) names: Vec<String>,
}

impl Fleet {
    pub(super) fn new(count: usize) -> Self {
        let mut bench = Bench::new();
        bench.receivers = vec!["a", "each", "few"];
        let names: Vec<_> = (0..count).map(|number| format!("n{number}")).collect();
        let mut all: Vec<_> = names.iter().map(|name| at_host(name, "db")).collect();
        all.push(at_host("elsewhere", "other"));
        bench.sync(&all);
        let mut fleet = Self { bench, names };
        // Once, and again when nothing is due any more for a while.
        for _ in 0..2 {
            for name in fleet.names.clone().iter().map(String::as_str).chain(["elsewhere"]) {
                fleet.bench.run_of(name, passed());
            }
            fleet.bench.wait(Duration::from_mins(20));
        }
        fleet.bench.books.deliveries.clear();
        fleet
    }

    /// Every integration fails `times` times with `class`, in turn.
    pub(super) fn fail(&mut self, class: Class, times: usize) {
        for _ in 0..times {
            for name in self.names.clone() {
                self.bench.run_of(&name, failed(class));
            }
        }
    }

    fn count(&self, receiver: &str, kind: EventType) -> usize {
        self.bench.queued(receiver).into_iter().filter(|queued| *queued == kind).count()
    }

    /// Number of integrations at the host that are due.
    pub(super) fn due(&self) -> usize {
        let is_due = |name: &&String| self.bench.row(name).next_run_at.unwrap() <= self.bench.now;
        self.names.iter().filter(is_due).count()
    }

    fn outage(&self) -> serde_json::Value {
        let begins = self.bench.books.events.iter().find(|event| event.body.kind == Begins);
        serde_json::to_value(&begins.unwrap().body).unwrap()["data"].clone()
    }
}

#[test]
fn twenty_five_integrations_of_one_host_are_two_notifications() {
    let mut fleet = Fleet::new(25);
    let first = fleet.bench.now;
    fleet.fail(Class::Unreachable, 3);
    assert_eq!(fleet.bench.queued("a"), [Begins]);
    assert_eq!((fleet.count("each", Begins), fleet.count("each", Fails)), (1, 25));
    assert_eq!((fleet.count("few", Begins), fleet.count("few", Fails)), (0, 25));
    for name in &fleet.names {
        assert_eq!(fleet.bench.status(name), Status::RecurringValidationError);
        assert!(fleet.bench.row(name).outage.is_some());
    }
    let outage = fleet.outage();
    assert_eq!(outage["factor"]["value"], "db");
    assert_eq!(outage["cause"], "unreached");
    assert_eq!(outage["integrations"].as_array().unwrap().len(), 25, "suspects too");
    assert_eq!(outage["unlisted"], 0);
    let ids: Vec<_> =
        outage["integrations"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert!(ids.is_sorted_by_key(|id| id.as_i64()));
    let since: crate::domain::Timestamp = outage["since"].as_str().unwrap().parse().unwrap();
    assert!(first <= since, "the first of the failures");
    let earliest = fleet.names.iter().filter_map(|name| fleet.bench.row(name).suspect);
    assert_eq!(Some(since), earliest.map(|suspect| suspect.since).min());
    let grouped = fleet.bench.books.events.iter().filter(|event| event.body.kind == Fails);
    for event in grouped {
        let body = serde_json::to_value(&event.body).unwrap();
        assert_eq!(body["data"]["group"], outage["outageId"]);
    }
    fleet.bench.wait(Duration::from_mins(5));
    for name in fleet.names.clone() {
        fleet.bench.run_of(&name, passed());
    }
    assert_eq!(fleet.bench.release().1, 1);
    assert_eq!(fleet.bench.queued("a"), [Begins, Ends]);
    assert_eq!((fleet.count("each", Ends), fleet.count("each", Recovers)), (1, 25));
    assert_eq!((fleet.count("few", Ends), fleet.count("few", Recovers)), (0, 25));
    let ended = fleet.bench.last_event();
    assert_eq!(ended["data"]["outageMs"], fleet.bench.now.0 - since.0);
    assert_eq!(ended["data"]["outageId"], outage["outageId"]);
}

#[test]
fn first_failure_makes_siblings_due_at_once_and_so_does_the_first_recovery() {
    let mut fleet = Fleet::new(4);
    for report in [failed(Class::Missing), passed()] {
        fleet.bench.due_now("n0");
        fleet.bench.run_of("n0", report);
        assert_eq!(fleet.due(), 0, "its own trouble");
    }
    fleet.bench.due_now("n0");
    let elsewhere = fleet.bench.row("elsewhere").next_run_at;
    fleet.bench.run_of("n0", failed(Class::Unreachable));
    assert_eq!(fleet.due(), 3);
    assert!(fleet.names[1..].iter().all(|name| fleet.bench.row(name).trigger == Trigger::Confirm));
    assert_eq!(fleet.bench.row("elsewhere").next_run_at, elsewhere, "another host");
    fleet.fail(Class::Unreachable, 3);
    fleet.bench.wait(Duration::from_secs(90));
    assert_eq!(fleet.bench.queued("a").last(), Some(&Begins));
    fleet.bench.run_of("n1", passed());
    assert_eq!(fleet.due(), 3, "the others of the outage");
    fleet.bench.run_of("n2", failed(Class::Unreachable));
    fleet.bench.run_of("n3", failed(Class::Unreachable));
    fleet.bench.run_of("n0", failed(Class::Unreachable));
    assert_eq!(fleet.due(), 0);
    fleet.bench.due_now("n2");
    fleet.bench.run_of("n2", passed());
    assert_eq!(fleet.due(), 0, "only the first recovery says something new");
}

#[test]
fn second_failure_makes_no_sibling_due_again() {
    let mut fleet = Fleet::new(4);
    fleet.bench.due_now("n0");
    fleet.bench.run_of("n0", failed(Class::Unreachable));
    for name in ["n1", "n2", "n3"] {
        fleet.bench.run_of(name, passed());
    }
    assert_eq!(fleet.due(), 0);
    fleet.bench.run_of("n0", failed(Class::Unreachable));
    assert_eq!(fleet.due(), 0, "it has been failing");
    fleet.bench.due_now("n1");
    fleet.bench.run_of("n1", failed(Class::Unreachable));
    assert_eq!(fleet.due(), 0, "another one fails already");
    fleet.bench.wait(Duration::from_hours(2));
    let now = fleet.bench.now;
    for name in ["n2", "n3"] {
        fleet.bench.row_mut(name).next_run_at = Some(now.plus(Duration::from_mins(30)));
    }
    fleet.bench.row_mut("n1").suspect = None;
    fleet.bench.due_now("n1");
    fleet.bench.run_of("n1", failed(Class::Unreachable));
    assert!(2 <= fleet.due(), "what failed hours ago is no evidence");
}

#[test]
fn at_most_so_many_siblings_are_made_due() {
    let mut fleet = Fleet::new(40);
    fleet.bench.due_now("n0");
    fleet.bench.run_of("n0", failed(Class::Unreachable));
    assert_eq!(fleet.due(), 32);
}

#[test]
fn member_that_still_fails_after_the_outage_is_notified_by_itself() {
    let mut fleet = Fleet::new(4);
    fleet.fail(Class::Unavailable, 3);
    for name in ["n1", "n2", "n3"] {
        fleet.bench.run_of(name, passed());
    }
    assert_eq!(fleet.bench.release().1, 0, "the last one may follow");
    fleet.bench.wait(Duration::from_mins(11));
    assert_eq!(fleet.bench.release().1, 1);
    assert_eq!(fleet.bench.row("n0").outage, None);
    assert_eq!(fleet.bench.queued("a"), [Begins, Ends, Fails]);
    assert_eq!(fleet.count("each", Fails), 4, "and not twice to those who knew");
    fleet.bench.run_of("n0", passed());
    assert_eq!(fleet.count("a", Recovers), 1);
    assert_eq!(fleet.bench.deliver("a").len(), 4, "all in order");
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
    assert_eq!(fleet.bench.queued("a"), [Fails; 3]);
    assert!(fleet.bench.books.outages.is_empty());
}

#[test]
fn fewer_than_the_configured_minimum_are_no_outage() {
    let mut fleet = Fleet::new(2);
    fleet.fail(Class::Unreachable, 3);
    assert_eq!(fleet.bench.queued("a"), [Fails; 2]);
}

#[test]
fn failures_that_began_long_ago_are_no_evidence() {
    let mut fleet = Fleet::new(4);
    for name in ["n0", "n1"] {
        for _ in 0..3 {
            fleet.bench.run_of(name, failed(Class::Unreachable));
        }
    }
    fleet.bench.wait(Duration::from_hours(3));
    for _ in 0..3 {
        fleet.bench.run_of("n2", failed(Class::Unreachable));
    }
    assert!(fleet.bench.books.outages.is_empty());
    assert_eq!(fleet.bench.queued("a"), [Fails; 3]);
}

#[test]
fn failures_by_another_cause_are_no_evidence() {
    let mut fleet = Fleet::new(4);
    for name in ["n0", "n1"] {
        fleet.bench.run_of(name, failed(Class::Denied));
    }
    for _ in 0..3 {
        fleet.bench.run_of("n2", failed(Class::Unreachable));
    }
    assert!(fleet.bench.books.outages.is_empty());
}

#[test]
fn refused_identity_is_an_outage_that_is_not_tried_on_others() {
    let mut fleet = Fleet::new(5);
    fleet.bench.due_now("n0");
    fleet.bench.run_of("n0", failed(Class::Denied));
    assert_eq!(fleet.due(), 0, "accounts get locked");
    for name in ["n1", "n2", "n3", "n4"] {
        fleet.bench.run_of(name, failed(Class::Denied));
    }
    // The first two are notified before there is evidence.
    assert_eq!(fleet.bench.queued("a"), [Fails, Fails, Begins]);
    let outage = fleet.outage();
    assert_eq!(outage["factor"]["kind"], "principal");
    assert_eq!(outage["cause"], "refused");
    for name in fleet.names.clone() {
        fleet.bench.run_of(&name, passed());
    }
    fleet.bench.release();
    assert_eq!(fleet.bench.queued("a").len(), 6);
    assert_eq!((fleet.count("a", Recovers), fleet.count("a", Ends)), (2, 1));
}

#[test]
fn receiver_that_the_outage_did_not_concern_is_notified_of_its_own_integration() {
    let mut fleet = Fleet::new(6);
    fleet.bench.receivers = vec!["a", "late"];
    fleet.names.truncate(5);
    fleet.fail(Class::Unreachable, 3);
    assert_eq!(fleet.bench.queued("late"), []);
    for _ in 0..3 {
        fleet.bench.run_of("n5", failed(Class::Unreachable));
    }
    assert_eq!(fleet.bench.queued("a"), [Begins]);
    assert_eq!(fleet.bench.queued("late"), [Fails], "the list did not name it");
    fleet.names.push("n5".to_owned());
    for name in fleet.names.clone() {
        fleet.bench.run_of(&name, passed());
    }
    fleet.bench.release();
    assert_eq!(fleet.bench.queued("late"), [Fails, Recovers], "nor its end");
}

#[test]
fn integration_that_is_edited_leaves_its_outage_which_ends_with_the_last() {
    let mut fleet = Fleet::new(3);
    fleet.fail(Class::Unreachable, 3);
    for name in ["n0", "n1"] {
        fleet.bench.run_of(name, passed());
    }
    fleet.bench.sync(&[]);
    assert_eq!(fleet.bench.release().1, 1);
    assert_eq!(fleet.count("a", Ends), 1);
}

#[test]
fn integration_that_leaves_while_others_fail_does_not_end_the_outage() {
    let mut fleet = Fleet::new(3);
    fleet.fail(Class::Unreachable, 3);
    let kept = |name: &str| at_host(name, "db");
    fleet.bench.sync(&[kept("n1"), kept("n2"), at_host("elsewhere", "other")]);
    fleet.bench.wait(Duration::from_hours(1));
    assert_eq!(fleet.bench.release().1, 0);
    let outage = fleet.bench.row("n1").outage.clone().unwrap();
    assert_eq!(fleet.bench.books.outages[&outage].closes_at, None);
}

#[test]
fn muted_failure_joins_the_outage_when_its_mute_ends() {
    let mut fleet = Fleet::new(4);
    let (id, until) = (fleet.bench.id("n3"), fleet.bench.minutes(180));
    fleet.bench.silence(Some(id), until);
    fleet.fail(Class::Unreachable, 3);
    assert_eq!(fleet.bench.row("n3").outage, None);
    assert_eq!(fleet.bench.notified("n3", 3), []);
    fleet.bench.now = until;
    fleet.bench.release();
    assert!(fleet.bench.row("n3").outage.is_some());
    assert_eq!(fleet.bench.queued("a"), [Begins]);
    assert_eq!(fleet.count("each", Fails), 4);
}

#[test]
fn failure_in_an_outage_does_not_count_as_flapping() {
    let mut fleet = Fleet::new(3);
    for _ in 0..4 {
        fleet.fail(Class::Unreachable, 3);
        fleet.bench.wait(Duration::from_mins(5));
        for name in fleet.names.clone() {
            fleet.bench.run_of(&name, passed());
        }
        fleet.bench.release();
    }
    assert!(fleet.names.iter().all(|name| fleet.bench.row(name).flapping.is_none()));
    assert_eq!((fleet.count("a", Begins), fleet.count("a", Ends)), (4, 4));
}

#[test]
fn local_faults_and_candidates_are_no_suspects() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Local);
    assert_eq!(bench.row("one").suspect, None);
    bench.fail(Subject::Active, Class::Unreachable);
    let suspect = bench.row("one").suspect.unwrap();
    bench.fail(Subject::Active, Class::Throttled);
    let later = bench.row("one").suspect.unwrap();
    assert_eq!((later.since, later.class), (suspect.since, Class::Throttled));
    bench.fail(Subject::Active, Class::Local);
    assert_eq!(bench.row("one").suspect, Some(later), "an inconclusive run changes nothing");
    bench.pass(Subject::Active);
    assert_eq!(bench.row("one").suspect, None);
    bench.sync(&[super::samples::with_config("other")]);
    bench.run(vec![found(Subject::Candidate, failed(Class::Unreachable))]);
    assert_eq!(bench.row("one").suspect, None);
}
