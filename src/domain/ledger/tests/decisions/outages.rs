//! Outages: which failures make one, who is notified of what, and how it ends.

use super::kit::*;
use super::known::known;
use crate::domain::ledger::{
    Answer, Effect, FailingMember, Finished, Incident, Need, Outage, OutageMembers, OutageState,
    PastEvent, Row, Shared, Sibling, Suspect, close_outage, record,
};
use crate::domain::{
    CLOSE_AFTER, Class, EVIDENCE_MAX, EventType, Factor, FactorKind, IntegrationId, IntegrationRef,
    OutageMember, OutageNotice, Payload, SIBLINGS_MAX, SharedCause, Status, Subscription,
    Timestamp,
};

fn host(value: &str) -> Factor {
    Factor { kind: FactorKind::Host, value: value.to_owned() }
}

fn principal() -> Factor {
    Factor { kind: FactorKind::Principal, value: "robot".to_owned() }
}

fn shared(factor: &Factor) -> Shared {
    Shared { factor: factor.clone(), by: ID }
}

fn reference(id: i64) -> IntegrationRef {
    IntegrationRef { id, name: format!("lake-{id}"), ..row().reference() }
}

fn member(id: i64) -> OutageMember {
    OutageMember {
        integration: reference(id),
        status: Status::RecurringValidationError,
        sequence: 4,
    }
}

fn sibling(id: i64, ago: u64, class: Class) -> Sibling {
    Sibling { member: member(id), since: NOW.minus(secs(ago)), class, is_unnotified: false }
}

/// A world in which the integration shares these factors with others.
fn sharing(factors: &[Factor]) -> World {
    World::new().knowing(Need::Factors(ID), Answer::Factors(factors.to_vec()))
}

fn with_siblings(world: World, factor: &Factor, siblings: Vec<Sibling>) -> World {
    world.knowing(Need::FailingSiblings(shared(factor)), Answer::Siblings(siblings))
}

/// A row whose next failing run is the one that counts.
fn suspected(class: Class) -> Row {
    let since = NOW.minus(secs(100));
    let mut row = row();
    row.active.evidence = failures(1);
    Row { suspect: Some(Suspect { since, class }), ..row }
}

fn fails(world: &World, row: &Row, class: Class) -> Vec<Effect> {
    let run: Finished = finished(row.status, [failed(class)]);
    world.decide(|case, context| record(case, row, &run, context)).effects
}

fn notice(effects: &[Effect], kind: EventType) -> OutageNotice {
    let found = events(effects, kind);
    assert_eq!(found.len(), 1, "{:#?}", lines(effects));
    assert_eq!(found[0].integration, None);
    let Payload::Outage(data) = &found[0].body.data else { panic!("another payload") };
    data.clone()
}

fn only_notices(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .filter(|line| !line.starts_with("run ") && !line.starts_with("trans"))
        .collect()
}

#[test]
fn several_failures_of_one_host_are_one_outage() {
    let host = host("db.example");
    let siblings = vec![sibling(9, 300, Class::Throttled), sibling(3, 200, Class::Unavailable)];
    let world = with_siblings(sharing(std::slice::from_ref(&host)), &host, siblings);
    let effects = fails(&world, &suspected(Class::Unreachable), Class::Unreachable);
    assert_eq!(
        only_notices(lines(&effects)),
        [
            "operational 41",
            "evt integrations.outage 41 of 0",
            "enqueue evt of 0 to pager +0 s",
            "out open db.example unreached -300 s",
            "join out 7",
            "evt integration.validation.failed 2 of 7",
            "save 7 as recurringValidationError",
        ]
    );
    let outage = notice(&effects, EventType::Outage);
    assert_eq!((&*outage.epoch, outage.sequence, &*outage.cause), ("epoch", 41, "unreached"));
    assert_eq!((outage.since, outage.outage_ms), (NOW.minus(secs(300)), None));
    assert_eq!((outage.factor, outage.unlisted), (host, 0));
    let ids: Vec<_> = outage.integrations.iter().map(|one| one.integration.id).collect();
    assert_eq!(ids, [3, 7, 9]);
    let own = &outage.integrations[1];
    let expected = format!("https://status.example.com/outages/{}", outage.outage_id);
    assert_eq!(link(&effects, EventType::Outage), expected);
    assert_eq!((own.status, own.sequence), (Status::RecurringValidationError, 1));
    let group = data(&effects, EventType::ValidationFailed).group;
    assert_eq!(group.as_deref(), Some(&*outage.outage_id));
    assert_eq!(saved(&effects).outage, Some(outage.outage_id.clone()));
    let opened = effects.iter().find_map(|effect| {
        let Effect::OpenOutage(new) = effect else { return None };
        Some((new.id.clone(), new.event.clone()))
    });
    let event = events(&effects, EventType::Outage)[0].id.clone();
    assert_eq!(opened, Some((outage.outage_id, event)));
    assert!(saved(&effects).flips.0.is_empty(), "what an outage does is no flapping");
}

