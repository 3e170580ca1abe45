//! The life of a run: begun under a lease, recorded under its token, or given back.

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, named_params};
use std::collections::BTreeSet;

use super::column::{Columns, millis, parse, report, trigger};
use super::event::{Story, flip};
use super::fingerprint::{self, Fingerprint};
use super::outage::{self, Suspect};
use super::row::{Row, results};
use super::{
    Began, Begun, Finished, Lease, NotificationContext, Recorded, StoreError, StoredReport,
    SubjectRun, Trigger, configuration, hold, own_fault,
};
use crate::domain::{
    Cause, Class, Counters, IntegrationId, Judgement, Policy, Report, ReportStatus, RunId, RunRef,
    Schedule, Status, Subject, Timestamp, Transition, ValidationResults, Verdict, judge,
    next_status,
};

/// The guard: due, which only what is validated ever is, and not held by another run.
pub(super) const BEGIN: &str = "
    SELECT name, kind, status, next_trigger, next_run_at_ms, fingerprint.content
    FROM integration LEFT JOIN fingerprint ON fingerprint.id = fingerprint_id
    WHERE integration.id = :id AND next_run_at_ms <= :now
      AND (lease_until_ms IS NULL OR lease_until_ms <= :now)";

/// Starts a run if it is due.
pub(super) fn begin(
    tx: &Connection,
    id: IntegrationId,
    lease: Lease,
    now: Timestamp,
) -> Result<Began, StoreError> {
    const LEASE: &str = "
        UPDATE integration SET lease_owner = :owner, lease_token = :token, lease_until_ms = :until
        WHERE id = :id";
    let mut statement = tx.prepare_cached(BEGIN)?;
    let mut rows = statement.query(named_params! {":id": id.0, ":now": now.0})?;
    let Some(row) = rows.next()? else {
        return why_not(tx, id, now);
    };
    let mut columns = Columns::of(row);
    let mut begun = Begun {
        id,
        name: columns.next()?,
        kind: columns.next()?,
        status: columns.word(|name| parse("integration", name))?,
        token: lease.token,
        trigger: columns.word(|name| trigger("integration", name))?,
        due_at: columns.instant()?.unwrap_or(now),
        active_config: None,
        fingerprint: fingerprint::facts(columns.next()?)?,
    };
    drop(rows);
    if 1 < begun.status.subjects().len()
        && let Some((kind, config)) = configuration::active(tx, id)?
    {
        (begun.kind, begun.active_config) = (kind, Some(config));
    }
    tx.prepare_cached(LEASE)?.execute(named_params! {
        ":id": id.0, ":owner": lease.owner, ":token": lease.token, ":until": lease.until.0,
    })?;
    Ok(Began::Run(begun))
}

fn why_not(tx: &Connection, id: IntegrationId, now: Timestamp) -> Result<Began, StoreError> {
    Ok(match Row::load(tx, id)? {
        None => Began::NotInUse,
        Some(row) if row.status.subjects().is_empty() => Began::NotInUse,
        Some(row) if row.is_leased(now) => Began::Running,
        Some(_) => Began::NotDue,
    })
}

/// Gives a lease back without a result; the run stays due.
pub(super) fn give_back(tx: &Connection, begun: &Begun) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE integration SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL
        WHERE id = :id AND lease_token = :token";
    tx.prepare_cached(SQL)?.execute(named_params! {":id": begun.id.0, ":token": begun.token})?;
    Ok(())
}

/// A finished run with its results written out, which needs no database and so no writer's time.
#[derive(Debug)]
pub(super) struct Prepared {
    finished: Finished,
    documents: Vec<Document>,
    fingerprint: Option<Fingerprint>,
}

/// Results as they are stored.
#[derive(Debug)]
struct Document {
    digest: Vec<u8>,
    content: String,
    drift: Option<String>,
}

