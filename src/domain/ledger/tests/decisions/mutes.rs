//! Mutes: what makes notifications wait, which one waits longest, and what follows when it ends.

use super::kit::*;
use crate::domain::ledger::{
    Answer, Effect, Finished, Flapping, Incident, Mute, Need, Progress, Row, Silence, record,
    release,
};
use crate::domain::{
    Class, EventType, Flips, Maintenance, ReportStatus, Schedule, Selection, Status, Subject,
    Timestamp,
};

fn silence(id: i64, selection: Selection, until: u64) -> Silence {
    Silence { id, acknowledges: None, selection, from: NOW, until: NOW.plus(secs(until)) }
}

fn acknowledgement(id: i64, of: i64, until: u64) -> Silence {
    let acknowledges = Some(crate::domain::IntegrationId(of));
    Silence { acknowledges, ..silence(id, Selection::default(), until) }
}

fn silenced(open: &[Silence]) -> World {
    World::new().knowing(Need::Silences, Answer::Silences(open.to_vec()))
}

/// A window that is open now for so many seconds more.
fn window(name: &str, selection: Selection, left: u64) -> Maintenance {
    let opened = NOW.minus(secs(60)).to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
    let cron = format!("{} {} * * *", opened.minute(), opened.hour());
    let start = NOW.minus(secs(60 + u64::try_from(opened.second()).unwrap()));
    let duration = NOW.plus(secs(left)).since(start);
    let schedule = Schedule::parse(&cron, "UTC").unwrap();
    Maintenance { name: name.to_owned(), schedule, duration, selection }
}

fn run(world: &World, row: &Row, run: &Finished) -> Vec<Effect> {
    world.decide(|case, context| record(case, row, run, context)).effects
}

fn failing_run(row: &Row) -> Finished {
    finished(row.status, [failed(Class::Missing)])
}

#[test]
fn the_mute_that_lasts_longest_counts_and_others_do_not_apply() {
    let other = named("lake*");
    let table = [
        (vec![silence(3, named("ware*"), 100)], vec![], Some(("silence 3", 100))),
        (vec![silence(3, other.clone(), 100)], vec![], None),
        (vec![acknowledgement(4, 7, 50)], vec![], Some(("acknowledgement 4", 50))),
        (vec![acknowledgement(4, 8, 50)], vec![], None),
        (
            vec![silence(3, named("*"), 100), acknowledgement(4, 7, 200)],
            vec![],
            Some(("acknowledgement 4", 200)),
        ),
        (
            vec![silence(3, named("*"), 100)],
            vec![window("nightly", named("warehouse"), 300)],
            Some(("maintenance `nightly`", 300)),
        ),
        (
            vec![silence(3, named("*"), 400)],
            vec![window("nightly", named("warehouse"), 300)],
            Some(("silence 3", 400)),
        ),
        (vec![], vec![window("nightly", other, 300)], None),
    ];
    for (number, (open, windows, expected)) in table.into_iter().enumerate() {
        let mut world = silenced(&open);
        world.context.maintenance = windows.into();
        let effects = run(&world, &row(), &failing_run(&row()));
        let mute =
            expected.map(|(by, left)| Mute { until: NOW.plus(secs(left)), by: by.to_owned() });
        assert_eq!(saved(&effects).mute, mute, "case {number}");
        assert_eq!(is_quiet(&effects), mute.is_some(), "case {number}");
    }
}

#[test]
fn a_muted_failure_moves_the_status_without_a_notification() {
    let world = silenced(&[acknowledgement(4, 7, 100)]);
    let effects = run(&world, &row(), &failing_run(&row()));
    assert!(is_quiet(&effects), "{:#?}", lines(&effects));
    let row = saved(&effects);
    assert_eq!((row.status, row.notified), (Status::RecurringValidationError, Status::Enabled));
    assert_eq!((row.sequence, row.flips.0.len()), (1, 0));
    assert!(row.incident.is_some());
    // It works again before receivers were notified: there was no incident.
    let muted = Row { lease: super::kit::row().lease, ..row };
    let effects = run(&world, &muted, &finished(muted.status, [passed()]));
    let row = saved(&effects);
    assert!(is_quiet(&effects));
    assert_eq!((row.status, row.incident), (Status::Enabled, None));
}

