//! Errors that end the daemon, or keep it from starting.

use super::scheduler;
use super::text::counted;
use crate::blocking::BlockingError;
use crate::config::Faulty;
use crate::store::StoreError;
use crate::webhook::SendError;

/// Reason for which the daemon could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DaemonError {
    /// The configuration is wrong.
    #[error("{} in the configuration", counted(.0.faults.len(), "fault"))]
    Configuration(#[from] Faulty),
    /// A receiver cannot be used.
    #[error("a receiver cannot be used")]
    Receiver(#[from] SendError),
    /// It would remove too much, or a folder is gone.
    #[error("{0}")]
    Removals(String),
    /// Other nodes work by another configuration.
    #[error("{0}")]
    Waits(String),
    /// A file of the configuration does not answer.
    #[error("the configuration cannot be read")]
    Blocking(#[source] BlockingError),
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// The daemon's own jobs could not be started.
    #[error("the daemon's own jobs cannot be started")]
    Jobs(#[from] scheduler::JobsError),
    /// A loop ended that never should: a defect, after which a restart may help.
    #[error("the {0} has stopped")]
    Ended(&'static str),
}

impl DaemonError {
    /// Returns true when the configuration has to be changed before it is worth trying again.
    pub(crate) const fn is_configuration(&self) -> bool {
        match self {
            Self::Configuration(_) | Self::Receiver(_) | Self::Removals(_) | Self::Waits(_) => true,
            Self::Blocking(_) | Self::Store(_) | Self::Jobs(_) | Self::Ended(_) => false,
        }
    }
}
