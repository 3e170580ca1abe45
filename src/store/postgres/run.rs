//! The life of a run: begun under a lease, recorded under its token, or given back.

use super::asked::{Asked, Recording};
use super::column::{instant, parse, trigger};
use super::prepared::Prepared;
use super::tx::{Tx, get, params};
use super::{
    Began, Begun, Lease, NotificationContext, Recorded, Requested, StoreError, configuration,
    fingerprint, row,
};
use crate::domain::ledger::{self, Decision};
use crate::domain::{IntegrationId, RunId, Status, Timestamp};

/// Starts a run if it is due, which only what is validated ever is, and not leased to another one. What describes the
/// run is read once the row is locked.
pub(super) async fn begin(
    tx: &Tx,
    id: IntegrationId,
    lease: Lease,
    now: Timestamp,
) -> Result<Began, StoreError> {
    const LEASE: &str = "
        UPDATE revalidated.work SET lease_owner = $2, lease_token = $3, lease_until_ms = $4
        WHERE integration_id = $1 AND next_run_at_ms <= $5
          AND (lease_until_ms IS NULL OR lease_until_ms <= $5 OR lease_token = $3)
        RETURNING next_trigger, next_run_at_ms";
    const DESCRIBED: &str = "
        SELECT name, kind, status, pending_status, fingerprint.content
        FROM revalidated.integration
        LEFT JOIN revalidated.fingerprint ON fingerprint.id = fingerprint_id
        WHERE integration.id = $1";
    let leased = params![
        id.0 => INT8, lease.owner => INT8, lease.token => INT8, lease.until.0 => INT8,
        now.0 => INT8,
    ];
    let Some(work) = tx.row(LEASE, leased).await? else { return why_not(tx, id, now).await };
    let row = tx.one(DESCRIBED, params![id.0 => INT8]).await?;
    let pending: Option<&str> = get(&row, "pending_status")?;
    let mut begun = Begun {
        id,
        name: get(&row, "name")?,
        kind: get(&row, "kind")?,
        status: parse("integration", get(&row, "status")?)?,
        pending: pending.map(|name| parse("integration", name)).transpose()?,
        token: lease.token,
        trigger: trigger("work", get(&work, "next_trigger")?)?,
        due_at: instant(&work, "next_run_at_ms")?.unwrap_or(now),
        active_config: None,
        fingerprint: fingerprint::facts(get(&row, "content")?)?,
    };
    if 1 < begun.subjects().len()
        && let Some((kind, config)) = configuration::active(tx, id).await?
    {
        (begun.kind, begun.active_config) = (kind, Some(config));
    }
    Ok(Began::Run(begun))
}

async fn why_not(tx: &Tx, id: IntegrationId, now: Timestamp) -> Result<Began, StoreError> {
    Ok(match row::load(tx, id).await? {
        None => Began::NotInUse,
        Some(row) if !row.status.is_validated() => Began::NotInUse,
        Some(row) if row.is_leased(now) => Began::Running,
        Some(_) => Began::NotDue,
    })
}

/// Locks the rows of integrations for which runs are asked.
pub(super) async fn lock(tx: &Tx, ids: &[IntegrationId]) -> Result<(), StoreError> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    row::lock_all(tx, &ids).await?;
    Ok(())
}

/// Makes an integration due because a person asked for a run; returns what came of it, and its name.
pub(super) async fn request(
    tx: &Tx,
    id: IntegrationId,
    now: Timestamp,
) -> Result<(Requested, String), StoreError> {
    let Some(row) = row::lock(tx, id).await? else {
        return Ok((Requested::NotValidated(Status::Deleted), String::new()));
    };
    let Decision { effects, answer } = ledger::request(&row, now);
    Asked { row: Some(&row), now, ..Asked::default() }.apply_all(tx, &effects).await?;
    Ok((answer, row.name))
}

/// Gives a lease back without a result; the run stays due.
pub(super) async fn give_back(tx: &Tx, begun: &Begun) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.work
        SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL
        WHERE integration_id = $1 AND lease_token = $2";
    tx.execute(SQL, params![begun.id.0 => INT8, begun.token => INT8]).await?;
    Ok(())
}

/// Records a finished run and everything that follows from it, or nothing.
pub(super) async fn record(
    tx: &Tx,
    prepared: &Prepared,
    context: &NotificationContext,
) -> Result<Recorded, StoreError> {
    const NEXT: &str = "SELECT nextval('revalidated.run_id'::regclass) AS id";
    let finished = &prepared.finished;
    let Some(row) = row::lock(tx, finished.begun.id).await? else {
        return Ok(Recorded::Overtaken);
    };
    let id = RunId(get(&tx.one(NEXT, &[]).await?, "id")?);
    let run = Some(Recording { id, prepared });
    let asked = Asked { row: Some(&row), run, now: context.now };
    asked.decide(tx, |case| ledger::record(case, &row, finished, context)).await
}

/// Returns true when a recording is stored, of which it is not known.
pub(super) async fn is_recorded(
    tx: &Tx,
    begun: &Begun,
    recorded: &Recorded,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM revalidated.run WHERE id = $1 AND token = $2) AS found";
    match recorded {
        Recorded::Stored { run, .. } => {
            get(&tx.one(SQL, params![run.0 => INT8, begun.token => INT8]).await?, "found")
        }
        Recorded::Overtaken => Ok(true),
    }
}