#[test]
fn a_muted_recovery_keeps_its_incident_until_it_is_notified() {
    let world = silenced(&[silence(3, named("*"), 100)]);
    let row = failing_row(Class::Missing);
    let effects = run(&world, &row, &finished(row.status, [passed()]));
    assert!(is_quiet(&effects));
    let row = saved(&effects);
    assert_eq!((row.status, row.notified), (Status::Enabled, Status::RecurringValidationError));
    assert_eq!(row.incident.as_ref().map(|one| &*one.id), Some("inc_1"));
    let since = NOW.minus(secs(120));
    let world = World::new().knowing(Need::StatusSince(ID), Answer::Instant(Some(since)));
    let effects = released(&world, &row).0;
    let event = data(&effects, EventType::ValidationRecovered);
    assert_eq!((event.outage_ms, event.incident_id.as_deref()), (Some(480_000), Some("inc_1")));
    assert_eq!(saved(&effects).incident, None);
}

fn released(world: &World, row: &Row) -> (Vec<Effect>, bool) {
    let decision = world.decide(|case, context| release(case, row, context));
    (decision.effects, decision.answer)
}

/// An incident of which receivers were not notified.
fn unknown() -> Incident {
    Incident { is_notified: false, ..incident(600) }
}

fn muted() -> Mute {
    Mute { until: NOW, by: "silence 3".to_owned() }
}

#[test]
fn a_mute_that_goes_on_is_only_extended() {
    let row = Row { mute: Some(muted()), ..failing_row(Class::Missing) };
    let row = Row { notified: Status::Enabled, incident: Some(unknown()), ..row };
    let world = silenced(&[silence(9, named("*"), 500)]);
    let (effects, has_ended) = released(&world, &row);
    assert!(!has_ended);
    assert_eq!(lines(&effects), ["save 7 as recurringValidationError"]);
    let mute = Mute { until: NOW.plus(secs(500)), by: "silence 9".to_owned() };
    assert_eq!(saved(&effects), Row { mute: Some(mute), ..row });
}

#[test]
fn nothing_follows_where_nothing_is_muted() {
    let row =
        Row { notified: Status::Enabled, incident: Some(unknown()), ..failing_row(Class::Missing) };
    let (effects, has_ended) = released(&World::new(), &row);
    assert!(!has_ended);
    assert_eq!(saved(&effects), row);
    assert!(is_quiet(&effects));
}

#[test]
fn a_failure_that_still_lasts_is_notified_when_its_mute_ends() {
    let row = Row {
        mute: Some(muted()),
        notified: Status::Enabled,
        incident: Some(unknown()),
        ..failing_row(Class::Missing)
    };
    let world = World::new()
        .knowing(Need::Results(90), stored(&failed(Class::Missing)))
        .knowing(Need::LatestGood(ID, Some(90)), stored(&passed()))
        .knowing(Need::LatestBad(ID, Some(Subject::Active), Some(90)), stored(&warned("w")));
    let (effects, has_ended) = released(&world, &row);
    assert!(has_ended);
    assert_eq!(
        lines(&effects),
        [
            "evt integration.validation.failed 2 of 7",
            "enqueue evt of 7 to pager +0 s",
            "save 7 as recurringValidationError",
        ]
    );
    let event = data(&effects, EventType::ValidationFailed);
    assert_eq!((event.run.is_none(), event.previous_status), (true, Some(Status::Enabled)));
    assert_eq!(status_of(&event), Some(ReportStatus::Failed));
    assert_eq!(event.changes[0].from, Some(ReportStatus::Passed));
    let after = saved(&effects);
    assert_eq!((after.mute, after.notified), (None, Status::RecurringValidationError));
    assert_eq!(after.incident, Some(incident(600)));
}

#[test]
fn a_recovery_is_compared_with_the_latest_failure() {
    let row = Row {
        status: Status::Enabled,
        suspect: None,
        mute: Some(muted()),
        ..failing_row(Class::Missing)
    };
    let world = World::new()
        .knowing(Need::Results(90), stored(&passed()))
        .knowing(Need::LatestGood(ID, Some(90)), stored(&warned("w")))
        .knowing(
            Need::LatestBad(ID, Some(Subject::Active), Some(90)),
            stored(&failed(Class::Missing)),
        );
    let (effects, _) = released(&world, &row);
    let event = data(&effects, EventType::ValidationRecovered);
    assert_eq!(event.changes[0].from, Some(ReportStatus::Failed));
    assert_eq!(status_of(&event), Some(ReportStatus::Passed));
    // Runs that are no longer kept leave nothing to compare.
    for row in [row.clone(), Row { active: Progress { last_run: None, ..row.active }, ..row }] {
        let (effects, _) = released(&World::new(), &row);
        let event = data(&effects, EventType::ValidationRecovered);
        assert!(event.validation_results.is_none() && event.changes.is_empty());
    }
}

