//! Muted notifications: by maintenance, silences, acknowledgements and flapping.
//!
//! Checks go on and the status follows them; only notifications of failures and of their ends wait. A
//! row remembers the status of which receivers were notified last, and when nothing mutes it any more
//! they are notified of what differs, if something still does. Changes of status besides are
//! notified at once, and so is the end of an incident by an operator.

use super::case::{Case, Decided, Need};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use super::effects::Effect;
use super::notify::{Notice, Stories, Story};
use super::row::{Flapping, Mute, Row};
use super::{incident, outage};
use crate::domain::{EndedBy, EventType, Policy, ReportStatus, Status, Subject};

/// Returns what mutes the notifications about `row` for longest.
pub(super) fn muted_by(draft: &Draft<'_>, row: &Row) -> Decided<Option<Mute>> {
    let (now, about) = (draft.now(), row.about());
    let mut mutes = Vec::new();
    let begun = draft.case.silences()?.iter().filter(|silence| silence.from <= now);
    for silence in begun {
        let (covers, what) = match silence.acknowledges {
            Some(id) => (id == row.id, "acknowledgement"),
            None => (silence.selection.fits(about), "silence"),
        };
        if covers {
            mutes.push(Mute { until: silence.until, by: format!("{what} {}", silence.id) });
        }
    }
    let windows = draft.context.maintenance.iter();
    for window in windows.filter(|window| window.selection.fits(about)) {
        let until = window.open_until(now);
        let by = || format!("maintenance `{}`", window.name);
        mutes.extend(until.map(|until| Mute { until, by: by() }));
    }
    let flapping = row.flapping.filter(|flapping| now < flapping.until);
    mutes.extend(flapping.map(|one| Mute { until: one.until, by: "flapping".to_owned() }));
    Ok(mutes.into_iter().max_by_key(|mute| mute.until))
}

/// Notifies receivers that a run of the configuration in force has moved `row`, unless that is muted.
/// More changes than the policy allows are flapping: one event says so, and the rest waits.
pub(super) fn notify_flip(
    draft: &mut Draft<'_>,
    row: &mut Row,
    stories: Stories,
    policy: &Policy,
) -> Decided<()> {
    let now = draft.now();
    if let Some(flapping) = &mut row.flapping {
        flapping.until = now.plus(policy.flap_calm);
    }
    row.mute = muted_by(draft, row)?;
    if row.mute.is_some() {
        drop_unknown(draft, row);
        return Ok(());
    }
    let group = group_of(draft, row)?;
    // A change that belongs to an outage is notified with it.
    if group.is_none() && row.flips.add(policy, now) {
        let until = now.plus(policy.flap_calm);
        row.flapping = Some(Flapping { since: now, until });
        row.mute = Some(Mute { until, by: "flapping".to_owned() });
        return flap(draft, row, EventType::FlappingStarted, stories.first);
    }
    announce(draft, row, group, stories)
}

/// Notifies receivers of a failure, or of the end of one, unless that is muted.
pub(super) fn notify_news(draft: &mut Draft<'_>, row: &mut Row, story: Story) -> Decided<()> {
    row.mute = muted_by(draft, row)?;
    if row.mute.is_some() {
        return Ok(());
    }
    announce(draft, row, None, Stories::from(story))
}

/// Drops an incident that is over and of which receivers were never notified.
fn drop_unknown(draft: &mut Draft<'_>, row: &mut Row) {
    if !row.status.is_error() && !row.is_incident_known() {
        incident::drop_open(draft, row);
    }
}

/// Returns the outage that the status of `row` belongs to, which may begin with it.
fn group_of(draft: &mut Draft<'_>, row: &mut Row) -> Decided<Option<String>> {
    if row.status == Status::RecurringValidationError {
        outage::join(draft, row)?;
    }
    Ok(row.outage.clone())
}

/// Notifies receivers of the status that `row` has: a failure, or the end of its incident. When the
/// configuration in force passes again while a pending operation still fails, the incident ends as
/// well, and another one begins for that operation.
fn announce(
    draft: &mut Draft<'_>,
    row: &mut Row,
    group: Option<String>,
    stories: Stories,
) -> Decided<()> {
    let Stories { first, pending } = stories;
    let fails = row.status.is_error();
    if fails && !is_split(row) {
        return incident::fail(draft, row, Story { group, ..first });
    }
    incident::end_known(draft, row, EndedBy::Passed, &Story { group, ..first })?;
    outage::recover(draft, row)?;
    if fails {
        incident::fail(draft, row, pending)?;
    }
    Ok(())
}

/// Returns true when receivers were notified of a failure of the configuration in force, which is over,
/// and a pending operation still fails.
fn is_split(row: &Row) -> bool {
    row.is_incident_known()
        && row.active.failing_since.is_none()
        && row.notified == Status::RecurringValidationError
        && row.status != Status::RecurringValidationError
        && row.status.is_error()
}

