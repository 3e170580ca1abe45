//! Recording a run: its results, its verdict, and everything that follows from it.

use super::case::{Case, Decided, Need};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use super::effects::Effect;
use super::finished::{Finished, Recorded, SubjectRun};
use super::notify::Story;
use super::results::StoredReport;
use super::row::{FactsRef, Fingerprint, Row, Suspect};
use super::{mute, operation, outage, own_fault, plan};
use crate::domain::{
    Cause, Class, Counters, Policy, Report, ReportStatus, RunId, RunRef, Status, Subject,
    Timestamp, Transition, ValidationResults, judge, next_status,
};

/// Decides everything that follows from a finished run, or nothing when it has lost its lease.
///
/// Mutes that have ended come first: what they muted is older than this run.
pub(crate) fn record(
    case: &Case,
    row: &Row,
    finished: &Finished,
    context: &NotificationContext,
) -> Decided<Decision<Recorded>> {
    let mut draft = Draft::new(case, context);
    let has_lease = row.lease.is_some_and(|lease| lease.token == finished.begun.token);
    let Some(first) = finished.runs.first().filter(|_| has_lease) else {
        return Ok(draft.decide(Recorded::Overtaken));
    };
    let mut row = Row { lease: None, ..row.clone() };
    if row.status != finished.begun.status {
        // It is being removed, and has now been waited for.
        draft.push(Effect::SaveRow(Box::new(row)));
        return Ok(draft.decide(Recorded::Overtaken));
    }
    mute::reevaluate(&mut draft, &mut row)?;
    let judged = judge(&finished.policy, row.counters, &first.report);
    let has_new_warnings = has_new_warnings(&draft, &row, &first.report)?;
    let before = insert_runs(&mut draft, &mut row, finished, &judged.rule);
    row.counters = judged.counters;
    note_seen(&mut row, finished);
    note_failure(&mut draft, &mut row, finished)?;
    own_fault::note(&mut draft, &mut row, own_fault::of(finished))?;
    let reason = plan::cause(first.subject, judged.verdict);
    let transition = reason.and_then(|cause| next_status(row.status, cause));
    if let Some(step) = transition {
        change_status(&mut draft, &mut row, finished, step, before)?;
    } else if has_new_warnings {
        let story = story(&draft, finished, latest(&draft, before)?);
        mute::notify_warning(&mut draft, &mut row, story)?;
    }
    plan::after_run(&mut row, finished, judged.verdict, context.now);
    let next_run_at = row.next_run_at;
    draft.push(Effect::SaveRow(Box::new(row)));
    let (run, verdict, rule) = (case.next_run, judged.verdict, judged.rule);
    Ok(draft.decide(Recorded::Stored { run, verdict, rule, transition, next_run_at }))
}

/// Adds the runs, and returns the one whose results users saw until now.
fn insert_runs(
    draft: &mut Draft<'_>,
    row: &mut Row,
    finished: &Finished,
    rule: &str,
) -> Option<i64> {
    let mut ids = Vec::with_capacity(finished.runs.len());
    for (index, id) in (0..finished.runs.len()).zip(draft.case.next_run.0..) {
        let rule = if index == 0 { rule } else { "another configuration decides" };
        draft.push(Effect::InsertRun { id: RunId(id), index, rule: rule.to_owned() });
        ids.push(id);
    }
    std::mem::replace(&mut row.last_run, shown(finished, &ids))
}

/// Returns the run whose results users see: the candidate's when it passed or stands alone.
fn shown(finished: &Finished, ids: &[i64]) -> Option<i64> {
    let is_good = finished.runs.first()?.is_good();
    if is_good { ids.first().copied() } else { ids.get(1).or(ids.first()).copied() }
}

/// Takes the step that a verdict is. Recurring validations can be muted, flap and be part of an outage;
/// the end of an operation is notified at once, and its evidence begins anew.
fn change_status(
    draft: &mut Draft<'_>,
    row: &mut Row,
    finished: &Finished,
    step: Transition,
    before: Option<i64>,
) -> Decided<()> {
    let compared = match step.cause {
        Cause::ActiveFailed => latest_that(draft, Need::LatestGood(row.id, None), before)?,
        Cause::ActivePassed => latest_that(draft, Need::LatestBad(row.id, None), before)?,
        Cause::CandidatePassed
        | Cause::CandidateFailed
        | Cause::Changed
        | Cause::Removed
        | Cause::Drained
        | Cause::RemovalFailed
        | Cause::ForceDisabled
        | Cause::Reenabled
        | Cause::ReenabledUntried
        | Cause::Upgraded => latest(draft, before)?,
    };
    let story = story(draft, finished, compared);
    if matches!(step.cause, Cause::ActivePassed | Cause::ActiveFailed) {
        operation::enter(draft, row, step, &story)?;
        return mute::notify_flip(draft, row, story, &flapping_policy(finished, draft.now()));
    }
    operation::operate(draft, row, step, story)?;
    if step.cause == Cause::CandidatePassed {
        draft.push(Effect::Adopt(row.id));
    }
    row.counters = Counters::default();
    Ok(())
}