impl Prepared {
    /// Writes out the results of `finished`.
    pub(super) fn new(finished: Finished) -> Result<Self, StoreError> {
        let written = |run: &SubjectRun| {
            let document = |source| StoreError::Document { table: "report", source };
            let content =
                serde_json::to_string(&StoredReport::from(&run.report)).map_err(document)?;
            let drift = fingerprint::written(&finished.drift(run))?;
            let digest = digest(&SHA256, content.as_bytes()).as_ref().to_vec();
            Ok(Document { digest, content, drift })
        };
        let documents = finished.runs.iter().map(written).collect::<Result<_, StoreError>>()?;
        let fingerprint = Fingerprint::of(&finished)?;
        Ok(Self { finished, documents, fingerprint })
    }
}

/// Records a finished run and everything that follows from it, or nothing.
pub(super) fn record(
    tx: &Connection,
    prepared: &Prepared,
    tell: &NotificationContext,
) -> Result<Recorded, StoreError> {
    let finished = &prepared.finished;
    let held = Row::load(tx, finished.begun.id)?
        .filter(|row| row.lease.is_some_and(|lease| lease.token == finished.begun.token));
    let (Some(mut row), Some(first)) = (held, finished.runs.first()) else {
        return Ok(Recorded::Overtaken);
    };
    row.lease = None;
    if row.status != finished.begun.status {
        // It is being removed, and has now been waited for.
        row.save(tx)?;
        return Ok(Recorded::Overtaken);
    }
    hold::settle(tx, &mut row, tell)?;
    let judged = judge(&finished.policy, row.counters, &first.report);
    let warns = warns_anew(tx, &row, &first.report)?;
    let runs = insert_runs(tx, prepared, &judged)?;
    let fingerprint = prepared.fingerprint.as_ref();
    let outdated = fingerprint::keep(tx, &mut row.seen, finished, fingerprint)?;
    let run = runs.first().copied().unwrap_or(RunId(0));
    let former = std::mem::replace(&mut row.last_run, shown(finished, &runs).map(|run| run.0));
    row.counters = judged.counters;
    let step =
        cause(first.subject, judged.verdict).and_then(|cause| next_status(row.status, cause));
    suspect(tx, &mut row, finished, tell.now)?;
    own_fault::note(tx, &mut row, own_fault::of(finished), tell)?;
    if let Some(step) = step {
        let before = before(tx, row.id, (step.cause, run))?.or(former);
        let story = story(tx, finished, run, before)?;
        if matches!(step.cause, Cause::ActivePassed | Cause::ActiveFailed) {
            hold::flip(tx, &mut row, step, story, (tell, &flapping_policy(finished, tell.now)))?;
        } else {
            flip(tx, &mut row, step, story, tell)?;
        }
        settle(tx, &mut row, step)?;
    } else if warns {
        hold::warn(tx, &mut row, story(tx, finished, run, former)?, tell)?;
    }
    (row.next_run_at, row.trigger) = plan(&row, finished, judged.verdict, tell.now);
    row.save(tx)?;
    if let Some(facts) = outdated {
        fingerprint::discard(tx, facts)?;
    }
    let (verdict, rule, next_run_at) = (judged.verdict, judged.rule, row.next_run_at);
    Ok(Recorded::Stored { run, verdict, rule, transition: step, next_run_at })
}

/// The policy, with a calm that two runs at least bear out: between two runs nothing is seen, which is
/// no calm.
fn flapping_policy(finished: &Finished, now: Timestamp) -> Policy {
    let runs = finished.schedule.period(now).saturating_mul(2);
    Policy { flap_calm: finished.policy.flap_calm.max(runs), ..finished.policy }
}

/// Notes whether the latest runs of an integration that is watched fail; the first of them may be
/// the first sign of something that others share.
fn suspect(
    tx: &Connection,
    row: &mut Row,
    finished: &Finished,
    now: Timestamp,
) -> Result<(), StoreError> {
    let active = finished.runs.first().filter(|run| run.subject == Subject::Active);
    let Some(report) = active.map(|run| &run.report) else { return Ok(()) };
    match (report.status(), report.class()) {
        (ReportStatus::Failed, Some(class)) if class != Class::Local => {
            let since = row.suspect.map(|suspect| suspect.since);
            row.suspect = Some(Suspect { since: since.unwrap_or(finished.started_at), class });
            if since.is_none() {
                outage::alert(tx, row, now)?;
            }
        }
        (ReportStatus::Passed | ReportStatus::Warning, _) => row.suspect = None,
        (ReportStatus::Failed | ReportStatus::Skipped, _) => {}
    }
    Ok(())
}

