//! Integrations and receivers in use, for the guard against mass removals, and how to go on with it.

use rusqlite::{Connection, Row as SqlRow};

use super::{InUse, KeptRow, StoreError, receiver};
use crate::domain::IntegrationId;

/// Loads the names of integrations and receivers in use.
pub(super) fn load(tx: &Connection) -> Result<InUse, StoreError> {
    const SQL: &str = "
        SELECT name FROM integration
        WHERE status <> 'deleted' AND status <> 'deleting' AND status <> 'disabled'";
    let mut statement = tx.prepare_cached(SQL)?;
    let integrations = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut ids = tx.prepare_cached("SELECT id, name FROM integration")?;
    let ids = ids.query_map([], |row| Ok((IntegrationId(row.get(0)?), row.get(1)?)))?;
    let ids = ids.collect::<Result<_, _>>()?;
    Ok(InUse { integrations, receivers: receiver::configurations(tx)?, ids })
}

/// Loads the stored configurations of the integrations in use.
pub(super) fn configurations(tx: &Connection) -> Result<Vec<KeptRow>, StoreError> {
    const SQL: &str = "
        SELECT name, kind, auto_bootstrap, labels, cron, zone, config_shown,
            coalesce(candidate_config, active_config) AS config,
            coalesce(candidate_catalog, active_catalog) AS catalog
        FROM integration JOIN configuration ON integration_id = id
        WHERE status <> 'deleted' AND status <> 'deleting' AND status <> 'disabled'
          AND coalesce(candidate_config, active_config) IS NOT NULL";
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_and_then([], read)?;
    found.collect()
}

fn read(row: &SqlRow<'_>) -> Result<KeptRow, StoreError> {
    let labels: String = row.get("labels")?;
    let document = |source| StoreError::Document { table: "integration", source };
    Ok(KeptRow {
        name: row.get("name")?,
        kind: row.get("kind")?,
        auto_bootstrap: row.get("auto_bootstrap")?,
        labels: serde_json::from_str(&labels).map_err(document)?,
        cron: row.get("cron")?,
        zone: row.get("zone")?,
        config: row.get("config")?,
        config_shown: row.get("config_shown")?,
        catalog_version: row.get("catalog")?,
        pool: None,
    })
}
