//! Runs: which are due, and what comes of beginning one.

use crate::domain::IntegrationId;
use crate::domain::ledger::Begun;

/// A row whose time has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Due {
    /// Id of the integration.
    pub(crate) id: IntegrationId,
    /// Name of the integration.
    pub(crate) name: String,
}

/// Result of beginning a run.
#[derive(Debug)]
pub(crate) enum Began {
    /// It may run, under this lease.
    Run(Begun),
    /// Its time has not come.
    NotDue,
    /// Another run holds the lease.
    Running,
    /// Its status allows no run, or there is no such row.
    NotInUse,
}
