//! Planning: when an integration is due next, and why.

use super::kit::*;
use crate::domain::ledger::{
    Effect, Finished, Progress, Row, Stored, Trigger, Wanted, adjust, after_clock_rollback, record,
};
use crate::domain::{Class, Outcome, Pool, Report, Schedule, Status, Timestamp};

fn planned(row: &Row, run: &Finished) -> (Option<Timestamp>, Trigger) {
    let effects: Vec<Effect> =
        World::new().decide(|case, context| record(case, row, run, context)).effects;
    let row = saved(&effects);
    (row.next_run_at, row.trigger)
}

fn skipped() -> Report {
    report(Outcome::Skipped("no test".to_owned()))
}

/// A row in `status` about which nothing has been found yet.
fn fresh(status: Status) -> Row {
    let row = if status == Status::RecurringValidationError {
        failing_row(Class::Denied)
    } else {
        in_status(status)
    };
    Row { active: Progress::default(), ..row }
}

#[test]
fn a_configuration_that_has_been_replaced_asks_for_no_look() {
    let row = in_status(Status::EditError);
    let run = |new| finished(row.status, [new, failed(Class::Unreachable)]);
    let confirm = (Some(NOW.plus(secs(60))), Trigger::Confirm);
    assert_eq!(planned(&row, &run(failed(Class::Missing))), confirm, "it is still in force");
    assert_eq!(planned(&row, &run(passed())), (scheduled(), Trigger::Schedule));
}

#[test]
fn a_verdict_that_could_still_change_the_status_is_confirmed_soon() {
    let confirm = (Some(NOW.plus(secs(60))), Trigger::Confirm);
    let usual = (scheduled(), Trigger::Schedule);
    let transient = || failed(Class::Unreachable);
    let local = || failed(Class::Local);
    let table = [
        (Status::Enabled, transient(), confirm),
        (Status::Enabled, local(), usual),
        (Status::Enabled, skipped(), usual),
        (Status::Enabled, passed(), usual),
        (Status::Enabled, failed(Class::Denied), usual),
        // It has failed already: another failure changes nothing, a passing run would.
        (Status::RecurringValidationError, transient(), usual),
        (Status::RecurringValidationError, passed(), confirm),
        // An operation is waited for, so that inconclusive runs are repeated.
        (Status::Creating, transient(), confirm),
        (Status::Creating, local(), confirm),
        (Status::Creating, skipped(), confirm),
        (Status::Editing, passed(), confirm),
        (Status::CreateError, transient(), usual),
        (Status::CreateError, local(), usual),
        (Status::CreateError, passed(), confirm),
    ];
    for (number, (status, report, expected)) in table.into_iter().enumerate() {
        let mut run = finished(status, [report]);
        run.policy.recovery_runs = Some(2);
        assert_eq!(planned(&fresh(status), &run), expected, "case {number}");
    }
}

#[test]
fn a_confirmation_later_than_the_schedule_is_none() {
    let due = scheduled().unwrap();
    let wait = due.since(NOW);
    let mut run = finished(Status::Enabled, [failed(Class::Unreachable)]);
    for (wait, expected) in [
        (wait, (Some(due), Trigger::Schedule)),
        (wait.saturating_sub(secs(1)), (Some(due.minus(secs(1))), Trigger::Confirm)),
    ] {
        run.policy.confirm_wait = Some(wait);
        assert_eq!(planned(&row(), &run), expected);
    }
}

#[test]
fn the_schedule_in_the_row_counts_when_it_changed_during_the_run() {
    let run = finished(Status::Enabled, [passed()]);
    let other = Schedule::parse("*/7 * * * *", "UTC").unwrap();
    let rows = [
        Row { cron: "*/7 * * * *".to_owned(), ..row() },
        Row { cron: "30 */2 * * *".to_owned(), ..row() },
        Row { cron: "30 1 * * *".to_owned(), zone: "Asia/Tokyo".to_owned(), ..row() },
        Row { zone: "Asia/Kolkata".to_owned(), ..row() },
    ];
    for row in rows {
        let expected = Schedule::parse(&row.cron, &row.zone).unwrap().next_due(ID, NOW);
        assert_eq!(planned(&row, &run), (expected, Trigger::Schedule));
        assert_ne!(expected, scheduled());
    }
    let unreadable = Row { cron: "never".to_owned(), ..row() };
    assert_eq!(planned(&unreadable, &run).0, scheduled());
    assert_ne!(other.next_due(ID, NOW), scheduled());
}

#[test]
fn a_clock_rollback_does_not_repeat_the_run() {
    let mut run = finished(Status::Enabled, [passed()]);
    run.begun.due_at = scheduled().unwrap();
    let after = schedule().next_due(ID, run.begun.due_at);
    assert_eq!(planned(&row(), &run).0, after);
}

#[test]
fn run_that_was_asked_for_meanwhile_follows_and_one_that_answers_is_over() {
    let (due, asked) = (NOW.minus(secs(20)), NOW.minus(secs(5)));
    let at = |next| Row { next_run_at: Some(next), trigger: Trigger::Request, ..row() };
    let again = (Some(asked), Trigger::Request);
    let table = [
        (Trigger::Schedule, at(asked), again),
        (Trigger::Request, at(asked), again),
        (Trigger::Request, at(due), (scheduled(), Trigger::Schedule)),
        (Trigger::Schedule, at(due), (Some(due), Trigger::Request)),
    ];
    for (number, (trigger, row, expected)) in table.into_iter().enumerate() {
        let mut run = finished(Status::Enabled, [passed()]);
        (run.begun.trigger, run.begun.due_at) = (trigger, due);
        assert_eq!(planned(&row, &run), expected, "case {number}");
    }
}

