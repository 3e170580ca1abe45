//! State of the heartbeat, as metrics and the store show it.

use std::sync::{Mutex, PoisonError};

use crate::domain::HeartbeatState;

/// State of the heartbeat, which its loop sets; none while it is off.
#[derive(Debug, Default)]
pub(super) struct LatestHeartbeat(Mutex<Option<HeartbeatState>>);

impl LatestHeartbeat {
    /// Returns the state; none while the heartbeat is off.
    pub(super) fn get(&self) -> Option<HeartbeatState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the state; returns the one before.
    pub(super) fn replace(&self, state: Option<HeartbeatState>) -> Option<HeartbeatState> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), state)
    }
}
