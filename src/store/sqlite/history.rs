//! History in pages, newest first: runs, transitions, deliveries with their attempts, and events.

use std::ops::Range;

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::checksum::sound;
use super::column::{
    class, delivery_state, duration, instant, parse, report, report_status, trigger,
};
use super::fingerprint;
use super::page::{self, Key, Listed, Page};
use super::{
    AttemptRow, DeliveryFilter, DeliveryRow, DeliveryState, EventRow, Events, HistoryRow, RunRow,
    StoreError, TransitionRow, looks, took,
};
use crate::domain::{DeliveryId, EventType, IntegrationId, RunId, Timestamp};
use crate::store::merge::{Merged, merged};

pub(super) fn run_row(row: &SqlRow<'_>) -> Result<RunRow, StoreError> {
    let decided: Option<String> = row.get("class")?;
    Ok(RunRow {
        id: RunId(row.get("run_id")?),
        subject: parse("run", &row.get::<_, String>("subject")?)?,
        trigger: trigger("run", &row.get::<_, String>("trigger")?)?,
        started_at: Timestamp(row.get("started_at_ms")?),
        duration: duration(row, "duration_ms")?,
        status: report_status(&row.get::<_, String>("status")?)?,
        class: decided.as_deref().map(class).transpose()?,
        rule: row.get("rule")?,
        report: report(&row.get::<_, String>("content")?)?,
        drift: fingerprint::read(row.get::<_, Option<String>>("drift")?.as_deref())?,
        took: took::unpacked(row.get::<_, Option<Vec<u8>>>("took")?.as_deref()),
        evidence: looks::read(row.get::<_, Option<String>>("run_evidence")?.as_deref())?,
    })
}

/// Runs of an integration before an id.
pub(super) const RUNS: &str = "
    SELECT run.id AS run_id, subject, trigger, started_at_ms, duration_ms, status, class, rule,
           drift, took, run.evidence AS run_evidence, report.content
    FROM run JOIN report ON report.id = run.report_id
    WHERE integration_id = :id AND run.id < :before ORDER BY run.id DESC LIMIT :limit";

/// Reads a page of the runs, newest first.
pub(super) fn runs(
    tx: &Connection,
    id: IntegrationId,
    page: &Page,
) -> Result<Listed<RunRow>, StoreError> {
    let before = page::after_id(tx, page, i64::MAX)?;
    let rows = runs_before(tx, id, before, page::with_next(page))?;
    page::listed(tx, page, rows, |row| Key::Id(row.id.0))
}

/// Reads one run of an integration.
pub(super) fn run(
    tx: &Connection,
    id: IntegrationId,
    run: RunId,
) -> Result<Option<RunRow>, StoreError> {
    let found = runs_before(tx, id, run.0.saturating_add(1), 1)?;
    Ok(found.into_iter().find(|one| one.id == run))
}

fn runs_before(
    tx: &Connection,
    id: IntegrationId,
    before: i64,
    limit: u32,
) -> Result<Vec<RunRow>, StoreError> {
    let mut statement = tx.prepare_cached(RUNS)?;
    let params = named_params! {":id": id.0, ":before": before, ":limit": limit};
    let found = statement.query_and_then(params, run_row)?;
    found.collect()
}

/// Transitions of an integration before an id.
pub(super) const TRANSITIONS: &str = concat!(
    "SELECT id, from_status, to_status, cause, at_ms, run_id, incident_id, ",
    sound!(transition "transition"),
    " FROM transition
    WHERE integration_id = :id AND id < :before ORDER BY id DESC LIMIT :limit"
);

/// Reads a page of the transitions, newest first.
pub(super) fn transitions(
    tx: &Connection,
    id: IntegrationId,
    page: &Page,
) -> Result<Listed<TransitionRow>, StoreError> {
    let before = page::after_id(tx, page, i64::MAX)?;
    let rows = transitions_before(tx, id, before, page::with_next(page))?;
    page::listed(tx, page, rows, |row| Key::Id(row.id))
}

fn transitions_before(
    tx: &Connection,
    id: IntegrationId,
    before: i64,
    limit: u32,
) -> Result<Vec<TransitionRow>, StoreError> {
    let mut statement = tx.prepare_cached(TRANSITIONS)?;
    let params = named_params! {":id": id.0, ":before": before, ":limit": limit};
    let found = statement.query_and_then(params, transition_row)?;
    found.collect()
}

