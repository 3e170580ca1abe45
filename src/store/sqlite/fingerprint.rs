//! Fingerprints: the facts of the last passing run of each integration, once per distinct content.

use rusqlite::{Connection, OptionalExtension, named_params};

pub(super) use super::super::forms::facts::{Fingerprint, facts, read};
use super::StoreError;

/// Deletes facts unless an integration has seen the same.
pub(super) fn discard(tx: &Connection, id: i64) -> Result<(), StoreError> {
    tx.prepare_cached(UNUSED)?.execute(named_params! {":id": id})?;
    Ok(())
}

/// Finds facts by their content.
pub(super) const FIND: &str = "SELECT id FROM fingerprint WHERE digest = :digest";

/// Returns the row of `fingerprint`, made only when its content is new.
pub(super) fn row_of(tx: &Connection, fingerprint: &Fingerprint) -> Result<i64, StoreError> {
    const INSERT: &str = "INSERT INTO fingerprint (digest, content) VALUES (:digest, :content)";
    let Fingerprint { digest, content } = fingerprint;
    let mut find = tx.prepare_cached(FIND)?;
    if let Some(id) =
        find.query_row(named_params! {":digest": digest}, |row| row.get(0)).optional()?
    {
        return Ok(id);
    }
    tx.prepare_cached(INSERT)?.execute(named_params! {":digest": digest, ":content": content})?;
    Ok(tx.last_insert_rowid())
}

/// Facts go with the last integration that points to them.
pub(super) const UNUSED: &str = "
    DELETE FROM fingerprint
    WHERE id = :id AND NOT EXISTS (SELECT 1 FROM integration WHERE fingerprint_id = :id)";

/// Forgets what integrations saw that are no more; how many rows that were.
pub(super) fn forget(tx: &Connection) -> Result<usize, StoreError> {
    const REMOVED: &str = "
        UPDATE integration SET fingerprint_id = NULL
        WHERE status = 'deleted' AND fingerprint_id IS NOT NULL";
    const ALONE: &str = "
        DELETE FROM fingerprint
        WHERE NOT EXISTS (SELECT 1 FROM integration WHERE fingerprint_id = fingerprint.id)";
    if tx.execute(REMOVED, [])? == 0 {
        return Ok(0);
    }
    Ok(tx.execute(ALONE, [])?)
}
