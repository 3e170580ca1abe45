//! Messages that are held: by maintenance, silences, acknowledgements and flapping.
//!
//! Checks go on and the status follows them; only the telling waits. A row remembers what receivers
//! were told last, and when nothing holds its messages any more they are told what differs, if
//! something still does. What an operation does is told at once, since somebody waits for it.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::column::labels;
use super::event::{Story, emit, enter};
use super::outage;
use super::row::{Row, results};
use super::run::OTHER_WAY;
use super::silence::covering;
use super::{NotificationContext, Released, StoreError, StoredReport};
use crate::domain::{About, EventType, Policy, ReportStatus, Status, Timestamp, Transition};

/// What holds the messages of a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Hold {
    /// When to look whether it still does.
    pub(super) until: Timestamp,
    /// What it is, in words.
    pub(super) by: String,
}

/// A row whose status changes too often.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Flapping {
    /// Since when.
    pub(super) since: Timestamp,
    /// When it has been calm for long enough.
    pub(super) until: Timestamp,
}

/// What holds the messages of `row` for longest.
fn holding(
    tx: &Connection,
    row: &Row,
    tell: &NotificationContext,
) -> Result<Option<Hold>, StoreError> {
    let labels = labels(&row.labels)?;
    let about = About { name: &row.name, kind: &row.kind, labels: &labels };
    let mut holds = covering(tx, row, about, tell.now)?;
    for window in tell.maintenance.iter().filter(|window| window.selection.fits(about)) {
        let until = window.open_until(tell.now);
        holds.extend(until.map(|until| (until, format!("maintenance `{}`", window.name))));
    }
    let flapping = row.flapping.filter(|flapping| tell.now < flapping.until);
    holds.extend(flapping.map(|flapping| (flapping.until, "flapping".to_owned())));
    let longest = holds.into_iter().max_by_key(|(until, _)| *until);
    Ok(longest.map(|(until, by)| Hold { until, by }))
}

/// Takes the step of a recurring validation on `row`, which the caller saves, and tells of it, or
/// holds the message.
pub(super) fn flip(
    tx: &Connection,
    row: &mut Row,
    step: Transition,
    story: Story,
    (tell, policy): (&NotificationContext, &Policy),
) -> Result<(), StoreError> {
    enter(tx, row, step, &story, tell)?;
    if let Some(flapping) = &mut row.flapping {
        flapping.until = tell.now.plus(policy.flap_calm);
    }
    row.hold = holding(tx, row, tell)?;
    if row.hold.is_some() {
        row.close_incident();
        return Ok(());
    }
    let group = shared(tx, row, tell)?;
    // What belongs to an outage is told with it, and bothers nobody.
    let flaps = group.is_none() && row.flips.add(policy, tell.now);
    if flaps {
        let until = tell.now.plus(policy.flap_calm);
        row.flapping = Some(Flapping { since: tell.now, until });
        row.hold = Some(Hold { until, by: "flapping".to_owned() });
        return announce(tx, row, EventType::FlappingStarted, story, tell);
    }
    announce_flip(tx, row, Story { group, ..story }, tell)
}

/// The outage that the status of `row` belongs to, which may begin with it.
fn shared(
    tx: &Connection,
    row: &mut Row,
    tell: &NotificationContext,
) -> Result<Option<String>, StoreError> {
    if row.status == Status::RecurringValidationError {
        outage::join(tx, row, tell)?;
    }
    Ok(row.outage.clone())
}

/// Tells of a change between `enabled` and `recurringValidationError`, in an outage or by itself.
fn announce_flip(
    tx: &Connection,
    row: &mut Row,
    story: Story,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    let failed = row.status == Status::RecurringValidationError;
    let kind = if failed { EventType::ValidationFailed } else { EventType::ValidationRecovered };
    announce(tx, row, kind, story, tell)?;
    if failed { Ok(()) } else { outage::recovered(tx, row, tell) }
}

fn announce(
    tx: &Connection,
    row: &mut Row,
    kind: EventType,
    story: Story,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    let told = row.told;
    emit(tx, row, (kind, Some(told)), story, tell)?;
    row.told = row.status;
    row.close_incident();
    Ok(())
}

