//! Errors of the store, the same for every engine.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(not(feature = "postgres"))]
use crate::domain::PostgresAddress;
use crate::domain::UnknownName;

/// Reason for which the store cannot do what is asked of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The engine refuses an operation.
    #[error("database operation failed")]
    Engine(#[source] Box<dyn Error + Send + Sync>),
    /// The file or its folder cannot be used.
    #[error("{path}: {problem}")]
    File {
        /// Path of the file or folder.
        path: PathBuf,
        /// Problem, and how to fix it.
        problem: String,
    },
    /// The content of the file cannot be used.
    #[error("{path}: {problem}")]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// Problem, and how to fix it.
        problem: String,
    },
    /// Another daemon uses the database on a server.
    #[error("{address}: {problem}")]
    Occupied {
        /// Address of the database, without a password.
        address: String,
        /// Evidence of the other daemon.
        problem: String,
    },
    /// Another daemon uses the file.
    #[error("{path}: {problem}")]
    InUse {
        /// Path of the file.
        path: PathBuf,
        /// Evidence of the other daemon.
        problem: String,
    },
    /// The server of the database cannot be used.
    #[error("{address}: {problem}")]
    Server {
        /// Address of the database, without a password.
        address: String,
        /// Problem, and how to fix it.
        problem: String,
    },
    /// A row holds a value this version cannot read.
    #[error("inconsistent row in {table}")]
    Inconsistent {
        /// Name of the table.
        table: &'static str,
        /// Problem with its content.
        #[source]
        source: UnknownName,
    },
    /// A stored document cannot be read.
    #[error("unreadable document in {table}")]
    Document {
        /// Name of the table.
        table: &'static str,
        /// Problem with its content.
        #[source]
        source: serde_json::Error,
    },
    /// The file was written by a newer version.
    #[error(
        "database schema {found} is newer than {known}, the newest this version knows; install a newer revalidated, or {}",
        way_back(.copy.as_deref())
    )]
    Newer {
        /// Version of the file.
        found: u32,
        /// Version of this binary.
        known: u32,
        /// Copy of the database that this binary can use, made before a migration.
        copy: Option<PathBuf>,
    },
    /// Too many reads from outside wait already.
    #[error("too many reads of the database are waiting")]
    Busy,
    /// A read from outside took too long, and was ended.
    #[error("a read of the database took too long")]
    TooSlow,
    /// A cursor was given by another database, or for another list.
    #[error("the cursor belongs to another list; begin with the first page")]
    WrongCursor,
    /// The transaction that held this and other writes could not be committed; nothing of it was.
    #[error("database transaction failed")]
    Commit(#[source] Arc<dyn Error + Send + Sync>),
    /// No identifier can be made.
    #[error("the system gives no random numbers")]
    Random,
    /// A decision asked for the same evidence twice.
    #[error("a decision cannot be made from what is stored")]
    Undecided,
    /// The database thread is gone.
    #[error("the database has been closed")]
    Stopped,
}

impl StoreError {
    /// Returns the reason for which the server of the store cannot be reached, when that is the error: it passes by
    /// itself.
    #[cfg(not(feature = "postgres"))]
    #[expect(clippy::unused_self, reason = "a file is always reached")]
    pub(crate) fn unreachable(&self) -> Option<String> {
        None
    }

    /// Returns true when another daemon has the store.
    pub(crate) const fn is_taken(&self) -> bool {
        matches!(self, Self::InUse { .. } | Self::Occupied { .. })
    }
}

/// Returns the error of a location whose engine this build has not.
#[cfg(not(feature = "postgres"))]
pub(super) fn no_engine(address: &PostgresAddress) -> StoreError {
    let problem = "this build cannot use PostgreSQL; install one with the feature `postgres`";
    StoreError::Server { address: address.to_string(), problem: problem.to_owned() }
}

/// Returns the way back to a database of an earlier version.
fn way_back(copy: Option<&Path>) -> String {
    match copy {
        Some(copy) => format!(
            "restore the copy that was made before its migration: revalidated restore {}",
            copy.display()
        ),
        None => "restore a backup".to_owned(),
    }
}
