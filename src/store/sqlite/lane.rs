//! Queues of deliveries. Of the deliveries to one receiver about one integration only the first pending
//! one, the head, has a due instant; the others get theirs when it is their turn. So a receiver that has
//! been away for days costs a claim no more than one that listens.

use rusqlite::{Connection, named_params};

use super::StoreError;
use super::column::millis;
use crate::domain::ledger::{Attempt, DeliveryState, DeliveryUpdate, Part, QueueChange};
use crate::domain::{AttemptResult, DeliveryId, Format, IntegrationId, Timestamp};

/// A delivery is due at once, unless an earlier one in its queue is pending.
pub(super) const ENQUEUE: &str = "
    INSERT INTO delivery (event_id, receiver, integration_id, number, state, incident_id, began_id,
                          format, ends, due_at_ms)
    VALUES (:event, :receiver, :integration, (SELECT number FROM event WHERE id = :event),
            'pending', :incident, :began, :format, :ends,
            iif(EXISTS (SELECT 1 FROM delivery
                        WHERE state = 'pending' AND receiver = :receiver
                          AND integration_id IS :integration), NULL, :at))
    ON CONFLICT (event_id, receiver) DO NOTHING";

/// A delivery of an earlier event, which waits for its place.
const INSERT: &str = "
    INSERT INTO delivery (event_id, receiver, integration_id, number, state, incident_id, began_id,
                          format, ends)
    VALUES (:event, :receiver, :integration, (SELECT number FROM event WHERE id = :event),
            'pending', :incident, :began, :format, :ends)
    ON CONFLICT (event_id, receiver) DO NOTHING";

/// A delivery that has ended is queued again; the attempts until now are earlier ones.
const REQUEUE: &str = "
    UPDATE delivery SET state = 'pending', ended_at_ms = NULL, due_at_ms = NULL, lease_owner = NULL,
        lease_token = NULL, lease_until_ms = NULL, earlier = attempts, tried_awake_ms = NULL
    WHERE id = :id AND state <> 'pending'";

/// A delivery ends without an attempt.
const EXPIRE: &str = "
    UPDATE delivery SET state = 'failed', ended_at_ms = :at, lease_owner = NULL, lease_token = NULL,
        lease_until_ms = NULL
    WHERE id = :id";

/// Makes wait what is behind the head of a queue.
pub(super) const HOLD_BACK: &str = "
    UPDATE delivery SET due_at_ms = NULL, lease_owner = NULL, lease_token = NULL,
        lease_until_ms = NULL
    WHERE state = 'pending' AND receiver = :receiver AND integration_id IS :integration
      AND due_at_ms IS NOT NULL
      AND number > (SELECT min(number) FROM delivery
                      WHERE state = 'pending' AND receiver = :receiver
                        AND integration_id IS :integration)";

/// The head of a queue is due now.
pub(super) const FIRST: &str = "
    UPDATE delivery SET due_at_ms = min(coalesce(due_at_ms, :at), :at)
    WHERE id = (
        SELECT id FROM delivery
        WHERE state = 'pending' AND receiver = :receiver AND integration_id IS :integration
        ORDER BY number LIMIT 1)";

/// Makes the successor of a delivery that has ended due.
pub(super) const ADVANCE: &str = "
    UPDATE delivery SET due_at_ms = :at
    WHERE due_at_ms IS NULL AND id = (
        SELECT next.id FROM delivery AS next
        JOIN delivery AS ended ON ended.receiver = next.receiver
            AND ended.integration_id IS next.integration_id
        WHERE ended.id = :ended AND next.state = 'pending'
        ORDER BY next.number LIMIT 1)";

/// Every pending delivery of a receiver gets new attempts.
const REFRESH: &str = "
    UPDATE delivery SET earlier = attempts, tried_awake_ms = NULL,
        due_at_ms = iif(due_at_ms IS NULL, NULL, min(due_at_ms, :at))
    WHERE state = 'pending' AND receiver = :receiver";

/// The next probe of a receiver is due now.
const PROBE_NOW: &str =
    "UPDATE receiver SET probe_at_ms = :at WHERE name = :receiver AND probe_at_ms > :at";

