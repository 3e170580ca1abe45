//! Report of a validation run, and its published form on the wire.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Entry of a platform's catalog.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Test {
    /// Name of the test, exactly as published.
    pub(crate) name: &'static str,
    /// Published message with `[]` as slots; empty where none is published.
    pub(crate) message: &'static str,
    /// Runs that the test belongs to.
    pub(crate) when: When,
}

impl Test {
    /// Returns a test of every run.
    #[must_use]
    pub(crate) const fn always(name: &'static str, message: &'static str) -> Self {
        Self { name, message, when: When::Always }
    }

    /// Returns a test of something that does not exist before the set-up.
    #[must_use]
    pub(crate) const fn preflight(name: &'static str, message: &'static str) -> Self {
        Self { name, message, when: When::Preflight }
    }

    /// Returns an additional test that only makes sense after the set-up.
    #[must_use]
    pub(crate) const fn recurring(name: &'static str, message: &'static str) -> Self {
        Self { name, message, when: When::Recurring }
    }
}

/// Runs that a validation test belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum When {
    /// The test belongs to every run.
    Always,
    /// The test only applies before the platform is set up.
    Preflight,
    /// The test only applies after the platform is set up.
    Recurring,
}

/// Class of a failure: decided nearest the call, it says whether a retry can help.
#[derive(
    Clone,
    Copy,
    Debug,
    Deserialize,
    Eq,
    Hash,
    PartialEq,
    Serialize,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "lowercase", const_into_str)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Class {
    /// Authentication or permission was refused.
    Denied,
    /// The object does not exist.
    Missing,
    /// The configuration does not fit the platform.
    Invalid,
    /// A credential or certificate has expired.
    Expired,
    /// No answer came: resolution, connection, broken TLS, time-out.
    Unreachable,
    /// The platform asked for fewer requests.
    Throttled,
    /// The platform answered that it cannot serve now.
    Unavailable,
    /// Fault on the daemon's own side: no network at all, wrong clock, unreadable secret file.
    #[serde(alias = "ours")]
    Local,
}

impl Class {
    /// Every class, definitive ones first.
    pub(crate) const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Returns the name in logs, in the database and on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Returns true when a retry cannot help.
    pub(crate) const fn is_definitive(self) -> bool {
        match self {
            Self::Denied | Self::Missing | Self::Invalid | Self::Expired => true,
            Self::Unreachable | Self::Throttled | Self::Unavailable | Self::Local => false,
        }
    }
}

/// Finding of a validation test that failed or warned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Finding {
    /// Published text, then at most one line of platform detail.
    pub(crate) message: String,
    /// Class of the failure, which decides whether a retry can help.
    pub(crate) class: Class,
    /// Exact grant, role, permission or setting that fixes it.
    pub(crate) remediation: Option<String>,
    /// Answer of the platform, redacted and bounded.
    pub(crate) evidence: Option<String>,
    /// True where the platform refused the credentials themselves: they are not sent again unchanged.
    pub(crate) refuses_log_in: bool,
    /// True where the answer is in the platform's own words; false where a gateway, a proxy or an identity
    /// provider may have given it in the platform's place.
    pub(crate) is_certain: bool,
    /// Wait that the platform asked for.
    pub(crate) retry_after: Option<Duration>,
}

impl Finding {
    /// Returns a finding of `class` with `message`.
    pub(crate) fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            class,
            remediation: None,
            evidence: None,
            refuses_log_in: false,
            is_certain: true,
            retry_after: None,
        }
    }

    /// Returns a finding of `class`: the published text of `test`, then one line of platform `detail`.
    ///
    /// A template with slots is filled by the platform, so it is not repeated here.
    pub(crate) fn of(test: Test, class: Class, detail: impl std::fmt::Display) -> Self {
        let message = if test.message.is_empty() || test.message.contains("[]") {
            detail.to_string()
        } else {
            format!("{} {detail}", test.message)
        };
        Self::new(class, message)
    }

    /// Adds the remediation: how to fix the failure.
    #[must_use]
    pub(crate) fn fix(mut self, remediation: impl Into<String>) -> Self {
        self.remediation = Some(remediation.into());
        self
    }

    /// Marks it as the refusal of the credentials themselves.
    #[must_use]
    pub(crate) fn refusing_log_in(self) -> Self {
        Self { refuses_log_in: true, ..self }
    }

    /// Marks it as an answer that may not be the platform's own: a definitive one is asked for once more
    /// before it counts.
    #[must_use]
    pub(crate) fn doubtful(self) -> Self {
        Self { is_certain: false, ..self }
    }

    /// Adds the wait that the platform asked for.
    #[must_use]
    pub(crate) fn after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// Returns true when a definitive failure counts at once: it is in the platform's own words, or asking
    /// once more would count towards a lock-out.
    pub(crate) const fn counts_at_once(&self) -> bool {
        self.class.is_definitive() && (self.is_certain || self.refuses_log_in)
    }

    /// Adds the answer of the platform as evidence.
    #[must_use]
    pub(crate) fn because(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }
}

