//! Owing anew what was delivered or given up, and giving up what nobody fetches.
//!
//! Whatever becomes owed or ends out of turn, the first delivery of an integration is due and no
//! other.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, named_params};

use super::column::delivery_state;
use super::delivery::advance;
use super::row::Row;
use super::{DeliveryState, NotificationContext, Redelivered, Replayed, StoreError};
use crate::domain::{DeliveryId, EventType, IntegrationId, Subscription, Timestamp};

/// The most events that one replay takes: its transaction holds up the daemon.
pub(super) const REPLAY_MAX: usize = 20_000;

/// Of what a receiver is owed about one integration, the rest waits for the first.
pub(super) const HOLD_BACK: &str = "
    UPDATE delivery SET due_at_ms = NULL, lease_owner = NULL, lease_token = NULL,
        lease_until_ms = NULL
    WHERE state = 'pending' AND receiver = :receiver AND integration_id IS :integration
      AND due_at_ms IS NOT NULL
      AND sequence > (SELECT min(sequence) FROM delivery
                      WHERE state = 'pending' AND receiver = :receiver
                        AND integration_id IS :integration)";

/// The first of what a receiver is owed about one integration is due.
pub(super) const FIRST: &str = "
    UPDATE delivery SET due_at_ms = :now
    WHERE due_at_ms IS NULL AND id = (
        SELECT id FROM delivery
        WHERE state = 'pending' AND receiver = :receiver AND integration_id IS :integration
        ORDER BY sequence LIMIT 1)";

fn settle(
    tx: &Connection,
    receiver: &str,
    integration: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let params = named_params! {":receiver": receiver, ":integration": integration};
    tx.prepare_cached(HOLD_BACK)?.execute(params)?;
    tx.prepare_cached(FIRST)?.execute(named_params! {
        ":receiver": receiver, ":integration": integration, ":now": now.0,
    })?;
    Ok(())
}

/// Owes a delivery that has ended anew, with as many attempts as the first time.
fn owe_again(tx: &Connection, id: DeliveryId) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE delivery SET state = 'pending', ended_at_ms = NULL, due_at_ms = NULL,
            lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL, earlier = attempts
        WHERE id = :id AND state <> 'pending'";
    tx.prepare_cached(SQL)?.execute(named_params! {":id": id.0})?;
    Ok(())
}

/// Owes these deliveries anew under their events' ids, all or none of them.
pub(super) fn redeliver(
    tx: &Connection,
    ids: &[DeliveryId],
    now: Timestamp,
) -> Result<Redelivered, StoreError> {
    const SQL: &str = "SELECT receiver, integration_id, state FROM delivery WHERE id = :id";
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for id in ids {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let row: Option<(String, Option<i64>, String)> =
            tx.prepare_cached(SQL)?.query_row(named_params! {":id": id.0}, read).optional()?;
        match row {
            Some((receiver, integration, state)) => {
                found.push((*id, receiver, integration, delivery_state(&state)?));
            }
            None => unknown.push(*id),
        }
    }
    if !unknown.is_empty() {
        return Ok(Redelivered::Unknown(unknown));
    }
    for (id, ..) in &found {
        owe_again(tx, *id)?;
    }
    for (_, receiver, integration, _) in &found {
        settle(tx, receiver, *integration, now)?;
    }
    let owed = found.into_iter().map(|(id, receiver, _, state)| (id, receiver, state));
    Ok(Redelivered::Owed(owed.collect()))
}

/// An event that may be replayed.
struct Past {
    event: String,
    integration: Option<i64>,
    sequence: i64,
    at: Timestamp,
    delivery: Option<(DeliveryId, DeliveryState)>,
}

/// Owes the events from `since` to before `until` that the receiver wants to it anew; without
/// `now`, only says what that would be.
pub(super) fn replay(
    tx: &Connection,
    wanting: &Subscription,
    (since, until): (Timestamp, Option<Timestamp>),
    now: Option<Timestamp>,
) -> Result<Replayed, StoreError> {
    let past = past(tx, wanting, since, until)?;
    let is_owed =
        |one: &&Past| one.delivery.is_some_and(|(_, state)| state == DeliveryState::Pending);
    let fresh: Vec<_> = past.iter().filter(|one| !is_owed(one)).collect();
    let integrations: BTreeSet<_> = fresh.iter().map(|one| one.integration).collect();
    let first = fresh.iter().map(|one| one.at).min();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let replayed = Replayed {
        events: count(fresh.len()),
        integrations: count(integrations.iter().flatten().count()),
        already_owed: count(past.len().saturating_sub(fresh.len())),
        span: first.zip(fresh.iter().map(|one| one.at).max()),
        is_too_much: REPLAY_MAX < past.len(),
    };
    let Some(now) = now.filter(|_| !replayed.is_too_much) else {
        return Ok(replayed);
    };
    for one in fresh {
        match one.delivery {
            Some((id, _)) => owe_again(tx, id)?,
            None => owe_first(tx, one, &wanting.receiver)?,
        }
    }
    for integration in integrations {
        settle(tx, &wanting.receiver, integration, now)?;
    }
    Ok(replayed)
}

