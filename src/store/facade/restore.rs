//! Restores of backups, while no daemon runs.

use std::path::Path;

use crate::domain::Timestamp;
use crate::store::{RestorePlan, StoreError, sqlite};

/// Restore that is prepared: the backup has been copied, verified and migrated beside the database, which is as it
/// was. No daemon can start meanwhile. What is not applied leaves nothing behind.
#[derive(Debug)]
pub(crate) enum Restore {
    /// Engine in this process, on a file.
    Sqlite(sqlite::Restore),
}

impl Restore {
    /// Prepares a restore of the backup `from` in place of the database at `store`, noted as done by `author`.
    ///
    /// # Errors
    ///
    /// Fails when a daemon uses the database, or the backup is damaged or of a newer version.
    pub(crate) fn prepare(
        store: &Path,
        from: &Path,
        author: &str,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        sqlite::Restore::prepare(store, from, author, now).map(Self::Sqlite)
    }

    /// Returns what the restore will do.
    pub(crate) const fn plan(&self) -> &RestorePlan {
        match self {
            Self::Sqlite(engine) => engine.plan(),
        }
    }

    /// Sets the present database aside, with its log, and puts the restored one in its place.
    pub(crate) fn apply(self) -> Result<RestorePlan, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.apply(),
        }
    }
}
