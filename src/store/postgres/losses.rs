//! Losses of commits by the database, which heartbeats show, and its clock, which never goes back.
//!
//! A failover to a standby that was behind forgets commits that were acknowledged. The system's identifier stays the
//! same then, and the server says nothing; but a heartbeat finds fewer heartbeats than it remembers. The first node that
//! finds this draws a new epoch, since receivers may know events whose numbers are given again; `losses` shows the
//! others that it was done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::connect::Connections;
use super::planted::{self, Hazard};
use super::tx::{Tx, get, params, read};
use super::{StoreError, random, server, since_boot};
use crate::domain::Timestamp;
use crate::store::Loss;

/// Time between two looks at how the server keeps what is committed.
const LOOK_AGAIN: Duration = Duration::from_hours(24);

/// State of the database at the latest heartbeat that was acknowledged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Acknowledged {
    /// Incarnation whose heartbeats are counted.
    owner: i64,
    /// Number of the heartbeat in that life.
    beat: i64,
    /// Instant of the heartbeat by the clock of the database.
    at_ms: i64,
    /// Number of losses that were noticed by any node.
    losses: i64,
}

impl Acknowledged {
    /// Returns the number of the heartbeat.
    pub(super) const fn beat(self) -> i64 {
        self.beat
    }
}

/// Findings of a look.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Found {
    /// Loss of commits that a node has noticed since the heartbeat before.
    pub(super) lost: Option<Loss>,
    /// Milliseconds by which the clock of the database is behind the latest instant that it ever showed.
    pub(super) clock_behind_ms: i64,
}

/// Memory of this node of what was acknowledged.
#[derive(Debug)]
pub(super) struct Losses {
    known: Mutex<Acknowledged>,
    /// True until the leases of this node were compared with what is in flight, after a loss.
    has_stale_leases: AtomicBool,
    /// Time since boot of the latest look at how the server keeps what is committed.
    looked: Mutex<Duration>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Losses {
    /// Begins with a life, whose heartbeats are counted from zero.
    pub(super) async fn begun(connections: &Connections, owner: i64) -> Result<Self, StoreError> {
        const SQL: &str = "SELECT high_ms, losses FROM revalidated.clock";
        connections
            .note_connection_limit(read!(connections, tx => server::connection_limit(tx).await)?);
        let row = read!(connections, tx => tx.one(SQL, &[]).await)?;
        let (at_ms, losses) = (get(&row, "high_ms")?, get(&row, "losses")?);
        let known = Mutex::new(Acknowledged { owner, beat: 0, at_ms, losses });
        let (looked, has_stale_leases) = (Mutex::new(since_boot()), AtomicBool::new(false));
        Ok(Self { known, has_stale_leases, looked })
    }

    /// Returns what was acknowledged.
    pub(super) fn known(&self) -> Acknowledged {
        *lock(&self.known)
    }

    /// Notes what is acknowledged now.
    pub(super) fn note(&self, state: Acknowledged) {
        *lock(&self.known) = state;
    }

    /// Notes whether leases of this node may be of work that has ended.
    pub(super) fn note_stale_leases(&self, may_be: bool) {
        self.has_stale_leases.store(may_be, Ordering::Relaxed);
    }

    /// Returns true when leases of this node may be of work that has ended.
    pub(super) fn may_have_stale_leases(&self) -> bool {
        self.has_stale_leases.load(Ordering::Relaxed)
    }

    /// Looks once a day at how the server keeps what is committed, and logs what makes it less safe than it looks.
    pub(super) async fn look_again(&self, connections: &Connections) -> Result<(), StoreError> {
        let now = since_boot();
        if now.saturating_sub(*lock(&self.looked)) < LOOK_AGAIN {
            return Ok(());
        }
        *lock(&self.looked) = now;
        connections
            .note_connection_limit(read!(connections, tx => server::connection_limit(tx).await)?);
        read!(connections, tx => server::warn(tx, connections.address()).await).map(drop)
    }
}

/// Looks before a heartbeat, in its transaction, whether the database has lost the one before; returns what is
/// acknowledged by its commit, and what it shows. Nothing is found where the row is another life's.
pub(super) async fn look(
    tx: &Tx,
    name: &str,
    owner: i64,
    known: Acknowledged,
) -> Result<(Acknowledged, Found), StoreError> {
    // What is acknowledged has to be with a synchronous standby, whatever the server's default is.
    const SYNCHRONOUS: &str = "SET LOCAL synchronous_commit = on";
    const FOUND: &str = "
        SELECT beat, beat_at_ms FROM revalidated.node
        WHERE name = $1 AND incarnation = $2 FOR NO KEY UPDATE";
    const CLOCK: &str = "
        UPDATE revalidated.clock
        SET high_ms = greatest(high_ms, $1, revalidated.clock_ms())
        RETURNING high_ms, losses, lost_from_ms, lost_until_ms,
            high_ms - revalidated.clock_ms() AS behind_ms";
    const BEAT: &str = "UPDATE revalidated.node SET beat = $2 WHERE name = $1";
    tx.batch(SYNCHRONOUS).await?;
    let Some(node) = tx.row(FOUND, params![name => TEXT, owner => INT8]).await? else {
        return Ok((known, Found::default()));
    };
    let (found, found_at_ms): (i64, Option<i64>) = (get(&node, "beat")?, get(&node, "beat_at_ms")?);
    // Its lock lets one node at a time look whether a loss was noticed.
    let clock = tx.one(CLOCK, params![known.at_ms => INT8]).await?;
    let (at_ms, behind_ms): (i64, i64) = (get(&clock, "high_ms")?, get(&clock, "behind_ms")?);
    let mut losses = get(&clock, "losses")?;
    let mut span = (get(&clock, "lost_from_ms")?, get(&clock, "lost_until_ms")?);
    // Another life counts its heartbeats from zero.
    let before = if known.owner == owner { known.beat } else { 0 };
    if found < before && !planted::is(Hazard::Losses) {
        tx.execute(BEAT, params![name => TEXT, before => INT8]).await?;
        if losses <= known.losses {
            losses = known.losses.saturating_add(1);
            span = (found_at_ms.unwrap_or(known.at_ms), known.at_ms);
            renew(tx, losses, span).await?;
        }
    }
    let lost = (known.losses < losses)
        .then_some(Loss { from: Timestamp(span.0), until: Timestamp(span.1) });
    // The heartbeat itself follows, unless the leases were freed by others.
    let counted = i64::from(found_at_ms.is_some());
    let beat = found.max(before).saturating_add(counted);
    let state = Acknowledged { owner, beat, at_ms, losses };
    Ok((state, Found { lost, clock_behind_ms: behind_ms.max(0) }))
}

/// Gives the database a new epoch, since its future is another than the one that receivers know.
async fn renew(tx: &Tx, losses: i64, span: (i64, i64)) -> Result<(), StoreError> {
    const EPOCH: &str = "UPDATE revalidated.meta SET epoch = $1";
    const LOSSES: &str = "
        UPDATE revalidated.clock SET losses = $1, lost_from_ms = $2, lost_until_ms = $3";
    tx.execute(LOSSES, params![losses => INT8, span.0 => INT8, span.1 => INT8]).await?;
    tx.execute(EPOCH, params![random::epoch()? => TEXT]).await?;
    Ok(())
}
