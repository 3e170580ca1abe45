//! Deliveries: the results of attempts, and what is queued again (redelivery and replay).
//!
//! A queue holds the deliveries of one receiver about one integration; only its head is due. How a
//! queue keeps that is the engine's business, what is put into it is decided here.

use std::collections::BTreeSet;

use super::case::{Case, Decided};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use super::effects::{DeliveryUpdate, Effect, Emitted, QueueChange};
use super::known::KnownIncident;
use super::outbox::{
    Attempt, DeliveryRecord, DeliveryState, Disabled, InIncident, Overdue, PastEvent, Queue,
    Redelivery,
};
use super::receiver::{is_probe, update_health};
use crate::domain::{EventType, Next, Subscription, Timestamp};

/// Decides what follows from an attempt, for the delivery and for its receiver.
///
/// An attempt that ended after its lease may come second: it is kept under the next free number, and a
/// delivery that has ended stays ended. While another lease is valid only a receipt counts; what follows
/// else is up to that attempt.
pub(crate) fn record_attempt(
    case: &Case,
    delivery: &DeliveryRecord,
    attempt: &Attempt,
    context: &NotificationContext,
) -> Decided<Decision<Option<Disabled>>> {
    let mut draft = Draft::new(case, context);
    let (number, at) = (delivery.attempts.saturating_add(1), attempt.ended_at(context.now));
    draft.push(Effect::InsertAttempt(Box::new(attempt.clone()), number));
    let is_overtaken = delivery.token.is_some_and(|token| token != attempt.token);
    let decides = !is_overtaken || attempt.next == Next::Delivered;
    let outcome =
        (delivery.state == DeliveryState::Pending && decides).then(|| outcome(attempt, at));
    let has_ended = outcome.is_some_and(|(state, _)| state.has_ended());
    let id = attempt.delivery;
    let earlier = delivery.earlier.saturating_add(u32::from(is_probe(&delivery.receiver, attempt)));
    let awake = attempt.awake;
    let update = DeliveryUpdate { id, attempts: number, earlier, awake, outcome, at };
    draft.push(Effect::SaveDelivery(update));
    if outcome.is_some_and(|(state, _)| state == DeliveryState::Failed) {
        let receiver = &delivery.receiver.name;
        draft.push_all(bury(delivery.part.as_ref(), receiver, at));
    }
    if has_ended {
        draft.push(Effect::Queue(QueueChange::Advance { ended: id, at }));
    }
    let disabled = update_health(&mut draft, delivery.receiver.clone(), attempt, has_ended)?;
    Ok(draft.decide(disabled))
}

/// Returns the state that follows from an attempt that ended `at`, and when the delivery is due again.
fn outcome(attempt: &Attempt, at: Timestamp) -> (DeliveryState, Option<Timestamp>) {
    match attempt.next {
        Next::Delivered => (DeliveryState::Delivered, None),
        Next::Failed => (DeliveryState::Failed, None),
        Next::RetryAfter(wait) => (DeliveryState::Pending, Some(at.plus(wait))),
        Next::Probe { keeps_place, .. } => (DeliveryState::Pending, (!keeps_place).then_some(at)),
        // It waits with everything else until the receiver is enabled.
        Next::Gone => (DeliveryState::Pending, Some(at)),
    }
}

/// Returns the change that follows for an incident from a delivery that is dead: the receiver knows nothing of
/// it when no other delivery says that it lasts, and is sent no end then.
fn bury(part: Option<&InIncident>, receiver: &str, at: Timestamp) -> Option<Effect> {
    let part = part.filter(|part| !part.ends && part.is_alone)?;
    let (incident, receiver) = (part.incident.clone(), receiver.to_owned());
    Some(Effect::BuryIncident { incident, receiver, at })
}

