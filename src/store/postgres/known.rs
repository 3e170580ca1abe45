//! Incidents as receivers know them: what decisions read of them, and what they write.

use tokio_postgres::Row;

use super::StoreError;
use super::column::{count, instant, parse};
use super::tx::{Params, Reads, Tx, get, params};
use crate::domain::ledger::{InIncident, Incident, KnownIncident};
use crate::domain::{Format, IntegrationId, Timestamp};

macro_rules! known_columns {
    () => {
        "SELECT incident_id, receiver, incident_receiver.integration_id, since_ms, event_id, format,
             wants_end, state, notified_at_ms, reminders, due_at_ms, look_at_ms, resend_at_ms
         FROM revalidated.incident_receiver "
    };
}

/// Loads an open incident as each receiver knows it, by receiver.
pub(super) async fn load(tx: &Reads, incident: &str) -> Result<Vec<KnownIncident>, StoreError> {
    const SQL: &str = concat!(known_columns!(), "WHERE incident_id = $1 ORDER BY receiver");
    several(tx, SQL, params![incident => TEXT]).await
}

/// Loads every open incident as each receiver knows it, by receiver.
pub(super) async fn all(tx: &Reads) -> Result<Vec<KnownIncident>, StoreError> {
    const SQL: &str = concat!(known_columns!(), "ORDER BY receiver, incident_id");
    several(tx, SQL, &[]).await
}

/// Loads incidents that are to be looked at for a receiver; those that another transaction looks at are passed over.
pub(super) async fn due(
    tx: &Tx,
    now: Timestamp,
    batch: u32,
) -> Result<Vec<KnownIncident>, StoreError> {
    const SQL: &str = concat!(
        known_columns!(),
        "WHERE look_at_ms <= $1 ORDER BY look_at_ms LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
    );
    several(tx, SQL, params![now.0 => INT8, i64::from(batch) => INT8]).await
}

