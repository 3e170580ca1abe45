//! Validation on demand: a report that is shown and not stored.

use std::time::Duration;

use serde::Serialize;

use super::run::{Detail, details};
use super::time::millis;
use crate::domain::{Report, ReportStatus, ValidationResults};
use crate::store::StoredReport;

/// Result of a validation on demand.
#[derive(Debug)]
pub(crate) struct Validated {
    /// Name of the integration.
    pub(crate) name: String,
    /// Published name of its platform.
    pub(crate) kind: &'static str,
    /// Outcomes of all tests.
    pub(crate) report: Report,
    /// Time that it took.
    pub(crate) duration: Duration,
}

impl Validated {
    /// Returns the message of the first test that failed, else of the first that warned.
    pub(crate) fn first_problem(&self) -> Option<&str> {
        let wanted = [ReportStatus::Failed, ReportStatus::Warning];
        let mut tests = wanted.iter().flat_map(|&status| {
            let tests = self.report.tests.iter();
            tests.filter(move |test| test.outcome.status() == status)
        });
        tests.next().and_then(|test| test.outcome.message())
    }

    /// True when it passed, warnings allowed.
    pub(crate) fn is_good(&self) -> bool {
        match self.report.status() {
            ReportStatus::Passed | ReportStatus::Warning => true,
            ReportStatus::Failed | ReportStatus::Skipped => false,
        }
    }
}

/// Validation on demand as programs get it: the published results, and details beside them.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnDemand<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    validation_results: ValidationResults,
    details: Vec<Detail<'a>>,
    duration_ms: u64,
}

impl<'a> OnDemand<'a> {
    /// Shows `validated`, of whose report `stored` is the stored form.
    pub(crate) fn new(validated: &'a Validated, stored: &'a StoredReport) -> Self {
        Self {
            name: &validated.name,
            kind: validated.kind,
            validation_results: ValidationResults::from(&validated.report),
            details: details(stored),
            duration_ms: millis(validated.duration),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn details_are_beside_the_published_results() {
        let validated = samples::validated();
        let stored = StoredReport::from(&validated.report);
        let expected = serde_json::json!({
            "name": "lake", "type": "Redshift",
            "validationResults": { "status": "failed", "validationTests": [
                { "name": "Host is given", "status": "passed" },
                { "name": "Connect to host", "status": "failed",
                  "message": "Unable\nto connect to host." },
                { "name": "Create role", "status": "skipped", "message": "Not run." },
            ]},
            "details": [{ "name": "Connect to host", "class": "unreachable",
                "remediation": "Open port 5439.", "evidence": "refused\u{1b}[31m" }],
            "durationMs": 812,
        });
        assert_eq!(serde_json::to_value(OnDemand::new(&validated, &stored)).unwrap(), expected);
    }

    #[test]
    fn a_report_without_a_tested_outcome_is_not_good() {
        let mut validated = samples::validated();
        assert!(!validated.is_good());
        validated.report.tests.truncate(1);
        assert!(validated.is_good());
        assert_eq!(validated.first_problem(), None);
        validated.report = samples::validated().report;
        validated.report.tests.drain(..2);
        assert!(!validated.is_good());
    }
}
