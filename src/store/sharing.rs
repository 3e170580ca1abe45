//! Integration among the others, as it is read: what it has in common with them, and what concerns it beside its row.

use super::{OutageRow, SilenceRow};
use crate::domain::{Factor, IntegrationId};

/// Rows that concern an integration beside its own.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// Silences and acknowledgements that are open or planned, of whatever integrations, by id.
    pub(crate) silences: Vec<SilenceRow>,
    /// Outage that its failure belongs to.
    pub(crate) outage: Option<OutageRow>,
    /// Factors of shared failures, the most specific first, each with the number of others that have it.
    pub(crate) factors: Vec<(Factor, u32)>,
}

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
