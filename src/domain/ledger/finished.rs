//! A run as the planner begins it, and as it comes back to be recorded.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{
    Drift, Facts, IntegrationId, Observed, OwnFault, Policy, Report, ReportStatus, RunId, Schedule,
    Status, Subject, TestResult, Timestamp, Transition, Verdict, difference,
};

/// Reason of a run.
#[derive(
    Clone,
    Copy,
    Debug,
    Deserialize,
    Eq,
    PartialEq,
    Serialize,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "lowercase", const_into_str)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Trigger {
    /// Its schedule came due.
    Schedule,
    /// A run before it was not conclusive.
    Confirm,
    /// It came due while the daemon was down.
    Startup,
    /// It is new, or its configuration changed.
    Change,
    /// A person asked for it.
    Request,
}

impl Trigger {
    /// All triggers, in the order of the database's check.
    pub(crate) const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// A run that has begun, under a lease.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    /// Id of its integration.
    pub(crate) id: IntegrationId,
    /// Name of its integration.
    pub(crate) name: String,
    /// The published name of the platform that `active_config` is for; without one, of the
    /// configured platform.
    pub(crate) kind: String,
    /// Status of the integration when the run began.
    pub(crate) status: Status,
    /// Error status that a pending operation has left.
    pub(crate) pending: Option<Status>,
    /// Token of its lease: a result is stored only while the row has this one.
    pub(crate) token: i64,
    /// Why it runs, as the row says.
    pub(crate) trigger: Trigger,
    /// When it was due.
    pub(crate) due_at: Timestamp,
    /// In a status that keeps it apart from a candidate: the configuration that passed last, as
    /// stored (see [`Wanted::config`](super::Wanted::config)).
    pub(crate) active_config: Option<String>,
    /// The facts of the last passing run.
    pub(crate) fingerprint: Option<Facts>,
}

impl Begun {
    /// Returns the configurations that the run validates, in order.
    pub(crate) const fn subjects(&self) -> &'static [Subject] {
        self.status.subjects(self.pending)
    }
}

/// A finished run, with what is needed to judge it and to plan the next.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// The run as it was begun.
    pub(crate) begun: Begun,
    /// One entry per validated configuration, in the order of [`Begun::subjects`].
    pub(crate) runs: Vec<SubjectRun>,
    /// When the run began.
    pub(crate) started_at: Timestamp,
    /// Duration of all of it.
    pub(crate) duration: Duration,
    /// Policy by which the runs are judged.
    pub(crate) policy: Policy,
    /// The schedule that says when the integration is due after this.
    pub(crate) schedule: Schedule,
    /// Node on which the run was made; none where there is one node.
    pub(crate) node: Option<String>,
}

/// The findings of one configuration's validation.
#[derive(Clone, Debug)]
pub(crate) struct SubjectRun {
    /// Configuration that was validated.
    pub(crate) subject: Subject,
    /// Results of its tests.
    pub(crate) report: Report,
    /// Facts, expiries and clocks that it saw.
    pub(crate) observed: Observed,
    /// The fault on the daemon's own side behind a failure of class `local`.
    pub(crate) own_fault: Option<OwnFault>,
}

impl SubjectRun {
    /// Returns the time that each test of the report took; none for one that was not run.
    pub(crate) fn took(&self) -> Vec<Option<Duration>> {
        let took = |result: &TestResult| self.observed.took.get(result.test.name).copied();
        self.report.tests.iter().map(took).collect()
    }

    /// Returns true when it passed, with warnings or without.
    pub(crate) fn is_good(&self) -> bool {
        match self.report.status() {
            ReportStatus::Passed | ReportStatus::Warning => true,
            ReportStatus::Failed | ReportStatus::Skipped => false,
        }
    }
}

impl Finished {
    /// Returns the facts in which `run`, one of these, differs from the last passing run, when it
    /// failed. A configuration that is not in force yet may well see other facts.
    pub(crate) fn drift(&self, run: &SubjectRun) -> Vec<Drift> {
        let failed = run.report.status() == ReportStatus::Failed;
        match self.begun.fingerprint.as_ref().filter(|_| failed && run.subject == Subject::Active) {
            Some(before) => difference(before, &run.observed.facts),
            None => Vec::new(),
        }
    }

    /// Returns the run that validated `subject`, with its place.
    pub(crate) fn of(&self, subject: Subject) -> Option<(usize, &SubjectRun)> {
        self.runs.iter().enumerate().find(|(_, run)| run.subject == subject)
    }
}

/// Result of recording a run.
#[derive(Clone, Debug)]
pub(crate) enum Recorded {
    /// The run is stored.
    Stored {
        /// Id of the row of the run that decided, or of the first.
        run: RunId,
        /// Place of that run in [`Finished::runs`].
        index: usize,
        /// Verdict of the run.
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
