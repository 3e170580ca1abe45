//! Transactional outbox: claims of deliveries, results of attempts, redelivery and replay.
//!
//! Each transaction locks the lanes that it is about to change before it looks at their deliveries, in the order of
//! their keys; a claim passes over lanes that are locked.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::asked::Asked;
use super::column::{count, delivery_state, duration_or_none, parse};
use super::known::{self, part_columns};
use super::lane;
use super::tx::{Reads, Tx, get, params};
use super::{
    Attempt, Capacity, Disabled, NotificationContext, PendingDelivery, Redelivered, Replayed, Span,
    StoreError, gate, health,
};
use crate::domain::ledger::{self, DeliveryRecord, Overdue, PastEvent, Queue, Redelivery};
use crate::domain::{DeliveryId, Event, IntegrationId, Subscription, Timestamp};
use crate::store::outbox::incident_of;
use crate::store::random;

/// The most events that one replay takes: its transaction locks what is sent meanwhile.
pub(super) const REPLAY_MAX: usize = 20_000;
/// Events that a replay reads at a time.
const REPLAY_PAGE: i64 = 1_000;

/// Leases of what is claimed together; each gets a token of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    /// Incarnation of the node that they belong to.
    pub(super) owner: i64,
    /// First instant at which others may claim the same.
    pub(super) until: Timestamp,
    /// Number of the configuration by which it is sent.
    pub(super) generation: i64,
}

/// Lanes of whose heads one receiver may be sent now, longest due first; none while it is disabled.
pub(super) const CLAIM: &str = "
    SELECT integration_id FROM revalidated.lane
    WHERE lane.receiver = $1 AND due_at_ms <= $2 AND (lease_until_ms IS NULL OR lease_until_ms <= $2)
      AND (resend_until_ms IS NULL OR resend_until_ms <= $2)
      AND NOT EXISTS (SELECT 1 FROM revalidated.receiver
                      WHERE name = $1 AND disabled_at_ms IS NOT NULL)
    ORDER BY due_at_ms, head_id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED";

/// The lane of which the head probes a receiver that does not answer: its oldest one, and none while another is
/// being sent.
pub(super) const PROBE: &str = "
    SELECT integration_id FROM revalidated.lane
    WHERE lane.receiver = $1 AND due_at_ms IS NOT NULL AND 0 < $3
      AND (resend_until_ms IS NULL OR resend_until_ms <= $2)
      AND EXISTS (SELECT 1 FROM revalidated.receiver
                  WHERE name = $1 AND disabled_at_ms IS NULL AND probe_at_ms <= $2)
      AND NOT EXISTS (SELECT 1 FROM revalidated.lane AS other
                      WHERE other.receiver = $1 AND other.lease_until_ms > $2)
    ORDER BY due_at_ms, head_id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED";

/// Leases lanes that are locked; returns their heads.
const LEASE: &str = "
    WITH claimed AS (
        UPDATE revalidated.lane SET lease_owner = $1, lease_token = asked.token, lease_until_ms = $2
        FROM unnest($3, $4, $5) AS asked (receiver, integration_id, token)
        WHERE lane.receiver = asked.receiver AND lane.integration_id = asked.integration_id
        RETURNING lane.receiver, head_id, due_at_ms, lease_token)
    SELECT delivery.id, delivery.event_id, claimed.receiver, integration.name, event.body,
           delivery.attempts - delivery.earlier AS attempts, began.body AS began, delivery.format,
           delivery.incident_id, delivery.tried_awake_ms, lease_token
    FROM claimed
    JOIN revalidated.delivery ON delivery.id = head_id
    JOIN revalidated.event ON event.id = delivery.event_id
    LEFT JOIN revalidated.event AS began ON began.id = delivery.began_id
    LEFT JOIN revalidated.integration ON integration.id = delivery.integration_id
    ORDER BY claimed.receiver, due_at_ms, head_id";

/// Receivers with the number of messages that are being sent to them by all nodes, and whether one at a time probes them;
/// none while another configuration is in force than the one by which a node works.
pub(super) const STATES: &str = "
    SELECT asked.receiver, probe_at_ms IS NOT NULL AS is_probed,
           (SELECT count(*) FROM revalidated.lane
            WHERE lane.receiver = asked.receiver AND due_at_ms IS NOT NULL
              AND lease_until_ms > $2) AS in_flight
    FROM unnest($1) AS asked (receiver)
    LEFT JOIN revalidated.receiver ON receiver.name = asked.receiver
    WHERE EXISTS (SELECT 1 FROM revalidated.meta WHERE config_generation = $3)
    ORDER BY asked.receiver COLLATE \"C\"";

