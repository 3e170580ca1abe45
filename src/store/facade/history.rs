//! Reads of the history: runs, status changes, events and deliveries, and what retention does with them.

use std::time::Duration;

use super::View;
use crate::domain::{DeliveryId, IntegrationId, RunId};
use crate::store::{
    AuditFilter, AuditRow, DeliveryFilter, DeliveryRow, EventRow, Events, HistoryRow, Listed, Page,
    PendingTypes, ReceiverRow, Retention, RunRow, StoreError, Surplus, TransitionRow,
};

impl View {
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

    /// Returns how many messages of each type are pending for each receiver, in its own format.
    pub(crate) async fn pending_types(&self) -> Result<PendingTypes, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.pending_types().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.pending_types()).await,
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
