//! Awake clock: the time for which daemons on this database were awake and trusted their clocks.
//!
//! The wall clock alone is no evidence: a machine that slept for a year, or whose clock is a year ahead,
//! would delete its history. So what deletes asks for the least instant that the wall clock showed within
//! an age on the awake clock.

use std::time::Duration;

use super::StoreError;
use super::column::{duration_or_none, instant, millis};
use super::tx::{Reads, Tx, params};
use crate::domain::Timestamp;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Reads the awake clock as it was last stored.
pub(super) async fn read(tx: &Reads) -> Result<Duration, StoreError> {
    const SQL: &str = "SELECT max(awake_ms) AS awake_ms FROM revalidated.awake";
    Ok(duration_or_none(&tx.one(SQL, &[]).await?, "awake_ms")?.unwrap_or_default())
}

/// Stores a reading of the awake clock; `now` is the wall clock, if it can be trusted. Returns the latest reading of all
/// nodes: each goes on from that.
pub(super) async fn save(
    tx: &Tx,
    awake: Duration,
    now: Option<Timestamp>,
) -> Result<Duration, StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.awake (hour, awake_ms, least_at_ms) VALUES ($1, $2, $3)
        ON CONFLICT (hour) DO UPDATE SET
            awake_ms = greatest(awake.awake_ms, $2), least_at_ms = least(awake.least_at_ms, $3)";
    let awake_ms = millis(awake);
    let at = now.map_or(i64::MAX, |at| at.0);
    tx.execute(SQL, params![awake_ms / HOUR_MS => INT8, awake_ms => INT8, at => INT8]).await?;
    read(tx).await
}

/// Returns the instant before which everything is older than `age`, by the wall clock and by the awake
/// clock.
pub(super) async fn before(
    tx: &Reads,
    age: Duration,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    const SQL: &str = "SELECT min(least_at_ms) AS at_ms FROM revalidated.awake WHERE $1 <= hour";
    let from = millis(read(tx).await?.saturating_sub(age)) / HOUR_MS;
    let least = instant(&tx.one(SQL, params![from => INT8]).await?, "at_ms")?;
    let by_wall = now.minus(age);
    Ok(least.map_or(by_wall, |least| by_wall.min(least)))
}

/// Forgets the hours that lie back further than `age`.
pub(super) async fn forget(tx: &Tx, age: Duration) -> Result<(), StoreError> {
    let first = millis(read(tx).await?.saturating_sub(age)) / HOUR_MS;
    tx.execute("DELETE FROM revalidated.awake WHERE hour < $1", params![first => INT8]).await?;
    Ok(())
}