/// Reads a status change from its columns.
pub(super) fn transition_row(row: &SqlRow<'_>) -> Result<TransitionRow, StoreError> {
    let from: Option<String> = row.get("from_status")?;
    let cause: Option<String> = row.get("cause")?;
    Ok(TransitionRow {
        id: row.get("id")?,
        from: from.map(|name| parse("transition", &name)).transpose()?,
        to: parse("transition", &row.get::<_, String>("to_status")?)?,
        cause: cause.map(|name| parse("transition", &name)).transpose()?,
        at: Timestamp(row.get("at_ms")?),
        run: row.get::<_, Option<i64>>("run_id")?.map(RunId),
        incident_id: row.get("incident_id")?,
    })
}

/// Reads a page of runs and transitions as one list, newest first.
pub(super) fn history(
    tx: &Connection,
    id: IntegrationId,
    page: &Page,
) -> Result<Listed<HistoryRow>, StoreError> {
    let after = page::before_both(tx, page)?;
    let limit = page::with_next(page);
    let runs = runs_before(tx, id, after.0, limit)?;
    let transitions = transitions_before(tx, id, after.1, limit)?;
    let Merged { rows, last, has_more } = merged(after, runs, transitions, page.size());
    let next = has_more.then(|| page::cursor(tx, Key::Both(last.0, last.1))).transpose()?;
    Ok(Listed { rows, next })
}

/// Deliveries by filter and before an id.
pub(super) const DELIVERIES: &str = concat!(
    "SELECT delivery.id, delivery.event_id, event.type, delivery.receiver, integration.name,
           event.sequence, delivery.state, event.created_at_ms, delivery.due_at_ms,
           receiver.probe_at_ms,
           iif(delivery.state <> 'pending', NULL, iif(delivery.due_at_ms IS NULL,
               (SELECT head.id FROM delivery AS head
                WHERE head.state = 'pending' AND head.receiver = delivery.receiver
                  AND head.integration_id IS delivery.integration_id
                ORDER BY head.number LIMIT 1),
               iif(receiver.probe_at_ms IS NULL, NULL,
                   (SELECT head.id FROM delivery AS head
                    WHERE head.state = 'pending' AND head.receiver = delivery.receiver
                      AND head.due_at_ms IS NOT NULL
                    ORDER BY head.due_at_ms, head.id LIMIT 1)))) AS behind, ",
    sound!(delivery "delivery"),
    ", ",
    sound!(event "event"),
    " FROM delivery
    JOIN event ON event.id = delivery.event_id
    LEFT JOIN receiver ON receiver.name = delivery.receiver
    LEFT JOIN integration ON integration.id = delivery.integration_id
    WHERE delivery.id < :before AND :from <= delivery.id
      AND (:state IS NULL OR delivery.state = :state)
      AND (:receiver IS NULL OR delivery.receiver = :receiver)
      AND (:integration IS NULL OR integration.name = :integration)
      AND (:type IS NULL OR event.type = :type)
      AND (:since IS NULL OR :since <= event.created_at_ms)
      AND (:until IS NULL OR event.created_at_ms < :until)
    ORDER BY delivery.id DESC LIMIT :limit"
);

/// Reads a page of the deliveries that match, newest first, with their attempts.
pub(super) fn deliveries(
    tx: &Connection,
    filter: &DeliveryFilter,
    page: &Page,
) -> Result<Listed<DeliveryRow>, StoreError> {
    let before = page::after_id(tx, page, i64::MAX)?;
    let rows = deliveries_in(tx, filter, 0..before, page::with_next(page))?;
    page::listed(tx, page, rows, |row| Key::Id(row.id.0))
}

/// Reads the delivery of this id, with its attempts.
pub(super) fn delivery(tx: &Connection, id: DeliveryId) -> Result<Option<DeliveryRow>, StoreError> {
    let ids = id.0..id.0.saturating_add(1);
    Ok(deliveries_in(tx, &DeliveryFilter::default(), ids, 1)?.pop())
}

