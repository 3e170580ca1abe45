//! The health of receivers, as decisions read and change it.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::StoreError;
use super::column::{duration_or_none, instant, millis, parse};
use crate::domain::ledger::{ProbedOutage, ReceiverHealth};

/// Reads the health of a receiver.
pub(super) fn read(row: &SqlRow<'_>) -> Result<ReceiverHealth, StoreError> {
    let reason: Option<String> = row.get("reason")?;
    let reason = reason.map(|name| parse("receiver", &name)).transpose()?;
    Ok(ReceiverHealth {
        name: row.get("name")?,
        disabled: reason.zip(instant(row, "disabled_at_ms")?),
        failing_since: instant(row, "failing_since_ms")?,
        last_success_at: instant(row, "last_success_at_ms")?,
        failing_awake: duration_or_none(row, "failing_awake_ms")?,
        outage: outage(row)?,
    })
}

fn outage(row: &SqlRow<'_>) -> Result<Option<ProbedOutage>, StoreError> {
    let awake = duration_or_none(row, "probe_awake_ms")?;
    let Some((awake, probe_at)) = awake.zip(instant(row, "probe_at_ms")?) else { return Ok(None) };
    Ok(Some(ProbedOutage { failures: row.get("probe_failures")?, awake, probe_at }))
}

/// Loads the health of a receiver, if the store knows it.
pub(super) fn load(tx: &Connection, name: &str) -> Result<Option<ReceiverHealth>, StoreError> {
    const SQL: &str = "
        SELECT name, disabled_at_ms, reason, failing_since_ms, last_success_at_ms,
               failing_awake_ms, probe_failures, probe_awake_ms, probe_at_ms
        FROM receiver
        WHERE name = :name";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query(named_params! {":name": name})?;
    rows.next()?.map(read).transpose()
}

/// Writes back the health of a receiver.
pub(super) fn save(tx: &Connection, health: &ReceiverHealth) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO receiver (name, configured, disabled_at_ms, reason, failing_since_ms,
                              last_success_at_ms, failing_awake_ms, probe_failures,
                              probe_awake_ms, probe_at_ms)
        VALUES (:name, 1, :disabled, :reason, :failing, :success, :failing_awake, :failures,
                :probe_awake, :probe_at)
        ON CONFLICT (name) DO UPDATE SET
            disabled_at_ms = :disabled, reason = :reason, failing_since_ms = :failing,
            last_success_at_ms = :success, failing_awake_ms = :failing_awake,
            probe_failures = :failures, probe_awake_ms = :probe_awake, probe_at_ms = :probe_at";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":name": health.name,
        ":disabled": health.disabled.map(|(_, at)| at.0),
        ":reason": health.disabled.map(|(reason, _)| reason.as_str()),
        ":failing": health.failing_since.map(|at| at.0),
        ":success": health.last_success_at.map(|at| at.0),
        ":failing_awake": health.failing_awake.map(millis),
        ":failures": health.outage.map_or(0, |outage| outage.failures),
        ":probe_awake": health.outage.map(|outage| millis(outage.awake)),
        ":probe_at": health.outage.map(|outage| outage.probe_at.0),
    })?;
    Ok(())
}
