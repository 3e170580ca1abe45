//! The health of receivers: one that is gone, or has only failed for too long, is disabled (circuit
//! breaker), and the others are notified.

use super::case::{Decided, Need};
use super::draft::Draft;
use super::effects::{Effect, QueueChange};
use super::outbox::{Attempt, Disabled, ReceiverHealth};
use crate::domain::{
    DisabledReason, Event, EventType, Next, Payload, ReceiverDisabled, SCHEMA_VERSION, Timestamp,
    disables,
};

/// Draws the conclusions from an attempt for the health of its receiver. `has_ended` says that the
/// attempt has ended its delivery, which is still pending in the case.
pub(super) fn update_health(
    draft: &mut Draft<'_>,
    mut health: ReceiverHealth,
    attempt: &Attempt,
    has_ended: bool,
) -> Decided<Option<Disabled>> {
    let at = attempt.ended_at();
    if attempt.next == Next::Delivered {
        (health.last_success_at, health.failing_since) = (Some(at), None);
        draft.push(Effect::UpdateReceiver(health));
        return Ok(None);
    }
    // A clock that was rolled back must not make the failures last longer.
    let since = health.failing_since.map_or(at, |since| since.min(at));
    health.failing_since = Some(since);
    let reason = disables(attempt.next, at.since(since), attempt.disable_after);
    let Some(reason) = reason.filter(|_| health.disabled.is_none()) else {
        draft.push(Effect::UpdateReceiver(health));
        return Ok(None);
    };
    health.disabled = Some((reason, at));
    let pending = draft.case.count(Need::Pending(health.name.clone()))?;
    let pending = pending.saturating_sub(usize::from(has_ended));
    let pending = u32::try_from(pending).unwrap_or(u32::MAX);
    let disabled = Disabled { reason, pending };
    draft.push(Effect::UpdateReceiver(health.clone()));
    notify_others(draft, &health, disabled)?;
    Ok(Some(disabled))
}

fn notify_others(
    draft: &mut Draft<'_>,
    health: &ReceiverHealth,
    disabled: Disabled,
) -> Decided<()> {
    let kind = EventType::ReceiverDisabled;
    let data = ReceiverDisabled {
        schema_version: SCHEMA_VERSION,
        epoch: draft.case.head()?.epoch.clone(),
        sequence: draft.next_operational()?,
        receiver: health.name.clone(),
        reason: disabled.reason,
        failing_since: health.failing_since,
        last_success_at: health.last_success_at,
        pending: disabled.pending,
    };
    let sequence = data.sequence;
    let body = Event { kind, timestamp: draft.now(), data: Payload::ReceiverDisabled(data) };
    let others = draft.context.subscriptions.iter();
    let others = others.filter(|one| one.receiver != health.name && one.wants_kind(kind));
    let sent = draft.insert_operational(sequence, body)?;
    for one in others.filter(|one| one.timing.after.is_none()) {
        draft.enqueue(&sent, &one.receiver, None);
    }
    Ok(())
}

/// Decides to disable a receiver that is enabled; its pending deliveries wait.
pub(crate) fn disable(
    health: &ReceiverHealth,
    reason: DisabledReason,
    now: Timestamp,
) -> Vec<Effect> {
    if health.disabled.is_some() {
        return Vec::new();
    }
    let disabled = Some((reason, now));
    vec![Effect::UpdateReceiver(ReceiverHealth { disabled, ..health.clone() })]
}

/// Decides to enable a receiver that is disabled: its pending deliveries go out in order, with as many
/// attempts as new ones.
pub(crate) fn enable(health: &ReceiverHealth, now: Timestamp) -> Vec<Effect> {
    if health.disabled.is_none() {
        return Vec::new();
    }
    let enabled = ReceiverHealth { disabled: None, failing_since: None, ..health.clone() };
    let receiver = health.name.clone();
    vec![Effect::UpdateReceiver(enabled), Effect::Queue(QueueChange::Refresh { receiver, at: now })]
}
