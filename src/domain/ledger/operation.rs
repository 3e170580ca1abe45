//! Transitions: how a row takes one, and what an operation (create, edit, migrate, disable, delete)
//! notifies receivers of.

use super::case::Decided;
use super::draft::Draft;
use super::effects::{Effect, NewTransition};
use super::notify::{Notice, Story};
use super::row::Row;
use super::{incident, mute, outage, own_fault};
use crate::domain::{Cause, EndedBy, EventType, RunId, Status, Transition, next_status};

/// Takes `step` on `row` without notifying receivers. An error status opens an incident, or goes on
/// with the open one.
pub(super) fn enter(
    draft: &mut Draft<'_>,
    row: &mut Row,
    step: Transition,
    story: &Story,
) -> Decided<()> {
    row.pending = step.to.leaves(row.pending);
    row.status = step.to;
    draft.has_stepped = true;
    if step.to.is_error() && row.incident.is_none() {
        incident::open(draft, row, story)?;
    }
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

/// Takes the step of an operation on `row`, and notifies receivers of it. What earlier runs added up to
/// for notifications is dropped: an operation begins anew.
pub(super) fn operate(
    draft: &mut Draft<'_>,
    row: &mut Row,
    step: Transition,
    story: Story,
) -> Decided<()> {
    enter(draft, row, step, &story)?;
    row.forget();
    outage::leave(draft, row)?;
    own_fault::note(draft, row, None)?;
    if let Some(name) = draft.former_name.take() {
        incident::end_under(draft, row, name, &story)?;
    }
    if step.to.is_error() {
        return mute::notify_news(draft, row, story);
    }
    match step.to {
        Status::Disabled => incident::end_known(draft, row, EndedBy::Disabled, &story)?,
        Status::Deleted => incident::end_known(draft, row, EndedBy::Removed, &story)?,
        Status::Enabled if row.is_incident_known() => {
            mute::notify_news(draft, row, story.clone())?;
        }
        Status::Enabled => incident::drop_open(draft, row),
        Status::CreateError
        | Status::Creating
        | Status::DeleteError
        | Status::Deleting
        | Status::EditError
        | Status::Editing
        | Status::MigrateError
        | Status::Migrating
        | Status::RecurringValidationError => {}
    }
    let notice = Notice { kind: EventType::StatusChanged, previous: Some(step.from) };
    draft.emit(row, notice, story)?;
    // While receivers wait for the end of an incident, its latest failure is what they know.
    if row.incident.is_none() {
        row.notified = row.status;
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
    let step = next_status(row.status, row.pending, cause);
    if let Some(step) = step {
        let story = incident::latest_story(draft, row)?;
        operate(draft, row, step, story)?;
    }
    Ok(step)
}
