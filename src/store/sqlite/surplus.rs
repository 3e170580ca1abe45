//! Retention by number: finds the rows that are too many, oldest first, and deletes them.
//!
//! Readers look for them, many at a time, so that the writer only deletes rows by their keys; each is
//! checked once more then, since a delivery that was to go may be pending again.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, ToSql, named_params};

use super::prune::{drop_reports, drop_transitions, remember_lost, remember_pruned};
use super::{Retention, StoreError, Surplus};

/// The most rows of a table that one look finds: so many numbers are kept in memory.
const FOUND_MAX: usize = 20_000;

const INTEGRATIONS: &str = "SELECT id FROM integration";

/// The newest run of an integration that is one too many.
pub(super) const RUN_BEYOND: &str = "
    SELECT id FROM run WHERE integration_id = :id ORDER BY id DESC LIMIT 1 OFFSET :keep";

/// The runs up to that one, without what is shown and what the next run is compared with.
pub(super) const RUNS: &str = "
    SELECT id FROM run
    WHERE integration_id = :id AND id <= :last
      AND id IS NOT (SELECT last_run_id FROM integration WHERE id = :id)
      AND id IS NOT (SELECT candidate_run_id FROM integration WHERE id = :id)
      AND id IS NOT (SELECT id FROM run
                     WHERE integration_id = :id AND status IN ('passed', 'warning')
                     ORDER BY id DESC LIMIT 1)
    ORDER BY id LIMIT :most";

/// The newest transition of an integration that is one too many.
pub(super) const TRANSITION_BEYOND: &str = "
    SELECT id FROM transition WHERE integration_id = :id ORDER BY id DESC LIMIT 1 OFFSET :keep";

/// The transitions up to that one.
pub(super) const TRANSITIONS: &str = "
    SELECT id FROM transition WHERE integration_id = :id AND id <= :last ORDER BY id LIMIT :most";

/// The delivery that ended last and is one too many.
pub(super) const DELIVERY_BEYOND: &str = "
    SELECT ended_at_ms, id FROM delivery WHERE ended_at_ms IS NOT NULL
    ORDER BY ended_at_ms DESC, id DESC LIMIT 1 OFFSET :keep";

/// The deliveries that ended before that one, and it.
pub(super) const DELIVERIES: &str = "
    SELECT id FROM delivery
    WHERE ended_at_ms <= :at AND (ended_at_ms < :at OR id <= :last)
    ORDER BY ended_at_ms, id LIMIT :most";

/// The number of the newest event that is one too many: numbers are given one after the other.
const EVENT_BEYOND: &str = "
    SELECT seq - :keep FROM sqlite_sequence WHERE name = 'event'";

/// The events up to that one of which no delivery is left.
pub(super) const EVENTS: &str = "
    SELECT number FROM event
    WHERE number <= :last
      AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event_id = event.id)
      AND NOT EXISTS (SELECT 1 FROM delivery WHERE began_id = event.id)
      AND NOT EXISTS (SELECT 1 FROM incident_receiver WHERE event_id = event.id)
    ORDER BY number LIMIT :most";

/// Finds the rows that are too many; empty when none is.
pub(super) fn find(tx: &Connection, retention: Retention) -> Result<Surplus, StoreError> {
    let mut surplus = Surplus::default();
    let per_integration = retention.runs_per_integration;
    for id in numbers(tx, INTEGRATIONS, &[])? {
        let of = |beyond, all, found: &mut Vec<i64>| {
            let params = named_params! {":id": id, ":keep": per_integration};
            let mut beyond = tx.prepare_cached(beyond)?;
            let last: Option<i64> = beyond.query_row(params, |row| row.get(0)).optional()?;
            let Some(last) = last else { return Ok(()) };
            let most = most(found);
            let params = named_params! {":id": id, ":last": last, ":most": most};
            found.extend(numbers(tx, all, params)?);
            Ok::<_, StoreError>(())
        };
        of(RUN_BEYOND, RUNS, &mut surplus.runs)?;
        of(TRANSITION_BEYOND, TRANSITIONS, &mut surplus.transitions)?;
    }
    surplus.deliveries = deliveries(tx, retention.deliveries_max)?;
    surplus.events = events(tx, retention.events_max)?;
    Ok(surplus)
}

