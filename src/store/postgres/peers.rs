//! Other nodes at a start. One that starts cannot know whether the database has lost commits while it was away; those that
//! were there find it out by their heartbeats. So it writes nothing before each of them has beaten.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::info;

use super::error::Fault;
use super::node::{clock, silent_max};
use super::planted::{self, Hazard};
use super::tx::{Reads, get, params, read};
use super::{Store, StoreError};

/// Time between two looks whether the others have beaten.
const LOOK: Duration = Duration::from_millis(200);
/// Longest wait for the others, of which each has beaten or is dead by then, and for an own heartbeat.
const MEET_MAX: Duration = Duration::from_mins(1);

/// Latest heartbeat of another node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Beaten {
    name: String,
    incarnation: i64,
    beat: i64,
}

impl Store {
    /// Implements [`crate::store::Store::meet_others`] on this engine.
    pub(crate) async fn meet_others(&self) -> Result<(), StoreError> {
        if planted::is(Hazard::Starts) {
            return Ok(());
        }
        let (begun, mut awaited) = (Instant::now(), self.others().await?);
        if !awaited.is_empty() {
            let names: Vec<_> = awaited.iter().map(|one| one.name.as_str()).collect();
            info!("the start goes on once the other nodes were heard of: {}", names.join(", "));
        }
        // After a failover in the meantime this node's own heartbeat may be under way for long.
        while !awaited.is_empty() || self.life().is_none() {
            if MEET_MAX < begun.elapsed() {
                return Err(Fault::Late.into());
            }
            sleep(LOOK).await;
            awaited = self.unheard_of(awaited).await?;
        }
        Ok(())
    }

    /// Returns the latest heartbeats of the other nodes that are alive.
    pub(super) async fn others(&self) -> Result<Vec<Beaten>, StoreError> {
        let name = &self.shared.membership.name;
        read!(&self.shared.connections.unguarded(), tx => alive(tx, name).await)
    }

    /// Returns those of `awaited` that have not beaten since, and are not silent for so long that they count as dead.
    pub(super) async fn unheard_of(
        &self,
        mut awaited: Vec<Beaten>,
    ) -> Result<Vec<Beaten>, StoreError> {
        let latest = self.others().await?;
        awaited.retain(|one| latest.contains(one));
        Ok(awaited)
    }
}

/// Loads the latest heartbeats of the other nodes that are alive.
async fn alive(tx: &Reads, name: &str) -> Result<Vec<Beaten>, StoreError> {
    const SQL: &str = concat!(
        "SELECT name, incarnation, beat FROM revalidated.node WHERE name <> $1 AND beat_at_ms > ",
        clock!(),
        " - $2"
    );
    let rows = tx.rows(SQL, params![name => TEXT, silent_max() => INT8]).await?;
    let beaten = |row| {
        Ok(Beaten {
            name: get(row, "name")?,
            incarnation: get(row, "incarnation")?,
            beat: get(row, "beat")?,
        })
    };
    rows.iter().map(beaten).collect()
}
