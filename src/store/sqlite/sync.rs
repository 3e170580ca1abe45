//! Brings the rows in line with the configuration: what is new, changed, gone, disabled, upgraded.

use std::collections::BTreeMap;
use std::error::Error;

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::event::{Story, announce, flip};
use super::outage::set_factors;
use super::receiver::configure;
use super::row::{Row, row_columns};
use super::set_back::{bring_near, set_back};
use super::silence::look_again;
use super::writer::attempt;
use super::{NotificationContext, StoreError, Synced, Trigger, Wanted, configuration};
use crate::domain::{Cause, IntegrationId, Schedule, Status, Timestamp, Transition, next_status};

/// Makes every row what `wanted` says; rows it does not name are removed, step by step.
pub(super) fn sync(
    tx: &Connection,
    wanted: &[Wanted],
    startup: bool,
    tell: &NotificationContext,
) -> Result<Synced, StoreError> {
    if startup {
        set_back(tx, &[], tell.now)?;
    }
    let mut stored = live(tx)?;
    let mut synced = Synced { idle: configure(tx, tell)?, ..Synced::default() };
    // Other windows may be configured now.
    look_again(tx, tell.now)?;
    for wanted in wanted {
        let (id, steps) = match stored.remove(&wanted.name) {
            Some(stored) => adjust(tx, stored, wanted, startup, tell)?,
            None => create(tx, wanted, tell)?,
        };
        set_factors(tx, id, &wanted.factors)?;
        synced.ids.insert(wanted.name.clone(), id);
        synced.note(&wanted.name, steps);
    }
    for (name, gone) in stored {
        synced.note(&name, remove(tx, gone.row, tell)?);
    }
    Ok(synced)
}

/// Ends the removals that no run holds up any more.
pub(super) fn drain(tx: &Connection, tell: &NotificationContext) -> Result<Synced, StoreError> {
    let mut synced = Synced::default();
    for row in deleting(tx)? {
        let name = row.name.clone();
        synced.note(&name, remove(tx, row, tell)?);
    }
    Ok(synced)
}

impl Synced {
    fn note(&mut self, name: &str, steps: Vec<Transition>) {
        self.transitions.extend(steps.into_iter().map(|step| (name.to_owned(), step)));
    }
}

/// A row with what is compared with the configuration.
#[derive(Debug)]
struct Stored {
    row: Row,
    auto_bootstrap: Option<bool>,
    config_shown: String,
    active_config: Option<String>,
    active_catalog: Option<u32>,
    candidate_config: Option<String>,
    candidate_catalog: Option<u32>,
}

impl Stored {
    fn read(row: &SqlRow<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            row: Row::read(row)?,
            auto_bootstrap: row.get("auto_bootstrap")?,
            config_shown: row.get("config_shown")?,
            active_config: row.get("active_config")?,
            active_catalog: row.get("active_catalog")?,
            candidate_config: row.get("candidate_config")?,
            candidate_catalog: row.get("candidate_catalog")?,
        })
    }

    /// True when `wanted` is to be validated anew.
    fn differs(&self, wanted: &Wanted) -> bool {
        let newest = self.candidate_config.as_ref().or(self.active_config.as_ref());
        newest != Some(&wanted.config)
            || self.row.kind != wanted.kind
            || self.auto_bootstrap != wanted.auto_bootstrap
    }

    /// What `wanted` does to it, if anything.
    fn cause(&self, wanted: &Wanted) -> Option<Cause> {
        let changed = || self.differs(wanted).then_some(Cause::Changed);
        if wanted.disabled {
            return (self.row.status != Status::Disabled).then_some(Cause::ForceDisabled);
        }
        match self.row.status {
            Status::Disabled if self.active_config.is_some() => Some(Cause::Reenabled),
            Status::Disabled => Some(Cause::ReenabledUntried),
            Status::Deleting | Status::DeleteError => Some(Cause::Changed),
            Status::Enabled | Status::RecurringValidationError => changed().or_else(|| {
                let older = self.active_catalog.is_some_and(|own| own < wanted.catalog_version);
                older.then_some(Cause::Upgraded)
            }),
            Status::CreateError
            | Status::Creating
            | Status::Deleted
            | Status::Editing
            | Status::EditError
            | Status::MigrateError
            | Status::Migrating => changed(),
        }
    }
}

