//! Transactional outbox: claims of deliveries, results of attempts, redelivery and replay.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, named_params};

use super::super::random;
use super::asked::Asked;
use super::checksum::{lease_moved, sound};
use super::column::{delivery_state, duration_or_none, parse};
use super::known::{self, part_columns};
use super::{
    Attempt, Disabled, NotificationContext, PendingDelivery, Redelivered, Replayed, Span,
    StoreError, health, queue,
};
use crate::domain::ledger::{self, DeliveryRecord, Overdue, PastEvent, Queue, Redelivery};
use crate::domain::{DeliveryId, Event, IntegrationId, Subscription, Timestamp};
use crate::store::outbox::incident_of;

/// The most events that one replay takes: the daemon waits for its transaction.
pub(super) const REPLAY_MAX: usize = 20_000;

/// Leases of what is claimed together; each gets a token of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    /// Incarnation of the node that they belong to.
    pub(super) owner: i64,
    /// First instant at which others may claim the same.
    pub(super) until: Timestamp,
}

/// Columns and tables of a claim.
macro_rules! claimed {
    () => {
        concat!(
            "SELECT delivery.id, delivery.event_id, integration.name, event.body,
             delivery.attempts - delivery.earlier, began.body, delivery.format,
             delivery.incident_id, delivery.tried_awake_ms, ",
            sound!(delivery "delivery"),
            ", ",
            sound!(event "event"),
            ", ",
            sound!(event "began"),
            " FROM delivery
         JOIN event ON event.id = delivery.event_id
         LEFT JOIN event AS began ON began.id = delivery.began_id
         LEFT JOIN integration ON integration.id = delivery.integration_id
         WHERE delivery.state = 'pending' AND delivery.receiver = :receiver "
        )
    };
}

/// Deliveries that one receiver may be sent now, longest due first; none while it is disabled.
pub(super) const CLAIM: &str = concat!(
    claimed!(),
    "AND delivery.due_at_ms <= :now
      AND NOT EXISTS (SELECT 1 FROM receiver
                      WHERE name = :receiver AND disabled_at_ms IS NOT NULL)
      AND (delivery.lease_until_ms IS NULL OR delivery.lease_until_ms <= :now)
    ORDER BY delivery.due_at_ms, delivery.id LIMIT :permits"
);

/// The delivery that probes a receiver which does not answer: its oldest one, and none while another is
/// being sent.
pub(super) const PROBE: &str = concat!(
    claimed!(),
    "AND delivery.due_at_ms IS NOT NULL AND 0 < :permits
      AND EXISTS (SELECT 1 FROM receiver
                  WHERE name = :receiver AND disabled_at_ms IS NULL AND probe_at_ms <= :now)
      AND NOT EXISTS (SELECT 1 FROM delivery AS other
                      WHERE other.receiver = :receiver AND other.lease_until_ms > :now)
    ORDER BY delivery.due_at_ms, delivery.id LIMIT 1"
);

