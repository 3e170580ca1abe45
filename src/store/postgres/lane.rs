//! Lanes (partitioned queue): the pending deliveries of one receiver about one integration, sent in the order of their
//! events. Only the first pending one, the head, may be due; so a receiver that has been away for days costs a claim
//! no more than one that listens.
//!
//! A lane is locked before its deliveries are looked at: otherwise one transaction puts a delivery behind the head that
//! another one is about to end, and it is never due. Several lanes are locked in the order of their keys.

use super::StoreError;
use super::column::millis;
use super::planted::{self, Hazard};
use super::tx::{Tx, params};
use crate::domain::ledger::{Attempt, DeliveryState, DeliveryUpdate, Part, QueueChange};
use crate::domain::{AttemptResult, DeliveryId, Format, IntegrationId, Timestamp};

/// Lane of what is about no integration.
const NONE: i64 = 0;

fn key(integration: Option<IntegrationId>) -> i64 {
    integration.map_or(NONE, |id| id.0)
}

/// Locks the lanes of deliveries, in the order of their keys.
pub(super) async fn lock_of(tx: &Tx, deliveries: &[i64]) -> Result<(), StoreError> {
    const SQL: &str = "
        SELECT 1 FROM revalidated.lane
        WHERE (receiver, integration_id) IN (
            SELECT delivery.receiver, COALESCE(delivery.integration_id, 0)
            FROM revalidated.delivery WHERE delivery.id = ANY($1))
        ORDER BY receiver, integration_id FOR NO KEY UPDATE";
    tx.rows(SQL, params![deliveries => INT8_ARRAY]).await?;
    Ok(())
}

/// Locks all lanes of a receiver, in the order of their keys.
pub(super) async fn lock_all(tx: &Tx, receiver: &str) -> Result<(), StoreError> {
    const SQL: &str = "
        SELECT 1 FROM revalidated.lane WHERE receiver = $1
        ORDER BY integration_id FOR NO KEY UPDATE";
    tx.rows(SQL, params![receiver => TEXT]).await?;
    Ok(())
}

/// Locks lanes that are given in the order of their keys; those are made which there are not.
pub(super) async fn lock_sorted(tx: &Tx, lanes: &[(&str, i64)]) -> Result<(), StoreError> {
    const INSERT: &str = "
        INSERT INTO revalidated.lane (receiver, integration_id)
        SELECT receiver, integration_id FROM unnest($1, $2) AS asked (receiver, integration_id)
        ON CONFLICT DO NOTHING";
    const LOCK: &str = "
        SELECT 1 FROM revalidated.lane
        WHERE (receiver, integration_id) IN (SELECT * FROM unnest($1, $2))
        ORDER BY receiver, integration_id FOR NO KEY UPDATE";
    let (receivers, integrations): (Vec<&str>, Vec<i64>) = lanes.iter().copied().unzip();
    let lanes = params![receivers => TEXT_ARRAY, integrations => INT8_ARRAY];
    if tx.rows(LOCK, lanes).await?.len() < receivers.len() {
        tx.execute(INSERT, lanes).await?;
        tx.rows(LOCK, lanes).await?;
    }
    Ok(())
}

/// Locks one lane, which is made when there is none.
async fn lock(tx: &Tx, receiver: &str, integration: i64) -> Result<(), StoreError> {
    const LOCK: &str = "
        SELECT 1 FROM revalidated.lane WHERE receiver = $1 AND integration_id = $2
        FOR NO KEY UPDATE";
    const INSERT: &str = "
        INSERT INTO revalidated.lane (receiver, integration_id) VALUES ($1, $2)
        ON CONFLICT DO NOTHING";
    let lane = params![receiver => TEXT, integration => INT8];
    if planted::is(Hazard::Lane) {
        return tx.execute(INSERT, lane).await.map(drop);
    }
    if tx.row(LOCK, lane).await?.is_none() && tx.execute(INSERT, lane).await? == 0 {
        tx.row(LOCK, lane).await?;
    }
    Ok(())
}

/// Applies a change to a queue.
pub(super) async fn change(tx: &Tx, change: &QueueChange) -> Result<(), StoreError> {
    match change {
        QueueChange::Enqueue { event, receiver, integration, at, part } => {
            let place = Place { event, receiver, integration: *integration };
            insert(tx, place, part.as_deref(), Some(*at)).await
        }
        QueueChange::Insert { event, receiver, integration, part } => {
            let place = Place { event, receiver, integration: *integration };
            insert(tx, place, part.as_deref(), None).await
        }
        QueueChange::Requeue(id) => requeue(tx, *id).await,
        QueueChange::Expire { id, at } => expire(tx, *id, *at).await,
        QueueChange::RequeueHead { receiver, integration, at } => {
            requeue_head(tx, receiver, *integration, *at).await
        }
        QueueChange::Advance { ended, at } => advance(tx, *ended, *at).await,
        QueueChange::ProbeNow { receiver, at } => probe_now(tx, receiver, *at).await,
        QueueChange::Refresh { receiver, at } => refresh(tx, receiver, *at).await,
    }
}

