//! Retention by age: deletes old history in bounded batches, never a pending delivery to a receiver
//! in use, never an integration's latest run.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Params, Row as SqlRow, named_params};

use super::outbox::expire;
use super::{Pruned, Retention, StoreError};
use super::{audit, awake, fingerprint};
use crate::domain::Timestamp;

/// Deletes deliveries that ended long ago, and their attempts with them.
pub(super) const DELIVERIES: &str = "
    DELETE FROM delivery WHERE id IN (
        SELECT id FROM delivery WHERE ended_at_ms < :before ORDER BY ended_at_ms LIMIT :batch)";

/// Deletes old events of which no delivery is left.
pub(super) const EVENTS: &str = "
    DELETE FROM event WHERE id IN (
        SELECT id FROM event
        WHERE created_at_ms < :before
          AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event_id = event.id)
          AND NOT EXISTS (SELECT 1 FROM delivery WHERE began_id = event.id)
          AND NOT EXISTS (SELECT 1 FROM incident_receiver WHERE event_id = event.id)
        ORDER BY created_at_ms LIMIT :batch)
    RETURNING number";

/// Deletes old transitions, oldest first.
pub(super) const TRANSITIONS: &str = "
    DELETE FROM transition WHERE id IN (
        SELECT id FROM transition WHERE at_ms < :before ORDER BY at_ms LIMIT :batch)
    RETURNING integration_id, at_ms";

/// Deletes old runs, except those whose results are shown.
pub(super) const RUNS: &str = "
    DELETE FROM run WHERE id IN (
        SELECT id FROM run
        WHERE started_at_ms < :before
          AND NOT EXISTS (SELECT 1 FROM integration WHERE last_run_id = run.id)
          AND NOT EXISTS (SELECT 1 FROM integration WHERE candidate_run_id = run.id)
        ORDER BY started_at_ms LIMIT :batch)
    RETURNING report_id";

/// Deletes results to which no run points any more.
pub(super) const REPORT: &str = "
    DELETE FROM report
    WHERE id = :id AND NOT EXISTS (SELECT 1 FROM run WHERE report_id = :id)";

/// Deletes one batch per table.
pub(super) fn prune(
    tx: &Connection,
    retention: Retention,
    now: Timestamp,
) -> Result<Pruned, StoreError> {
    let delete = |sql, age| {
        let before = awake::before(tx, age, now)?.0;
        let params = named_params! {":before": before, ":batch": retention.batch};
        Ok::<_, StoreError>(tx.prepare_cached(sql)?.execute(params)?)
    };
    let before = awake::before(tx, retention.deliveries, now)?;
    let dead = expire(tx, before, retention.batch, now)?;
    let mut rows = delete(DELIVERIES, retention.deliveries)?;
    rows += prune_events(tx, before, retention.batch)?;
    rows += prune_transitions(tx, retention, now)?;
    rows += prune_runs(tx, retention, now)?;
    rows += audit::prune(tx, awake::before(tx, retention.history, now)?, retention.batch)?;
    rows += tx.execute(RECEIVERS, [])?;
    rows += fingerprint::forget(tx)?;
    awake::forget(tx, retention.history.max(retention.deliveries))?;
    Ok(Pruned { rows, dead })
}

/// Receivers are forgotten when they are neither configured nor remembered by a delivery.
const RECEIVERS: &str = "
    DELETE FROM receiver
    WHERE configured = 0
      AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.receiver = receiver.name)";

fn prune_events(tx: &Connection, before: Timestamp, batch: u32) -> Result<usize, StoreError> {
    let params = named_params! {":before": before.0, ":batch": batch};
    let numbers: Vec<i64> = tx
        .prepare_cached(EVENTS)?
        .query_map(params, |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    remember_pruned(tx, &numbers)?;
    Ok(numbers.len())
}

/// Remembers the latest event of those deleted: whoever asks for those after an earlier one has
/// missed some.
pub(super) fn remember_pruned(tx: &Connection, numbers: &[i64]) -> Result<(), StoreError> {
    const LATEST: &str = "UPDATE meta SET pruned_number = max(pruned_number, :number)";
    if let Some(number) = numbers.iter().max() {
        tx.prepare_cached(LATEST)?.execute(named_params! {":number": number})?;
    }
    Ok(())
}

fn prune_transitions(
    tx: &Connection,
    retention: Retention,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let before = awake::before(tx, retention.history, now)?.0;
    let params = named_params! {":before": before, ":batch": retention.batch};
    let gone = drop_transitions(tx, TRANSITIONS, params)?;
    remember_lost(tx, &gone)?;
    Ok(gone.len())
}

/// Integration and instant of a status change that was deleted.
pub(super) type Lost = (i64, i64);

/// Deletes status changes by a statement that returns their integrations and instants.
pub(super) fn drop_transitions(
    tx: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<Lost>, StoreError> {
    let read = |row: &SqlRow<'_>| Ok((row.get(0)?, row.get(1)?));
    let mut statement = tx.prepare_cached(sql)?;
    let gone = statement.query_map(params, read)?;
    Ok(gone.collect::<Result<_, _>>()?)
}

/// Remembers the latest status change that each integration has lost: its history is whole after that only.
pub(super) fn remember_lost(tx: &Connection, gone: &[Lost]) -> Result<(), StoreError> {
    const LATEST: &str = "
        UPDATE integration SET history_since_ms = max(coalesce(history_since_ms, :at), :at)
        WHERE id = :id";
    let mut latest = BTreeMap::new();
    for &(id, at) in gone {
        let known = latest.entry(id).or_insert(at);
        *known = at.max(*known);
    }
    let mut statement = tx.prepare_cached(LATEST)?;
    for (id, at) in latest {
        statement.execute(named_params! {":id": id, ":at": at})?;
    }
    Ok(())
}

fn prune_runs(tx: &Connection, retention: Retention, now: Timestamp) -> Result<usize, StoreError> {
    let params = named_params! {
        ":before": awake::before(tx, retention.history, now)?.0, ":batch": retention.batch,
    };
    let reports = tx
        .prepare_cached(RUNS)?
        .query_map(params, |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    drop_reports(tx, &reports.iter().copied().collect())?;
    Ok(reports.len())
}

/// Deletes those of `reports` that no run points to any more.
pub(super) fn drop_reports(tx: &Connection, reports: &BTreeSet<i64>) -> Result<(), StoreError> {
    let mut orphans = tx.prepare_cached(REPORT)?;
    for id in reports {
        orphans.execute(named_params! {":id": id})?;
    }
    Ok(())
}
