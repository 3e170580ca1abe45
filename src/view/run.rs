//! Runs with the published results, and details beside those.

use serde::Serialize;

use super::evidence::Evidence;
use super::time::millis;
use crate::domain::{Class, Drift, ReportStatus, Timestamp, ValidationResults};
use crate::store::{RunRow, StoredReport, StoredTest, Trigger};

/// Run, with its results unless they are shown beside it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run<'a> {
    id: i64,
    configuration: &'static str,
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
    /// Durations of the tests in milliseconds, in the order of the results; null for one that was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_durations_ms: Option<Vec<Option<u64>>>,
    /// Evidence that its verdict rests on, as it weighed then; absent where nothing was in doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
}

impl<'a> From<&'a RunRow> for Run<'a> {
    fn from(run: &'a RunRow) -> Self {
        Self {
            id: run.id.0,
            configuration: run.subject.as_str(),
            trigger: run.trigger,
            started_at: run.started_at,
            duration_ms: millis(run.duration),
            status: run.status,
            class: run.class,
            rule: &run.rule,
            details: details(&run.report),
            drift: &run.drift,
            validation_results: None,
            test_durations_ms: None,
            evidence: None,
        }
    }
}

impl Run<'_> {
    /// Adds the published results, the time of each test, and the evidence behind the verdict.
    pub(crate) fn with_results(mut self, run: &RunRow) -> Self {
        self.validation_results = Some(results(run));
        let took = (0..run.report.tests.len()).map(|place| run.took.of(place).map(millis));
        self.test_durations_ms = Some(took.collect()).filter(|_| !run.took.is_empty());
        self.evidence = Evidence::of_run(run);
        self
    }
}

/// Returns a stored run's results, exactly as published.
pub(super) fn results(run: &RunRow) -> ValidationResults {
    run.report.results(run.status)
}

/// Detail of a test that failed or warned.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Detail<'a> {
    name: &'a str,
    class: Class,
    remediation: Option<&'a str>,
    evidence: Option<&'a str>,
}

/// Returns the details of every test that failed or warned.
pub(super) fn details(report: &StoredReport) -> Vec<Detail<'_>> {
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
