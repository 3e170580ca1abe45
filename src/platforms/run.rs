//! Context of one run.

use std::sync::Arc;
use std::time::Duration;

use super::log_in::LogIns;
use super::peers::{Peer, Peers};
use crate::domain::{Redactor, Timestamp};

/// Mode of a run: whether the platform is expected to be set up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// Set up: preflight tests are skipped, recurring tests run.
    Recurring,
    /// Before set-up: preflight tests run, recurring tests are skipped.
    Preflight,
}

/// Input of one run besides its configuration.
#[derive(Clone, Debug)]
pub(crate) struct RunContext {
    /// Name of the integration in the configuration.
    pub(crate) name: String,
    /// Mode, which selects tests.
    pub(crate) mode: Mode,
    /// Integrations of this daemon, the one that is validated included.
    pub(crate) everyone: Arc<Peers>,
    /// Longest time of one test.
    pub(crate) test_limit: Duration,
    /// Longest time of the whole run.
    pub(crate) run_limit: Duration,
    /// Wall clock at the start, for request signatures and expiries.
    pub(crate) now: Timestamp,
    /// Learns every secret that the run uses, and removes them from the text of others.
    pub(crate) redactor: Redactor,
    /// Memory of refused log-ins, which are not tried again.
    pub(crate) log_ins: LogIns,
}

impl RunContext {
    /// Returns the first other integration of the platform `kind` with this target.
    pub(crate) fn duplicate_target(&self, kind: &str, target: &str) -> Option<&Peer> {
        self.everyone.with_target(kind, target).find(|peer| self.is_other(peer))
    }

    /// Returns the first other integration of the platform `kind` with this `config.name`.
    pub(crate) fn duplicate_name(&self, kind: &str, config_name: &str) -> Option<&Peer> {
        self.everyone.with_config_name(kind, config_name).find(|peer| self.is_other(peer))
    }

    /// True when another integration of the platform `kind` has any target.
    pub(crate) fn has_other_targets(&self, kind: &str) -> bool {
        self.everyone.with_some_target(kind).iter().any(|peer| self.is_other(peer))
    }

    fn is_other(&self, peer: &Peer) -> bool {
        peer.name != self.name
    }
}
