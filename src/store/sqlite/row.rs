//! The row of an integration: how decisions get it, and how it is written back.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, Statement, named_params};

use super::checksum::{moved, sound};
use super::column::{Columns, class, flips, labels, parse, report, report_status, trigger};
use super::{StoreError, evidence, halves};
use crate::domain::ledger::{
    FactsRef, Fingerprint, Flapping, Incident, Mute, Progress, Row, Seen, StoredReport, Suspect,
};
use crate::domain::{Counters, IntegrationId, OwnFault, ReportStatus, RunId, Status, Timestamp};

/// The columns that [`read`] needs.
macro_rules! row_columns {
    () => {
        "id, name, kind, labels, cron, zone, status, pending_status, next_run_at_ms, next_trigger,
         lease_owner, lease_token, lease_until_ms, failures, passes, last_run_id,
         first_failure_at_ms, evidence, candidate_failures, candidate_passes,
         candidate_run_id, candidate_first_failure_at_ms, candidate_evidence, sequence,
         transitions, incident_id, failing_since_ms,
         incident_notified, notified_status, muted_until_ms, muted_by, warning_muted, flips,
         flapping_since_ms, flapping_until_ms, suspect_since_ms, suspect_class, own_fault,
         outage_id, fingerprint_id, fingerprint_at_ms, expires_at_ms, expires_what"
    };
}
pub(super) use row_columns;

/// The columns that most runs change.
macro_rules! progress_columns {
    () => {
        "next_run_at_ms = :next, next_trigger = :trigger, lease_owner = :owner,
         lease_token = :token, lease_until_ms = :lease, failures = :failures, passes = :passes,
         last_run_id = :last, fingerprint_at_ms = :seen, expires_at_ms = :expires,
         expires_what = :what"
    };
}

/// The checksum, which no trigger keeps while only [`progress_columns`] are written.
macro_rules! progress_moved {
    () => {
        moved!(
            "row_sum(1, next_run_at_ms, next_trigger, lease_owner, lease_token, lease_until_ms, failures,
                 passes, last_run_id, fingerprint_at_ms, expires_at_ms, expires_what)",
            "row_sum(1, :next, :trigger, :owner, :token, :lease, :failures, :passes, :last, :seen, :expires,
                 :what)"
        )
    };
}

/// The columns that most runs leave as they are; indexes and references make them dearer to write.
macro_rules! cold_columns {
    () => {
        "status = :status, pending_status = :pending, first_failure_at_ms = :first,
         evidence = :evidence, candidate_evidence = :candidate_evidence,
         candidate_failures = :candidate_failures, candidate_passes = :candidate_passes,
         candidate_run_id = :candidate_run, candidate_first_failure_at_ms = :candidate_first,
         sequence = :sequence, transitions = :transitions, incident_id = :incident,
         failing_since_ms = :since, incident_notified = :known,
         notified_status = :notified, muted_until_ms = :muted, muted_by = :by,
         warning_muted = :warning, flips = :flips, flapping_since_ms = :flapping,
         flapping_until_ms = :calm, suspect_since_ms = :suspect, suspect_class = :class,
         own_fault = :fault, outage_id = :outage, fingerprint_id = :fingerprint"
    };
}

pub(super) const BY_ID: &str = concat!(
    "SELECT ",
    row_columns!(),
    ", ",
    sound!(integration "integration"),
    " FROM integration WHERE id = :id"
);

/// Loads the row of `id`, if there is one.
pub(super) fn load(tx: &Connection, id: IntegrationId) -> Result<Option<Row>, StoreError> {
    let mut statement = tx.prepare_cached(BY_ID)?;
    let mut rows = statement.query(named_params! {":id": id.0})?;
    rows.next()?.map(read).transpose()
}

/// The row, and the id that the next run gets.
pub(super) const WITH_NEXT_RUN: &str = concat!(
    "SELECT ",
    row_columns!(),
    ", (SELECT coalesce(max(id), 0) + 1 FROM run), ",
    sound!(integration "integration"),
    " FROM integration WHERE id = :id"
);

/// Loads the row of `id` for a run that is to be recorded, with the id that this run gets.
pub(super) fn load_for_run(
    tx: &Connection,
    id: IntegrationId,
) -> Result<Option<(Row, RunId)>, StoreError> {
    let mut statement = tx.prepare_cached(WITH_NEXT_RUN)?;
    let mut rows = statement.query(named_params! {":id": id.0})?;
    let Some(found) = rows.next()? else { return Ok(None) };
    let mut columns = Columns::of(found);
    let row = read_columns(&mut columns)?;
    Ok(Some((row, RunId(columns.next()?))))
}