#[test]
fn a_failure_that_passed_while_it_was_muted_is_forgotten() {
    let open = Incident { is_notified: false, ..incident(0) };
    let row = Row { mute: Some(muted()), incident: Some(open), ..row() };
    let (effects, has_ended) = released(&World::new(), &row);
    assert!(has_ended && is_quiet(&effects));
    assert_eq!(saved(&effects), Row { mute: None, incident: None, ..row });
}

#[test]
fn warnings_are_notified_after_their_mute_if_they_last() {
    let world = silenced(&[silence(3, named("*"), 100)]);
    let effects = run(&world, &row(), &finished(Status::Enabled, [warned("w")]));
    assert!(is_quiet(&effects));
    let row = saved(&effects);
    assert!(row.warning_muted && row.mute.is_some());
    let row = Row { active: Progress { last_run: Some(90), ..row.active }, ..row };
    for (latest, count) in [(warned("w"), 1), (passed(), 0)] {
        let world = World::new().knowing(Need::Results(90), stored(&latest));
        let (effects, has_ended) = released(&world, &row);
        assert!(has_ended);
        assert_eq!(events(&effects, EventType::ValidationWarning).len(), count);
        assert!(!saved(&effects).warning_muted);
    }
    let unmuted = Row { warning_muted: false, ..row.clone() };
    let world = World::new().knowing(Need::Results(90), stored(&warned("w")));
    assert!(is_quiet(&released(&world, &unmuted).0));
    assert!(is_quiet(
        &released(&World::new(), &Row { active: Progress { last_run: None, ..row.active }, ..row })
            .0
    ));
}

#[test]
fn a_run_first_ends_mutes_that_are_over() {
    // The failure is notified, then the run that found it over.
    let row = Row {
        mute: Some(muted()),
        notified: Status::Enabled,
        incident: Some(unknown()),
        ..failing_row(Class::Missing)
    };
    let effects = run(&World::new(), &row, &finished(row.status, [passed()]));
    let kinds: Vec<_> =
        lines(&effects).into_iter().filter(|line| line.starts_with("evt")).collect();
    assert_eq!(
        kinds,
        ["evt integration.validation.failed 2 of 7", "evt integration.validation.recovered 3 of 7"]
    );
}

fn flipped(ago: &[u64]) -> Flips {
    Flips(ago.iter().map(|ago| NOW.minus(secs(*ago))).collect())
}

#[test]
fn more_changes_than_allowed_are_flapping_and_one_event_says_so() {
    let row = Row { flips: flipped(&[900, 600, 300]), ..row() };
    let effects = run(&World::new(), &row, &failing_run(&row));
    assert!(events(&effects, EventType::ValidationFailed).is_empty());
    let event = data(&effects, EventType::FlappingStarted);
    assert_eq!(event.previous_status, Some(Status::Enabled));
    let row = saved(&effects);
    // Two runs lie two hours apart: less is no calm.
    let until = NOW.plus(secs(7200));
    assert_eq!(row.flapping, Some(Flapping { since: NOW, until }));
    assert_eq!(row.mute, Some(Mute { until, by: "flapping".to_owned() }));
    assert_eq!(row.notified, Status::Enabled, "no failure was notified");
    assert!(row.incident.unwrap().is_notified, "its end is waited for");
    assert_eq!(row.flips.0.len(), 4);
}

#[test]
fn the_calm_is_that_of_the_policy_when_it_is_longer_than_two_runs() {
    let row = Row { flips: flipped(&[900, 600, 300]), ..row() };
    let mut run_of = failing_run(&row);
    run_of.policy.flap_calm = secs(9000);
    let effects = run(&World::new(), &row, &run_of);
    assert_eq!(saved(&effects).flapping.unwrap().until, NOW.plus(secs(9000)));
    run_of.policy.flap_flips = 4;
    let effects = run(&World::new(), &row, &run_of);
    assert_eq!(saved(&effects).flapping, None);
    assert_eq!(events(&effects, EventType::ValidationFailed).len(), 1);
}

