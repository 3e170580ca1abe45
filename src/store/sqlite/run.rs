//! The life of a run: begun under a lease, recorded under its token, or given back.

use rusqlite::{Connection, named_params};

use super::asked::{Asked, Recording};
use super::checksum::lease_moved;
use super::column::{Columns, parse, trigger};
use super::prepared::Prepared;
use super::{
    Began, Begun, Lease, NotificationContext, Recorded, Requested, StoreError, configuration,
    fingerprint, row,
};
use crate::domain::ledger::{self, Decision};
use crate::domain::{IntegrationId, Status, Timestamp};

/// The guard: due, which only what is validated ever is, and not leased to another run. The row is verified when the
/// run is recorded.
pub(super) const BEGIN: &str = "
    SELECT name, kind, status, pending_status, next_trigger, next_run_at_ms, fingerprint.content
    FROM integration LEFT JOIN fingerprint ON fingerprint.id = fingerprint_id
    WHERE integration.id = :id AND next_run_at_ms <= :now
      AND (lease_until_ms IS NULL OR lease_until_ms <= :now)";

/// Starts a run if it is due.
pub(super) fn begin(
    tx: &Connection,
    id: IntegrationId,
    lease: Lease,
    now: Timestamp,
) -> Result<Began, StoreError> {
    const LEASE: &str = concat!(
        "UPDATE integration SET lease_owner = :owner, lease_token = :token, lease_until_ms = :until, ",
        lease_moved!(3, ":owner, :token, :until"),
        " WHERE id = :id"
    );
    let mut statement = tx.prepare_cached(BEGIN)?;
    let mut rows = statement.query(named_params! {":id": id.0, ":now": now.0})?;
    let Some(row) = rows.next()? else {
        return why_not(tx, id, now);
    };
    let mut columns = Columns::of(row);
    let mut begun = Begun {
        id,
        name: columns.next()?,
        kind: columns.next()?,
        status: columns.word(|name| parse("integration", name))?,
        pending: columns
            .next::<Option<String>>()?
            .map(|name| parse("integration", &name))
            .transpose()?,
        token: lease.token,
        trigger: columns.word(|name| trigger("integration", name))?,
        due_at: columns.instant()?.unwrap_or(now),
        active_config: None,
        fingerprint: fingerprint::facts(columns.next()?)?,
    };
    drop(rows);
    if 1 < begun.subjects().len()
        && let Some((kind, config)) = configuration::active(tx, id)?
    {
        (begun.kind, begun.active_config) = (kind, Some(config));
    }
    tx.prepare_cached(LEASE)?.execute(named_params! {
        ":id": id.0, ":owner": lease.owner, ":token": lease.token, ":until": lease.until.0,
    })?;
    Ok(Began::Run(begun))
}

fn why_not(tx: &Connection, id: IntegrationId, now: Timestamp) -> Result<Began, StoreError> {
    Ok(match row::load(tx, id)? {
        None => Began::NotInUse,
        Some(row) if !row.status.is_validated() => Began::NotInUse,
        Some(row) if row.is_leased(now) => Began::Running,
        Some(_) => Began::NotDue,
    })
}

/// Makes an integration due because a person asked for a run; returns what came of it, and its name.
pub(super) fn request(
    tx: &Connection,
    id: IntegrationId,
    now: Timestamp,
) -> Result<(Requested, String), StoreError> {
    let Some(row) = row::load(tx, id)? else {
        return Ok((Requested::NotValidated(Status::Deleted), String::new()));
    };
    let Decision { effects, answer } = ledger::request(&row, now);
    Asked { row: Some(&row), now, ..Asked::default() }.apply_all(tx, &effects)?;
    Ok((answer, row.name))
}

/// Gives a lease back without a result; the run stays due.
pub(super) fn give_back(tx: &Connection, begun: &Begun) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "UPDATE integration SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL, ",
        lease_moved!(3, "NULL, NULL, NULL"),
        " WHERE id = :id AND lease_token = :token"
    );
    tx.prepare_cached(SQL)?.execute(named_params! {":id": begun.id.0, ":token": begun.token})?;
    Ok(())
}

/// Records a finished run and everything that follows from it, or nothing.
pub(super) fn record(
    tx: &Connection,
    prepared: &Prepared,
    context: &NotificationContext,
) -> Result<Recorded, StoreError> {
    let finished = &prepared.finished;
    let Some((row, id)) = row::load_for_run(tx, finished.begun.id)? else {
        return Ok(Recorded::Overtaken);
    };
    let run = Some(Recording { id, prepared });
    let asked = Asked { row: Some(&row), run, now: context.now };
    asked.decide(tx, |case| ledger::record(case, &row, finished, context))
}
