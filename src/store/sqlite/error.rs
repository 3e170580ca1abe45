//! Errors of `SQLite`, as the store's.

use rusqlite::ErrorCode;

use super::StoreError;

impl StoreError {
    /// Returns true when there was no room on the disk.
    pub(crate) fn is_full_disk(&self) -> bool {
        let error = match self {
            Self::Engine(error) => error.downcast_ref(),
            Self::Commit(error) => error.downcast_ref(),
            Self::Damaged { .. }
            | Self::Inconsistent { .. }
            | Self::Document { .. }
            | Self::File { .. }
            | Self::Server { .. }
            | Self::Occupied { .. }
            | Self::InUse { .. }
            | Self::Newer { .. }
            | Self::Busy
            | Self::TooSlow
            | Self::WrongCursor
            | Self::Random
            | Self::Undecided
            | Self::Stopped => None,
        };
        error.and_then(rusqlite::Error::sqlite_error_code) == Some(ErrorCode::DiskFull)
    }

    /// Returns true when the content of the database cannot be used, so that trying again is in vain.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Inconsistent { .. } | Self::Document { .. } => true,
            Self::Engine(error) => {
                let Some(error) = error.downcast_ref::<rusqlite::Error>() else { return false };
                let code = error.sqlite_error_code();
                matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
                    || matches!(
                        error,
                        rusqlite::Error::FromSqlConversionFailure(..)
                            | rusqlite::Error::Utf8Error(..)
                    )
            }
            Self::File { .. }
            | Self::Server { .. }
            | Self::Occupied { .. }
            | Self::InUse { .. }
            | Self::Newer { .. }
            | Self::Busy
            | Self::TooSlow
            | Self::WrongCursor
            | Self::Commit(_)
            | Self::Random
            | Self::Undecided
            | Self::Stopped => false,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}