fn live(tx: &Connection) -> Result<BTreeMap<String, Stored>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        row_columns!(),
        ", auto_bootstrap, config_shown, active_config, active_catalog, candidate_config,
           candidate_catalog
         FROM integration JOIN configuration ON integration_id = id WHERE status <> 'deleted'"
    );
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_and_then([], |row| {
        let stored = Stored::read(row)?;
        Ok((stored.row.name.clone(), stored))
    })?;
    found.collect()
}

/// The rows being removed.
pub(super) const DELETING: &str =
    concat!("SELECT ", row_columns!(), " FROM integration WHERE status = 'deleting' ORDER BY id");

fn deleting(tx: &Connection) -> Result<Vec<Row>, StoreError> {
    let mut statement = tx.prepare_cached(DELETING)?;
    let found = statement.query_and_then([], Row::read)?;
    found.collect()
}

type Done = (IntegrationId, Vec<Transition>);

fn create(
    tx: &Connection,
    wanted: &Wanted,
    tell: &NotificationContext,
) -> Result<Done, StoreError> {
    const SQL: &str = "
        INSERT INTO integration
            (name, kind, auto_bootstrap, labels, status, told_status, cron, zone, next_run_at_ms,
             next_trigger, created_at_ms)
        VALUES (:name, :kind, :auto_bootstrap, :labels, 'creating', 'creating', :cron, :zone, :now,
                'change', :now)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":name": wanted.name,
        ":kind": wanted.kind,
        ":auto_bootstrap": wanted.auto_bootstrap,
        ":labels": labels(wanted)?,
        ":cron": wanted.schedule.text(),
        ":zone": wanted.schedule.zone(),
        ":now": tell.now.0,
    })?;
    let id = IntegrationId(tx.last_insert_rowid());
    configuration::insert(tx, id, wanted)?;
    let mut steps = Vec::new();
    if let Some(mut row) = Row::load(tx, id)? {
        announce(tx, &mut row, tell)?;
        if wanted.disabled {
            steps.extend(take(tx, &mut row, Cause::ForceDisabled, tell)?);
            row.restart(None);
        }
        row.save(tx)?;
    }
    Ok((id, steps))
}

fn labels(wanted: &Wanted) -> Result<String, StoreError> {
    let document = |source| StoreError::Document { table: "integration", source };
    serde_json::to_string(&wanted.labels).map_err(document)
}

fn adjust(
    tx: &Connection,
    mut stored: Stored,
    wanted: &Wanted,
    startup: bool,
    tell: &NotificationContext,
) -> Result<Done, StoreError> {
    let cause = stored.cause(wanted);
    let retimed = describe(tx, &mut stored, wanted)?;
    let row = &mut stored.row;
    let step = cause.map(|cause| take(tx, row, cause, tell)).transpose()?.flatten();
    match (step, row.status) {
        (Some(_), Status::Disabled) => row.restart(None),
        (None, Status::Disabled) => return Ok((row.id, Vec::new())),
        (None, _) if cause.is_none() => {
            if !reschedule(row, wanted, retimed, startup, tell.now) {
                return Ok((row.id, Vec::new()));
            }
        }
        // Without a step, a candidate that is being validated is replaced by another one.
        (Some(_) | None, _) => {
            configuration::propose(tx, row.id, wanted)?;
            row.restart(Some(tell.now));
        }
    }
    row.save(tx)?;
    Ok((row.id, step.into_iter().collect()))
}

