//! Reads of a daemon, of commands and from outside.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::ledger::KnownIncident;
use crate::domain::{Location, Timestamp};
#[cfg(not(feature = "postgres"))]
use crate::store::error::no_engine;
#[cfg(feature = "postgres")]
use crate::store::postgres;
use crate::store::{
    Due, KnownNode, Listed, NodeRow, NoticeRow, OutageRow, OwnFaultRow, Page, SilenceRow,
    StoreError, sqlite,
};

/// Reads, which never wait for writes; also beside a running daemon. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) enum View {
    /// Engine in this process, on a file.
    Sqlite(sqlite::View),
    /// Server that several daemons share.
    #[cfg(feature = "postgres")]
    Postgres(postgres::View),
}

impl View {
    /// Opens an existing database for reading only, beside a daemon or without one.
    pub(crate) async fn open(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::File(path) => sqlite::View::open(path).map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            Location::Postgres(address) => postgres::View::open(address).await.map(Self::Postgres),
            #[cfg(not(feature = "postgres"))]
            Location::Postgres(address) => Err(no_engine(address)),
        }
    }

    /// Opens the database for reads from outside: on connections of their own, so that nothing else waits
    /// for them, and bounded in number and time.
    pub(crate) async fn outside(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::File(path) => sqlite::View::outside(path).map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            Location::Postgres(address) => {
                postgres::View::outside(address).await.map(Self::Postgres)
            }
            #[cfg(not(feature = "postgres"))]
            Location::Postgres(address) => Err(no_engine(address)),
        }
    }

    /// Rows that are due at `now` and not leased, longest overdue first.
    pub(crate) async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.due(now, limit).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.due(now, limit)).await,
        }
    }

    /// Returns the earliest instant after `after` at which a run becomes due, or a lease runs out.
    pub(crate) async fn next_due_at(
        &self,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.next_due_at(after).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.next_due_at(after)).await,
        }
    }

    /// Returns true when a run is due that a person asked for.
    pub(crate) async fn has_requests(&self, now: Timestamp) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.has_requests(now).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.has_requests(now)).await,
        }
    }

    /// Returns the earliest instant at which a delivery to one of `receivers` that need not wait for
    /// another becomes due, or its lease runs out.
    ///
    /// Name those that may be sent something now: what is pending for a busy receiver, or one that is no
    /// longer configured, is due all the time.
    pub(crate) async fn next_delivery_at(
        &self,
        receivers: Vec<String>,
    ) -> Result<Option<Timestamp>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.next_delivery_at(receivers).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.next_delivery_at(receivers)).await,
        }
    }

    /// Returns true when an alert is due to be sent again to one of these receivers.
    pub(crate) async fn has_resends(
        &self,
        every: BTreeMap<String, Duration>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.has_resends(every, now).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.has_resends(every, now)).await,
        }
    }

    /// Returns true while a receiver knows an incident that is open.
    pub(crate) async fn knows(
        &self,
        incident: String,
        receiver: String,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.knows(incident, receiver).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.knows(incident, receiver)).await,
        }
    }

    /// Returns the incidents that are open as receivers know them, by receiver.
    #[cfg_attr(not(test), expect(dead_code, reason = "`check` is to show what a change ends"))]
    pub(crate) async fn known_incidents(&self) -> Result<Vec<KnownIncident>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.known_incidents().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.known_incidents()).await,
        }
    }

    /// Returns the receivers of an open incident, by name, with what became of their notifications.
    pub(crate) async fn notices(&self, incident: &str) -> Result<Vec<NoticeRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.notices(incident).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.notices(incident)).await,
        }
    }

    /// Returns the earliest instant at which a mute may end, or an outage be over.
    pub(crate) async fn next_release_at(&self) -> Result<Option<Timestamp>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.next_release_at().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.next_release_at()).await,
        }
    }

    /// Reads a page of the silences and acknowledgements that are open at `now` or planned, by id;
    /// with `ended`, the others too.
    pub(crate) async fn silences(
        &self,
        ended: bool,
        now: Timestamp,
        page: Page,
    ) -> Result<Listed<SilenceRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.silences(ended, now, page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.silences(ended, now, page)).await,
        }
    }

    /// Reads the silence or acknowledgement of this id, open or ended.
    pub(crate) async fn silence(&self, id: i64) -> Result<Option<SilenceRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.silence(id).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.silence(id)).await,
        }
    }

    /// Returns the faults on the daemon's own side that last.
    pub(crate) async fn own_faults(&self) -> Result<Vec<OwnFaultRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.own_faults().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.own_faults()).await,
        }
    }

    /// Returns the node that serves the database, or served it last.
    pub(crate) async fn node(&self) -> Result<NodeRow, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.node().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.node()).await,
        }
    }

    /// Returns the nodes that serve the database, or served it, by name.
    pub(crate) async fn nodes(&self) -> Result<Vec<KnownNode>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.nodes().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.nodes()).await,
        }
    }

    /// Returns the outage of this id.
    pub(crate) async fn outage(&self, id: &str) -> Result<Option<OutageRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.outage(id).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.outage(id)).await,
        }
    }

    /// Returns the random id of the database: numbers and cursors of another one mean other rows.
    pub(crate) async fn epoch(&self) -> Result<String, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.epoch().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.epoch()).await,
        }
    }
}