/// Leases what may be sent now: at most so much per receiver, others are left alone. Claims for a receiver wait for each
/// other, since they count what is being sent to it.
pub(super) async fn claim(
    tx: &Tx,
    capacity: &BTreeMap<String, Capacity>,
    lease: Claim,
    now: Timestamp,
) -> Result<Vec<PendingDelivery>, StoreError> {
    let asked = capacity.iter().filter(|(_, one)| 0 < one.free).map(|(name, _)| name.as_str());
    let asked: Vec<_> = asked.collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    gate::lock_receivers(tx, &asked).await?;
    let states = params![asked => TEXT_ARRAY, now.0 => INT8, lease.generation => INT8];
    let (mut receivers, mut integrations, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
    for state in tx.rows(STATES, states).await? {
        let receiver: String = get(&state, "receiver")?;
        let Some(capacity) = capacity.get(&receiver) else { continue };
        let is_probed: bool = get(&state, "is_probed")?;
        let left = i64::from(capacity.most).saturating_sub(get(&state, "in_flight")?);
        let room = left.min(i64::from(capacity.free));
        if room <= 0 {
            continue;
        }
        let sql = if is_probed { PROBE } else { CLAIM };
        let params = params![receiver => TEXT, now.0 => INT8, room => INT8];
        for row in tx.rows(sql, params).await? {
            receivers.push(receiver.clone());
            integrations.push(get::<i64>(&row, "integration_id")?);
            tokens.push(random::number()?);
        }
    }
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    let params = params![
        lease.owner => INT8, lease.until.0 => INT8, receivers => TEXT_ARRAY,
        integrations => INT8_ARRAY, tokens => INT8_ARRAY,
    ];
    tx.rows(LEASE, params).await?.iter().map(pending).collect()
}

fn pending(row: &Row) -> Result<PendingDelivery, StoreError> {
    let format: Option<&str> = get(row, "format")?;
    Ok(PendingDelivery {
        id: DeliveryId(get(row, "id")?),
        event_id: get(row, "event_id")?,
        receiver: get(row, "receiver")?,
        integration: get(row, "name")?,
        body: get(row, "body")?,
        attempt: count(row, "attempts")?.saturating_add(1),
        tried_awake: duration_or_none(row, "tried_awake_ms")?,
        token: get(row, "lease_token")?,
        began: get(row, "began")?,
        format: format.map(|name| parse("delivery", name)).transpose()?,
        incident: get(row, "incident_id")?,
    })
}

/// A delivery with the health of its receiver, and the lease under which it is being sent.
pub(super) const FIND: &str = concat!(
    "SELECT ",
    part_columns!(),
    ", state, attempts, lease_token, delivery.receiver AS name, disabled_at_ms, reason,
           failing_since_ms, last_success_at_ms, failing_awake_ms, probe_failures, probe_awake_ms,
           probe_at_ms, earlier
    FROM revalidated.delivery
    LEFT JOIN revalidated.lane ON lane.receiver = delivery.receiver
        AND lane.integration_id = COALESCE(delivery.integration_id, 0) AND head_id = delivery.id
    LEFT JOIN revalidated.receiver ON receiver.name = delivery.receiver
    WHERE delivery.id = $1"
);

/// Records an attempt and what follows from it, for the delivery and for its receiver.
pub(super) async fn record_attempt(
    tx: &Tx,
    attempt: &Attempt,
    context: &NotificationContext,
) -> Result<Option<Disabled>, StoreError> {
    const HEALTH: &str = "
        SELECT 1 FROM revalidated.receiver
        WHERE name = (SELECT receiver FROM revalidated.delivery WHERE id = $1) FOR NO KEY UPDATE";
    let id = attempt.delivery;
    lane::lock_of(tx, &[id.0]).await?;
    tx.rows(HEALTH, params![id.0 => INT8]).await?;
    let Some(row) = tx.row(FIND, params![id.0 => INT8]).await? else { return Ok(None) };
    let delivery = DeliveryRecord {
        state: delivery_state(get(&row, "state")?)?,
        attempts: count(&row, "attempts")?,
        earlier: count(&row, "earlier")?,
        token: get(&row, "lease_token")?,
        receiver: health::read(&row)?,
        part: known::part(&row)?,
    };
    let asked = Asked { now: context.now, ..Asked::default() };
    asked.decide(tx, |case| ledger::record_attempt(case, &delivery, attempt, context)).await
}

/// Returns true when an attempt under this token is stored.
pub(super) async fn is_recorded(tx: &Reads, attempt: &Attempt) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM revalidated.attempt
                       WHERE delivery_id = $1 AND token = $2) AS found";
    let params = params![attempt.delivery.0 => INT8, attempt.token => INT8];
    get(&tx.one(SQL, params).await?, "found")
}