/// Reads the columns of [`row_columns`].
pub(super) fn read(row: &SqlRow<'_>) -> Result<Row, StoreError> {
    read_columns(&mut Columns::of(row))
}

fn read_columns(columns: &mut Columns<'_, '_>) -> Result<Row, StoreError> {
    Ok(Row {
        id: IntegrationId(columns.next()?),
        name: columns.next()?,
        kind: columns.next()?,
        labels: columns.word(labels)?,
        cron: columns.next()?,
        zone: columns.next()?,
        status: columns.word(|name| parse("integration", name))?,
        pending: columns
            .next::<Option<String>>()?
            .map(|name| parse("integration", &name))
            .transpose()?,
        next_run_at: columns.instant()?,
        trigger: columns.word(|name| trigger("integration", name))?,
        lease: columns.lease()?,
        active: progress(columns)?,
        candidate: progress(columns)?,
        sequence: columns.next()?,
        transitions: columns.next()?,
        incident: incident(columns)?,
        notified: columns.word(|name| parse("integration", name))?,
        mute: columns.pair(|until, by| Mute { until: Timestamp(until), by })?,
        warning_muted: columns.next()?,
        flips: columns.word(flips)?,
        flapping: columns
            .pair(|since, until| Flapping { since: Timestamp(since), until: Timestamp(until) })?,
        suspect: columns
            .pair(|since, name: String| {
                class(&name).map(|class| Suspect { since: Timestamp(since), class })
            })?
            .transpose()?,
        own_fault: columns
            .next::<Option<String>>()?
            .map(|name| parse("integration", &name))
            .transpose()?,
        outage: columns.next()?,
        seen: Seen {
            fingerprint: columns
                .pair(|id, at| Fingerprint { facts: FactsRef::Stored(id), at: Timestamp(at) })?,
            next_end: columns.pair(|at, what| (Timestamp(at), what))?,
        },
        elsewhere: None,
    })
}

fn progress(columns: &mut Columns<'_, '_>) -> Result<Progress, StoreError> {
    let counters = Counters { failures: columns.next()?, passes: columns.next()? };
    let (last_run, failing_since) = (columns.next()?, columns.instant()?);
    let text: Option<String> = columns.next()?;
    let evidence = evidence::read(counters, text.as_deref())?;
    Ok(Progress { evidence, last_run, failing_since })
}

fn incident(columns: &mut Columns<'_, '_>) -> Result<Option<Incident>, StoreError> {
    let found = columns.pair(|id: String, since| (id, Timestamp(since)))?;
    let is_notified = columns.next()?;
    Ok(found.map(|(id, since)| Incident { id, since, is_notified }))
}

/// Writes back what decisions change of `row`; the rest belongs to the configuration. Where `before` is
/// what the database has, the dearer part is written only when it differs.
pub(super) fn save(
    tx: &Connection,
    row: &Row,
    before: Option<&Row>,
    facts: Option<i64>,
) -> Result<(), StoreError> {
    const PROGRESS: &str = concat!(
        "UPDATE integration SET ",
        progress_columns!(),
        ", ",
        progress_moved!(),
        " WHERE id = :id"
    );
    const ALL: &str = concat!(
        "UPDATE integration SET ",
        progress_columns!(),
        ", ",
        cold_columns!(),
        " WHERE id = :id"
    );
    if before.is_some_and(|before| halves::is_cold_part_same(row, before, facts)) {
        let mut statement = tx.prepare_cached(PROGRESS)?;
        bind_progress(row, &mut statement)?;
        statement.raw_execute()?;
    } else {
        let mut statement = tx.prepare_cached(ALL)?;
        bind_progress(row, &mut statement)?;
        bind_cold(row, facts, &mut statement)?;
        statement.raw_execute()?;
    }
    Ok(())
}

