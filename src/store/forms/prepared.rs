//! Runs as they are stored: their results and facts written out, which needs no database.

use aws_lc_rs::digest::{SHA256, digest};

use super::facts::{self, Fingerprint};
use super::{StoreError, took};
use crate::domain::ledger::{Finished, StoredReport, SubjectRun};
use crate::domain::{Observed, RunId, Timestamp, Weighed};

/// The most expiries of one integration, the earliest of those that its run saw.
const EXPIRIES_MAX: usize = 50;

/// Expiries as they are stored: instants, each with the object as a noun.
pub(in crate::store) type Expiries = Vec<(Timestamp, String)>;

/// A finished run with its results written out.
#[derive(Debug)]
pub(in crate::store) struct Prepared {
    /// Run that has finished.
    pub(in crate::store) finished: Finished,
    /// Results of each run.
    pub(in crate::store) documents: Vec<Document>,
    /// Facts of each run that passed.
    pub(in crate::store) fingerprints: Vec<Option<Fingerprint>>,
    /// Expiries that each run saw.
    pub(in crate::store) expiries: Vec<Expiries>,
}

/// Results as they are stored.
#[derive(Debug)]
pub(in crate::store) struct Document {
    /// SHA-256 of the content.
    pub(in crate::store) digest: Vec<u8>,
    /// Results as a JSON document.
    pub(in crate::store) content: String,
    /// Differences from the last passing run as JSON; none where there are none.
    pub(in crate::store) drift: Option<String>,
    /// Times of the tests.
    pub(in crate::store) took: Option<Vec<u8>>,
}

impl Prepared {
    /// Writes out the results of `finished`.
    pub(in crate::store) fn new(finished: Finished) -> Result<Self, StoreError> {
        let written = |run: &SubjectRun| {
            let document = |source| StoreError::Document { table: "report", source };
            let content =
                serde_json::to_string(&StoredReport::from(&run.report)).map_err(document)?;
            let drift = facts::written(&finished.drift(run))?;
            let digest = digest(&SHA256, content.as_bytes()).as_ref().to_vec();
            Ok(Document { digest, content, drift, took: took::packed(&run.took()) })
        };
        let documents = finished.runs.iter().map(written).collect::<Result<_, StoreError>>()?;
        let facts = finished.runs.iter().map(Fingerprint::of);
        let fingerprints = facts.collect::<Result<_, StoreError>>()?;
        let expiries = finished.runs.iter().map(|run| expiries(&run.observed)).collect();
        Ok(Self { finished, documents, fingerprints, expiries })
    }
}

/// Returns the expiries that a run saw, soonest first and each once.
pub(in crate::store) fn expiries(observed: &Observed) -> Expiries {
    let seen = observed.expiries.iter();
    let mut all: Vec<_> = seen.map(|expiry| (expiry.at, expiry.noun())).collect();
    all.sort_unstable();
    all.dedup();
    all.truncate(EXPIRIES_MAX);
    all
}

/// Verdict on a run that is added.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Judged<'a> {
    /// Id that the run gets.
    pub(in crate::store) id: RunId,
    /// Rule of the verdict.
    pub(in crate::store) rule: &'a str,
    /// Looks that it rests on; none where nothing was in doubt.
    pub(in crate::store) evidence: &'a [Weighed],
}
