//! What is read: the queues' heads, integrations, runs, transitions, deliveries.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::{
    class, counters, delivery_state, duration, flips, instant, labels, parse, report,
    report_status, status, trigger,
};
use super::fingerprint;
use super::{
    AttemptRow, DeliveryFilter, DeliveryRow, DeliveryState, Due, EventRow, Events, HoldRow,
    IntegrationRow, RunRow, StandingRow, StoreError, TransitionRow,
};
use crate::domain::{DeliveryId, Factor, IntegrationId, RunId, Timestamp};

/// Rows whose time has come; those being run are few, and passed over.
pub(super) const DUE: &str = "
    SELECT id, name FROM integration
    WHERE next_run_at_ms <= :now AND (lease_until_ms IS NULL OR lease_until_ms <= :now)
    ORDER BY next_run_at_ms LIMIT :limit";

/// Rows that are due at `now` and not leased, longest overdue first.
pub(super) fn due(tx: &Connection, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
    let mut statement = tx.prepare_cached(DUE)?;
    let found = statement
        .query_and_then(named_params! {":now": now.0, ":limit": limit}, |row| {
            Ok(Due { id: IntegrationId(row.get("id")?), name: row.get("name")? })
        })?;
    found.collect()
}

/// The first free row in the order of the queue after an instant, and the first lease to run out.
pub(super) const NEXT_DUE_AT: &str = "
    SELECT min(at_ms) FROM (
        SELECT * FROM (
            SELECT next_run_at_ms AS at_ms FROM integration
            WHERE next_run_at_ms > :after AND lease_until_ms IS NULL
            ORDER BY next_run_at_ms LIMIT 1)
        UNION ALL
        SELECT min(lease_until_ms) FROM integration WHERE lease_until_ms > :after)";

/// The earliest instant after `after` at which a run becomes due, or a lease runs out.
pub(super) fn next_due_at(
    tx: &Connection,
    after: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let params = named_params! {":after": after.0};
    let at: Option<i64> = tx.prepare_cached(NEXT_DUE_AT)?.query_row(params, |row| row.get(0))?;
    Ok(at.map(Timestamp))
}

/// The first free delivery in the order of one receiver's queue, and its first lease to run out.
pub(super) const NEXT_DELIVERY_AT: &str = "
    SELECT min(at_ms) FROM (
        SELECT * FROM (
            SELECT due_at_ms AS at_ms FROM delivery
            WHERE state = 'pending' AND receiver = :receiver AND due_at_ms IS NOT NULL
              AND lease_until_ms IS NULL
            ORDER BY due_at_ms LIMIT 1)
        UNION ALL
        SELECT min(lease_until_ms) FROM delivery
        WHERE receiver = :receiver AND lease_until_ms IS NOT NULL)
    WHERE NOT EXISTS (SELECT 1 FROM receiver
                      WHERE name = :receiver AND disabled_at_ms IS NOT NULL)";

/// The earliest instant at which a delivery to one of `receivers` that need not wait for another
/// becomes due, or a lease on one runs out; those that are disabled are sent nothing.
pub(super) fn next_delivery_at(
    tx: &Connection,
    receivers: &[String],
) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = tx.prepare_cached(NEXT_DELIVERY_AT)?;
    let mut next: Option<i64> = None;
    for receiver in receivers {
        let params = named_params! {":receiver": receiver};
        let first: Option<i64> = statement.query_row(params, |row| row.get(0))?;
        next = next.into_iter().chain(first).min();
    }
    Ok(next.map(Timestamp))
}

macro_rules! integration_columns {
    () => {
        "SELECT integration.id, integration.name, kind, auto_bootstrap, labels,
             integration.status AS integration_status, config_shown, cron, zone, next_run_at_ms,
             lease_until_ms, failures, passes, sequence, incident_id, failing_since_ms,
             last_run_id, told_status, hold_until_ms, hold_by, flips, flapping_since_ms,
             flapping_until_ms, outage_id, own_fault, expires_at_ms, expires_what,
             fingerprint_at_ms, run.id AS run_id, run.subject, run.trigger, run.started_at_ms,
             run.duration_ms, run.status, run.class, run.rule, run.drift, report.content
         FROM integration
         JOIN configuration ON configuration.integration_id = integration.id
         LEFT JOIN run ON run.id = integration.last_run_id
         LEFT JOIN report ON report.id = run.report_id "
    };
}

