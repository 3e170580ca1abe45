//! Leases in flight: tokens of the runs and messages that this process works on. After a loss of commits its other leases
//! are of work that has ended, and are freed: nothing else would end them for minutes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::StoreError;
use super::tx::{Tx, get, params};
use crate::domain::Timestamp;

/// Number of leases from which on those are looked for that have ended by themselves.
const MANY: usize = 4096;

/// Leases of the work that this process has begun and not ended.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    /// Ends of the leases, by their tokens.
    leases: Mutex<BTreeMap<i64, Timestamp>>,
    /// Claims of messages are known only when they are committed.
    claims: RwLock<()>,
}

/// Removes a lease when it is dropped.
#[derive(Debug)]
pub(super) struct Ending<'a> {
    in_flight: &'a InFlight,
    token: Option<i64>,
}

impl InFlight {
    fn leases(&self) -> MutexGuard<'_, BTreeMap<i64, Timestamp>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a lease; where there are many, those that have ended by themselves are forgotten.
    pub(super) fn add(&self, token: i64, until: Timestamp, now: Timestamp) {
        let mut leases = self.leases();
        if MANY <= leases.len() {
            leases.retain(|_, until| now < *until);
        }
        leases.insert(token, until);
    }

    /// Returns a guard with which the lease ends.
    pub(super) fn ending(&self, token: i64) -> Ending<'_> {
        Ending { in_flight: self, token: Some(token) }
    }

    /// Keeps leases from being freed while messages are claimed.
    pub(super) async fn claiming(&self) -> RwLockReadGuard<'_, ()> {
        self.claims.read().await
    }

    /// Keeps messages from being claimed while leases are freed; before a transaction, which waits for the database alone.
    pub(super) async fn freeing(&self) -> RwLockWriteGuard<'_, ()> {
        self.claims.write().await
    }

    /// Frees the leases of `owner` that are not in flight, in the order in which others lock them.
    pub(super) async fn free_others(&self, tx: &Tx, owner: i64) -> Result<(), StoreError> {
        const RUNS: &str = "
            SELECT integration_id AS id, lease_token FROM revalidated.work WHERE lease_owner = $1
            ORDER BY integration_id FOR NO KEY UPDATE";
        const FREE_RUNS: &str = "
            UPDATE revalidated.work
            SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL
            WHERE integration_id = ANY($1) AND lease_owner = $2 AND lease_token = ANY($3)";
        const LANES: &str = "
            SELECT lease_token FROM revalidated.lane WHERE lease_owner = $1
            ORDER BY receiver, integration_id FOR NO KEY UPDATE";
        const FREE_LANES: &str = "
            UPDATE revalidated.lane
            SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL
            WHERE lease_owner = $1 AND lease_token = ANY($2)";
        let (mut ids, mut tokens) = (Vec::new(), Vec::new());
        // Tokens are looked at once their rows are locked: those that were claimed meanwhile are known.
        for row in tx.rows(RUNS, params![owner => INT8]).await? {
            let token: i64 = get(&row, "lease_token")?;
            if !self.leases().contains_key(&token) {
                ids.push(get::<i64>(&row, "id")?);
                tokens.push(token);
            }
        }
        let free = params![ids => INT8_ARRAY, owner => INT8, tokens => INT8_ARRAY];
        tx.execute(FREE_RUNS, free).await?;
        let mut tokens = Vec::new();
        for row in tx.rows(LANES, params![owner => INT8]).await? {
            let token: i64 = get(&row, "lease_token")?;
            if !self.leases().contains_key(&token) {
                tokens.push(token);
            }
        }
        tx.execute(FREE_LANES, params![owner => INT8, tokens => INT8_ARRAY]).await?;
        Ok(())
    }
}

impl Ending<'_> {
    /// Lets the lease go on.
    pub(super) fn go_on(mut self) {
        self.token = None;
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            self.in_flight.leases().remove(&token);
        }
    }
}
