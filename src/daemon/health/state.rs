//! Observations of the daemon's own side, and which faults are open.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::probe;
use crate::daemon::awake::Awake;
use crate::domain::{Clocks, Hosts, OwnFault};

/// Observations that separate the daemon's own faults from those of platforms.
#[derive(Default)]
pub(crate) struct Health {
    /// Time for which failures were evidence.
    pub(in crate::daemon) awake: Awake,
    evidence: Mutex<Evidence>,
    pub(super) canaries: tokio::sync::Mutex<Option<(Instant, bool)>>,
    /// Probe of a simulation, in place of connections.
    #[cfg(test)]
    probe: Option<Probe>,
}

/// Answer of a simulation to whether a host takes a connection.
#[cfg(test)]
pub(crate) type Probe = std::sync::Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Observations of hosts and clocks, and the open faults.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) hosts: Hosts,
    pub(super) clocks: Clocks,
    pub(super) lasting: BTreeSet<OwnFault>,
}

impl Health {
    /// Takes over the faults that were open when the daemon last stopped.
    pub(in crate::daemon) fn lasting(self, faults: impl IntoIterator<Item = OwnFault>) -> Self {
        self.evidence(|evidence| evidence.lasting = faults.into_iter().collect());
        self
    }

    /// Asks `probe` in place of hosts.
    #[cfg(test)]
    pub(in crate::daemon) fn probing(mut self, probe: Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// Returns true when one of `hosts` takes a connection.
    pub(super) async fn any_answers(&self, hosts: &[String]) -> bool {
        #[cfg(test)]
        if let Some(probe) = &self.probe {
            return hosts.iter().any(|host| probe(host));
        }
        probe::any_answers(hosts).await
    }

    /// Gives access to the observations, to read or change them.
    pub(super) fn evidence<T>(&self, look: impl FnOnce(&mut Evidence) -> T) -> T {
        look(&mut self.evidence.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns true while a fault is open that makes failures no evidence against a receiver.
    pub(in crate::daemon) fn has_fault(&self) -> bool {
        let counts = |fault: &OwnFault| match fault {
            OwnFault::Network | OwnFault::Clock | OwnFault::Disk | OwnFault::Descriptors => true,
            OwnFault::Validation | OwnFault::Configuration => false,
        };
        self.evidence(|evidence| evidence.lasting.iter().any(counts))
    }

    /// Returns true while `fault` is open.
    pub(super) fn lasts(&self, fault: OwnFault) -> bool {
        self.evidence(|evidence| evidence.lasting.contains(&fault))
    }
}