fn integration_row(row: &SqlRow<'_>) -> Result<IntegrationRow, StoreError> {
    let last: Option<i64> = row.get("last_run_id")?;
    Ok(IntegrationRow {
        id: IntegrationId(row.get("id")?),
        name: row.get("name")?,
        kind: row.get("kind")?,
        auto_bootstrap: row.get("auto_bootstrap")?,
        labels: labels(&row.get::<_, String>("labels")?)?,
        status: status(row, "integration_status")?,
        config_shown: row.get("config_shown")?,
        cron: row.get("cron")?,
        zone: row.get("zone")?,
        next_run_at: instant(row, "next_run_at_ms")?,
        lease_until: instant(row, "lease_until_ms")?,
        counters: counters(row)?,
        sequence: row.get("sequence")?,
        incident_id: row.get("incident_id")?,
        failing_since: instant(row, "failing_since_ms")?,
        last_run: last.map(|_| run_row(row)).transpose()?,
        told: status(row, "told_status")?,
        hold: instant(row, "hold_until_ms")?
            .zip(row.get("hold_by")?)
            .map(|(until, by)| HoldRow { by, until }),
        flips: flips(&row.get::<_, String>("flips")?)?,
        flapping_since: instant(row, "flapping_since_ms")?,
        flapping_until: instant(row, "flapping_until_ms")?,
        outage_id: row.get("outage_id")?,
        own_fault: row
            .get::<_, Option<String>>("own_fault")?
            .map(|name| parse("integration", &name))
            .transpose()?,
        expires: instant(row, "expires_at_ms")?.zip(row.get("expires_what")?),
        fingerprint_at: instant(row, "fingerprint_at_ms")?,
    })
}

fn run_row(row: &SqlRow<'_>) -> Result<RunRow, StoreError> {
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
    })
}

/// All integrations by name; deleted ones only when `deleted`.
pub(super) fn integrations(
    tx: &Connection,
    deleted: bool,
) -> Result<Vec<IntegrationRow>, StoreError> {
    const SQL: &str = concat!(
        integration_columns!(),
        "WHERE :deleted OR integration.status <> 'deleted'
         ORDER BY integration.name, integration.id"
    );
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_and_then(named_params! {":deleted": deleted}, integration_row)?;
    found.collect()
}

/// All living integrations, when their latest runs began, and what becomes of their messages.
pub(super) const STANDINGS: &str = "
    SELECT integration.name, kind, integration.status, run.started_at_ms, expires_at_ms,
        hold_until_ms IS NOT NULL AS is_held, flapping_since_ms IS NOT NULL AS is_flapping,
        outage_id IS NOT NULL AS in_outage
    FROM integration LEFT JOIN run ON run.id = integration.last_run_id
    WHERE integration.status <> 'deleted' ORDER BY integration.name";

/// Where every living integration stands, by name.
pub(super) fn standings(tx: &Connection) -> Result<Vec<StandingRow>, StoreError> {
    let mut statement = tx.prepare_cached(STANDINGS)?;
    let found = statement.query_and_then([], |row| {
        Ok(StandingRow {
            name: row.get("name")?,
            kind: row.get("kind")?,
            status: status(row, "status")?,
            last_run_at: instant(row, "started_at_ms")?,
            expires_at: instant(row, "expires_at_ms")?,
            is_held: row.get("is_held")?,
            is_flapping: row.get("is_flapping")?,
            in_outage: row.get("in_outage")?,
        })
    })?;
    found.collect()
}

/// The living integration of a name.
pub(super) const LIVING: &str = concat!(
    integration_columns!(),
    "WHERE integration.name = :name AND integration.status <> 'deleted'"
);

/// The integration of this name; the latest deleted one only when no other has the name.
pub(super) fn integration(
    tx: &Connection,
    name: &str,
) -> Result<Option<IntegrationRow>, StoreError> {
    const GONE: &str = concat!(
        integration_columns!(),
        "WHERE integration.name = :name ORDER BY integration.id DESC LIMIT 1"
    );
    for sql in [LIVING, GONE] {
        let mut statement = tx.prepare_cached(sql)?;
        let mut rows = statement.query(named_params! {":name": name})?;
        if let Some(row) = rows.next()? {
            return integration_row(row).map(Some);
        }
    }
    Ok(None)
}

/// With how many others an integration shares what it may have in common with them.
pub(super) const SHARED: &str = "
    SELECT own.kind, own.value, (
        SELECT count(*) FROM factor AS other JOIN integration ON integration.id = integration_id
        WHERE other.kind = own.kind AND other.value = own.value AND integration_id <> :id
          AND status <> 'deleted') AS others
    FROM factor AS own WHERE own.integration_id = :id";

/// What an integration may have in common with others, the most telling first, and with how many.
pub(super) fn factors(
    tx: &Connection,
    id: IntegrationId,
) -> Result<Vec<(Factor, u32)>, StoreError> {
    let mut statement = tx.prepare_cached(SHARED)?;
    let found = statement.query_and_then(named_params! {":id": id.0}, |row| {
        let kind = parse("factor", &row.get::<_, String>("kind")?)?;
        Ok::<_, StoreError>((Factor { kind, value: row.get("value")? }, row.get("others")?))
    })?;
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    found.sort();
    Ok(found)
}

/// The latest runs of an integration.
pub(super) const RUNS: &str = "
    SELECT run.id AS run_id, subject, trigger, started_at_ms, duration_ms, status, class, rule,
           drift, report.content
    FROM run JOIN report ON report.id = run.report_id
    WHERE integration_id = :id ORDER BY run.id DESC LIMIT :limit";

