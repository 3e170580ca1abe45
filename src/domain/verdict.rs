//! From a report to a verdict: definitive failures count at once, transient ones are confirmed.

use std::time::Duration;

use super::{Class, Report, ReportStatus, Timestamp, duration_text};

/// Evidence that a verdict needs, and the limits of flapping.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Policy {
    /// Number of consecutive runs with only transient failures that make a failure, at least 1.
    pub(crate) confirm_runs: u32,
    /// Wait between those runs, instead of a whole period; failures that are closer count once.
    pub(crate) confirm_wait: Duration,
    /// Number of consecutive passing runs that make a recovery, at least 1.
    pub(crate) recovery_runs: u32,
    /// Number of status changes within `flap_window` that are notified; more are flapping. 0 for any
    /// number.
    pub(crate) flap_flips: u32,
    /// Time for which a status change counts towards flapping.
    pub(crate) flap_window: Duration,
    /// Time for which the status must stay until notifications about a flapping integration go on.
    pub(crate) flap_calm: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            confirm_runs: 3,
            confirm_wait: Duration::from_mins(1),
            recovery_runs: 1,
            flap_flips: 3,
            flap_window: Duration::from_hours(6),
            flap_calm: Duration::from_hours(1),
        }
    }
}

/// Numbers of consecutive failures and passes; part of the integration's row.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counters {
    /// Number of consecutive failing runs.
    pub(crate) failures: u32,
    /// Number of consecutive passing runs.
    pub(crate) passes: u32,
}

/// Instants of the latest status changes that were notified, oldest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Flips(pub(crate) Vec<Timestamp>);

impl Flips {
    /// Adds one at `now`; returns true when there are more than `policy` allows.
    #[must_use]
    pub(crate) fn add(&mut self, policy: &Policy, now: Timestamp) -> bool {
        let oldest = now.minus(policy.flap_window);
        // Instants that lie ahead are those of a clock that was rolled back since.
        self.0.retain(|at| oldest < *at && *at <= now);
        if policy.flap_flips == 0 {
            return false;
        }
        self.0.push(now);
        u32::try_from(self.0.len()).is_ok_and(|flips| policy.flap_flips < flips)
    }
}

/// Conclusion from a run about its integration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "camelCase", const_into_str)]
pub(crate) enum Verdict {
    /// The integration is known to work.
    Passed,
    /// The integration is known to fail.
    Failed,
    /// It may not work: the failure has to be confirmed by more runs.
    Confirming,
    /// It may work again: the recovery has to be confirmed by more runs.
    Recovering,
    /// The run says nothing about the integration.
    Inconclusive,
}

impl Verdict {
    /// The word in the log.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// A verdict with the rule that made it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Judgement {
    /// Verdict of the policy.
    pub(crate) verdict: Verdict,
    /// Rule that made it, as a sentence for people.
    pub(crate) rule: String,
    /// The counters after this run.
    pub(crate) counters: Counters,
    /// Start of the latest failing run that counted.
    pub(crate) counted_at: Option<Timestamp>,
}

/// Evidence of the runs before one that is judged, and its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence {
    /// Counters before this run.
    pub(crate) counters: Counters,
    /// Start of the latest failing run that counted.
    pub(crate) counted_at: Option<Timestamp>,
    /// Start of the run that is judged.
    pub(crate) started_at: Timestamp,
}

impl Evidence {
    /// Returns a judgement that leaves the evidence as it is.
    fn unchanged(self, verdict: Verdict, rule: String) -> Judgement {
        let Self { counters, counted_at, started_at: _ } = self;
        Judgement { verdict, rule, counters, counted_at }
    }

    /// True when the run began too soon after the latest failure that counted. An instant that lies ahead
    /// is of a clock that was rolled back since.
    fn is_close(self, policy: &Policy) -> bool {
        let is_before = |at: Timestamp| at <= self.started_at;
        self.counted_at
            .is_some_and(|at| is_before(at) && self.started_at < at.plus(policy.confirm_wait))
    }
}

