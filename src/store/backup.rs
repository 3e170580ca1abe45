//! Backups: copies of a database as files of their own, and the folder that keeps the newest of them.
//!
//! The name of a backup has its instant and the beginning of the database's epoch, so that names sort by age and
//! show which database a backup is of.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::Timestamp;

/// Length of the part of an epoch that names have.
const EPOCH_LENGTH: usize = 8;
/// Beginning and end of the name of a backup.
const PREFIX: &str = "state-";
const SUFFIX: &str = ".db";

/// Order to make a backup.
#[derive(Clone, Debug)]
pub(crate) struct NewBackup {
    /// File to make, or folder to make one in.
    pub(crate) to: PathBuf,
    /// Number of backups that stay in the folder, the newest; at least one.
    pub(crate) keep: usize,
    /// Manner in which it is made.
    pub(crate) manner: Manner,
    /// Instant for the name in a folder.
    pub(crate) now: Timestamp,
}

/// Manner in which a database is copied.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Manner {
    /// Free pages are left out.
    pub(crate) is_compact: bool,
    /// Indexes and references are verified too, not only pages and rows.
    pub(crate) is_thorough: bool,
}

/// Backup that is complete, on the disk, and verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Backup {
    /// Path of the file.
    pub(crate) path: PathBuf,
    /// Size of the file in bytes.
    pub(crate) bytes: u64,
    /// Content of the file.
    pub(crate) contents: Contents,
    /// Older backups that were deleted from the folder.
    pub(crate) removed: Vec<PathBuf>,
}

/// Content of a database in numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Contents {
    /// Version of the schema.
    pub(crate) schema: u32,
    /// Identity of the database.
    pub(crate) epoch: String,
    /// Number of rows of each table.
    pub(crate) rows: BTreeMap<String, u64>,
}

impl Contents {
    /// Returns the number of rows of all tables.
    pub(crate) fn total(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// Backup in a folder, by its name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct KeptBackup {
    /// Instant at which it was made, in whole seconds.
    pub(crate) at: Timestamp,
    /// Path of the file.
    pub(crate) path: PathBuf,
}

/// Copy of a database that was made before it was migrated.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct MigrationCopy {
    /// Instant at which it was made, in whole seconds.
    pub(crate) at: Timestamp,
    /// Version of the schema.
    pub(crate) version: u32,
    /// Path of the file.
    pub(crate) path: PathBuf,
}

/// Returns the copies of the database at `store` that were made before migrations, the newest first.
pub(crate) fn migration_copies(store: &Path) -> Vec<MigrationCopy> {
    let Some(name) = store.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
    let copy = |path: PathBuf| {
        let suffix = path.file_name()?.to_str()?.strip_prefix(name)?.strip_prefix(".v")?;
        let (version, stamp) = suffix.split_once('-')?;
        let (version, at) = (version.parse().ok()?, stamped(stamp)?);
        Some(MigrationCopy { at, version, path })
    };
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten();
    let mut found: Vec<_> = entries.flatten().filter_map(|entry| copy(entry.path())).collect();
    found.sort_unstable_by(|one, other| other.cmp(one));
    found
}

/// Returns the name in a folder of a backup made now of the database with this epoch.
pub(super) fn name(now: Timestamp, epoch: &str) -> String {
    let epoch: String = epoch.chars().take(EPOCH_LENGTH).collect();
    format!("{PREFIX}{}-{epoch}{SUFFIX}", stamp(now))
}

/// Returns an instant as it is in names of files, in whole seconds: `20261123T100000Z`.
pub(super) fn stamp(now: Timestamp) -> String {
    let instant = Timestamp(now.0 - now.0.rem_euclid(1000)).to_string();
    instant.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Returns the backups in `folder`, the newest first.
///
/// # Errors
///
/// Fails when the folder cannot be read.
pub(crate) fn backups(folder: &Path) -> io::Result<Vec<KeptBackup>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(at) = entry.file_name().to_str().and_then(instant) {
            found.push(KeptBackup { at, path: entry.path() });
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    Ok(found)
}

/// Returns the instant in the name of a backup; none for other names.
fn instant(name: &str) -> Option<Timestamp> {
    let (instant, epoch) = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-')?;
    if epoch.is_empty() || !epoch.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    stamped(instant)
}

/// Returns the instant that [`stamp`] has written.
fn stamped(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let is_plain =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(date, 8) || !is_plain(time, 6) {
        return None;
    }
    let ((year, date), (hour, time)) = (date.split_at_checked(4)?, time.split_at_checked(2)?);
    let ((month, day), (minute, second)) = (date.split_at_checked(2)?, time.split_at_checked(2)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

/// Deletes all backups in `folder` but the newest `keep`; returns those that it deleted.
///
/// # Errors
///
/// Fails when the folder cannot be read, or one of them cannot be deleted.
pub(super) fn rotate(folder: &Path, keep: usize) -> io::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for old in backups(folder)?.into_iter().skip(keep.max(1)) {
        std::fs::remove_file(&old.path)?;
        removed.push(old.path);
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_has_the_instant_and_the_epoch_and_is_read_again() {
        let now = Timestamp(1_795_428_000_999);
        let name = name(now, "1a2b3c4d-5e6f-7000");
        assert_eq!(name, "state-20261123T100000Z-1a2b3c4d.db");
        assert_eq!(instant(&name), Some(Timestamp(1_795_428_000_000)));
    }

    #[test]
    fn other_names_are_no_backups() {
        let names = [
            "state.db",
            "state-20261123T100000Z-.db",
            "state-20261123T100000Z-1a2b3c4d.db.part",
            "state-20261123T100000-1a2b3c4d.db",
            "state-20261323T100000Z-1a2b3c4d.db",
            "state-2026112xT100000Z-1a2b3c4d.db",
            "state-20261123T100000Z-1a2b/c4d.db",
            "other-20261123T100000Z-1a2b3c4d.db",
        ];
        for name in names {
            assert_eq!(instant(name), None, "{name}");
        }
    }

    #[test]
    fn newest_backups_stay_and_other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| std::fs::write(folder.path().join(name), "").unwrap();
        let old = name(Timestamp(1_000_000), "aaaaaaaa");
        let names =
            [name(Timestamp(3_000_000), "bbbbbbbb"), name(Timestamp(2_000_000), "cccccccc")];
        for name in [&old, &names[1], &names[0], "notes.txt"] {
            make(name);
        }
        let kept = || {
            let kept = backups(folder.path()).unwrap().into_iter();
            kept.map(|one| one.path.file_name().unwrap().to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(rotate(folder.path(), 2).unwrap(), [folder.path().join(&old)]);
        assert_eq!(kept(), names);
        assert_eq!(rotate(folder.path(), 0).unwrap().len(), 1, "one always stays");
        assert!(folder.path().join("notes.txt").exists());
        assert!(backups(&folder.path().join("none")).is_err());
    }
}