#[test]
fn failures_count_as_evidence_when_they_are_recent_or_unnotified_and_of_one_cause() {
    let host = host("db.example");
    let hour = EVIDENCE_MAX.as_secs();
    let unnotified = Sibling { is_unnotified: true, ..sibling(3, hour + 1, Class::Unreachable) };
    let pair = |other: Sibling| vec![sibling(9, 10, Class::Unreachable), other];
    let table = [
        (pair(sibling(3, hour, Class::Unreachable)), 0, true),
        (pair(sibling(3, hour + 1, Class::Unreachable)), 0, false),
        (pair(unnotified), 0, true),
        (pair(sibling(3, 10, Class::Denied)), 0, false),
        (pair(sibling(3, 10, Class::Missing)), 0, false),
        (vec![sibling(9, 10, Class::Unreachable)], 0, false),
        (pair(sibling(3, 10, Class::Unreachable)), 1, true),
        (pair(sibling(3, 10, Class::Unreachable)), 2, false),
    ];
    for (number, (siblings, passing, expected)) in table.into_iter().enumerate() {
        let mut world = with_siblings(sharing(std::slice::from_ref(&host)), &host, siblings);
        // Those count that have passed since the first of them failed, within the last hour.
        for since in [10, 100, hour, hour + 1].map(|ago| NOW.minus(secs(ago))) {
            let need = Need::PassingSiblings(shared(&host), since);
            let counted = since == NOW.minus(secs(100)) || since == NOW.minus(EVIDENCE_MAX);
            world = world.knowing(need, Answer::Count(if counted { passing } else { 9 }));
        }
        let effects = fails(&world, &suspected(Class::Unreachable), Class::Unreachable);
        let opened = events(&effects, EventType::Outage).len();
        assert_eq!(opened, usize::from(expected), "case {number}: {:#?}", lines(&effects));
        assert_eq!(saved(&effects).outage.is_some(), expected, "case {number}");
        assert_eq!(saved(&effects).flips.0.len(), usize::from(!expected), "case {number}");
    }
}

#[test]
fn the_widest_factor_names_the_outage_and_the_first_of_equals() {
    let (narrow, wide) =
        (host("db.example"), Factor { kind: FactorKind::Region, value: "eu".to_owned() });
    let few = || vec![sibling(2, 10, Class::Unreachable), sibling(3, 10, Class::Unreachable)];
    let many = || [few(), vec![sibling(4, 10, Class::Unreachable)]].concat();
    for (first, second, expected) in
        [(few(), many(), "eu"), (many(), few(), "db.example"), (few(), few(), "db.example")]
    {
        let world = sharing(&[narrow.clone(), wide.clone()]);
        let world = with_siblings(with_siblings(world, &narrow, first), &wide, second);
        let effects = fails(&world, &suspected(Class::Unreachable), Class::Unreachable);
        assert_eq!(notice(&effects, EventType::Outage).factor.value, expected);
        let ids = lines(&effects).into_iter().filter(|line| line.starts_with("out")).count();
        assert_eq!(ids, 1);
    }
}

#[test]
fn factors_that_cannot_explain_the_cause_are_not_looked_at() {
    // A refused login is not the host's fault, and a missing object is its own.
    let siblings = || vec![sibling(2, 10, Class::Denied), sibling(3, 10, Class::Denied)];
    let world =
        with_siblings(sharing(&[host("db.example"), principal()]), &host("db.example"), siblings());
    let effects = fails(&world, &suspected(Class::Denied), Class::Denied);
    assert!(events(&effects, EventType::Outage).is_empty());
    let world = with_siblings(world, &principal(), siblings());
    let effects = fails(&world, &suspected(Class::Denied), Class::Denied);
    assert_eq!(notice(&effects, EventType::Outage).cause, "refused");
    let effects = fails(&world, &suspected(Class::Missing), Class::Missing);
    assert!(events(&effects, EventType::Outage).is_empty());
    assert_eq!(saved(&effects).outage, None);
}

