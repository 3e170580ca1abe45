//! Recording a run: its results, its verdict, and everything that follows from it.

use super::case::{Case, Decided, Need};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use super::effects::Effect;
use super::finished::{Finished, Recorded, SubjectRun};
use super::notify::{Stories, Story};
use super::results::StoredReport;
use super::row::{FactsRef, Fingerprint, Row, Suspect};
use super::{incident, mute, operation, outage, own_fault, plan, vantage};
use crate::domain::{
    Around, Cause, Class, JudgedRun, Judgement, Policy, Report, ReportStatus, RunId, RunRef,
    Status, Subject, Timestamp, Transition, ValidationResults, Verdict, VerdictNotice, judge,
    next_status, repeated,
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
    let has_new_warnings = has_new_warnings(&draft, &row, &first.report)?;
    let judged = judge_each(&mut draft, &row, finished)?;
    vantage::note_contradictions(&mut draft, &row, finished);
    let before = Shown { active: row.active.last_run, candidate: row.candidate.last_run };
    insert_runs(&mut draft, &mut row, finished, &judged);
    note_seen(&mut row, finished, &judged);
    note_failure(&mut draft, &mut row, finished)?;
    own_fault::note(&mut draft, &mut row, own_fault::of(finished))?;
    let (index, transition) = step(&row, &judged);
    let recording = Recording { finished, judged: &judged, index, before };
    if let Some(step) = transition {
        change_status(&mut draft, &mut row, recording, step)?;
    } else if is_unopened(&row, &judged) {
        let story = story(&draft, &row, recording, latest(&draft, before.of(&row))?)?;
        mute::notify_news(&mut draft, &mut row, story)?;
    } else if has_new_warnings {
        let story = story(&draft, &row, recording, latest(&draft, before.active)?)?;
        mute::notify_warning(&mut draft, &mut row, story)?;
    }
    // What was seen of the former configuration says nothing about the one that has replaced it.
    let is_replaced = transition.is_some_and(|step| step.cause == Cause::CandidatePassed);
    let open = if is_replaced { &[][..] } else { &judged };
    plan::after_run(&mut row, finished, open, context.now);
    row.elsewhere = vantage::reserve(&draft, &row, finished, &judged)?;
    outage::look_again(&draft, &mut row)?;
    let next_run_at = row.next_run_at;
    draft.push(Effect::SaveRow(Box::new(row)));
    let run = run_id(case, index);
    let Some((_, Judgement { verdict, rule, .. })) = judged.into_iter().nth(index) else {
        return Ok(draft.decide(Recorded::Overtaken));
    };
    Ok(draft.decide(Recorded::Stored { run, index, verdict, rule, transition, next_run_at }))
}

/// Runs whose results users saw until now.
#[derive(Clone, Copy)]
struct Shown {
    /// Latest run of the configuration in force, or of the only one.
    active: Option<i64>,
    /// Latest run of the candidate beside it.
    candidate: Option<i64>,
}

impl Shown {
    /// Returns the run of the configuration whose failure led to the status.
    fn of(self, row: &Row) -> Option<i64> {
        let is_beside = matches!(row.status, Status::EditError | Status::MigrateError);
        if is_beside { self.candidate.or(self.active) } else { self.active }
    }
}

/// Finished runs, the place of the one that decided, and what was shown before.
#[derive(Clone, Copy)]
struct Recording<'a> {
    finished: &'a Finished,
    judged: &'a [(Subject, Judgement)],
    index: usize,
    before: Shown,
}

impl Recording<'_> {
    /// Returns the verdict on the run that decided, as events have it.
    fn verdict(&self) -> Option<VerdictNotice> {
        let (_, Judgement { rule, shown, .. }) = self.judged.get(self.index)?;
        Some(VerdictNotice { rule: rule.clone(), evidence: shown.clone() })
    }
}

/// Judges each configuration by its own evidence.
fn judge_each(
    draft: &mut Draft<'_>,
    row: &Row,
    finished: &Finished,
) -> Decided<Vec<(Subject, Judgement)>> {
    let judged =
        finished.runs.iter().map(|run| Ok((run.subject, judge_one(draft, row, finished, run)?)));
    judged.collect()
}

