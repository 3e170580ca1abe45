//! What goes into the store and what comes out of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{
    AttemptResult, Cause, Class, Counters, DeliveryId, EventType, IntegrationId, Next, Policy,
    Report, ReportStatus, RunId, Schedule, Status, Subject, Subscription, Timestamp, Transition,
    UnknownName, ValidationResults, ValidationTest, Verdict,
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
}

/// What a change of status needs to become messages.
#[derive(Clone, Debug)]
pub(crate) struct Tell {
    /// Who wants to be told of what.
    pub(crate) subscriptions: Arc<[Subscription]>,
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

/// A row whose time has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Due {
    /// Which integration.
    pub(crate) id: IntegrationId,
    /// Its name.
    pub(crate) name: String,
    /// Since when.
    pub(crate) next_run_at: Timestamp,
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
    /// A result is written only under the fence it was begun with.
    pub(crate) fence: i64,
    /// Why it runs, as the row says.
    pub(crate) trigger: Trigger,
    /// When it was due.
    pub(crate) due_at: Timestamp,
    /// The configuration that passed last, as stored (see [`Wanted::config`]).
    pub(crate) active_config: Option<String>,
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
    /// About which integration.
    pub(crate) integration: String,
    /// The body, as stored.
    pub(crate) body: String,
    /// The number of this attempt, from 1.
    pub(crate) attempt: u32,
}

/// One attempt, to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// Of which delivery.
    pub(crate) delivery: DeliveryId,
    /// Its number, from 1.
    pub(crate) number: u32,
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
}

/// How long history is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Retention {
    /// Runs and transitions older than this go, except each integration's latest run.
    pub(crate) history: Duration,
    /// Delivered and failed deliveries older than this go, with their attempts and events.
    pub(crate) deliveries: Duration,
    /// The most rows one transaction deletes per table.
    pub(crate) batch: u32,
}

/// How many rows one round of [`Store::prune`](super::Store::prune) deleted; call again until 0.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Pruned(pub(crate) usize);

/// An integration as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct IntegrationRow {
    /// Its id.
    pub(crate) id: IntegrationId,
    /// Its name.
    pub(crate) name: String,
    /// Its platform's published name.
    pub(crate) kind: String,
    /// As configured.
    pub(crate) auto_bootstrap: Option<bool>,
    /// As configured.
    pub(crate) labels: BTreeMap<String, String>,
    /// Its status.
    pub(crate) status: Status,
    /// Its configuration with every secret replaced, as JSON text.
    pub(crate) config_shown: String,
    /// Cron expression.
    pub(crate) cron: String,
    /// IANA zone.
    pub(crate) zone: String,
    /// When it is due; none when nothing is to run.
    pub(crate) next_run_at: Option<Timestamp>,
    /// Until when a run holds the lease.
    pub(crate) lease_until: Option<Timestamp>,
    /// What the runs so far add up to.
    pub(crate) counters: Counters,
    /// The number of its latest event.
    pub(crate) sequence: i64,
    /// The open incident.
    pub(crate) incident_id: Option<String>,
    /// Since when the open incident lasts.
    pub(crate) failing_since: Option<Timestamp>,
    /// Its latest run.
    pub(crate) last_run: Option<RunRow>,
}

/// A run as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct RunRow {
    /// Its id.
    pub(crate) id: RunId,
    /// Which configuration it looked at.
    pub(crate) subject: Subject,
    /// Why it took place.
    pub(crate) trigger: Trigger,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// How long it took.
    pub(crate) duration: Duration,
    /// Its overall result.
    pub(crate) status: ReportStatus,
    /// The class that decided.
    pub(crate) class: Option<Class>,
    /// The rule that made its verdict.
    pub(crate) rule: String,
    /// Its results.
    pub(crate) report: StoredReport,
}

/// Results as stored: once per distinct content.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct StoredReport {
    /// One entry per test, in catalog order.
    pub(crate) tests: Vec<StoredTest>,
}

/// One test's result as stored: the published fields and ours.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct StoredTest {
    /// The published name.
    pub(crate) name: String,
    /// Its result.
    pub(crate) status: ReportStatus,
    /// Why, when it did not simply pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// Whether trying again can help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) class: Option<Class>,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remediation: Option<String>,
    /// What the platform said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<String>,
}

impl StoredReport {
    /// The published form, given the overall result of the run.
    pub(crate) fn results(&self, status: ReportStatus) -> ValidationResults {
        let published = |test: &StoredTest| ValidationTest {
            name: test.name.clone(),
            status: test.status,
            message: test.message.clone(),
        };
        ValidationResults { status, validation_tests: self.tests.iter().map(published).collect() }
    }
}

impl From<&Report> for StoredReport {
    fn from(report: &Report) -> Self {
        let stored = |result: &crate::domain::TestResult| {
            let finding = result.outcome.finding();
            StoredTest {
                name: result.test.name.to_owned(),
                status: result.outcome.status(),
                message: result.outcome.message().map(str::to_owned),
                class: finding.map(|finding| finding.class),
                remediation: finding.and_then(|finding| finding.remediation.clone()),
                evidence: finding.and_then(|finding| finding.evidence.clone()),
            }
        };
        Self { tests: report.tests.iter().map(stored).collect() }
    }
}

/// A status change in the history.
#[derive(Clone, Debug)]
pub(crate) struct TransitionRow {
    /// Status before; none at creation.
    pub(crate) from: Option<Status>,
    /// Status after.
    pub(crate) to: Status,
    /// Why; none at creation.
    pub(crate) cause: Option<Cause>,
    /// When.
    pub(crate) at: Timestamp,
    /// The run that caused it, if one did.
    pub(crate) run: Option<RunId>,
    /// The incident it opened, belongs to or closed.
    pub(crate) incident_id: Option<String>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DeliveryState {
    /// Owed.
    Pending,
    /// A 2xx answer came.
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    /// Every state.
    pub(crate) const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The name in the database and for people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// Which deliveries to show; everything when empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeliveryFilter {
    /// Only in this state.
    pub(crate) state: Option<DeliveryState>,
    /// Only to this receiver.
    pub(crate) receiver: Option<String>,
    /// Only about this integration.
    pub(crate) integration: Option<String>,
    /// Only those created at or after this instant.
    pub(crate) since: Option<Timestamp>,
    /// Only those created before this instant.
    pub(crate) until: Option<Timestamp>,
    /// At most so many, newest first.
    pub(crate) limit: u32,
}

/// A delivery as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryRow {
    /// Its id.
    pub(crate) id: DeliveryId,
    /// `evt_<uuid>`.
    pub(crate) event_id: String,
    /// What happened.
    pub(crate) kind: EventType,
    /// To whom.
    pub(crate) receiver: String,
    /// About which integration.
    pub(crate) integration: String,
    /// The event's number in its integration.
    pub(crate) sequence: i64,
    /// Where it stands.
    pub(crate) state: DeliveryState,
    /// When the event happened.
    pub(crate) created_at: Timestamp,
    /// When it is tried next, while pending.
    pub(crate) due_at: Timestamp,
    /// Its attempts, oldest first.
    pub(crate) attempts: Vec<AttemptRow>,
}

/// An attempt as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct AttemptRow {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// When it was sent.
    pub(crate) started_at: Timestamp,
    /// How long it took.
    pub(crate) duration: Duration,
    /// The HTTP status code, if an answer came.
    pub(crate) code: Option<u16>,
    /// The error, or the beginning of the answer.
    pub(crate) detail: String,
}
