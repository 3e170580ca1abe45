//! Receivers and their states: configured, failing, disabled.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::asked::Asked;
use super::column::{instant, parse};
use super::page::{self, Key, Listed, Page};
use super::{NotificationContext, ReceiverRow, StoreError, health};
use crate::domain::ledger;
use crate::domain::{Changes, DisabledReason, Timestamp};

macro_rules! receiver_columns {
    () => {
        "SELECT name, configured, disabled_at_ms, reason, failing_since_ms, last_success_at_ms,
             (SELECT count(*) FROM delivery
              WHERE state = 'pending' AND delivery.receiver = receiver.name) AS pending,
             (SELECT min(event.created_at_ms) FROM delivery
              JOIN event ON event.id = delivery.event_id
              WHERE state = 'pending' AND delivery.receiver = receiver.name
                AND delivery.due_at_ms IS NOT NULL) AS oldest_at_ms
         FROM receiver "
    };
}

/// Stores which receivers are configured; returns those that are sent nothing although they are
/// configured or deliveries to them are pending.
pub(super) fn configure(
    tx: &Connection,
    context: &NotificationContext,
    changes: &mut Changes,
) -> Result<Vec<ReceiverRow>, StoreError> {
    const IDLE: &str = concat!(
        receiver_columns!(),
        "WHERE iif(configured, disabled_at_ms IS NOT NULL, 0 < pending) ORDER BY name"
    );
    const NAME: &str = "
        INSERT INTO receiver (name, configured) VALUES (:name, 1)
        ON CONFLICT (name) DO UPDATE SET configured = 1";
    let mut former = configured(tx)?;
    for subscription in context.subscriptions.iter() {
        if !former.remove(&subscription.receiver) {
            changes.receivers_added.add(&subscription.receiver);
        }
    }
    for gone in &former {
        changes.receivers_removed.add(gone);
    }
    tx.execute("UPDATE receiver SET configured = 0 WHERE configured = 1", [])?;
    for subscription in context.subscriptions.iter() {
        tx.prepare_cached(NAME)?.execute(named_params! {":name": subscription.receiver})?;
    }
    let mut statement = tx.prepare_cached(IDLE)?;
    let found = statement.query_and_then([], receiver_row)?;
    found.collect()
}

/// Loads the names of the receivers that are configured.
pub(super) fn configured(tx: &Connection) -> Result<BTreeSet<String>, StoreError> {
    const SQL: &str = "SELECT name FROM receiver WHERE configured = 1";
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_map([], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Receivers after a name. The oldest pending event is among the heads of a receiver's queues.
pub(super) const RECEIVERS: &str =
    concat!(receiver_columns!(), "WHERE :after < name ORDER BY name LIMIT :limit");

/// Reads a page of the receivers, by name.
pub(super) fn receivers(tx: &Connection, page: &Page) -> Result<Listed<ReceiverRow>, StoreError> {
    let mut statement = tx.prepare_cached(RECEIVERS)?;
    let params =
        named_params! {":after": page::after_name(tx, page)?, ":limit": page::with_next(page)};
    let found = statement.query_and_then(params, receiver_row)?;
    let rows = found.collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Name(row.name.clone()))
}

/// Returns the receiver of this name, if the store knows it.
pub(super) fn receiver(tx: &Connection, name: &str) -> Result<Option<ReceiverRow>, StoreError> {
    const SQL: &str = concat!(receiver_columns!(), "WHERE name = :name");
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query(named_params! {":name": name})?;
    rows.next()?.map(receiver_row).transpose()
}

fn receiver_row(row: &SqlRow<'_>) -> Result<ReceiverRow, StoreError> {
    let reason: Option<String> = row.get("reason")?;
    let reason = reason.map(|name| parse("receiver", &name)).transpose()?;
    Ok(ReceiverRow {
        name: row.get("name")?,
        configured: row.get("configured")?,
        disabled: reason.zip(instant(row, "disabled_at_ms")?),
        failing_since: instant(row, "failing_since_ms")?,
        last_success_at: instant(row, "last_success_at_ms")?,
        pending: row.get("pending")?,
        oldest_pending_at: instant(row, "oldest_at_ms")?,
    })
}

/// Disables a receiver that is enabled; its pending deliveries wait.
pub(super) fn disable(
    tx: &Connection,
    name: &str,
    reason: DisabledReason,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(health) = health::load(tx, name)? else { return Ok(()) };
    Asked::default().apply_all(tx, &ledger::disable(&health, reason, now))
}

/// Enables a receiver that is disabled: its pending deliveries go out in order, with as many attempts as
/// new ones.
pub(super) fn enable(tx: &Connection, name: &str, now: Timestamp) -> Result<(), StoreError> {
    let Some(health) = health::load(tx, name)? else { return Ok(()) };
    Asked::default().apply_all(tx, &ledger::enable(&health, now))
}
