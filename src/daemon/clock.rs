//! The only place that reads the wall clock; everything else is given `now`.

use crate::domain::Timestamp;

/// Tells the time. Clone it freely.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock(Source);

/// Where the time comes from.
#[derive(Clone, Copy, Debug, Default)]
enum Source {
    /// The machine.
    #[default]
    Wall,
    /// Tokio's clock, which a test can pause and advance.
    #[cfg(test)]
    Tokio {
        /// The wall clock at `since`.
        start: Timestamp,
        /// When this clock was made.
        since: tokio::time::Instant,
    },
}

impl Clock {
    /// The instant it is now; it may lie before an earlier answer when the machine's clock was
    /// set back.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub(crate) fn now(self) -> Timestamp {
        match self.0 {
            Source::Wall => Timestamp::from_jiff(jiff::Timestamp::now()),
            #[cfg(test)]
            Source::Tokio { start, since } => start.plus(since.elapsed()),
        }
    }

    /// A clock that shows `start` now and goes on as tokio's clock does.
    #[cfg(test)]
    pub(crate) fn starting_at(start: Timestamp) -> Self {
        Self(Source::Tokio { start, since: tokio::time::Instant::now() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "compares with the machine's clock")]
    fn the_clock_shows_what_the_machine_shows() {
        let before = jiff::Timestamp::now().as_millisecond();
        let now = Clock::default().now();
        let after = jiff::Timestamp::now().as_millisecond();
        assert!((before..=after).contains(&now.0), "{before} {now:?} {after}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_test_clock_follows_the_paused_time() {
        let clock = Clock::starting_at(Timestamp(1_000));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now(), Timestamp(6_000));
        assert_eq!(clock.now(), clock.now());
    }
}