/// Event and lane of a delivery.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    event: &'a str,
    receiver: &'a str,
    integration: Option<IntegrationId>,
}

/// Adds a delivery; given an instant, it is due then if it is the only one of its lane. One of an earlier event waits
/// for its place.
async fn insert(
    tx: &Tx,
    place: Place<'_>,
    part: Option<&Part>,
    due_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    const SQL: &str = "
        WITH added AS (
            INSERT INTO revalidated.delivery
                (event_id, receiver, integration_id, number, state, incident_id, began_id, format, ends)
            SELECT event.id, $2, $3, event.number, 'pending', $5, $6, $7, $8
            FROM revalidated.event WHERE event.id = $1
            ON CONFLICT (event_id, receiver) DO NOTHING
            RETURNING id)
        UPDATE revalidated.lane SET head_id = added.id, due_at_ms = $9 FROM added
        WHERE lane.receiver = $2 AND lane.integration_id = $4 AND head_id IS NULL
          AND $9 IS NOT NULL";
    let Place { event, receiver, integration } = place;
    let lane = key(integration);
    lock(tx, receiver, lane).await?;
    let (incident, began) =
        (part.map(|part| &part.incident), part.and_then(|part| part.began.as_ref()));
    let format = part.and_then(|part| part.format).map(Format::as_str);
    let params = params![
        event => TEXT, receiver => TEXT, integration.map(|id| id.0) => INT8, lane => INT8,
        incident => TEXT, began => TEXT, format => TEXT, part.is_some_and(|part| part.ends) => BOOL,
        due_at.map(|at| at.0) => INT8,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Queues a delivery that has ended again; the attempts until now are earlier ones. Its lane gets its head afterwards.
async fn requeue(tx: &Tx, id: DeliveryId) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.delivery
        SET state = 'pending', ended_at_ms = NULL, earlier = attempts, tried_awake_ms = NULL
        WHERE id = $1 AND state <> 'pending'";
    tx.execute(SQL, params![id.0 => INT8]).await?;
    Ok(())
}

/// Ends a delivery without an attempt. Its lane gets its head afterwards.
async fn expire(tx: &Tx, id: DeliveryId, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str =
        "UPDATE revalidated.delivery SET state = 'failed', ended_at_ms = $2 WHERE id = $1";
    tx.execute(SQL, params![id.0 => INT8, at.0 => INT8]).await?;
    Ok(())
}

/// Makes the first pending delivery of a lane its head, due now; nothing behind it is being sent any more.
async fn requeue_head(
    tx: &Tx,
    receiver: &str,
    integration: Option<IntegrationId>,
    at: Timestamp,
) -> Result<(), StoreError> {
    const DUE: &str = "
        UPDATE revalidated.lane SET due_at_ms = $3
        WHERE receiver = $1 AND integration_id = $2 AND due_at_ms > $3";
    let lane = key(integration);
    lock(tx, receiver, lane).await?;
    set_head(tx, receiver, lane, at).await?;
    tx.execute(DUE, params![receiver => TEXT, lane => INT8, at.0 => INT8]).await?;
    Ok(())
}

/// Makes the first pending delivery of a lane its head, due at an instant, unless it is the head already.
async fn set_head(tx: &Tx, receiver: &str, lane: i64, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.lane
        SET head_id = first.id, due_at_ms = CASE WHEN first.id IS NOT NULL THEN $3 END,
            lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL
        FROM (SELECT (SELECT id FROM revalidated.delivery
                      WHERE receiver = $1 AND COALESCE(integration_id, 0) = $2 AND state = 'pending'
                      ORDER BY number LIMIT 1) AS id) AS first
        WHERE receiver = $1 AND integration_id = $2 AND head_id IS DISTINCT FROM first.id";
    tx.execute(SQL, params![receiver => TEXT, lane => INT8, at.0 => INT8]).await?;
    Ok(())
}

/// Makes the successor of a delivery that has ended the head of their lane, which is locked already.
async fn advance(tx: &Tx, ended: DeliveryId, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.lane
        SET head_id = first.id, due_at_ms = CASE WHEN first.id IS NOT NULL THEN $2 END,
            lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL
        FROM (SELECT ended.receiver, COALESCE(ended.integration_id, 0) AS integration_id,
                     (SELECT next.id FROM revalidated.delivery AS next
                      WHERE next.receiver = ended.receiver AND next.state = 'pending'
                        AND COALESCE(next.integration_id, 0) = COALESCE(ended.integration_id, 0)
                      ORDER BY next.number LIMIT 1) AS id
              FROM revalidated.delivery AS ended WHERE ended.id = $1) AS first
        WHERE lane.receiver = first.receiver AND lane.integration_id = first.integration_id
          AND head_id IS DISTINCT FROM first.id";
    tx.execute(SQL, params![ended.0 => INT8, at.0 => INT8]).await?;
    Ok(())
}

/// Makes the next probe of a receiver due now.
async fn probe_now(tx: &Tx, receiver: &str, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str =
        "UPDATE revalidated.receiver SET probe_at_ms = $2 WHERE name = $1 AND probe_at_ms > $2";
    tx.execute(SQL, params![receiver => TEXT, at.0 => INT8]).await?;
    Ok(())
}

/// Gives every pending delivery of a receiver new attempts, and makes the heads due at once.
async fn refresh(tx: &Tx, receiver: &str, at: Timestamp) -> Result<(), StoreError> {
    const DELIVERIES: &str = "
        UPDATE revalidated.delivery SET earlier = attempts, tried_awake_ms = NULL
        WHERE state = 'pending' AND receiver = $1";
    const LANES: &str =
        "UPDATE revalidated.lane SET due_at_ms = $2 WHERE receiver = $1 AND due_at_ms > $2";
    lock_all(tx, receiver).await?;
    tx.execute(DELIVERIES, params![receiver => TEXT]).await?;
    tx.execute(LANES, params![receiver => TEXT, at.0 => INT8]).await?;
    Ok(())
}

/// Writes back a delivery after an attempt, in a lane that is locked already. It may have to wait for an earlier one
/// that was queued again while it was sent: then it is not the head, and the lane is left alone.
pub(super) async fn save(tx: &Tx, update: &DeliveryUpdate) -> Result<(), StoreError> {
    const COUNT: &str = "UPDATE revalidated.delivery SET attempts = $2 WHERE id = $1";
    const PROCEED: &str = "
        UPDATE revalidated.delivery
        SET attempts = $2, earlier = $3, tried_awake_ms = COALESCE(tried_awake_ms, $4), state = $5,
            ended_at_ms = $6
        WHERE id = $1";
    let (id, attempts) = (update.id.0, i64::from(update.attempts));
    let Some((state, due)) = update.outcome else {
        tx.execute(COUNT, params![id => INT8, attempts => INT8]).await?;
        return Ok(());
    };
    let params = params![
        id => INT8, attempts => INT8, i64::from(update.earlier) => INT8,
        millis(update.awake) => INT8, DeliveryState::as_str(state) => TEXT,
        state.has_ended().then_some(update.at.0) => INT8,
    ];
    tx.execute(PROCEED, params).await?;
    free(tx, id, due).await
}

/// Ends the lease of a lane, if a delivery is its head, which is due again at an instant, if one is given.
async fn free(tx: &Tx, head: i64, due_at: Option<Timestamp>) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.lane
        SET due_at_ms = COALESCE($2, due_at_ms), lease_owner = NULL, lease_token = NULL,
            lease_until_ms = NULL
        FROM revalidated.delivery
        WHERE delivery.id = $1 AND lane.receiver = delivery.receiver
          AND lane.integration_id = COALESCE(delivery.integration_id, 0) AND head_id = $1";
    tx.execute(SQL, params![head => INT8, due_at.map(|at| at.0) => INT8]).await?;
    Ok(())
}

