//! The health of receivers: one that is gone, or has only failed for too long, is disabled (circuit
//! breaker), and the others are notified.

use std::time::Duration;

use super::case::{Decided, Need};
use super::draft::Draft;
use super::effects::{Effect, QueueChange};
use super::outbox::{Attempt, Disabled, ProbedOutage, ReceiverHealth};
use crate::domain::{
    AttemptResult, DisabledReason, Event, EventType, Next, Payload, ReceiverDisabled,
    SCHEMA_VERSION, Timestamp, disables, probe_wait,
};

/// Returns true when an attempt probes a receiver that does not answer; those that were under way when
/// the outage was noticed are no probes.
pub(super) fn is_probe(health: &ReceiverHealth, attempt: &Attempt) -> bool {
    health.outage.is_some_and(|outage| outage.probe_at <= attempt.started_at)
}

/// Draws the conclusions from an attempt for the health of its receiver. `has_ended` says that the
/// attempt has ended its delivery, which is still pending in the case.
pub(super) fn update_health(
    draft: &mut Draft<'_>,
    mut health: ReceiverHealth,
    attempt: &Attempt,
    has_ended: bool,
) -> Decided<Option<Disabled>> {
    let at = attempt.ended_at(draft.now());
    if attempt.result == AttemptResult::Unsendable {
        return Ok(None);
    }
    health.outage = outage_after(&health, attempt, at);
    if attempt.next == Next::Delivered {
        (health.last_success_at, health.failing_since) = (Some(at), None);
        health.failing_awake = None;
        draft.push(Effect::UpdateReceiver(health));
        return Ok(None);
    }
    // A clock that was rolled back must not make the failures last longer.
    let since = health.failing_since.map_or(at, |since| since.min(at));
    health.failing_since = Some(since);
    let awake = health.failing_awake.map_or(attempt.awake, |first| first.min(attempt.awake));
    health.failing_awake = Some(awake);
    let failing = attempt.awake.saturating_sub(awake);
    let reason = disables(attempt.next, failing, attempt.disable_after);
    let reason = reason.filter(|reason| attempt.is_trusted || *reason == DisabledReason::Gone);
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

/// Returns the outage of a receiver after an attempt that ended `at`. Any answer about the message itself ends it.
fn outage_after(health: &ReceiverHealth, attempt: &Attempt, at: Timestamp) -> Option<ProbedOutage> {
    let former = health.outage;
    let asked = match attempt.next {
        Next::Delivered | Next::Gone => return None,
        Next::RetryAfter(_) | Next::Failed if attempt.result.is_refusal() => return None,
        Next::RetryAfter(_) | Next::Failed if former.is_none() => return None,
        Next::RetryAfter(_) | Next::Failed => Duration::ZERO,
        Next::Probe { asked, .. } => asked,
    };
    if former.is_some() && !is_probe(health, attempt) {
        return former;
    }
    let awake = former.map_or(attempt.awake, |outage| outage.awake.min(attempt.awake));
    let failures = former.map_or(0, |outage| outage.failures).saturating_add(1);
    let wait = probe_wait(failures, attempt.awake.saturating_sub(awake));
    let probe_at = at.plus(wait.max(asked));
    Some(ProbedOutage { failures, awake, probe_at })
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
        links: draft.context.links(|page| page.receiver(&health.name)),
    };
    let sequence = data.sequence;
    let body = Event::new(kind, draft.now(), Payload::ReceiverDisabled(data));
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

/// Decides to enable a receiver: its pending deliveries go out now and in order, with as many attempts as
/// new ones. One that is enabled already is sent now what waits for its next attempt.
pub(crate) fn enable(health: &ReceiverHealth, now: Timestamp) -> Vec<Effect> {
    let receiver = health.name.clone();
    if health.disabled.is_none() {
        return vec![
            Effect::Queue(QueueChange::Refresh { receiver: receiver.clone(), at: now }),
            Effect::Queue(QueueChange::ProbeNow { receiver, at: now }),
        ];
    }
    let enabled = ReceiverHealth {
        name: health.name.clone(),
        last_success_at: health.last_success_at,
        ..ReceiverHealth::default()
    };
    vec![Effect::UpdateReceiver(enabled), Effect::Queue(QueueChange::Refresh { receiver, at: now })]
}
