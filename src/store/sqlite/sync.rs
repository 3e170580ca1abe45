//! Brings the rows in line with the configuration: what is new, changed, gone, disabled, upgraded.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::asked::Asked;
use super::checksum::sound;
use super::clock_rollback::reschedule;
use super::outage::set_factors;
use super::receiver::configure;
use super::row::row_columns;
use super::writer::attempt;
use super::{
    Configured, NotificationContext, StoreError, Synced, Wanted, configuration, row, wake,
};
use crate::domain::ledger::{self, Case, Row, Stored};
use crate::domain::{Status, Transition};

/// Makes every row what the configuration says, and notifies receivers once of all that this changed.
pub(super) fn apply(
    tx: &Connection,
    configured: &Configured,
    startup: bool,
    context: &NotificationContext,
) -> Result<Synced, StoreError> {
    let mut synced = sync(tx, configured, startup, context)?;
    let asked = Asked { now: context.now, ..Asked::default() };
    let announce = |case: &Case| ledger::announce_changes(case, &synced.changes, context);
    synced.is_announced = asked.decide(tx, announce)?;
    Ok(synced)
}

/// Makes every row what the configuration says; rows it does not name are removed, step by step.
pub(super) fn sync(
    tx: &Connection,
    configured: &Configured,
    startup: bool,
    context: &NotificationContext,
) -> Result<Synced, StoreError> {
    if startup {
        reschedule(tx, &[], context.now)?;
    }
    let mut stored = live(tx)?;
    let mut synced = Synced::default();
    let Configured { integrations: wanted, receivers, .. } = configured;
    synced.idle = configure(tx, receivers, context, &mut synced.changes)?;
    // Other windows may be configured now.
    Asked::default().apply_all(tx, &[ledger::reevaluate_mutes(context.now)])?;
    wake::replan(tx, context)?;
    let known = Known::new(tx, wanted, &stored)?;
    for wanted in wanted {
        let (id, step) = if let Some(stored) = known.find(tx, wanted, &mut stored)? {
            let asked = Asked { row: Some(&stored.row), now: context.now, ..Asked::default() };
            if matches!(stored.row.status, Status::Deleted | Status::Deleting) {
                synced.changes.added.add(&wanted.name);
            } else if stored.is_changed_by(wanted) {
                synced.changes.changed.add(&wanted.name);
            }
            let adjust = |case: &Case| ledger::adjust(case, &stored, wanted, startup, context);
            (stored.row.id, asked.decide(tx, adjust)?)
        } else {
            synced.changes.added.add(&wanted.name);
            let id = configuration::new_id(tx, wanted.id)?;
            let asked = Asked { now: context.now, ..Asked::default() };
            (id, asked.decide(tx, |case| ledger::create(case, id, wanted, context))?)
        };
        set_factors(tx, id, &wanted.factors)?;
        synced.ids.insert(wanted.name.clone(), id);
        synced.note(&wanted.name, step);
    }
    for (name, gone) in stored {
        if gone.row.status != Status::Deleting {
            synced.changes.removed.add(&name);
        }
        synced.note(&name, remove(tx, &gone.row, context)?);
    }
    Ok(synced)
}

/// Rows that integrations of a configuration are about.
struct Known<'a> {
    names: BTreeSet<&'a str>,
    renames: BTreeMap<&'a str, &'a str>,
}

impl<'a> Known<'a> {
    /// Returns the rows by name, and frees the names of those that get another one.
    fn new(
        tx: &Connection,
        wanted: &'a [Wanted],
        live: &BTreeMap<String, Stored>,
    ) -> Result<Self, StoreError> {
        let used = live.iter().map(|(name, one)| (name.as_str(), one.formerly.as_deref()));
        let renames = ledger::renames(wanted, &used.collect());
        for former in renames.values().filter_map(|former| live.get(*former)) {
            configuration::free_name(tx, former.row.id)?;
        }
        let names = wanted.iter().map(|one| one.name.as_str()).collect();
        Ok(Self { names, renames })
    }