/// Outcome of one validation test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// The test passed; a few published tests have a message then.
    Passed(Option<String>),
    /// The test failed with this finding.
    Failed(Finding),
    /// The test passed with a warning.
    Warning(Finding),
    /// The test was skipped for this reason.
    Skipped(String),
}

impl Outcome {
    /// Returns the status on the wire.
    pub(crate) const fn status(&self) -> ReportStatus {
        match self {
            Self::Passed(_) => ReportStatus::Passed,
            Self::Failed(_) => ReportStatus::Failed,
            Self::Warning(_) => ReportStatus::Warning,
            Self::Skipped(_) => ReportStatus::Skipped,
        }
    }

    /// Returns the message on the wire, if there is one.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Passed(message) => message.as_deref(),
            Self::Failed(finding) | Self::Warning(finding) => Some(&finding.message),
            Self::Skipped(reason) => Some(reason),
        }
    }

    /// Returns the finding of a failed or warned test.
    pub(crate) const fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Failed(finding) | Self::Warning(finding) => Some(finding),
            Self::Passed(_) | Self::Skipped(_) => None,
        }
    }
}

/// Result of one test in a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TestResult {
    /// Test of the catalog.
    pub(crate) test: Test,
    /// Outcome of the test.
    pub(crate) outcome: Outcome,
}

/// Report of one validation run, in the order of the catalog.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Report {
    /// Results, one for every test in the platform's catalog.
    pub(crate) tests: Vec<TestResult>,
}

/// Result of a test, or of a whole report, in one word.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase", const_into_str)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum ReportStatus {
    /// No test failed or warned.
    Passed,
    /// At least one test failed.
    Failed,
    /// No test failed, at least one warned.
    Warning,
    /// No test was run.
    Skipped,
}

impl ReportStatus {
    /// Returns the word on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl Report {
    /// Returns the worst status of the tests; `skipped` when no test was run, and `passed` when the
    /// platform has no tests.
    #[must_use]
    pub(crate) fn status(&self) -> ReportStatus {
        let statuses: Vec<_> = self.tests.iter().map(|result| result.outcome.status()).collect();
        let worst_first = [ReportStatus::Failed, ReportStatus::Warning, ReportStatus::Passed];
        let found = worst_first.into_iter().find(|status| statuses.contains(status));
        found.unwrap_or(if statuses.is_empty() {
            ReportStatus::Passed
        } else {
            ReportStatus::Skipped
        })
    }

    /// Lays the failures of these classes on the daemon's own side.
    pub(crate) fn blame_local(&mut self, classes: impl Fn(Class) -> bool) {
        for result in &mut self.tests {
            if let Outcome::Failed(finding) = &mut result.outcome
                && classes(finding.class)
            {
                finding.class = Class::Local;
            }
        }
    }

    /// Returns the failure that decides about the run: a definitive one that is certain before others, then
    /// transient before `local`.
    #[must_use]
    pub(crate) fn decisive(&self) -> Option<Decisive> {
        let failed = |result: &'_ TestResult| result.outcome.status() == ReportStatus::Failed;
        let failed = || self.tests.iter().filter(|result| failed(result));
        let findings = || failed().filter_map(|result| result.outcome.finding());
        let place = |class| Class::ALL.iter().position(|one| *one == class);
        let worst = findings().min_by_key(|one| (!one.counts_at_once(), place(one.class)))?;
        let retry_after = findings().filter_map(|one| one.retry_after).max();
        let is_certain = worst.is_certain || worst.refuses_log_in;
        Some(Decisive { class: worst.class, is_certain, retry_after })
    }

    /// Returns the class that decides about the run.
    #[must_use]
    pub(crate) fn class(&self) -> Option<Class> {
        self.decisive().map(|failure| failure.class)
    }
}

/// Failure that decides about a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Decisive {
    /// Class of the failure.
    pub(crate) class: Class,
    /// True when it is in the platform's own words, or must not be asked for once more.
    pub(crate) is_certain: bool,
    /// Longest wait that the platform asked for.
    pub(crate) retry_after: Option<Duration>,
}

