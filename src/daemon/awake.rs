//! Awake clock: the time for which this process ran and nothing was wrong with the machine.
//!
//! It goes on by the monotonic clock, which stands still while the machine sleeps and does not follow
//! the wall clock when that is set. What disables a receiver, ends a message or deletes history counts by
//! it. The store keeps it over restarts.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::Timestamp;

/// Difference between the two clocks beyond which the wall clock counts as set.
const JUMP: Duration = Duration::from_mins(1);
/// Time after a jump of the wall clock in which no message is ended.
const JUMP_GRACE: Duration = Duration::from_mins(1);
/// Time after a start or a jump in which nothing is deleted.
const DELETE_GRACE: Duration = Duration::from_mins(10);

/// Clock that counts the time for which failures are evidence.
#[derive(Debug, Default)]
pub(super) struct Awake(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    total: Duration,
    latest: Option<Latest>,
}

/// State of the two clocks at the latest reading.
#[derive(Debug)]
struct Latest {
    at: Instant,
    wall: Timestamp,
    trusted_from: Instant,
    steady_from: Instant,
}

impl Latest {
    /// Begins at a start.
    fn new(wall: Timestamp, at: Instant) -> Self {
        Self { at, wall, trusted_from: at, steady_from: at + DELETE_GRACE }
    }
}

/// Reading of the awake clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Reading {
    /// Time for which daemons on this database were awake and trusted themselves.
    pub(super) total: Duration,
    /// Nothing is wrong with the machine, and its wall clock has not just been set.
    pub(super) is_trusted: bool,
    /// The wall clock has gone on steadily for long enough to delete by it.
    pub(super) is_steady: bool,
}

impl Awake {
    /// Goes on from `total`, now that the wall clock shows `wall`.
    pub(super) fn resume(&self, total: Duration, wall: Timestamp) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { total, latest: Some(Latest::new(wall, Instant::now())) };
    }

    /// Goes on from a reading of another node when that is later.
    pub(super) fn adopt(&self, total: Duration) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.total = state.total.max(total);
    }

    /// Reads the clock; the time since the last reading does not count with `has_fault`.
    pub(super) fn read(&self, wall: Timestamp, at: Instant, has_fault: bool) -> Reading {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { total, latest } = &mut *state;
        let latest = latest.get_or_insert_with(|| Latest::new(wall, at));
        let passed = at.saturating_duration_since(latest.at);
        let expected = latest.wall.plus(passed);
        if JUMP < wall.since(expected).max(expected.since(wall)) {
            latest.trusted_from = at + JUMP_GRACE;
            latest.steady_from = at + DELETE_GRACE;
        }
        if !has_fault {
            *total = total.saturating_add(passed);
        }
        (latest.at, latest.wall) = (at.max(latest.at), wall);
        Reading {
            total: *total,
            is_trusted: !has_fault && latest.trusted_from <= at,
            is_steady: !has_fault && latest.steady_from <= at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_that_passed_without_a_fault_counts() {
        let (wall, at) = (Timestamp(1_000_000_000), Instant::now());
        let hours = Duration::from_hours;
        let awake = Awake::default();
        awake.read(wall, at, false);
        // Hours since the start on the monotonic clock, hours by which the wall clock was set, fault.
        let table = [
            (1, 0, false, (1, true, true)),
            (3, 0, true, (1, false, false)),
            (4, 0, false, (2, true, true)),
            (5, 24 * 366, false, (3, false, false)),
            (6, 24 * 366, false, (4, true, true)),
            (7, 0, false, (5, false, false)),
        ];
        for (passed, set, has_fault, (total, is_trusted, is_steady)) in table {
            let wall = wall.plus(hours(passed + set));
            let found = awake.read(wall, at + hours(passed), has_fault);
            let expected = Reading { total: hours(total), is_trusted, is_steady };
            assert_eq!(found, expected, "after {passed} h");
        }
    }

    #[test]
    fn later_reading_of_another_node_is_gone_on_from_and_an_earlier_one_is_not() {
        let (wall, at) = (Timestamp(1_000_000_000), Instant::now());
        let awake = Awake::default();
        awake.resume(Duration::from_hours(5), wall);
        awake.adopt(Duration::from_hours(4));
        assert_eq!(awake.read(wall, at, false).total.as_secs() / 3600, 5);
        awake.adopt(Duration::from_hours(7));
        assert_eq!(awake.read(wall, at, false).total.as_secs() / 3600, 7);
    }

    #[test]
    fn nothing_is_deleted_soon_after_a_start_or_a_jump() {
        let (wall, at) = (Timestamp(1_000_000_000), Instant::now());
        let mins = Duration::from_mins;
        let awake = Awake::default();
        let table = [
            (0, 0, (true, false)),
            (9, 0, (true, false)),
            (10, 0, (true, true)),
            (11, 90, (false, false)),
            (12, 90, (true, false)),
            (20, 90, (true, false)),
            (21, 90, (true, true)),
        ];
        for (passed, set, expected) in table {
            let found = awake.read(wall.plus(mins(passed + set)), at + mins(passed), false);
            assert_eq!((found.is_trusted, found.is_steady), expected, "after {passed} min");
        }
    }
}