/// Judges a finished run by `policy`, given what the runs before it added up to.
#[must_use]
pub(crate) fn judge(policy: &Policy, evidence: Evidence, report: &Report) -> Judgement {
    match report.status() {
        ReportStatus::Passed | ReportStatus::Warning => passed(policy, evidence.counters),
        ReportStatus::Failed => failed(policy, evidence, report.class().unwrap_or(Class::Invalid)),
        ReportStatus::Skipped => {
            let rule = "no test could be run, so the status stays".to_owned();
            evidence.unchanged(Verdict::Inconclusive, rule)
        }
    }
}

/// Judges a run that only repeated a refusal which an earlier run reported.
#[must_use]
pub(crate) fn repeated(evidence: Evidence) -> Judgement {
    let rule = "the refused log-in was not tried again, so the status stays".to_owned();
    evidence.unchanged(Verdict::Inconclusive, rule)
}

fn passed(policy: &Policy, counters: Counters) -> Judgement {
    let passes = counters.passes.saturating_add(1);
    let of = policy.recovery_runs.max(1);
    let (verdict, rule) = if of <= passes {
        (Verdict::Passed, "a passing run".to_owned())
    } else {
        (Verdict::Recovering, format!("passing run {passes} of the {of} that recovery needs"))
    };
    Judgement { verdict, rule, counters: Counters { failures: 0, passes }, counted_at: None }
}

