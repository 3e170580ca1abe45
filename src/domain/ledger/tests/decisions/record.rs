//! Recording a run: leases, verdicts, what is stored, and what receivers are notified of.

use super::kit::*;
use crate::domain::ledger::{
    Effect, FactsRef, Fingerprint, Finished, Need, NotificationContext, Progress, Recorded, Row,
    Seen, Suspect, record as decide,
};
use crate::domain::{
    Class, Counters, EventType, Expiry, ExpiryKind, Fact, FactKind, Facts, Report, ReportStatus,
    Status, Subject, Timestamp, Verdict,
};

pub(super) fn record(world: &World, row: &Row, run: &Finished) -> (Vec<Effect>, Recorded) {
    let decision = world.decide(|case, context| decide(case, row, run, context));
    (decision.effects, decision.answer)
}

fn recorded(row: &Row, report: Report) -> Vec<Effect> {
    record(&World::new(), row, &finished(row.status, [report])).0
}

#[test]
fn a_passing_run_is_stored_without_a_notification() {
    let (effects, answer) = record(&World::new(), &row(), &finished(Status::Enabled, [passed()]));
    assert_eq!(lines(&effects), ["run 100 of subject 0: a passing run", "save 7 as enabled"]);
    let Recorded::Stored { run, index: 0, verdict, rule, transition, next_run_at } = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((run, verdict, &*rule), (RUN, Verdict::Passed, "a passing run"));
    assert_eq!((transition, next_run_at), (None, scheduled()));
    let row = saved(&effects);
    assert_eq!((row.lease, row.active.last_run, row.next_run_at), (None, Some(100), scheduled()));
    assert_eq!(row.active.evidence.counters, Counters { failures: 0, passes: 1 });
    let at = NOW.minus(secs(10));
    assert_eq!(row.seen.fingerprint, Some(Fingerprint { facts: FactsRef::OfRun(0), at }));
}

#[test]
fn a_run_without_its_lease_stores_nothing() {
    let run = finished(Status::Enabled, [failed(Class::Denied)]);
    let other = row().lease.map(|lease| crate::domain::ledger::Lease { token: TOKEN + 1, ..lease });
    for lease in [None, other] {
        let (effects, answer) = record(&World::new(), &Row { lease, ..row() }, &run);
        assert!(effects.is_empty() && matches!(answer, Recorded::Overtaken), "{effects:?}");
    }
    let run = Finished { runs: Vec::new(), ..run };
    let (effects, answer) = record(&World::new(), &row(), &run);
    assert!(effects.is_empty() && matches!(answer, Recorded::Overtaken));
}

#[test]
fn a_run_of_an_integration_that_is_removed_meanwhile_only_gives_up_its_lease() {
    let row = Row { status: Status::Deleting, ..row() };
    let run = finished(Status::Enabled, [failed(Class::Denied)]);
    let (effects, answer) = record(&World::new(), &row, &run);
    assert!(matches!(answer, Recorded::Overtaken));
    assert_eq!(lines(&effects), ["save 7 as deleting"]);
    assert_eq!(saved(&effects), Row { lease: None, ..row });
}

#[test]
fn a_definitive_failure_opens_an_incident_and_notifies_at_once() {
    let world = World::new().knowing(Need::Results(90), stored(&passed()));
    let (effects, answer) =
        record(&world, &row(), &finished(Status::Enabled, [failed(Class::Missing)]));
    assert_eq!(
        lines(&effects),
        [
            "run 100 of subject 0: a definitive failure (missing) counts at once",
            "transition enabled -> recurringValidationError by activeFailed, run 100, inc, +0 s",
            "evt integration.validation.failed 2 of 7",
            "enqueue evt of 7 to pager +0 s",
            "save 7 as recurringValidationError",
        ]
    );
    let Recorded::Stored { verdict, transition, .. } = answer else { panic!("{answer:?}") };
    assert_eq!((verdict, transition.unwrap().from), (Verdict::Failed, Status::Enabled));
    let row = saved(&effects);
    let began = NOW.minus(secs(10));
    assert_eq!(row.incident.as_ref().unwrap().since, began);
    assert_eq!(row.suspect, Some(Suspect { since: began, class: Class::Missing }));
    assert_eq!(row.notified, Status::RecurringValidationError);
    assert_eq!((row.sequence, row.flips.0.len()), (2, 1));
    assert_eq!(row.active.evidence.counters, Counters { failures: 1, passes: 0 });
    let event = data(&effects, EventType::ValidationFailed);
    assert_eq!((event.sequence, &*event.epoch), (2, "epoch"));
    assert_eq!(event.incident_id, row.incident.map(|incident| incident.id));
    assert_eq!((event.previous_status, event.status), (Some(Status::Enabled), row.status));
    assert_eq!(
        (event.failing_since, event.outage_ms, event.group.as_deref()),
        (Some(began), None, None)
    );
    let run = event.run.clone().unwrap();
    assert_eq!(
        (run.id, &*run.trigger, run.started_at, run.duration_ms),
        (100, "schedule", began, 4000)
    );
    let [change] = event.changes.as_slice() else { panic!("{:?}", event.changes) };
    assert_eq!((change.from, change.to), (Some(ReportStatus::Passed), ReportStatus::Failed));
    assert_eq!(
        (change.class, change.message.as_deref()),
        (Some(Class::Missing), Some("it failed"))
    );
    assert_eq!(change.remediation.as_deref(), Some("grant it"));
    assert_eq!(status_of(&event), Some(ReportStatus::Failed));
    assert_eq!(event.integration, row_reference());
    let link = link(&effects, EventType::ValidationFailed);
    assert_eq!(link, "https://status.example.com/i/warehouse");
    let without = NotificationContext { page: None, ..world.context.clone() };
    let (effects, _) = record(
        &World { context: without, ..world },
        &self::row(),
        &finished(Status::Enabled, [failed(Class::Missing)]),
    );
    assert_eq!(data(&effects, EventType::ValidationFailed).links, None);
}