/// The latest runs, newest first.
pub(super) fn runs(
    tx: &Connection,
    id: IntegrationId,
    limit: u32,
) -> Result<Vec<RunRow>, StoreError> {
    let mut statement = tx.prepare_cached(RUNS)?;
    let found = statement.query_and_then(named_params! {":id": id.0, ":limit": limit}, run_row)?;
    found.collect()
}

/// The latest transitions of an integration.
pub(super) const TRANSITIONS: &str = "
    SELECT from_status, to_status, cause, at_ms, run_id, incident_id FROM transition
    WHERE integration_id = :id ORDER BY id DESC LIMIT :limit";

/// The latest transitions, newest first.
pub(super) fn transitions(
    tx: &Connection,
    id: IntegrationId,
    limit: u32,
) -> Result<Vec<TransitionRow>, StoreError> {
    let mut statement = tx.prepare_cached(TRANSITIONS)?;
    let params = named_params! {":id": id.0, ":limit": limit};
    let found = statement.query_and_then(params, |row| {
        let from: Option<String> = row.get("from_status")?;
        let cause: Option<String> = row.get("cause")?;
        Ok(TransitionRow {
            from: from.map(|name| parse("transition", &name)).transpose()?,
            to: parse("transition", &row.get::<_, String>("to_status")?)?,
            cause: cause.map(|name| parse("transition", &name)).transpose()?,
            at: Timestamp(row.get("at_ms")?),
            run: row.get::<_, Option<i64>>("run_id")?.map(RunId),
            incident_id: row.get("incident_id")?,
        })
    })?;
    found.collect()
}

/// Deliveries by filter, newest first.
pub(super) const DELIVERIES: &str = "
    SELECT delivery.id, delivery.event_id, event.type, delivery.receiver, integration.name,
           delivery.sequence, delivery.state, event.created_at_ms, delivery.due_at_ms
    FROM delivery
    JOIN event ON event.id = delivery.event_id
    LEFT JOIN integration ON integration.id = delivery.integration_id
    WHERE (:state IS NULL OR delivery.state = :state)
      AND (:receiver IS NULL OR delivery.receiver = :receiver)
      AND (:integration IS NULL OR integration.name = :integration)
      AND (:since IS NULL OR :since <= event.created_at_ms)
      AND (:until IS NULL OR event.created_at_ms < :until)
    ORDER BY delivery.id DESC LIMIT :limit";

/// Deliveries that match, newest first, with their attempts.
pub(super) fn deliveries(
    tx: &Connection,
    filter: &DeliveryFilter,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let mut statement = tx.prepare_cached(DELIVERIES)?;
    let params = named_params! {
        ":state": filter.state.map(DeliveryState::as_str),
        ":receiver": filter.receiver,
        ":integration": filter.integration,
        ":since": filter.since.map(|at| at.0),
        ":until": filter.until.map(|at| at.0),
        ":limit": filter.limit,
    };
    let found = statement.query_and_then(params, |row| {
        let id = DeliveryId(row.get("id")?);
        let created_at = Timestamp(row.get("created_at_ms")?);
        Ok(DeliveryRow {
            id,
            event_id: row.get("event_id")?,
            kind: parse("event", &row.get::<_, String>("type")?)?,
            receiver: row.get("receiver")?,
            integration: row.get("name")?,
            sequence: row.get("sequence")?,
            state: delivery_state(&row.get::<_, String>("state")?)?,
            created_at,
            due_at: instant(row, "due_at_ms")?.unwrap_or(created_at),
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

/// Events in the order of their numbers.
pub(super) const EVENTS: &str = "
    SELECT event.number, event.id, event.type, event.created_at_ms, event.body, integration.name
    FROM event LEFT JOIN integration ON integration.id = event.integration_id
    WHERE :after < event.number ORDER BY event.number LIMIT :limit";

/// The events after number `after`, at most `limit`.
pub(super) fn events(tx: &Connection, after: i64, limit: u32) -> Result<Events, StoreError> {
    const META: &str = "
        SELECT epoch, pruned_number,
               coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0) FROM meta";
    let (epoch, pruned, latest): (String, i64, i64) = tx
        .prepare_cached(META)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut statement = tx.prepare_cached(EVENTS)?;
    let params = named_params! {":after": after, ":limit": limit};
    let found = statement.query_and_then(params, |row| {
        Ok::<_, StoreError>(EventRow {
            number: row.get("number")?,
            id: row.get("id")?,
            kind: parse("event", &row.get::<_, String>("type")?)?,
            integration: row.get("name")?,
            created_at: Timestamp(row.get("created_at_ms")?),
            body: row.get("body")?,
        })
    })?;
    let rows = found.collect::<Result<_, _>>()?;
    Ok(Events { epoch, latest, is_behind: after < pruned, rows })
}
