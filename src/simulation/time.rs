//! Virtual time of a world, and the clock of its machine, which may be wrong.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::time::Instant;

use crate::daemon::Clock;
use crate::domain::Timestamp;

/// Time of a world, through all lives of its daemon.
#[derive(Debug)]
pub(super) struct Time {
    /// Instant at which this life began.
    start: Timestamp,
    /// The same instant by the clock of this life's runtime; none between two lives.
    at: Option<Instant>,
    /// Time that the machine slept in this life, in milliseconds.
    slept: i64,
    /// Error of the machine's clock, in milliseconds.
    wrong: i64,
    /// Instant at which the clock was last set, or the machine woke up.
    pub(super) set_at: Timestamp,
    shown: &'static AtomicI64,
}

impl Time {
    /// Returns a time that is at `start`, before any life.
    pub(super) fn new(start: Timestamp) -> Self {
        let shown = Box::leak(Box::new(AtomicI64::new(0)));
        Self { start, at: None, slept: 0, wrong: 0, set_at: Timestamp(0), shown }
    }

    /// Returns the true instant.
    pub(super) fn now(&self) -> Timestamp {
        let lived = self.at.map(|at| at.elapsed()).unwrap_or_default();
        Timestamp(self.start.plus(lived).0 + self.slept)
    }

    /// Returns the instant that the machine's clock shows.
    pub(super) fn wall(&self) -> Timestamp {
        Timestamp(self.now().0 + self.wrong)
    }

    /// Begins a life on the current runtime, and returns the daemon's clock.
    pub(super) fn begin(&mut self) -> Clock {
        self.at = Some(Instant::now());
        self.shown.store(self.wrong, Ordering::Relaxed);
        Clock::set_by(self.start, self.shown)
    }

    /// Ends a life; the next begins `millis` later.
    pub(super) fn end(&mut self, millis: i64) {
        self.start = Timestamp(self.now().0 + millis);
        (self.at, self.slept) = (None, 0);
    }

    /// Lets the machine sleep: time passes, and nothing happens.
    pub(super) fn sleep(&mut self, millis: i64) {
        self.slept += millis;
        self.shift(millis);
    }

    /// Sets the machine's clock ahead, or back when negative.
    pub(super) fn set(&mut self, millis: i64) {
        self.wrong += millis;
        self.shift(millis);
    }

    /// Returns true when the clock has never been set.
    pub(super) const fn is_true(&self) -> bool {
        self.set_at.0 == 0
    }

    fn shift(&mut self, millis: i64) {
        self.shown.fetch_add(millis, Ordering::Relaxed);
        self.set_at = self.now();
    }
}
