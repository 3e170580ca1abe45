//! Incidents that last: which receivers are to be sent more of them, and when.

use rusqlite::{Connection, named_params};

use super::asked::Asked;
use super::known::read;
use super::{NotificationContext, StoreError, row};
use crate::domain::Timestamp;
use crate::domain::ledger::{self, KnownIncident};

macro_rules! known_columns {
    () => {
        "SELECT incident_id, receiver, incident_receiver.integration_id, since_ms, event_id, format,
             wants_end, state, notified_at_ms, reminders, due_at_ms, look_at_ms, resend_at_ms
         FROM incident_receiver "
    };
}

/// Incidents that are to be looked at for a receiver.
pub(super) const DUE: &str =
    concat!(known_columns!(), "WHERE look_at_ms <= :now ORDER BY look_at_ms LIMIT :batch");

/// Looks at incidents of which receivers may be due to be sent more; returns how many were sent.
pub(super) fn wake(
    tx: &Connection,
    batch: u32,
    context: &NotificationContext,
) -> Result<usize, StoreError> {
    let mut statement = tx.prepare_cached(DUE)?;
    let params = named_params! {":now": context.now.0, ":batch": batch};
    let found = statement.query_and_then(params, read)?;
    let mut sent = 0;
    for known in found.collect::<Result<Vec<KnownIncident>, _>>()? {
        let row = match known.integration {
            Some(id) => row::load(tx, id)?,
            None => None,
        };
        let asked = Asked { row: row.as_ref(), now: context.now, ..Asked::default() };
        let is_sent = asked.decide(tx, |case| ledger::wake(case, &known, row.as_ref(), context))?;
        sent += usize::from(is_sent);
    }
    Ok(sent)
}

/// Plans anew what receivers are to be sent of incidents that last, by another configuration.
pub(super) fn replan(tx: &Connection, context: &NotificationContext) -> Result<(), StoreError> {
    let all = all(tx)?;
    let effects: Vec<_> = all.iter().filter_map(|one| ledger::replan(one, context)).collect();
    Asked::default().apply_all(tx, &effects)
}

/// Loads every open incident as each receiver knows it, by receiver.
pub(super) fn all(tx: &Connection) -> Result<Vec<KnownIncident>, StoreError> {
    const ALL: &str = concat!(known_columns!(), "ORDER BY receiver, incident_id");
    let mut statement = tx.prepare_cached(ALL)?;
    let found = statement.query_and_then([], read)?;
    found.collect()
}

/// Lets every incident about which notifications were muted be looked at again.
pub(super) fn look_again(tx: &Connection, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE incident_receiver SET look_at_ms = max(due_at_ms, :now)
        WHERE look_at_ms > :now AND due_at_ms < look_at_ms";
    tx.prepare_cached(SQL)?.execute(named_params! {":now": now.0})?;
    Ok(())
}
