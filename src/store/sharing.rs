//! Factor of an integration together with the others that have it in common, as it is read.

use crate::domain::{Factor, IntegrationId};

/// Factor with the integrations that share it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SharingRow {
    /// Factor that is shared.
    pub(crate) factor: Factor,
    /// Number of other integrations that have it.
    pub(crate) others: u32,
    /// Number of those whose configuration in force fails.
    pub(crate) failing: u32,
    /// Names of a few of them, those that fail first.
    pub(crate) named: Vec<(IntegrationId, String)>,
}
