//! Common tests: the daemon appends them to the report of every platform's recurring run.

use std::time::Duration;

use super::{
    DRIFT, EXPIRY, Facts, Observed, Outcome, Report, ReportStatus, Test, TestResult, Timestamp,
    compare, expiry_check,
};

/// Tests of every platform, in the order they are appended.
pub(crate) const COMMON: [Test; 2] = [EXPIRY, DRIFT];

/// Configuration of the tests that every platform has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CommonChecks {
    /// Times before an expiry at which to warn; empty for never.
    pub(crate) expiry_warn: Vec<Duration>,
    /// True to warn when grants differ from those of the last passing run.
    pub(crate) drift: bool,
}

impl Default for CommonChecks {
    fn default() -> Self {
        let days = |days: u64| Duration::from_hours(24 * days);
        Self { expiry_warn: [30, 14, 7, 1].map(days).to_vec(), drift: true }
    }
}

impl CommonChecks {
    /// Appends the results to `report`, from what the run `observed` and the facts of the latest passing
    /// run `before`.
    ///
    /// A run that failed, or in which nothing ran, keeps its status: these tests only warn.
    pub(crate) fn complete(
        &self,
        report: &mut Report,
        observed: &Observed,
        before: Option<&Facts>,
        now: Timestamp,
    ) {
        let ran = report.status();
        if !self.expiry_warn.is_empty() {
            let mut result = expiry_check(observed, now, &self.expiry_warn);
            let is_silent = result.outcome == Outcome::Passed(None);
            match ran {
                ReportStatus::Skipped => result.outcome = skipped("No other test was run."),
                ReportStatus::Failed if is_silent => {
                    result.outcome = skipped("No expiry was seen in a run that failed.");
                }
                ReportStatus::Failed | ReportStatus::Passed | ReportStatus::Warning => {}
            }
            report.tests.push(result);
        }
        if self.drift {
            report.tests.push(match (ran, before) {
                (ReportStatus::Passed | ReportStatus::Warning, Some(before)) => {
                    compare(before, &observed.facts)
                }
                (ReportStatus::Passed | ReportStatus::Warning, None) => {
                    TestResult { test: DRIFT, outcome: Outcome::Passed(None) }
                }
                (ReportStatus::Failed | ReportStatus::Skipped, _) => {
                    let outcome = skipped("Checked only when all other tests pass.");
                    TestResult { test: DRIFT, outcome }
                }
            });
        }
    }
}

fn skipped(reason: &str) -> Outcome {
    Outcome::Skipped(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, Expiry, ExpiryKind, Fact, FactKind, Finding};
    use std::collections::BTreeSet;

    fn grants(values: &[&str]) -> Facts {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        Facts::from([(Fact { kind: FactKind::Grant, of: "db".to_owned() }, values)])
    }

    #[test]
    fn common_tests_never_improve_a_report_and_only_warn_in_a_passing_one() {
        let now = Timestamp(0);
        let ends = Expiry { kind: ExpiryKind::Token, of: String::new(), at: Timestamp(5) };
        let close = Observed {
            expiries: BTreeSet::from([ends]),
            facts: grants(&["b"]),
            ..Observed::default()
        };
        let silent = Observed::default();
        let failed = Outcome::Failed(Finding::new(Class::Denied, "f"));
        let warned = Outcome::Warning(Finding::new(Class::Denied, "w"));
        let table = [
            (Some(Outcome::Passed(None)), &silent, ReportStatus::Passed, "passed passed"),
            (Some(Outcome::Passed(None)), &close, ReportStatus::Warning, "warning warning"),
            (Some(warned), &silent, ReportStatus::Warning, "passed passed"),
            (Some(failed.clone()), &silent, ReportStatus::Failed, "skipped skipped"),
            (Some(failed), &close, ReportStatus::Failed, "warning skipped"),
            (Some(skipped("s")), &silent, ReportStatus::Skipped, "skipped skipped"),
            (Some(skipped("s")), &close, ReportStatus::Skipped, "skipped skipped"),
            (None, &silent, ReportStatus::Passed, "passed passed"),
        ];
        for (outcome, observed, status, appended) in table {
            let test = Test::always("t", "");
            let tests: Vec<_> =
                outcome.into_iter().map(|outcome| TestResult { test, outcome }).collect();
            let (mut report, own) = (Report { tests: tests.clone() }, tests.len());
            let class = report.class();
            CommonChecks::default().complete(&mut report, observed, Some(&grants(&["a"])), now);
            assert_eq!((report.status(), report.class()), (status, class), "{tests:?}");
            assert_eq!(report.tests[..own], tests);
            let words = report.tests[own..].iter().map(|one| one.outcome.status().as_str());
            assert_eq!(words.collect::<Vec<_>>().join(" "), appended, "{tests:?}");
            let names: Vec<_> = report.tests[own..].iter().map(|one| one.test.name).collect();
            assert_eq!(names, COMMON.map(|test| test.name));
        }
    }

    #[test]
    fn disabled_checks_are_not_in_the_report() {
        let mut report = Report { tests: Vec::new() };
        let off = CommonChecks { expiry_warn: Vec::new(), drift: false };
        off.complete(&mut report, &Observed::default(), None, Timestamp(0));
        assert_eq!(report.tests, []);
    }
}
