//! Guard of new sessions: a server that knows fewer heartbeats of this node than it has acknowledged has lost commits.
//! Nothing is written then until a heartbeat has noticed, so that nothing new has a number of the epoch that receivers
//! know.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::StoreError;

/// Guard of the sessions of a daemon.
#[derive(Debug, Default)]
pub(super) struct Guard {
    known: Mutex<Option<Known>>,
    has_lost: AtomicBool,
}

/// Latest heartbeat that was acknowledged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Known {
    /// Name of the node.
    pub(super) name: String,
    /// Incarnation whose heartbeats are counted.
    pub(super) owner: i64,
    /// Number of the heartbeat in that life.
    pub(super) beat: i64,
}

impl Guard {
    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a heartbeat that was acknowledged, by which everything lost was noticed.
    pub(super) fn note(&self, known: Known) {
        let mut latest = self.known();
        *latest = Some(known);
        self.has_lost.store(false, Ordering::Relaxed);
    }

    /// Returns true while the server has lost commits, and no heartbeat has noticed.
    pub(super) fn has_lost(&self) -> bool {
        self.has_lost.load(Ordering::Relaxed)
    }

    /// Looks in a new session whether the server knows the latest heartbeat.
    pub(super) async fn look(&self, client: &Client) -> Result<(), StoreError> {
        const SQL: &str = "SELECT beat FROM revalidated.node WHERE name = $1 AND incarnation = $2";
        let Some(known) = self.known().clone() else { return Ok(()) };
        // No transaction, which needs a session that was looked at.
        let params: [(&(dyn ToSql + Sync), Type); 2] =
            [(&known.name, Type::TEXT), (&known.owner, Type::INT8)];
        let found = client.query_typed_opt(SQL, &params).await?;
        let beat: Option<i64> = found.map(|row| row.try_get("beat")).transpose()?;
        let latest = self.known();
        // A heartbeat may have come in between.
        if latest.as_ref() == Some(&known) && beat.is_none_or(|beat| beat < known.beat) {
            self.has_lost.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
