//! Search in what lists of integrations do not hold.

use std::collections::BTreeSet;

use super::View;
use crate::domain::IntegrationId;
use crate::store::StoreError;

impl View {
    /// Returns for each word, in lower case, the integrations that have it in a factor, such as the host or the
    /// principal, or in a message of a latest run that did not simply pass.
    pub(crate) async fn mentions(
        &self,
        words: Vec<String>,
    ) -> Result<Vec<BTreeSet<IntegrationId>>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.mentions(words).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.mentions(words)).await,
        }
    }
}
