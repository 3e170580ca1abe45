//! Results of a run's tests as the pages of integrations and runs show them.

use crate::domain::{Class, ReportStatus};
use crate::page::overview::message;
use crate::page::text::took;
use crate::page::viewer::Viewer;
use crate::store::{RunRow, StoredTest};

/// Results of a run.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    /// Heading of the section.
    pub(crate) title: &'static str,
    /// Numbers of results and the duration, in words.
    pub(crate) summary: String,
    /// Tests, those that failed first.
    pub(crate) tests: Vec<TestItem>,
    /// Answers of the platform by the test; empty in public.
    pub(crate) evidence: Vec<(String, String)>,
}

/// Test as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct TestItem {
    /// Published name of the test.
    pub(crate) name: String,
    /// Result in a word.
    pub(crate) status: &'static str,
    /// Name of its symbol.
    pub(crate) icon: &'static str,
    /// Class of its colour.
    pub(crate) tone: &'static str,
    /// Class of the line.
    pub(crate) style: &'static str,
    /// Message of the test; in public, its class in words.
    pub(crate) message: String,
    /// Class of the failure; empty for none.
    pub(crate) class: &'static str,
    /// Remediation of the failure.
    pub(crate) fix: Option<String>,
    /// Time that it took in words; empty where it is not known.
    pub(crate) took: String,
}

impl Results {
    /// Results of a run under a heading.
    pub(crate) fn of(run: &RunRow, title: &'static str, viewer: &Viewer) -> Self {
        let mut tests: Vec<_> = run.report.tests.iter().enumerate().collect();
        tests.sort_by_key(|(_, test)| rank(test.status));
        let count = |status: ReportStatus| {
            let count = tests.iter().filter(|(_, test)| test.status == status).count();
            (0 < count).then(|| format!("{count} {}", word(status)))
        };
        let order = [
            ReportStatus::Failed,
            ReportStatus::Warning,
            ReportStatus::Passed,
            ReportStatus::Skipped,
        ];
        let counts: Vec<_> = order.into_iter().filter_map(count).collect();
        let evidence = tests
            .iter()
            .filter(|_| !viewer.is_public())
            .filter_map(|(_, test)| Some((test.name.clone(), test.evidence.clone()?)));
        let item = |&(place, test): &(usize, &StoredTest)| {
            let time = run.took.of(place).map(took).unwrap_or_default();
            TestItem { took: time, ..TestItem::of(test, viewer) }
        };
        Self {
            title,
            summary: format!("{} · {}", counts.join(", "), took(run.duration)),
            evidence: evidence.collect(),
            tests: tests.iter().map(item).collect(),
        }
    }
}

impl TestItem {
    fn of(test: &StoredTest, viewer: &Viewer) -> Self {
        let (icon, tone, style) = match test.status {
            ReportStatus::Failed => ("bad", "bad", "is-bad"),
            ReportStatus::Warning => ("warn", "warn", ""),
            ReportStatus::Passed => ("ok", "ok", ""),
            ReportStatus::Skipped => ("skip", "off", "is-off"),
        };
        let fix = test.remediation.clone().filter(|_| !viewer.is_public());
        Self {
            name: test.name.clone(),
            status: word(test.status),
            icon,
            tone,
            style,
            message: message(test, viewer.is_public()),
            class: test.class.map_or("", Class::as_str),
            fix,
            took: String::new(),
        }
    }
}

const fn rank(status: ReportStatus) -> u8 {
    match status {
        ReportStatus::Failed => 0,
        ReportStatus::Warning => 1,
        ReportStatus::Passed => 2,
        ReportStatus::Skipped => 3,
    }
}

/// Returns the word of a result.
pub(crate) const fn word(status: ReportStatus) -> &'static str {
    match status {
        ReportStatus::Warning => "warned",
        ReportStatus::Failed | ReportStatus::Passed | ReportStatus::Skipped => status.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    #[test]
    fn failed_tests_come_first_with_message_and_evidence() {
        let shown = Results::of(&samples::run(), "Tests", &viewer(Access::Read));
        assert_eq!(shown.summary, "1 failed, 1 passed, 1 skipped · 812 ms");
        let tests: Vec<_> = shown
            .tests
            .iter()
            .map(|test| (test.name.as_str(), test.status, test.message.as_str(), test.class))
            .collect();
        let expected = [
            ("Connect to host", "failed", "Unable\nto connect to host.", "unreachable"),
            ("Host is given", "passed", "", ""),
            ("Create role", "skipped", "Not run.", ""),
        ];
        assert_eq!(tests, expected);
        let took: Vec<_> = shown.tests.iter().map(|test| test.took.as_str()).collect();
        assert_eq!(took, ["809 ms", "3 ms", ""], "each test keeps its own time");
        let evidence = [("Connect to host".to_owned(), "refused\u{1b}[31m".to_owned())];
        assert_eq!(shown.evidence, evidence);
        assert_eq!(shown.tests[0].fix.as_deref(), Some("Open port 5439."));
    }

    #[test]
    fn public_results_have_names_and_classes_only() {
        let shown = Results::of(&samples::run(), "Tests", &viewer(Access::Public));
        let messages: Vec<_> = shown.tests.iter().map(|test| test.message.as_str()).collect();
        assert_eq!(messages, ["The platform cannot be reached.", "", ""]);
        assert!(shown.evidence.is_empty() && shown.tests.iter().all(|test| test.fix.is_none()));
    }
}
