//! Writes of a daemon.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;

use super::View;
use crate::domain::ledger::{Attempt, Begun, Disabled, Finished, NotificationContext, Recorded};
use crate::domain::{IntegrationId, Location, OwnFault, Schedule, Timestamp};
#[cfg(not(feature = "postgres"))]
use crate::store::error::no_engine;
#[cfg(feature = "postgres")]
use crate::store::postgres;
use crate::store::{
    Began, Capacity, Configured, NodeNote, Opening, PendingDelivery, Pruned, Released, Resend,
    Retention, Site, StoreError, Surplus, Synced, sqlite,
};

/// Answer to a write that is queued, after its commit.
pub(crate) type Queued<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Writes, one after the other. Clone it freely; the database is free for another daemon when every handle
/// is gone.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    /// Engine in this process, on a file.
    Sqlite(sqlite::Store),
    /// Server that several daemons share.
    #[cfg(feature = "postgres")]
    Postgres(postgres::Store),
}

impl Store {
    /// Opens the database as [`Store::open_as`] does, for a node without a name.
    #[cfg(test)]
    pub(crate) async fn open(location: &Location) -> Result<Self, StoreError> {
        Self::open_as(location, &Opening::default()).await
    }

    /// Opens or creates the database, makes a second daemon impossible, migrates a database of an older version, and
    /// frees the leases of this node's former life.
    ///
    /// A file is locked, and copied before it is migrated unless `opening` says otherwise; on a server the row of the
    /// node is taken.
    pub(crate) async fn open_as(
        location: &Location,
        opening: &Opening,
    ) -> Result<Self, StoreError> {
        match location {
            Location::File(path) if opening.is_copied => {
                sqlite::Store::open(path).map(Self::Sqlite)
            }
            Location::File(path) => sqlite::Store::open_without_copy(path).map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            Location::Postgres(address) => {
                postgres::Store::open(address, opening).await.map(Self::Postgres)
            }
            #[cfg(not(feature = "postgres"))]
            Location::Postgres(address) => Err(no_engine(address)),
        }
    }

    /// Returns true when the whole database was read at its opening and found sound, as it is after a crash.
    pub(crate) const fn was_verified(&self) -> bool {
        match self {
            Self::Sqlite(engine) => engine.was_verified(),
            #[cfg(feature = "postgres")]
            // The server verifies its pages itself.
            Self::Postgres(_) => true,
        }
    }

    /// Returns the view of the same database.
    pub(crate) fn view(&self) -> View {
        match self {
            Self::Sqlite(engine) => View::Sqlite(engine.view()),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => View::Postgres(engine.view()),
        }
    }

    /// Number of the latest event, sent anew after every commit.
    pub(crate) fn changes(&self) -> watch::Receiver<i64> {
        match self {
            Self::Sqlite(engine) => engine.changes(),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => engine.changes(),
        }
    }

