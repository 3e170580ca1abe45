//! Results of runs as they are stored, which events compare.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::{
    Change, Class, Report, ReportStatus, TestResult, ValidationResults, ValidationTest,
};

/// Results as stored: once per distinct content.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct StoredReport {
    /// One entry per test, in catalog order.
    pub(crate) tests: Vec<StoredTest>,
}

/// Result of one test as stored: the published fields and further ones.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct StoredTest {
    /// Published name of the test.
    pub(crate) name: String,
    /// Result of the test.
    pub(crate) status: ReportStatus,
    /// Reason, when it did not simply pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// Class of the failure or warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) class: Option<Class>,
    /// Instructions that fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remediation: Option<String>,
    /// Answer of the platform, redacted and bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<String>,
}

impl StoredReport {
    /// Returns the differences from the results `before`, test by test.
    #[must_use]
    pub(crate) fn changes(&self, before: Option<&Self>) -> Vec<Change> {
        let earlier = |name: &str| {
            let found = before?.tests.iter().find(|test| test.name == name);
            found.map(|test| test.status)
        };
        let differs = self.tests.iter().filter_map(|test| {
            let (from, to) = (earlier(&test.name), test.status);
            (from != Some(to)).then(|| Change {
                test: test.name.clone(),
                from,
                to,
                message: test.message.clone(),
                class: test.class,
                remediation: test.remediation.clone(),
            })
        });
        differs.collect()
    }

    /// Returns the published form, given the overall result of the run.
    pub(crate) fn results(&self, status: ReportStatus) -> ValidationResults {
        let published = |test: &StoredTest| ValidationTest {
            name: test.name.clone(),
            status: test.status,
            message: test.message.clone(),
        };
        ValidationResults { status, validation_tests: self.tests.iter().map(published).collect() }
    }
}

impl StoredReport {
    /// Returns its warnings by test and message.
    pub(super) fn warnings(&self) -> BTreeSet<(&str, Option<&str>)> {
        let warned = self.tests.iter().filter(|test| test.status == ReportStatus::Warning);
        warned.map(|test| (test.name.as_str(), test.message.as_deref())).collect()
    }
}

impl From<&Report> for StoredReport {
    fn from(report: &Report) -> Self {
        let stored = |result: &TestResult| {
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
