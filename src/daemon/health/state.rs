//! Observations of the daemon's own side, and which faults are open.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::probe;
use crate::daemon::awake::Awake;
use crate::domain::{Clocks, Hosts, OwnFault};

/// Observations that separate the daemon's own faults from those of platforms.
#[derive(Default)]
pub(crate) struct Health {
    /// Time for which failures were evidence.
    pub(in crate::daemon) awake: Awake,
    /// Refusals of the disk.
    pub(in crate::daemon) disk: Disk,
    evidence: Mutex<Evidence>,
    /// True while this node is cut off, so that others have its work.
    cut_off: watch::Sender<bool>,
    pub(super) canaries: tokio::sync::Mutex<Option<(Instant, bool)>>,
    /// Probe of a simulation, in place of connections.
    #[cfg(test)]
    probe: Option<Probe>,
}

/// Free room from which a disk that refused a write is no longer full, in MiB.
const FREE_MIN: u64 = 2;

/// Disk that may have refused to take what is written.
#[derive(Debug, Default)]
pub(in crate::daemon) struct Disk {
    is_full: AtomicBool,
    refused: Notify,
}

impl Disk {
    /// Notes that it had no room for a write.
    pub(in crate::daemon) fn refuse(&self) {
        self.is_full.store(true, Ordering::Relaxed);
        self.refused.notify_one();
    }

    /// Waits until it has had no room.
    pub(super) async fn refusal(&self) {
        self.refused.notified().await;
    }

    /// Returns true when it has had no room and still has none, with so many MiB free; false where that is
    /// unknown.
    pub(super) fn is_full(&self, free: Option<u64>) -> bool {
        if free.is_none_or(|free| FREE_MIN <= free) {
            self.is_full.store(false, Ordering::Relaxed);
        }
        self.is_full.load(Ordering::Relaxed)
    }
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
    pub(in crate::daemon) async fn any_answers(&self, hosts: &[String]) -> bool {
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
            OwnFault::Validation
            | OwnFault::Configuration
            | OwnFault::Backup
            | OwnFault::Store
            | OwnFault::Region => false,
        };
        self.evidence(|evidence| evidence.lasting.iter().any(counts))
    }

    /// Returns the faults that are open.
    pub(in crate::daemon) fn faults(&self) -> Vec<OwnFault> {
        self.evidence(|evidence| evidence.lasting.iter().copied().collect())
    }

    /// Notes whether a fault is open that another node may have opened or closed; returns true when that is new.
    pub(in crate::daemon) fn note(&self, fault: OwnFault, lasts: bool) -> bool {
        self.evidence(|evidence| {
            let lasting = &mut evidence.lasting;
            if lasts { lasting.insert(fault) } else { lasting.remove(&fault) }
        })
    }

    /// Notes whether this node is cut off; its runs under way end then.
    pub(in crate::daemon) fn cut(&self, is_cut_off: bool) {
        self.cut_off.send_replace(is_cut_off);
    }

    /// Waits until this node is cut off.
    pub(in crate::daemon) async fn cut_off(&self) {
        // The sender lives as long as this.
        drop(self.cut_off.subscribe().wait_for(|is_cut_off| *is_cut_off).await);
    }

    /// Returns true while `fault` is open.
    pub(in crate::daemon) fn lasts(&self, fault: OwnFault) -> bool {
        self.evidence(|evidence| evidence.lasting.contains(&fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_is_full_from_a_refusal_until_enough_is_free() {
        let disk = Disk::default();
        assert!(!disk.is_full(Some(0)), "an empty disk alone is no refusal");
        disk.refuse();
        assert!(disk.is_full(Some(1)));
        assert!(!disk.is_full(Some(2)) && !disk.is_full(Some(0)));
        disk.refuse();
        assert!(!disk.is_full(None), "nothing would ever end it");
    }
}
