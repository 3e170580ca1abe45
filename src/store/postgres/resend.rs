//! Alerts that fire and are sent again as they are: for receivers that forget them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::column::parse;
use super::tx::{Reads, Tx, get, params};
use super::{Resend, StoreError};
use crate::domain::Timestamp;

/// The most alerts that one look sends again to one receiver; the others are due at the next.
const BATCH_MAX: i64 = 64;

/// Alerts that are due to be sent again to a receiver, unless it is disabled or has to be sent another message
/// of the incident first. One that lies too far ahead was planned before the clock was set back.
macro_rules! due {
    ($lock:literal) => {
        concat!(
            "SELECT known.incident_id, known.event_id, event.body, known.format, lane.integration_id AS lane
             FROM revalidated.incident_receiver AS known
             JOIN revalidated.event ON event.id = known.event_id
             JOIN revalidated.lane ON lane.receiver = known.receiver
                 AND lane.integration_id = COALESCE(known.integration_id, 0)
             WHERE known.receiver = $1
               AND resend_at_ms IS NOT NULL AND (resend_at_ms <= $2 OR $3 < resend_at_ms)
               AND known.state = 'sent'
               AND NOT EXISTS (SELECT 1 FROM revalidated.receiver
                               WHERE name = $1 AND disabled_at_ms IS NOT NULL)
               AND NOT EXISTS (SELECT 1 FROM revalidated.delivery
                               WHERE delivery.incident_id = known.incident_id
                                 AND delivery.receiver = $1 AND delivery.state = 'pending')
             LIMIT $4",
            $lock
        )
    };
}

/// Loads what is due to be sent again to one receiver, by a statement of [`due!`].
async fn load(
    tx: &Reads,
    sql: &str,
    receiver: &str,
    every: Duration,
    now: Timestamp,
) -> Result<Vec<Resend>, StoreError> {
    let params = params![
        receiver => TEXT, now.0 => INT8, now.plus(every).0 => INT8, BATCH_MAX => INT8,
    ];
    let mut found = Vec::new();
    for row in tx.rows(sql, params).await? {
        let format: Option<&str> = get(&row, "format")?;
        found.push(Resend {
            lane: get(&row, "lane")?,
            incident: get(&row, "incident_id")?,
            receiver: receiver.to_owned(),
            event_id: get(&row, "event_id")?,
            body: get(&row, "body")?,
            format: format.map(|name| parse("incident_receiver", name)).transpose()?,
        });
    }
    Ok(found)
}

/// Returns true when something is due to be sent again to one of the receivers.
pub(super) async fn is_due(
    tx: &Reads,
    every: &BTreeMap<String, Duration>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    for (receiver, every) in every {
        if !load(tx, due!(""), receiver, *every, now).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Longest time for which a message waits for an alert of its lane that is being sent again.
const SENDING_MAX: Duration = Duration::from_secs(90);

/// Claims what is due to be sent again: it is due the next time after the interval of its receiver. Until it was sent no
/// node sends a message of the same lane.
pub(super) async fn claim(
    tx: &Tx,
    every: &BTreeMap<String, Duration>,
    now: Timestamp,
) -> Result<Vec<Resend>, StoreError> {
    const PLAN: &str = "
        UPDATE revalidated.incident_receiver SET resend_at_ms = $3
        WHERE incident_id = ANY($1) AND receiver = $2";
    const MARK: &str = "
        UPDATE revalidated.lane SET resend_until_ms = $3
        WHERE receiver = $1 AND integration_id = ANY($2)";
    let mut claimed = Vec::new();
    for (receiver, every) in every {
        let sql = due!(" FOR NO KEY UPDATE OF known, lane SKIP LOCKED");
        let due = load(tx, sql, receiver, *every, now).await?;
        if due.is_empty() {
            continue;
        }
        let incidents: Vec<_> = due.iter().map(|one| one.incident.as_str()).collect();
        let next = now.plus(*every).0;
        tx.execute(PLAN, params![incidents => TEXT_ARRAY, receiver => TEXT, next => INT8]).await?;
        let lanes: Vec<_> = due.iter().map(|one| one.lane).collect();
        let until = now.plus(SENDING_MAX).0;
        tx.execute(MARK, params![receiver => TEXT, lanes => INT8_ARRAY, until => INT8]).await?;
        claimed.extend(due);
    }
    Ok(claimed)
}

/// Lets messages of the lane of an alert be sent again, which was sent.
pub(super) async fn end(tx: &Tx, resend: &Resend) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.lane SET resend_until_ms = NULL
        WHERE receiver = $1 AND integration_id = $2";
    tx.execute(SQL, params![resend.receiver => TEXT, resend.lane => INT8]).await?;
    Ok(())
}

/// Returns true while a receiver knows an incident that is open.
pub(super) async fn is_open(
    tx: &Reads,
    incident: &str,
    receiver: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM revalidated.incident_receiver
                       WHERE incident_id = $1 AND receiver = $2 AND state = 'sent') AS found";
    get(&tx.one(SQL, params![incident => TEXT, receiver => TEXT]).await?, "found")
}
