//! The rows of integrations as the configuration makes them: how they are described, the configuration that
//! passed last, and the one that is to take its place once it passes.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, named_params};

use super::StoreError;
use crate::domain::IntegrationId;
use crate::domain::ledger::NewIntegration;

/// Returns the id that a new integration gets: `asked`, unless another one has or had it, or the next that was
/// never given.
pub(super) fn new_id(
    tx: &Connection,
    asked: Option<IntegrationId>,
) -> Result<IntegrationId, StoreError> {
    const TAKEN: &str = "SELECT 1 FROM integration WHERE id = :id";
    if let Some(id) = asked
        && !tx.prepare_cached(TAKEN)?.exists(named_params! {":id": id.0})?
    {
        return Ok(id);
    }
    next_id(tx)
}

/// Loads the id that the next new integration gets; none is ever given twice.
fn next_id(tx: &Connection) -> Result<IntegrationId, StoreError> {
    const SQL: &str = "
        SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'integration'), 0) + 1";
    Ok(tx.prepare_cached(SQL)?.query_row([], |row| row.get(0).map(IntegrationId))?)
}

/// Frees the name of an integration that gets another one in this transaction.
pub(super) fn free_name(tx: &Connection, id: IntegrationId) -> Result<(), StoreError> {
    // No configured name has a control character.
    const SQL: &str = "UPDATE integration SET name = char(1) || id WHERE id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! {":id": id.0})?;
    Ok(())
}

/// Adds a new integration, whose first configuration has to pass yet.
pub(super) fn insert(tx: &Connection, new: &NewIntegration) -> Result<(), StoreError> {
    const ROW: &str = "
        INSERT INTO integration
            (id, name, formerly, kind, auto_bootstrap, labels, status, notified_status, cron, zone,
             next_run_at_ms, next_trigger, created_at_ms)
        VALUES (:id, :name, :formerly, :kind, :auto_bootstrap, :labels, :status, :notified, :cron,
                :zone, :next, :trigger, :now)";
    const CONFIGURATION: &str = "
        INSERT INTO configuration
            (integration_id, config_shown, candidate_config, candidate_catalog)
        VALUES (:id, :shown, :config, :catalog)";
    let row = &new.row;
    tx.prepare_cached(ROW)?.execute(named_params! {
        ":id": row.id.0,
        ":name": row.name,
        ":formerly": new.formerly,
        ":kind": row.kind,
        ":auto_bootstrap": new.auto_bootstrap,
        ":labels": text(&row.labels)?,
        ":status": row.status.as_str(),
        ":notified": row.notified.as_str(),
        ":cron": row.cron,
        ":zone": row.zone,
        ":next": row.next_run_at.map(|at| at.0),
        ":trigger": row.trigger.as_str(),
        ":now": new.created_at.0,
    })?;
    tx.prepare_cached(CONFIGURATION)?.execute(named_params! {
        ":id": row.id.0,
        ":shown": new.config_shown,
        ":config": new.config,
        ":catalog": new.catalog_version,
    })?;
    Ok(())
}

fn text(labels: &BTreeMap<String, String>) -> Result<String, StoreError> {
    let document = |source| StoreError::Document { table: "integration", source };
    serde_json::to_string(labels).map_err(document)
}

/// Stores what needs no validation.
pub(super) fn describe(tx: &Connection, new: &NewIntegration) -> Result<(), StoreError> {
    const ROW: &str = "
        UPDATE integration SET
            name = :name, formerly = :formerly, kind = :kind, auto_bootstrap = :auto_bootstrap,
            labels = :labels, cron = :cron, zone = :zone
        WHERE id = :id";
    // Without a candidate this is the configuration in force, as users see it.
    const CONFIGURATION: &str = "
        UPDATE configuration SET
            config_shown = :shown,
            active_shown = iif(candidate_config IS NULL AND active_config IS NOT NULL
                               AND active_config = :config, :shown, active_shown),
            candidate_catalog = iif(candidate_config IS NULL, NULL, :catalog)
        WHERE integration_id = :id";
    let row = &new.row;
    tx.prepare_cached(ROW)?.execute(named_params! {
        ":id": row.id.0,
        ":name": row.name,
        ":formerly": new.formerly,
        ":kind": row.kind,
        ":auto_bootstrap": new.auto_bootstrap,
        ":labels": text(&row.labels)?,
        ":cron": row.cron,
        ":zone": row.zone,
    })?;
    tx.prepare_cached(CONFIGURATION)?.execute(named_params! {
        ":id": row.id.0, ":shown": new.config_shown, ":config": new.config,
        ":catalog": new.catalog_version,
    })?;
    Ok(())
}

/// Makes a configuration the one that is to become active when it passes.
pub(super) fn propose(tx: &Connection, new: &NewIntegration) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE configuration SET candidate_config = :config, candidate_catalog = :catalog
        WHERE integration_id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": new.row.id.0, ":config": new.config, ":catalog": new.catalog_version,
    })?;
    Ok(())
}

/// Makes the one that has passed, if there is one, the active one.
pub(super) fn adopt(tx: &Connection, id: IntegrationId) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE configuration SET
            active_kind = (SELECT kind FROM integration WHERE id = integration_id),
            active_config = candidate_config, active_catalog = candidate_catalog,
            active_shown = config_shown,
            candidate_config = NULL, candidate_catalog = NULL
        WHERE integration_id = :id AND candidate_config IS NOT NULL";
    tx.prepare_cached(SQL)?.execute(named_params! {":id": id.0})?;
    Ok(())
}

/// Takes the configuration in force away.
pub(super) fn discard(tx: &Connection, id: IntegrationId) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE configuration SET
            active_kind = NULL, active_config = NULL, active_catalog = NULL, active_shown = NULL
        WHERE integration_id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! {":id": id.0})?;
    Ok(())
}

/// The platform and the configuration that passed last, as stored.
pub(super) fn active(
    tx: &Connection,
    id: IntegrationId,
) -> Result<Option<(String, String)>, StoreError> {
    const SQL: &str = "
        SELECT active_kind, active_config FROM configuration
        WHERE integration_id = :id AND active_config IS NOT NULL";
    let mut statement = tx.prepare_cached(SQL)?;
    let params = named_params! {":id": id.0};
    Ok(statement.query_row(params, |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}
