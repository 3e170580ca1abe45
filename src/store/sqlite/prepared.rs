//! Runs as they are stored: their results and facts written out, once per distinct content.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::super::forms::prepared::Document;
pub(super) use super::super::forms::prepared::{Judged, Prepared};
use super::column::millis;
use super::{StoreError, fingerprint, looks};
use crate::domain::Class;

/// Returns the row of the facts that run number `index` saw, made only when they are new.
pub(super) fn facts(
    tx: &Connection,
    prepared: &Prepared,
    index: usize,
) -> Result<Option<i64>, StoreError> {
    let facts = prepared.fingerprints.get(index).and_then(Option::as_ref);
    facts.map(|facts| fingerprint::row_of(tx, facts)).transpose()
}

/// Adds run number `index` of those that are recorded.
pub(super) fn insert(
    tx: &Connection,
    judged: Judged<'_>,
    prepared: &Prepared,
    index: usize,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO run (id, integration_id, subject, trigger, started_at_ms, duration_ms, status,
                         class, rule, report_id, drift, took, evidence)
        VALUES (:run, :id, :subject, :trigger, :started, :duration, :status, :class, :rule,
                :report, :drift, :took, :evidence)";
    let finished = &prepared.finished;
    let found = finished.runs.get(index).zip(prepared.documents.get(index));
    let Some((run, document)) = found else { return Ok(()) };
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":run": judged.id.0,
        ":id": finished.begun.id.0,
        ":subject": run.subject.as_str(),
        ":trigger": finished.begun.trigger.as_str(),
        ":started": finished.started_at.0,
        ":duration": millis(finished.duration),
        ":status": run.report.status().as_str(),
        ":class": run.report.class().map(Class::as_str),
        ":rule": judged.rule,
        ":report": report_id(tx, document)?,
        ":drift": document.drift,
        ":took": document.took,
        ":evidence": looks::text(judged.evidence)?,
    })?;
    Ok(())
}

/// Finds results by their content.
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
