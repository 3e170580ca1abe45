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

/// Host of a run, with the number of runs that may be in progress there, on all nodes together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    /// Name of the host; empty where it is not counted.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has one node"))]
    pub(crate) host: &'a str,
    /// The most runs at the host.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has one node"))]
    pub(crate) most: usize,
}

#[cfg(test)]
impl Default for Site<'_> {
    fn default() -> Self {
        Self { host: "", most: usize::MAX }
    }
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
    /// As many runs as may be are in progress at its host, most of them on other nodes.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has one node"))]
    HostFull,
    /// This node begins nothing for now.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has one node"))]
    Waits,
}
