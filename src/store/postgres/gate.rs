//! Gates (rows that are locked): where two transactions would miss each other because neither sees what the other
//! has not committed yet.

use super::StoreError;
use super::planted::{self, Hazard};
use super::tx::{Tx, params};
use crate::domain::Factor;

/// Gate before event numbers are given, so that they are in the order of commits.
pub(super) const EVENTS: &str = "events";
/// Gate of changes of the configuration.
pub(super) const CONFIG: &str = "config";
/// Gate of claims of runs, and of the moment in which another configuration is in force.
pub(super) const CLAIM: &str = "claim";
/// Gate of the node that looks at mutes, outages and incidents.
pub(super) const RELEASE: &str = "release";
/// Gate of the node that deletes old history.
pub(super) const PRUNE: &str = "prune";
/// Gate before it is counted which faults of its own the daemon has.
pub(super) const OWN_FAULT: &str = "own_fault";

/// Locks a gate that is always there until the end of the transaction.
pub(super) async fn lock(tx: &Tx, name: &str) -> Result<(), StoreError> {
    const SQL: &str = "SELECT 1 FROM revalidated.gate WHERE name = $1 FOR NO KEY UPDATE";
    let is_open = (name == EVENTS && planted::is(Hazard::Numbers))
        || (name == OWN_FAULT && planted::is(Hazard::OwnFaults));
    if is_open {
        return Ok(());
    }
    tx.one(SQL, params![name => TEXT]).await?;
    Ok(())
}

/// Locks the gate of a chore until the end of the transaction; returns false when another node is at it.
pub(super) async fn try_lock(tx: &Tx, name: &str) -> Result<bool, StoreError> {
    const SQL: &str =
        "SELECT 1 FROM revalidated.gate WHERE name = $1 FOR NO KEY UPDATE SKIP LOCKED";
    Ok(tx.row(SQL, params![name => TEXT]).await?.is_some())
}

/// Locks the gates of receivers, which are given in their order, before it is counted what is being sent to them.
pub(super) async fn lock_receivers(tx: &Tx, receivers: &[&str]) -> Result<(), StoreError> {
    let names: Vec<_> = receivers.iter().map(|name| format!("lane:{name}")).collect();
    lock_all(tx, &names).await
}

/// Locks the gates of factors, in the order of their names, before it is counted which integrations share them.
pub(super) async fn lock_factors(tx: &Tx, factors: &[Factor]) -> Result<(), StoreError> {
    if planted::is(Hazard::Factors) {
        return Ok(());
    }
    let name = |factor: &Factor| format!("factor:{}:{}", factor.kind.as_str(), factor.value);
    let names: Vec<_> = factors.iter().map(name).collect();
    lock_all(tx, &names).await
}

/// Locks gates in the order of their names; those are made which there are not.
async fn lock_all(tx: &Tx, names: &[String]) -> Result<(), StoreError> {
    const MAKE: &str = "
        INSERT INTO revalidated.gate (name) SELECT name FROM unnest($1) AS asked (name) ORDER BY name
        ON CONFLICT DO NOTHING";
    const LOCK: &str = "
        SELECT 1 FROM revalidated.gate WHERE name = ANY($1) ORDER BY name FOR NO KEY UPDATE";
    if names.is_empty() {
        return Ok(());
    }
    let count = tx.rows(LOCK, params![names => TEXT_ARRAY]).await?.len();
    if count < names.len() {
        tx.execute(MAKE, params![names => TEXT_ARRAY]).await?;
        tx.rows(LOCK, params![names => TEXT_ARRAY]).await?;
    }
    Ok(())
}