/// The pairs of events of a mute's end: types, by their names' last words.
fn kinds(effects: &[Effect]) -> Vec<String> {
    let lines = lines(effects).into_iter().filter(|line| line.starts_with("evt"));
    lines
        .map(|line| line.split(' ').nth(1).unwrap().rsplit('.').next().unwrap().to_owned())
        .collect()
}

#[test]
fn flapping_that_ends_in_a_failure_notifies_of_it_unless_it_is_known() {
    let failing =
        |notified| Row { status: Status::RecurringValidationError, notified, ..flapping(0) };
    let (effects, _) = released(&World::new(), &failing(Status::Enabled));
    assert_eq!(kinds(&effects), ["ended", "failed"]);
    let (effects, _) = released(&World::new(), &failing(Status::RecurringValidationError));
    assert_eq!(kinds(&effects), ["ended"]);
}

#[test]
fn operation_that_fails_is_muted_like_any_failure() {
    let world = silenced(&[acknowledgement(4, 7, 100)]);
    for (status, after) in [
        (Status::Creating, Status::CreateError),
        (Status::Editing, Status::EditError),
        (Status::Migrating, Status::MigrateError),
    ] {
        let row = in_status(status);
        let effects = run(&world, &row, &failing_run(&row));
        assert!(is_quiet(&effects), "{:#?}", lines(&effects));
        let muted = saved(&effects);
        assert_eq!((muted.status, muted.notified), (after, status));
        let (effects, _) = released(&World::new(), &muted);
        assert_eq!(data(&effects, EventType::ValidationFailed).status, after);
        assert_eq!(saved(&effects).notified, after);
    }
}

fn flapping(left: i64) -> Row {
    let until = Timestamp(NOW.0 + left * 1000);
    Row {
        flapping: Some(Flapping { since: NOW.minus(secs(500)), until }),
        mute: Some(Mute { until, by: "flapping".to_owned() }),
        flips: flipped(&[900, 600, 300, 200]),
        incident: Some(incident(600)),
        ..row()
    }
}

#[test]
fn each_change_prolongs_the_calm_that_ends_flapping() {
    let effects = run(&World::new(), &flapping(100), &failing_run(&row()));
    assert!(is_quiet(&effects), "{:#?}", lines(&effects));
    let row = saved(&effects);
    let until = NOW.plus(secs(7200));
    assert_eq!(row.flapping, Some(Flapping { since: NOW.minus(secs(500)), until }));
    assert_eq!(row.mute.unwrap().until, until);
    assert_eq!(row.status, Status::RecurringValidationError);
}

#[test]
fn flapping_ends_with_one_event_after_its_calm_and_not_before() {
    let (effects, has_ended) = released(&World::new(), &flapping(1));
    assert!(!has_ended && is_quiet(&effects));
    let (effects, has_ended) = released(&World::new(), &flapping(0));
    assert!(has_ended);
    assert_eq!(
        lines(&effects),
        [
            "evt integration.flapping.ended 2 of 7",
            "enqueue evt of 7 to pager +0 s",
            "evt integration.validation.recovered 3 of 7",
            "enqueue evt of 7 to pager +0 s",
            "save 7 as enabled",
        ]
    );
    let event = data(&effects, EventType::FlappingEnded);
    assert_eq!((event.incident_id.as_deref(), event.outage_ms), (Some("inc_1"), None));
    let row = saved(&effects);
    assert_eq!((row.flapping, row.mute, row.incident), (None, None, None));
    assert!(row.flips.0.is_empty());
    // A silence that is open then holds the end back.
    let world = silenced(&[silence(3, named("*"), 100)]);
    let (effects, has_ended) = released(&world, &flapping(0));
    assert!(!has_ended && is_quiet(&effects));
    assert_eq!(saved(&effects).mute.unwrap().by, "silence 3");
}

#[test]
fn an_incident_stays_open_while_its_integration_flaps() {
    let failing = Row { status: Status::RecurringValidationError, ..flapping(100) };
    let effects = run(&World::new(), &failing, &finished(failing.status, [passed()]));
    assert_eq!(saved(&effects).incident.map(|one| one.id).as_deref(), Some("inc_1"));
}

#[test]
fn muted_changes_do_not_count_as_flapping() {
    let world = silenced(&[silence(3, named("*"), 100)]);
    let row = Row { flips: flipped(&[900, 600, 300]), ..row() };
    let effects = run(&world, &row, &failing_run(&row));
    assert_eq!((saved(&effects).flapping, saved(&effects).flips), (None, row.flips));
}
