//! The configurations of an integration: as users see it, what passed last, and what is to take the
//! place of that once it passes.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::{StoreError, Wanted};
use crate::domain::IntegrationId;

/// The first of `id`, which has to pass yet.
pub(super) fn insert(
    tx: &Connection,
    id: IntegrationId,
    wanted: &Wanted,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO configuration
            (integration_id, config_shown, candidate_config, candidate_catalog)
        VALUES (:id, :shown, :config, :catalog)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id.0,
        ":shown": wanted.config_shown,
        ":config": wanted.config,
        ":catalog": wanted.catalog_version,
    })?;
    Ok(())
}

/// Stores what of `wanted` needs no validation.
pub(super) fn describe(
    tx: &Connection,
    id: IntegrationId,
    wanted: &Wanted,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE configuration SET
            config_shown = :shown,
            candidate_catalog = iif(candidate_config IS NULL, NULL, :catalog)
        WHERE integration_id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id.0, ":shown": wanted.config_shown, ":catalog": wanted.catalog_version,
    })?;
    Ok(())
}

/// Makes `wanted` the one that is to become active when it passes.
pub(super) fn propose(
    tx: &Connection,
    id: IntegrationId,
    wanted: &Wanted,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE configuration SET candidate_config = :config, candidate_catalog = :catalog
        WHERE integration_id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id.0, ":config": wanted.config, ":catalog": wanted.catalog_version,
    })?;
    Ok(())
}

/// Makes the one that has passed, if there is one, the active one.
pub(super) fn adopt(tx: &Connection, id: IntegrationId) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE configuration SET
            active_kind = (SELECT kind FROM integration WHERE id = integration_id),
            active_config = candidate_config, active_catalog = candidate_catalog,
            candidate_config = NULL, candidate_catalog = NULL
        WHERE integration_id = :id AND candidate_config IS NOT NULL";
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
