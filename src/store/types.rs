//! What goes into the store, and what it answers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::receivers::ReceiverRow;
use crate::domain::ledger::Begun;
use crate::domain::{DeliveryId, IntegrationId, Transition, UnknownName};

/// The database could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// `SQLite` refused.
    #[error("database operation failed")]
    Sqlite(#[from] rusqlite::Error),
    /// The file or its folder cannot be used.
    #[error("{path}: {problem}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong and how to mend it.
        problem: String,
    },
    /// A row holds a value this version cannot read.
    #[error("inconsistent row in {table}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// What was wrong with it.
        #[source]
        source: UnknownName,
    },
    /// A stored document cannot be read.
    #[error("unreadable document in {table}")]
    Document {
        /// The table.
        table: &'static str,
        /// What was wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The file was written by a newer version.
    #[error(
        "database schema {found} is newer than {known}, the newest this version knows; install a newer revalidated or restore a copy"
    )]
    Newer {
        /// In the file.
        found: u32,
        /// In this binary.
        known: u32,
    },
    /// Too many reads from outside wait already.
    #[error("too many reads of the database are waiting")]
    Busy,
    /// A read from outside took too long, and was ended.
    #[error("a read of the database took too long")]
    TooSlow,
    /// A cursor was given by another database, or for another list.
    #[error("the cursor belongs to another list; begin with the first page")]
    WrongCursor,
    /// The transaction that held this and other writes could not be committed; nothing of it was.
    #[error("database transaction failed")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// No identifier can be made.
    #[error("the system gives no random numbers")]
    Random,
    /// A decision asked for the same evidence twice.
    #[error("a decision cannot be made from what is stored")]
    Undecided,
    /// The database thread is gone.
    #[error("the database has been closed")]
    Stopped,
}

/// What bringing the rows in line with the configuration did.
#[derive(Debug, Default)]
pub(crate) struct Synced {
    /// The row of every integration in the configuration.
    pub(crate) ids: BTreeMap<String, IntegrationId>,
    /// The status changes, in order.
    pub(crate) transitions: Vec<(String, Transition)>,
    /// The receivers that are disabled, and those no longer configured that are owed something.
    pub(crate) idle: Vec<ReceiverRow>,
}

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

/// A delivery that may be sent now, under a lease.
#[derive(Clone, Debug)]
pub(crate) struct PendingDelivery {
    /// Which delivery.
    pub(crate) id: DeliveryId,
    /// `evt_<uuid>`: the `webhook-id`, the same at every attempt.
    pub(crate) event_id: String,
    /// To whom.
    pub(crate) receiver: String,
    /// About which integration, if about one.
    pub(crate) integration: Option<String>,
    /// The body, as stored.
    pub(crate) body: String,
    /// The number of this attempt since the delivery was last owed anew, from 1.
    pub(crate) attempt: u32,
    /// Token of its lease.
    pub(crate) token: i64,
}

/// How long, and how much, history is kept.
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

/// What one round of [`Store::prune`](super::Store::prune) did; call again until it did nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Pruned {
    /// How many rows it deleted.
    pub(crate) rows: usize,
    /// How many deliveries it gave up, since their receivers are disabled or no longer configured.
    pub(crate) given_up: usize,
}

/// Rows that are too many, by their keys, oldest first.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Surplus {
    /// Runs.
    pub(crate) runs: Vec<i64>,
    /// Transitions.
    pub(crate) transitions: Vec<i64>,
    /// Deliveries.
    pub(crate) deliveries: Vec<i64>,
    /// Events.
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
