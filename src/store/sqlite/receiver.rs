//! Receivers and their states: who is configured, who is heard of, who is disabled.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, named_params};

use super::column::{instant, parse};
use super::event::{next_operational, tell_operational};
use super::page::{self, Key, Listed, Page};
use super::{Attempt, Disabled, NotificationContext, ReceiverRow, StoreError};
use crate::domain::{
    DisabledReason, Event, EventType, Next, ReceiverDisabled, SCHEMA_VERSION, Timestamp, disables,
};

macro_rules! receiver_columns {
    () => {
        "SELECT name, configured, disabled_at_ms, reason, failing_since_ms, last_success_at_ms,
             (SELECT count(*) FROM delivery
              WHERE state = 'pending' AND delivery.receiver = receiver.name) AS owed,
             (SELECT min(event.created_at_ms) FROM delivery
              JOIN event ON event.id = delivery.event_id
              WHERE state = 'pending' AND delivery.receiver = receiver.name
                AND delivery.due_at_ms IS NOT NULL) AS oldest_at_ms
         FROM receiver "
    };
}

/// Remembers who is configured, and answers who is sent nothing although he is owed something or
/// configured.
pub(super) fn configure(
    tx: &Connection,
    tell: &NotificationContext,
) -> Result<Vec<ReceiverRow>, StoreError> {
    const IDLE: &str = concat!(
        receiver_columns!(),
        "WHERE iif(configured, disabled_at_ms IS NOT NULL, 0 < owed) ORDER BY name"
    );
    const NAME: &str = "
        INSERT INTO receiver (name, configured) VALUES (:name, 1)
        ON CONFLICT (name) DO UPDATE SET configured = 1";
    tx.execute("UPDATE receiver SET configured = 0 WHERE configured = 1", [])?;
    for subscription in tell.subscriptions.iter() {
        tx.prepare_cached(NAME)?.execute(named_params! {":name": subscription.receiver})?;
    }
    let mut statement = tx.prepare_cached(IDLE)?;
    let found = statement.query_and_then([], receiver_row)?;
    found.collect()
}

/// Receivers after a name. The oldest event that one is owed is among the first of each integration.
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

/// The receiver of this name, if the store knows it.
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
        owed: row.get("owed")?,
        oldest_owed_at: instant(row, "oldest_at_ms")?,
    })
}

/// What is known of a receiver after an attempt that failed.
#[derive(Debug)]
struct Failing {
    since: Timestamp,
    last_success: Option<Timestamp>,
    is_disabled: bool,
}

/// An attempt that failed; a clock that was set back must not make the failures last longer.
const FAILED: &str = "
    INSERT INTO receiver (name, configured, failing_since_ms) VALUES (:name, 1, :now)
    ON CONFLICT (name) DO UPDATE SET
        failing_since_ms = min(coalesce(failing_since_ms, :now), :now)
    RETURNING failing_since_ms, last_success_at_ms, disabled_at_ms IS NOT NULL";

/// An attempt that succeeded.
const SUCCEEDED: &str = "
    INSERT INTO receiver (name, configured, last_success_at_ms) VALUES (:name, 1, :now)
    ON CONFLICT (name) DO UPDATE SET last_success_at_ms = :now, failing_since_ms = NULL";

/// Draws the conclusions from an attempt at `receiver`: one that is gone, or has only failed for too
/// long, is disabled, and the others are owed the news.
pub(super) fn heard(
    tx: &Connection,
    receiver: &str,
    attempt: &Attempt,
    tell: &NotificationContext,
) -> Result<Option<Disabled>, StoreError> {
    let now = attempt.started_at.plus(attempt.duration);
    let params = named_params! {":name": receiver, ":now": now.0};
    if attempt.next == Next::Delivered {
        tx.prepare_cached(SUCCEEDED)?.execute(params)?;
        return Ok(None);
    }
    let failing = tx.prepare_cached(FAILED)?.query_row(params, |row| {
        Ok(Failing {
            since: Timestamp(row.get(0)?),
            last_success: row.get::<_, Option<i64>>(1)?.map(Timestamp),
            is_disabled: row.get(2)?,
        })
    })?;
    let reason = disables(attempt.next, now.since(failing.since), attempt.disable_after);
    let Some(reason) = reason.filter(|_| !failing.is_disabled) else {
        return Ok(None);
    };
    set_disabled(tx, receiver, reason, now)?;
    let owed = owed(tx, receiver)?;
    tell_others(tx, receiver, (&failing, Disabled { reason, owed }), tell)?;
    Ok(Some(Disabled { reason, owed }))
}

fn tell_others(
    tx: &Connection,
    receiver: &str,
    (failing, disabled): (&Failing, Disabled),
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    let (epoch, sequence) = next_operational(tx)?;
    let event = Event {
        kind: EventType::ReceiverDisabled,
        timestamp: tell.now,
        data: ReceiverDisabled {
            schema_version: SCHEMA_VERSION,
            epoch,
            sequence,
            receiver: receiver.to_owned(),
            reason: disabled.reason,
            failing_since: Some(failing.since),
            last_success_at: failing.last_success,
            pending: disabled.owed,
        },
    };
    let others = tell
        .subscriptions
        .iter()
        .filter(|one| one.receiver != receiver && one.wants_kind(EventType::ReceiverDisabled));
    let others: Vec<_> = others.map(|one| one.receiver.as_str()).collect();
    tell_operational(tx, sequence, &event, &others)?;
    Ok(())
}

fn owed(tx: &Connection, receiver: &str) -> Result<u32, StoreError> {
    const SQL: &str =
        "SELECT count(*) FROM delivery WHERE state = 'pending' AND receiver = :receiver";
    let params = named_params! {":receiver": receiver};
    Ok(tx.prepare_cached(SQL)?.query_row(params, |row| row.get(0))?)
}

/// Disables a receiver that is not yet; what it is owed stays owed, and waits.
pub(super) fn set_disabled(
    tx: &Connection,
    name: &str,
    reason: DisabledReason,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE receiver SET disabled_at_ms = :now, reason = :reason
        WHERE name = :name AND disabled_at_ms IS NULL";
    let params = named_params! {":name": name, ":now": now.0, ":reason": reason.as_str()};
    tx.prepare_cached(SQL)?.execute(params)?;
    Ok(())
}

/// Enables a receiver that is disabled: what it is owed goes out in order, tried as often as anew.
pub(super) fn enable(tx: &Connection, name: &str, now: Timestamp) -> Result<(), StoreError> {
    const RECEIVER: &str = "
        UPDATE receiver SET disabled_at_ms = NULL, reason = NULL, failing_since_ms = NULL
        WHERE name = :name AND disabled_at_ms IS NOT NULL RETURNING 1";
    const OWED: &str = "
        UPDATE delivery SET earlier = attempts,
            due_at_ms = iif(due_at_ms IS NULL, NULL, min(due_at_ms, :now))
        WHERE state = 'pending' AND receiver = :name";
    let found: Option<i64> = tx
        .prepare_cached(RECEIVER)?
        .query_row(named_params! {":name": name}, |row| row.get(0))
        .optional()?;
    if found.is_some() {
        tx.prepare_cached(OWED)?.execute(named_params! {":name": name, ":now": now.0})?;
    }
    Ok(())
}