/// The latest run of an integration that went the other way.
pub(super) const OTHER_WAY: &str = "
    SELECT id FROM run
    WHERE integration_id = :id AND id < :run
      AND iif(:good, status IN ('passed', 'warning'), status = 'failed' AND class IS NOT 'local')
    ORDER BY id DESC LIMIT 1";

/// The run that a recurring validation's verdict is told in comparison with: the runs that only
/// confirmed it have found the same, and show nothing that broke or works again.
fn before(
    tx: &Connection,
    id: IntegrationId,
    (cause, run): (Cause, RunId),
) -> Result<Option<i64>, StoreError> {
    let good = cause == Cause::ActiveFailed;
    if !good && cause != Cause::ActivePassed {
        return Ok(None);
    }
    let params = named_params! {":id": id.0, ":run": run.0, ":good": good};
    Ok(tx.prepare_cached(OTHER_WAY)?.query_row(params, |row| row.get(0)).optional()?)
}

/// What there is to tell about `run`, given the run `before`.
fn story(
    tx: &Connection,
    finished: &Finished,
    run: RunId,
    before: Option<i64>,
) -> Result<Story, StoreError> {
    let earlier = before.map(|id| results(tx, id)).transpose()?.flatten();
    let earlier = earlier.map(|(_, report)| report);
    let first = finished.runs.first();
    let report = first.map(|first| &first.report);
    let latest = report.map(StoredReport::from);
    Ok(Story {
        run: Some(RunRef {
            id: run.0,
            trigger: finished.begun.trigger.as_str().to_owned(),
            started_at: finished.started_at,
            duration_ms: millis(finished.duration),
        }),
        results: report.map(ValidationResults::from),
        changes: latest.map(|latest| latest.changes(earlier.as_ref())).unwrap_or_default(),
        group: None,
        drift: first.map(|first| finished.drift(first)).unwrap_or_default(),
    })
}

/// True when an integration that works has warnings that were not there before; asked before the
/// run is stored.
fn warns_anew(tx: &Connection, row: &Row, report: &Report) -> Result<bool, StoreError> {
    let warned = row.status == Status::Enabled && report.status() == ReportStatus::Warning;
    Ok(warned && !warnings(&StoredReport::from(report)).is_subset(&warnings_before(tx, row.id)?))
}

type Warnings = BTreeSet<(String, Option<String>)>;

fn warnings(report: &StoredReport) -> Warnings {
    let warned = report.tests.iter().filter(|test| test.status == ReportStatus::Warning);
    warned.map(|test| (test.name.clone(), test.message.clone())).collect()
}

/// The results of the latest run that did not fail.
pub(super) const GOOD_BEFORE: &str = "
    SELECT report.content FROM run JOIN report ON report.id = run.report_id
    WHERE run.integration_id = :id AND run.status IN ('passed', 'warning')
    ORDER BY run.id DESC LIMIT 1";

/// The warnings of the latest run that did not fail: an outage in between is not news of them.
fn warnings_before(tx: &Connection, id: IntegrationId) -> Result<Warnings, StoreError> {
    let mut statement = tx.prepare_cached(GOOD_BEFORE)?;
    let found: Option<String> =
        statement.query_row(named_params! {":id": id.0}, |row| row.get(0)).optional()?;
    found.map_or_else(|| Ok(Warnings::new()), |content| Ok(warnings(&report(&content)?)))
}

fn insert_runs(
    tx: &Connection,
    prepared: &Prepared,
    judged: &Judgement,
) -> Result<Vec<RunId>, StoreError> {
    const SQL: &str = "
        INSERT INTO run (integration_id, subject, trigger, started_at_ms, duration_ms, status,
                         class, rule, report_id, drift)
        VALUES (:id, :subject, :trigger, :started, :duration, :status, :class, :rule, :report,
                :drift)";
    let finished = &prepared.finished;
    let mut ids = Vec::with_capacity(finished.runs.len());
    for (run, document) in finished.runs.iter().zip(&prepared.documents) {
        let rule = if ids.is_empty() { &judged.rule } else { "another configuration decides" };
        tx.prepare_cached(SQL)?.execute(named_params! {
            ":id": finished.begun.id.0,
            ":subject": run.subject.as_str(),
            ":trigger": finished.begun.trigger.as_str(),
            ":started": finished.started_at.0,
            ":duration": millis(finished.duration),
            ":status": run.report.status().as_str(),
            ":class": run.report.class().map(Class::as_str),
            ":rule": rule,
            ":report": report_id(tx, document)?,
            ":drift": document.drift,
        })?;
        ids.push(RunId(tx.last_insert_rowid()));
    }
    Ok(ids)
}