    /// Writes down something about the life of this node.
    pub(crate) async fn note(&self, note: NodeNote) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.note(note).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.note(note)).await,
        }
    }

    /// Brings the rows in line with the configuration. At start-up, what came due in the meantime
    /// is made due once, spread.
    pub(crate) async fn sync(
        &self,
        configured: Configured,
        startup: bool,
        context: NotificationContext,
    ) -> Result<Synced, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.sync(configured, startup, context).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.sync(configured, startup, context)).await,
        }
    }

    /// Starts a run if it is due and there is room at its host: guarded update, lease until `now + lease`. A file counts no
    /// runs at hosts: they are those of one process.
    pub(crate) async fn begin_at(
        &self,
        id: IntegrationId,
        site: Site<'_>,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Began, StoreError> {
        match self {
            Self::Sqlite(engine) => {
                let Site { .. } = site;
                engine.begin(id, lease, now).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.begin(id, site, lease, now)).await,
        }
    }

    /// Does the same at a host where runs are not counted.
    #[cfg(test)]
    pub(crate) async fn begin(
        &self,
        id: IntegrationId,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Began, StoreError> {
        self.begin_at(id, Site::default(), lease, now).await
    }

    /// Records a finished run: run, results, counters, status, transition, event, deliveries,
    /// next due instant, lease; or nothing.
    pub(crate) async fn record(
        &self,
        finished: Finished,
        context: NotificationContext,
    ) -> Result<Recorded, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.record(finished, context).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.record(finished, context)).await,
        }
    }

    /// Gives a lease back without a result (shutdown); the run stays due.
    pub(crate) async fn give_back(&self, begun: Begun) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.give_back(begun).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.give_back(begun)).await,
        }
    }

    /// Ends removals: rows in `deleting` without a lease become `deleted`.
    pub(crate) async fn drain_removed(
        &self,
        context: NotificationContext,
    ) -> Result<Synced, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.drain_removed(context).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.drain_removed(context)).await,
        }
    }

    /// Reschedules after a clock rollback: runs that were planned too far ahead become due by their
    /// schedules, and deliveries at once; returns the number of both.
    pub(crate) async fn after_clock_rollback(
        &self,
        schedules: Vec<(IntegrationId, Schedule)>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.after_clock_rollback(schedules, now).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.after_clock_rollback(schedules, now)).await,
        }
    }

    /// Leases what may be sent now: per receiver and integration only the first pending one, at most as many as
    /// `capacity` says; receivers that it does not name are left alone.
    pub(crate) async fn claim_within(
        &self,
        capacity: BTreeMap<String, Capacity>,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<PendingDelivery>, StoreError> {
        match self {
            Self::Sqlite(engine) => {
                let free = capacity.into_iter().map(|(name, one)| (name, one.free)).collect();
                engine.claim(free, lease, now).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.claim(capacity, lease, now)).await,
        }
    }

    /// Does the same for one node: at most `permits[receiver]` per receiver.
    #[cfg(test)]
    pub(crate) async fn claim(
        &self,
        permits: BTreeMap<String, u32>,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<PendingDelivery>, StoreError> {
        let permits = permits.into_iter();
        let capacity = permits.map(|(name, free)| (name, Capacity { free, most: u32::MAX }));
        self.claim_within(capacity.collect(), lease, now).await
    }

    /// Claims the alerts that are due to be sent again to these receivers, and plans the next time after the
    /// interval of each.
    pub(crate) async fn claim_resends(
        &self,
        every: BTreeMap<String, Duration>,
        now: Timestamp,
    ) -> Result<Vec<Resend>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.claim_resends(every, now).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.claim_resends(every, now)).await,
        }
    }

    /// Queues an attempt to be recorded: attempt row, delivery state and what it says about the
    /// receiver. A claim that is made after this finds the successor, and is answered after the
    /// commit of both; the future returned here ends with that commit too, and gives the reason when
    /// the attempt disables the receiver, of which the others are notified.
    pub(crate) async fn record_attempt(
        &self,
        attempt: Attempt,
        context: NotificationContext,
    ) -> Result<Queued<Option<Disabled>>, StoreError> {
        match self {
            Self::Sqlite(engine) => Ok(Box::pin(engine.record_attempt(attempt, context).await?)),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Ok(Box::pin(engine.record_attempt(attempt, context).await?)),
        }
    }

    /// Notifies receivers of what is no longer muted, and closes outages that are over; at most about `batch`
    /// of each.
    pub(crate) async fn release(
        &self,
        batch: u32,
        context: NotificationContext,
    ) -> Result<Released, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.release(batch, context).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.release(batch, context)).await,
        }
    }

    /// Notes a fault on the daemon's own side, and notifies receivers when it is new; returns true then.
    pub(crate) async fn degrade(
        &self,
        fault: OwnFault,
        message: String,
        context: NotificationContext,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.degrade(fault, message, context).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.degrade(fault, message, context)).await,
        }
    }

    /// Ends a fault on the daemon's own side, and notifies receivers when it lasted; returns true then.
    pub(crate) async fn restore(
        &self,
        fault: OwnFault,
        context: NotificationContext,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.restore(fault, context).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.restore(fault, context)).await,
        }
    }

    /// Deletes one batch of old history; pending deliveries stay, unless they have waited too
    /// long for a receiver that is sent nothing, and end.
    pub(crate) async fn prune(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Pruned, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.prune(retention, now).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.prune(retention, now)).await,
        }
    }

    /// Stores a reading of the awake clock; `now` is the wall clock, if it can be trusted. Returns the latest reading of all
    /// nodes.
    pub(crate) async fn save_awake(
        &self,
        awake: Duration,
        now: Option<Timestamp>,
    ) -> Result<Duration, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.save_awake(awake, now).await.map(|()| awake),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.save_awake(awake, now)).await,
        }
    }

    /// Deletes what [`View::surplus`] found, unless it is pending or shown by now; returns the number of
    /// rows.
    pub(crate) async fn drop_surplus(&self, surplus: Surplus) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.drop_surplus(surplus).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.drop_surplus(surplus)).await,
        }
    }

    /// Waits for queued writes, checkpoints and stops the writer thread; other handles then get
    /// [`StoreError::Stopped`].
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.close()).await,
        }
    }
}