    /// Returns the row that `wanted` is about: of the name that it had before, of its own, or of one that was
    /// deleted.
    fn find(
        &self,
        tx: &Connection,
        wanted: &Wanted,
        live: &mut BTreeMap<String, Stored>,
    ) -> Result<Option<Stored>, StoreError> {
        let name = wanted.name.as_str();
        let former = self.renames.get(name).copied();
        if let Some(found) = live.remove(former.unwrap_or(name)) {
            return Ok(Some(found));
        }
        let former = wanted.formerly.as_deref().filter(|name| !self.names.contains(name));
        for name in [Some(name), former].into_iter().flatten() {
            if let Some(found) = deleted(tx, name)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Ends the removals that no run delays any more.
pub(super) fn drain(tx: &Connection, context: &NotificationContext) -> Result<Synced, StoreError> {
    let mut synced = Synced::default();
    for row in deleting(tx)? {
        let name = row.name.clone();
        synced.note(&name, remove(tx, &row, context)?);
    }
    Ok(synced)
}

fn stored(row: &SqlRow<'_>) -> Result<Stored, StoreError> {
    Ok(Stored {
        row: row::read(row)?,
        formerly: row.get("formerly")?,
        auto_bootstrap: row.get("auto_bootstrap")?,
        config_shown: row.get("config_shown")?,
        active_config: row.get("active_config")?,
        active_catalog: row.get("active_catalog")?,
        candidate_config: row.get("candidate_config")?,
        candidate_catalog: row.get("candidate_catalog")?,
        pool: None,
    })
}

/// Columns of a row with what is compared with the configuration.
macro_rules! stored_columns {
    () => {
        concat!(
            "SELECT ",
            row_columns!(),
            ", formerly, auto_bootstrap, config_shown, active_config, active_catalog, candidate_config,
               candidate_catalog, ",
            sound!(integration "integration"),
            " FROM integration JOIN configuration ON integration_id = id "
        )
    };
}

/// Loads the latest of the deleted integrations of this name.
fn deleted(tx: &Connection, name: &str) -> Result<Option<Stored>, StoreError> {
    let mut statement = tx.prepare_cached(DELETED)?;
    let mut rows = statement.query(named_params! {":name": name})?;
    rows.next()?.map(stored).transpose()
}

/// Deleted integrations of a name, the latest first.
pub(super) const DELETED: &str = concat!(
    stored_columns!(),
    "WHERE name = :name AND status = 'deleted' ORDER BY id DESC LIMIT 1"
);

/// Loads the integrations that are not deleted, by name.
pub(super) fn live(tx: &Connection) -> Result<BTreeMap<String, Stored>, StoreError> {
    const SQL: &str = concat!(stored_columns!(), "WHERE status <> 'deleted'");
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_and_then([], |row| {
        let stored = stored(row)?;
        Ok((stored.row.name.clone(), stored))
    })?;
    found.collect()
}

/// The rows being removed.
pub(super) const DELETING: &str = concat!(
    "SELECT ",
    row_columns!(),
    ", ",
    sound!(integration "integration"),
    " FROM integration WHERE status = 'deleting' ORDER BY id"
);

fn deleting(tx: &Connection) -> Result<Vec<Row>, StoreError> {
    let mut statement = tx.prepare_cached(DELETING)?;
    let found = statement.query_and_then([], row::read)?;
    found.collect()
}

/// Takes `row` out of use, and ends that at once unless a run has to be waited for.
fn remove(
    tx: &Connection,
    row: &Row,
    context: &NotificationContext,
) -> Result<Vec<Transition>, StoreError> {
    let asked = Asked { row: Some(row), now: context.now, ..Asked::default() };
    let (row, step) = asked.decide(tx, |case| ledger::remove(case, row, context))?;
    let ended = if row.is_leased(context.now) { None } else { end_removal(tx, &row, context)? };
    Ok(step.into_iter().chain(ended).collect())
}

/// Ends a removal; where that cannot be stored, the row goes back to being watched.
fn end_removal(
    tx: &Connection,
    row: &Row,
    context: &NotificationContext,
) -> Result<Option<Transition>, StoreError> {
    let asked = Asked { row: Some(row), now: context.now, ..Asked::default() };
    let end = || asked.decide(tx, |case| ledger::drain(case, row, context));
    match attempt(tx, end, Result::is_ok)? {
        Err(error) if !tx.is_autocommit() => {
            let reason: &dyn Error = &error;
            tracing::error!(integration = row.name, error = reason, "removal could not be stored");
            asked.decide(tx, |case| ledger::roll_back_removal(case, row, context))
        }
        done => done,
    }
}