/// Stores what needs no validation; true when the schedule is another one.
fn describe(tx: &Connection, stored: &mut Stored, wanted: &Wanted) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE integration SET
            kind = :kind, auto_bootstrap = :auto_bootstrap, labels = :labels, cron = :cron,
            zone = :zone
        WHERE id = :id";
    let row = &mut stored.row;
    let (labels, schedule) = (labels(wanted)?, &wanted.schedule);
    let retimed = row.cron != schedule.text() || row.zone != schedule.zone();
    let same = !retimed
        && row.kind == wanted.kind
        && row.labels == labels
        && stored.auto_bootstrap == wanted.auto_bootstrap
        && stored.config_shown == wanted.config_shown
        && stored.candidate_catalog.is_none_or(|own| own == wanted.catalog_version);
    if !same {
        schedule.text().clone_into(&mut row.cron);
        schedule.zone().clone_into(&mut row.zone);
        row.kind.clone_from(&wanted.kind);
        row.labels = labels;
        tx.prepare_cached(SQL)?.execute(named_params! {
            ":id": row.id.0,
            ":kind": row.kind,
            ":auto_bootstrap": wanted.auto_bootstrap,
            ":labels": row.labels,
            ":cron": row.cron,
            ":zone": row.zone,
        })?;
        configuration::describe(tx, row.id, wanted)?;
    }
    Ok(retimed)
}

/// Sets when `row` is due by a new schedule, or after the daemon was down; false when nothing
/// changes.
fn reschedule(
    row: &mut Row,
    wanted: &Wanted,
    retimed: bool,
    startup: bool,
    now: Timestamp,
) -> bool {
    if bring_near(row, &wanted.schedule, now) {
        return true;
    }
    let overdue = row.next_run_at.is_some_and(|at| at < now);
    let in_flight = matches!(row.status, Status::Creating | Status::Editing | Status::Migrating);
    if startup && overdue && !in_flight && row.trigger != Trigger::Startup {
        row.next_run_at = Some(now.plus(wanted.schedule.spread_of(row.id, now)));
        row.trigger = Trigger::Startup;
        return true;
    }
    let waits = !overdue && !row.is_leased(now) && row.trigger == Trigger::Schedule;
    if retimed && waits {
        row.next_run_at = wanted.schedule.next_due(row.id, now);
        return true;
    }
    false
}

/// Takes the transition that `cause` makes, if it makes one; the caller saves the row.
fn take(
    tx: &Connection,
    row: &mut Row,
    cause: Cause,
    tell: &NotificationContext,
) -> Result<Option<Transition>, StoreError> {
    let step = next_status(row.status, cause);
    if let Some(step) = step {
        let story = Story::of_stored(tx, row)?;
        flip(tx, row, step, story, tell)?;
    }
    Ok(step)
}

/// Takes `row` out of use, and ends that at once unless a run has to be waited for.
fn remove(
    tx: &Connection,
    mut row: Row,
    tell: &NotificationContext,
) -> Result<Vec<Transition>, StoreError> {
    let mut steps = Vec::new();
    if row.status != Status::Deleting {
        steps.extend(take(tx, &mut row, Cause::Removed, tell)?);
        row.next_run_at = None;
        row.save(tx)?;
    }
    if !row.is_leased(tell.now) {
        steps.extend(end_removal(tx, row, tell)?);
    }
    Ok(steps)
}

/// Ends a removal; where that cannot be stored, the row goes back to being watched.
fn end_removal(
    tx: &Connection,
    mut row: Row,
    tell: &NotificationContext,
) -> Result<Option<Transition>, StoreError> {
    let mut ended = row.clone();
    let end = || {
        let step = take(tx, &mut ended, Cause::Drained, tell)?;
        ended.lease = None;
        ended.save(tx)?;
        Ok(step)
    };
    let stored = attempt(tx, end, Result::is_ok)?;
    match stored {
        Err(error) if !tx.is_autocommit() => {
            let reason: &dyn Error = &error;
            tracing::error!(integration = row.name, error = reason, "removal could not be stored");
            let step = take(tx, &mut row, Cause::RemovalFailed, tell)?;
            let schedule = Schedule::parse(&row.cron, &row.zone).ok();
            let next = schedule.and_then(|schedule| schedule.next_due(row.id, tell.now));
            row.restart(next);
            row.trigger = Trigger::Schedule;
            row.save(tx)?;
            Ok(step)
        }
        done => done,
    }
}
