//! Brings the rows in line with the configuration: what is new, changed, gone, disabled, upgraded.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use tokio_postgres::Row as SqlRow;

use super::asked::Asked;
use super::clock_rollback::reschedule;
use super::cluster::{self, Files, Fit, Own};
use super::outage::set_factors;
use super::row::{row_columns, row_tables};
use super::tx::{Params, Reads, Tx, get, params};
use super::{
    Configured, NotificationContext, StoreError, Synced, Wanted, configuration, gate, known,
    receiver, row,
};
use crate::domain::ledger::{self, Case, Row, Stored};
use crate::domain::{Changes, Status, Subscription, Transition};

/// Makes every row what the configuration says, and notifies receivers once of all that this changed; unless the
/// cluster has it already, or another one.
pub(super) async fn apply(
    tx: &Tx,
    configured: &Configured,
    files: &Files,
    own: Own<'_>,
    context: &NotificationContext,
) -> Result<(Fit, Synced), StoreError> {
    gate::lock(tx, gate::CONFIG).await?;
    let fit = cluster::compare(tx, files, configured.publishing, own).await?;
    let synced = match &fit {
        Fit::Apply(generation) => {
            let synced = change(tx, configured, own.is_starting, context).await?;
            cluster::put_in_force(tx, files, *generation, own.name, context.now).await?;
            synced
        }
        Fit::Join(_) => Synced {
            ids: live(tx).await?.into_iter().map(|(name, one)| (name, one.row.id)).collect(),
            idle: receiver::idle(tx).await?,
            ..Synced::default()
        },
        Fit::Wait(_, reason) => Synced { waits_for: Some(reason.clone()), ..Synced::default() },
    };
    if let Fit::Apply(generation) | Fit::Join(generation) = &fit {
        cluster::note(tx, own.name, *generation).await?;
    }
    Ok((fit, synced))
}

/// Makes every row what the configuration says, and notifies receivers once of all that this changed.
async fn change(
    tx: &Tx,
    configured: &Configured,
    startup: bool,
    context: &NotificationContext,
) -> Result<Synced, StoreError> {
    let mut synced = sync(tx, configured, startup, context).await?;
    let asked = Asked { now: context.now, ..Asked::default() };
    let announce = |case: &Case| ledger::announce_changes(case, &synced.changes, context);
    synced.is_announced = asked.decide(tx, announce).await?;
    Ok(synced)
}

/// Makes every row what the configuration says; rows it does not name are removed, step by step.
async fn sync(
    tx: &Tx,
    configured: &Configured,
    startup: bool,
    context: &NotificationContext,
) -> Result<Synced, StoreError> {
    let mut stored = lock_live(tx).await?;
    if startup {
        reschedule(tx, &[], context.now).await?;
    }
    let mut synced = Synced::default();
    let Configured { integrations: wanted, receivers, .. } = configured;
    configure(tx, receivers, context, &mut synced.changes).await?;
    synced.idle = receiver::idle(tx).await?;
    // Other windows may be configured now.
    Asked::default().apply_all(tx, &[ledger::reevaluate_mutes(context.now)]).await?;
    replan(tx, context).await?;
    let known = Known::new(tx, wanted, &stored).await?;
    for wanted in wanted {
        let (id, step) = if let Some(stored) = known.find(tx, wanted, &mut stored).await? {
            let asked = Asked { row: Some(&stored.row), now: context.now, ..Asked::default() };
            if matches!(stored.row.status, Status::Deleted | Status::Deleting) {
                synced.changes.added.add(&wanted.name);
            } else if stored.is_changed_by(wanted) {
                synced.changes.changed.add(&wanted.name);
            }
            let adjust = |case: &Case| ledger::adjust(case, &stored, wanted, startup, context);
            (stored.row.id, asked.decide(tx, adjust).await?)
        } else {
            synced.changes.added.add(&wanted.name);
            let id = configuration::new_id(tx, wanted.id).await?;
            let asked = Asked { now: context.now, ..Asked::default() };
            let create = |case: &Case| ledger::create(case, id, wanted, context);
            (id, asked.decide(tx, create).await?)
        };
        set_factors(tx, id, &wanted.factors).await?;
        synced.ids.insert(wanted.name.clone(), id);
        synced.note(&wanted.name, step);
    }
    for (name, gone) in stored {
        if gone.row.status != Status::Deleting {
            synced.changes.removed.add(&name);
        }
        synced.note(&name, remove(tx, &gone.row, context).await?);
    }
    Ok(synced)
}

