//! Receivers and their states: configured, failing, disabled.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::asked::Asked;
use super::column::{instant, parse};
use super::page::{self, Key, Listed, Page};
use super::{NotificationContext, PendingTypes, ReceiverRow, StoreError, health};
use crate::domain::ledger;
use crate::domain::{Changes, DisabledReason, Subscription, Timestamp};

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
    tables: &BTreeMap<String, String>,
    context: &NotificationContext,
    changes: &mut Changes,
) -> Result<Vec<ReceiverRow>, StoreError> {
    const IDLE: &str = concat!(
        receiver_columns!(),
        "WHERE iif(configured, disabled_at_ms IS NOT NULL, 0 < pending) ORDER BY name"
    );
    const NAME: &str = "
        INSERT INTO receiver (name, configured, config) VALUES (:name, 1, :config)
        ON CONFLICT (name) DO UPDATE SET configured = 1, config = :config";
    let mut former = configurations(tx)?;
    for Subscription { receiver, .. } in context.subscriptions.iter() {
        match former.remove(receiver) {
            None => changes.receivers_added.add(receiver),
            Some(stored) => {
                let table = tables.get(receiver);
                if stored.is_some_and(|stored| table != Some(&stored)) {
                    changes.receivers_changed.add(receiver);
                }
            }
        }
    }
    for gone in former.keys() {
        changes.receivers_removed.add(gone);
    }
    tx.execute("UPDATE receiver SET configured = 0 WHERE configured = 1", [])?;
    for subscription in context.subscriptions.iter() {
        let name = &subscription.receiver;
        tx.prepare_cached(NAME)?
            .execute(named_params! {":name": name, ":config": tables.get(name)})?;
    }
    let mut statement = tx.prepare_cached(IDLE)?;
    let found = statement.query_and_then([], receiver_row)?;
    found.collect()
}

/// Loads the receivers that are configured, each with its table; one that an older version has stored has none.
pub(super) fn configurations(
    tx: &Connection,
) -> Result<BTreeMap<String, Option<String>>, StoreError> {
    const SQL: &str = "SELECT name, config FROM receiver WHERE configured = 1";
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Counts the pending messages of each receiver by the type of their event, but those that are sent in the format in
/// which their incident began.
pub(super) fn pending_types(tx: &Connection) -> Result<PendingTypes, StoreError> {
    const SQL: &str = "
        SELECT receiver, type, count(*) FROM delivery JOIN event ON event.id = event_id
        WHERE state = 'pending' AND delivery.format IS NULL GROUP BY receiver, type";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query([])?;
    let mut found = PendingTypes::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(1)?;
        let of = found.entry(row.get(0)?).or_default();
        of.push((parse("event", &kind)?, row.get(2)?));
    }
    Ok(found)
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
