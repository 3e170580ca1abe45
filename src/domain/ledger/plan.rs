//! Planning: when an integration is due next, and why.

use super::finished::{Finished, Trigger};
use super::row::Row;
use crate::domain::{Cause, Judgement, Schedule, Status, Subject, Timestamp, Verdict, next_status};

/// Returns the cause of a status change that a verdict on `subject` is.
pub(super) const fn cause(subject: Subject, verdict: Verdict) -> Option<Cause> {
    match (subject, verdict) {
        (Subject::Active, Verdict::Passed) => Some(Cause::ActivePassed),
        (Subject::Active, Verdict::Failed) => Some(Cause::ActiveFailed),
        (Subject::Candidate, Verdict::Passed) => Some(Cause::CandidatePassed),
        (Subject::Candidate, Verdict::Failed) => Some(Cause::CandidateFailed),
        (_, Verdict::Confirming | Verdict::Recovering | Verdict::Inconclusive) => None,
    }
}

/// Returns true when a verdict on `subject` that is still open would change the status if it were
/// reached: only then is it worth a run out of turn. An operator waits for an operation in flight, so a
/// run that was inconclusive about it is repeated as well.
pub(super) fn would_flip(row: &Row, subject: Subject, verdict: Verdict) -> bool {
    let reached = match verdict {
        Verdict::Inconclusive if subject == Subject::Active => return false,
        Verdict::Confirming | Verdict::Inconclusive => Verdict::Failed,
        Verdict::Recovering => Verdict::Passed,
        Verdict::Passed | Verdict::Failed => return false,
    };
    let cause = cause(subject, reached);
    cause.is_some_and(|cause| next_status(row.status, row.pending, cause).is_some())
}

/// Plans the run after `finished`, which was judged so.
pub(super) fn after_run(
    row: &mut Row,
    finished: &Finished,
    judged: &[(Subject, Judgement)],
    now: Timestamp,
) {
    // A clock that was set back must not bring the same run again.
    let from = now.max(finished.begun.due_at);
    let of = |schedule: &Schedule| {
        let next = schedule.next_due(row.id, from)?;
        schedule.clamp_to_schedule(row.id, next, now)
    };
    let schedule = &finished.schedule;
    let scheduled = if schedule.text() == row.cron && schedule.zone() == row.zone {
        of(schedule)
    } else {
        // The configuration was reloaded during the run.
        Schedule::parse(&row.cron, &row.zone).ok().map_or_else(|| of(schedule), |new| of(&new))
    };
    let open = judged.iter().filter(|(subject, one)| would_flip(row, *subject, one.verdict));
    let look = open.filter_map(|(_, one)| one.look_at).min();
    if was_asked_since(row, finished) {
        return;
    }
    let look = look.filter(|look| scheduled.is_none_or(|scheduled| *look < scheduled));
    (row.next_run_at, row.trigger) = match look {
        Some(look) => (Some(look), Trigger::Confirm),
        None => (scheduled, Trigger::Schedule),
    };
}

/// Returns true when a person asked for a run after `finished` had begun: it may have been too early for
/// what was repaired, so that another one follows.
fn was_asked_since(row: &Row, finished: &Finished) -> bool {
    let begun = &finished.begun;
    let is_answered = begun.trigger == Trigger::Request && row.next_run_at == Some(begun.due_at);
    row.trigger == Trigger::Request && !is_answered
}

/// Circumstances in which a row is planned anew when the configuration is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replan<'a> {
    /// The schedule in the configuration.
    pub(super) schedule: &'a Schedule,
    /// The schedule is another one than before.
    pub(super) is_new: bool,
    /// The daemon has just started.
    pub(super) startup: bool,
}

/// Plans `row` by a new schedule, or after the daemon was down; returns false when nothing changes.
pub(super) fn replan(row: &mut Row, plan: Replan<'_>, now: Timestamp) -> bool {
    if clamp(row, plan.schedule, now) {
        return true;
    }
    let overdue = row.next_run_at.is_some_and(|at| at < now);
    let in_flight = matches!(row.status, Status::Creating | Status::Editing | Status::Migrating);
    let is_planned = matches!(row.trigger, Trigger::Startup | Trigger::Request);
    if plan.startup && overdue && !in_flight && !is_planned {
        row.next_run_at = Some(now.plus(plan.schedule.spread_of(row.id, now)));
        row.trigger = Trigger::Startup;
        return true;
    }
    let waits = !overdue && !row.is_leased(now) && row.trigger == Trigger::Schedule;
    if plan.is_new && waits {
        row.next_run_at = plan.schedule.next_due(row.id, now);
        return true;
    }
    false
}

/// Brings the due instant of `row` near when it lies further ahead than its schedule explains, as
/// after a clock rollback; returns false when nothing changes.
fn clamp(row: &mut Row, schedule: &Schedule, now: Timestamp) -> bool {
    let planned = row.next_run_at;
    row.next_run_at = planned.and_then(|planned| schedule.clamp_to_schedule(row.id, planned, now));
    row.next_run_at != planned
}

/// Returns `row` as it is planned after a clock rollback, if that changes it.
pub(crate) fn after_clock_rollback(row: &Row, schedule: &Schedule, now: Timestamp) -> Option<Row> {
    let mut row = row.clone();
    clamp(&mut row, schedule, now).then_some(row)
}

/// Returns when the integration is due next by the schedule that its row names.
pub(super) fn next_by_row(row: &Row, now: Timestamp) -> Option<Timestamp> {
    Schedule::parse(&row.cron, &row.zone).ok()?.next_due(row.id, now)
}