#[test]
fn a_failure_joins_the_outage_that_is_open() {
    let host = host("db.example");
    let open = Need::OpenOutage(host.clone(), SharedCause::Unreached);
    let known = ["pager", "each"].map(|name| known("out_1", name, true)).to_vec();
    let world = sharing(&[host]).knowing(open, Answer::Outage(Some("out_1".to_owned())));
    let individual = Subscription { individual: true, ..subscription("each", "*") };
    let world =
        world.subscribed([subscription("pager", "*"), individual, subscription("late", "*")]);
    let world = world.knowing(Need::Known("out_1".to_owned()), Answer::Known(known));
    let effects = fails(&world, &suspected(Class::Unreachable), Class::Unreachable);
    assert_eq!(
        only_notices(lines(&effects)),
        [
            "join out 7",
            "evt integration.validation.failed 2 of 7",
            "enqueue evt of 7 to each +0 s",
            "enqueue evt of 7 to late +0 s",
            "save 7 as recurringValidationError",
        ]
    );
    assert_eq!(data(&effects, EventType::ValidationFailed).group.as_deref(), Some("out_1"));
    assert_eq!(saved(&effects).outage.as_deref(), Some("out_1"));
}

#[test]
fn an_outage_is_sent_to_those_who_subscribe_to_it_and_to_a_member() {
    let host = host("db.example");
    let siblings = vec![sibling(2, 10, Class::Unreachable), sibling(3, 10, Class::Unreachable)];
    let world = with_siblings(sharing(std::slice::from_ref(&host)), &host, siblings).subscribed([
        Subscription { selection: named("lake-3"), ..subscription("member", "*") },
        Subscription { selection: named("other"), ..subscription("stranger", "*") },
        subscription("failures", "integration.validation.failed"),
        subscription("outages", "integrations.*"),
        Subscription { individual: true, ..subscription("each", "*") },
    ]);
    let effects = fails(&world, &suspected(Class::Unreachable), Class::Unreachable);
    let sent: Vec<_> =
        lines(&effects).into_iter().filter(|line| line.starts_with("enqueue")).collect();
    assert_eq!(
        sent,
        [
            "enqueue evt of 0 to member +0 s",
            "enqueue evt of 0 to outages +0 s",
            "enqueue evt of 0 to each +0 s",
            "enqueue evt of 7 to failures +0 s",
            "enqueue evt of 7 to each +0 s",
        ]
    );
}

#[test]
fn a_notification_lists_five_hundred_members_and_counts_the_rest() {
    let host = host("db.example");
    let siblings = (100..).map(|id| sibling(id, 10, Class::Unreachable)).take(502).collect();
    let world = with_siblings(sharing(std::slice::from_ref(&host)), &host, siblings);
    let effects = fails(&world, &suspected(Class::Unreachable), Class::Unreachable);
    let outage = notice(&effects, EventType::Outage);
    assert_eq!((outage.integrations.len(), outage.unlisted), (500, 3));
}

fn due(effects: &[Effect]) -> Vec<String> {
    lines(effects).into_iter().filter(|line| line.starts_with("due")).collect()
}

fn idle(ids: impl IntoIterator<Item = i64>) -> Answer {
    Answer::Integrations(ids.into_iter().map(IntegrationId).collect())
}

#[test]
fn the_first_unreachable_integration_has_its_siblings_looked_at_once() {
    let (host, region) =
        (host("db.example"), Factor { kind: FactorKind::Region, value: "eu".to_owned() });
    let world = sharing(&[host.clone(), principal(), region.clone()])
        .knowing(Need::IdleSiblings(shared(&host)), idle([4, 5]))
        .knowing(Need::IdleSiblings(shared(&principal())), idle([6]))
        .knowing(Need::IdleSiblings(shared(&region)), idle([5, 8]));
    let effects = fails(&world, &row(), Class::Unreachable);
    assert_eq!(due(&effects), ["due 4 +0 s", "due 5 +0 s", "due 8 +0 s"]);
    // A second failing run of the same integration is no news, a refused login is not tried on others.
    assert!(due(&fails(&world, &suspected(Class::Unreachable), Class::Unreachable)).is_empty());
    assert!(due(&fails(&world, &row(), Class::Denied)).is_empty());
    assert!(due(&fails(&world, &row(), Class::Local)).is_empty());
    // Nor is one that another has shown already.
    let since = NOW.minus(EVIDENCE_MAX);
    let world = world.knowing(Need::AnotherFails(shared(&host), since), Answer::Yes(true));
    assert_eq!(due(&fails(&world, &row(), Class::Unreachable)), ["due 5 +0 s", "due 8 +0 s"]);
}

