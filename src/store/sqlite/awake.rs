//! Awake clock: the time for which daemons on this database were awake and trusted their clocks.
//!
//! The wall clock alone is no evidence: a machine that slept for a year, or whose clock is a year ahead,
//! would delete its history. So what deletes asks for the least instant that the wall clock showed within
//! an age on the awake clock.

use std::time::Duration;

use rusqlite::{Connection, named_params};

use super::StoreError;
use super::column::{duration_or_none, millis};
use crate::domain::Timestamp;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Reads the awake clock as it was last stored.
pub(super) fn read(tx: &Connection) -> Result<Duration, StoreError> {
    const SQL: &str = "SELECT max(awake_ms) AS awake_ms FROM awake";
    let found = tx.prepare_cached(SQL)?.query_row([], |row| duration_or_none(row, "awake_ms"))?;
    Ok(found.unwrap_or_default())
}

/// Stores a reading of the awake clock; `now` is the wall clock, if it can be trusted.
pub(super) fn save(
    tx: &Connection,
    awake: Duration,
    now: Option<Timestamp>,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO awake (hour, awake_ms, least_at_ms) VALUES (:hour, :awake, :at)
        ON CONFLICT (hour) DO UPDATE SET
            awake_ms = max(awake_ms, :awake), least_at_ms = min(least_at_ms, :at)";
    let awake_ms = millis(awake);
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":hour": awake_ms / HOUR_MS, ":awake": awake_ms, ":at": now.map_or(i64::MAX, |at| at.0),
    })?;
    Ok(())
}

/// Returns the instant before which everything is older than `age`, by the wall clock and by the awake
/// clock.
pub(super) fn before(
    tx: &Connection,
    age: Duration,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    const SQL: &str = "SELECT min(least_at_ms) FROM awake WHERE :hour <= hour";
    let from = millis(read(tx)?.saturating_sub(age)) / HOUR_MS;
    let params = named_params! {":hour": from};
    let least: Option<i64> = tx.prepare_cached(SQL)?.query_row(params, |row| row.get(0))?;
    let by_wall = now.minus(age);
    Ok(least.map_or(by_wall, |least| by_wall.min(Timestamp(least))))
}

/// Forgets the hours that lie back further than `age`.
pub(super) fn forget(tx: &Connection, age: Duration) -> Result<(), StoreError> {
    let first = millis(read(tx)?.saturating_sub(age)) / HOUR_MS;
    tx.prepare_cached("DELETE FROM awake WHERE hour < :first")?
        .execute(named_params! {":first": first})?;
    Ok(())
}
