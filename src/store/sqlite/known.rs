//! Incidents as receivers know them: what decisions read of them, and what they write.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::super::mutes::NoticeRow;
use super::StoreError;
use super::column::{delivery_state, instant, parse};
use crate::domain::ledger::{InIncident, Incident, KnownIncident};
use crate::domain::{Format, IntegrationId, Timestamp};

/// The receivers of an open incident, by name.
pub(super) const KNOWN: &str = "
    SELECT incident_id, receiver, integration_id, since_ms, event_id, format, wants_end, state,
           notified_at_ms, reminders, due_at_ms, look_at_ms, resend_at_ms
    FROM incident_receiver WHERE incident_id = :incident ORDER BY receiver";

/// Loads an open incident as each receiver knows it.
pub(super) fn load(tx: &Connection, incident: &str) -> Result<Vec<KnownIncident>, StoreError> {
    let mut statement = tx.prepare_cached(KNOWN)?;
    let found = statement.query_and_then(named_params! {":incident": incident}, read)?;
    found.collect()
}

/// The receivers of an open incident, with the deliveries that notify them of it.
pub(super) const NOTICES: &str = "
    SELECT known.receiver, known.state, delivery.state AS delivery, delivery.ended_at_ms,
           iif(known.state = 'waiting', known.due_at_ms, delivery.due_at_ms) AS due_at_ms
    FROM incident_receiver AS known
    LEFT JOIN delivery ON delivery.event_id = known.event_id AND delivery.receiver = known.receiver
    WHERE known.incident_id = :incident ORDER BY known.receiver";

/// Reads the receivers of an open incident, by name.
pub(super) fn notices(tx: &Connection, incident: &str) -> Result<Vec<NoticeRow>, StoreError> {
    let mut statement = tx.prepare_cached(NOTICES)?;
    let found = statement.query_and_then(named_params! {":incident": incident}, |row| {
        let delivery: Option<String> = row.get("delivery")?;
        Ok(NoticeRow {
            receiver: row.get("receiver")?,
            state: parse("incident_receiver", &row.get::<_, String>("state")?)?,
            delivery: delivery.as_deref().map(delivery_state).transpose()?,
            ended_at: instant(row, "ended_at_ms")?,
            due_at: instant(row, "due_at_ms")?,
        })
    })?;
    found.collect()
}

pub(super) fn read(row: &SqlRow<'_>) -> Result<KnownIncident, StoreError> {
    let format: Option<String> = row.get("format")?;
    Ok(KnownIncident {
        incident: Incident {
            id: row.get("incident_id")?,
            since: Timestamp(row.get("since_ms")?),
            is_notified: true,
        },
        receiver: row.get("receiver")?,
        integration: row.get::<_, Option<i64>>("integration_id")?.map(IntegrationId),
        event: row.get("event_id")?,
        format: format.map(|name| parse("incident_receiver", &name)).transpose()?,
        wants_end: row.get("wants_end")?,
        state: parse("incident_receiver", &row.get::<_, String>("state")?)?,
        notified_at: Timestamp(row.get("notified_at_ms")?),
        reminders: row.get("reminders")?,
        due_at: instant(row, "due_at_ms")?,
        look_at: instant(row, "look_at_ms")?,
        resend_at: instant(row, "resend_at_ms")?,
    })
}

macro_rules! insert {
    ($conflict:literal) => {
        concat!(
            "INSERT INTO incident_receiver (incident_id, receiver, integration_id, since_ms, event_id,
                 format, wants_end, state, notified_at_ms, reminders, due_at_ms, look_at_ms, resend_at_ms)
             VALUES (:incident, :receiver, :integration, :since, :event, :format, :wants_end, :state,
                 :notified, :reminders, :due, :look, :resend) ON CONFLICT (incident_id, receiver) DO ",
            $conflict
        )
    };
}

/// Writes an incident as one receiver knows it.
pub(super) fn save(tx: &Connection, known: &KnownIncident) -> Result<(), StoreError> {
    const SQL: &str = insert!(
        "UPDATE SET event_id = :event, format = :format, wants_end = :wants_end, state = :state,
             notified_at_ms = :notified, reminders = :reminders, due_at_ms = :due, look_at_ms = :look,
             resend_at_ms = :resend"
    );
    write(tx, SQL, known)
}

