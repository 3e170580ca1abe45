//! Runs: which are due, and what comes of beginning one.

use crate::domain::IntegrationId;
use crate::domain::ledger::Begun;

/// A row whose time has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Due {
    /// Which integration.
    pub(crate) id: IntegrationId,
    /// Its name.
    pub(crate) name: String,
}

/// What happened to the wish to start a run.
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
