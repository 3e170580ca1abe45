//! Restores: a backup that takes the place of the database.

use std::path::PathBuf;

use super::Contents;
use crate::domain::Timestamp;

/// Restore as it is before anything was changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RestorePlan {
    /// Backup that is restored.
    pub(crate) from: PathBuf,
    /// Path of the database.
    pub(crate) store: PathBuf,
    /// Name under which the present database is set aside; none when there is none.
    pub(crate) aside: Option<PathBuf>,
    /// Content of the backup.
    pub(crate) contents: Contents,
    /// Epoch that the database has from now on.
    pub(crate) epoch: String,
    /// Instant of the latest run or event in the backup.
    pub(crate) latest_at: Option<Timestamp>,
    /// Receivers with pending messages, and the number of these.
    pub(crate) pending: Vec<(String, u64)>,
}

impl RestorePlan {
    /// Returns the number of messages that are pending in the backup.
    pub(crate) fn pending_total(&self) -> u64 {
        self.pending.iter().map(|(_, number)| number).sum()
    }
}
