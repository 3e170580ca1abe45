//! Search for words in the texts of integrations that lists do not hold: hosts, principals and other factors, and
//! the messages of the latest runs. A scan, since words may stand anywhere; each row is read once for all words.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::column::report;
use super::{StoreError, View};
use crate::domain::{IntegrationId, ReportStatus};

impl View {
    /// Implements [`crate::store::View::mentions`] on this engine.
    pub(crate) async fn mentions(
        &self,
        words: Vec<String>,
    ) -> Result<Vec<BTreeSet<IntegrationId>>, StoreError> {
        self.readers.read(move |tx| mentions(tx, words)).await
    }
}

const FACTORS: &str = "SELECT integration_id, value FROM factor";

/// Results of the latest runs that did not simply pass, of both configurations.
const RESULTS: &str = "
    SELECT integration.id, report.content FROM integration
    JOIN run ON run.id = last_run_id JOIN report ON report.id = run.report_id
    WHERE run.status = 'failed' OR run.status = 'warning'
    UNION ALL
    SELECT integration.id, report.content FROM integration
    JOIN run ON run.id = candidate_run_id JOIN report ON report.id = run.report_id
    WHERE run.status = 'failed' OR run.status = 'warning'";

fn mentions(
    tx: &Connection,
    words: Vec<String>,
) -> Result<Vec<BTreeSet<IntegrationId>>, StoreError> {
    let mut found: Vec<_> = words.into_iter().map(|word| (word, BTreeSet::new())).collect();
    let mut note = |id: i64, text: &str| {
        let text = text.to_lowercase();
        for (word, ids) in &mut found {
            if text.contains(word.as_str()) {
                ids.insert(IntegrationId(id));
            }
        }
    };
    let mut statement = tx.prepare_cached(FACTORS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        note(row.get(0)?, &row.get::<_, String>(1)?);
    }
    let mut statement = tx.prepare_cached(RESULTS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let results = report(&row.get::<_, String>(1)?)?.tests;
        for test in results.iter().filter(|test| test.status != ReportStatus::Passed) {
            note(id, test.message.as_deref().unwrap_or_default());
        }
    }
    Ok(found.into_iter().map(|(_, ids)| ids).collect())
}
