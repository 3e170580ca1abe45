//! Retention: the age and the number of rows up to which history is kept.

use std::time::Duration;

/// Limits of the history, in time and number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Retention {
    /// Runs and transitions older than this go, except each integration's latest run.
    pub(crate) history: Duration,
    /// Delivered and failed deliveries older than this go, with their attempts and events.
    pub(crate) deliveries: Duration,
    /// The most runs, and the most transitions, of one integration.
    pub(crate) runs_per_integration: u32,
    /// The most deliveries that have ended.
    pub(crate) deliveries_max: u32,
    /// The most events; one stays as long as a delivery of it does.
    pub(crate) events_max: u32,
    /// The most rows one transaction deletes per table.
    pub(crate) batch: u32,
}

/// Result of one round of [`Store::prune`](super::Store::prune); to be repeated until it is empty.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Pruned {
    /// Number of rows that it deleted.
    pub(crate) rows: usize,
    /// Number of deliveries that it ended, since their receivers are disabled or no longer configured.
    pub(crate) dead: usize,
}

/// Rows that are too many, by their keys, oldest first.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Surplus {
    /// Ids of surplus runs.
    pub(crate) runs: Vec<i64>,
    /// Ids of surplus transitions.
    pub(crate) transitions: Vec<i64>,
    /// Ids of surplus deliveries.
    pub(crate) deliveries: Vec<i64>,
    /// Numbers of surplus events.
    pub(crate) events: Vec<i64>,
}

impl Surplus {
    /// Takes the first `batch` of each away from the rest; empty when nothing is left.
    #[must_use]
    pub(crate) fn next(&mut self, batch: u32) -> Self {
        let most = usize::try_from(batch).unwrap_or(usize::MAX);
        let first = |all: &mut Vec<i64>| all.drain(..most.min(all.len())).collect();
        Self {
            runs: first(&mut self.runs),
            transitions: first(&mut self.transitions),
            deliveries: first(&mut self.deliveries),
            events: first(&mut self.events),
        }
    }
}
