//! Faults on the daemon's own side: notified once, and once when they are over.

use super::kit::*;
use crate::domain::ledger::{
    Answer, Effect, Finished, LastingFault, Need, NodeFault, NotificationContext, Row, begin_fault,
    end_fault, record,
};
use crate::domain::{
    Class, DaemonFaultNotice, EventType, Finding, Outcome, OwnFault, Payload, Report, Status, Test,
    TestResult,
};

fn lasting(faults: &[OwnFault]) -> World {
    let lasting = |fault: &OwnFault| LastingFault {
        fault: *fault,
        since: NOW.minus(secs(90)),
        message: "it began".to_owned(),
        node: None,
    };
    World::new().knowing(Need::OwnFaults, Answer::OwnFaults(faults.iter().map(lasting).collect()))
}

fn fault_notice(effects: &[Effect], kind: EventType) -> DaemonFaultNotice {
    let found = events(effects, kind);
    assert_eq!(found.len(), 1, "{:#?}", lines(effects));
    let Payload::DaemonFaultNotice(data) = &found[0].body.data else { panic!("another payload") };
    data.clone()
}

fn began(world: &World, fault: OwnFault) -> (Vec<Effect>, bool) {
    let begun = || NodeFault { fault, message: "no route".to_owned(), node: None };
    let decision = world.decide(|case, context| begin_fault(case, begun(), context));
    (decision.effects, decision.answer)
}

fn ended(world: &World, fault: OwnFault) -> (Vec<Effect>, bool) {
    let decision = world.decide(|case, context| end_fault(case, fault, context));
    (decision.effects, decision.answer)
}

#[test]
fn a_fault_is_notified_when_it_begins_and_no_second_time() {
    let world = World::new().subscribed([
        subscription("pager", "daemon.*"),
        subscription("integrations", "integration.*"),
    ]);
    let (effects, is_new) = began(&world, OwnFault::Network);
    assert!(is_new);
    assert_eq!(
        lines(&effects),
        [
            "raise network +0 s: no route",
            "operational 41",
            "evt daemon.degraded 41 of 0",
            "enqueue evt of 0 to pager +0 s",
        ]
    );
    let event = fault_notice(&effects, EventType::DaemonDegraded);
    assert_eq!(
        (event.fault, &*event.message, &*event.epoch),
        (OwnFault::Network, "no route", "epoch")
    );
    assert_eq!((event.sequence, event.since, event.lasted_ms), (41, NOW, None));
    assert_eq!(link(&effects, EventType::DaemonDegraded), "https://status.example.com/");
    let (effects, is_new) =
        began(&lasting(&[OwnFault::Disk, OwnFault::Network]), OwnFault::Network);
    assert!(!is_new && effects.is_empty());
    let (_, is_new) = began(&lasting(&[OwnFault::Disk]), OwnFault::Network);
    assert!(is_new, "another fault is no reason to say nothing");
}

#[test]
fn the_end_of_a_fault_is_notified_when_it_lasted() {
    let (effects, lasted) = ended(&lasting(&[OwnFault::Disk, OwnFault::Clock]), OwnFault::Clock);
    assert!(lasted);
    assert_eq!(
        lines(&effects),
        [
            "clear clock",
            "operational 41",
            "evt daemon.recovered 41 of 0",
            "enqueue evt of 0 to pager +0 s",
        ]
    );
    let event = fault_notice(&effects, EventType::DaemonRecovered);
    assert_eq!((&*event.message, event.since), ("it began", NOW.minus(secs(90))));
    assert_eq!((event.fault, event.lasted_ms), (OwnFault::Clock, Some(90_000)));
    let (effects, lasted) = ended(&lasting(&[OwnFault::Disk]), OwnFault::Clock);
    assert!(!lasted && effects.is_empty());
}

fn local(message: &str) -> TestResult {
    let outcome = Outcome::Failed(Finding::new(Class::Local, message));
    TestResult { test: Test::always("connect", ""), outcome }
}

fn with_fault(report: Report, own_fault: Option<OwnFault>) -> Finished {
    let mut run = finished(Status::Enabled, [report]);
    run.runs[0].own_fault = own_fault;
    run
}

