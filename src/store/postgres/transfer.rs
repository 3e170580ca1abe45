//! Moves of all rows into an empty database, and out of one (bulk inserts by arrays, and a cursor).
//!
//! The commit here decides which of the two stores is the store. A move keeps its token in `meta`, so that it can be
//! found afterwards when the fate of the commit was not known.

use std::sync::Arc;

use super::connect::Connections;
use super::tx::{Reads, get};
use super::{StoreError, server};
use crate::domain::PostgresAddress;
use crate::store::forms::tables::{COUNTED, Numbers};

/// Limits of a transaction that moves everything: its statements are short, and some are far between.
pub(super) const LIMITS: &str = "
    SET LOCAL lock_timeout = '30s';
    SET LOCAL idle_in_transaction_session_timeout = '10min'";
/// Returns the identity and the counters of the database.
pub(super) async fn numbers(tx: &Reads) -> Result<Numbers, StoreError> {
    const META: &str =
        "SELECT epoch, sequence, pruned_number, integration_last FROM revalidated.meta";
    let meta = tx.one(META, &[]).await?;
    let mut latest = [0; COUNTED.len()];
    for (latest, name) in latest.iter_mut().zip(COUNTED) {
        *latest = match counter(name) {
            None => get(&meta, "integration_last")?,
            Some(sequence) => {
                let sql = format!(
                    "SELECT coalesce(pg_catalog.pg_sequence_last_value('{sequence}'::regclass), 0) AS latest"
                );
                get(&tx.one(&sql, &[]).await?, "latest")?
            }
        };
    }
    Ok(Numbers {
        epoch: get(&meta, "epoch")?,
        sequence: get(&meta, "sequence")?,
        pruned_number: get(&meta, "pruned_number")?,
        latest,
    })
}

/// Returns the sequence of a table whose ids are counted; integrations have theirs in `meta`.
pub(super) fn counter(table: &str) -> Option<String> {
    let column = match table {
        "integration" => return None,
        "event" => "number",
        _ => "id",
    };
    Some(format!("revalidated.{table}_{column}_seq"))
}

/// Returns the sessions for a move, with a server that can be used.
pub(super) async fn connected(address: &Arc<PostgresAddress>) -> Result<Connections, StoreError> {
    let connections = Connections::new(Arc::clone(address), 2, true);
    let reads = Reads::open(&connections).await?;
    let required = server::require(&reads, address).await;
    reads.end().await;
    required.map(|()| connections)
}

/// Returns true when the schema is there.
pub(super) async fn has_schema(tx: &Reads) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'revalidated') AS is_there";
    get(&tx.one(SQL, &[]).await?, "is_there")
}

pub(super) fn unusable(address: &PostgresAddress, problem: impl Into<String>) -> StoreError {
    StoreError::Server { address: address.to_string(), problem: problem.into() }
}

/// Outcome of a commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Committed {
    /// Everything was committed by it.
    Yes,
    /// It was not committed, and will not be.
    No,
}
