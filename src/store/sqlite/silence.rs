//! Silences and acknowledgements: notifications that people mute until an instant.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, named_params};

use super::column::instant;
use super::page::{self, Key, Listed, Page};
use super::{NewSilence, SilenceRow, StoreError};
use crate::domain::ledger::Silence;
use crate::domain::{IntegrationId, Selection, Timestamp};

/// Those that hold something now; few, since people make them.
pub(super) const OPEN: &str = "
    SELECT id, integration_id, selection, until_ms FROM silence
    WHERE ended_at_ms IS NULL AND :now < until_ms";

/// Loads the silences and acknowledgements that are open.
pub(super) fn open(tx: &Connection, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
    let mut statement = tx.prepare_cached(OPEN)?;
    let found = statement.query_and_then(named_params! {":now": now.0}, |row| {
        Ok(Silence {
            id: row.get("id")?,
            acknowledges: row.get::<_, Option<i64>>("integration_id")?.map(IntegrationId),
            selection: selection(row)?,
            until: Timestamp(row.get("until_ms")?),
        })
    })?;
    found.collect()
}

fn selection(row: &SqlRow<'_>) -> Result<Selection, StoreError> {
    let document = |source| StoreError::Document { table: "silence", source };
    serde_json::from_str(&row.get::<_, String>("selection")?).map_err(document)
}

/// Makes one; its id.
pub(super) fn add(tx: &Connection, new: &NewSilence, now: Timestamp) -> Result<i64, StoreError> {
    const SQL: &str = "
        INSERT INTO silence (integration_id, selection, comment, created_at_ms, until_ms)
        VALUES (:integration, :selection, :comment, :now, :until)";
    let document = |source| StoreError::Document { table: "silence", source };
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":integration": new.acknowledges.map(|id| id.0),
        ":selection": serde_json::to_string(&new.selection).map_err(document)?,
        ":comment": new.comment,
        ":now": now.0,
        ":until": new.until.0,
    })?;
    Ok(tx.last_insert_rowid())
}

/// Ends one before its time; false when there is none that is open. What it held is looked at again.
pub(super) fn end(tx: &Connection, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE silence SET ended_at_ms = :now
        WHERE id = :id AND ended_at_ms IS NULL AND :now < until_ms RETURNING 1";
    let params = named_params! {":id": id, ":now": now.0};
    let found: Option<i64> =
        tx.prepare_cached(SQL)?.query_row(params, |row| row.get(0)).optional()?;
    if found.is_some() {
        look_again(tx, now)?;
    }
    Ok(found.is_some())
}

/// Lets everything that is held be looked at again: what holds it may no longer do so.
pub(super) fn look_again(tx: &Connection, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE integration SET muted_until_ms = :now WHERE muted_until_ms > :now";
    tx.prepare_cached(SQL)?.execute(named_params! {":now": now.0})?;
    Ok(())
}

/// Silences after an id.
pub(super) const PAGE: &str = "
    SELECT silence.id, integration_id, selection, comment, silence.created_at_ms, until_ms,
           ended_at_ms, name
    FROM silence LEFT JOIN integration ON integration.id = silence.integration_id
    WHERE :after < silence.id
      AND (:ended OR (ended_at_ms IS NULL AND :now < until_ms))
    ORDER BY silence.id LIMIT :limit";

/// Reads a page of those that are open at `now`, by id; with `ended`, the others too.
pub(super) fn list(
    tx: &Connection,
    ended: bool,
    now: Timestamp,
    page: &Page,
) -> Result<Listed<SilenceRow>, StoreError> {
    let mut statement = tx.prepare_cached(PAGE)?;
    let params = named_params! {
        ":after": page::after_id(tx, page, 0)?, ":ended": ended, ":now": now.0,
        ":limit": page::with_next(page),
    };
    let found = statement.query_and_then(params, silence_row)?;
    let rows = found.collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Id(row.id))
}

/// Reads the one of this id, open or ended.
pub(super) fn find(tx: &Connection, id: i64) -> Result<Option<SilenceRow>, StoreError> {
    const SQL: &str = "
        SELECT silence.id, integration_id, selection, comment, silence.created_at_ms, until_ms,
               ended_at_ms, name
        FROM silence LEFT JOIN integration ON integration.id = silence.integration_id
        WHERE silence.id = :id";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query(named_params! {":id": id})?;
    rows.next()?.map(silence_row).transpose()
}

fn silence_row(row: &SqlRow<'_>) -> Result<SilenceRow, StoreError> {
    let integration: Option<i64> = row.get("integration_id")?;
    Ok(SilenceRow {
        id: row.get("id")?,
        acknowledged: integration.map(IntegrationId).zip(row.get("name")?),
        selection: selection(row)?,
        comment: row.get("comment")?,
        created_at: Timestamp(row.get("created_at_ms")?),
        until: Timestamp(row.get("until_ms")?),
        ended_at: instant(row, "ended_at_ms")?,
    })
}
