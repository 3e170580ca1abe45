//! What a validation run found, and its form on the wire.

use serde::{Deserialize, Serialize};

/// One entry of a platform's catalog.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Test {
    /// The name, exactly as published.
    pub(crate) name: &'static str,
    /// The published message, `[]` being slots; empty where none is published.
    pub(crate) message: &'static str,
    /// When it applies.
    pub(crate) when: When,
}

impl Test {
    /// A test that holds for as long as the integration lives.
    #[must_use]
    pub(crate) const fn always(name: &'static str, message: &'static str) -> Self {
        Self { name, message, when: When::Always }
    }

    /// A test that something does not exist yet, which set-up makes untrue.
    #[must_use]
    pub(crate) const fn preflight(name: &'static str, message: &'static str) -> Self {
        Self { name, message, when: When::Preflight }
    }

    /// A test of ours that only makes sense once the platform is set up.
    #[must_use]
    pub(crate) const fn recurring(name: &'static str, message: &'static str) -> Self {
        Self { name, message, when: When::Recurring }
    }
}

/// When a validation test applies.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum When {
    /// In every run.
    Always,
    /// Only before the platform side is set up.
    Preflight,
    /// Only after the platform side is set up.
    Recurring,
}

/// Whether trying again can help; decided where the error is seen.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
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
    /// No answer: resolution, connection, TLS cut, time-out.
    Unreachable,
    /// The platform asked us to slow down.
    Throttled,
    /// The platform answered that it cannot serve now.
    Unavailable,
    /// Fault on the daemon's own side: no network at all, wrong clock, unreadable secret file.
    #[serde(alias = "ours")]
    Local,
}

impl Class {
    /// Every class, definitive ones first.
    pub(crate) const ALL: [Self; 8] = [
        Self::Denied,
        Self::Missing,
        Self::Invalid,
        Self::Expired,
        Self::Unreachable,
        Self::Throttled,
        Self::Unavailable,
        Self::Local,
    ];

    /// The name in logs, in the database and on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::Expired => "expired",
            Self::Unreachable => "unreachable",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Local => "local",
        }
    }

    /// True when trying again cannot help.
    pub(crate) const fn is_definitive(self) -> bool {
        match self {
            Self::Denied | Self::Missing | Self::Invalid | Self::Expired => true,
            Self::Unreachable | Self::Throttled | Self::Unavailable | Self::Local => false,
        }
    }
}

/// Why a validation test did not simply pass.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Finding {
    /// The published text, then at most one line of platform detail.
    pub(crate) message: String,
    /// Whether trying again can help.
    pub(crate) class: Class,
    /// The exact grant, role, permission or setting that mends it.
    pub(crate) remediation: Option<String>,
    /// What the platform said, redacted and bounded.
    pub(crate) evidence: Option<String>,
}

impl Finding {
    /// A finding of `class` that says `message`.
    pub(crate) fn new(class: Class, message: impl Into<String>) -> Self {
        Self { message: message.into(), class, remediation: None, evidence: None }
    }

    /// A finding of `class`: the published text of `test`, then one line of platform `detail`.
    ///
    /// A template with slots is left to the platform to fill, so it is not repeated here.
    pub(crate) fn of(test: Test, class: Class, detail: impl std::fmt::Display) -> Self {
        let message = if test.message.is_empty() || test.message.contains("[]") {
            detail.to_string()
        } else {
            format!("{} {detail}", test.message)
        };
        Self::new(class, message)
    }

    /// Adds how to mend it.
    #[must_use]
    pub(crate) fn mend(mut self, remediation: impl Into<String>) -> Self {
        self.remediation = Some(remediation.into());
        self
    }

    /// Adds what the platform said.
    #[must_use]
    pub(crate) fn because(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }
}

/// How one validation test ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// The test held; a few published tests say something then.
    Passed(Option<String>),
    /// The test did not hold.
    Failed(Finding),
    /// The test held, with a reservation.
    Warning(Finding),
    /// The test was not run, for this reason.
    Skipped(String),
}

