//! Incidents that last: what waited for its time or for the receiver's hours is sent, and receivers that asked for
//! it are reminded (escalation by two receivers of which one waits).

use std::time::Duration;

use super::case::{Case, Decided};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use super::effects::{Effect, Part};
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
        (Some(subscription), None) => {
            let due = Due { row, subscription };
            send_due(&mut draft, &mut known, &due)?
        }
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

/// Integration and subscription of what is due for a receiver.
struct Due<'a> {
    row: Option<&'a Row>,
    subscription: &'a Subscription,
}

/// Sends a receiver what is due of an incident, and plans the next; returns true when something is sent.
fn send_due(draft: &mut Draft<'_>, known: &mut KnownIncident, due: &Due<'_>) -> Decided<bool> {
    let now = draft.now();
    known.plan(due.subscription, now);
    if known.due_at.is_none_or(|due| now < due) {
        return Ok(false);
    }
    match (known.state, due.row) {
        (NoticeState::Waiting, _) => {
            known.state = NoticeState::Sent;
            draft.insert_beginning(known);
        }
        (NoticeState::Sent | NoticeState::Dead, Some(row)) => remind(draft, known, row)?,
        (NoticeState::Sent | NoticeState::Dead, None) => return Ok(false),
    }
    known.notified_at = now;
    known.plan(due.subscription, now);
    Ok(true)
}

/// Reminds a receiver that an integration still fails. For one whose beginning is dead this is the beginning.
fn remind(draft: &mut Draft<'_>, known: &mut KnownIncident, row: &Row) -> Decided<()> {
    known.reminders = known.reminders.saturating_add(1);
    let story = mute::latest_failure(draft, row)?;
    let sent = draft.insert_reminder(row, known.reminders, story)?;
    let part = if known.state == NoticeState::Dead {
        (known.state, known.event) = (NoticeState::Sent, sent.id.clone());
        Part::of(known, None, false)
    } else {
        Part::of(known, Some(known.event.clone()), false)
    };
    draft.enqueue(&sent, &known.receiver, Some(part));
    Ok(())
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
