//! Integrations around one: those that share a factor with it, counted by one index and named a few at a time.

use rusqlite::{Connection, named_params};

use super::column::parse;
use super::fingerprint;
use super::{SharingRow, StoreError, View};
use crate::domain::{Factor, Facts, IntegrationId, Timestamp};

impl View {
    /// Implements [`crate::store::View::sharing`] on this engine.
    pub(crate) async fn sharing(&self, id: IntegrationId) -> Result<Vec<SharingRow>, StoreError> {
        self.readers.read(move |tx| sharing(tx, id)).await
    }

    /// Implements [`crate::store::View::facts`] on this engine.
    pub(crate) async fn facts(&self, id: IntegrationId) -> Result<Option<Facts>, StoreError> {
        self.readers.read(move |tx| facts(tx, id)).await
    }

    /// Implements [`crate::store::View::runs_since`] on this engine.
    pub(crate) async fn runs_since(&self, since: Timestamp) -> Result<u32, StoreError> {
        self.readers.read(move |tx| runs_since(tx, since)).await
    }
}

/// Factors of an integration with the numbers of others that have each.
pub(super) const FACTORS: &str = "
    SELECT own.kind, own.value, count(other.id) AS others,
           coalesce(sum(other.status = 'recurringValidationError'), 0) AS failing
    FROM factor AS own
    JOIN factor AS shared ON shared.kind = own.kind AND shared.value = own.value
    LEFT JOIN integration AS other ON other.id = shared.integration_id
        AND other.id <> :id AND other.status <> 'deleted'
    WHERE own.integration_id = :id GROUP BY own.kind, own.value";

/// Names of a few that have a factor, those that fail first.
pub(super) const NAMED: &str = "
    SELECT id, name FROM factor JOIN integration ON id = integration_id
    WHERE factor.kind = :kind AND value = :value AND id <> :id AND status <> 'deleted'
    ORDER BY status <> 'recurringValidationError', name LIMIT 3";

fn sharing(tx: &Connection, id: IntegrationId) -> Result<Vec<SharingRow>, StoreError> {
    let mut statement = tx.prepare_cached(FACTORS)?;
    let found = statement.query_and_then(named_params! {":id": id.0}, |row| {
        let kind = parse("factor", &row.get::<_, String>("kind")?)?;
        let factor = Factor { kind, value: row.get("value")? };
        let (others, failing) = (row.get("others")?, row.get("failing")?);
        Ok::<_, StoreError>(SharingRow { factor, others, failing, named: Vec::new() })
    })?;
    let mut rows = found.collect::<Result<Vec<_>, _>>()?;
    rows.sort_by(|one, two| one.factor.cmp(&two.factor));
    let mut statement = tx.prepare_cached(NAMED)?;
    for row in &mut rows {
        let (kind, value) = (row.factor.kind.as_str(), &row.factor.value);
        let params = named_params! {":kind": kind, ":value": value, ":id": id.0};
        let found = statement.query_and_then(params, |row| {
            Ok::<_, StoreError>((IntegrationId(row.get("id")?), row.get("name")?))
        })?;
        row.named = found.collect::<Result<_, _>>()?;
    }
    Ok(rows)
}

/// Facts of the last passing run.
pub(super) const FACTS: &str = "
    SELECT content FROM integration JOIN fingerprint ON fingerprint.id = fingerprint_id
    WHERE integration.id = :id";

fn facts(tx: &Connection, id: IntegrationId) -> Result<Option<Facts>, StoreError> {
    let mut statement = tx.prepare_cached(FACTS)?;
    let mut rows = statement.query(named_params! {":id": id.0})?;
    let content = rows.next()?.map(|row| row.get(0)).transpose()?;
    fingerprint::facts(content)
}

/// Number of runs from an instant on.
pub(super) const RUNS_SINCE: &str = "SELECT count(*) FROM run WHERE :since <= started_at_ms";

fn runs_since(tx: &Connection, since: Timestamp) -> Result<u32, StoreError> {
    let mut statement = tx.prepare_cached(RUNS_SINCE)?;
    Ok(statement.query_row(named_params! {":since": since.0}, |row| row.get(0))?)
}
