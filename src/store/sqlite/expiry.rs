//! Expiries of each integration: all that its latest passing run saw, and what a failing one saw earlier.

use rusqlite::{Connection, named_params};

use super::super::forms::prepared::Expiries;
use super::StoreError;
use crate::domain::Timestamp;
use crate::domain::ledger::Row;

/// Replaces the expiries of an integration by those that a passing run saw; mostly they are the same.
pub(super) fn replace(tx: &Connection, row: &Row, seen: &Expiries) -> Result<(), StoreError> {
    const DELETE: &str = "DELETE FROM expiry WHERE integration_id = :id";
    if load(tx, row)? == *seen {
        return Ok(());
    }
    tx.prepare_cached(DELETE)?.execute(named_params! {":id": row.id.0})?;
    seen.iter().try_for_each(|(at, what)| insert(tx, row, *at, what))
}

/// Adds the earliest expiry, when a failing run saw one before all that were known.
pub(super) fn add_earliest(
    tx: &Connection,
    row: &Row,
    before: Option<&Row>,
) -> Result<(), StoreError> {
    let known = before.and_then(|before| before.seen.next_end.as_ref());
    match row.seen.next_end.as_ref().filter(|next| Some(*next) != known) {
        Some((at, what)) => insert(tx, row, *at, what),
        None => Ok(()),
    }
}

/// Expiries of an integration, soonest first.
pub(super) const OF_ONE: &str =
    "SELECT at_ms, what FROM expiry WHERE integration_id = :id ORDER BY at_ms, what";

fn load(tx: &Connection, row: &Row) -> Result<Expiries, StoreError> {
    let mut statement = tx.prepare_cached(OF_ONE)?;
    let found = statement.query_map(named_params! {":id": row.id.0}, |row| {
        Ok((Timestamp(row.get(0)?), row.get(1)?))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn insert(tx: &Connection, row: &Row, at: Timestamp, what: &str) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO expiry (integration_id, at_ms, what) VALUES (:id, :at, :what)
        ON CONFLICT DO NOTHING";
    let params = named_params! {":id": row.id.0, ":at": at.0, ":what": what};
    tx.prepare_cached(SQL)?.execute(params)?;
    Ok(())
}
