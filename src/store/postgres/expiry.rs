//! Expiries of each integration: all that its latest passing run saw, and what a failing one saw earlier.

use super::StoreError;
use super::prepared::Expiries;
use super::tx::{Tx, get, params};
use crate::domain::Timestamp;
use crate::domain::ledger::Row;

/// Replaces the expiries of an integration by those that a passing run saw; mostly they are the same.
pub(super) async fn replace(tx: &Tx, row: &Row, seen: &Expiries) -> Result<(), StoreError> {
    const DELETE: &str = "DELETE FROM revalidated.expiry WHERE integration_id = $1";
    if load(tx, row).await? == *seen {
        return Ok(());
    }
    tx.execute(DELETE, params![row.id.0 => INT8]).await?;
    insert(tx, row, seen).await
}

/// Adds the earliest expiry, when a failing run saw one before all that were known.
pub(super) async fn add_earliest(
    tx: &Tx,
    row: &Row,
    before: Option<&Row>,
) -> Result<(), StoreError> {
    let known = before.and_then(|before| before.seen.next_end.as_ref());
    match row.seen.next_end.as_ref().filter(|next| Some(*next) != known) {
        Some((at, what)) => insert(tx, row, &vec![(*at, what.clone())]).await,
        None => Ok(()),
    }
}

/// Loads the expiries of an integration, soonest first.
async fn load(tx: &Tx, row: &Row) -> Result<Expiries, StoreError> {
    const SQL: &str = "
        SELECT at_ms, what FROM revalidated.expiry WHERE integration_id = $1 ORDER BY at_ms, what";
    let found = tx.rows(SQL, params![row.id.0 => INT8]).await?;
    found.iter().map(|row| Ok((Timestamp(get(row, "at_ms")?), get(row, "what")?))).collect()
}

async fn insert(tx: &Tx, row: &Row, seen: &Expiries) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.expiry (integration_id, at_ms, what)
        SELECT $1, at_ms, what FROM unnest($2, $3) AS seen (at_ms, what) ON CONFLICT DO NOTHING";
    let instants: Vec<_> = seen.iter().map(|(at, _)| at.0).collect();
    let objects: Vec<_> = seen.iter().map(|(_, what)| what.as_str()).collect();
    let params = params![row.id.0 => INT8, instants => INT8_ARRAY, objects => TEXT_ARRAY];
    tx.execute(SQL, params).await?;
    Ok(())
}