/// Applies a change to a queue.
pub(super) fn change(tx: &Connection, change: &QueueChange) -> Result<(), StoreError> {
    let number = |id: &Option<IntegrationId>| id.map(|id| id.0);
    match change {
        QueueChange::Enqueue { event, receiver, integration, at, part } => {
            let (incident, began, format, ends) = columns(part.as_deref());
            tx.prepare_cached(ENQUEUE)?.execute(named_params! {
                ":event": event, ":receiver": receiver, ":integration": number(integration),
                ":incident": incident, ":began": began, ":format": format,
                ":ends": ends, ":at": at.0,
            })?;
        }
        QueueChange::Insert { event, receiver, integration, part } => {
            let (incident, began, format, ends) = columns(part.as_deref());
            tx.prepare_cached(INSERT)?.execute(named_params! {
                ":event": event, ":receiver": receiver, ":integration": number(integration),
                ":incident": incident, ":began": began, ":format": format,
                ":ends": ends,
            })?;
        }
        QueueChange::Requeue(id) => {
            tx.prepare_cached(REQUEUE)?.execute(named_params! {":id": id.0})?;
        }
        QueueChange::Expire { id, at } => {
            tx.prepare_cached(EXPIRE)?.execute(named_params! {":id": id.0, ":at": at.0})?;
        }
        QueueChange::RequeueHead { receiver, integration, at } => {
            let integration = number(integration);
            let queue = named_params! {":receiver": receiver, ":integration": integration};
            tx.prepare_cached(HOLD_BACK)?.execute(queue)?;
            tx.prepare_cached(FIRST)?.execute(named_params! {
                ":receiver": receiver, ":integration": integration, ":at": at.0,
            })?;
        }
        QueueChange::Advance { ended, at } => advance(tx, *ended, *at)?,
        QueueChange::ProbeNow { receiver, at } => {
            let params = named_params! {":receiver": receiver, ":at": at.0};
            tx.prepare_cached(PROBE_NOW)?.execute(params)?;
        }
        QueueChange::Refresh { receiver, at } => {
            let params = named_params! {":receiver": receiver, ":at": at.0};
            tx.prepare_cached(REFRESH)?.execute(params)?;
        }
    }
    Ok(())
}

/// Returns the columns of a part in an incident: its id, what began it, in which format, and whether this ends it.
fn columns(part: Option<&Part>) -> (Option<&str>, Option<&str>, Option<&str>, bool) {
    let incident = part.map(|part| part.incident.as_str());
    let began = part.and_then(|part| part.began.as_deref());
    let format = part.and_then(|part| part.format).map(Format::as_str);
    (incident, began, format, part.is_some_and(|part| part.ends))
}

fn advance(tx: &Connection, ended: DeliveryId, at: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(ADVANCE)?.execute(named_params! {":ended": ended.0, ":at": at.0})?;
    Ok(())
}

/// A delivery after an attempt. It may have to wait for an earlier one that was queued again while it
/// was sent; then it is not due.
pub(super) const PROCEED: &str = "
    UPDATE delivery SET attempts = :number, earlier = :earlier,
        tried_awake_ms = coalesce(tried_awake_ms, :awake), lease_owner = NULL, lease_token = NULL,
        lease_until_ms = NULL, state = :state,
        due_at_ms = iif(:state = 'pending' AND EXISTS (
            SELECT 1 FROM delivery AS earlier
            WHERE earlier.state = 'pending' AND earlier.receiver = delivery.receiver
              AND earlier.integration_id IS delivery.integration_id
              AND earlier.number < delivery.number), NULL, coalesce(:due, due_at_ms)),
        ended_at_ms = :ended
    WHERE id = :id";

/// Writes back a delivery after an attempt.
pub(super) fn save(tx: &Connection, update: &DeliveryUpdate) -> Result<(), StoreError> {
    const COUNT: &str = "UPDATE delivery SET attempts = :number WHERE id = :id";
    let Some((state, due)) = update.outcome else {
        let params = named_params! {":id": update.id.0, ":number": update.attempts};
        tx.prepare_cached(COUNT)?.execute(params)?;
        return Ok(());
    };
    tx.prepare_cached(PROCEED)?.execute(named_params! {
        ":id": update.id.0,
        ":number": update.attempts,
        ":earlier": update.earlier,
        ":awake": millis(update.awake),
        ":state": DeliveryState::as_str(state),
        ":due": due.map(|at| at.0),
        ":ended": state.has_ended().then_some(update.at.0),
    })?;
    Ok(())
}

/// Attempts go when there are too many later ones; their numbers go on.
pub(super) const DROP_EARLIER: &str =
    "DELETE FROM attempt WHERE delivery_id = :id AND number <= :last";

/// Adds an attempt under a number.
pub(super) fn insert_attempt(
    tx: &Connection,
    attempt: &Attempt,
    number: u32,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO attempt (delivery_id, number, started_at_ms, duration_ms, code, detail)
        VALUES (:id, :number, :started, :duration, :code, :detail)";
    let code = match attempt.result {
        AttemptResult::Answered { code, .. } => Some(code),
        AttemptResult::Unreachable | AttemptResult::Unsendable => None,
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
