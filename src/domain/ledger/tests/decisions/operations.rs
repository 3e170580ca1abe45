//! Operations: what the configuration makes of an integration, and what receivers are notified of.

use std::collections::BTreeMap;

use super::kit::*;
use crate::domain::ledger::{
    Answer, Effect, Flapping, Incident, Mute, Need, Progress, Row, Stored, Trigger, Wanted, adjust,
    create, drain, remove, roll_back_removal,
};
use crate::domain::{
    Cause, Class, EndedBy, EventType, IntegrationId, OwnFault, Pool, ReportStatus, Schedule,
    Status, Transition,
};

pub(super) fn wanted() -> Wanted {
    Wanted {
        name: "warehouse".to_owned(),
        formerly: None,
        id: None,
        kind: "Amazon Redshift".to_owned(),
        auto_bootstrap: Some(true),
        labels: row().labels,
        disabled: false,
        schedule: schedule(),
        config: "{}".to_owned(),
        config_shown: "shown".to_owned(),
        catalog_version: 2,
        factors: Vec::new(),
        run_on: Pool::default(),
    }
}

/// The integration as it stands when [`wanted`] is in force.
pub(super) fn in_force(row: Row) -> Stored {
    Stored {
        formerly: None,
        row,
        auto_bootstrap: Some(true),
        config_shown: "shown".to_owned(),
        active_config: Some("{}".to_owned()),
        active_catalog: Some(2),
        candidate_config: None,
        candidate_catalog: None,
        pool: None,
    }
}

fn status(status: Status) -> Row {
    in_status(status)
}

pub(super) fn adjusted(
    world: &World,
    stored: &Stored,
    wanted: &Wanted,
) -> (Vec<Effect>, Option<Transition>) {
    let decision = world.decide(|case, context| adjust(case, stored, wanted, false, context));
    (decision.effects, decision.answer)
}

#[test]
fn a_new_integration_is_announced_and_due_at_once() {
    let created = |wanted: &Wanted| {
        World::new().decide(|case, context| create(case, IntegrationId(8), wanted, context))
    };
    let decision = created(&wanted());
    assert_eq!(decision.answer, None);
    assert_eq!(
        lines(&decision.effects),
        [
            "insert warehouse as creating",
            "transition new, run 0, no incident, +0 s",
            "evt integration.status.changed 0 of 8",
            "enqueue evt of 8 to pager +0 s",
            "save 8 as creating",
        ]
    );
    let event = data(&decision.effects, EventType::StatusChanged);
    assert_eq!((event.status, event.previous_status), (Status::Creating, None));
    let row = saved(&decision.effects);
    assert_eq!(
        (row.id, row.next_run_at, row.trigger),
        (IntegrationId(8), Some(NOW), Trigger::Change)
    );
    assert_eq!((row.cron.as_str(), row.zone.as_str(), row.transitions), ("0 * * * *", "UTC", 1));
    assert_eq!((row.kind.as_str(), &row.labels), ("Amazon Redshift", &wanted().labels));
    let Effect::InsertIntegration(new) = &decision.effects[0] else { panic!() };
    assert_eq!((new.auto_bootstrap, &*new.config, &*new.config_shown), (Some(true), "{}", "shown"));
    assert_eq!((new.catalog_version, new.created_at, new.row.sequence), (2, NOW, 0));
    // One that is disabled is created all the same, and never due.
    let decision = created(&Wanted { disabled: true, ..wanted() });
    assert_eq!(decision.answer.map(|step| step.to), Some(Status::Disabled));
    let row = saved(&decision.effects);
    assert_eq!((row.status, row.next_run_at, row.transitions), (Status::Disabled, None, 2));
}

#[test]
fn an_unchanged_configuration_changes_nothing() {
    for stored in [in_force(row()), in_force(status(Status::RecurringValidationError))] {
        let row = Row { next_run_at: scheduled(), lease: None, ..stored.row };
        let (effects, step) = adjusted(&World::new(), &in_force(row), &wanted());
        assert!(effects.is_empty() && step.is_none(), "{:#?}", lines(&effects));
    }
    let disabled = in_force(Row { next_run_at: None, lease: None, ..status(Status::Disabled) });
    let (effects, step) =
        adjusted(&World::new(), &disabled, &Wanted { disabled: true, ..wanted() });
    assert!(effects.is_empty() && step.is_none());
}

