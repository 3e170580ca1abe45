//! Fingerprints: the facts of the last passing run of each integration, once per distinct content.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, named_params};
use serde::{Deserialize, Serialize};

use super::{StoreError, SubjectRun};
use crate::domain::{Drift, Fact, FactKind, Facts};

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
    /// Writes out the facts of `run` if it passed.
    pub(super) fn of(run: &SubjectRun) -> Result<Option<Self>, StoreError> {
        if !run.is_good() {
            return Ok(None);
        }
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

/// Reads facts from their column.
pub(super) fn facts(content: Option<String>) -> Result<Option<Facts>, StoreError> {
    let Some(content) = content else { return Ok(None) };
    let entries: Vec<Entry> = serde_json::from_str(&content).map_err(document)?;
    let fact = |Entry { kind, of, values }| (Fact { kind, of }, values);
    Ok(Some(entries.into_iter().map(fact).collect()))
}

/// Deletes facts unless an integration has seen the same.
pub(super) fn discard(tx: &Connection, id: i64) -> Result<(), StoreError> {
    tx.prepare_cached(UNUSED)?.execute(named_params! {":id": id})?;
    Ok(())
}

/// Finds facts by their content.
pub(super) const FIND: &str = "SELECT id FROM fingerprint WHERE digest = :digest";

/// Returns the row of `fingerprint`, made only when its content is new.
pub(super) fn row_of(tx: &Connection, fingerprint: &Fingerprint) -> Result<i64, StoreError> {
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
