//! Health of receivers, as decisions read and change it.

use tokio_postgres::Row;

use super::StoreError;
use super::column::{count, duration_or_none, instant, millis, parse};
use super::tx::{Tx, get, params};
use crate::domain::ledger::{ProbedOutage, ReceiverHealth};

/// Reads the health of a receiver.
pub(super) fn read(row: &Row) -> Result<ReceiverHealth, StoreError> {
    let reason: Option<&str> = get(row, "reason")?;
    let reason = reason.map(|name| parse("receiver", name)).transpose()?;
    Ok(ReceiverHealth {
        name: get(row, "name")?,
        disabled: reason.zip(instant(row, "disabled_at_ms")?),
        failing_since: instant(row, "failing_since_ms")?,
        last_success_at: instant(row, "last_success_at_ms")?,
        failing_awake: duration_or_none(row, "failing_awake_ms")?,
        outage: outage(row)?,
    })
}

fn outage(row: &Row) -> Result<Option<ProbedOutage>, StoreError> {
    let awake = duration_or_none(row, "probe_awake_ms")?;
    let Some((awake, probe_at)) = awake.zip(instant(row, "probe_at_ms")?) else { return Ok(None) };
    Ok(Some(ProbedOutage { failures: count(row, "probe_failures")?, awake, probe_at }))
}

/// Locks a receiver and loads its health, if the store knows it.
pub(super) async fn lock(tx: &Tx, name: &str) -> Result<Option<ReceiverHealth>, StoreError> {
    const SQL: &str = "
        SELECT name, disabled_at_ms, reason, failing_since_ms, last_success_at_ms,
               failing_awake_ms, probe_failures, probe_awake_ms, probe_at_ms
        FROM revalidated.receiver WHERE name = $1 FOR NO KEY UPDATE";
    tx.row(SQL, params![name => TEXT]).await?.as_ref().map(read).transpose()
}

/// Writes back the health of a receiver.
pub(super) async fn save(tx: &Tx, health: &ReceiverHealth) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.receiver
            (name, configured, disabled_at_ms, reason, failing_since_ms, last_success_at_ms,
             failing_awake_ms, probe_failures, probe_awake_ms, probe_at_ms)
        VALUES ($1, TRUE, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (name) DO UPDATE SET
            disabled_at_ms = $2, reason = $3, failing_since_ms = $4, last_success_at_ms = $5,
            failing_awake_ms = $6, probe_failures = $7, probe_awake_ms = $8, probe_at_ms = $9";
    let outage = health.outage;
    let params = params![
        health.name => TEXT, health.disabled.map(|(_, at)| at.0) => INT8,
        health.disabled.map(|(reason, _)| reason.as_str()) => TEXT,
        health.failing_since.map(|at| at.0) => INT8, health.last_success_at.map(|at| at.0) => INT8,
        health.failing_awake.map(millis) => INT8,
        outage.map_or(0, |outage| i64::from(outage.failures)) => INT8,
        outage.map(|outage| millis(outage.awake)) => INT8,
        outage.map(|outage| outage.probe_at.0) => INT8,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}
