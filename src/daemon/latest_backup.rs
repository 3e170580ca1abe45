//! State of the backups that the daemon makes, as its metrics and its page show it.

use std::sync::{Mutex, PoisonError};

use crate::domain::Timestamp;

/// State of the backups that the daemon makes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct BackupState {
    /// Instant of the newest backup; none when there is none.
    pub(crate) newest_at: Option<Timestamp>,
    /// True when the latest attempt failed.
    pub(crate) has_failed: bool,
}

/// State of the backups, which the loop of the backups sets; none while they are off.
#[derive(Debug, Default)]
pub(super) struct LatestBackup(Mutex<Option<BackupState>>);

impl LatestBackup {
    /// Returns the state; none while backups are off.
    pub(super) fn get(&self) -> Option<BackupState> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the state; none when backups are off.
    pub(super) fn set(&self, state: Option<BackupState>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
