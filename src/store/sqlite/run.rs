//! The life of a run: begun under a lease, recorded under its token, or given back.

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::column::{Columns, millis, parse, trigger};
use super::decide::{Asked, Recording};
use super::fingerprint::{self, Fingerprint};
use super::{
    Began, Begun, Finished, Lease, NotificationContext, Recorded, StoreError, StoredReport,
    SubjectRun, configuration, row,
};
use crate::domain::ledger;
use crate::domain::{Class, IntegrationId, RunId, Timestamp};

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
    Ok(match row::load(tx, id)? {
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

    /// Returns the row of the facts that the run which passed saw, made only when they are new.
    pub(super) fn facts(&self, tx: &Connection) -> Result<Option<i64>, StoreError> {
        self.fingerprint.as_ref().map(|facts| fingerprint::row_of(tx, facts)).transpose()
    }
}

/// Records a finished run and everything that follows from it, or nothing.
pub(super) fn record(
    tx: &Connection,
    prepared: &Prepared,
    context: &NotificationContext,
) -> Result<Recorded, StoreError> {
    let finished = &prepared.finished;
    let Some((row, id)) = row::load_for_run(tx, finished.begun.id)? else {
        return Ok(Recorded::Overtaken);
    };
    let run = Some(Recording { id, prepared });
    let asked = Asked { row: Some(&row), run, now: context.now };
    asked.decide(tx, |case| ledger::record(case, &row, finished, context))
}

/// Adds run number `index` of those that are recorded.
pub(super) fn insert(
    tx: &Connection,
    id: RunId,
    rule: &str,
    prepared: &Prepared,
    index: usize,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO run (id, integration_id, subject, trigger, started_at_ms, duration_ms, status,
                         class, rule, report_id, drift)
        VALUES (:run, :id, :subject, :trigger, :started, :duration, :status, :class, :rule,
                :report, :drift)";
    let finished = &prepared.finished;
    let found = finished.runs.get(index).zip(prepared.documents.get(index));
    let Some((run, document)) = found else { return Ok(()) };
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":run": id.0,
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
    Ok(())
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
