//! Muted notifications: by maintenance, silences, acknowledgements and flapping.
//!
//! Checks go on and the status follows them; only notifications wait. A row remembers the status of
//! which receivers were notified last, and when nothing mutes it any more they are notified of what
//! differs, if something still does. An operation is notified at once, since its operator waits for it.

use super::case::{Case, Decided, Need};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use super::effects::Effect;
use super::notify::{Notice, Story};
use super::outage;
use super::row::{Flapping, Mute, Row};
use crate::domain::{EventType, Policy, ReportStatus, Status};

/// Returns what mutes the notifications about `row` for longest.
pub(super) fn muted_by(draft: &Draft<'_>, row: &Row) -> Decided<Option<Mute>> {
    let (now, about) = (draft.now(), row.about());
    let mut mutes = Vec::new();
    for silence in draft.case.silences()? {
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

/// Notifies receivers that a recurring validation has moved `row`, which has taken `step`, unless that
/// is muted. More changes than the policy allows are flapping: one event says so, and the rest waits.
pub(super) fn notify_flip(
    draft: &mut Draft<'_>,
    row: &mut Row,
    story: Story,
    policy: &Policy,
) -> Decided<()> {
    let now = draft.now();
    if let Some(flapping) = &mut row.flapping {
        flapping.until = now.plus(policy.flap_calm);
    }
    row.mute = muted_by(draft, row)?;
    if row.mute.is_some() {
        row.close_incident();
        return Ok(());
    }
    let group = group_of(draft, row)?;
    // A change that belongs to an outage is notified with it.
    if group.is_none() && row.flips.add(policy, now) {
        let until = now.plus(policy.flap_calm);
        row.flapping = Some(Flapping { since: now, until });
        row.mute = Some(Mute { until, by: "flapping".to_owned() });
        return announce(draft, row, EventType::FlappingStarted, story);
    }
    announce_flip(draft, row, Story { group, ..story })
}

/// Returns the outage that the status of `row` belongs to, which may begin with it.
fn group_of(draft: &mut Draft<'_>, row: &mut Row) -> Decided<Option<String>> {
    if row.status == Status::RecurringValidationError {
        outage::join(draft, row)?;
    }
    Ok(row.outage.clone())
}

/// Notifies receivers of the status between `enabled` and `recurringValidationError` that `row` has.
fn announce_flip(draft: &mut Draft<'_>, row: &mut Row, story: Story) -> Decided<()> {
    if row.status == Status::RecurringValidationError {
        return announce(draft, row, EventType::ValidationFailed, story);
    }
    announce(draft, row, EventType::ValidationRecovered, story)?;
    outage::recover(draft, row)
}

fn announce(draft: &mut Draft<'_>, row: &mut Row, kind: EventType, story: Story) -> Decided<()> {
    let previous = Some(row.notified);
    draft.emit(row, Notice { kind, previous }, story)?;
    row.notified = row.status;
    row.close_incident();
    Ok(())
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
        let story = stored_story(draft, row)?;
        announce(draft, row, EventType::FlappingEnded, story)?;
    } else if row.notified != row.status {
        let group = group_of(draft, row)?;
        let story = stored_story(draft, row)?;
        announce_flip(draft, row, Story { group, ..story })?;
    } else if warned && warns(draft, row)? {
        let story = stored_story(draft, row)?;
        warn(draft, row, story)?;
    }
    row.close_incident();
    Ok(true)
}

fn warns(draft: &Draft<'_>, row: &Row) -> Decided<bool> {
    let Some(run) = row.last_run else { return Ok(false) };
    let latest = draft.case.results(Need::Results(run))?.as_ref();
    Ok(latest.is_some_and(|(status, _)| *status == ReportStatus::Warning))
}

/// Returns the latest results, in comparison with the latest before them that went the other way.
fn stored_story(draft: &Draft<'_>, row: &Row) -> Decided<Story> {
    let Some(run) = row.last_run else { return Ok(Story::default()) };
    let Some((status, latest)) = draft.case.results(Need::Results(run))? else {
        return Ok(Story::default());
    };
    let other = if *status == ReportStatus::Failed {
        Need::LatestGood(row.id, Some(run))
    } else {
        Need::LatestBad(row.id, Some(run))
    };
    let before = draft.case.results(other)?.as_ref().map(|(_, report)| report);
    let (results, changes) = (Some(latest.results(*status)), latest.changes(before));
    Ok(Story { results, changes, ..Story::default() })
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