async fn several(
    tx: &Reads,
    sql: &str,
    params: Params<'_>,
) -> Result<Vec<KnownIncident>, StoreError> {
    tx.rows(sql, params).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<KnownIncident, StoreError> {
    let format: Option<&str> = get(row, "format")?;
    Ok(KnownIncident {
        incident: Incident {
            id: get(row, "incident_id")?,
            since: Timestamp(get(row, "since_ms")?),
            is_notified: true,
        },
        receiver: get(row, "receiver")?,
        integration: get::<Option<i64>>(row, "integration_id")?.map(IntegrationId),
        event: get(row, "event_id")?,
        format: format.map(|name| parse("incident_receiver", name)).transpose()?,
        wants_end: get(row, "wants_end")?,
        state: parse("incident_receiver", get(row, "state")?)?,
        notified_at: Timestamp(get(row, "notified_at_ms")?),
        reminders: count(row, "reminders")?,
        due_at: instant(row, "due_at_ms")?,
        look_at: instant(row, "look_at_ms")?,
        resend_at: instant(row, "resend_at_ms")?,
    })
}

macro_rules! insert {
    ($conflict:literal) => {
        concat!(
            "INSERT INTO revalidated.incident_receiver
                 (incident_id, receiver, integration_id, since_ms, event_id, format, wants_end, state,
                  notified_at_ms, reminders, due_at_ms, look_at_ms, resend_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (incident_id, receiver) DO UPDATE ",
            $conflict
        )
    };
}

/// Writes an incident as one receiver knows it.
pub(super) async fn save(tx: &Tx, known: &KnownIncident) -> Result<(), StoreError> {
    const SQL: &str = insert!(
        "SET event_id = $5, format = $6, wants_end = $7, state = $8, notified_at_ms = $9,
             reminders = $10, due_at_ms = $11, look_at_ms = $12, resend_at_ms = $13"
    );
    write(tx, SQL, known).await
}

/// Writes an incident as one receiver knows it, unless the receiver knows it already.
pub(super) async fn learn(tx: &Tx, known: &KnownIncident) -> Result<(), StoreError> {
    const SQL: &str = insert!("SET state = 'sent' WHERE incident_receiver.state = 'dead'");
    const ASSIGN: &str = "
        UPDATE revalidated.delivery SET incident_id = $1, format = $2
        WHERE event_id = $3 AND receiver = $4 AND incident_id IS NULL";
    write(tx, SQL, known).await?;
    // The delivery may have been made before receivers were remembered, or as no part of an incident.
    let params = params![
        known.incident.id => TEXT, known.format.map(Format::as_str) => TEXT, known.event => TEXT,
        known.receiver => TEXT,
    ];
    tx.execute(ASSIGN, params).await?;
    Ok(())
}

async fn write(tx: &Tx, sql: &str, known: &KnownIncident) -> Result<(), StoreError> {
    let params = params![
        known.incident.id => TEXT, known.receiver => TEXT,
        known.integration.map(|id| id.0) => INT8, known.incident.since.0 => INT8,
        known.event => TEXT, known.format.map(Format::as_str) => TEXT, known.wants_end => BOOL,
        known.state.as_str() => TEXT, known.notified_at.0 => INT8,
        i64::from(known.reminders) => INT8, known.due_at.map(|at| at.0) => INT8,
        known.look_at.map(|at| at.0) => INT8, known.resend_at.map(|at| at.0) => INT8,
    ];
    tx.execute(sql, params).await?;
    Ok(())
}

/// Forgets an incident that is over.
pub(super) async fn forget(tx: &Tx, incident: &str) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM revalidated.incident_receiver WHERE incident_id = $1";
    tx.execute(SQL, params![incident => TEXT]).await?;
    Ok(())
}

/// Notes that the beginning of an incident is dead for a receiver. The deliveries of its end, which are behind it in
/// the same lane, go with the beginning that never arrived.
pub(super) async fn bury(
    tx: &Tx,
    incident: &str,
    receiver: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    const ENDS: &str = "
        UPDATE revalidated.delivery SET state = 'failed', ended_at_ms = $3
        WHERE incident_id = $1 AND receiver = $2 AND ends AND state = 'pending'";
    const KNOWN: &str = "
        UPDATE revalidated.incident_receiver SET state = 'dead', resend_at_ms = NULL
        WHERE incident_id = $1 AND receiver = $2";
    tx.execute(ENDS, params![incident => TEXT, receiver => TEXT, at.0 => INT8]).await?;
    tx.execute(KNOWN, params![incident => TEXT, receiver => TEXT]).await?;
    Ok(())
}

/// Notes that the beginning of an incident is enqueued again.
pub(super) async fn revive(tx: &Tx, incident: &str, receiver: &str) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.incident_receiver SET state = 'sent'
        WHERE incident_id = $1 AND receiver = $2 AND state = 'dead'";
    tx.execute(SQL, params![incident => TEXT, receiver => TEXT]).await?;
    Ok(())
}

/// Lets every incident about which notifications were muted be looked at again.
pub(super) async fn look_again(tx: &Tx, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.incident_receiver SET look_at_ms = greatest(due_at_ms, $1)
        WHERE look_at_ms > $1 AND due_at_ms < look_at_ms";
    tx.execute(SQL, params![now.0 => INT8]).await?;
    Ok(())
}

/// Columns of a delivery that are its part in an incident. It is alone when no other delivery notifies the receiver
/// of the incident; a beginning that retention has deleted did.
macro_rules! part_columns {
    () => {
        "delivery.incident_id, delivery.ends,
         (delivery.began_id IS NULL OR EXISTS (
             SELECT 1 FROM revalidated.delivery AS began
             WHERE began.event_id = delivery.began_id AND began.receiver = delivery.receiver))
         AND NOT EXISTS (
             SELECT 1 FROM revalidated.delivery AS other
             WHERE other.incident_id = delivery.incident_id AND other.receiver = delivery.receiver
               AND other.id <> delivery.id AND NOT other.ends AND other.state <> 'failed')
         AS is_alone"
    };
}
pub(super) use part_columns;

/// Reads the part of a delivery in an incident.
pub(super) fn part(row: &Row) -> Result<Option<InIncident>, StoreError> {
    let Some(incident) = get::<Option<String>>(row, "incident_id")? else { return Ok(None) };
    Ok(Some(InIncident { incident, ends: get(row, "ends")?, is_alone: get(row, "is_alone")? }))
}
