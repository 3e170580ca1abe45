//! Reads across all integrations, for lists, pages and reports.

use super::View;
use crate::domain::{IntegrationId, OutageMember, Timestamp};
use crate::store::{
    Attributed, ExpiryRow, Listed, Mark, OutageRow, Page, Position, RunFilter, RunRow, StoreError,
    TimelineRow, TransitionFilter, TransitionRow,
};

impl View {
    /// Returns the latest runs of each of these integrations, oldest first: at most `last` of each, and
    /// never more than 200.
    pub(crate) async fn strips(
        &self,
        ids: Vec<IntegrationId>,
        last: u32,
    ) -> Result<Vec<(IntegrationId, Vec<Mark>)>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.strips(ids, last).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.strips(ids, last)).await,
        }
    }

    /// Reads a page of what expires before `until` and what has expired already, soonest first, of the
    /// integrations that are not deleted.
    pub(crate) async fn expiries(
        &self,
        until: Timestamp,
        page: Page,
    ) -> Result<Listed<ExpiryRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.expiries(until, page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.expiries(until, page)).await,
        }
    }

    /// Reads a page of the status changes of all integrations, newest first; deleted ones too.
    pub(crate) async fn all_transitions(
        &self,
        filter: TransitionFilter,
        page: Page,
    ) -> Result<Listed<Attributed<TransitionRow>>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.all_transitions(filter, page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.all_transitions(filter, page)).await,
        }
    }

    /// Reads a page of the runs of all integrations, newest first; of deleted ones too.
    pub(crate) async fn all_runs(
        &self,
        filter: RunFilter,
        page: Page,
    ) -> Result<Listed<Attributed<RunRow>>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.all_runs(filter, page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.all_runs(filter, page)).await,
        }
    }

    /// Reads a page of the outages, those that began last first; with `is_open` only those that last.
    pub(crate) async fn outages(
        &self,
        is_open: bool,
        page: Page,
    ) -> Result<Listed<OutageRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.outages(is_open, page).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.outages(is_open, page)).await,
        }
    }

    /// Returns the integrations that belong, or belonged, to an outage, by name.
    pub(crate) async fn outage_members(&self, id: &str) -> Result<Vec<OutageMember>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.outage_members(id).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.outage_members(id)).await,
        }
    }

    /// Returns the history of every integration in the time from `since` to `until`, by name; of deleted ones too.
    pub(crate) async fn timelines(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<TimelineRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.timelines(since, until).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.timelines(since, until)).await,
        }
    }

    /// Returns the position of the database among its commits; cheap, and it waits for no other read.
    pub(crate) async fn position(&self) -> Result<Position, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.position().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.position()).await,
        }
    }
}