/// Writes an incident as one receiver knows it, unless the receiver knows it already.
pub(super) fn learn(tx: &Connection, known: &KnownIncident) -> Result<(), StoreError> {
    const SQL: &str = insert!("UPDATE SET state = 'sent' WHERE state = 'dead'");
    const ASSIGN: &str = "
        UPDATE delivery SET incident_id = :incident, format = :format
        WHERE event_id = :event AND receiver = :receiver AND incident_id IS NULL";
    write(tx, SQL, known)?;
    // The delivery may have been made before receivers were remembered, or as no part of an incident.
    tx.prepare_cached(ASSIGN)?.execute(named_params! {
        ":incident": known.incident.id, ":format": known.format.map(Format::as_str),
        ":event": known.event, ":receiver": known.receiver,
    })?;
    Ok(())
}

fn write(tx: &Connection, sql: &str, known: &KnownIncident) -> Result<(), StoreError> {
    tx.prepare_cached(sql)?.execute(named_params! {
        ":incident": known.incident.id,
        ":receiver": known.receiver,
        ":integration": known.integration.map(|id| id.0),
        ":since": known.incident.since.0,
        ":event": known.event,
        ":format": known.format.map(Format::as_str),
        ":wants_end": known.wants_end,
        ":state": known.state.as_str(),
        ":notified": known.notified_at.0,
        ":reminders": known.reminders,
        ":due": known.due_at.map(|at| at.0),
        ":look": known.look_at.map(|at| at.0),
        ":resend": known.resend_at.map(|at| at.0),
    })?;
    Ok(())
}

/// Forgets an incident that is over.
pub(super) fn forget(tx: &Connection, incident: &str) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM incident_receiver WHERE incident_id = :incident";
    tx.prepare_cached(SQL)?.execute(named_params! {":incident": incident})?;
    Ok(())
}

/// The deliveries of an end go with the beginning that never arrived.
pub(super) const BURY_ENDS: &str = "
    UPDATE delivery SET state = 'failed', ended_at_ms = :at, lease_owner = NULL, lease_token = NULL,
        lease_until_ms = NULL
    WHERE incident_id = :incident AND receiver = :receiver AND ends = 1 AND state = 'pending'";

/// Notes that the beginning of an incident is dead for a receiver.
pub(super) fn bury(
    tx: &Connection,
    incident: &str,
    receiver: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE incident_receiver
        SET state = 'dead', resend_at_ms = NULL
        WHERE incident_id = :incident AND receiver = :receiver";
    let ends = named_params! {":incident": incident, ":receiver": receiver, ":at": at.0};
    tx.prepare_cached(BURY_ENDS)?.execute(ends)?;
    let known = named_params! {":incident": incident, ":receiver": receiver};
    tx.prepare_cached(SQL)?.execute(known)?;
    Ok(())
}

/// Notes that the beginning of an incident is enqueued again.
pub(super) fn revive(tx: &Connection, incident: &str, receiver: &str) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE incident_receiver SET state = 'sent'
        WHERE incident_id = :incident AND receiver = :receiver AND state = 'dead'";
    let params = named_params! {":incident": incident, ":receiver": receiver};
    tx.prepare_cached(SQL)?.execute(params)?;
    Ok(())
}

/// Columns of a delivery that are its part in an incident. It is alone when no other delivery notifies the receiver
/// of the incident; a beginning that retention has deleted did.
macro_rules! part_columns {
    () => {
        "delivery.incident_id, delivery.ends,
         (delivery.began_id IS NULL OR EXISTS (
             SELECT 1 FROM delivery AS began
             WHERE began.event_id = delivery.began_id AND began.receiver = delivery.receiver))
         AND NOT EXISTS (
             SELECT 1 FROM delivery AS other
             WHERE other.incident_id = delivery.incident_id AND other.receiver = delivery.receiver
               AND other.id <> delivery.id AND other.ends = 0 AND other.state <> 'failed')
         AS is_alone"
    };
}
pub(super) use part_columns;

/// Reads the part of a delivery in an incident.
pub(super) fn part(row: &SqlRow<'_>) -> Result<Option<InIncident>, StoreError> {
    let incident: Option<String> = row.get("incident_id")?;
    let Some(incident) = incident else { return Ok(None) };
    Ok(Some(InIncident { incident, ends: row.get("ends")?, is_alone: row.get("is_alone")? }))
}