/// Notifies receivers that flapping begins or ends. One that is notified of an incident by this waits
/// for its end.
fn flap(draft: &mut Draft<'_>, row: &mut Row, kind: EventType, story: Story) -> Decided<()> {
    incident::mark_known(row);
    draft.emit(row, Notice { kind, previous: Some(row.notified) }, story)
}

/// Notifies receivers of warnings that changed, or remembers that it has to.
pub(super) fn notify_warning(draft: &mut Draft<'_>, row: &mut Row, story: Story) -> Decided<()> {
    row.mute = muted_by(draft, row)?;
    if row.mute.is_some() {
        row.warning_muted = true;
        return Ok(());
    }
    warn(draft, row, story)
}

fn warn(draft: &mut Draft<'_>, row: &mut Row, story: Story) -> Decided<()> {
    let previous = Some(row.status);
    draft.emit(row, Notice { kind: EventType::ValidationWarning, previous }, story)
}

/// Looks whether notifications about `row` are still muted; if not, notifies receivers of what still
/// differs. Returns true when the mute has ended.
pub(super) fn reevaluate(draft: &mut Draft<'_>, row: &mut Row) -> Decided<bool> {
    if row.mute.is_none() {
        return Ok(false);
    }
    row.mute = muted_by(draft, row)?;
    if row.mute.is_some() {
        return Ok(false);
    }
    let flapped = row.flapping.take().is_some();
    let warned = std::mem::take(&mut row.warning_muted);
    if flapped {
        row.flips.0.clear();
        let story = stored_story(draft, row, subject_of(row))?;
        flap(draft, row, EventType::FlappingEnded, story)?;
    }
    if row.has_news() {
        let group = group_of(draft, row)?;
        let stories = stored_stories(draft, row)?;
        announce(draft, row, group, stories)?;
    } else if warned && !flapped && warns(draft, row)? {
        let story = stored_story(draft, row, subject_of(row))?;
        warn(draft, row, story)?;
    }
    drop_unknown(draft, row);
    row.notified = if row.incident.is_none() { row.status } else { row.notified };
    Ok(true)
}

fn warns(draft: &Draft<'_>, row: &Row) -> Decided<bool> {
    let Some(run) = row.active.last_run else { return Ok(false) };
    let latest = draft.case.results(Need::Results(run))?.as_ref();
    Ok(latest.is_some_and(|(status, _)| *status == ReportStatus::Warning))
}

/// Returns the configuration that the status is about.
fn subject_of(row: &Row) -> Subject {
    row.failing_subject().unwrap_or(Subject::Active)
}

/// Returns the latest results of one configuration, in comparison with the latest before them that went
/// the other way.
fn stored_story(draft: &Draft<'_>, row: &Row, subject: Subject) -> Decided<Story> {
    let Story { results, .. } = incident::latest_story(draft, row)?;
    let Some(run) = row.progress(subject).last_run else {
        return Ok(Story { results, ..Story::default() });
    };
    let Some((status, latest)) = draft.case.results(Need::Results(run))? else {
        return Ok(Story { results, ..Story::default() });
    };
    let other = if *status == ReportStatus::Failed {
        Need::LatestGood(row.id, Some(run))
    } else {
        let is_active = row.notified == Status::RecurringValidationError;
        Need::LatestBad(row.id, is_active.then_some(Subject::Active), Some(run))
    };
    let before = draft.case.results(other)?.as_ref().map(|(_, report)| report);
    Ok(Story { results, changes: latest.changes(before), ..Story::default() })
}

/// Returns the latest results behind the status that `row` has.
pub(super) fn latest_failure(draft: &Draft<'_>, row: &Row) -> Decided<Story> {
    stored_story(draft, row, subject_of(row))
}

/// Returns the stories of what receivers do not know yet.
fn stored_stories(draft: &Draft<'_>, row: &Row) -> Decided<Stories> {
    if !is_split(row) {
        return Ok(stored_story(draft, row, subject_of(row))?.into());
    }
    let first = stored_story(draft, row, Subject::Active)?;
    let pending = stored_story(draft, row, subject_of(row))?;
    Ok(Stories { first, pending })
}

/// Decides whether the notifications about `row` are still muted, and what follows when they are not.
/// The answer is true when the mute has ended.
pub(crate) fn release(
    case: &Case,
    row: &Row,
    context: &NotificationContext,
) -> Decided<Decision<bool>> {
    let (mut draft, mut row) = (Draft::new(case, context), row.clone());
    let has_ended = reevaluate(&mut draft, &mut row)?;
    draft.push(Effect::SaveRow(Box::new(row)));
    Ok(draft.decide(has_ended))
}