/// Adds an attempt under a number; those go of which there are too many later ones, and their numbers go on.
pub(super) async fn insert_attempt(
    tx: &Tx,
    attempt: &Attempt,
    number: u32,
) -> Result<(), StoreError> {
    const INSERT: &str = "
        INSERT INTO revalidated.attempt
            (delivery_id, number, token, started_at_ms, duration_ms, code, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    const DROP_EARLIER: &str =
        "DELETE FROM revalidated.attempt WHERE delivery_id = $1 AND number <= $2";
    let code = match attempt.result {
        AttemptResult::Answered { code, .. } => Some(i32::from(code)),
        AttemptResult::Unreachable | AttemptResult::Unsendable => None,
    };
    let id = attempt.delivery.0;
    let params = params![
        id => INT8, i64::from(number) => INT8, attempt.token => INT8, attempt.started_at.0 => INT8,
        millis(attempt.duration) => INT8, code => INT4, attempt.detail => TEXT,
    ];
    tx.execute(INSERT, params).await?;
    let last = i64::from(number.saturating_sub(attempt.kept_max));
    if 0 < last {
        tx.execute(DROP_EARLIER, params![id => INT8, last => INT8]).await?;
    }
    Ok(())
}

/// Makes deliveries due now that were sent, or made due, at an instant in the future; returns their number.
pub(super) async fn send_what_lies_ahead(tx: &Tx, now: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "
        UPDATE revalidated.lane SET due_at_ms = $1
        FROM revalidated.delivery
        WHERE delivery.id = head_id AND due_at_ms > $1
          AND (attempts = 0 OR EXISTS (SELECT 1 FROM revalidated.attempt
                                       WHERE delivery_id = delivery.id AND started_at_ms > $1))";
    tx.execute(SQL, params![now.0 => INT8]).await
}
