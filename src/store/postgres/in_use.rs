//! Integrations and receivers in use, for the guard against mass removals, and how to go on with it.

use super::column::{count, labels, pool};
use super::tx::{Reads, get};
use super::{InUse, KeptRow, StoreError, receiver};
use crate::domain::IntegrationId;
use tokio_postgres::Row;

/// Loads the names of integrations and receivers in use.
pub(super) async fn load(tx: &Reads) -> Result<InUse, StoreError> {
    const SQL: &str = "
        SELECT id, name, status NOT IN ('deleted', 'deleting', 'disabled') AS is_in_use
        FROM revalidated.integration";
    let mut found = InUse { receivers: receiver::configurations(tx).await?, ..InUse::default() };
    for row in tx.rows(SQL, &[]).await? {
        let (id, name): (i64, String) = (get(&row, "id")?, get(&row, "name")?);
        if get(&row, "is_in_use")? {
            found.integrations.insert(name.clone());
        }
        found.ids.insert(IntegrationId(id), name);
    }
    Ok(found)
}

/// Loads the stored configurations of the integrations in use.
pub(super) async fn configurations(tx: &Reads) -> Result<Vec<KeptRow>, StoreError> {
    const SQL: &str = "
        SELECT name, kind, auto_bootstrap, labels, cron, zone, config_shown, pool,
            coalesce(candidate_config, active_config) AS config,
            coalesce(candidate_catalog, active_catalog) AS catalog
        FROM revalidated.integration
        JOIN revalidated.configuration ON configuration.integration_id = integration.id
        JOIN revalidated.work ON work.integration_id = integration.id
        WHERE status NOT IN ('deleted', 'deleting', 'disabled')
          AND coalesce(candidate_config, active_config) IS NOT NULL";
    tx.rows(SQL, &[]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<KeptRow, StoreError> {
    Ok(KeptRow {
        name: get(row, "name")?,
        kind: get(row, "kind")?,
        auto_bootstrap: get(row, "auto_bootstrap")?,
        labels: labels(get(row, "labels")?)?,
        cron: get(row, "cron")?,
        zone: get(row, "zone")?,
        config: get(row, "config")?,
        config_shown: get(row, "config_shown")?,
        catalog_version: count(row, "catalog")?,
        pool: Some(pool(get(row, "pool")?)?),
    })
}
