//! What programs get: the published integration object, and ours under one extra key.

mod held;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

pub(super) use held::{DaemonFault, Messages, Silence};

use super::print::millis;
use super::receivers::state;
use crate::domain::{
    Cause, Class, DisabledReason, Drift, Report, ReportStatus, Status, Timestamp,
    ValidationResults, ValidationTest,
};
use crate::store::{
    AttemptRow, DeliveryRow, DeliveryState, HistoryRow, IntegrationRow, ReceiverRow, RunRow,
    StoredReport, StoredTest, TransitionRow, Trigger,
};

/// An integration as published, with ours under `revalidated`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Integration<'a> {
    id: i64,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_bootstrap: Option<bool>,
    status: Status,
    validation_results: Option<ValidationResults>,
    config: Json,
    revalidated: Ours<'a>,
}

/// What the published interface has no place for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ours<'a> {
    labels: &'a BTreeMap<String, String>,
    schedule: &'a str,
    zone: &'a str,
    next_run_at: Option<Timestamp>,
    last_run: Option<Run<'a>>,
    incident_id: Option<&'a str>,
    failing_since: Option<Timestamp>,
    counters: Counters,
    sequence: i64,
    expires: Option<Expires<'a>>,
    last_passed_at: Option<Timestamp>,
    messages: Messages<'a>,
}

/// What ends next.
#[derive(Debug, Serialize)]
struct Expires<'a> {
    at: Timestamp,
    what: &'a str,
}

/// What the runs so far add up to.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Counters {
    failures: u32,
    passes: u32,
}

impl From<crate::domain::Counters> for Counters {
    fn from(counters: crate::domain::Counters) -> Self {
        Self { failures: counters.failures, passes: counters.passes }
    }
}

impl<'a> From<&'a IntegrationRow> for Integration<'a> {
    fn from(row: &'a IntegrationRow) -> Self {
        Self {
            id: row.id.0,
            name: &row.name,
            kind: &row.kind,
            auto_bootstrap: row.auto_bootstrap,
            status: row.status,
            validation_results: row.last_run.as_ref().map(results),
            config: config(row),
            revalidated: Ours {
                labels: &row.labels,
                schedule: &row.cron,
                zone: &row.zone,
                next_run_at: row.next_run_at,
                last_run: row.last_run.as_ref().map(Run::from),
                incident_id: row.incident_id.as_deref(),
                failing_since: row.failing_since,
                counters: row.counters.into(),
                sequence: row.sequence,
                expires: row.expires.as_ref().map(|(at, what)| Expires { at: *at, what }),
                last_passed_at: row.fingerprint_at,
                messages: row.into(),
            },
        }
    }
}

impl<'a> Integration<'a> {
    /// With everything that is special about it.
    pub(super) fn with(mut self, messages: Messages<'a>) -> Self {
        self.revalidated.messages = messages;
        self
    }
}

/// The configuration with its secrets replaced.
pub(super) fn config(row: &IntegrationRow) -> Json {
    serde_json::from_str(&row.config_shown).unwrap_or(Json::Null)
}

/// A stored run's results, exactly as published.
pub(super) fn results(run: &RunRow) -> ValidationResults {
    let test = |test: &StoredTest| ValidationTest {
        name: test.name.clone(),
        status: test.status,
        message: test.message.clone(),
    };
    let validation_tests = run.report.tests.iter().map(test).collect();
    ValidationResults { status: run.status, validation_tests }
}

/// A run, with the results only where they do not stand beside it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run<'a> {
    id: i64,
    subject: &'static str,
    trigger: Trigger,
    started_at: Timestamp,
    duration_ms: u64,
    status: ReportStatus,
    class: Option<Class>,
    rule: &'a str,
    details: Vec<Detail<'a>>,
    drift: &'a [Drift],
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_results: Option<ValidationResults>,
}

impl<'a> From<&'a RunRow> for Run<'a> {
    fn from(run: &'a RunRow) -> Self {
        Self {
            id: run.id.0,
            subject: run.subject.as_str(),
            trigger: run.trigger,
            started_at: run.started_at,
            duration_ms: millis(run.duration),
            status: run.status,
            class: run.class,
            rule: &run.rule,
            details: details(&run.report),
            drift: &run.drift,
            validation_results: None,
        }
    }
}

impl Run<'_> {
    /// Adds the published results.
    pub(super) fn with_results(mut self, run: &RunRow) -> Self {
        self.validation_results = Some(results(run));
        self
    }
}