/// Leases what may be sent now: at most `permits[receiver]` per receiver, others are left alone.
pub(super) fn claim(
    tx: &Connection,
    permits: &BTreeMap<String, u32>,
    lease: Claim,
    now: Timestamp,
) -> Result<Vec<PendingDelivery>, StoreError> {
    const LEASE: &str = concat!(
        "UPDATE delivery SET lease_owner = :owner, lease_token = :token, lease_until_ms = :until, ",
        lease_moved!(1, ":owner, :token, :until"),
        " WHERE id = :id"
    );
    let mut claimed = Vec::new();
    for (receiver, permits) in permits.iter().filter(|(_, permits)| 0 < **permits) {
        claimed.extend(sendable(tx, receiver, *permits, now)?);
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
    permits: u32,
    now: Timestamp,
) -> Result<Vec<PendingDelivery>, StoreError> {
    let sql = if queue::is_probed(tx, receiver)? { PROBE } else { CLAIM };
    let mut statement = tx.prepare_cached(sql)?;
    let params = named_params! {":receiver": receiver, ":now": now.0, ":permits": permits};
    let found = statement.query_and_then(params, |row| {
        Ok(PendingDelivery {
            id: DeliveryId(row.get(0)?),
            event_id: row.get(1)?,
            receiver: receiver.to_owned(),
            integration: row.get(2)?,
            body: row.get(3)?,
            attempt: row.get::<_, u32>(4)?.saturating_add(1),
            tried_awake: duration_or_none(row, "tried_awake_ms")?,
            token: random::number()?,
            began: row.get(5)?,
            format: row
                .get::<_, Option<String>>(6)?
                .map(|name| parse("delivery", &name))
                .transpose()?,
            incident: row.get(7)?,
        })
    })?;
    found.collect()
}

/// A delivery with the health of its receiver.
pub(super) const FIND: &str = concat!(
    "SELECT ",
    part_columns!(),
    ", state, attempts, lease_token, delivery.receiver AS name, disabled_at_ms, reason,
           failing_since_ms, last_success_at_ms, failing_awake_ms, probe_failures, probe_awake_ms,
           probe_at_ms, earlier, ",
    sound!(delivery "delivery"),
    " FROM delivery LEFT JOIN receiver ON receiver.name = delivery.receiver
    WHERE delivery.id = :id"
);

/// Records an attempt and what follows from it, for the delivery and for its receiver.
pub(super) fn record_attempt(
    tx: &Connection,
    attempt: &Attempt,
    context: &NotificationContext,
) -> Result<Option<Disabled>, StoreError> {
    let mut find = tx.prepare_cached(FIND)?;
    let mut rows = find.query(named_params! {":id": attempt.delivery.0})?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let delivery = DeliveryRecord {
        state: delivery_state(&row.get::<_, String>("state")?)?,
        attempts: row.get("attempts")?,
        earlier: row.get("earlier")?,
        token: row.get("lease_token")?,
        receiver: health::read(row)?,
        part: known::part(row)?,
    };
    drop(rows);
    let asked = Asked { now: context.now, ..Asked::default() };
    asked.decide(tx, |case| ledger::record_attempt(case, &delivery, attempt, context))
}

/// Queues these deliveries again under their events' ids, all or none of them.
pub(super) fn redeliver(
    tx: &Connection,
    ids: &[DeliveryId],
    now: Timestamp,
) -> Result<Redelivered, StoreError> {
    const SQL: &str = concat!(
        "SELECT receiver, integration_id, state, iif(ends, NULL, incident_id), ",
        sound!(delivery "delivery"),
        " FROM delivery WHERE id = :id"
    );
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for id in ids {
        let read = |row: &SqlRow<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let row: Option<(String, Option<i64>, String, Option<String>)> =
            tx.prepare_cached(SQL)?.query_row(named_params! {":id": id.0}, read).optional()?;
        match row {
            Some((receiver, integration, state, incident)) => {
                let queue = Queue { receiver, integration: integration.map(IntegrationId) };
                found.push(Redelivery { id: *id, queue, state: delivery_state(&state)?, incident });
            }
            None => unknown.push(*id),
        }
    }
    if !unknown.is_empty() {
        return Ok(Redelivered::Unknown(unknown));
    }
    Asked::default().apply_all(tx, &ledger::redeliver(&found, now))?;
    let queued = found.into_iter().map(|one| (one.id, one.queue.receiver, one.state));
    Ok(Redelivered::Queued(queued.collect()))
}

/// Queues the events of `span` that the receiver wants for it again; without `now`, only returns what
/// that would be.
pub(super) fn replay(
    tx: &Connection,
    subscription: &Subscription,
    span: Span,
    now: Option<Timestamp>,
) -> Result<Replayed, StoreError> {
    let past = past(tx, subscription, span)?;
    let is_too_much = REPLAY_MAX < past.len();
    let replay = ledger::replay(subscription, past, now.unwrap_or_default());
    if now.is_some() && !is_too_much {
        Asked::default().apply_all(tx, &replay.effects)?;
    }
    Ok(Replayed::of(&replay, is_too_much))
}

/// Loads the events of `span` that a receiver wants; one more than a replay takes when there are more.
fn past(
    tx: &Connection,
    subscription: &Subscription,
    span: Span,
) -> Result<Vec<PastEvent>, StoreError> {
    const SQL: &str = concat!(
        "SELECT event.id, event.integration_id, event.created_at_ms,
               delivery.id AS delivery, delivery.state, event.body, integration.incident_id, ",
        sound!(event "event"),
        " FROM event
        LEFT JOIN integration ON integration.id = event.integration_id
        LEFT JOIN delivery ON delivery.event_id = event.id AND delivery.receiver = :receiver
        WHERE :since <= event.created_at_ms AND (:until IS NULL OR event.created_at_ms < :until)
        ORDER BY event.number"
    );
    let document = |source| StoreError::Document { table: "event", source };
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query(named_params! {
        ":receiver": subscription.receiver, ":since": span.since.0,
        ":until": span.until.map(|at| at.0),
    })?;
    let mut past = Vec::new();
    while let Some(row) = rows.next()? {
        let event: Event =
            serde_json::from_str(&row.get::<_, String>("body")?).map_err(document)?;
        if !subscription.wants_again(&event) {
            continue;
        }
        let delivery: Option<i64> = row.get("delivery")?;
        let state: Option<String> = row.get("state")?;
        let state = state.as_deref().map(delivery_state).transpose()?;
        past.push(PastEvent {
            id: row.get("id")?,
            integration: row.get::<_, Option<i64>>("integration_id")?.map(IntegrationId),
            at: Timestamp(row.get("created_at_ms")?),
            delivery: delivery.map(DeliveryId).zip(state),
            incident: incident_of(&event, row.get::<_, Option<String>>("incident_id")?.as_deref()),
        });
        if REPLAY_MAX < past.len() {
            break;
        }
    }
    Ok(past)
}

/// Deliveries that a receiver should have been sent long ago: only the head of each queue, since they
/// must end in order.
pub(super) const UNFETCHED: &str = concat!(
    "SELECT ",
    part_columns!(),
    ", delivery.id, ",
    sound!(delivery "delivery"),
    ", ",
    sound!(event "event"),
    " FROM delivery JOIN event ON event.id = delivery.event_id
    WHERE delivery.receiver = :receiver AND delivery.state = 'pending'
      AND delivery.due_at_ms IS NOT NULL AND event.created_at_ms < :before
    LIMIT :batch"
);

/// Ends deliveries of events before `before` to receivers that are sent nothing; at most about
/// `batch` deliveries.
pub(super) fn expire(
    tx: &Connection,
    before: Timestamp,
    batch: u32,
    now: Timestamp,
) -> Result<usize, StoreError> {
    const IDLE: &str = "
        SELECT name FROM receiver WHERE disabled_at_ms IS NOT NULL OR configured = 0";
    let most = usize::try_from(batch).unwrap_or(usize::MAX);
    let mut expired = 0;
    let mut idle = tx.prepare_cached(IDLE)?;
    let idle: Vec<String> = idle.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for receiver in idle {
        while expired < most {
            let heads = unfetched(tx, &receiver, before, batch)?;
            if heads.is_empty() {
                break;
            }
            Asked::default().apply_all(tx, &ledger::expire(&heads, now))?;
            expired += heads.len();
        }
    }
    Ok(expired)
}

fn unfetched(
    tx: &Connection,
    receiver: &str,
    before: Timestamp,
    batch: u32,
) -> Result<Vec<Overdue>, StoreError> {
    let mut statement = tx.prepare_cached(UNFETCHED)?;
    let params = named_params! {":receiver": receiver, ":before": before.0, ":batch": batch};
    let found = statement.query_and_then(params, |row| {
        let (id, receiver) = (DeliveryId(row.get("id")?), receiver.to_owned());
        Ok(Overdue { id, receiver, part: known::part(row)? })
    })?;
    found.collect()
}