/// Queues these deliveries again under their events' ids, all or none of them.
pub(super) async fn redeliver(
    tx: &Tx,
    ids: &[DeliveryId],
    now: Timestamp,
) -> Result<Redelivered, StoreError> {
    const SQL: &str = "
        SELECT id, receiver, integration_id, state, CASE WHEN NOT ends THEN incident_id END AS incident
        FROM revalidated.delivery WHERE id = ANY($1)";
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    lane::lock_of(tx, &numbers).await?;
    let mut stored = BTreeMap::new();
    for row in tx.rows(SQL, params![numbers => INT8_ARRAY]).await? {
        let id = DeliveryId(get(&row, "id")?);
        let integration = get::<Option<i64>>(&row, "integration_id")?.map(IntegrationId);
        let queue = Queue { receiver: get(&row, "receiver")?, integration };
        let state = delivery_state(get(&row, "state")?)?;
        stored.insert(id, Redelivery { id, queue, state, incident: get(&row, "incident")? });
    }
    let unknown: Vec<_> = ids.iter().copied().filter(|id| !stored.contains_key(id)).collect();
    if !unknown.is_empty() {
        return Ok(Redelivered::Unknown(unknown));
    }
    let found: Vec<_> = ids.iter().filter_map(|id| stored.get(id).cloned()).collect();
    Asked::default().apply_all(tx, &ledger::redeliver(&found, now)).await?;
    let queued = found.into_iter().map(|one| (one.id, one.queue.receiver, one.state));
    Ok(Redelivered::Queued(queued.collect()))
}

/// Returns what a replay of the events of `span` to a receiver would queue.
pub(super) async fn plan_replay(
    tx: &Reads,
    subscription: &Subscription,
    span: Span,
) -> Result<Replayed, StoreError> {
    let past = past(tx, subscription, span).await?;
    let is_too_much = REPLAY_MAX < past.len();
    Ok(Replayed::of(&ledger::replay(subscription, past, Timestamp::default()), is_too_much))
}

/// Queues the events of `span` that the receiver wants for it again.
pub(super) async fn replay(
    tx: &Tx,
    subscription: &Subscription,
    span: Span,
    now: Timestamp,
) -> Result<Replayed, StoreError> {
    // What is enqueued for the receiver meanwhile waits in lanes that are locked when they are changed.
    lane::lock_all(tx, &subscription.receiver).await?;
    let past = past(tx, subscription, span).await?;
    let is_too_much = REPLAY_MAX < past.len();
    let replay = ledger::replay(subscription, past, now);
    if !is_too_much {
        Asked::default().apply_all(tx, &replay.effects).await?;
    }
    Ok(Replayed::of(&replay, is_too_much))
}

/// Loads the events of `span` that a receiver wants; one more than a replay takes when there are more.
async fn past(
    tx: &Reads,
    subscription: &Subscription,
    span: Span,
) -> Result<Vec<PastEvent>, StoreError> {
    const SQL: &str = "
        SELECT event.number, event.id, event.integration_id, event.created_at_ms,
               delivery.id AS delivery, delivery.state, event.body, integration.incident_id
        FROM revalidated.event
        LEFT JOIN revalidated.integration ON integration.id = event.integration_id
        LEFT JOIN revalidated.delivery ON delivery.event_id = event.id AND delivery.receiver = $1
        WHERE $2 <= event.created_at_ms AND ($3 IS NULL OR event.created_at_ms < $3)
          AND $4 < event.number
        ORDER BY event.number LIMIT $5";
    let (mut past, mut after) = (Vec::new(), 0_i64);
    loop {
        let params = params![
            subscription.receiver => TEXT, span.since.0 => INT8,
            span.until.map(|at| at.0) => INT8, after => INT8, REPLAY_PAGE => INT8,
        ];
        let rows = tx.rows(SQL, params).await?;
        let Some(last) = rows.last() else { return Ok(past) };
        after = get(last, "number")?;
        for row in &rows {
            past.extend(past_event(row, subscription)?);
            if REPLAY_MAX < past.len() {
                return Ok(past);
            }
        }
    }
}