/// Tells of warnings that changed, or holds the message.
pub(super) fn warn(
    tx: &Connection,
    row: &mut Row,
    story: Story,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    row.hold = holding(tx, row, tell)?;
    if row.hold.is_some() {
        row.warning_held = true;
        return Ok(());
    }
    let kind = (EventType::ValidationWarning, Some(row.status));
    emit(tx, row, kind, story, tell)
}

/// Looks whether the messages of `row`, which the caller saves, are still held; if not, what still
/// differs is told. True when it was let go.
pub(super) fn settle(
    tx: &Connection,
    row: &mut Row,
    tell: &NotificationContext,
) -> Result<bool, StoreError> {
    if row.hold.is_none() {
        return Ok(false);
    }
    row.hold = holding(tx, row, tell)?;
    if row.hold.is_some() {
        return Ok(false);
    }
    let flapped = row.flapping.take().is_some();
    let warned = std::mem::take(&mut row.warning_held);
    let latest = row.last_run.map(|run| results(tx, run)).transpose()?.flatten();
    let warns = latest.as_ref().is_some_and(|(status, _)| *status == ReportStatus::Warning);
    if flapped {
        row.flips.0.clear();
        announce(tx, row, EventType::FlappingEnded, of_stored(tx, row)?, tell)?;
    } else if row.told != row.status {
        let group = shared(tx, row, tell)?;
        announce_flip(tx, row, Story { group, ..of_stored(tx, row)? }, tell)?;
    } else if warned && warns {
        let kind = (EventType::ValidationWarning, Some(row.status));
        emit(tx, row, kind, of_stored(tx, row)?, tell)?;
    }
    row.close_incident();
    Ok(true)
}

/// The latest results, in comparison with the latest that went the other way.
fn of_stored(tx: &Connection, row: &Row) -> Result<Story, StoreError> {
    let Some(run) = row.last_run else { return Ok(Story::default()) };
    let Some((status, latest)) = results(tx, run)? else { return Ok(Story::default()) };
    let good = status == ReportStatus::Failed;
    let params = named_params! {":id": row.id.0, ":run": run, ":good": good};
    let other: Option<i64> =
        tx.prepare_cached(OTHER_WAY)?.query_row(params, |row| row.get(0)).optional()?;
    let before = other.map(|id| results(tx, id)).transpose()?.flatten();
    let before: Option<StoredReport> = before.map(|(_, report)| report);
    Ok(Story {
        changes: latest.changes(before.as_ref()),
        results: Some(latest.results(status)),
        ..Story::default()
    })
}

/// Rows whose messages are held by something that may have ended.
pub(super) const ENDED: &str = "
    SELECT id FROM integration WHERE hold_until_ms <= :now ORDER BY hold_until_ms LIMIT :batch";

/// Looks at what is held, and at outages that may be over; at most about `batch` of each.
pub(super) fn release(
    tx: &Connection,
    batch: u32,
    tell: &NotificationContext,
) -> Result<Released, StoreError> {
    let mut released = Released::default();
    let mut statement = tx.prepare_cached(ENDED)?;
    let params = named_params! {":now": tell.now.0, ":batch": batch};
    let ids = statement.query_map(params, |row| row.get(0))?;
    for id in ids.collect::<Result<Vec<i64>, _>>()? {
        let Some(mut row) = Row::load(tx, crate::domain::IntegrationId(id))? else { continue };
        released.integrations += usize::from(settle(tx, &mut row, tell)?);
        row.save(tx)?;
    }
    released.outages = outage::settle(tx, batch, tell)?;
    Ok(released)
}

/// When there is something to look at next.
pub(super) const NEXT_AT: &str = "
    SELECT min(at_ms) FROM (
        SELECT min(hold_until_ms) AS at_ms FROM integration WHERE hold_until_ms IS NOT NULL
        UNION ALL
        SELECT min(settle_at_ms) FROM outage
        WHERE settle_at_ms IS NOT NULL AND resolved_at_ms IS NULL)";

/// The earliest instant at which something that is held may be told.
pub(super) fn next_at(tx: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = tx.prepare_cached(NEXT_AT)?.query_row([], |row| row.get(0))?;
    Ok(at.map(Timestamp))
}
