//! Reads of the integrations around one: those that share a factor with it, and how many runs there are.

use super::View;
use crate::domain::{Facts, IntegrationId, Timestamp};
use crate::store::{SharingRow, StoreError};

impl View {
    /// Returns the factors of an integration, the most specific first, with those that share each.
    pub(crate) async fn sharing(&self, id: IntegrationId) -> Result<Vec<SharingRow>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.sharing(id).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.sharing(id)).await,
        }
    }

    /// Returns the facts of the last passing run of an integration; none before the first.
    pub(crate) async fn facts(&self, id: IntegrationId) -> Result<Option<Facts>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.facts(id).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.facts(id)).await,
        }
    }

    /// Returns the number of runs that began at or after an instant, as far as they are kept.
    pub(crate) async fn runs_since(&self, since: Timestamp) -> Result<u32, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.runs_since(since).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.runs_since(since)).await,
        }
    }
}
