//! Incidents that last: what waited for its time or for the receiver's hours is sent, and receivers that asked for
//! it are reminded (escalation by two receivers of which one waits).

use std::time::Duration;

use super::case::{Case, Decided};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use super::effects::Effect;
use super::known::{KnownIncident, NoticeState};
use super::mute;
use super::row::Row;
use crate::domain::{Subscription, Timestamp};

/// Wait before the next look at an integration whose operation has not ended.
const IN_FLIGHT_WAIT: Duration = Duration::from_mins(1);

/// Decides what follows for a receiver from an incident that lasts; `row` is that of its integration. The answer
/// is true when something is sent.
pub(crate) fn wake(
    case: &Case,
    known: &KnownIncident,
    row: Option<&Row>,
    context: &NotificationContext,
) -> Decided<Decision<bool>> {
    let mut draft = Draft::new(case, context);
    let mut known = known.clone();
    let is_over = row.is_some_and(|row| {
        row.incident.as_ref().is_none_or(|incident| incident.id != known.incident.id)
    });
    if is_over {
        draft.forget_incident(&known.incident.id);
        return Ok(draft.decide(false));
    }
    let muted = match row {
        Some(row) => waits_until(&draft, row)?,
        None => None,
    };
    let subscription = context.subscription(&known.receiver);
    let is_sent = match (subscription, muted) {
        (None, _) => {
            (known.due_at, known.look_at) = (None, None);
            false
        }
        (_, Some(until)) => {
            known.look_at = Some(until);
            false
        }
        (Some(subscription), None) => send_due(&mut draft, &mut known, subscription),
    };
    draft.push(Effect::SaveKnown(Box::new(known)));
    Ok(draft.decide(is_sent))
}

/// Returns when to look again at an incident about which nothing is to be sent now.
fn waits_until(draft: &Draft<'_>, row: &Row) -> Decided<Option<Timestamp>> {
    if let Some(mute) = mute::muted_by(draft, row)? {
        return Ok(Some(mute.until));
    }
    let is_over_soon = !row.status.is_error();
    Ok(is_over_soon.then(|| draft.now().plus(IN_FLIGHT_WAIT)))
}

/// Sends a receiver what is due of an incident, and plans the next; returns true when something is sent.
fn send_due(draft: &mut Draft<'_>, known: &mut KnownIncident, subscription: &Subscription) -> bool {
    let now = draft.now();
    known.plan(subscription, now);
    let is_due = known.due_at.is_some_and(|due| due <= now);
    if !is_due || known.state != NoticeState::Waiting {
        return false;
    }
    (known.state, known.notified_at) = (NoticeState::Sent, now);
    draft.insert_beginning(known);
    known.plan(subscription, now);
    true
}

/// Decides what a configuration changes for a receiver that knows an incident, if it changes something.
pub(crate) fn replan(known: &KnownIncident, context: &NotificationContext) -> Option<Effect> {
    let mut planned = known.clone();
    if let Some(subscription) = context.subscription(&known.receiver) {
        planned.plan(subscription, context.now);
    } else {
        (planned.due_at, planned.look_at, planned.resend_at) = (None, None, None);
    }
    (planned != *known).then(|| Effect::SaveKnown(Box::new(planned)))
}