/// Results by content.
pub(super) const FIND_REPORT: &str = "SELECT id FROM report WHERE digest = :digest";

/// The row of `document`, made only when its content is new.
fn report_id(tx: &Connection, document: &Document) -> Result<i64, StoreError> {
    const INSERT: &str = "INSERT INTO report (digest, content) VALUES (:digest, :content)";
    let mut find = tx.prepare_cached(FIND_REPORT)?;
    let digest = &document.digest;
    let found = find.query_row(named_params! {":digest": digest}, |row| row.get(0)).optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    let params = named_params! {":digest": digest, ":content": document.content};
    tx.prepare_cached(INSERT)?.execute(params)?;
    Ok(tx.last_insert_rowid())
}

/// The run whose results users see: the candidate's when it passed or stands alone.
fn shown(finished: &Finished, runs: &[RunId]) -> Option<RunId> {
    let first = finished.runs.first()?;
    let good = matches!(first.report.status(), ReportStatus::Passed | ReportStatus::Warning);
    if good { runs.first().copied() } else { runs.get(1).or(runs.first()).copied() }
}

/// What a verdict on `subject` causes.
fn cause(subject: Subject, verdict: Verdict) -> Option<Cause> {
    match (subject, verdict) {
        (Subject::Active, Verdict::Passed) => Some(Cause::ActivePassed),
        (Subject::Active, Verdict::Failed) => Some(Cause::ActiveFailed),
        (Subject::Candidate, Verdict::Passed) => Some(Cause::CandidatePassed),
        (Subject::Candidate, Verdict::Failed) => Some(Cause::CandidateFailed),
        (_, Verdict::Confirming | Verdict::Recovering | Verdict::CannotTell) => None,
    }
}

/// What a transition that a run caused does to the configurations and the counters.
fn settle(tx: &Connection, row: &mut Row, step: Transition) -> Result<(), StoreError> {
    if step.cause == Cause::CandidatePassed {
        configuration::adopt(tx, row.id)?;
    }
    // Failing and working again are one story, whose evidence goes on; an operation starts anew.
    if !matches!(step.cause, Cause::ActivePassed | Cause::ActiveFailed) {
        row.counters = Counters::default();
    }
    Ok(())
}

/// True when a verdict that is still open would change the status if it were reached: only then is
/// it worth a run out of turn. An operation in flight is waited for by somebody, so a run that
/// could not tell anything about it is repeated as well.
fn would_flip(row: &Row, finished: &Finished, verdict: Verdict) -> bool {
    let reached = match verdict {
        Verdict::Confirming | Verdict::CannotTell => Verdict::Failed,
        Verdict::Recovering => Verdict::Passed,
        Verdict::Passed | Verdict::Failed => return false,
    };
    let candidate = |first: &&SubjectRun| first.subject == Subject::Candidate;
    let first = finished.runs.first();
    let first = first.filter(|first| verdict != Verdict::CannotTell || candidate(first));
    let cause = first.and_then(|first| cause(first.subject, reached));
    cause.is_some_and(|cause| next_status(row.status, cause).is_some())
}

/// When the integration is due after this run, and why then.
fn plan(
    row: &Row,
    finished: &Finished,
    verdict: Verdict,
    now: Timestamp,
) -> (Option<Timestamp>, Trigger) {
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
    let confirm = now.plus(finished.policy.confirm_wait);
    if would_flip(row, finished, verdict) && scheduled.is_none_or(|scheduled| confirm < scheduled) {
        (Some(confirm), Trigger::Confirm)
    } else {
        (scheduled, Trigger::Schedule)
    }
}
