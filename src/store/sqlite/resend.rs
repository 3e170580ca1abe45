//! Alerts that fire and are sent again as they are: for receivers that forget them.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, named_params};

use super::column::parse;
use super::{Resend, StoreError};
use crate::domain::Timestamp;

/// The most alerts that one look sends again to one receiver; the others are due at the next.
const BATCH_MAX: u32 = 64;

/// Alerts that are due to be sent again to a receiver, unless it is disabled or has to be sent another message
/// of the incident first. One that lies too far ahead was planned before the clock was set back.
pub(super) const DUE: &str = "
    SELECT incident_id, event_id, event.body, format
    FROM incident_receiver JOIN event ON event.id = event_id
    WHERE incident_receiver.receiver = :receiver
      AND resend_at_ms IS NOT NULL AND (resend_at_ms <= :now OR :latest < resend_at_ms)
      AND state = 'sent'
      AND NOT EXISTS (SELECT 1 FROM receiver
                      WHERE name = :receiver AND disabled_at_ms IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM delivery
                      WHERE delivery.incident_id = incident_receiver.incident_id
                        AND delivery.receiver = :receiver AND delivery.state = 'pending')
    LIMIT :most";

/// Loads what is due to be sent again to each of the receivers.
pub(super) fn due(
    tx: &Connection,
    every: &BTreeMap<String, Duration>,
    now: Timestamp,
) -> Result<Vec<Resend>, StoreError> {
    let mut statement = tx.prepare_cached(DUE)?;
    let mut due = Vec::new();
    for (receiver, every) in every {
        let params = named_params! {
            ":receiver": receiver, ":now": now.0, ":latest": now.plus(*every).0, ":most": BATCH_MAX,
        };
        let found = statement.query_and_then(params, |row| {
            let format: Option<String> = row.get(3)?;
            Ok::<_, StoreError>(Resend {
                lane: 0,
                incident: row.get(0)?,
                receiver: receiver.clone(),
                event_id: row.get(1)?,
                body: row.get(2)?,
                format: format.map(|name| parse("incident_receiver", &name)).transpose()?,
            })
        })?;
        due.extend(found.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(due)
}

/// Claims what is due to be sent again: it is due the next time after the interval of its receiver.
pub(super) fn claim(
    tx: &Connection,
    every: &BTreeMap<String, Duration>,
    now: Timestamp,
) -> Result<Vec<Resend>, StoreError> {
    const PLAN: &str = "
        UPDATE incident_receiver SET resend_at_ms = :at
        WHERE incident_id = :incident AND receiver = :receiver";
    let due = due(tx, every, now)?;
    let mut plan = tx.prepare_cached(PLAN)?;
    for one in &due {
        let wait = every.get(&one.receiver).copied().unwrap_or_default();
        plan.execute(named_params! {
            ":incident": one.incident, ":receiver": one.receiver, ":at": now.plus(wait).0,
        })?;
    }
    Ok(due)
}

/// Returns true while a receiver knows an incident that is open.
pub(super) fn is_open(tx: &Connection, incident: &str, receiver: &str) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM incident_receiver
                       WHERE incident_id = :incident AND receiver = :receiver AND state = 'sent')";
    let params = named_params! {":incident": incident, ":receiver": receiver};
    super::column::exists(tx, SQL, params)
}