fn recorded(world: &World, row: &Row, run: &Finished) -> Vec<Effect> {
    let decide = |case: &crate::domain::ledger::Case, context: &NotificationContext| {
        record(case, row, run, context)
    };
    world.decide(decide).effects
}

#[test]
fn a_local_failure_is_a_fault_of_the_daemon_and_not_of_the_integration() {
    let passing = TestResult { outcome: Outcome::Passed(None), ..local("") };
    let report = Report { tests: vec![passing, local("no such file"), local("later")] };
    let effects = recorded(&World::new(), &row(), &with_fault(report.clone(), None));
    let event = fault_notice(&effects, EventType::DaemonDegraded);
    assert_eq!((event.fault, &*event.message), (OwnFault::Validation, "warehouse: no such file"));
    let row = saved(&effects);
    assert_eq!((row.status, row.own_fault), (Status::Enabled, Some(OwnFault::Validation)));
    let effects =
        recorded(&World::new(), &super::kit::row(), &with_fault(report, Some(OwnFault::Disk)));
    assert_eq!(fault_notice(&effects, EventType::DaemonDegraded).fault, OwnFault::Disk);
    assert_eq!(saved(&effects).own_fault, Some(OwnFault::Disk));
}

#[test]
fn a_failure_of_the_platform_is_no_fault_of_the_daemon() {
    let mixed =
        Report { tests: [failed(Class::Denied).tests, vec![local("no such file")]].concat() };
    for report in [passed(), warned("w"), failed(Class::Denied), mixed] {
        let effects = recorded(&World::new(), &row(), &with_fault(report, Some(OwnFault::Disk)));
        assert_eq!(saved(&effects).own_fault, None);
        assert!(events(&effects, EventType::DaemonDegraded).is_empty(), "{:#?}", lines(&effects));
    }
}

#[test]
fn a_fault_of_one_validation_lasts_until_no_integration_has_it() {
    let table = [
        (Some(OwnFault::Validation), passed(), false, true),
        (Some(OwnFault::Validation), passed(), true, false),
        (Some(OwnFault::Validation), Report { tests: vec![local("again")] }, false, false),
        // Others are ended by the check that found them.
        (Some(OwnFault::Network), passed(), false, false),
        (None, passed(), false, false),
    ];
    for (number, (own_fault, report, others, ends)) in table.into_iter().enumerate() {
        let world = lasting(&[OwnFault::Validation, OwnFault::Network]);
        let world = world.knowing(Need::AnotherFailsLocally(ID), Answer::Yes(others));
        let row = Row { own_fault, ..row() };
        let effects = recorded(&world, &row, &with_fault(report, None));
        let ended = lines(&effects).contains(&"clear validation".to_owned());
        assert_eq!(ended, ends, "case {number}: {:#?}", lines(&effects));
        assert_eq!(events(&effects, EventType::DaemonRecovered).len(), usize::from(ends));
    }
}

#[test]
fn two_operational_events_of_one_decision_are_numbered_in_order() {
    // A run that clears the fault of a validation and raises another.
    let world = lasting(&[OwnFault::Validation]);
    let row = Row { own_fault: Some(OwnFault::Validation), ..row() };
    let report = Report { tests: vec![local("the disk is full")] };
    let effects = recorded(&world, &row, &with_fault(report, Some(OwnFault::Disk)));
    let numbers: Vec<_> =
        lines(&effects).into_iter().filter(|line| line.starts_with("operational")).collect();
    assert_eq!(numbers, ["operational 41", "operational 42"]);
    let ids: std::collections::BTreeSet<_> = effects
        .iter()
        .filter_map(|effect| {
            if let Effect::InsertEvent(event) = effect { Some(event.id.clone()) } else { None }
        })
        .collect();
    assert_eq!(ids.len(), 2, "each event has an id of its own");
    assert_eq!(fault_notice(&effects, EventType::DaemonDegraded).sequence, 41);
    assert_eq!(fault_notice(&effects, EventType::DaemonRecovered).sequence, 42);
}