fn deliveries(tx: &Connection, keep: u32) -> Result<Vec<i64>, StoreError> {
    let mut beyond = tx.prepare_cached(DELIVERY_BEYOND)?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let last: Option<(i64, i64)> =
        beyond.query_row(named_params! {":keep": keep}, read).optional()?;
    let Some((at, last)) = last else { return Ok(Vec::new()) };
    let params = named_params! {":at": at, ":last": last, ":most": most(&[])};
    numbers(tx, DELIVERIES, params)
}

fn events(tx: &Connection, keep: u32) -> Result<Vec<i64>, StoreError> {
    let params = named_params! {":keep": keep};
    let mut beyond = tx.prepare_cached(EVENT_BEYOND)?;
    let last: Option<i64> = beyond.query_row(params, |row| row.get(0)).optional()?;
    let Some(last) = last.filter(|last| 0 < *last) else { return Ok(Vec::new()) };
    numbers(tx, EVENTS, named_params! {":last": last, ":most": most(&[])})
}

/// Returns the number of rows that may still be found.
fn most(found: &[i64]) -> i64 {
    i64::try_from(FOUND_MAX.saturating_sub(found.len())).unwrap_or(0)
}

fn numbers(
    tx: &Connection,
    sql: &str,
    params: &[(&str, &dyn ToSql)],
) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let found = statement.query_map(params, |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Deletes a run unless its results are shown.
pub(super) const DROP_RUN: &str = "
    DELETE FROM run
    WHERE id = :id AND NOT EXISTS (SELECT 1 FROM integration WHERE last_run_id = :id)
      AND NOT EXISTS (SELECT 1 FROM integration WHERE candidate_run_id = :id)
    RETURNING report_id";

/// Deletes a delivery unless it is pending again, and its attempts with it.
pub(super) const DROP_DELIVERY: &str =
    "DELETE FROM delivery WHERE id = :id AND state <> 'pending' RETURNING id";

/// Deletes an event unless a delivery of it is left.
pub(super) const DROP_EVENT: &str = "
    DELETE FROM event
    WHERE number = :id
      AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event_id = event.id)
      AND NOT EXISTS (SELECT 1 FROM delivery WHERE began_id = event.id)
      AND NOT EXISTS (SELECT 1 FROM incident_receiver WHERE event_id = event.id)
    RETURNING number";

/// Deletes what was found; returns the number of rows.
pub(super) fn drop_found(tx: &Connection, surplus: &Surplus) -> Result<usize, StoreError> {
    const DROP_TRANSITION: &str =
        "DELETE FROM transition WHERE id = :id RETURNING integration_id, at_ms";
    let drop = |sql, ids: &[i64]| {
        let mut statement = tx.prepare_cached(sql)?;
        let gone = ids
            .iter()
            .map(|id| statement.query_row(named_params! {":id": id}, |row| row.get(0)).optional());
        let gone = gone.filter_map(Result::transpose).collect::<Result<Vec<i64>, _>>()?;
        Ok::<_, StoreError>(gone)
    };
    let reports = drop(DROP_RUN, &surplus.runs)?;
    drop_reports(tx, &reports.iter().copied().collect::<BTreeSet<_>>())?;
    let mut transitions = Vec::new();
    for id in &surplus.transitions {
        transitions.extend(drop_transitions(tx, DROP_TRANSITION, named_params! {":id": id})?);
    }
    remember_lost(tx, &transitions)?;
    let deliveries = drop(DROP_DELIVERY, &surplus.deliveries)?;
    let events = drop(DROP_EVENT, &surplus.events)?;
    remember_pruned(tx, &events)?;
    Ok(reports.len() + transitions.len() + deliveries.len() + events.len())
}