impl Decisive {
    /// Returns a failure in the platform's own words.
    pub(crate) const fn certain(class: Class) -> Self {
        Self { class, is_certain: true, retry_after: None }
    }
}

/// `validationResults`, exactly as the published schema has it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ValidationResults {
    /// Status of the whole run.
    pub(crate) status: ReportStatus,
    /// Entries, one per test, in the order of the catalog.
    pub(crate) validation_tests: Vec<ValidationTest>,
}

/// Entry of `validationTests`, one per test.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ValidationTest {
    /// Published name of the test.
    pub(crate) name: String,
    /// Result of the test.
    pub(crate) status: ReportStatus,
    /// Reason, when the test did not simply pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

impl From<&Report> for ValidationResults {
    fn from(report: &Report) -> Self {
        let validation_tests = report
            .tests
            .iter()
            .map(|result| ValidationTest {
                name: result.test.name.to_owned(),
                status: result.outcome.status(),
                message: result.outcome.message().map(str::to_owned),
            })
            .collect();
        Self { status: report.status(), validation_tests }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcomes: Vec<Outcome>) -> Report {
        let test = Test::always("t", "");
        Report { tests: outcomes.into_iter().map(|outcome| TestResult { test, outcome }).collect() }
    }

    #[test]
    fn worst_outcome_decides_the_status() {
        let passed = || Outcome::Passed(None);
        let skipped = || Outcome::Skipped("applies before set-up".to_owned());
        let warning = || Outcome::Warning(Finding::new(Class::Denied, "w"));
        let failed = |class| Outcome::Failed(Finding::new(class, "f"));
        let cases = [
            (vec![], ReportStatus::Passed),
            (vec![skipped()], ReportStatus::Skipped),
            (vec![skipped(), passed()], ReportStatus::Passed),
            (vec![passed(), warning(), skipped()], ReportStatus::Warning),
            (vec![warning(), failed(Class::Local), passed()], ReportStatus::Failed),
        ];
        for (outcomes, expected) in cases {
            assert_eq!(report(outcomes.clone()).status(), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn definitive_failure_decides_the_class() {
        let failed = |class| Outcome::Failed(Finding::new(class, "f"));
        let class =
            |classes: &[Class]| report(classes.iter().copied().map(failed).collect()).class();
        assert_eq!(class(&[Class::Throttled, Class::Denied]), Some(Class::Denied));
        assert_eq!(class(&[Class::Local, Class::Unreachable]), Some(Class::Unreachable));
        assert_eq!(class(&[Class::Local]), Some(Class::Local));
        assert_eq!(report(vec![Outcome::Warning(Finding::new(Class::Denied, "w"))]).class(), None);
    }

    #[test]
    fn certain_failure_decides_before_a_doubtful_one() {
        let denied = || Finding::new(Class::Denied, "f");
        let missing = || Finding::new(Class::Missing, "f");
        let decisive = |findings: Vec<Finding>| {
            let failed = findings.into_iter().map(Outcome::Failed).collect();
            report(failed).decisive().map(|one| (one.class, one.is_certain)).unwrap()
        };
        let cases = [
            (vec![denied()], (Class::Denied, true)),
            (vec![denied().doubtful()], (Class::Denied, false)),
            (vec![denied().doubtful(), missing()], (Class::Missing, true)),
            (vec![denied().doubtful().refusing_log_in()], (Class::Denied, true)),
            (
                vec![missing().doubtful(), Finding::new(Class::Throttled, "f")],
                (Class::Missing, false),
            ),
        ];
        for (findings, expected) in cases {
            assert_eq!(decisive(findings.clone()), expected, "{findings:?}");
        }
    }

    #[test]
    fn longest_wait_that_was_asked_for_decides() {
        let throttled = |secs| Outcome::Failed(Finding::new(Class::Throttled, "f").after(secs));
        let secs = |secs| Some(Duration::from_secs(secs));
        let waits = [throttled(secs(3)), throttled(None), throttled(secs(9))];
        assert_eq!(report(waits.to_vec()).decisive().unwrap().retry_after, secs(9));
    }

    #[test]
    fn wire_form_has_a_message_only_where_there_is_one() {
        let found = report(vec![
            Outcome::Passed(None),
            Outcome::Failed(Finding::new(Class::Denied, "Unable to connect to host.").fix("GRANT")),
        ]);
        let json = serde_json::to_string(&ValidationResults::from(&found)).unwrap();
        assert_eq!(
            json,
            r#"{"status":"failed","validationTests":[{"name":"t","status":"passed"},{"name":"t","status":"failed","message":"Unable to connect to host."}]}"#
        );
    }
}
