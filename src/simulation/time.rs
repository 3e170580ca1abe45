//! The time that passes in a world, and what the daemon's clock makes of it.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::time::Instant;

use crate::daemon::Clock;
use crate::domain::Timestamp;

/// The time of a world, through all lives of its daemon.
#[derive(Debug)]
pub(super) struct Time {
    /// What time it was when this life began.
    start: Timestamp,
    /// When it began, by the clock that a runtime of its own brings; none between two lives.
    at: Option<Instant>,
    /// How long the machine slept in this life, in milliseconds.
    slept: i64,
    /// How wrong the clock of the machine is, in milliseconds.
    wrong: i64,
    /// When the clock was last set, or the machine woke up.
    pub(super) set_at: Timestamp,
    shown: &'static AtomicI64,
}

impl Time {
    /// It is `start`, and no life has begun.
    pub(super) fn new(start: Timestamp) -> Self {
        let shown = Box::leak(Box::new(AtomicI64::new(0)));
        Self { start, at: None, slept: 0, wrong: 0, set_at: Timestamp(0), shown }
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        let lived = self.at.map(|at| at.elapsed()).unwrap_or_default();
        Timestamp(self.start.plus(lived).0 + self.slept)
    }

    /// What the clock of the machine shows.
    pub(super) fn wall(&self) -> Timestamp {
        Timestamp(self.now().0 + self.wrong)
    }

    /// Begins a life on the current runtime; the daemon's clock.
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

    /// The machine sleeps: time passes, and nothing happens.
    pub(super) fn sleep(&mut self, millis: i64) {
        self.slept += millis;
        self.shift(millis);
    }

    /// Somebody sets the clock.
    pub(super) fn set(&mut self, millis: i64) {
        self.wrong += millis;
        self.shift(millis);
    }

    /// True when the clock has never been set.
    pub(super) const fn is_true(&self) -> bool {
        self.set_at.0 == 0
    }

    fn shift(&mut self, millis: i64) {
        self.shown.fetch_add(millis, Ordering::Relaxed);
        self.set_at = self.now();
    }
}
