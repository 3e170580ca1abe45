//! The outbox: what may be sent now, and what became of it.
//!
//! Of the deliveries to one receiver about one integration only the first pending one has a due
//! instant; the others get theirs when it is their turn. So a receiver that has been away for
//! days costs a claim no more than one that listens.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, named_params};

use super::row::{delivery_state, millis};
use super::{Attempt, DeliveryState, PendingDelivery, StoreError};
use crate::domain::{AttemptResult, DeliveryId, Next, Timestamp};

/// What one receiver may be sent now, longest due first.
pub(super) const CLAIM: &str = "
    SELECT delivery.id, delivery.event_id, integration.name, event.body, delivery.attempts
    FROM delivery
    JOIN event ON event.id = delivery.event_id
    JOIN integration ON integration.id = delivery.integration_id
    WHERE delivery.state = 'pending' AND delivery.receiver = :receiver
      AND delivery.due_at_ms <= :now
      AND (delivery.lease_until_ms IS NULL OR delivery.lease_until_ms <= :now)
    ORDER BY delivery.due_at_ms, delivery.id LIMIT :room";

/// Leases what may be sent now: at most `room[receiver]` per receiver, others are left alone.
pub(super) fn claim(
    tx: &Connection,
    room: &BTreeMap<String, u32>,
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<PendingDelivery>, StoreError> {
    const LEASE: &str = "UPDATE delivery SET lease_until_ms = :until WHERE id = :id";
    let mut claimed = Vec::new();
    for (receiver, room) in room.iter().filter(|(_, room)| 0 < **room) {
        claimed.extend(sendable(tx, receiver, *room, now)?);
    }
    let mut statement = tx.prepare_cached(LEASE)?;
    for delivery in &claimed {
        let until = now.plus(lease).0;
        statement.execute(named_params! {":id": delivery.id.0, ":until": until})?;
    }
    Ok(claimed)
}

fn sendable(
    tx: &Connection,
    receiver: &str,
    room: u32,
    now: Timestamp,
) -> Result<Vec<PendingDelivery>, StoreError> {
    let mut statement = tx.prepare_cached(CLAIM)?;
    let params = named_params! {":receiver": receiver, ":now": now.0, ":room": room};
    let found = statement.query_and_then(params, |row| {
        Ok(PendingDelivery {
            id: DeliveryId(row.get(0)?),
            event_id: row.get(1)?,
            receiver: receiver.to_owned(),
            integration: row.get(2)?,
            body: row.get(3)?,
            attempt: row.get::<_, u32>(4)?.saturating_add(1),
        })
    })?;
    found.collect()
}

/// Records an attempt and what follows from it.
///
/// An attempt that ended after its lease may come second: it is kept under the next free number,
/// and a delivery that has ended stays ended.
pub(super) fn record_attempt(tx: &Connection, attempt: &Attempt) -> Result<(), StoreError> {
    const FIND: &str = "SELECT state, attempts FROM delivery WHERE id = :id";
    const UPDATE: &str = "
        UPDATE delivery SET attempts = :number, lease_until_ms = NULL, state = :state,
            due_at_ms = coalesce(:due, due_at_ms), ended_at_ms = :ended
        WHERE id = :id";
    const COUNT: &str = "UPDATE delivery SET attempts = :number WHERE id = :id";
    let id = attempt.delivery.0;
    let mut find = tx.prepare_cached(FIND)?;
    let found: Option<(String, u32)> = find
        .query_row(named_params! {":id": id}, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((state, attempts)) = found else {
        return Ok(());
    };
    let number = attempt.number.max(attempts.saturating_add(1));
    insert_attempt(tx, attempt, number)?;
    if delivery_state(&state)? != DeliveryState::Pending {
        tx.prepare_cached(COUNT)?.execute(named_params! {":id": id, ":number": number})?;
        return Ok(());
    }
    let now = attempt.started_at.plus(attempt.duration);
    let (state, due) = match attempt.next {
        Next::Delivered => (DeliveryState::Delivered, None),
        Next::Failed => (DeliveryState::Failed, None),
        Next::RetryAfter(wait) => (DeliveryState::Pending, Some(now.plus(wait).0)),
    };
    let ended = (state != DeliveryState::Pending).then_some(now.0);
    tx.prepare_cached(UPDATE)?.execute(named_params! {
        ":id": id, ":number": number, ":state": state.as_str(), ":due": due, ":ended": ended,
    })?;
    if ended.is_some() { advance(tx, attempt.delivery, now) } else { Ok(()) }
}

fn insert_attempt(tx: &Connection, attempt: &Attempt, number: u32) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO attempt (delivery_id, number, started_at_ms, duration_ms, code, detail)
        VALUES (:id, :number, :started, :duration, :code, :detail)";
    let code = match attempt.result {
        AttemptResult::Answered { code, .. } => Some(code),
        AttemptResult::Unreachable => None,
    };
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": attempt.delivery.0,
        ":number": number,
        ":started": attempt.started_at.0,
        ":duration": millis(attempt.duration),
        ":code": code,
        ":detail": attempt.detail,
    })?;
    Ok(())
}

/// Makes the successor of a delivery that has ended due.
pub(super) const ADVANCE: &str = "
    UPDATE delivery SET due_at_ms = :now
    WHERE due_at_ms IS NULL AND id = (
        SELECT next.id FROM delivery AS next
        JOIN delivery AS ended ON ended.receiver = next.receiver
            AND ended.integration_id = next.integration_id
        WHERE ended.id = :ended AND next.state = 'pending'
        ORDER BY next.sequence LIMIT 1)";

fn advance(tx: &Connection, ended: DeliveryId, now: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(ADVANCE)?.execute(named_params! {":ended": ended.0, ":now": now.0})?;
    Ok(())
}