#[test]
fn no_more_siblings_are_looked_at_than_the_most() {
    let host = host("db.example");
    let world = sharing(std::slice::from_ref(&host))
        .knowing(Need::IdleSiblings(shared(&host)), idle(100..200));
    let effects = fails(&world, &row(), Class::Unreachable);
    assert_eq!(due(&effects).len(), usize::try_from(SIBLINGS_MAX).unwrap());
}

fn member_row() -> Row {
    Row { outage: Some("out_1".to_owned()), ..failing_row(Class::Unreachable) }
}

fn state(is_open: bool, is_closing: bool, has_others: bool) -> Answer {
    Answer::OutageState(OutageState { is_open, is_closing, has_others })
}

#[test]
fn the_first_recovery_has_the_others_looked_at_and_the_last_ends_the_outage() {
    let later = format!("end out +{} s", CLOSE_AFTER.as_secs());
    let table = [
        (state(true, false, true), vec![&*later, "due 3 +0 s", "due 9 +0 s"]),
        (state(true, true, true), vec![&*later]),
        (state(true, true, false), vec!["end out +0 s"]),
        (state(true, false, false), vec!["end out +0 s"]),
        (state(false, false, true), vec![]),
    ];
    for (number, (state, expected)) in table.into_iter().enumerate() {
        let row = member_row();
        let world = World::new()
            .knowing(Need::OutageState("out_1".to_owned(), ID), state)
            .knowing(Need::FailingMembers("out_1".to_owned(), ID), idle([3, 9]));
        let run = finished(row.status, [passed()]);
        let effects = world.decide(|case, context| record(case, &row, &run, context)).effects;
        let found: Vec<_> = lines(&effects);
        let found: Vec<_> = found
            .iter()
            .filter(|line| line.starts_with("end") || line.starts_with("due"))
            .collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>(), "case {number}");
        assert_eq!(saved(&effects).outage, None);
        assert_eq!(data(&effects, EventType::ValidationRecovered).group.as_deref(), Some("out_1"));
    }
}

fn closing() -> (Outage, OutageMembers) {
    let outage = Outage {
        id: "out_1".to_owned(),
        factor: host("db.example"),
        cause: SharedCause::Unreached,
        since: NOW.minus(secs(900)),
    };
    let failure = PastEvent {
        id: "evt_1".to_owned(),
        integration: Some(IntegrationId(3)),
        at: Timestamp(NOW.0 - 800_000),
        delivery: None,
        incident: None,
    };
    let failing = |id, failure| FailingMember {
        integration: reference(id),
        incident: Some(Incident {
            id: format!("inc_{id}"),
            since: NOW.minus(secs(800)),
            is_notified: true,
        }),
        failure,
    };
    let failing = vec![failing(3, Some(failure)), failing(9, None)];
    (outage, OutageMembers { all: vec![member(3), member(7), member(9)], failing })
}

#[test]
fn an_outage_ends_for_those_who_were_sent_its_beginning() {
    let (outage, members) = closing();
    let began = vec![known("out_1", "beginnings", false), known("out_1", "pager", true)];
    let world = World::new()
        .subscribed([
            subscription("pager", "*"),
            subscription("late", "*"),
            subscription("beginnings", "integrations.outage"),
            Subscription { selection: named("lake-9"), ..subscription("other", "*") },
        ])
        .knowing(Need::Known("out_1".to_owned()), Answer::Known(began))
        .knowing(Need::Known("inc_3".to_owned()), Answer::Known(Vec::new()));
    let decision = world.decide(|case, context| close_outage(case, &outage, &members, context));
    assert_eq!(
        lines(&decision.effects),
        [
            "close out +0 s",
            "operational 41",
            "evt integrations.outage.resolved 41 of 0",
            "enqueue evt of 0 to pager +0 s",
            "leave 3",
            "insert evt_1 of 3 to pager",
            "head of 3 to pager +0 s",
            "insert evt_1 of 3 to late",
            "head of 3 to late +0 s",
            "leave 9",
        ]
    );
    let notice = notice(&decision.effects, EventType::OutageResolved);
    assert_eq!((&*notice.outage_id, notice.outage_ms), ("out_1", Some(900_000)));
    assert_eq!((notice.since, notice.integrations.len()), (outage.since, 3));
}