fn owe_first(tx: &Connection, past: &Past, receiver: &str) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO delivery (event_id, receiver, integration_id, sequence, state)
        VALUES (:event, :receiver, :integration, :sequence, 'pending')
        ON CONFLICT (event_id, receiver) DO NOTHING";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":event": past.event,
        ":receiver": receiver,
        ":integration": past.integration,
        ":sequence": past.sequence,
    })?;
    Ok(())
}

/// The latest failure of an integration.
pub(super) const UNSAID: &str = "
    SELECT id, sequence, created_at_ms FROM event
    WHERE integration_id = :id AND type = 'integration.validation.failed'
    ORDER BY sequence DESC LIMIT 1";

/// Owes the latest failure of an integration to those who were not told of it, since the outage that
/// it belonged to is over and it still fails.
pub(super) fn owe_unsaid(
    tx: &Connection,
    id: IntegrationId,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    let Some(row) = Row::load(tx, id)? else { return Ok(()) };
    let read = |found: &rusqlite::Row<'_>| {
        Ok(Past {
            event: found.get("id")?,
            integration: Some(id.0),
            sequence: found.get("sequence")?,
            at: Timestamp(found.get("created_at_ms")?),
            delivery: None,
        })
    };
    let params = named_params! {":id": id.0};
    let Some(past) = tx.prepare_cached(UNSAID)?.query_row(params, read).optional()? else {
        return Ok(());
    };
    let integration = row.reference()?;
    let about = integration.about();
    let wanting = tell.subscriptions.iter();
    for one in wanting.filter(|one| one.wants(EventType::ValidationFailed, about)) {
        owe_first(tx, &past, &one.receiver)?;
        settle(tx, &one.receiver, Some(id.0), tell.now)?;
    }
    Ok(())
}

/// The events of a time that a receiver wants; one more than a replay takes when there are more.
fn past(
    tx: &Connection,
    wanting: &Subscription,
    since: Timestamp,
    until: Option<Timestamp>,
) -> Result<Vec<Past>, StoreError> {
    const SQL: &str = "
        SELECT event.id, event.integration_id, event.sequence, event.created_at_ms,
               delivery.id AS delivery, delivery.state, event.body
        FROM event
        LEFT JOIN delivery ON delivery.event_id = event.id AND delivery.receiver = :receiver
        WHERE :since <= event.created_at_ms AND (:until IS NULL OR event.created_at_ms < :until)
        ORDER BY event.number";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query(named_params! {
        ":receiver": wanting.receiver, ":since": since.0, ":until": until.map(|at| at.0),
    })?;
    let mut past = Vec::new();
    while let Some(row) = rows.next()? {
        if !wants(wanting, &row.get::<_, String>("body")?)? {
            continue;
        }
        let delivery: Option<i64> = row.get("delivery")?;
        let state: Option<String> = row.get("state")?;
        let state = state.as_deref().map(delivery_state).transpose()?;
        past.push(Past {
            event: row.get("id")?,
            integration: row.get("integration_id")?,
            sequence: row.get("sequence")?,
            at: Timestamp(row.get("created_at_ms")?),
            delivery: delivery.map(DeliveryId).zip(state),
        });
        if REPLAY_MAX < past.len() {
            break;
        }
    }
    Ok(past)
}

fn wants(wanting: &Subscription, body: &str) -> Result<bool, StoreError> {
    let document = |source| StoreError::Document { table: "event", source };
    Ok(wanting.wants_again(&serde_json::from_str(body).map_err(document)?))
}

/// What a receiver should have been sent long ago: only the first of each integration, since what
/// ends must end in order.
pub(super) const UNFETCHED: &str = "
    SELECT delivery.id FROM delivery JOIN event ON event.id = delivery.event_id
    WHERE delivery.receiver = :receiver AND delivery.state = 'pending'
      AND delivery.due_at_ms IS NOT NULL AND event.created_at_ms < :before
    LIMIT :batch";

/// Gives up what has waited since before `before` for a receiver that is sent nothing; at most about
/// `batch` deliveries.
pub(super) fn give_up(
    tx: &Connection,
    before: Timestamp,
    batch: u32,
    now: Timestamp,
) -> Result<usize, StoreError> {
    const IDLE: &str = "
        SELECT name FROM receiver WHERE disabled_at_ms IS NOT NULL OR configured = 0";
    const END: &str = "
        UPDATE delivery SET state = 'failed', ended_at_ms = :now, lease_owner = NULL,
            lease_token = NULL, lease_until_ms = NULL
        WHERE id = :id";
    let most = usize::try_from(batch).unwrap_or(usize::MAX);
    let mut given_up = 0;
    let mut idle = tx.prepare_cached(IDLE)?;
    let idle: Vec<String> = idle.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for receiver in idle {
        while given_up < most {
            let ids = unfetched(tx, &receiver, before, batch)?;
            if ids.is_empty() {
                break;
            }
            for id in &ids {
                tx.prepare_cached(END)?.execute(named_params! {":id": id, ":now": now.0})?;
                advance(tx, DeliveryId(*id), now)?;
            }
            given_up += ids.len();
        }
    }
    Ok(given_up)
}

fn unfetched(
    tx: &Connection,
    receiver: &str,
    before: Timestamp,
    batch: u32,
) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx.prepare_cached(UNFETCHED)?;
    let params = named_params! {":receiver": receiver, ":before": before.0, ":batch": batch};
    let ids = statement.query_map(params, |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}
