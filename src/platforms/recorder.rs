//! Turns straight-line platform code into a complete report.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::log_in::{LogInKey, LogIns, Remembered};
use super::run::{Mode, RunContext};
use super::tested::{Failed, Passed, Seen};
use super::validator::Validated;
use crate::domain::{
    Class, Fact, FactCollector, FactKind, Finding, Observed, Outcome, Redactor, Report, Test,
    TestResult, When, duration_text, one_line,
};

/// Longest name or value of a fact, in characters.
const TEXT_MAX: usize = 300;
/// Most expiries of one run.
const EXPIRIES_MAX: usize = 64;

/// Records the outcomes of a run while a platform walks its catalog, and what its tests saw.
#[derive(Debug)]
pub(crate) struct Recorder {
    catalog: &'static [Test],
    mode: Mode,
    test_limit: Duration,
    deadline: Instant,
    run_limit: Duration,
    done: Vec<TestResult>,
    stopped_by: Option<&'static str>,
    redactor: Redactor,
    facts: FactCollector,
    observed: Observed,
    log_ins: LogIns,
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
            redactor: run.redactor.clone(),
            facts: FactCollector::default(),
            observed: Observed::default(),
            log_ins: run.log_ins.clone(),
        }
    }

    /// Runs the test that logs in with the credentials of `key`, like [`Self::test`]. Credentials that were refused
    /// and have not changed since are not sent again: the refusal is reported as it was.
    pub(crate) async fn log_in<T, P: Into<Passed<T>>, F: Into<Failed>>(
        &mut self,
        test: Test,
        key: Option<LogInKey>,
        work: impl AsyncFnOnce() -> Result<P, F>,
    ) -> Option<T> {
        let key = key.filter(|_| self.not_applicable(test).is_none());
        match self.log_ins.begin(key).await {
            Ok(ticket) => {
                let value = self.test(test, work).await;
                let found = self.done.last_mut().filter(|result| result.test == test);
                let finding = found.as_ref().and_then(|result| result.outcome.finding());
                let refused = finding.filter(|finding| finding.refuses_log_in);
                ticket.end(refused, value.is_some());
                let remembered = self.log_ins.end_found(refused, value.is_some());
                if let (Some(Remembered { finding, is_known }), Some(result)) = (remembered, found)
                {
                    self.observed.is_repeat |= is_known;
                    result.outcome = Outcome::Failed(finding);
                }
                value
            }
            Err(Remembered { finding, is_known }) => {
                self.observed.is_repeat |= is_known;
                self.stopped_by = self.stopped_by.or(Some(test.name));
                self.done.push(TestResult { test, outcome: Outcome::Failed(finding) });
                None
            }
        }
    }

    /// Runs one test and returns its value if it passed, so that later tests can build on it. A test
    /// that does not apply in this mode is not run, and neither is one past the run's time.
    pub(crate) async fn test<T, P: Into<Passed<T>>, F: Into<Failed>>(
        &mut self,
        test: Test,
        work: impl AsyncFnOnce() -> Result<P, F>,
    ) -> Option<T> {
        debug_assert!(self.catalog.contains(&test), "`{}` is not in the catalog", test.name);
        if let Some(reason) = self.not_applicable(test) {
            self.skip(test, reason);
            return None;
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let limit = duration_text(self.run_limit);
            // Rights were seen in part only, which cannot be compared.
            self.facts.drop_kind(FactKind::Principal);
            self.facts.drop_kind(FactKind::Grant);
            self.skip(test, format!("Not run because the whole run reached its limit of {limit}."));
            return None;
        }
        let (limit, begun) = (self.test_limit.min(left), Instant::now());
        let found = match timeout(limit, work()).await {
            Ok(found) => found.map(Into::into).map_err(Into::into),
            Err(_elapsed) => Err(self.silence(test, limit).into()),
        };
        self.observed.took.insert(test.name, begun.elapsed());
        let (outcome, value) = match found {
            Ok(Passed { value, message, warning, seen }) => {
                self.saw(seen);
                let passed = Outcome::Passed(message);
                (warning.map_or(passed, Outcome::Warning), Some(value))
            }
            Err(Failed { finding, seen }) => {
                self.saw(seen);
                (Outcome::Failed(*finding), None)
            }
        };
        if value.is_none() {
            self.stopped_by = self.stopped_by.or(Some(test.name));
        }
        self.done.push(TestResult { test, outcome });
        value
    }

    /// Adds facts and expiries that were seen besides the tests, without secrets and bounded.
    pub(crate) fn saw(&mut self, seen: Seen) {
        for (Fact { kind, of }, value) in seen.facts {
            let fact = Fact { kind, of: one_line(&of, TEXT_MAX) };
            self.facts.add(fact, self.redactor.line(&value, TEXT_MAX));
        }
        for mut expiry in seen.expiries {
            expiry.of = self.redactor.line(&expiry.of, TEXT_MAX);
            if self.observed.expiries.len() < EXPIRIES_MAX {
                self.observed.expiries.insert(expiry);
            }
        }
    }

    /// Records `test` as skipped for `reason`.
    pub(crate) fn skip(&mut self, test: Test, reason: impl Into<String>) {
        self.done.push(TestResult { test, outcome: Outcome::Skipped(reason.into()) });
    }

    /// Ends the run: tests that were not reached are reported as skipped, in catalog order.
    #[must_use]
    pub(crate) fn finish(mut self) -> Validated {
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
        self.observed.facts = self.facts.take();
        Validated { report: Report { tests }, observed: self.observed }
    }

    /// Returns the finding of a test without an answer. The published text of the first one says that a host
    /// cannot be reached; that of any other is a verdict, which silence is not.
    fn silence(&self, test: Test, limit: Duration) -> Finding {
        let detail = format!("No answer within {}.", duration_text(limit));
        if self.catalog.first() == Some(&test) {
            return Finding::of(test, Class::Unreachable, detail);
        }
        Finding::new(Class::Unreachable, detail)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::domain::{Redactor, ReportStatus, Timestamp};

    const CONNECT: Test = Test::always("connect", "Unable to connect to host.");
    const ABSENT: Test = Test::preflight("role does not exist", "");
    const PRESENT: Test = Test::recurring("role exists", "The role is missing.");
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
            redactor: Redactor::default(),
            log_ins: LogIns::default(),
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
        let found = words(&run.finish().report);
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
        let found = words(&run.finish().report);
        assert_eq!(found[0].0, ReportStatus::Passed);
        assert_eq!(found[2], (ReportStatus::Failed, "No answer within 30s.".to_owned()));
        assert_eq!(found[3].0, ReportStatus::Skipped);
        assert!(found[3].1.contains("limit of 50s"), "{found:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn time_of_each_test_that_was_run_is_kept() {
        let mut run = Recorder::new(CATALOG, &context());
        let slow = async || {
            tokio::time::sleep(Duration::from_millis(340)).await;
            Ok::<_, Finding>(())
        };
        let silent = async || -> Result<(), Finding> { std::future::pending().await };
        run.test(CONNECT, slow).await.unwrap();
        run.test(ABSENT, slow).await;
        run.test(PRESENT, silent).await;
        let took = run.finish().observed.took;
        let expected = [(CONNECT, 340), (PRESENT, 30_000)];
        let expected = expected.map(|(test, ms)| (test.name, Duration::from_millis(ms)));
        assert_eq!(took, expected.into(), "what does not apply takes no time");
    }

    #[tokio::test(start_paused = true)]
    async fn facts_of_tests_are_kept_whether_they_pass_or_fail() {
        let context = context();
        context.redactor.learn_text("hunter2-hunter2");
        let mut run = Recorder::new(CATALOG, &context);
        let seen = |value: &str| Seen::of(FactKind::Grant, "db", value);
        let passed = async || Ok::<_, Finding>(Passed::from(()).seeing(seen("SELECT\n")));
        run.test::<(), _, _>(CONNECT, passed).await.unwrap();
        let failed = async || {
            let finding = Box::new(Finding::new(Class::Denied, "no"));
            Err::<(), _>(Failed { finding, seen: seen("of hunter2-hunter2") })
        };
        assert!(run.test::<(), _, _>(PRESENT, failed).await.is_none());
        let observed = run.finish().observed;
        let values: Vec<_> = observed.facts.values().flatten().map(String::as_str).collect();
        assert_eq!(values, ["SELECT", "of [REDACTED]"]);
    }

    #[tokio::test(start_paused = true)]
    async fn run_that_is_cut_short_has_no_rights_to_compare() {
        let mut run = Recorder::new(CATALOG, &context());
        run.saw(Seen::of(FactKind::Grant, "db", "SELECT"));
        tokio::time::advance(Duration::from_secs(51)).await;
        run.test(CONNECT, async || Ok::<_, Finding>(())).await;
        run.saw(Seen::of(FactKind::Principal, "", "me"));
        run.saw(Seen::of(FactKind::ServerVersion, "h", "1.2"));
        let kinds: Vec<_> = run.finish().observed.facts.keys().map(|fact| fact.kind).collect();
        assert_eq!(kinds, [FactKind::ServerVersion]);
    }

    #[tokio::test(start_paused = true)]
    async fn refused_log_in_is_reported_again_and_not_tried() {
        let context = context();
        let secret = crate::domain::SecretRef::Literal(crate::domain::Secret::new("s".to_owned()));
        let key = LogInKey::of(&["P"], &[&secret]).await;
        let mut tried = 0;
        for is_repeat in [false, true, true] {
            let mut run = Recorder::new(CATALOG, &context);
            let work = async || {
                tried += 1;
                Err::<(), _>(Finding::new(Class::Denied, "No.").refusing_log_in())
            };
            assert!(run.log_in(CONNECT, key, work).await.is_none());
            let Validated { report, observed } = run.finish();
            context.log_ins.stored();
            assert_eq!(words(&report)[0], (ReportStatus::Failed, "No.".to_owned()));
            assert_eq!(words(&report)[2].1, "Not run because [connect] did not pass.");
            assert_eq!(observed.is_repeat, is_repeat);
        }
        assert_eq!(tried, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn refused_token_of_the_machine_is_reported_again_and_not_sent() {
        let context = context();
        let mut sent = 0;
        for is_repeat in [false, true, true] {
            let mut run = Recorder::new(CATALOG, &context);
            let work = async || {
                let found = context.log_ins.found(&["P"], &["token"]).await;
                let none =
                    |none: crate::net::exchange::NoAnswer| Finding::new(none.class, none.detail);
                found.map_err(none)?;
                sent += 1;
                Err::<(), _>(Finding::new(Class::Denied, "No.").refusing_log_in())
            };
            assert!(run.log_in(CONNECT, None, work).await.is_none());
            let Validated { report, observed } = run.finish();
            context.log_ins.stored();
            assert_eq!(words(&report)[0], (ReportStatus::Failed, "No.".to_owned()));
            assert_eq!(observed.is_repeat, is_repeat);
        }
        assert_eq!(sent, 1);
    }
}
