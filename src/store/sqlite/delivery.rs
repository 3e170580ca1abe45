//! The outbox: what may be sent now, and what became of it.
//!
//! Of the deliveries to one receiver about one integration only the first pending one has a due
//! instant; the others get theirs when it is their turn. So a receiver that has been away for
//! days costs a claim no more than one that listens.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, named_params};

use super::super::random;
use super::column::{delivery_state, millis};
use super::receiver::heard;
use super::{Attempt, DeliveryState, Disabled, NotificationContext, PendingDelivery, StoreError};
use crate::domain::{AttemptResult, DeliveryId, Next, Timestamp};

/// What one receiver may be sent now, longest due first; nothing while it is disabled.
pub(super) const CLAIM: &str = "
    SELECT delivery.id, delivery.event_id, integration.name, event.body,
           delivery.attempts - delivery.earlier
    FROM delivery
    JOIN event ON event.id = delivery.event_id
    LEFT JOIN integration ON integration.id = delivery.integration_id
    WHERE delivery.state = 'pending' AND delivery.receiver = :receiver
      AND delivery.due_at_ms <= :now
      AND NOT EXISTS (SELECT 1 FROM receiver
                      WHERE name = :receiver AND disabled_at_ms IS NOT NULL)
      AND (delivery.lease_until_ms IS NULL OR delivery.lease_until_ms <= :now)
    ORDER BY delivery.due_at_ms, delivery.id LIMIT :room";

/// Leases of what is claimed together; each gets a token of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    /// Incarnation of the node that holds them.
    pub(super) owner: i64,
    /// First instant at which others may claim the same.
    pub(super) until: Timestamp,
}

/// Leases what may be sent now: at most `room[receiver]` per receiver, others are left alone.
pub(super) fn claim(
    tx: &Connection,
    room: &BTreeMap<String, u32>,
    lease: Claim,
    now: Timestamp,
) -> Result<Vec<PendingDelivery>, StoreError> {
    const LEASE: &str = "
        UPDATE delivery SET lease_owner = :owner, lease_token = :token, lease_until_ms = :until
        WHERE id = :id";
    let mut claimed = Vec::new();
    for (receiver, room) in room.iter().filter(|(_, room)| 0 < **room) {
        claimed.extend(sendable(tx, receiver, *room, now)?);
    }
    let mut statement = tx.prepare_cached(LEASE)?;
    for delivery in &claimed {
        statement.execute(named_params! {
            ":id": delivery.id.0, ":owner": lease.owner, ":token": delivery.token,
            ":until": lease.until.0,
        })?;
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
            token: random::number()?,
        })
    })?;
    found.collect()
}

/// Records an attempt and what follows from it, for the delivery and for its receiver.
///
/// An attempt that ended after its lease may come second: it is kept under the next free number,
/// and a delivery that has ended stays ended.
pub(super) fn record_attempt(
    tx: &Connection,
    attempt: &Attempt,
    tell: &NotificationContext,
) -> Result<Option<Disabled>, StoreError> {
    const FIND: &str = "
        SELECT state, attempts, receiver, lease_token FROM delivery WHERE id = :id";
    const COUNT: &str = "UPDATE delivery SET attempts = :number WHERE id = :id";
    let id = attempt.delivery.0;
    let mut find = tx.prepare_cached(FIND)?;
    let read = |row: &SqlRow<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let found: Option<(String, u32, String, Option<i64>)> =
        find.query_row(named_params! {":id": id}, read).optional()?;
    let Some((state, attempts, receiver, token)) = found else {
        return Ok(None);
    };
    let number = attempts.saturating_add(1);
    insert_attempt(tx, attempt, number)?;
    // Under another lease it is being sent again: what follows is up to that attempt, but for a receipt.
    let is_overtaken = token.is_some_and(|token| token != attempt.token);
    let decides = !is_overtaken || attempt.next == Next::Delivered;
    if delivery_state(&state)? == DeliveryState::Pending && decides {
        proceed(tx, attempt, number)?;
    } else {
        tx.prepare_cached(COUNT)?.execute(named_params! {":id": id, ":number": number})?;
    }
    heard(tx, &receiver, attempt, tell)
}

/// What follows for a delivery that is owed. It may have to wait for an earlier one that became owed
/// anew while it was sent; then it is not due.
pub(super) const PROCEED: &str = "
    UPDATE delivery SET attempts = :number, lease_owner = NULL, lease_token = NULL,
        lease_until_ms = NULL, state = :state,
        due_at_ms = iif(:due IS NOT NULL AND EXISTS (
            SELECT 1 FROM delivery AS earlier
            WHERE earlier.state = 'pending' AND earlier.receiver = delivery.receiver
              AND earlier.integration_id IS delivery.integration_id
              AND earlier.sequence < delivery.sequence), NULL, coalesce(:due, due_at_ms)),
        ended_at_ms = :ended
    WHERE id = :id";

fn proceed(tx: &Connection, attempt: &Attempt, number: u32) -> Result<(), StoreError> {
    let now = attempt.started_at.plus(attempt.duration);
    let (state, due) = match attempt.next {
        Next::Delivered => (DeliveryState::Delivered, None),
        Next::Failed => (DeliveryState::Failed, None),
        Next::RetryAfter(wait) => (DeliveryState::Pending, Some(now.plus(wait).0)),
        // It waits with everything else until somebody enables the receiver.
        Next::Gone => (DeliveryState::Pending, Some(now.0)),
    };
    let ended = state.has_ended().then_some(now.0);
    tx.prepare_cached(PROCEED)?.execute(named_params! {
        ":id": attempt.delivery.0, ":number": number, ":state": state.as_str(), ":due": due,
        ":ended": ended,
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
    let last = number.saturating_sub(attempt.kept_max);
    let params = named_params! {":id": attempt.delivery.0, ":last": last};
    tx.prepare_cached(DROP_EARLIER)?.execute(params)?;
    Ok(())
}

/// Attempts go when there are too many later ones; their numbers go on.
pub(super) const DROP_EARLIER: &str =
    "DELETE FROM attempt WHERE delivery_id = :id AND number <= :last";

/// Makes the successor of a delivery that has ended due.
pub(super) const ADVANCE: &str = "
    UPDATE delivery SET due_at_ms = :now
    WHERE due_at_ms IS NULL AND id = (
        SELECT next.id FROM delivery AS next
        JOIN delivery AS ended ON ended.receiver = next.receiver
            AND ended.integration_id IS next.integration_id
        WHERE ended.id = :ended AND next.state = 'pending'
        ORDER BY next.sequence LIMIT 1)";

/// Makes what waited for a delivery that has ended due.
pub(super) fn advance(
    tx: &Connection,
    ended: DeliveryId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(ADVANCE)?.execute(named_params! {":ended": ended.0, ":now": now.0})?;
    Ok(())
}