fn deliveries_in(
    tx: &Connection,
    filter: &DeliveryFilter,
    ids: Range<i64>,
    limit: u32,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let mut statement = tx.prepare_cached(DELIVERIES)?;
    let params = named_params! {
        ":before": ids.end,
        ":from": ids.start,
        ":state": filter.state.map(DeliveryState::as_str),
        ":receiver": filter.receiver,
        ":integration": filter.integration,
        ":type": filter.kind.map(EventType::as_str),
        ":since": filter.since.map(|at| at.0),
        ":until": filter.until.map(|at| at.0),
        ":limit": limit,
    };
    let found = statement.query_and_then(params, |row| {
        let id = DeliveryId(row.get("id")?);
        let created_at = Timestamp(row.get("created_at_ms")?);
        Ok::<_, StoreError>(DeliveryRow {
            id,
            event_id: row.get("event_id")?,
            kind: parse("event", &row.get::<_, String>("type")?)?,
            receiver: row.get("receiver")?,
            integration: row.get("name")?,
            sequence: row.get("sequence")?,
            state: delivery_state(&row.get::<_, String>("state")?)?,
            created_at,
            due_at: instant(row, "probe_at_ms")?
                .or(instant(row, "due_at_ms")?)
                .unwrap_or(created_at),
            behind: row.get::<_, Option<i64>>("behind")?.map(DeliveryId).filter(|head| *head != id),
            attempts: attempts(tx, id)?,
        })
    })?;
    found.collect()
}

fn attempts(tx: &Connection, id: DeliveryId) -> Result<Vec<AttemptRow>, StoreError> {
    const SQL: &str = "
        SELECT number, started_at_ms, duration_ms, code, detail FROM attempt
        WHERE delivery_id = :id ORDER BY number";
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_and_then(named_params! {":id": id.0}, |row| {
        Ok(AttemptRow {
            number: row.get("number")?,
            started_at: Timestamp(row.get("started_at_ms")?),
            duration: duration(row, "duration_ms")?,
            code: row.get("code")?,
            detail: row.get("detail")?,
        })
    })?;
    found.collect()
}

macro_rules! event_columns {
    () => {
        concat!(
            "SELECT event.number, event.id, event.type, event.created_at_ms, event.body, integration.name, ",
            sound!(event "event"),
            " FROM event LEFT JOIN integration ON integration.id = event.integration_id "
        )
    };
}

/// Events in the order of their numbers.
pub(super) const EVENTS: &str =
    concat!(event_columns!(), "WHERE :after < event.number ORDER BY event.number LIMIT :limit");

/// Returns the number of the latest event there ever was; 0 before the first.
pub(super) fn latest_event(tx: &Connection) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)";
    Ok(tx.prepare_cached(SQL)?.query_row([], |row| row.get(0))?)
}

/// The events after number `after`, at most `limit`.
pub(super) fn events(tx: &Connection, after: i64, limit: u32) -> Result<Events, StoreError> {
    const META: &str = "SELECT epoch, pruned_number FROM meta";
    let read = |row: &SqlRow<'_>| Ok((row.get(0)?, row.get(1)?));
    let (epoch, pruned): (String, i64) = tx.prepare_cached(META)?.query_row([], read)?;
    let latest = latest_event(tx)?;
    let mut statement = tx.prepare_cached(EVENTS)?;
    let params = named_params! {":after": after, ":limit": limit};
    let found = statement.query_and_then(params, event_row)?;
    let rows = found.collect::<Result<_, _>>()?;
    Ok(Events { epoch, latest, pruned, is_behind: after < pruned, rows })
}

/// The event of an id.
pub(super) const EVENT: &str = concat!(event_columns!(), "WHERE event.id = :id");

/// Reads the event of this id.
pub(super) fn event(tx: &Connection, id: &str) -> Result<Option<EventRow>, StoreError> {
    let mut statement = tx.prepare_cached(EVENT)?;
    let mut rows = statement.query(named_params! {":id": id})?;
    rows.next()?.map(event_row).transpose()
}

fn event_row(row: &SqlRow<'_>) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        number: row.get("number")?,
        id: row.get("id")?,
        kind: parse("event", &row.get::<_, String>("type")?)?,
        integration: row.get("name")?,
        created_at: Timestamp(row.get("created_at_ms")?),
        body: row.get("body")?,
    })
}
