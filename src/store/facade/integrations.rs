//! Reads of integrations: one, all in pages, and what the configuration in force uses.

use std::collections::BTreeMap;

use super::View;
use crate::domain::{IntegrationId, Timestamp};
use crate::store::{
    InUse, IntegrationRow, KeptRow, Listed, Page, StatusRow, StoreError, StoredIntegration,
    Surroundings, TargetRow,
};

impl View {
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

    /// Returns what concerns an integration beside its row at `now`, its outage by id, in one look.
    pub(crate) async fn surroundings(
        &self,
        id: IntegrationId,
        outage: Option<String>,
        now: Timestamp,
    ) -> Result<Surroundings, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.surroundings(id, outage, now).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.surroundings(id, outage, now)).await,
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

    /// Reads a page of statuses and conditions of the integrations that are not deleted, by their
    /// next runs; those that have none stand last, by name.
    pub(crate) async fn statuses_by_next_run(
        &self,
        page: Page,
    ) -> Result<Listed<StatusRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.statuses_by_next_run(page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.statuses_by_next_run(page)).await,
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
}