fn row_reference() -> crate::domain::IntegrationRef {
    row().reference()
}

#[test]
fn an_incident_begins_with_the_first_failing_run() {
    let first = NOW.minus(secs(300));
    let before = failed_before(1);
    let active = Progress { failing_since: Some(first), ..before.active.clone() };
    let run = finished(Status::Enabled, [failed(Class::Unreachable)]);
    let effects = record(&World::new(), &Row { active, ..before }, &run).0;
    assert_eq!(saved(&effects).incident.unwrap().since, first);
    assert_eq!(data(&effects, EventType::ValidationFailed).failing_since, Some(first));
}

#[test]
fn a_transient_failure_is_confirmed_soon_and_quietly() {
    let effects = recorded(&row(), failed(Class::Unreachable));
    assert!(is_quiet(&effects), "{:#?}", lines(&effects));
    let row = saved(&effects);
    assert_eq!((row.status, row.active.evidence.counters.failures), (Status::Enabled, 1));
    assert_eq!(row.next_run_at, Some(NOW.plus(secs(60))));
    assert_eq!(row.trigger, crate::domain::ledger::Trigger::Confirm);
    let row = row_with_lease(row);
    let close = recorded(&row, failed(Class::Unreachable));
    let closer = saved(&close);
    let looks = |row: &Row| row.active.evidence.looks.clone();
    assert_eq!((closer.status, looks(&closer)), (Status::Enabled, looks(&row)), "it counts once");
    assert!(is_quiet(&close), "{:#?}", lines(&close));
    let row = failed_before(1);
    let second = recorded(&row, failed(Class::Unreachable));
    assert_eq!(saved(&second).status, Status::RecurringValidationError);
    assert_eq!(events(&second, EventType::ValidationFailed).len(), 1);
}

/// The row as the next run finds it.
pub(super) fn row_with_lease(saved: Row) -> Row {
    Row { lease: row().lease, ..saved }
}

#[test]
fn failures_keep_the_beginning_of_the_first_and_the_class_of_the_latest() {
    let since = NOW.minus(secs(4000));
    let row = Row { suspect: Some(Suspect { since, class: Class::Denied }), ..row() };
    let effects = recorded(&row, failed(Class::Throttled));
    assert_eq!(saved(&effects).suspect, Some(Suspect { since, class: Class::Throttled }));
    for good in [passed(), warned("soon")] {
        assert_eq!(saved(&recorded(&row, good)).suspect, None);
    }
    let skipped = report(crate::domain::Outcome::Skipped("no test".to_owned()));
    for inconclusive in [failed(Class::Local), skipped] {
        assert_eq!(saved(&recorded(&row, inconclusive)).suspect, row.suspect);
    }
}

