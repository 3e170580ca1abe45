//! What goes into the store, and what it answers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::receivers::ReceiverRow;
use crate::domain::{
    AttemptResult, DeliveryId, Drift, Factor, Facts, IntegrationId, Maintenance, Next, Observed,
    OwnFault, Policy, Report, ReportStatus, RunId, Schedule, Status, Subject, Subscription,
    Timestamp, Transition, UnknownName, Verdict, difference,
};

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
    /// A cursor was given by another database, or for another list.
    #[error("the cursor belongs to another list; begin with the first page")]
    ForeignCursor,
    /// The transaction that held this and other writes could not be committed; nothing of it was.
    #[error("database transaction failed")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// No identifier can be made.
    #[error("the system gives no random numbers")]
    Random,
    /// The database thread is gone.
    #[error("the database has been closed")]
    Stopped,
}

/// What the configuration wants an integration to be.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Its unique name.
    pub(crate) name: String,
    /// Its platform's published name.
    pub(crate) kind: String,
    /// As configured.
    pub(crate) auto_bootstrap: Option<bool>,
    /// As configured.
    pub(crate) labels: BTreeMap<String, String>,
    /// Force disabled.
    pub(crate) disabled: bool,
    /// When it is due.
    pub(crate) schedule: Schedule,
    /// The platform configuration as JSON text: secret references as they stand, literal secrets
    /// replaced by `[REDACTED]`. A difference here is an edit.
    pub(crate) config: String,
    /// The same with every secret leaf replaced, as users see it.
    pub(crate) config_shown: String,
    /// The platform's catalog version.
    pub(crate) catalog_version: u32,
    /// What it may have in common with others.
    pub(crate) factors: Vec<Factor>,
}

/// What a change of status needs to become messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct NotificationContext {
    /// Who wants to be told of what.
    pub(crate) subscriptions: Arc<[Subscription]>,
    /// When messages are held.
    pub(crate) maintenance: Arc<[Maintenance]>,
    /// How many integrations must fail by one cause to make an outage.
    pub(crate) outage_min: u32,
    /// The wall clock.
    pub(crate) now: Timestamp,
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

/// Why a run takes place.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trigger {
    /// Its schedule came due.
    Schedule,
    /// A run before it was not conclusive.
    Confirm,
    /// It came due while the daemon was down.
    Startup,
    /// It is new, or its configuration changed.
    Change,
}

impl Trigger {
    /// Every trigger.
    pub(crate) const ALL: [Self; 4] = [Self::Schedule, Self::Confirm, Self::Startup, Self::Change];

    /// The name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Confirm => "confirm",
            Self::Startup => "startup",
            Self::Change => "change",
        }
    }
}

/// Lease of a run or a delivery: an exclusive right to work on its row until an instant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Lease {
    /// Incarnation of the node that holds it.
    pub(crate) owner: i64,
    /// Random number that no other lease ever has.
    pub(crate) token: i64,
    /// First instant at which others may take the row.
    pub(crate) until: Timestamp,
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

/// A started run.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    /// Which integration.
    pub(crate) id: IntegrationId,
    /// Its name.
    pub(crate) name: String,
    /// The published name of the platform that `active_config` is for; without one, of the
    /// configured platform.
    pub(crate) kind: String,
    /// Its status; `status.subjects()` says what to validate.
    pub(crate) status: Status,
    /// Token of its lease: a result is stored only while the row has this one.
    pub(crate) token: i64,
    /// Why it runs, as the row says.
    pub(crate) trigger: Trigger,
    /// When it was due.
    pub(crate) due_at: Timestamp,
    /// In a status that keeps it apart from a candidate: the configuration that passed last, as
    /// stored (see [`Wanted::config`]).
    pub(crate) active_config: Option<String>,
    /// What the last passing run saw.
    pub(crate) fingerprint: Option<Facts>,
}

/// A finished run, with what is needed to judge it and to plan the next.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// What was begun.
    pub(crate) begun: Begun,
    /// One entry per validated configuration, in the order of `status.subjects()`; the first one
    /// decides about the status.
    pub(crate) runs: Vec<SubjectRun>,
    /// When the run began.
    pub(crate) started_at: Timestamp,
    /// How long all of it took.
    pub(crate) duration: Duration,
    /// How much evidence a verdict needs.
    pub(crate) policy: Policy,
    /// When the integration is due after this.
    pub(crate) schedule: Schedule,
}

/// What the validation of one configuration found.
#[derive(Clone, Debug)]
pub(crate) struct SubjectRun {
    /// Which configuration.
    pub(crate) subject: Subject,
    /// What was found.
    pub(crate) report: Report,
    /// What was seen besides.
    pub(crate) observed: Observed,
    /// What on the daemon's own side is to blame for a failure of [`Class::Local`](crate::domain::Class).
    pub(crate) own_fault: Option<OwnFault>,
}

impl Finished {
    /// What `run`, which is one of these, saw otherwise than the last passing run, when it failed. A
    /// configuration that is not in force yet may well see other things.
    pub(super) fn drift(&self, run: &SubjectRun) -> Vec<Drift> {
        let failed = run.report.status() == ReportStatus::Failed;
        match self.begun.fingerprint.as_ref().filter(|_| failed && run.subject == Subject::Active) {
            Some(before) => difference(before, &run.observed.facts),
            None => Vec::new(),
        }
    }
}

/// What recording a run did.
#[derive(Clone, Debug)]
pub(crate) enum Recorded {
    /// It is stored.
    Stored {
        /// Its row.
        run: RunId,
        /// What it says.
        verdict: Verdict,
        /// The rule that made the verdict.
        rule: String,
        /// The status change, if there was one.
        transition: Option<Transition>,
        /// When the integration is due next; none when its schedule never comes again.
        next_run_at: Option<Timestamp>,
    },
    /// Another run, an edit or a removal took over meanwhile; nothing was stored.
    Overtaken,
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

/// One attempt, to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// Of which delivery.
    pub(crate) delivery: DeliveryId,
    /// Token of the lease under which it was sent.
    pub(crate) token: i64,
    /// When it was sent.
    pub(crate) started_at: Timestamp,
    /// How long it took.
    pub(crate) duration: Duration,
    /// How it ended.
    pub(crate) result: AttemptResult,
    /// The error, or the beginning of the answer: redacted and bounded.
    pub(crate) detail: String,
    /// What follows.
    pub(crate) next: Next,
    /// How long every attempt must have failed to disable the receiver.
    pub(crate) disable_after: Duration,
    /// The most attempts of one delivery that are kept, the latest.
    pub(crate) kept_max: u32,
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
