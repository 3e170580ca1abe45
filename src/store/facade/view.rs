//! Reads of a daemon, of commands and from outside.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::ledger::KnownIncident;
use crate::domain::{DeliveryId, Factor, IntegrationId, Location, RunId, Timestamp};
#[cfg(not(feature = "postgres"))]
use crate::store::error::no_engine;
#[cfg(feature = "postgres")]
use crate::store::postgres;
use crate::store::{
    AuditFilter, AuditRow, DeliveryFilter, DeliveryRow, Due, EventRow, Events, HistoryRow, InUse,
    IntegrationRow, KeptRow, KnownNode, Listed, NodeRow, NoticeRow, OutageRow, OwnFaultRow, Page,
    PendingTypes, ReceiverRow, Retention, RunRow, SilenceRow, StatusRow, StoreError,
    StoredIntegration, Surplus, TargetRow, TransitionRow, sqlite,
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

    /// Reads a page of the audit trail, newest first.
    pub(crate) async fn audit(
        &self,
        filter: AuditFilter,
        page: Page,
    ) -> Result<Listed<AuditRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.audit(filter, page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.audit(filter, page)).await,
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

    /// Returns the names of what the configuration in force uses.
    pub(crate) async fn in_use(&self) -> Result<InUse, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.in_use().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.in_use()).await,
        }
    }

    /// Returns the integrations in use with the configurations that are kept of them.
    pub(crate) async fn stored_configurations(&self) -> Result<Vec<KeptRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.stored_configurations().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.stored_configurations()).await,
        }
    }

    /// Returns the integrations that are not deleted, by name, with what is compared with a configuration.
    pub(crate) async fn stored_integrations(
        &self,
    ) -> Result<BTreeMap<String, StoredIntegration>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.stored_integrations().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.stored_integrations()).await,
        }
    }

    /// Returns how many messages of each type are pending for each receiver, in its own format.
    pub(crate) async fn pending_types(&self) -> Result<PendingTypes, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.pending_types().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.pending_types()).await,
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

    /// Returns the factors of an integration, the most specific first, each with the number of others
    /// that share it.
    pub(crate) async fn factors(
        &self,
        id: IntegrationId,
    ) -> Result<Vec<(Factor, u32)>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.factors(id).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.factors(id)).await,
        }
    }

    /// Reads a page of the integrations that are not deleted, by name.
    pub(crate) async fn integrations(
        &self,
        page: Page,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.integrations(page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.integrations(page)).await,
        }
    }

    /// Reads a page of the integrations that are deleted, by id.
    pub(crate) async fn deleted_integrations(
        &self,
        page: Page,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.deleted_integrations(page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.deleted_integrations(page)).await,
        }
    }

    /// Reads a page of what selections may fit: the integrations that are not deleted, by name.
    pub(crate) async fn targets(&self, page: Page) -> Result<Listed<TargetRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.targets(page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.targets(page)).await,
        }
    }

    /// Reads a page of statuses and conditions of the integrations that are not deleted, by name.
    pub(crate) async fn statuses(&self, page: Page) -> Result<Listed<StatusRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.statuses(page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.statuses(page)).await,
        }
    }

    /// Returns the integration of this name; a deleted one only when no other has the name.
    pub(crate) async fn integration(
        &self,
        name: &str,
    ) -> Result<Option<IntegrationRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.integration(name).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.integration(name)).await,
        }
    }

    /// Returns the integration of this id, a deleted one too, while its row is kept.
    pub(crate) async fn integration_of(
        &self,
        id: IntegrationId,
    ) -> Result<Option<IntegrationRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.integration_of(id).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.integration_of(id)).await,
        }
    }

    /// Reads at most `limit` integrations that are not deleted after an id, by id; the cursor says
    /// whether there are more.
    pub(crate) async fn integrations_by_id(
        &self,
        after: IntegrationId,
        limit: u32,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.integrations_by_id(after, limit).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.integrations_by_id(after, limit)).await,
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

    /// Returns the delivery of this id with its attempts, while it is kept.
    pub(crate) async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.delivery(id).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.delivery(id)).await,
        }
    }

    /// Returns the event of this id, while it is kept.
    pub(crate) async fn event(&self, id: &str) -> Result<Option<EventRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.event(id).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.event(id)).await,
        }
    }

    /// Reads a page of the runs, newest first.
    pub(crate) async fn runs(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<RunRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.runs(id, page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.runs(id, page)).await,
        }
    }

    /// Returns one run of an integration, while it is kept.
    pub(crate) async fn run(
        &self,
        id: IntegrationId,
        run: RunId,
    ) -> Result<Option<RunRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.run(id, run).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.run(id, run)).await,
        }
    }

    /// Reads a page of the transitions, newest first.
    pub(crate) async fn transitions(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<TransitionRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.transitions(id, page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.transitions(id, page)).await,
        }
    }

    /// Reads a page of runs and transitions as one list, newest first.
    pub(crate) async fn history(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<HistoryRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.history(id, page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.history(id, page)).await,
        }
    }

    /// Reads a page of the receivers that are, or were, configured, by name.
    pub(crate) async fn receivers(&self, page: Page) -> Result<Listed<ReceiverRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.receivers(page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.receivers(page)).await,
        }
    }

    /// Returns the events after number `after` in their order, at most `limit`.
    pub(crate) async fn events(&self, after: i64, limit: u32) -> Result<Events, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.events(after, limit).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.events(after, limit)).await,
        }
    }

    /// Returns the reading of the awake clock that was stored last.
    pub(crate) async fn awake(&self) -> Result<Duration, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.awake().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.awake()).await,
        }
    }

    /// Rows that are too many, oldest first; look again once they are gone.
    pub(crate) async fn surplus(&self, retention: Retention) -> Result<Surplus, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.surplus(retention).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.surplus(retention)).await,
        }
    }

    /// Reads a page of the deliveries that match, newest first.
    pub(crate) async fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: Page,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.deliveries(filter, page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.deliveries(filter, page)).await,
        }
    }
}
