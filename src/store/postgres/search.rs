//! Search for words in the texts of integrations that lists do not hold: hosts, principals and other factors, and
//! the messages of the latest runs. A scan, since words may stand anywhere; each row is read once for all words.

use std::collections::BTreeSet;

use super::column::report;
use super::tx::{Reads, get};
use super::view::read;
use super::{StoreError, View};
use crate::domain::{IntegrationId, ReportStatus};

impl View {
    /// Implements [`crate::store::View::mentions`] on this engine.
    pub(crate) async fn mentions(
        &self,
        words: Vec<String>,
    ) -> Result<Vec<BTreeSet<IntegrationId>>, StoreError> {
        read!(self, tx => mentions(tx, &words).await)
    }
}

const FACTORS: &str = "SELECT integration_id, value FROM revalidated.factor";

/// Results of the latest runs that did not simply pass, of both configurations.
const RESULTS: &str = "
    SELECT work.integration_id AS id, report.content FROM revalidated.work
    JOIN revalidated.run ON run.id = work.last_run_id
    JOIN revalidated.report ON report.id = run.report_id
    WHERE run.status = 'failed' OR run.status = 'warning'
    UNION ALL
    SELECT integration.id, report.content FROM revalidated.integration
    JOIN revalidated.run ON run.id = integration.candidate_run_id
    JOIN revalidated.report ON report.id = run.report_id
    WHERE run.status = 'failed' OR run.status = 'warning'";

async fn mentions(
    tx: &Reads,
    words: &[String],
) -> Result<Vec<BTreeSet<IntegrationId>>, StoreError> {
    let mut found: Vec<_> = words.iter().map(|word| (word, BTreeSet::new())).collect();
    let mut note = |id: i64, text: &str| {
        let text = text.to_lowercase();
        for (word, ids) in &mut found {
            if text.contains(word.as_str()) {
                ids.insert(IntegrationId(id));
            }
        }
    };
    for row in tx.rows(FACTORS, &[]).await? {
        note(get(&row, "integration_id")?, get(&row, "value")?);
    }
    for row in tx.rows(RESULTS, &[]).await? {
        let id = get(&row, "id")?;
        let results = report(get(&row, "content")?)?.tests;
        for test in results.iter().filter(|test| test.status != ReportStatus::Passed) {
            note(id, test.message.as_deref().unwrap_or_default());
        }
    }
    Ok(found.into_iter().map(|(_, ids)| ids).collect())
}
