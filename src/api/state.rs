//! State of the interface: the means by which it reads a running daemon and acts on it.

use std::sync::Arc;

use tokio::sync::watch;

use super::fresh::Fresh;
use super::hub::Hub;
use super::validating::Validating;
use crate::daemon::{Control, Daemon, MetricsSource};
use crate::store::View;

/// State of the interface: the means by which it reads a running daemon and acts on it.
pub(crate) struct Api {
    /// Reads of the store, bounded in number and time.
    pub(super) view: View,
    /// Means to steer the daemon.
    pub(super) control: Control,
    /// Source of the metrics as text.
    pub(super) metrics: MetricsSource,
    /// Number of the latest event, sent anew after every commit.
    pub(super) changes: watch::Receiver<i64>,
    /// URL of the page as people reach it; empty when that is not known.
    pub(super) url: String,
    /// Integrations with a run that a caller waits for.
    pub(super) validating: Validating,
    /// Answers that are known to be the same.
    pub(super) fresh: Fresh,
    /// Source of live changes.
    pub(super) hub: Hub,
}

impl Api {
    /// Interface of a running daemon, whose page people reach at `url`.
    pub(crate) fn new(running: &Daemon, url: String) -> Arc<Self> {
        Arc::new(Self {
            view: running.view.clone(),
            control: running.control.clone(),
            metrics: running.metrics.clone(),
            changes: running.changes.clone(),
            url,
            validating: Validating::default(),
            fresh: Fresh::default(),
            hub: Hub::default(),
        })
    }
}