/// Judges one configuration. Siblings are asked for only where they would decide, so that a run that changes
/// nothing loads nothing.
fn judge_one(
    draft: &mut Draft<'_>,
    row: &Row,
    finished: &Finished,
    run: &SubjectRun,
) -> Decided<Judgement> {
    let (policy, before) = (&finished.policy, &row.progress(run.subject).evidence);
    let (started_at, ended_at) = (finished.started_at, draft.now());
    let node = finished.node.as_deref();
    let judged_run = JudgedRun { report: &run.report, started_at, ended_at, node };
    if run.observed.is_repeat {
        return Ok(repeated(policy, before, judged_run));
    }
    let is_active = run.subject == Subject::Active;
    let is_unsteady = row.flips.are_unsteady(policy, started_at);
    let alone = Around {
        is_unsteady: is_active && is_unsteady,
        siblings: None,
        has_another_node: vantage::has_another(draft, row, finished, run)?,
    };
    let judged = judge(policy, before, judged_run, &alone);
    let would_flip = is_active && plan::would_flip(row, run.subject, judged.verdict);
    let Some(since) = judged.asks_siblings.filter(|_| would_flip) else { return Ok(judged) };
    let siblings = outage::failing_siblings(draft, row, since, finished)?;
    if siblings.is_none() {
        return Ok(judged);
    }
    Ok(judge(policy, before, judged_run, &Around { siblings, ..alone }))
}

/// Returns the step that the verdicts make, with the place of the run that decides; without one, the
/// first. A candidate that passed ends the interest in the configuration in force.
fn step(row: &Row, judged: &[(Subject, Judgement)]) -> (usize, Option<Transition>) {
    let mut steps = judged.iter().enumerate().filter_map(|(index, (subject, one))| {
        let cause = plan::cause(*subject, one.verdict)?;
        Some((index, Some(next_status(row.status, row.pending, cause)?)))
    });
    steps.next().unwrap_or((0, None))
}

/// Returns true when a failure confirms an error status without an incident, as an older version has
/// left it.
fn is_unopened(row: &Row, judged: &[(Subject, Judgement)]) -> bool {
    let failed =
        |subject| judged.iter().any(|(of, one)| *of == subject && one.verdict == Verdict::Failed);
    row.status.is_error() && row.incident.is_none() && row.failing_subject().is_some_and(failed)
}

/// Returns the id of the run at a place of those that are recorded.
fn run_id(case: &Case, index: usize) -> RunId {
    RunId(case.next_run.0.saturating_add(i64::try_from(index).unwrap_or(i64::MAX)))
}

/// Adds the runs, each to what was found about its configuration before.
fn insert_runs(
    draft: &mut Draft<'_>,
    row: &mut Row,
    finished: &Finished,
    judged: &[(Subject, Judgement)],
) {
    for (index, (run, (_, judgement))) in finished.runs.iter().zip(judged).enumerate() {
        let id = run_id(draft.case, index);
        let is_doubted = row.status != Status::Enabled || is_doubted(row, run, judgement);
        let evidence = if is_doubted { judgement.shown.clone() } else { Vec::new() };
        draft.push(Effect::InsertRun { id, index, rule: judgement.rule.clone(), evidence });
        let progress = row.progress_mut(run.subject);
        progress.evidence = judgement.evidence.clone();
        progress.last_run = Some(id.0);
        match (run.report.status(), run.report.class()) {
            (ReportStatus::Failed, Some(class)) if class != Class::Local => {
                progress.failing_since = progress.failing_since.or(Some(finished.started_at));
            }
            (ReportStatus::Passed | ReportStatus::Warning, _) => progress.failing_since = None,
            (ReportStatus::Failed | ReportStatus::Skipped, _) => {}
        }
    }
}

/// Returns true when a run did not simply pass where nothing was in doubt. Such runs are nearly all, and are kept
/// without their evidence.
fn is_doubted(row: &Row, run: &SubjectRun, judgement: &Judgement) -> bool {
    let before = &row.progress(run.subject).evidence;
    let is_calm = before.looks.is_empty() && !before.is_failing;
    !(is_calm && run.is_good() && judgement.verdict == Verdict::Passed)
}

