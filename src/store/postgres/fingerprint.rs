//! Fingerprints: the facts of the last passing run of each integration, once per distinct content.

pub(super) use super::super::forms::facts::{Fingerprint, facts, read};
use super::StoreError;
use super::tx::{Tx, get, params};

/// Deletes facts unless an integration has seen the same. Those that another transaction is about to use are locked by
/// its reference, and stay.
pub(super) async fn discard(tx: &Tx, id: i64) -> Result<(), StoreError> {
    const SQL: &str = "
        DELETE FROM revalidated.fingerprint
        WHERE id IN (SELECT id FROM revalidated.fingerprint WHERE id = $1 FOR UPDATE SKIP LOCKED)
          AND NOT EXISTS (SELECT 1 FROM revalidated.integration WHERE fingerprint_id = $1)";
    tx.execute(SQL, params![id => INT8]).await?;
    Ok(())
}

/// Returns the row of `fingerprint`, made only when its content is new.
pub(super) async fn row_of(tx: &Tx, fingerprint: &Fingerprint) -> Result<i64, StoreError> {
    const FIND: &str = "SELECT id FROM revalidated.fingerprint WHERE digest = $1";
    const INSERT: &str = "
        INSERT INTO revalidated.fingerprint (digest, content) VALUES ($1, $2)
        ON CONFLICT (digest) DO UPDATE SET digest = EXCLUDED.digest RETURNING id";
    let Fingerprint { digest, content } = fingerprint;
    if let Some(row) = tx.row(FIND, params![digest => BYTEA]).await? {
        return get(&row, "id");
    }
    get(&tx.one(INSERT, params![digest => BYTEA, content => TEXT]).await?, "id")
}

/// Forgets what integrations saw that are no more; returns the number of rows.
pub(super) async fn forget(tx: &Tx) -> Result<u64, StoreError> {
    const REMOVED: &str = "
        UPDATE revalidated.integration SET fingerprint_id = NULL
        WHERE status = 'deleted' AND fingerprint_id IS NOT NULL";
    const ALONE: &str = "
        DELETE FROM revalidated.fingerprint
        WHERE id IN (SELECT id FROM revalidated.fingerprint AS unused
                     WHERE NOT EXISTS (SELECT 1 FROM revalidated.integration
                                       WHERE fingerprint_id = unused.id)
                     FOR UPDATE SKIP LOCKED)";
    if tx.execute(REMOVED, &[]).await? == 0 {
        return Ok(0);
    }
    tx.execute(ALONE, &[]).await
}