#[test]
fn a_recovery_closes_the_incident_and_says_how_long_it_lasted() {
    let world = World::new()
        .knowing(Need::LatestBad(ID, Some(Subject::Active), None), stored(&failed(Class::Denied)));
    let row = failing_row(Class::Denied);
    let (effects, _) = record(&world, &row, &finished(row.status, [passed()]));
    assert_eq!(
        lines(&effects),
        [
            "run 100 of subject 0: a passing run",
            "transition recurringValidationError -> enabled by activePassed, run 100, inc, +0 s",
            "evt integration.validation.recovered 2 of 7",
            "enqueue evt of 7 to pager +0 s",
            "save 7 as enabled",
        ]
    );
    let event = data(&effects, EventType::ValidationRecovered);
    assert_eq!((event.outage_ms, event.incident_id.as_deref()), (Some(600_000), Some("inc_1")));
    assert_eq!(event.previous_status, Some(Status::RecurringValidationError));
    let [change] = event.changes.as_slice() else { panic!("{:?}", event.changes) };
    assert_eq!((change.from, change.to), (Some(ReportStatus::Failed), ReportStatus::Passed));
    let row = saved(&effects);
    assert_eq!((row.incident, row.suspect, row.notified), (None, None, Status::Enabled));
}

#[test]
fn results_are_compared_with_the_latest_that_went_the_other_way() {
    // Results that only confirmed a verdict show nothing that broke.
    let world = World::new()
        .knowing(Need::Results(90), stored(&failed(Class::Unreachable)))
        .knowing(Need::LatestGood(ID, None), stored(&passed()));
    let row = failed_before(1);
    let (effects, _) = record(&world, &row, &finished(row.status, [failed(Class::Unreachable)]));
    let event = data(&effects, EventType::ValidationFailed);
    assert_eq!(event.changes[0].from, Some(ReportStatus::Passed));
    // Without one, with those before; without any, with nothing.
    for (before, from) in [
        (stored(&warned("w")), Some(ReportStatus::Warning)),
        (crate::domain::ledger::Answer::Results(None), None),
    ] {
        let world = World::new().knowing(Need::Results(90), before);
        let (effects, _) =
            record(&world, &row, &finished(row.status, [failed(Class::Unreachable)]));
        assert_eq!(data(&effects, EventType::ValidationFailed).changes[0].from, from);
    }
    let active = Progress { last_run: None, ..row.active.clone() };
    let row = Row { active, ..row };
    let (effects, _) = record(&World::new(), &row, &finished(row.status, [failed(Class::Missing)]));
    assert_eq!(data(&effects, EventType::ValidationFailed).changes[0].from, None);
}

#[test]
fn only_new_warnings_of_an_integration_that_works_are_notified() {
    let before =
        |message: &str| World::new().knowing(Need::LatestGood(ID, None), stored(&warned(message)));
    let new = before("in 30 days");
    let (effects, _) = record(&new, &row(), &finished(Status::Enabled, [warned("in 7 days")]));
    let event = data(&effects, EventType::ValidationWarning);
    assert_eq!((event.previous_status, event.status), (Some(Status::Enabled), Status::Enabled));
    assert_eq!((event.sequence, status_of(&event)), (2, Some(ReportStatus::Warning)));
    assert_eq!(lines(&effects).last().unwrap(), "save 7 as enabled");
    let known = before("in 7 days");
    let (effects, _) = record(&known, &row(), &finished(Status::Enabled, [warned("in 7 days")]));
    assert!(is_quiet(&effects));
    // Without an earlier run every warning is new.
    let (effects, _) = record(&World::new(), &row(), &finished(Status::Enabled, [warned("w")]));
    assert_eq!(events(&effects, EventType::ValidationWarning).len(), 1);
    // A recovery with a warning is a recovery.
    let failing = failing_row(Class::Denied);
    let (effects, _) = record(&World::new(), &failing, &finished(failing.status, [warned("w")]));
    assert!(events(&effects, EventType::ValidationWarning).is_empty());
    assert_eq!(events(&effects, EventType::ValidationRecovered).len(), 1);
}

#[test]
fn a_candidate_that_passes_is_adopted_and_begins_without_evidence() {
    let candidate = Progress { evidence: failures(1), last_run: Some(90), failing_since: None };
    let row = Row { candidate, ..in_status(Status::Editing) };
    let world = World::new().knowing(Need::Results(90), stored(&failed(Class::Missing)));
    let (effects, _) = record(&world, &row, &finished(row.status, [passed()]));
    assert_eq!(
        lines(&effects),
        [
            "run 100 of subject 0: a passing run",
            "adopt 7",
            "transition editing -> enabled by candidatePassed, run 100, no incident, +0 s",
            "evt integration.status.changed 1 of 7",
            "enqueue evt of 7 to pager +0 s",
            "save 7 as enabled",
        ]
    );
    let adopted = Progress { last_run: Some(100), ..Progress::default() };
    assert_eq!((saved(&effects).active, saved(&effects).candidate), (adopted, Progress::default()));
    let event = data(&effects, EventType::StatusChanged);
    assert_eq!((event.transition, event.sequence), (Some(5), 1));
    assert_eq!(event.changes[0].from, Some(ReportStatus::Failed));
    let (effects, _) = record(&World::new(), &row, &finished(row.status, [failed(Class::Missing)]));
    assert_eq!(saved(&effects).status, Status::EditError);
    assert!(!lines(&effects).contains(&"adopt 7".to_owned()), "{:#?}", lines(&effects));
    assert_eq!(saved(&effects).suspect, None, "a candidate's failure is no sign of an outage");
}