/// Reads an event of the past, if the receiver wants it again.
fn past_event(row: &Row, subscription: &Subscription) -> Result<Option<PastEvent>, StoreError> {
    let document = |source| StoreError::Document { table: "event", source };
    let event: Event = serde_json::from_str(get(row, "body")?).map_err(document)?;
    if !subscription.wants_again(&event) {
        return Ok(None);
    }
    let delivery: Option<i64> = get(row, "delivery")?;
    let state: Option<&str> = get(row, "state")?;
    Ok(Some(PastEvent {
        id: get(row, "id")?,
        integration: get::<Option<i64>>(row, "integration_id")?.map(IntegrationId),
        at: Timestamp(get(row, "created_at_ms")?),
        delivery: delivery.map(DeliveryId).zip(state.map(delivery_state).transpose()?),
        incident: incident_of(&event, get(row, "incident_id")?),
    }))
}

/// Heads of lanes that a receiver should have been sent long ago, whose lanes are locked: deliveries must end in
/// order.
pub(super) const UNFETCHED: &str = concat!(
    "SELECT delivery.id, ",
    part_columns!(),
    " FROM revalidated.lane
    JOIN revalidated.delivery ON delivery.id = head_id
    WHERE lane.receiver = $1 AND lane.integration_id = ANY($2)"
);

/// Ends deliveries of events before `before` to receivers that are sent nothing; at most about
/// `batch` deliveries.
pub(super) async fn expire(
    tx: &Tx,
    before: Timestamp,
    batch: u32,
    now: Timestamp,
) -> Result<usize, StoreError> {
    const IDLE: &str = "
        SELECT name FROM revalidated.receiver WHERE disabled_at_ms IS NOT NULL OR NOT configured";
    let most = usize::try_from(batch).unwrap_or(usize::MAX);
    let mut expired = 0;
    for idle in tx.rows(IDLE, &[]).await? {
        let receiver: &str = get(&idle, "name")?;
        while expired < most {
            let heads = unfetched(tx, receiver, before, batch).await?;
            if heads.is_empty() {
                break;
            }
            Asked::default().apply_all(tx, &ledger::expire(&heads, now)).await?;
            expired += heads.len();
        }
    }
    Ok(expired)
}

/// Locks lanes of which the heads have waited too long, and loads these; lanes that are locked already are for the
/// next time.
async fn unfetched(
    tx: &Tx,
    receiver: &str,
    before: Timestamp,
    batch: u32,
) -> Result<Vec<Overdue>, StoreError> {
    const LOCK: &str = "
        SELECT lane.integration_id FROM revalidated.lane
        JOIN revalidated.delivery ON delivery.id = head_id
        JOIN revalidated.event ON event.id = delivery.event_id
        WHERE lane.receiver = $1 AND event.created_at_ms < $2
        ORDER BY lane.integration_id LIMIT $3 FOR NO KEY UPDATE OF lane SKIP LOCKED";
    let params = params![receiver => TEXT, before.0 => INT8, i64::from(batch) => INT8];
    let locked = tx.rows(LOCK, params).await?;
    let lanes = locked.iter().map(|row| get(row, "integration_id"));
    let lanes = lanes.collect::<Result<Vec<i64>, _>>()?;
    if lanes.is_empty() {
        return Ok(Vec::new());
    }
    let found = tx.rows(UNFETCHED, params![receiver => TEXT, lanes => INT8_ARRAY]).await?;
    let read = |row: &Row| {
        let (id, receiver) = (DeliveryId(get(row, "id")?), receiver.to_owned());
        Ok(Overdue { id, receiver, part: known::part(row)? })
    };
    found.iter().map(read).collect()
}