impl Outcome {
    /// The word on the wire.
    pub(crate) const fn status(&self) -> ReportStatus {
        match self {
            Self::Passed(_) => ReportStatus::Passed,
            Self::Failed(_) => ReportStatus::Failed,
            Self::Warning(_) => ReportStatus::Warning,
            Self::Skipped(_) => ReportStatus::Skipped,
        }
    }

    /// The text on the wire, if there is one.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Passed(message) => message.as_deref(),
            Self::Failed(finding) | Self::Warning(finding) => Some(&finding.message),
            Self::Skipped(reason) => Some(reason),
        }
    }

    /// What was found, for a failed or warned test.
    pub(crate) const fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Failed(finding) | Self::Warning(finding) => Some(finding),
            Self::Passed(_) | Self::Skipped(_) => None,
        }
    }
}

/// One line of a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TestResult {
    /// Which test.
    pub(crate) test: Test,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// Everything one validation run found, in catalog order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Report {
    /// One entry for every test in the platform's catalog.
    pub(crate) tests: Vec<TestResult>,
}

/// The one-word result of a test, and of a whole report.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum ReportStatus {
    /// Nothing failed.
    Passed,
    /// At least one test failed.
    Failed,
    /// Nothing failed, something warned.
    Warning,
    /// Nothing ran.
    Skipped,
}

impl ReportStatus {
    /// The word on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Warning => "warning",
            Self::Skipped => "skipped",
        }
    }
}

impl Report {
    /// Sums up the tests: the worst outcome wins, a run of nothing says nothing, and a platform
    /// without tests has passed.
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

    /// The class that decides about the run: definitive before transient before `local`.
    #[must_use]
    pub(crate) fn class(&self) -> Option<Class> {
        let failed: Vec<_> = self
            .tests
            .iter()
            .filter(|result| result.outcome.status() == ReportStatus::Failed)
            .filter_map(|result| result.outcome.finding().map(|finding| finding.class))
            .collect();
        Class::ALL.into_iter().find(|class| failed.contains(class))
    }
}

/// `validationResults`, to the letter of the published schema.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ValidationResults {
    /// The whole.
    pub(crate) status: ReportStatus,
    /// One entry per test, in catalog order.
    pub(crate) validation_tests: Vec<ValidationTest>,
}

/// One entry of `validationTests`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ValidationTest {
    /// The published name.
    pub(crate) name: String,
    /// Its result.
    pub(crate) status: ReportStatus,
    /// Why, when it did not simply pass.
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
    fn the_worst_outcome_wins() {
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
    fn a_definitive_failure_decides_about_the_run() {
        let failed = |class| Outcome::Failed(Finding::new(class, "f"));
        let class =
            |classes: &[Class]| report(classes.iter().copied().map(failed).collect()).class();
        assert_eq!(class(&[Class::Throttled, Class::Denied]), Some(Class::Denied));
        assert_eq!(class(&[Class::Local, Class::Unreachable]), Some(Class::Unreachable));
        assert_eq!(class(&[Class::Local]), Some(Class::Local));
        assert_eq!(report(vec![Outcome::Warning(Finding::new(Class::Denied, "w"))]).class(), None);
    }

    #[test]
    fn the_wire_form_has_a_message_only_where_there_is_one() {
        let found = report(vec![
            Outcome::Passed(None),
            Outcome::Failed(
                Finding::new(Class::Denied, "Unable to connect to host.").mend("GRANT"),
            ),
        ]);
        let json = serde_json::to_string(&ValidationResults::from(&found)).unwrap();
        assert_eq!(
            json,
            r#"{"status":"failed","validationTests":[{"name":"t","status":"passed"},{"name":"t","status":"failed","message":"Unable to connect to host."}]}"#
        );
    }
}
