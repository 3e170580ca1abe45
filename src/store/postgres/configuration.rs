//! The rows of integrations as the configuration makes them: how they are described, the configuration that
//! passed last, and the one that is to take its place once it passes.

use std::collections::BTreeMap;

use super::StoreError;
use super::tx::{Reads, Tx, get, params};
use crate::domain::IntegrationId;
use crate::domain::ledger::NewIntegration;

/// Returns the id that a new integration gets: `asked`, unless another one has or had it, or the next that was
/// never given. Only one transaction at a time does this, under the gate of the configuration.
pub(super) async fn new_id(
    tx: &Tx,
    asked: Option<IntegrationId>,
) -> Result<IntegrationId, StoreError> {
    const TAKEN: &str =
        "SELECT EXISTS (SELECT 1 FROM revalidated.integration WHERE id = $1) AS found";
    const NEXT: &str = "SELECT integration_last + 1 AS id FROM revalidated.meta";
    if let Some(id) = asked {
        let is_taken: bool = get(&tx.one(TAKEN, params![id.0 => INT8]).await?, "found")?;
        if !is_taken {
            return Ok(id);
        }
    }
    Ok(IntegrationId(get(&tx.one(NEXT, &[]).await?, "id")?))
}

/// Frees the name of an integration that gets another one in this transaction.
pub(super) async fn free_name(tx: &Tx, id: IntegrationId) -> Result<(), StoreError> {
    // No configured name has a control character.
    const SQL: &str = "UPDATE revalidated.integration SET name = chr(1) || id::text WHERE id = $1";
    tx.execute(SQL, params![id.0 => INT8]).await?;
    Ok(())
}

/// Adds a new integration, whose first configuration has to pass yet.
pub(super) async fn insert(tx: &Tx, new: &NewIntegration) -> Result<(), StoreError> {
    const ROW: &str = "
        INSERT INTO revalidated.integration
            (id, name, formerly, kind, auto_bootstrap, labels, status, notified_status, cron, zone,
             created_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    const WORK: &str = "
        INSERT INTO revalidated.work (integration_id, next_run_at_ms, next_trigger, pool)
        VALUES ($1, $2, $3, $4)";
    const CONFIGURATION: &str = "
        INSERT INTO revalidated.configuration
            (integration_id, config_shown, candidate_config, candidate_catalog)
        VALUES ($1, $2, $3, $4)";
    const COUNT: &str = "
        UPDATE revalidated.meta SET integration_last = $1 WHERE integration_last < $1";
    let row = &new.row;
    let described = params![
        row.id.0 => INT8, row.name => TEXT, new.formerly => TEXT, row.kind => TEXT,
        new.auto_bootstrap => BOOL, text(&row.labels)? => TEXT, row.status.as_str() => TEXT,
        row.notified.as_str() => TEXT, row.cron => TEXT, row.zone => TEXT,
        new.created_at.0 => INT8,
    ];
    tx.execute(ROW, described).await?;
    let planned = params![
        row.id.0 => INT8, row.next_run_at.map(|at| at.0) => INT8, row.trigger.as_str() => TEXT,
        new.pool => TEXT,
    ];
    tx.execute(WORK, planned).await?;
    let configured = params![
        row.id.0 => INT8, new.config_shown => TEXT, new.config => TEXT,
        i64::from(new.catalog_version) => INT8,
    ];
    tx.execute(CONFIGURATION, configured).await?;
    tx.execute(COUNT, params![row.id.0 => INT8]).await?;
    Ok(())
}

fn text(labels: &BTreeMap<String, String>) -> Result<String, StoreError> {
    let document = |source| StoreError::Document { table: "integration", source };
    serde_json::to_string(labels).map_err(document)
}

/// Stores what needs no validation.
pub(super) async fn describe(tx: &Tx, new: &NewIntegration) -> Result<(), StoreError> {
    const ROW: &str = "
        UPDATE revalidated.integration SET
            name = $2, formerly = $3, kind = $4, auto_bootstrap = $5, labels = $6, cron = $7,
            zone = $8
        WHERE id = $1";
    const WORK: &str = "
        UPDATE revalidated.work SET pool = $2 WHERE integration_id = $1 AND pool <> $2";
    // Without a candidate this is the configuration in force, as users see it.
    const CONFIGURATION: &str = "
        UPDATE revalidated.configuration SET
            config_shown = $2,
            active_shown = CASE WHEN candidate_config IS NULL AND active_config = $3 THEN $2
                                ELSE active_shown END,
            candidate_catalog = CASE WHEN candidate_config IS NOT NULL THEN $4 END
        WHERE integration_id = $1";
    let row = &new.row;
    let described = params![
        row.id.0 => INT8, row.name => TEXT, new.formerly => TEXT, row.kind => TEXT,
        new.auto_bootstrap => BOOL, text(&row.labels)? => TEXT, row.cron => TEXT,
        row.zone => TEXT,
    ];
    tx.execute(ROW, described).await?;
    tx.execute(WORK, params![row.id.0 => INT8, new.pool => TEXT]).await?;
    let configured = params![
        row.id.0 => INT8, new.config_shown => TEXT, new.config => TEXT,
        i64::from(new.catalog_version) => INT8,
    ];
    tx.execute(CONFIGURATION, configured).await?;
    Ok(())
}

/// Makes a configuration the one that is to become active when it passes.
pub(super) async fn propose(tx: &Tx, new: &NewIntegration) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.configuration SET candidate_config = $2, candidate_catalog = $3
        WHERE integration_id = $1";
    let params = params![
        new.row.id.0 => INT8, new.config => TEXT, i64::from(new.catalog_version) => INT8,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Makes the one that has passed, if there is one, the active one.
pub(super) async fn adopt(tx: &Tx, id: IntegrationId) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.configuration SET
            active_kind = (SELECT kind FROM revalidated.integration WHERE id = integration_id),
            active_config = candidate_config, active_catalog = candidate_catalog,
            active_shown = config_shown,
            candidate_config = NULL, candidate_catalog = NULL
        WHERE integration_id = $1 AND candidate_config IS NOT NULL";
    tx.execute(SQL, params![id.0 => INT8]).await?;
    Ok(())
}

/// Takes the configuration in force away.
pub(super) async fn discard(tx: &Tx, id: IntegrationId) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.configuration SET
            active_kind = NULL, active_config = NULL, active_catalog = NULL, active_shown = NULL
        WHERE integration_id = $1";
    tx.execute(SQL, params![id.0 => INT8]).await?;
    Ok(())
}

/// Loads the platform and the configuration that passed last, as stored.
pub(super) async fn active(
    tx: &Reads,
    id: IntegrationId,
) -> Result<Option<(String, String)>, StoreError> {
    const SQL: &str = "
        SELECT active_kind, active_config FROM revalidated.configuration
        WHERE integration_id = $1 AND active_config IS NOT NULL";
    match tx.row(SQL, params![id.0 => INT8]).await? {
        Some(row) => Ok(Some((get(&row, "active_kind")?, get(&row, "active_config")?))),
        None => Ok(None),
    }
}