/// Takes the step that a verdict is. Failures of the configuration in force can be muted, flap and be
/// part of an outage; the end of an operation is no flap.
fn change_status(
    draft: &mut Draft<'_>,
    row: &mut Row,
    recording: Recording<'_>,
    step: Transition,
) -> Decided<()> {
    let Recording { finished, before, .. } = recording;
    let compared = match step.cause {
        Cause::ActiveFailed => latest_that(draft, Need::LatestGood(row.id, None), before.active)?,
        Cause::ActivePassed => {
            let of = Need::LatestBad(row.id, Some(Subject::Active), None);
            latest_that(draft, of, before.active)?
        }
        Cause::CandidatePassed
        | Cause::CandidateFailed
        | Cause::Changed
        | Cause::Removed
        | Cause::Drained
        | Cause::RemovalFailed
        | Cause::ForceDisabled
        | Cause::Reenabled
        | Cause::ReenabledUntried
        | Cause::Returned
        | Cause::Upgraded => latest(draft, before.candidate.or(before.active))?,
    };
    let first = story(draft, row, recording, compared)?;
    if matches!(step.cause, Cause::ActivePassed | Cause::ActiveFailed) {
        let pending = pending_story(draft, row, recording)?;
        operation::enter(draft, row, step, &first)?;
        let policy = flapping_policy(finished, draft.now());
        return mute::notify_flip(draft, row, Stories { first, pending }, &policy);
    }
    if step.cause == Cause::CandidatePassed {
        draft.push(Effect::Adopt(row.id));
        row.adopt();
    }
    operation::operate(draft, row, step, first)
}

/// Returns the story of the candidate that was validated as well.
fn pending_story(draft: &Draft<'_>, row: &Row, recording: Recording<'_>) -> Decided<Story> {
    let Some((index, _)) = recording.finished.of(Subject::Candidate) else {
        return Ok(Story::default());
    };
    let compared = latest(draft, recording.before.active)?;
    story(draft, row, Recording { index, ..recording }, compared)
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
    let Some((_, run)) = finished.of(Subject::Active) else { return Ok(()) };
    if run.observed.is_repeat {
        return Ok(());
    }
    let report = &run.report;
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
/// have ended early: the expiry known before stays, unless it saw an earlier one. A candidate that is
/// not in force yet says nothing about the configuration that is.
fn note_seen(row: &mut Row, finished: &Finished, judged: &[(Subject, Judgement)]) {
    let counts = |(run, (subject, one)): &(&SubjectRun, &(Subject, Judgement))| {
        run.is_good() && (*subject == Subject::Active || one.verdict == Verdict::Passed)
    };
    let mut good = finished.runs.iter().zip(judged).enumerate();
    let passed = good.find(|(_, one)| counts(one)).map(|(index, (run, _))| (index, run));
    let other = finished.of(Subject::Active).map(|(_, run)| run).or(finished.runs.first());
    let seen = passed.map(|(_, run)| run).or(other);
    let next = seen.and_then(|run| run.observed.next_expiry());
    let next = next.map(|expiry| (expiry.at, expiry.noun()));
    let known = row.seen.next_end.as_ref().filter(|_| passed.is_none());
    if known.is_none_or(|(known, _)| next.as_ref().is_some_and(|(at, _)| at < known)) {
        row.seen.next_end = next;
    }
    if let Some((index, _)) = passed {
        let (facts, at) = (FactsRef::OfRun(index), finished.started_at);
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

/// Returns what there is to say about the run that decided, in comparison with results `before` it. The
/// published results are those of the configuration in force, or of the only one.
fn story(
    draft: &Draft<'_>,
    row: &Row,
    recording: Recording<'_>,
    before: Option<&StoredReport>,
) -> Decided<Story> {
    let Recording { finished, index, .. } = recording;
    let Some(decisive) = finished.runs.get(index) else { return Ok(Story::default()) };
    let is_beside =
        decisive.subject == Subject::Candidate && !row.status.is_untried() && !decisive.is_good();
    let results = match finished.of(Subject::Active) {
        Some((_, active)) if is_beside => Some(ValidationResults::from(&active.report)),
        None if is_beside => incident::latest_story(draft, row)?.results,
        Some(_) | None => Some(ValidationResults::from(&decisive.report)),
    };
    Ok(Story {
        run: Some(RunRef {
            id: run_id(draft.case, index).0,
            trigger: finished.begun.trigger.as_str().to_owned(),
            started_at: finished.started_at,
            duration_ms: i64::try_from(finished.duration.as_millis()).unwrap_or(i64::MAX),
        }),
        results,
        changes: StoredReport::from(&decisive.report).changes(before),
        drift: finished.drift(decisive),
        verdict: recording.verdict(),
        ..Story::default()
    })
}
