//! Turns straight-line platform code into a complete report.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Mode, RunContext};
use crate::domain::{Class, Finding, Outcome, Report, Test, TestResult, When, duration_text};
use crate::net::observe;

/// Collects outcomes while a platform walks its catalog.
#[derive(Debug)]
pub(crate) struct Recorder {
    catalog: &'static [Test],
    mode: Mode,
    test_limit: Duration,
    deadline: Instant,
    run_limit: Duration,
    done: Vec<TestResult>,
    stopped_by: Option<&'static str>,
}

/// What a test that held hands on.
#[derive(Debug)]
pub(crate) struct Held<T> {
    /// For the tests that build on it.
    pub(crate) value: T,
    /// The text of a test that says something when it passes.
    pub(crate) message: Option<String>,
    /// A reservation: the test warns, and its value is handed on all the same.
    pub(crate) reservation: Option<Finding>,
}

impl<T> From<T> for Held<T> {
    fn from(value: T) -> Self {
        Self { value, message: None, reservation: None }
    }
}

impl Recorder {
    /// Starts a run of `catalog` within the limits of `run`.
    #[must_use]
    pub(crate) fn new(catalog: &'static [Test], run: &RunContext) -> Self {
        Self {
            catalog,
            mode: run.mode,
            test_limit: run.test_limit,
            deadline: Instant::now() + run.run_limit,
            run_limit: run.run_limit,
            done: Vec::with_capacity(catalog.len()),
            stopped_by: None,
        }
    }

    /// Runs one test. Its value comes back when it held, so that later tests can build on it;
    /// a test that does not apply in this mode is not run, and neither is one past the run's time.
    ///
    /// `Err` of the work is a failed test; a [`Held::reservation`] is a warning.
    pub(crate) async fn test<T, H: Into<Held<T>>>(
        &mut self,
        test: Test,
        work: impl AsyncFnOnce() -> Result<H, Finding>,
    ) -> Option<T> {
        debug_assert!(self.catalog.contains(&test), "`{}` is not in the catalog", test.name);
        if let Some(reason) = self.not_applicable(test) {
            self.skip(test, reason);
            return None;
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let limit = duration_text(self.run_limit);
            observe::cut_short();
            self.skip(test, format!("Not run because the whole run reached its limit of {limit}."));
            return None;
        }
        let limit = self.test_limit.min(left);
        let found =
            timeout(limit, work()).await.unwrap_or_else(|_elapsed| Err(silence(test, limit)));
        let (outcome, value) = match found.map(Into::into) {
            Ok(Held { value, reservation: Some(finding), .. }) => {
                (Outcome::Warning(finding), Some(value))
            }
            Ok(Held { value, message, reservation: None }) => {
                (Outcome::Passed(message), Some(value))
            }
            Err(finding) => (Outcome::Failed(finding), None),
        };
        if value.is_none() {
            self.stopped_by = self.stopped_by.or(Some(test.name));
        }
        self.done.push(TestResult { test, outcome });
        value
    }

    /// Records `test` as skipped for `reason`.
    pub(crate) fn skip(&mut self, test: Test, reason: impl Into<String>) {
        self.done.push(TestResult { test, outcome: Outcome::Skipped(reason.into()) });
    }

    /// Ends the run: tests that were not reached are reported as skipped, in catalog order.
    #[must_use]
    pub(crate) fn finish(mut self) -> Report {
        let reason = self.stopped_by.map_or_else(
            || "Not run.".to_owned(),
            |name| format!("Not run because [{name}] did not pass."),
        );
        let mut tests = Vec::with_capacity(self.catalog.len());
        for test in self.catalog {
            let found = self.done.iter().position(|result| result.test == *test);
            let skipped = |why| TestResult { test: *test, outcome: Outcome::Skipped(why) };
            tests.push(match found {
                Some(at) => self.done.swap_remove(at),
                None => skipped(self.not_applicable(*test).unwrap_or_else(|| reason.clone())),
            });
        }
        Report { tests }
    }

    fn not_applicable(&self, test: Test) -> Option<String> {
        match (test.when, self.mode) {
            (When::Preflight, Mode::Recurring) => Some("applies before set-up".to_owned()),
            (When::Recurring, Mode::Preflight) => Some("applies after set-up".to_owned()),
            (When::Always, _)
            | (When::Preflight, Mode::Preflight)
            | (When::Recurring, Mode::Recurring) => None,
        }
    }
}

fn silence(test: Test, limit: Duration) -> Finding {
    let limit = duration_text(limit);
    Finding::of(test, Class::Unreachable, format!("No answer within {limit}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::domain::{ReportStatus, Timestamp};

    const CONNECT: Test = Test::always("connect", "Unable to connect to host.");
    const ABSENT: Test = Test::preflight("role does not exist", "");
    const PRESENT: Test = Test::recurring("role exists", "");
    const MANAGE: Test = Test::always("manage", "");
    const CATALOG: &[Test] = &[CONNECT, ABSENT, PRESENT, MANAGE];

    fn context() -> RunContext {
        RunContext {
            name: "n".to_owned(),
            mode: Mode::Recurring,
            everyone: Arc::default(),
            test_limit: Duration::from_secs(30),
            run_limit: Duration::from_secs(50),
            now: Timestamp(0),
        }
    }

    fn words(report: &Report) -> Vec<(ReportStatus, String)> {
        let tests = report.tests.iter();
        tests
            .map(|t| (t.outcome.status(), t.outcome.message().unwrap_or_default().to_owned()))
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_connection_skips_the_rest() {
        let mut run = Recorder::new(CATALOG, &context());
        let work = async || Err::<(), _>(Finding::new(Class::Denied, "Unable to connect."));
        assert!(run.test(CONNECT, work).await.is_none());
        let found = words(&run.finish());
        let skipped = (ReportStatus::Skipped, "Not run because [connect] did not pass.".to_owned());
        assert_eq!(found[0], (ReportStatus::Failed, "Unable to connect.".to_owned()));
        assert_eq!(found[1], (ReportStatus::Skipped, "applies before set-up".to_owned()));
        assert_eq!((&found[2], &found[3]), (&skipped, &skipped));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_bounded_and_partial_results_are_kept() {
        let mut run = Recorder::new(CATALOG, &context());
        let silent = async || -> Result<(), Finding> { std::future::pending().await };
        run.test(CONNECT, async || Ok::<_, Finding>(7)).await.unwrap();
        run.test(PRESENT, silent).await;
        tokio::time::advance(Duration::from_secs(20)).await;
        run.test(MANAGE, silent).await;
        let found = words(&run.finish());
        assert_eq!(found[0].0, ReportStatus::Passed);
        assert_eq!(found[2], (ReportStatus::Failed, "No answer within 30s.".to_owned()));
        assert_eq!(found[3].0, ReportStatus::Skipped);
        assert!(found[3].1.contains("limit of 50s"), "{found:?}");
    }
}
