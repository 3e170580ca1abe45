//! Lateness of the latest runs, as the page shows it: the metric's histogram keeps sums, this keeps a window.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Number of runs that are kept.
const KEPT_MAX: usize = 1000;

/// Lateness of the latest runs; a clone counts into the same window.
#[derive(Clone, Debug, Default)]
pub(super) struct Lateness(Arc<Mutex<VecDeque<Duration>>>);

impl Lateness {
    /// Adds the lateness of a run.
    pub(super) fn observe(&self, late: Duration) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if KEPT_MAX <= kept.len() {
            kept.pop_front();
        }
        kept.push_back(late);
    }

    /// Returns the lateness that 99 % of the kept runs stay within; none before the first run.
    pub(super) fn most(&self) -> Option<Duration> {
        let mut kept: Vec<_> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        kept.sort_unstable();
        let at = (kept.len() * 99).div_ceil(100).saturating_sub(1);
        kept.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_of_most_runs_leaves_out_the_worst_percent() {
        let lateness = Lateness::default();
        assert_eq!(lateness.most(), None);
        for millis in 1..=100 {
            lateness.observe(Duration::from_millis(millis));
        }
        assert_eq!(lateness.most(), Some(Duration::from_millis(99)));
        let one = Lateness::default();
        one.observe(Duration::from_millis(7));
        assert_eq!(one.most(), Some(Duration::from_millis(7)));
    }

    #[test]
    fn only_the_latest_runs_count() {
        let lateness = Lateness::default();
        for _ in 0..KEPT_MAX {
            lateness.observe(Duration::from_hours(1));
        }
        for _ in 0..KEPT_MAX {
            lateness.clone().observe(Duration::from_millis(5));
        }
        assert_eq!(lateness.most(), Some(Duration::from_millis(5)));
    }
}