/// Returns the policy with a calm that at least two runs bear out: between two runs nothing is seen,
/// which is no calm.
fn flapping_policy(finished: &Finished, now: Timestamp) -> Policy {
    let runs = finished.schedule.period(now).saturating_mul(2);
    Policy { flap_calm: finished.policy.flap_calm.max(runs), ..finished.policy }
}

/// Notes whether the latest runs of an integration that is watched fail; the first failure may be the
/// first sign of something that others share.
fn note_failure(draft: &mut Draft<'_>, row: &mut Row, finished: &Finished) -> Decided<()> {
    let active = finished.runs.first().filter(|run| run.subject == Subject::Active);
    let Some(report) = active.map(|run| &run.report) else { return Ok(()) };
    match (report.status(), report.class()) {
        (ReportStatus::Failed, Some(class)) if class != Class::Local => {
            let since = row.suspect.map(|suspect| suspect.since);
            row.suspect = Some(Suspect { since: since.unwrap_or(finished.started_at), class });
            if since.is_none() {
                outage::alert(draft, row)?;
            }
        }
        (ReportStatus::Passed | ReportStatus::Warning, _) => row.suspect = None,
        (ReportStatus::Failed | ReportStatus::Skipped, _) => {}
    }
    Ok(())
}

/// Notes what the runs saw: the facts of one that passed, and the earliest expiry. A run that failed may
/// have ended early: the expiry known before stays, unless it saw an earlier one.
fn note_seen(row: &mut Row, finished: &Finished) {
    let passed = finished.passed();
    let next = passed.or(finished.runs.first()).and_then(|run| run.observed.next_expiry());
    let next = next.map(|expiry| (expiry.at, expiry.noun()));
    let known = row.seen.next_end.as_ref().filter(|_| passed.is_none());
    if known.is_none_or(|(known, _)| next.as_ref().is_some_and(|(at, _)| at < known)) {
        row.seen.next_end = next;
    }
    if passed.is_some() {
        let (facts, at) = (FactsRef::OfThisRun, finished.started_at);
        row.seen.fingerprint = Some(Fingerprint { facts, at });
    }
}

/// Returns true when an integration that works has warnings that its latest good run did not have: a
/// failure in between is not news of them.
fn has_new_warnings(draft: &Draft<'_>, row: &Row, report: &Report) -> Decided<bool> {
    if row.status != Status::Enabled || report.status() != ReportStatus::Warning {
        return Ok(false);
    }
    let before = draft.case.results(Need::LatestGood(row.id, None))?.as_ref();
    let before = before.map(|(_, report)| report.warnings()).unwrap_or_default();
    Ok(!StoredReport::from(report).warnings().is_subset(&before))
}

fn latest<'a>(draft: &Draft<'a>, run: Option<i64>) -> Decided<Option<&'a StoredReport>> {
    let Some(run) = run else { return Ok(None) };
    Ok(draft.case.results(Need::Results(run))?.as_ref().map(|(_, report)| report))
}

/// Returns the results of the latest run that went the other way: those that only confirmed a verdict
/// found the same, and show nothing that broke or works again. Without one, those before.
fn latest_that<'a>(
    draft: &Draft<'a>,
    other: Need,
    before: Option<i64>,
) -> Decided<Option<&'a StoredReport>> {
    match draft.case.results(other)? {
        Some((_, report)) => Ok(Some(report)),
        None => latest(draft, before),
    }
}

/// Returns what there is to say about the run, in comparison with results `before` it.
fn story(draft: &Draft<'_>, finished: &Finished, before: Option<&StoredReport>) -> Story {
    let first: Option<&SubjectRun> = finished.runs.first();
    let report = first.map(|first| &first.report);
    let changes = report.map(|report| StoredReport::from(report).changes(before));
    Story {
        run: Some(RunRef {
            id: draft.case.next_run.0,
            trigger: finished.begun.trigger.as_str().to_owned(),
            started_at: finished.started_at,
            duration_ms: i64::try_from(finished.duration.as_millis()).unwrap_or(i64::MAX),
        }),
        results: report.map(ValidationResults::from),
        changes: changes.unwrap_or_default(),
        group: None,
        drift: first.map(|first| finished.drift(first)).unwrap_or_default(),
    }
}