/// Stores which receivers are configured, and counts what that changes.
async fn configure(
    tx: &Tx,
    tables: &BTreeMap<String, String>,
    context: &NotificationContext,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    const NONE: &str = "
        UPDATE revalidated.receiver SET configured = FALSE
        WHERE configured AND name <> ALL($1)";
    const NAMES: &str = "
        INSERT INTO revalidated.receiver (name, configured, config)
        SELECT name, TRUE, config FROM unnest($1, $2) AS new (name, config) ORDER BY name
        ON CONFLICT (name) DO UPDATE SET configured = TRUE, config = EXCLUDED.config
        WHERE (receiver.configured, receiver.config) IS DISTINCT FROM (TRUE, EXCLUDED.config)";
    let mut former = receiver::configurations(tx).await?;
    let (mut names, mut configs) = (Vec::new(), Vec::new());
    for Subscription { receiver, .. } in context.subscriptions.iter() {
        let table = tables.get(receiver);
        match former.remove(receiver) {
            None => changes.receivers_added.add(receiver),
            Some(stored) if stored.as_ref().is_some_and(|stored| table != Some(stored)) => {
                changes.receivers_changed.add(receiver);
            }
            Some(_) => {}
        }
        names.push(receiver.as_str());
        configs.push(table.map(String::as_str));
    }
    for gone in former.keys() {
        changes.receivers_removed.add(gone);
    }
    tx.execute(NONE, params![names => TEXT_ARRAY]).await?;
    tx.execute(NAMES, params![names => TEXT_ARRAY, configs => TEXT_ARRAY]).await?;
    Ok(())
}

/// Plans anew what receivers are to be sent of incidents that last, by another configuration.
async fn replan(tx: &Tx, context: &NotificationContext) -> Result<(), StoreError> {
    let all = known::all(tx).await?;
    let effects: Vec<_> = all.iter().filter_map(|one| ledger::replan(one, context)).collect();
    Asked::default().apply_all(tx, &effects).await
}

/// Rows that integrations of a configuration are about.
struct Known<'a> {
    names: BTreeSet<&'a str>,
    renames: BTreeMap<&'a str, &'a str>,
}

impl<'a> Known<'a> {
    /// Returns the rows by name, and frees the names of those that get another one.
    async fn new(
        tx: &Tx,
        wanted: &'a [Wanted],
        live: &BTreeMap<String, Stored>,
    ) -> Result<Self, StoreError> {
        let used = live.iter().map(|(name, one)| (name.as_str(), one.formerly.as_deref()));
        let renames = ledger::renames(wanted, &used.collect());
        for former in renames.values().filter_map(|former| live.get(*former)) {
            configuration::free_name(tx, former.row.id).await?;
        }
        let names = wanted.iter().map(|one| one.name.as_str()).collect();
        Ok(Self { names, renames })
    }

