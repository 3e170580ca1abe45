//! Rounds of a loop (heartbeat): their number, and the time since the latest one ended, so that one look is enough to
//! see a loop that stands still.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Rounds of one loop.
#[derive(Debug)]
pub(super) struct Rounds {
    begun: Instant,
    number: AtomicU64,
    /// Milliseconds from `begun` to the end of the latest round.
    latest_ms: AtomicU64,
}

impl Rounds {
    /// Rounds of a loop that begins at `now`.
    pub(super) const fn begun(now: Instant) -> Self {
        Self { begun: now, number: AtomicU64::new(0), latest_ms: AtomicU64::new(0) }
    }

    /// Counts a round that ends at `now`.
    pub(super) fn count(&self, now: Instant) {
        let since = now.saturating_duration_since(self.begun).as_millis();
        self.latest_ms.store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.number.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of rounds so far.
    pub(super) fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    /// Returns the time since the latest round ended, or since the loop began.
    pub(super) fn idle(&self, now: Instant) -> Duration {
        let latest = Duration::from_millis(self.latest_ms.load(Ordering::Relaxed));
        now.saturating_duration_since(self.begun).saturating_sub(latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn idle_time_counts_from_the_latest_round_or_the_begin() {
        let begun = Instant::now();
        let (rounds, after) = (Rounds::begun(begun), |secs| begun + Duration::from_secs(secs));
        assert_eq!((rounds.number(), rounds.idle(after(91))), (0, Duration::from_secs(91)));
        rounds.count(after(100));
        assert_eq!((rounds.number(), rounds.idle(after(103))), (1, Duration::from_secs(3)));
        assert_eq!(
            rounds.idle(after(99)),
            Duration::ZERO,
            "another thread has read its clock before"
        );
    }
}