/// Returns the plan after a reading of the configuration, if that changes it.
fn replanned(
    row: &Row,
    schedule: &Schedule,
    startup: bool,
) -> Option<(Option<Timestamp>, Trigger)> {
    let wanted = Wanted {
        name: row.name.clone(),
        formerly: None,
        id: None,
        kind: row.kind.clone(),
        auto_bootstrap: None,
        labels: row.labels.clone(),
        disabled: row.status == Status::Disabled,
        schedule: schedule.clone(),
        config: "{}".to_owned(),
        config_shown: "{}".to_owned(),
        catalog_version: 1,
        factors: Vec::new(),
        run_on: Pool::default(),
    };
    let stored = Stored {
        formerly: None,
        row: row.clone(),
        auto_bootstrap: None,
        config_shown: "{}".to_owned(),
        active_config: Some("{}".to_owned()),
        active_catalog: Some(1),
        candidate_config: None,
        candidate_catalog: None,
        pool: None,
    };
    let effects = World::new()
        .decide(|case, context| adjust(case, &stored, &wanted, startup, context))
        .effects;
    let is_saved = effects.iter().any(|effect| matches!(effect, Effect::SaveRow(_)));
    is_saved.then(|| {
        let row = saved(&effects);
        (row.next_run_at, row.trigger)
    })
}

#[test]
fn runs_that_came_due_while_the_daemon_was_down_are_spread() {
    let overdue = Row { lease: None, next_run_at: Some(NOW.minus(secs(1))), ..row() };
    let spread = Some((Some(NOW.plus(schedule().spread_of(ID, NOW))), Trigger::Startup));
    assert_ne!(schedule().spread_of(ID, NOW), secs(0));
    let table = [
        (overdue.clone(), true, spread),
        (overdue.clone(), false, None),
        (Row { next_run_at: Some(NOW), ..overdue.clone() }, true, None),
        (Row { trigger: Trigger::Startup, ..overdue.clone() }, true, None),
        (Row { trigger: Trigger::Request, ..overdue.clone() }, true, None),
        (Row { status: Status::Creating, ..overdue.clone() }, true, None),
        (Row { status: Status::Editing, ..overdue.clone() }, true, None),
        (Row { status: Status::Migrating, ..overdue.clone() }, true, None),
        (Row { status: Status::EditError, ..overdue.clone() }, true, spread),
        (Row { next_run_at: None, ..overdue.clone() }, true, None),
        (Row { status: Status::Disabled, ..overdue }, true, None),
    ];
    for (number, (row, startup, expected)) in table.into_iter().enumerate() {
        assert_eq!(replanned(&row, &schedule(), startup), expected, "case {number}");
    }
}

#[test]
fn a_new_schedule_moves_only_a_run_that_waits_for_its_schedule() {
    let new = Schedule::parse("*/7 * * * *", "UTC").unwrap();
    let next = Some((new.next_due(ID, NOW), Trigger::Schedule));
    let waiting = Row { lease: None, next_run_at: scheduled(), ..row() };
    let table = [
        (waiting.clone(), next),
        (Row { next_run_at: Some(NOW.minus(secs(1))), ..waiting.clone() }, None),
        (Row { lease: row().lease, ..waiting.clone() }, None),
        (Row { trigger: Trigger::Confirm, ..waiting.clone() }, None),
    ];
    for (number, (row, expected)) in table.into_iter().enumerate() {
        assert_eq!(replanned(&row, &new, false), expected, "case {number}");
    }
    let expired = row().lease.map(|lease| crate::domain::ledger::Lease { until: NOW, ..lease });
    assert_eq!(replanned(&Row { lease: expired, ..waiting.clone() }, &new, false), next);
    assert_eq!(replanned(&waiting, &schedule(), false), None, "the schedule is the same");
}

#[test]
fn a_plan_beyond_the_schedule_is_clamped() {
    let far = Some(NOW.plus(secs(40 * 86_400)));
    let row = Row { lease: None, next_run_at: far, ..row() };
    let clamped = after_clock_rollback(&row, &schedule(), NOW).unwrap();
    assert_eq!(clamped, Row { next_run_at: scheduled(), ..row.clone() });
    assert_eq!(after_clock_rollback(&clamped, &schedule(), NOW), None);
    assert_eq!(replanned(&row, &schedule(), false), Some((scheduled(), Trigger::Schedule)));
    let never = Row { next_run_at: None, ..row };
    assert_eq!(after_clock_rollback(&never, &schedule(), NOW), None);
}

#[test]
fn triggers_have_the_names_of_the_wire() {
    let names: Vec<_> = Trigger::ALL.iter().map(|trigger| trigger.as_str()).collect();
    assert_eq!(names, ["schedule", "confirm", "startup", "change", "request"]);
    for trigger in Trigger::ALL {
        let text = serde_json::to_string(&trigger).unwrap();
        assert_eq!(text, format!("\"{}\"", trigger.as_str()));
    }
}