#[test]
fn each_difference_from_the_configuration_is_an_edit() {
    let base = || Row { next_run_at: scheduled(), lease: None, ..row() };
    let edits = [
        Wanted { config: "{1}".to_owned(), ..wanted() },
        Wanted { kind: "Amazon S3".to_owned(), ..wanted() },
        Wanted { auto_bootstrap: None, ..wanted() },
    ];
    for wanted in edits {
        let (effects, step) = adjusted(&World::new(), &in_force(base()), &wanted);
        assert_eq!(step.map(|step| step.cause), Some(Cause::Changed));
        let found = lines(&effects);
        assert!(found.contains(&format!("propose warehouse {}", wanted.config)), "{found:#?}");
        assert_eq!(found.last().unwrap(), "save 7 as editing");
        let row = saved(&effects);
        assert_eq!((row.next_run_at, row.trigger, row.lease), (Some(NOW), Trigger::Change, None));
        assert_eq!(row.kind, wanted.kind);
    }
    // What is compared is the newest: a candidate, if there is one.
    let candidate = Stored {
        candidate_config: Some("{1}".to_owned()),
        candidate_catalog: Some(2),
        ..in_force(Row { next_run_at: scheduled(), lease: None, ..status(Status::EditError) })
    };
    let (effects, step) =
        adjusted(&World::new(), &candidate, &Wanted { config: "{1}".to_owned(), ..wanted() });
    assert!(effects.is_empty() && step.is_none(), "{:#?}", lines(&effects));
    let (_, step) = adjusted(&World::new(), &candidate, &wanted());
    assert_eq!(step.map(|step| step.to), Some(Status::Editing), "back to the one in force");
}

#[test]
fn descriptions_are_stored_without_a_validation() {
    let base = || in_force(Row { next_run_at: scheduled(), lease: None, ..row() });
    let labels = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
    let other = || Wanted { labels: labels.clone(), ..wanted() };
    let cases = [
        (base(), other()),
        (base(), Wanted { config_shown: "other".to_owned(), ..wanted() }),
        (
            Stored {
                candidate_config: Some("{}".to_owned()),
                candidate_catalog: Some(1),
                ..base()
            },
            wanted(),
        ),
    ];
    for (stored, wanted) in cases {
        let (effects, step) = adjusted(&World::new(), &stored, &wanted);
        assert_eq!((lines(&effects), step), (vec!["describe warehouse {}".to_owned()], None));
        let Effect::Describe(new) = &effects[0] else { panic!() };
        assert_eq!((&new.row.labels, &new.config_shown), (&wanted.labels, &wanted.config_shown));
    }
    let schedules = [("30 * * * *", "UTC"), ("0 * * * *", "Europe/Berlin")];
    for (cron, zone) in schedules {
        let schedule = Schedule::parse(cron, zone).unwrap();
        let (effects, _) = adjusted(&World::new(), &base(), &Wanted { schedule, ..wanted() });
        assert_eq!(lines(&effects)[0], "describe warehouse {}");
        let Effect::Describe(new) = &effects[0] else { panic!() };
        assert_eq!((&*new.row.cron, &*new.row.zone), (cron, zone));
    }
}

#[test]
fn the_configuration_moves_each_status_as_it_should() {
    let disabled = |disabled| Wanted { disabled, ..wanted() };
    let untried = |row| Stored {
        active_config: None,
        candidate_config: Some("{}".to_owned()),
        ..in_force(row)
    };
    let older = |row| Stored { active_catalog: Some(1), ..in_force(row) };
    let edited = || Wanted { config: "{1}".to_owned(), ..wanted() };
    let table = [
        (
            in_force(status(Status::Enabled)),
            disabled(true),
            Some(Cause::ForceDisabled),
            Status::Disabled,
        ),
        (
            in_force(status(Status::Deleting)),
            disabled(true),
            Some(Cause::ForceDisabled),
            Status::Disabled,
        ),
        (
            in_force(status(Status::Disabled)),
            disabled(false),
            Some(Cause::Reenabled),
            Status::Editing,
        ),
        (
            untried(status(Status::Disabled)),
            disabled(false),
            Some(Cause::ReenabledUntried),
            Status::Creating,
        ),
        (in_force(status(Status::Deleting)), wanted(), Some(Cause::Changed), Status::Editing),
        (in_force(status(Status::DeleteError)), wanted(), Some(Cause::Changed), Status::Editing),
        (older(status(Status::Enabled)), wanted(), Some(Cause::Upgraded), Status::Migrating),
        (older(failing_row(Class::Denied)), wanted(), Some(Cause::Upgraded), Status::Migrating),
        (older(status(Status::Enabled)), edited(), Some(Cause::Changed), Status::Editing),
        (older(status(Status::EditError)), wanted(), None, Status::EditError),
        (in_force(status(Status::CreateError)), edited(), Some(Cause::Changed), Status::Creating),
        (in_force(status(Status::Migrating)), edited(), Some(Cause::Changed), Status::Editing),
    ];
    for (number, (stored, wanted, cause, after)) in table.into_iter().enumerate() {
        let stored = Stored { row: Row { next_run_at: scheduled(), ..stored.row }, ..stored };
        let (effects, step) = adjusted(&World::new(), &stored, &wanted);
        assert_eq!(step.map(|step| step.cause), cause, "case {number}");
        let row = if cause.is_some() { saved(&effects) } else { stored.row };
        assert_eq!(row.status, after, "case {number}");
        if after == Status::Disabled {
            assert_eq!((row.next_run_at, row.lease), (None, None), "case {number}");
            assert!(!lines(&effects).iter().any(|line| line.starts_with("propose")));
        }
    }
}