/// Decides to queue these deliveries again under their events' ids, and to send now what waits for its
/// next attempt.
pub(crate) fn redeliver(found: &[Redelivery], now: Timestamp) -> Vec<Effect> {
    let ended = found.iter().filter(|one| one.state.has_ended());
    let again = ended.clone().map(|one| Effect::Queue(QueueChange::Requeue(one.id)));
    let revived = ended.filter_map(|one| {
        let (incident, receiver) = (one.incident.clone()?, one.queue.receiver.clone());
        Some(Effect::ReviveIncident { incident, receiver })
    });
    let heads = found.iter().map(|one| requeue_head(&one.queue, now));
    let receivers: BTreeSet<_> = found.iter().map(|one| one.queue.receiver.as_str()).collect();
    let probes = receivers.into_iter().map(|receiver| probe_now(receiver, now));
    again.chain(revived).chain(heads).chain(probes).collect()
}

fn probe_now(receiver: &str, at: Timestamp) -> Effect {
    Effect::Queue(QueueChange::ProbeNow { receiver: receiver.to_owned(), at })
}

fn requeue_head(queue: &Queue, at: Timestamp) -> Effect {
    let Queue { receiver, integration } = queue.clone();
    Effect::Queue(QueueChange::RequeueHead { receiver, integration, at })
}

/// Changes of a replay, and the events that it concerns.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// Changes of the queues.
    pub(crate) effects: Vec<Effect>,
    /// The events that are queued.
    pub(crate) fresh: Vec<PastEvent>,
    /// Number of events that are queued already.
    pub(crate) pending: usize,
}

/// Decides to queue `past` events for a receiver again, in order and under their ids.
pub(crate) fn replay(subscription: &Subscription, past: Vec<PastEvent>, now: Timestamp) -> Replay {
    let receiver = &subscription.receiver;
    let is_pending =
        |one: &PastEvent| one.delivery.is_some_and(|(_, state)| state == DeliveryState::Pending);
    let (pending, fresh): (Vec<_>, Vec<_>) = past.into_iter().partition(is_pending);
    let mut effects: Vec<_> = fresh.iter().map(|one| again(receiver, one)).collect();
    effects.extend(fresh.iter().filter_map(|one| learn(subscription, one, now)));
    let queues: BTreeSet<_> = fresh.iter().map(|one| one.integration).collect();
    effects.extend(queues.into_iter().map(|integration| {
        requeue_head(&Queue { receiver: receiver.to_owned(), integration }, now)
    }));
    if !fresh.is_empty() {
        effects.push(probe_now(receiver, now));
    }
    Replay { effects, fresh, pending: pending.len() }
}

/// Returns the change that makes a receiver know an incident that is open, when it is sent a failure of it.
fn learn(subscription: &Subscription, one: &PastEvent, now: Timestamp) -> Option<Effect> {
    let sent = Emitted {
        id: one.id.clone(),
        integration: one.integration,
        kind: EventType::ValidationFailed,
    };
    let known = KnownIncident::new(&sent, one.incident.as_ref()?, subscription, now);
    Some(Effect::LearnIncident(Box::new(known)))
}

fn again(receiver: &str, one: &PastEvent) -> Effect {
    Effect::Queue(match one.delivery {
        Some((id, _)) => QueueChange::Requeue(id),
        None => QueueChange::Insert {
            event: one.id.clone(),
            receiver: receiver.to_owned(),
            integration: one.integration,
            part: None,
        },
    })
}

/// Decides to end deliveries that have waited too long for a receiver that is sent nothing.
pub(crate) fn expire(heads: &[Overdue], now: Timestamp) -> Vec<Effect> {
    let ends = |one: &Overdue| {
        let Overdue { id, receiver, part } = one;
        let expired = Effect::Queue(QueueChange::Expire { id: *id, at: now });
        let buried = bury(part.as_ref(), receiver, now);
        let next = Effect::Queue(QueueChange::Advance { ended: *id, at: now });
        [Some(expired), buried, Some(next)].into_iter().flatten()
    };
    heads.iter().flat_map(ends).collect()
}
