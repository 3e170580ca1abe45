//! Latest start or reload: its outcome, until the store has it and while it matters.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::domain::{Reload, Timestamp};

/// Outcome of the latest start or reload.
#[derive(Debug, Default)]
pub(super) struct Latest(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    reload: Option<Reload>,
    is_stored: bool,
    applied_at: Option<Timestamp>,
    is_waiting: bool,
    refused_since: Option<Instant>,
}

impl Latest {
    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over an outcome, which the store does not have yet.
    pub(super) fn set(&self, reload: Reload) {
        self.state(|state| {
            if reload.refused.is_some() {
                state.refused_since.get_or_insert_with(Instant::now);
            } else {
                state.refused_since = None;
                state.applied_at = Some(reload.ended_at);
            }
            state.reload = Some(reload);
            state.is_stored = false;
        });
    }

    /// Notes whether the files of this node differ from those that other nodes work by.
    pub(super) fn wait(&self, is_waiting: bool) {
        self.state(|state| state.is_waiting = is_waiting);
    }

    /// Returns true while the files of this node differ from those that other nodes work by.
    pub(super) fn is_waiting(&self) -> bool {
        self.state(|state| state.is_waiting)
    }

    /// Returns the number of the next reload.
    pub(super) fn next_number(&self) -> u64 {
        self.state(|state| state.reload.as_ref().map_or(0, |reload| reload.number + 1))
    }

    /// Returns the outcome when the store does not have it yet.
    pub(super) fn unstored(&self) -> Option<Reload> {
        self.state(|state| state.reload.clone().filter(|_| !state.is_stored))
    }

    /// Notes that the store has the outcome of this number.
    pub(super) fn stored(&self, number: u64) {
        self.state(|state| {
            state.is_stored |= state.reload.as_ref().is_some_and(|reload| reload.number == number);
        });
    }

    /// Returns the reason for which the latest one was refused.
    pub(super) fn refused(&self) -> Option<String> {
        self.state(|state| state.reload.as_ref()?.refused.clone())
    }

    /// Returns since when configurations have been refused, one after the other.
    pub(super) fn refused_since(&self) -> Option<Instant> {
        self.state(|state| state.refused_since)
    }

    /// Returns the instant at which the configuration in force was applied.
    pub(super) fn applied_at(&self) -> Option<Timestamp> {
        self.state(|state| state.applied_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Changes;

    fn outcome(number: u64, refused: Option<&str>) -> Reload {
        Reload {
            number,
            begun_at: Timestamp(1),
            ended_at: Timestamp(i64::try_from(number).unwrap()),
            refused: refused.map(str::to_owned),
            faults: Vec::new(),
            is_configuration: false,
            changes: Changes::default(),
            passed_over: Vec::new(),
        }
    }

    #[test]
    fn outcome_is_kept_until_the_store_has_the_latest_one() {
        let latest = Latest::default();
        assert_eq!((latest.next_number(), latest.unstored()), (0, None));
        latest.set(outcome(0, None));
        latest.set(outcome(1, None));
        assert_eq!(latest.next_number(), 2);
        latest.stored(0);
        assert_eq!(latest.unstored().map(|reload| reload.number), Some(1));
        latest.stored(1);
        assert_eq!(latest.unstored(), None);
    }

    #[test]
    fn refused_configuration_leaves_the_one_in_force() {
        let latest = Latest::default();
        latest.set(outcome(3, None));
        latest.set(outcome(4, Some("1 fault")));
        assert_eq!(latest.refused().as_deref(), Some("1 fault"));
        assert!(latest.refused_since().is_some());
        assert_eq!(latest.applied_at(), Some(Timestamp(3)));
        latest.set(outcome(5, None));
        assert_eq!((latest.refused(), latest.applied_at()), (None, Some(Timestamp(5))));
    }
}