    /// Returns the row that `wanted` is about: of the name that it had before, of its own, or of one that was
    /// deleted.
    async fn find(
        &self,
        tx: &Tx,
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
            if let Some(found) = deleted(tx, name).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Ends the removals that no run delays any more.
pub(super) async fn drain(tx: &Tx, context: &NotificationContext) -> Result<Synced, StoreError> {
    const DELETING: &str = "SELECT id FROM revalidated.integration WHERE status = 'deleting'";
    let found = tx.rows(DELETING, &[]).await?;
    let ids = found.iter().map(|row| get(row, "id")).collect::<Result<Vec<i64>, _>>()?;
    let mut synced = Synced::default();
    for row in row::lock_all(tx, &ids).await?.into_values() {
        if row.status == Status::Deleting {
            let name = row.name.clone();
            synced.note(&name, remove(tx, &row, context).await?);
        }
    }
    Ok(synced)
}

fn stored(row: &SqlRow) -> Result<Stored, StoreError> {
    let catalog = |column| {
        let found: Option<i64> = get(row, column)?;
        Ok::<_, StoreError>(found.map(|version| u32::try_from(version).unwrap_or(0)))
    };
    Ok(Stored {
        row: row::read(row)?,
        formerly: get(row, "formerly")?,
        auto_bootstrap: get(row, "auto_bootstrap")?,
        config_shown: get(row, "config_shown")?,
        active_config: get(row, "active_config")?,
        active_catalog: catalog("active_catalog")?,
        candidate_config: get(row, "candidate_config")?,
        candidate_catalog: catalog("candidate_catalog")?,
        pool: Some(get(row, "pool")?),
    })
}

/// Columns of a row with what is compared with the configuration.
macro_rules! stored_columns {
    () => {
        concat!(
            "SELECT ",
            row_columns!(),
            ", formerly, auto_bootstrap, config_shown, active_config, active_catalog, candidate_config,
               candidate_catalog, pool ",
            row_tables!(),
            "JOIN revalidated.configuration ON configuration.integration_id = integration.id "
        )
    };
}

/// Locks and loads the latest of the deleted integrations of this name.
async fn deleted(tx: &Tx, name: &str) -> Result<Option<Stored>, StoreError> {
    const SQL: &str = concat!(
        stored_columns!(),
        "WHERE name = $1 AND status = 'deleted' ORDER BY id DESC LIMIT 1
         FOR NO KEY UPDATE OF work, integration"
    );
    tx.row(SQL, params![name => TEXT]).await?.as_ref().map(stored).transpose()
}

/// Loads the integrations that are not deleted, by name.
pub(super) async fn live(tx: &Reads) -> Result<BTreeMap<String, Stored>, StoreError> {
    const SQL: &str = concat!(stored_columns!(), "WHERE status <> 'deleted'");
    by_name(tx, SQL, &[]).await
}

/// Locks and loads the integrations that are not deleted, by name.
async fn lock_live(tx: &Tx) -> Result<BTreeMap<String, Stored>, StoreError> {
    const SQL: &str = concat!(
        stored_columns!(),
        "WHERE status <> 'deleted' ORDER BY work.integration_id
         FOR NO KEY UPDATE OF work, integration"
    );
    by_name(tx, SQL, &[]).await
}

async fn by_name(
    tx: &Reads,
    sql: &str,
    params: Params<'_>,
) -> Result<BTreeMap<String, Stored>, StoreError> {
    let found = tx.rows(sql, params).await?;
    let read = |row| stored(row).map(|stored| (stored.row.name.clone(), stored));
    found.iter().map(read).collect()
}

/// Takes `row` out of use, and ends that at once unless a run has to be waited for.
async fn remove(
    tx: &Tx,
    row: &Row,
    context: &NotificationContext,
) -> Result<Vec<Transition>, StoreError> {
    let asked = Asked { row: Some(row), now: context.now, ..Asked::default() };
    let (row, step) = asked.decide(tx, |case| ledger::remove(case, row, context)).await?;
    let is_leased = row.is_leased(context.now);
    let ended = if is_leased { None } else { end_removal(tx, &row, context).await? };
    Ok(step.into_iter().chain(ended).collect())
}

fn not_removed(row: &Row, error: &StoreError) {
    let reason: &dyn Error = error;
    tracing::error!(integration = row.name, error = reason, "removal could not be stored");
}

/// Ends a removal; where that cannot be stored, the row goes back to being watched.
async fn end_removal(
    tx: &Tx,
    row: &Row,
    context: &NotificationContext,
) -> Result<Option<Transition>, StoreError> {
    let asked = Asked { row: Some(row), now: context.now, ..Asked::default() };
    tx.batch("SAVEPOINT attempt").await?;
    match asked.decide(tx, |case| ledger::drain(case, row, context)).await {
        Ok(done) => {
            tx.batch("RELEASE SAVEPOINT attempt").await?;
            Ok(done)
        }
        Err(error) if error.fault().is_some_and(super::error::Fault::is_transient) => Err(error),
        Err(error) => {
            tx.batch("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt").await?;
            not_removed(row, &error);
            asked.decide(tx, |case| ledger::roll_back_removal(case, row, context)).await
        }
    }
}