fn failed(policy: &Policy, evidence: Evidence, class: Class) -> Judgement {
    let of = policy.confirm_runs.max(1);
    let name = class.as_str();
    if class == Class::Local {
        let rule = "the fault is on the daemon's side, so the status stays".to_owned();
        return evidence.unchanged(Verdict::Inconclusive, rule);
    }
    let before = evidence.counters.failures;
    let wait = duration_text(policy.confirm_wait);
    if !class.is_definitive() && 0 < before && evidence.is_close(policy) {
        let counted = before.min(of);
        let rule = format!(
            "transient failure ({name}) within {wait} of the one before, which count once: {counted} \
             of the {of} that are needed"
        );
        let verdict = if of <= before { Verdict::Failed } else { Verdict::Confirming };
        return evidence.unchanged(verdict, rule);
    }
    let failures = before.saturating_add(1);
    let (verdict, rule) = match (class.is_definitive(), of <= failures) {
        (true, _) => (Verdict::Failed, format!("a definitive failure ({name}) counts at once")),
        (false, true) if of == 1 => (
            Verdict::Failed,
            format!("a transient failure ({name}) counts at once, as `confirm_runs` is 1"),
        ),
        (false, true) => (
            Verdict::Failed,
            format!("a transient failure ({name}) in {failures} consecutive runs, {of} are needed"),
        ),
        (false, false) => (
            Verdict::Confirming,
            format!(
                "transient failure ({name}) {failures} of the {of} consecutive ones that are needed"
            ),
        ),
    };
    let counters = Counters { failures, passes: 0 };
    Judgement { verdict, rule, counters, counted_at: Some(evidence.started_at) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Finding, Outcome, Test, TestResult};

    fn report(outcome: Outcome) -> Report {
        Report { tests: vec![TestResult { test: Test::always("t", ""), outcome }] }
    }

    fn failing(class: Class) -> Report {
        report(Outcome::Failed(Finding::new(class, "f")))
    }

    #[test]
    fn runs_add_up_to_verdicts() {
        let good = report(Outcome::Passed(None));
        let skipped = report(Outcome::Skipped("r".to_owned()));
        let policy = Policy { recovery_runs: 2, ..Policy::default() };
        let steps = [
            (failing(Class::Unreachable), Verdict::Confirming, (1, 0)),
            (failing(Class::Throttled), Verdict::Confirming, (2, 0)),
            (failing(Class::Local), Verdict::Inconclusive, (2, 0)),
            (skipped, Verdict::Inconclusive, (2, 0)),
            (failing(Class::Unavailable), Verdict::Failed, (3, 0)),
            (failing(Class::Unavailable), Verdict::Failed, (4, 0)),
            (good.clone(), Verdict::Recovering, (0, 1)),
            (failing(Class::Unreachable), Verdict::Confirming, (1, 0)),
            (good.clone(), Verdict::Recovering, (0, 1)),
            (good, Verdict::Passed, (0, 2)),
            (failing(Class::Denied), Verdict::Failed, (1, 0)),
            (failing(Class::Unreachable), Verdict::Confirming, (2, 0)),
        ];
        let mut evidence = none_before();
        for (number, (report, verdict, (failures, passes))) in steps.into_iter().enumerate() {
            let judged = judge(&policy, evidence, &report);
            assert_eq!(judged.verdict, verdict, "step {number}: {judged:?}");
            assert_eq!(judged.counters, Counters { failures, passes }, "step {number}");
            evidence = after(&judged, evidence.started_at.plus(policy.confirm_wait));
        }
    }

    fn none_before() -> Evidence {
        Evidence { counters: Counters::default(), counted_at: None, started_at: Timestamp(0) }
    }

    /// Evidence of a run that starts then, after one that was judged so.
    fn after(judged: &Judgement, started_at: Timestamp) -> Evidence {
        let Judgement { counters, counted_at, .. } = *judged;
        Evidence { counters, counted_at, started_at }
    }

    /// Instants of runs in seconds, their classes, and the failures that they add up to.
    #[test]
    fn transient_failures_closer_than_the_wait_count_once() {
        use Class::{Denied, Throttled, Unavailable, Unreachable};
        use Verdict::{Confirming, Failed};
        let steps = [
            (0, Unavailable, Confirming, 1),
            (14, Unavailable, Confirming, 1),
            (59, Unreachable, Confirming, 1),
            (60, Unavailable, Confirming, 2),
            (74, Throttled, Confirming, 2),
            (119, Unavailable, Confirming, 2),
            (120, Unavailable, Failed, 3),
            (121, Unavailable, Failed, 3),
            (122, Denied, Failed, 4),
            (123, Unreachable, Failed, 4),
            // The clock was rolled back: what counted then lies ahead.
            (50, Unreachable, Failed, 5),
        ];
        let mut evidence = none_before();
        for (second, class, verdict, failures) in steps {
            evidence.started_at = Timestamp(second * 1000);
            let judged = judge(&Policy::default(), evidence, &failing(class));
            let found = (judged.verdict, judged.counters.failures);
            assert_eq!(found, (verdict, failures), "{second}: {judged:?}");
            let is_close = judged.rule.contains("within 1m of the one before");
            assert_eq!(is_close, judged.counted_at != Some(evidence.started_at), "{second}");
            evidence = after(&judged, evidence.started_at);
        }
        let good = judge(&Policy::default(), evidence, &report(Outcome::Passed(None)));
        assert_eq!((good.counters.failures, good.counted_at), (0, None));
        let next = after(&good, evidence.started_at);
        let again = judge(&Policy::default(), next, &failing(Unreachable));
        assert_eq!(again.counters.failures, 1, "a pass ends the distance");
    }

    #[test]
    fn more_flips_than_are_allowed_within_the_window_are_flapping() {
        let policy = Policy { flap_window: Duration::from_secs(10), ..Policy::default() };
        let added = |policy: &Policy, secs: &[i64]| {
            let mut flips = Flips::default();
            secs.iter().map(|at| flips.add(policy, Timestamp(at * 1000))).collect::<Vec<_>>()
        };
        assert_eq!(added(&policy, &[1, 2, 3, 4]), [false, false, false, true]);
        assert_eq!(added(&policy, &[1, 2, 3, 11, 12, 13, 13]).last(), Some(&true));
        assert_eq!(added(&policy, &[1, 2, 3, 11]).last(), Some(&false));
        assert_eq!(
            added(&policy, &[91, 92, 93, 1]).last(),
            Some(&false),
            "the clock was rolled back"
        );
        let never = Policy { flap_flips: 0, ..policy };
        assert_eq!(added(&never, &[1, 2, 3, 4, 5]), [false; 5]);
    }

    #[test]
    fn rule_says_that_one_failure_is_enough() {
        let policy = Policy { confirm_runs: 1, ..Policy::default() };
        let judged = judge(&policy, none_before(), &failing(Class::Unreachable));
        assert_eq!(judged.verdict, Verdict::Failed);
        let rule = "a transient failure (unreachable) counts at once, as `confirm_runs` is 1";
        assert_eq!(judged.rule, rule);
    }

    #[test]
    fn every_definitive_class_fails_at_once_and_no_other() {
        for &class in Class::ALL {
            let judged = judge(&Policy::default(), none_before(), &failing(class));
            assert_eq!(judged.verdict == Verdict::Failed, class.is_definitive(), "{class:?}");
        }
    }
}
