//! Silences and acknowledgements: notifications that people mute until an instant.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, named_params};

use super::asked::Asked;
use super::column::instant;
use super::page::{self, Key, Listed, Page};
use super::{NewSilence, SilenceRow, StoreError};
use crate::domain::ledger::{self, Decision, Silence, SilenceRecord};
use crate::domain::{IntegrationId, Selection, Timestamp};

/// Silences that have not ended; few, since people make them.
pub(super) const OPEN: &str = "
    SELECT id, integration_id, selection, from_ms, until_ms FROM silence
    WHERE ended_at_ms IS NULL AND :now < until_ms";

/// Loads the silences and acknowledgements that have not ended, planned ones among them.
pub(super) fn open(tx: &Connection, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
    let mut statement = tx.prepare_cached(OPEN)?;
    let found = statement.query_and_then(named_params! {":now": now.0}, |row| {
        Ok(Silence {
            id: row.get("id")?,
            acknowledges: row.get::<_, Option<i64>>("integration_id")?.map(IntegrationId),
            selection: selection(row)?,
            from: Timestamp(row.get("from_ms")?),
            until: Timestamp(row.get("until_ms")?),
        })
    })?;
    found.collect()
}

fn selection(row: &SqlRow<'_>) -> Result<Selection, StoreError> {
    let document = |source| StoreError::Document { table: "silence", source };
    serde_json::from_str(&row.get::<_, String>("selection")?).map_err(document)
}

/// Loads the id that the next silence gets; none is ever given twice.
fn next_id(tx: &Connection) -> Result<i64, StoreError> {
    const SQL: &str = "
        SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'silence'), 0) + 1";
    Ok(tx.prepare_cached(SQL)?.query_row([], |row| row.get(0))?)
}

/// Adds a silence or an acknowledgement; returns its id.
pub(super) fn add(tx: &Connection, new: &NewSilence, now: Timestamp) -> Result<i64, StoreError> {
    let id = next_id(tx)?;
    Asked::default().apply_all(tx, &ledger::add_silence(id, new, now))?;
    Ok(id)
}

/// Ends one before its time; returns false when none is open under this id.
pub(super) fn end(tx: &Connection, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT until_ms, ended_at_ms FROM silence WHERE id = :id";
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_row(named_params! {":id": id}, |row| {
        let (until, ended_at) = (Timestamp(row.get(0)?), row.get::<_, Option<i64>>(1)?);
        Ok(SilenceRecord { id, until, ended_at: ended_at.map(Timestamp) })
    });
    let Decision { effects, answer } = ledger::end_silence(found.optional()?.as_ref(), now);
    Asked::default().apply_all(tx, &effects)?;
    Ok(answer)
}

/// Inserts the row of a new silence or acknowledgement.
pub(super) fn insert(
    tx: &Connection,
    id: i64,
    new: &NewSilence,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO silence
            (id, integration_id, selection, author, comment, created_at_ms, from_ms, until_ms)
        VALUES (:id, :integration, :selection, :author, :comment, :at, :from, :until)";
    let document = |source| StoreError::Document { table: "silence", source };
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id,
        ":integration": new.acknowledges.map(|id| id.0),
        ":selection": serde_json::to_string(&new.selection).map_err(document)?,
        ":author": new.author,
        ":comment": new.comment,
        ":at": at.0,
        ":from": new.from.0,
        ":until": new.until.0,
    })?;
    Ok(())
}

/// Writes the early end of a silence or an acknowledgement.
pub(super) fn close(tx: &Connection, id: i64, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE silence SET ended_at_ms = :at WHERE id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! {":id": id, ":at": at.0})?;
    Ok(())
}

/// Columns of silences and acknowledgements, with the names of their integrations; a condition follows.
macro_rules! silence_columns {
    () => {
        "SELECT silence.id, integration_id, selection, author, comment, silence.created_at_ms, from_ms,
             until_ms, ended_at_ms, name
         FROM silence LEFT JOIN integration ON integration.id = silence.integration_id WHERE "
    };
}

/// Silences after an id.
pub(super) const PAGE: &str = concat!(
    silence_columns!(),
    ":after < silence.id AND (:ended OR (ended_at_ms IS NULL AND :now < until_ms))
    ORDER BY silence.id LIMIT :limit"
);

/// Silences that have not ended.
pub(super) const UNENDED: &str =
    concat!(silence_columns!(), "ended_at_ms IS NULL AND :now < until_ms");

/// Reads all that are open at `now` or planned, by id; few, since people make them.
pub(super) fn unended(tx: &Connection, now: Timestamp) -> Result<Vec<SilenceRow>, StoreError> {
    let mut statement = tx.prepare_cached(UNENDED)?;
    let found = statement.query_and_then(named_params! {":now": now.0}, silence_row)?;
    let mut rows = found.collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

/// Reads a page of those that are open at `now` or planned, by id; with `ended`, the others too.
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

/// Reads the silence of this id, open or ended.
pub(super) fn find(tx: &Connection, id: i64) -> Result<Option<SilenceRow>, StoreError> {
    const SQL: &str = concat!(silence_columns!(), "silence.id = :id");
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
        author: row.get("author")?,
        comment: row.get("comment")?,
        created_at: Timestamp(row.get("created_at_ms")?),
        from: Timestamp(row.get("from_ms")?),
        until: Timestamp(row.get("until_ms")?),
        ended_at: instant(row, "ended_at_ms")?,
    })
}
