//! The only place that reads the wall clock; everything else is given `now`.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::Timestamp;
use crate::store::since_boot;

/// Lag behind the time that has passed beyond which a clock counts as rolled back.
const LAG_MAX: Duration = Duration::from_mins(1);

/// Source of the present. Clone it freely.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock(Source);

/// Origin of the time.
#[derive(Clone, Copy, Debug, Default)]
enum Source {
    /// Wall clock of the machine.
    #[default]
    Wall,
    /// Clock of a server: the time since boot, and the milliseconds by which the server's is ahead of that.
    Server(&'static AtomicI64),
    /// Tokio's clock, which a test can pause and advance.
    #[cfg(test)]
    Tokio {
        /// The wall clock at `since`.
        start: Timestamp,
        /// Instant at which this clock was made.
        since: Instant,
        /// Milliseconds by which it was set since, negative for backwards.
        set: &'static AtomicI64,
    },
}

impl Clock {
    /// Returns the present instant; it may lie before an earlier answer when the machine's clock was
    /// set back.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub(crate) fn now(self) -> Timestamp {
        match self.0 {
            Source::Wall => {
                #[cfg(all(test, feature = "postgres"))]
                if let Some(now) = crate::store::wall() {
                    return now;
                }
                Timestamp::from_jiff(jiff::Timestamp::now())
            }
            Source::Server(ahead) => Timestamp(ahead.load(Ordering::Relaxed)).plus(since_boot()),
            #[cfg(test)]
            Source::Tokio { start, since, set } => {
                let set = set.load(Ordering::Relaxed);
                Timestamp(start.plus(since.elapsed()).0.saturating_add(set))
            }
        }
    }

    /// Returns the clock of a server, which is so many milliseconds ahead of the time since boot: nodes agree by it on
    /// what is due, and when a lease ends. It goes on by itself between looks at the server.
    pub(crate) const fn of_server(ahead: &'static AtomicI64) -> Self {
        Self(Source::Server(ahead))
    }

    /// Returns a clock that shows `start` now and goes on as tokio's clock does.
    #[cfg(test)]
    pub(crate) fn starting_at(start: Timestamp) -> Self {
        static NEVER: AtomicI64 = AtomicI64::new(0);
        Self::set_by(start, &NEVER)
    }

    /// The same, for a clock that is set at times: by `set` milliseconds in all.
    #[cfg(test)]
    pub(crate) fn set_by(start: Timestamp, set: &'static AtomicI64) -> Self {
        Self(Source::Tokio { start, since: Instant::now(), set })
    }
}

/// Notices that the wall clock was set back, by one that only goes on.
#[derive(Debug)]
pub(super) struct Watch {
    wall: Timestamp,
    at: Instant,
}

impl Watch {
    /// Watches from `wall`, which it is at `at`.
    pub(super) const fn new(wall: Timestamp, at: Instant) -> Self {
        Self { wall, at }
    }

    /// Returns true when the clock was set back since the last call, by more than drift.
    pub(super) fn was_rolled_back(&mut self, wall: Timestamp, at: Instant) -> bool {
        let expected = self.wall.plus(at.saturating_duration_since(self.at));
        *self = Self { wall, at };
        wall.plus(LAG_MAX) < expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_rollback_is_noticed_once() {
        let (wall, at) = (Timestamp(1_000_000_000), Instant::now());
        let secs = Duration::from_secs;
        let mut watch = Watch::new(wall, at);
        assert!(!watch.was_rolled_back(wall.plus(secs(30)), at + secs(30)));
        assert!(!watch.was_rolled_back(wall.plus(secs(31)), at + secs(80)), "slewed");
        assert!(watch.was_rolled_back(wall.minus(secs(90)), at + secs(81)));
        assert!(!watch.was_rolled_back(wall.minus(secs(89)), at + secs(82)), "only once");
        assert!(!watch.was_rolled_back(wall.plus(secs(9000)), at + secs(83)), "set forward");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "compares with the machine's clock")]
    fn clock_shows_the_time_of_the_machine() {
        let before = jiff::Timestamp::now().as_millisecond();
        let now = Clock::default().now();
        let after = jiff::Timestamp::now().as_millisecond();
        assert!((before..=after).contains(&now.0), "{before} {now:?} {after}");
    }

    #[test]
    fn clock_of_a_server_goes_on_between_looks_and_follows_them() {
        static AHEAD: AtomicI64 = AtomicI64::new(0);
        let clock = Clock::of_server(&AHEAD);
        let since_boot = clock.now().0;
        AHEAD.store(1_795_428_000_000, Ordering::Relaxed);
        let passed = clock.now().0 - 1_795_428_000_000 - since_boot;
        assert!((0..60_000).contains(&passed), "{passed}");
        AHEAD.store(1_795_428_060_000, Ordering::Relaxed);
        assert!(clock.now() >= Timestamp(1_795_428_060_000 + since_boot));
    }

    #[tokio::test(start_paused = true)]
    async fn a_test_clock_follows_the_paused_time() {
        let clock = Clock::starting_at(Timestamp(1_000));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now(), Timestamp(6_000));
        assert_eq!(clock.now(), clock.now());
    }
}
