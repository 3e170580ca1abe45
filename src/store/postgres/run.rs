//! The life of a run after its beginning: recorded under the token of its lease, or given back.

use super::asked::{Asked, Recording};
use super::prepared::Prepared;
use super::tx::{Tx, get, params};
use super::{Begun, NotificationContext, Recorded, Requested, StoreError, cluster, row};
use crate::domain::ledger::{self, Decision};
use crate::domain::{IntegrationId, RunId, Status, Timestamp};

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

/// Records a finished run and everything that follows from it, or nothing. What follows is decided by the configuration
/// in force: a node that works by another one gives the lease back, and the run is repeated by those that work.
pub(super) async fn record(
    tx: &Tx,
    prepared: &Prepared,
    context: &NotificationContext,
    generation: Option<i64>,
) -> Result<Recorded, StoreError> {
    const NEXT: &str = "SELECT nextval('revalidated.run_id'::regclass) AS id";
    let finished = &prepared.finished;
    let Some(row) = row::lock(tx, finished.begun.id).await? else {
        return Ok(Recorded::Overtaken);
    };
    // A change of the configuration locks the row too, so that none comes between this and the commit.
    if Some(cluster::generation(tx).await?) != generation {
        give_back(tx, &finished.begun).await?;
        return Ok(Recorded::Overtaken);
    }
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
