//! Facts of passing runs (fingerprint) to and from their column, and the differences between two runs.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::domain::ledger::SubjectRun;
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
pub(in crate::store) struct Fingerprint {
    /// SHA-256 of the content.
    pub(in crate::store) digest: Vec<u8>,
    /// Facts as a JSON document.
    pub(in crate::store) content: String,
}

impl Fingerprint {
    /// Writes out the facts of `run` if it passed.
    pub(in crate::store) fn of(run: &SubjectRun) -> Result<Option<Self>, StoreError> {
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
pub(in crate::store) fn facts(content: Option<String>) -> Result<Option<Facts>, StoreError> {
    let Some(content) = content else { return Ok(None) };
    let entries: Vec<Entry> = serde_json::from_str(&content).map_err(document)?;
    let fact = |Entry { kind, of, values }| (Fact { kind, of }, values);
    Ok(Some(entries.into_iter().map(fact).collect()))
}

/// Differences as they are stored; none when there is none.
pub(in crate::store) fn written(drift: &[Drift]) -> Result<Option<String>, StoreError> {
    let document = |source| StoreError::Document { table: "run", source };
    if drift.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(drift).map(Some).map_err(document)
}

/// Reads differences from their column.
pub(in crate::store) fn read(drift: Option<&str>) -> Result<Vec<Drift>, StoreError> {
    let document = |source| StoreError::Document { table: "run", source };
    drift.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(text).map_err(document))
}
