//! Incidents: each entry into an error status opens one or goes on with the open one, and only
//! `integration.validation.recovered` ends it.

use super::case::{Decided, Need};
use super::draft::Draft;
use super::notify::{Notice, Story};
use super::row::{Incident, Row};
use crate::domain::{EndedBy, EventType};

/// Opens an incident, which began with the first failing run of the configuration that failed.
pub(super) fn open(draft: &mut Draft<'_>, row: &mut Row, story: &Story) -> Decided<()> {
    let first = row.failing_subject().and_then(|subject| row.progress(subject).failing_since);
    let since = first.or(story.run.as_ref().map(|run| run.started_at)).unwrap_or(draft.now());
    let id = draft.fresh_id("inc")?;
    draft.begin_incident(&id);
    row.incident = Some(Incident { id, since, is_notified: false });
    Ok(())
}

/// Notifies receivers of the error status that `row` has.
pub(super) fn fail(draft: &mut Draft<'_>, row: &mut Row, story: Story) -> Decided<()> {
    if row.incident.is_none() {
        open(draft, row, &story)?;
    }
    mark_known(row);
    let notice = Notice { kind: EventType::ValidationFailed, previous: Some(row.notified) };
    draft.emit(row, notice, story)?;
    row.notified = row.status;
    Ok(())
}

/// Notes that an event names the open incident, so that receivers wait for its end.
pub(super) const fn mark_known(row: &mut Row) {
    if let Some(incident) = &mut row.incident {
        incident.is_notified = true;
    }
}

/// Ends the incident of `row`, if one is open: receivers that know of it are notified at once.
pub(super) fn end_known(
    draft: &mut Draft<'_>,
    row: &mut Row,
    ended_by: EndedBy,
    story: &Story,
) -> Decided<()> {
    if row.is_incident_known() {
        end(draft, row, ended_by, story.clone())?;
    }
    drop_open(draft, row);
    Ok(())
}

/// Drops the incident of `row`, if one is open, of which receivers are not notified.
pub(super) fn drop_open(draft: &mut Draft<'_>, row: &mut Row) {
    if let Some(incident) = row.incident.take() {
        draft.forget_incident(&incident.id);
    }
}

/// Ends the incident under the `name` that `row` had when it began.
pub(super) fn end_under(
    draft: &mut Draft<'_>,
    row: &mut Row,
    name: String,
    story: &Story,
) -> Decided<()> {
    let own = std::mem::replace(&mut row.name, name);
    let ended = end_known(draft, row, EndedBy::Renamed, story);
    row.name = own;
    ended
}

/// Ends the open incident of `row` and notifies receivers of that.
pub(super) fn end(
    draft: &mut Draft<'_>,
    row: &mut Row,
    ended_by: EndedBy,
    story: Story,
) -> Decided<()> {
    let notice = Notice { kind: EventType::ValidationRecovered, previous: Some(row.notified) };
    draft.emit(row, notice, Story { ended_by: Some(ended_by), ..story })?;
    row.incident = None;
    row.notified = row.status;
    Ok(())
}

/// Returns the story of a change that no run caused.
pub(super) fn latest_story(draft: &Draft<'_>, row: &Row) -> Decided<Story> {
    let Some(run) = row.active.last_run else { return Ok(Story::default()) };
    let latest = draft.case.results(Need::Results(run))?.as_ref();
    let results = latest.map(|(status, report)| report.results(*status));
    Ok(Story { results, ..Story::default() })
}
