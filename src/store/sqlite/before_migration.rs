//! Copy of a database before it is migrated, for the way back to the version before.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tracing::{info, warn};

use super::super::backup::{Manner, migration_copies, stamp};
use super::StoreError;
use super::connect::open_to_copy;
use super::copy::{Draft, copy, folder_of};
use super::place::beside;
use crate::domain::Timestamp;

/// Number of copies that stay, the newest.
const KEPT: usize = 2;
/// Space that has to be left beside the copy, in bytes: a migration writes too.
const FREE_MIN: u64 = 16 * 1024 * 1024;

/// Copies the database of schema `version` to a file beside it. Without space for that the migration goes on
/// without, since the daemon is needed more.
///
/// # Errors
///
/// Fails when the database is damaged, or the copy cannot be written for another reason than a full disk.
pub(super) fn keep(store: &Path, version: u32) -> Result<(), StoreError> {
    let bytes = [store.to_owned(), beside(store, "-wal")];
    let bytes = bytes.iter().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum();
    let kept = has_space(store, bytes).then(|| write(store, version)).transpose();
    match kept {
        Ok(Some(path)) => {
            let shown = path.display();
            info!("before the migration from schema {version} the database was copied to {shown}");
        }
        Ok(None) => without_copy(version),
        Err(error) if error.is_full_disk() => without_copy(version),
        Err(error) => return Err(error),
    }
    Ok(())
}

fn without_copy(version: u32) {
    warn!(
        "no space for a copy of the database before its migration from schema {version}; migrated without"
    );
}

fn has_space(store: &Path, bytes: u64) -> bool {
    let free = rustix::fs::statvfs(folder_of(store));
    free.is_ok_and(|found| {
        bytes.saturating_add(FREE_MIN) <= found.f_bavail.saturating_mul(found.f_frsize)
    })
}

fn write(store: &Path, version: u32) -> Result<PathBuf, StoreError> {
    let draft = Draft::new(folder_of(store))?;
    let conn = open_to_copy(store)?;
    let now = now(&conn)?;
    copy(conn, store, &draft, Manner::default(), &|| false)?;
    let path = beside(store, &format!(".v{version}-{}", stamp(now)));
    draft.publish(&path)?;
    for old in migration_copies(store).into_iter().skip(KEPT) {
        if let Err(error) = std::fs::remove_file(&old.path) {
            warn!("an old copy cannot be deleted: {}: {error}", old.path.display());
        }
    }
    Ok(path)
}

/// Returns the time of the engine, for a name alone.
fn now(conn: &Connection) -> Result<Timestamp, StoreError> {
    Ok(Timestamp(conn.query_row("SELECT unixepoch() * 1000", [], |row| row.get(0))?))
}
