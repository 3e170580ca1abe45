//! The facade: an enum of engines for each way to use a database, with static dispatch. A new engine is a
//! variant, and a compile error at every operation that it has to offer.

mod across;
mod cluster;
mod control;
mod history;
mod integrations;
mod restore;
mod search;
mod sharing;
mod store;
mod transfer;
mod view;
mod whole;

pub(crate) use control::Control;
pub(crate) use restore::Restore;
pub(crate) use store::Store;
pub(crate) use transfer::{to_file, to_server};
pub(crate) use view::View;

use std::path::Path;

use crate::domain::Location;

use super::{Backup, Compacted, Condition, NewBackup, StoreError, sqlite};

/// Returns the versions of the schema that databases get, and of the engine, which is compiled in.
pub(crate) fn versions() -> (u32, &'static str) {
    sqlite::versions()
}

/// Returns true when a daemon uses the database at `location`, false when none does, and none when that
/// cannot be seen. Call it before the database is opened.
pub(crate) async fn is_in_use(location: &Location) -> Option<bool> {
    match location {
        Location::File(path) => sqlite::is_in_use(path),
        #[cfg(feature = "postgres")]
        Location::Postgres(address) => {
            let nodes = super::postgres::View::open(address).await.ok()?.nodes().await.ok()?;
            Some(nodes.iter().any(|node| node.is_alive == Some(true)))
        }
        #[cfg(not(feature = "postgres"))]
        Location::Postgres(_) => None,
    }
}

/// Makes a backup of the database at `path`, also beside a running daemon, whose writes it does not delay; ends
/// when `is_stopped` says so. Blocks for as long as it takes.
///
/// # Errors
///
/// Fails when a file has the name already, the copy cannot be written, or it is damaged; no file has the name then.
pub(crate) fn make_backup(
    path: &Path,
    new: &NewBackup,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Backup, StoreError> {
    sqlite::make_backup(path, new, is_stopped)
}

/// Verifies the database at `path` and measures it, also beside a running daemon. A full verification also
/// compares indexes with their tables.
///
/// # Errors
///
/// Fails when it cannot be opened, or is of another version.
pub(crate) fn examine(path: &Path, is_full: bool) -> Result<Condition, StoreError> {
    sqlite::examine(path, is_full)
}

/// Gives free pages of the database at `path` back to the file system, also beside a running daemon; blocks for as
/// long as it takes.
///
/// # Errors
///
/// Fails when the database was made by an earlier version and a daemon runs: it is written anew once.
pub(crate) fn compact(path: &Path) -> Result<Compacted, StoreError> {
    sqlite::compact(path)
}

/// Reads the whole database at `path`, also beside a running daemon; returns its problems, none when it is sound.
/// A thorough look also compares indexes with their tables, and follows every reference.
///
/// # Errors
///
/// Fails when it cannot be opened.
pub(crate) fn problems(path: &Path, is_thorough: bool) -> Result<Vec<String>, StoreError> {
    sqlite::problems_of(path, is_thorough)
}

/// Returns the error for a database with these problems.
pub(crate) fn damaged(path: &Path, problems: &[String]) -> StoreError {
    sqlite::damaged_by(path, problems)
}
