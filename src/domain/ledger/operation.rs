//! Transitions: how a row takes one, and what an operation (create, edit, migrate, disable, delete)
//! notifies receivers of.

use super::case::{Decided, Need};
use super::draft::Draft;
use super::effects::{Effect, NewTransition};
use super::notify::{Notice, Story};
use super::row::{Incident, Row};
use super::{outage, own_fault};
use crate::domain::{Cause, EventType, RunId, Status, Transition, next_status};

/// Takes `step` on `row` without notifying receivers.
///
/// Failing opens an incident, which lasts through edits until the integration works again or is
/// taken out of use; the event that ends it still names it.
pub(super) fn enter(
    draft: &mut Draft<'_>,
    row: &mut Row,
    step: Transition,
    story: &Story,
) -> Decided<()> {
    if step.to == Status::RecurringValidationError && row.incident.is_none() {
        let first = draft.case.instant(Need::FirstFailure(row.id))?;
        let since = first.or(story.run.as_ref().map(|run| run.started_at)).unwrap_or(draft.now());
        let id = draft.fresh_id("inc")?;
        draft.begin_incident(&id);
        row.incident = Some(Incident { id, since });
    }
    row.status = step.to;
    draft.has_stepped = true;
    write(draft, row, Some(step), story);
    Ok(())
}

fn write(draft: &mut Draft<'_>, row: &Row, step: Option<Transition>, story: &Story) {
    draft.push(Effect::InsertTransition(NewTransition {
        integration: row.id,
        step,
        to: row.status,
        at: draft.now(),
        run: story.run.as_ref().map(|run| RunId(run.id)),
        incident: row.incident.as_ref().map(|incident| incident.id.clone()),
    }));
}

/// Takes the step of an operation on `row`, and notifies receivers of it at once.
pub(super) fn operate(
    draft: &mut Draft<'_>,
    row: &mut Row,
    step: Transition,
    story: Story,
) -> Decided<()> {
    if row.notified == Status::Enabled && row.flapping.is_none() {
        // Its failure was muted, so that receivers do not know of the incident.
        row.incident = None;
    }
    let kind = EventType::of(step, row.incident.is_some());
    let previous = Some(row.notified);
    enter(draft, row, step, &story)?;
    row.forget();
    outage::leave(draft, row)?;
    own_fault::note(draft, row, None)?;
    draft.emit(row, Notice { kind, previous }, story)?;
    row.notified = row.status;
    if matches!(step.to, Status::Enabled | Status::Disabled | Status::Deleted)
        && let Some(incident) = row.incident.take()
    {
        draft.forget_incident(&incident.id);
    }
    Ok(())
}

/// Notifies receivers that `row` has come into being.
pub(super) fn announce(draft: &mut Draft<'_>, row: &mut Row) -> Decided<()> {
    write(draft, row, None, &Story::default());
    let notice = Notice { kind: EventType::StatusChanged, previous: None };
    draft.emit(row, notice, Story::default())
}

/// Takes the transition of `cause`, if it makes one, with the results that are stored already.
pub(super) fn take(
    draft: &mut Draft<'_>,
    row: &mut Row,
    cause: Cause,
) -> Decided<Option<Transition>> {
    let step = next_status(row.status, cause);
    if let Some(step) = step {
        let story = latest_story(draft, row)?;
        operate(draft, row, step, story)?;
    }
    Ok(step)
}

/// Returns the story of a change that no run caused.
fn latest_story(draft: &Draft<'_>, row: &Row) -> Decided<Story> {
    let Some(run) = row.last_run else { return Ok(Story::default()) };
    let latest = draft.case.results(Need::Results(run))?.as_ref();
    let results = latest.map(|(status, report)| report.results(*status));
    Ok(Story { results, ..Story::default() })
}