fn bind_progress(row: &Row, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
    let Seen { fingerprint, next_end } = &row.seen;
    statement.raw_bind_parameter(c":id", row.id.0)?;
    statement.raw_bind_parameter(c":next", row.next_run_at.map(|at| at.0))?;
    statement.raw_bind_parameter(c":trigger", row.trigger.as_str())?;
    statement.raw_bind_parameter(c":owner", row.lease.map(|lease| lease.owner))?;
    statement.raw_bind_parameter(c":token", row.lease.map(|lease| lease.token))?;
    statement.raw_bind_parameter(c":lease", row.lease.map(|lease| lease.until.0))?;
    statement.raw_bind_parameter(c":failures", row.active.evidence.counters.failures)?;
    statement.raw_bind_parameter(c":passes", row.active.evidence.counters.passes)?;
    statement.raw_bind_parameter(c":last", row.active.last_run)?;
    statement.raw_bind_parameter(c":seen", fingerprint.map(|seen| seen.at.0))?;
    statement.raw_bind_parameter(c":expires", next_end.as_ref().map(|(at, _)| at.0))?;
    statement.raw_bind_parameter(c":what", next_end.as_ref().map(|(_, what)| what))
}

fn bind_cold(
    row: &Row,
    facts: Option<i64>,
    statement: &mut Statement<'_>,
) -> Result<(), StoreError> {
    let flips: Vec<i64> = row.flips.0.iter().map(|at| at.0).collect();
    let document = |source| StoreError::Document { table: "integration", source };
    let flips = serde_json::to_string(&flips).map_err(document)?;
    let (incident, mute) = (row.incident.as_ref(), row.mute.as_ref());
    let incident_id = incident.map(|incident| incident.id.as_str());
    statement.raw_bind_parameter(c":status", row.status.as_str())?;
    statement.raw_bind_parameter(c":sequence", row.sequence)?;
    statement.raw_bind_parameter(c":transitions", row.transitions)?;
    bind_configurations(row, statement)?;
    statement.raw_bind_parameter(c":incident", incident_id)?;
    statement.raw_bind_parameter(c":since", incident.map(|incident| incident.since.0))?;
    statement
        .raw_bind_parameter(c":known", incident.is_some_and(|incident| incident.is_notified))?;
    statement.raw_bind_parameter(c":notified", row.notified.as_str())?;
    statement.raw_bind_parameter(c":muted", mute.map(|mute| mute.until.0))?;
    statement.raw_bind_parameter(c":by", mute.map(|mute| mute.by.as_str()))?;
    statement.raw_bind_parameter(c":warning", row.warning_muted)?;
    statement.raw_bind_parameter(c":flips", flips)?;
    statement.raw_bind_parameter(c":flapping", row.flapping.map(|one| one.since.0))?;
    statement.raw_bind_parameter(c":calm", row.flapping.map(|one| one.until.0))?;
    statement.raw_bind_parameter(c":suspect", row.suspect.map(|first| first.since.0))?;
    statement.raw_bind_parameter(c":class", row.suspect.map(|last| last.class.as_str()))?;
    statement.raw_bind_parameter(c":fault", row.own_fault.map(OwnFault::as_str))?;
    statement.raw_bind_parameter(c":outage", row.outage.as_deref())?;
    statement.raw_bind_parameter(c":fingerprint", facts)?;
    Ok(())
}

/// Binds what of the two configurations most runs leave as it is.
fn bind_configurations(row: &Row, statement: &mut Statement<'_>) -> Result<(), StoreError> {
    let Progress { evidence: candidate, last_run, failing_since } = &row.candidate;
    let active = evidence::text(&row.active.evidence)?;
    statement.raw_bind_parameter(c":pending", row.pending.map(Status::as_str))?;
    statement.raw_bind_parameter(c":first", row.active.failing_since.map(|at| at.0))?;
    statement.raw_bind_parameter(c":evidence", active)?;
    statement.raw_bind_parameter(c":candidate_evidence", evidence::text(candidate)?)?;
    statement.raw_bind_parameter(c":candidate_failures", candidate.counters.failures)?;
    statement.raw_bind_parameter(c":candidate_passes", candidate.counters.passes)?;
    statement.raw_bind_parameter(c":candidate_run", *last_run)?;
    statement.raw_bind_parameter(c":candidate_first", failing_since.map(|at| at.0))?;
    Ok(())
}

/// Loads the overall result and the results of run `id`.
pub(super) fn results(
    tx: &Connection,
    id: i64,
) -> Result<Option<(ReportStatus, StoredReport)>, StoreError> {
    const SQL: &str = "
        SELECT run.status, report.content FROM run JOIN report ON report.id = run.report_id
        WHERE run.id = :id";
    let mut statement = tx.prepare_cached(SQL)?;
    let found: Option<(String, String)> = statement
        .query_row(named_params! {":id": id}, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map(|(status, content)| Ok((report_status(&status)?, report(&content)?))).transpose()
}
