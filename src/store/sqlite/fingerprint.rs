//! What runs see besides their results: the facts of the last passing run, once per distinct
//! content, and what ends next.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, named_params};
use serde::{Deserialize, Serialize};

use super::{Finished, StoreError, SubjectRun};
use crate::domain::{Drift, Expiry, Fact, FactKind, Facts, IntegrationId, ReportStatus};

/// A fact as it is stored.
#[derive(Debug, Deserialize, Serialize)]
struct Entry {
    kind: FactKind,
    of: String,
    values: BTreeSet<String>,
}

/// Facts as they are stored.
#[derive(Debug)]
pub(super) struct Fingerprint {
    digest: Vec<u8>,
    content: String,
}

impl Fingerprint {
    /// Writes out the facts of the run in `finished` that passed, if one did: there is one at most.
    pub(super) fn of(finished: &Finished) -> Result<Option<Self>, StoreError> {
        let Some(run) = passed(finished) else { return Ok(None) };
        let entry = |(fact, values): (&Fact, &BTreeSet<String>)| Entry {
            kind: fact.kind,
            of: fact.of.clone(),
            values: values.clone(),
        };
        let entries: Vec<_> = run.observed.facts.iter().map(entry).collect();
        let content = serde_json::to_string(&entries).map_err(document)?;
        Ok(Some(Self { digest: digest(&SHA256, content.as_bytes()).as_ref().to_vec(), content }))
    }
}

fn document(source: serde_json::Error) -> StoreError {
    StoreError::Document { table: "fingerprint", source }
}

fn passed(finished: &Finished) -> Option<&SubjectRun> {
    finished.runs.iter().find(|run| match run.report.status() {
        ReportStatus::Passed | ReportStatus::Warning => true,
        ReportStatus::Failed | ReportStatus::Skipped => false,
    })
}

/// What the last passing run of an integration saw.
pub(super) const OF_INTEGRATION: &str = "
    SELECT fingerprint.content FROM integration
    JOIN fingerprint ON fingerprint.id = integration.fingerprint_id
    WHERE integration.id = :id";

/// The facts that the last passing run of `id` saw, if one passed.
pub(super) fn load(tx: &Connection, id: IntegrationId) -> Result<Option<Facts>, StoreError> {
    let mut statement = tx.prepare_cached(OF_INTEGRATION)?;
    let found: Option<String> =
        statement.query_row(named_params! {":id": id.0}, |row| row.get(0)).optional()?;
    let Some(content) = found else { return Ok(None) };
    let entries: Vec<Entry> = serde_json::from_str(&content).map_err(document)?;
    let fact = |Entry { kind, of, values }| (Fact { kind, of }, values);
    Ok(Some(entries.into_iter().map(fact).collect()))
}

/// Keeps what the runs of `finished` saw with their integration.
pub(super) fn keep(
    tx: &Connection,
    finished: &Finished,
    fingerprint: Option<&Fingerprint>,
) -> Result<(), StoreError> {
    const FACTS: &str = "
        UPDATE integration SET fingerprint_id = :fingerprint, fingerprint_at_ms = :at
        WHERE id = :id";
    let id = finished.begun.id.0;
    if let Some(fingerprint) = fingerprint {
        let former: Option<i64> = tx
            .prepare_cached("SELECT fingerprint_id FROM integration WHERE id = :id")?
            .query_row(named_params! {":id": id}, |row| row.get(0))?;
        let now = row_of(tx, fingerprint)?;
        let at = finished.started_at.0;
        let params = named_params! {":id": id, ":fingerprint": now, ":at": at};
        tx.prepare_cached(FACTS)?.execute(params)?;
        if let Some(former) = former.filter(|former| *former != now) {
            tx.prepare_cached(UNUSED)?.execute(named_params! {":id": former})?;
        }
    }
    keep_end(tx, finished)
}

/// A run that failed may have ended early: what was known before it holds, unless it has seen
/// something that ends sooner.
fn keep_end(tx: &Connection, finished: &Finished) -> Result<(), StoreError> {
    const END: &str = "
        UPDATE integration SET expires_at_ms = :at, expires_what = :what
        WHERE id = :id AND (:whole OR expires_at_ms IS NULL OR :at < expires_at_ms)";
    let whole = passed(finished);
    let next = whole.or(finished.runs.first()).and_then(|run| run.observed.next_end());
    tx.prepare_cached(END)?.execute(named_params! {
        ":id": finished.begun.id.0,
        ":whole": whole.is_some(),
        ":at": next.map(|expiry| expiry.at.0),
        ":what": next.map(Expiry::what),
    })?;
    Ok(())
}

/// Facts by content.
pub(super) const FIND: &str = "SELECT id FROM fingerprint WHERE digest = :digest";

/// The row of `fingerprint`, made only when its content is new.
fn row_of(tx: &Connection, fingerprint: &Fingerprint) -> Result<i64, StoreError> {
    const INSERT: &str = "INSERT INTO fingerprint (digest, content) VALUES (:digest, :content)";
    let Fingerprint { digest, content } = fingerprint;
    let mut find = tx.prepare_cached(FIND)?;
    if let Some(id) =
        find.query_row(named_params! {":digest": digest}, |row| row.get(0)).optional()?
    {
        return Ok(id);
    }
    tx.prepare_cached(INSERT)?.execute(named_params! {":digest": digest, ":content": content})?;
    Ok(tx.last_insert_rowid())
}

/// Facts go with the last integration that points to them.
pub(super) const UNUSED: &str = "
    DELETE FROM fingerprint
    WHERE id = :id AND NOT EXISTS (SELECT 1 FROM integration WHERE fingerprint_id = :id)";

/// Forgets what integrations saw that are no more; how many rows that were.
pub(super) fn forget(tx: &Connection) -> Result<usize, StoreError> {
    const REMOVED: &str = "
        UPDATE integration SET fingerprint_id = NULL
        WHERE status = 'deleted' AND fingerprint_id IS NOT NULL";
    const ALONE: &str = "
        DELETE FROM fingerprint
        WHERE NOT EXISTS (SELECT 1 FROM integration WHERE fingerprint_id = fingerprint.id)";
    if tx.execute(REMOVED, [])? == 0 {
        return Ok(0);
    }
    Ok(tx.execute(ALONE, [])?)
}

/// Differences as they are stored; none when there is none.
pub(super) fn written(drift: &[Drift]) -> Result<Option<String>, StoreError> {
    let document = |source| StoreError::Document { table: "run", source };
    if drift.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(drift).map(Some).map_err(document)
}

/// Reads differences from their column.
pub(super) fn read(drift: Option<&str>) -> Result<Vec<Drift>, StoreError> {
    let document = |source| StoreError::Document { table: "run", source };
    drift.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(text).map_err(document))
}