#[test]
fn a_candidate_that_is_validated_is_replaced_without_a_step() {
    let stored =
        Stored { candidate_config: Some("{}".to_owned()), ..in_force(status(Status::Editing)) };
    let (effects, step) =
        adjusted(&World::new(), &stored, &Wanted { config: "{2}".to_owned(), ..wanted() });
    assert_eq!(step, None);
    assert_eq!(lines(&effects), ["propose warehouse {2}", "save 7 as editing"]);
    let row = saved(&effects);
    assert_eq!(
        (row.lease, row.next_run_at),
        (None, Some(NOW)),
        "the run of the old one is overtaken"
    );
}

#[test]
fn an_operation_forgets_what_runs_added_up_to() {
    let until = NOW.plus(secs(100));
    let before = Row {
        mute: Some(Mute { until, by: "flapping".to_owned() }),
        flapping: Some(Flapping { since: NOW, until }),
        flips: crate::domain::Flips(vec![NOW]),
        warning_muted: true,
        own_fault: Some(OwnFault::Network),
        ..failing_row(Class::Unreachable)
    };
    let decision = World::new().decide(|case, context| remove(case, &before, context));
    let (row, step) = decision.answer;
    assert_eq!(step.map(|step| step.to), Some(Status::Deleting));
    let same = Row {
        status: Status::Deleting,
        transitions: 5,
        next_run_at: None,
        mute: None,
        flapping: None,
        flips: crate::domain::Flips::default(),
        warning_muted: false,
        suspect: None,
        own_fault: None,
        ..before.clone()
    };
    assert_eq!((&row, &saved(&decision.effects)), (&same, &same));
    assert_eq!(
        lines(&decision.effects),
        [
            "transition recurringValidationError -> deleting by removed, run 0, inc, +0 s",
            "evt integration.status.changed 1 of 7",
            "enqueue evt of 7 to pager +0 s",
            "save 7 as deleting",
        ]
    );
    let event = data(&decision.effects, EventType::StatusChanged);
    assert_eq!(event.previous_status, Some(Status::RecurringValidationError));
    let again = World::new().decide(|case, context| remove(case, &row, context));
    assert!(again.effects.is_empty() && again.answer == (row, None), "it is removed only once");
}

#[test]
fn an_incident_lasts_through_edits_whether_receivers_know_of_it_or_not() {
    for is_notified in [true, false] {
        let open = Incident { is_notified, ..incident(60) };
        let notified = if is_notified { Status::RecurringValidationError } else { Status::Enabled };
        let row = Row { notified, incident: Some(open.clone()), ..failing_row(Class::Denied) };
        let edited = Wanted { config: "{1}".to_owned(), ..wanted() };
        let (effects, _) = adjusted(&World::new(), &in_force(row), &edited);
        let event = data(&effects, EventType::StatusChanged);
        assert_eq!(event.previous_status, Some(Status::RecurringValidationError));
        let row = saved(&effects);
        assert_eq!((row.incident.as_ref(), row.notified), (Some(&open), notified));
        let row = Row { lease: self::row().lease, ..row };
        let run = finished(row.status, [passed()]);
        let effects = World::new()
            .decide(|case, context| crate::domain::ledger::record(case, &row, &run, context))
            .effects;
        let recovered = events(&effects, EventType::ValidationRecovered).len();
        assert_eq!(recovered, usize::from(is_notified), "an unknown one ends unseen");
        assert_eq!((saved(&effects).incident, saved(&effects).notified), (None, Status::Enabled));
    }
}

