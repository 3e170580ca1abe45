//! Integrations around one: those that share a factor with it, counted by one index and named a few at a time.

use super::column::{count, parse};
use super::tx::{Reads, get, params};
use super::view::read;
use super::{SharingRow, StoreError, View, fingerprint};
use crate::domain::{Factor, Facts, IntegrationId, Timestamp};

impl View {
    /// Implements [`crate::store::View::sharing`] on this engine.
    pub(crate) async fn sharing(&self, id: IntegrationId) -> Result<Vec<SharingRow>, StoreError> {
        read!(self, tx => sharing(tx, id).await)
    }

    /// Implements [`crate::store::View::facts`] on this engine.
    pub(crate) async fn facts(&self, id: IntegrationId) -> Result<Option<Facts>, StoreError> {
        read!(self, tx => facts(tx, id).await)
    }

    /// Implements [`crate::store::View::runs_since`] on this engine.
    pub(crate) async fn runs_since(&self, since: Timestamp) -> Result<u32, StoreError> {
        read!(self, tx => runs_since(tx, since).await)
    }
}

/// Factors of an integration with the numbers of others that have each.
pub(super) const FACTORS: &str = "
    SELECT own.kind, own.value, count(other.id) AS others,
           count(other.id) FILTER (WHERE other.status = 'recurringValidationError') AS failing
    FROM revalidated.factor AS own
    JOIN revalidated.factor AS shared ON shared.kind = own.kind AND shared.value = own.value
    LEFT JOIN revalidated.integration AS other ON other.id = shared.integration_id
        AND other.id <> $1 AND other.status <> 'deleted'
    WHERE own.integration_id = $1 GROUP BY own.kind, own.value";

/// Names of a few that have each factor of an integration, those that fail first.
pub(super) const NAMED: &str = "
    SELECT own.kind, few.id, few.name
    FROM revalidated.factor AS own CROSS JOIN LATERAL (
        SELECT other.id, other.name, other.status <> 'recurringValidationError' AS is_well
        FROM revalidated.factor
        JOIN revalidated.integration AS other ON other.id = factor.integration_id
        WHERE factor.kind = own.kind AND factor.value = own.value AND other.id <> $1
          AND other.status <> 'deleted'
        ORDER BY is_well, other.name LIMIT 3) AS few
    WHERE own.integration_id = $1 ORDER BY own.kind, few.is_well, few.name";

async fn sharing(tx: &Reads, id: IntegrationId) -> Result<Vec<SharingRow>, StoreError> {
    let mut rows = Vec::new();
    for row in tx.rows(FACTORS, params![id.0 => INT8]).await? {
        let factor =
            Factor { kind: parse("factor", get(&row, "kind")?)?, value: get(&row, "value")? };
        let (others, failing) = (count(&row, "others")?, count(&row, "failing")?);
        rows.push(SharingRow { factor, others, failing, named: Vec::new() });
    }
    rows.sort_by(|one, two| one.factor.cmp(&two.factor));
    for named in tx.rows(NAMED, params![id.0 => INT8]).await? {
        let kind = parse("factor", get(&named, "kind")?)?;
        if let Some(row) = rows.iter_mut().find(|row| row.factor.kind == kind) {
            row.named.push((IntegrationId(get(&named, "id")?), get(&named, "name")?));
        }
    }
    Ok(rows)
}

async fn facts(tx: &Reads, id: IntegrationId) -> Result<Option<Facts>, StoreError> {
    const SQL: &str = "
        SELECT content FROM revalidated.integration
        JOIN revalidated.fingerprint ON fingerprint.id = fingerprint_id
        WHERE integration.id = $1";
    let found = tx.row(SQL, params![id.0 => INT8]).await?;
    fingerprint::facts(found.map(|row| get(&row, "content")).transpose()?)
}

async fn runs_since(tx: &Reads, since: Timestamp) -> Result<u32, StoreError> {
    const SQL: &str = "SELECT count(*) AS runs FROM revalidated.run WHERE $1 <= started_at_ms";
    count(&tx.one(SQL, params![since.0 => INT8]).await?, "runs")
}