/// What the published results do not say about a test that failed or warned.
#[derive(Debug, Serialize)]
struct Detail<'a> {
    name: &'a str,
    class: Class,
    remediation: Option<&'a str>,
    evidence: Option<&'a str>,
}

fn details(report: &StoredReport) -> Vec<Detail<'_>> {
    report.tests.iter().filter_map(detail).collect()
}

fn detail(test: &StoredTest) -> Option<Detail<'_>> {
    Some(Detail {
        name: &test.name,
        class: test.class?,
        remediation: test.remediation.as_deref(),
        evidence: test.evidence.as_deref(),
    })
}

/// A line of the history.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Entry<'a> {
    /// A run.
    Run(Run<'a>),
    /// A status change.
    Transition(Transition<'a>),
}

impl<'a> From<&'a HistoryRow> for Entry<'a> {
    fn from(row: &'a HistoryRow) -> Self {
        match row {
            HistoryRow::Run(run) => Self::Run(Run::from(run).with_results(run)),
            HistoryRow::Transition(transition) => Self::Transition(transition.into()),
        }
    }
}

/// A status change.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transition<'a> {
    at: Timestamp,
    from: Option<Status>,
    to: Status,
    cause: Option<&'static str>,
    run: Option<i64>,
    incident_id: Option<&'a str>,
}

impl<'a> From<&'a TransitionRow> for Transition<'a> {
    fn from(row: &'a TransitionRow) -> Self {
        Self {
            at: row.at,
            from: row.from,
            to: row.to,
            cause: row.cause.map(Cause::as_str),
            run: row.run.map(|run| run.0),
            incident_id: row.incident_id.as_deref(),
        }
    }
}

/// A delivery with its attempts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delivery<'a> {
    id: i64,
    event_id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    receiver: &'a str,
    integration: Option<&'a str>,
    sequence: i64,
    state: &'static str,
    created_at: Timestamp,
    due_at: Option<Timestamp>,
    attempts: Vec<Attempt<'a>>,
}

/// An attempt.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attempt<'a> {
    number: u32,
    started_at: Timestamp,
    duration_ms: u64,
    code: Option<u16>,
    detail: &'a str,
}

impl<'a> From<&'a DeliveryRow> for Delivery<'a> {
    fn from(row: &'a DeliveryRow) -> Self {
        let attempt = |attempt: &'a AttemptRow| Attempt {
            number: attempt.number,
            started_at: attempt.started_at,
            duration_ms: millis(attempt.duration),
            code: attempt.code,
            detail: &attempt.detail,
        };
        Self {
            id: row.id.0,
            event_id: &row.event_id,
            kind: row.kind.as_str(),
            receiver: &row.receiver,
            integration: row.integration.as_deref(),
            sequence: row.sequence,
            state: row.state.as_str(),
            created_at: row.created_at,
            due_at: (row.state == DeliveryState::Pending).then_some(row.due_at),
            attempts: row.attempts.iter().map(attempt).collect(),
        }
    }
}

/// A receiver with its state and what it is owed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receiver<'a> {
    name: &'a str,
    configured: bool,
    state: &'static str,
    reason: Option<DisabledReason>,
    disabled_at: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    last_success_at: Option<Timestamp>,
    owed: u32,
    oldest_owed_at: Option<Timestamp>,
}

impl<'a> From<&'a ReceiverRow> for Receiver<'a> {
    fn from(row: &'a ReceiverRow) -> Self {
        let (reason, disabled_at) = row.disabled.unzip();
        Self {
            name: &row.name,
            configured: row.configured,
            state: state(row),
            reason,
            disabled_at,
            failing_since: row.failing_since,
            last_success_at: row.last_success_at,
            owed: row.owed,
            oldest_owed_at: row.oldest_owed_at,
        }
    }
}

/// What a validation on demand found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OnDemand<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    validation_results: ValidationResults,
    details: Vec<Detail<'a>>,
    duration_ms: u64,
}

impl<'a> OnDemand<'a> {
    /// The shape of `report`, of which `stored` is the stored form.
    pub(super) fn new(
        (name, kind): (&'a str, &'a str),
        report: &Report,
        stored: &'a StoredReport,
        duration: std::time::Duration,
    ) -> Self {
        let validation_results = ValidationResults::from(report);
        Self {
            name,
            kind,
            validation_results,
            details: details(stored),
            duration_ms: millis(duration),
        }
    }
}
