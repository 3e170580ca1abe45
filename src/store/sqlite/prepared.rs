//! Runs as they are stored: their results and facts written out, once per distinct content.

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::column::millis;
use super::expiry::{self, Expiries};
use super::fingerprint::{self, Fingerprint};
use super::{Finished, StoreError, StoredReport, SubjectRun, looks, took};
use crate::domain::{Class, RunId, Weighed};

/// A finished run with its results written out, which needs no database and so no writer's time.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) finished: Finished,
    documents: Vec<Document>,
    /// Facts of each run that passed.
    fingerprints: Vec<Option<Fingerprint>>,
    /// Expiries that each run saw.
    expiries: Vec<Expiries>,
}

/// Results as they are stored.
#[derive(Debug)]
struct Document {
    digest: Vec<u8>,
    content: String,
    drift: Option<String>,
    took: Option<Vec<u8>>,
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
            Ok(Document { digest, content, drift, took: took::packed(&run.took()) })
        };
        let documents = finished.runs.iter().map(written).collect::<Result<_, StoreError>>()?;
        let facts = finished.runs.iter().map(Fingerprint::of);
        let fingerprints = facts.collect::<Result<_, StoreError>>()?;
        let expiries = finished.runs.iter().map(|run| expiry::of(&run.observed)).collect();
        Ok(Self { finished, documents, fingerprints, expiries })
    }

    /// Returns the expiries that run number `index` saw.
    pub(super) fn expiries(&self, index: usize) -> Option<&Expiries> {
        self.expiries.get(index)
    }

    /// Returns the row of the facts that run number `index` saw, made only when they are new.
    pub(super) fn facts(&self, tx: &Connection, index: usize) -> Result<Option<i64>, StoreError> {
        let facts = self.fingerprints.get(index).and_then(Option::as_ref);
        facts.map(|facts| fingerprint::row_of(tx, facts)).transpose()
    }
}

/// Verdict on a run that is added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged<'a> {
    /// Id that the run gets.
    pub(super) id: RunId,
    /// Rule of the verdict.
    pub(super) rule: &'a str,
    /// Looks that it rests on; none where nothing was in doubt.
    pub(super) evidence: &'a [Weighed],
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
