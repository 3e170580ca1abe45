//! Policy of verdicts: the rule of evidence, the keys that override it, and the limits of flapping.

use std::time::Duration;

use super::kind::Kind;
use super::weights::Weights;
use crate::domain::{Class, Timestamp, duration_text};

/// Number of consecutive transient failures that make a failure where only `confirm_wait` is set.
const CONFIRM_RUNS: u32 = 3;
/// Wait between runs that are counted where only `confirm_runs` or `recovery_runs` is set.
const CONFIRM_WAIT: Duration = Duration::from_mins(1);
/// Number of status changes within the window that make an integration unsteady: it has failed and
/// recovered, so that its next failure and recovery may be as short.
const UNSTEADY_FLIPS: usize = 2;

/// Evidence that a verdict needs, and the limits of flapping.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Policy {
    /// Weights of the rule of evidence.
    pub(crate) weights: Weights,
    /// Number of consecutive runs with only transient failures that make a failure, in place of the rule.
    pub(crate) confirm_runs: Option<u32>,
    /// Wait between those runs, in place of the rule; failures that are closer count once.
    pub(crate) confirm_wait: Option<Duration>,
    /// Number of consecutive passing runs that make a recovery, in place of the rule.
    pub(crate) recovery_runs: Option<u32>,
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
            weights: Weights::RULE,
            confirm_runs: None,
            confirm_wait: None,
            recovery_runs: None,
            flap_flips: 3,
            flap_window: Duration::from_hours(6),
            flap_calm: Duration::from_hours(1),
        }
    }
}

/// Consecutive runs that are counted in place of the rule of evidence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Counted {
    /// Number of runs that are needed, at least 1.
    pub(super) runs: u32,
    /// Wait between two of them.
    pub(super) wait: Duration,
}

impl Policy {
    /// Returns how failures are counted where a key overrides the rule.
    pub(super) fn counted_failures(&self) -> Option<Counted> {
        let is_set = self.confirm_runs.is_some() || self.confirm_wait.is_some();
        is_set.then(|| Counted { runs: self.failures_needed(), wait: self.wait() })
    }

    /// Returns the number of consecutive transient failures that make a failure where they are counted; the
    /// rule of evidence usually needs as many.
    pub(crate) fn failures_needed(&self) -> u32 {
        self.confirm_runs.unwrap_or(CONFIRM_RUNS).max(1)
    }

    /// Returns how passing runs are counted where a key overrides the rule.
    pub(super) fn counted_passes(&self) -> Option<Counted> {
        self.recovery_runs.map(|runs| Counted { runs: runs.max(1), wait: self.wait() })
    }

    /// Returns the kind of a failure.
    pub(super) fn kind(&self, class: Class, is_certain: bool) -> Kind {
        Kind::of(class, is_certain, self.counted_failures().is_some())
    }

    /// Returns the keys that override the rule of evidence, as they are configured.
    pub(crate) fn overrides(&self) -> Vec<String> {
        let runs = |key: &str, runs: Option<u32>| runs.map(|runs| format!("{key} = {runs}"));
        let wait = |wait: Duration| format!("confirm_wait = \"{}\"", duration_text(wait));
        [
            runs("confirm_runs", self.confirm_runs),
            self.confirm_wait.map(wait),
            runs("recovery_runs", self.recovery_runs),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Returns the wait after a run of which nothing is known yet.
    pub(crate) fn wait(&self) -> Duration {
        self.confirm_wait.unwrap_or(CONFIRM_WAIT)
    }
}

/// Instants of the latest status changes that were notified, oldest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Flips(pub(crate) Vec<Timestamp>);

impl Flips {
    /// Adds one at `now`; returns true when there are more than `policy` allows.
    #[must_use]
    pub(crate) fn add(&mut self, policy: &Policy, now: Timestamp) -> bool {
        self.0.retain(|at| is_recent(policy, *at, now));
        if policy.flap_flips == 0 {
            return false;
        }
        self.0.push(now);
        u32::try_from(self.0.len()).is_ok_and(|flips| policy.flap_flips < flips)
    }

    /// Returns true when the status has changed so often lately that one more look proves less. Where any number of
    /// changes is allowed, they say nothing.
    pub(crate) fn are_unsteady(&self, policy: &Policy, now: Timestamp) -> bool {
        policy.flap_flips != 0
            && UNSTEADY_FLIPS <= self.0.iter().filter(|at| is_recent(policy, **at, now)).count()
    }
}

/// Returns true when a change lies within the window. Instants that lie ahead are those of a clock that was
/// rolled back since.
fn is_recent(policy: &Policy, at: Timestamp, now: Timestamp) -> bool {
    now.minus(policy.flap_window) < at && at <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(policy: &Policy, secs: &[i64]) -> Vec<bool> {
        let mut flips = Flips::default();
        secs.iter().map(|at| flips.add(policy, Timestamp(at * 1000))).collect()
    }

    #[test]
    fn more_flips_than_are_allowed_within_the_window_are_flapping() {
        let policy = Policy { flap_window: Duration::from_secs(10), ..Policy::default() };
        assert_eq!(added(&policy, &[1, 2, 3, 4]), [false, false, false, true]);
        assert_eq!(added(&policy, &[1, 2, 3, 11, 12, 13, 13]).last(), Some(&true));
        assert_eq!(added(&policy, &[1, 2, 3, 11]).last(), Some(&false));
        let rolled_back = added(&policy, &[91, 92, 93, 1]);
        assert_eq!(rolled_back.last(), Some(&false), "the clock was rolled back");
        let never = Policy { flap_flips: 0, ..policy };
        assert_eq!(added(&never, &[1, 2, 3, 4, 5]), [false; 5]);
    }

    #[test]
    fn two_changes_within_the_window_are_unsteady_unless_any_number_is_allowed() {
        let policy = Policy { flap_window: Duration::from_secs(10), ..Policy::default() };
        let never = Policy { flap_flips: 0, ..policy };
        let mut flips = Flips::default();
        for (second, unsteady) in [(1, false), (5, true), (12, true), (30, false)] {
            let now = Timestamp(second * 1000);
            assert!(!flips.add(&policy, now), "{second}");
            assert_eq!(flips.are_unsteady(&policy, now), unsteady, "{second}");
            assert!(!flips.are_unsteady(&never, now), "{second}");
        }
        assert!(!flips.are_unsteady(&policy, Timestamp(0)), "the clock was rolled back");
    }

    #[test]
    fn one_key_that_is_set_overrides_the_whole_rule_of_its_direction() {
        let minute = Duration::from_mins(1);
        let none = Policy::default();
        assert_eq!((none.counted_failures(), none.counted_passes()), (None, None));
        let runs = Policy { confirm_runs: Some(0), ..none };
        assert_eq!(runs.counted_failures(), Some(Counted { runs: 1, wait: minute }));
        let wait = Policy { confirm_wait: Some(minute * 2), ..none };
        assert_eq!(wait.counted_failures(), Some(Counted { runs: 3, wait: minute * 2 }));
        assert_eq!(wait.counted_passes(), None);
        let passes = Policy { recovery_runs: Some(2), ..none };
        assert_eq!(passes.counted_failures(), None);
        assert_eq!(passes.counted_passes(), Some(Counted { runs: 2, wait: minute }));
        let all = Policy { confirm_runs: Some(5), recovery_runs: Some(2), ..wait };
        let shown = ["confirm_runs = 5", "confirm_wait = \"2m\"", "recovery_runs = 2"];
        assert_eq!(
            (all.overrides(), none.overrides()),
            (shown.map(str::to_owned).to_vec(), vec![])
        );
    }
}