#[test]
fn taking_out_of_use_ends_the_incident_and_says_why() {
    let deleting = Row {
        incident: Some(incident(60)),
        notified: Status::RecurringValidationError,
        ..status(Status::Deleting)
    };
    let decision = World::new().decide(|case, context| drain(case, &deleting, context));
    assert_eq!(decision.answer.map(|step| step.to), Some(Status::Deleted));
    let row = saved(&decision.effects);
    assert_eq!((row.incident, row.lease, row.status), (None, None, Status::Deleted));
    let event = data(&decision.effects, EventType::ValidationRecovered);
    assert_eq!((event.status, event.ended_by), (Status::Deleted, Some(EndedBy::Removed)));
    assert_eq!((event.incident_id.as_deref(), event.outage_ms), (Some("inc_1"), Some(60_000)));
    let failing = in_force(failing_row(Class::Denied));
    let (effects, _) = adjusted(&World::new(), &failing, &Wanted { disabled: true, ..wanted() });
    assert_eq!(saved(&effects).incident, None);
    let event = data(&effects, EventType::ValidationRecovered);
    assert_eq!((event.status, event.ended_by), (Status::Disabled, Some(EndedBy::Disabled)));
}

#[test]
fn an_edit_that_passes_ends_the_incident_as_a_recovery() {
    let row = Row {
        incident: Some(incident(60)),
        notified: Status::RecurringValidationError,
        ..status(Status::Editing)
    };
    let run = finished(row.status, [passed()]);
    let effects = World::new()
        .decide(|case, context| crate::domain::ledger::record(case, &row, &run, context))
        .effects;
    let event = data(&effects, EventType::ValidationRecovered);
    assert_eq!((event.incident_id.as_deref(), event.outage_ms), (Some("inc_1"), Some(60_000)));
    assert_eq!(event.ended_by, Some(EndedBy::Passed));
    assert_eq!(saved(&effects).incident, None);
}

#[test]
fn an_operation_shows_the_latest_results() {
    for (last_run, expected) in [(Some(90), Some(ReportStatus::Warning)), (None, None)] {
        let world = World::new().knowing(Need::Results(90), stored(&warned("w")));
        let row = Row { active: Progress { last_run, ..row().active }, ..row() };
        let decision = world.decide(|case, context| remove(case, &row, context));
        let event = data(&decision.effects, EventType::StatusChanged);
        assert_eq!((status_of(&event), event.run.is_none()), (expected, true));
    }
}

#[test]
fn an_operation_takes_its_integration_out_of_its_outage() {
    let state = |is_open, has_others| {
        let state = crate::domain::ledger::OutageState { is_open, is_closing: false, has_others };
        World::new().knowing(Need::OutageState("out_1".to_owned(), ID), Answer::OutageState(state))
    };
    let row = Row { outage: Some("out_1".to_owned()), ..failing_row(Class::Unreachable) };
    for (world, ends) in
        [(state(true, false), true), (state(true, true), false), (state(false, false), false)]
    {
        let decision = world.decide(|case, context| remove(case, &row, context));
        assert_eq!(lines(&decision.effects).contains(&"end out +0 s".to_owned()), ends);
        assert_eq!(saved(&decision.effects).outage, None);
        assert_eq!(data(&decision.effects, EventType::StatusChanged).group, None);
    }
}

#[test]
fn a_removal_that_could_not_be_stored_is_rolled_back() {
    let row = status(Status::Deleting);
    let decision = World::new().decide(|case, context| roll_back_removal(case, &row, context));
    assert_eq!(decision.answer.map(|step| step.to), Some(Status::DeleteError));
    let row = saved(&decision.effects);
    assert_eq!((row.next_run_at, row.trigger, row.lease), (scheduled(), Trigger::Schedule, None));
    let opened = data(&decision.effects, EventType::ValidationFailed);
    assert_eq!((opened.status, row.pending), (Status::DeleteError, Some(Status::DeleteError)));
    let unreadable = Row { cron: "never".to_owned(), ..status(Status::Deleting) };
    let decision =
        World::new().decide(|case, context| roll_back_removal(case, &unreadable, context));
    assert_eq!(saved(&decision.effects).next_run_at, None);
}