fn expiring(mut run: Finished, index: usize, ends: &[i64]) -> Finished {
    let expiry = |days: &i64| Expiry {
        kind: ExpiryKind::Key,
        of: format!("key {days}"),
        at: Timestamp(NOW.0 + days * 86_400_000),
    };
    run.runs[index].observed.expiries = ends.iter().map(expiry).collect();
    run
}

/// Expiry known before, report, expiries that the run saw, expiry known after; in days.
type ExpiryCase<'a> = (Option<i64>, Report, &'a [i64], Option<i64>);

#[test]
fn the_earliest_expiry_is_known_until_a_passing_run_saw_another() {
    let day = |days: i64| Timestamp(NOW.0 + days * 86_400_000);
    let table: [ExpiryCase<'_>; 8] = [
        (None, passed(), &[9, 5], Some(5)),
        (Some(3), passed(), &[5], Some(5)),
        (Some(3), passed(), &[], None),
        (Some(3), failed(Class::Missing), &[], Some(3)),
        (Some(3), failed(Class::Missing), &[5], Some(3)),
        (Some(3), failed(Class::Missing), &[3], Some(3)),
        (Some(3), failed(Class::Missing), &[2], Some(2)),
        (None, failed(Class::Missing), &[2], Some(2)),
    ];
    for (number, (known, report, ends, expected)) in table.into_iter().enumerate() {
        let next_end = known.map(|days| (day(days), "known".to_owned()));
        let row = Row { seen: Seen { next_end, ..Seen::default() }, ..row() };
        let is_good = report.status() == ReportStatus::Passed;
        let run = expiring(finished(row.status, [report]), 0, ends);
        let seen = saved(&record(&World::new(), &row, &run).0).seen;
        let found = seen.next_end.as_ref().map(|(at, _)| *at);
        assert_eq!(found, expected.map(day), "case {number}");
        assert_eq!(seen.fingerprint.is_some(), is_good, "case {number}");
        if let Some((_, text)) = seen.next_end.filter(|_| found != known.map(day)) {
            assert!(text.contains("key"), "case {number}: {text}");
        }
    }
    // The run that passed counts, not the first.
    let row = Row { status: Status::EditError, notified: Status::EditError, ..row() };
    let run = finished(row.status, [failed(Class::Missing), passed()]);
    let run = expiring(expiring(run, 0, &[1]), 1, &[4]);
    let seen = saved(&record(&World::new(), &row, &run).0).seen;
    assert_eq!(seen.next_end.unwrap().0, day(4));
}

#[test]
fn a_failing_run_lists_the_facts_that_differ() {
    let facts = |grant: &str| {
        let fact = Fact { kind: FactKind::Grant, of: "db".to_owned() };
        Facts::from([(fact, [grant.to_owned()].into())])
    };
    let drifting = |status, reports: [Report; 1]| {
        let mut run = finished(status, reports);
        run.begun.fingerprint = Some(facts("SELECT"));
        run.runs[0].observed.facts = facts("USAGE");
        run
    };
    let (effects, _) =
        record(&World::new(), &row(), &drifting(Status::Enabled, [failed(Class::Denied)]));
    let drift = data(&effects, EventType::ValidationFailed).drift;
    assert_eq!(
        (&*drift[0].lost, &*drift[0].gained),
        (&["SELECT".to_owned()][..], &["USAGE".to_owned()][..])
    );
    let failing = failing_row(Class::Denied);
    let (effects, _) = record(&World::new(), &failing, &drifting(failing.status, [passed()]));
    assert!(data(&effects, EventType::ValidationRecovered).drift.is_empty());
    // A configuration that is not in force yet may well see other facts.
    let editing = Row { status: Status::Editing, notified: Status::Editing, ..row() };
    let (effects, _) =
        record(&World::new(), &editing, &drifting(editing.status, [failed(Class::Denied)]));
    assert!(data(&effects, EventType::ValidationFailed).drift.is_empty());
}
