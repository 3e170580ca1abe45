//! Writes of commands beside a running daemon.

use crate::domain::{DeliveryId, IntegrationId, Location, Subscription, Timestamp};
#[cfg(not(feature = "postgres"))]
use crate::store::error::no_engine;
#[cfg(feature = "postgres")]
use crate::store::postgres;
use crate::store::{
    NewSilence, ReceiverRow, Redelivered, Replayed, Requested, Span, StoreError, sqlite,
};

/// Writes of a person beside a daemon, or without one. On a file they block for as long as another writes, at
/// most seconds.
#[derive(Debug)]
pub(crate) enum Control {
    /// Engine in this process, on a file.
    Sqlite(sqlite::Control),
    /// Server that several daemons share.
    #[cfg(feature = "postgres")]
    Postgres(postgres::Control),
}

impl Control {
    /// Opens an existing database of this version for writing; what is changed is noted as done by
    /// `author`.
    pub(crate) async fn open(location: &Location, author: &str) -> Result<Self, StoreError> {
        match location {
            Location::File(path) => sqlite::Control::open(path, author).map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            Location::Postgres(address) => {
                postgres::Control::open(address, author).await.map(Self::Postgres)
            }
            #[cfg(not(feature = "postgres"))]
            Location::Postgres(address) => Err(no_engine(address)),
        }
    }

    /// Notes that the daemon is about to be asked to read its configuration again, with the removals that
    /// are allowed this time.
    pub(crate) async fn reload(
        &mut self,
        removals: Option<u32>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.reload(removals, now),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.reload(removals, now)).await,
        }
    }

    /// Notes that the daemon is about to be asked to put its configuration in force for all nodes. A file has one, which
    /// does so at every reload.
    pub(crate) async fn publish(&mut self, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.reload(None, now),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.publish(now)).await,
        }
    }

    /// Lets a node begin and send nothing more, or go on; returns false when there is none of this name that can be
    /// drained: a file has one node, which is stopped in its place.
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "a file has one node"))]
    pub(crate) async fn drain(
        &mut self,
        node: &str,
        is_draining: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(false),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.drain(node, is_draining, now)).await,
        }
    }

    /// Makes integrations due because a person asks for runs; returns what came of each.
    pub(crate) async fn request(
        &mut self,
        ids: &[IntegrationId],
        now: Timestamp,
    ) -> Result<Vec<Requested>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.request(ids, now),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.request(ids, now)).await,
        }
    }

    /// Returns the receiver of this name, if the store knows it.
    pub(crate) async fn receiver(&mut self, name: &str) -> Result<Option<ReceiverRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.receiver(name),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.receiver(name)).await,
        }
    }

    /// Enables a receiver: its pending deliveries go out in order, with as many attempts as new ones.
    pub(crate) async fn enable(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.enable(name, now),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.enable(name, now)).await,
        }
    }

    /// Disables a receiver; its pending deliveries wait.
    pub(crate) async fn disable(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.disable(name, now),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.disable(name, now)).await,
        }
    }

    /// Queues deliveries that have ended again, under their events' ids, all or none.
    pub(crate) async fn redeliver(
        &mut self,
        ids: &[DeliveryId],
        now: Timestamp,
    ) -> Result<Redelivered, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.redeliver(ids, now),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.redeliver(ids, now)).await,
        }
    }

    /// Returns what [`Control::replay`] would queue.
    pub(crate) async fn plan_replay(
        &mut self,
        wanting: &Subscription,
        span: Span,
    ) -> Result<Replayed, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.plan_replay(wanting, span),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.plan_replay(wanting, span)).await,
        }
    }

    /// Queues the events of a time that a receiver wants again, under their ids and in order; what is
    /// pending already stays as it is.
    pub(crate) async fn replay(
        &mut self,
        wanting: &Subscription,
        span: Span,
        now: Timestamp,
    ) -> Result<Replayed, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.replay(wanting, span, now),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.replay(wanting, span, now)).await,
        }
    }

    /// Mutes notifications until an instant; returns the id of the silence.
    pub(crate) async fn silence(
        &mut self,
        new: &NewSilence,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.silence(new, now),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.silence(new, now)).await,
        }
    }

    /// Ends a silence before its time; returns false when none is open under this id.
    pub(crate) async fn end_silence(
        &mut self,
        id: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.end_silence(id, now),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.end_silence(id, now)).await,
        }
    }
}
