//! Place of the database: one file, one name, one daemon (advisory locks on the lock file and on the file).
//!
//! The lock file beside the database keeps two daemons from creating it at the same time; the lock on the
//! file itself keeps out a daemon that reaches the same file by another name. That lock is the whole file's
//! (`flock`), which `SQLite` does not use. Its descriptor stays open until every connection is closed, since
//! the system gives up all record locks of a process on a file when it closes any descriptor of it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StoreError;

/// Readable and writable by the daemon's user alone.
pub(super) const MODE: u32 = 0o600;

/// End of the name of the draft of a restore, while it is not complete.
pub(super) const RESTORING: &str = ".restoring";

/// Part of the name of a file that was moved out of a server's database, and has no final name yet; its token follows.
pub(super) const MOVING: &str = ".moving-";

/// Tries to lock the database, 20 ms apart: a command that looks whether a daemon runs holds the lock for
/// a moment.
const TRIES_MAX: u32 = 50;
/// Time between two tries.
const TRY_WAIT: Duration = Duration::from_millis(20);

/// Locks of a daemon, which the system releases with the process.
#[derive(Debug)]
pub(super) struct Locks {
    _beside: File,
    _database: Option<File>,
}

impl Locks {
    /// Returns the lock beside a database that is not there.
    pub(super) const fn without_database(beside: File) -> Self {
        Self { _beside: beside, _database: None }
    }
}

/// Files of the database as they were when it was opened.
#[derive(Clone, Debug)]
pub(super) struct Place {
    path: PathBuf,
    files: Vec<(PathBuf, Identity)>,
}

/// Identity of a file: device and number.
type Identity = (u64, u64);

impl Place {
    /// Returns the place of the database alone.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let file = identity(path)?;
        Ok(Self { path: path.to_owned(), files: vec![(path.to_owned(), file)] })
    }

    /// Returns the place with the write-ahead log, once a connection has made it.
    pub(super) fn with_log(mut self) -> Self {
        let log = beside(&self.path, "-wal");
        self.files.extend(identity(&log).ok().map(|file| (log, file)));
        self
    }

    /// Returns true while the database itself is where it was.
    pub(super) fn is_database_there(&self) -> bool {
        self.files.first().is_some_and(is_same)
    }

    /// Fails when a file is not there any more: what is written to it then is lost with the process, and
    /// `SQLite` does not look.
    pub(super) fn check(&self) -> Result<(), rusqlite::Error> {
        let is_gone = |file: &&(PathBuf, Identity)| !is_same(file);
        let Some((path, _)) = self.files.iter().find(is_gone) else { return Ok(()) };
        let remedy = if *path == self.path { "put it back" } else { "restart the daemon" };
        let path = path.display();
        let problem = format!("{path} was removed or replaced while in use; {remedy}");
        let moved = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY_DBMOVED);
        Err(rusqlite::Error::SqliteFailure(moved, Some(problem)))
    }
}

fn is_same(file: &(PathBuf, Identity)) -> bool {
    identity(&file.0).is_ok_and(|found| found == file.1)
}

fn identity(path: &Path) -> io::Result<Identity> {
    let file = std::fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Returns the path that no link is part of, so that all names lead to the same files beside it.
pub(super) fn resolved(path: &Path) -> Result<PathBuf, StoreError> {
    match path.canonicalize() {
        Ok(path) => Ok(path),
        Err(error) if path.is_symlink() => {
            let problem = format!("is a link that leads to no file that can be used: {error}");
            Err(refused(path, problem))
        }
        Err(_) => Ok(path.to_owned()),
    }
}

/// Returns `path` with `suffix` after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Returns the error for a file that cannot be used.
pub(super) fn refused(path: &Path, problem: impl Into<String>) -> StoreError {
    StoreError::File { path: path.to_owned(), problem: problem.into() }
}

/// Returns the error for a file that the system does not let us use: the folder may be the reason.
pub(super) fn unusable(path: &Path, error: &io::Error) -> StoreError {
    let folders = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    // The outermost folder that cannot be looked at is the reason for those in it.
    let looked = folders.filter_map(|folder| Some((folder, folder.metadata().err()?)));
    let Some((folder, reason)) = looked.last() else {
        return refused(path, format!("cannot be used: {error}"));
    };
    if reason.kind() == io::ErrorKind::NotFound {
        return refused(folder, "there is no such folder; create it");
    }
    let folder = folder.parent().unwrap_or(folder);
    refused(folder, format!("this folder may not be entered: {reason}"))
}

/// Takes the lock file beside the database, which stays; the lock goes with the process.
pub(super) fn lock_beside(path: &Path) -> Result<File, StoreError> {
    let name = beside(path, ".lock");
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(&name);
    let file = opened.map_err(|error| unusable(&name, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let name = name.display();
            let problem = format!("in use by another daemon, which holds the lock {name}");
            Err(StoreError::InUse { path: path.to_owned(), problem })
        }
        Err(TryLockError::Error(error)) => Err(unusable(&name, &error)),
    }
}

/// Takes the lock on the database itself, whatever its name.
pub(super) fn lock_database(path: &Path, beside: File) -> Result<Locks, StoreError> {
    let failed = |error: io::Error| unusable(path, &error);
    let file = File::open(path).map_err(failed)?;
    let mut tries = 1;
    while let Err(refusal) = file.try_lock() {
        if let TryLockError::Error(error) = refusal {
            return Err(failed(error));
        }
        if tries == TRIES_MAX {
            let problem = "in use by another daemon, which reaches it by another name".to_owned();
            return Err(StoreError::InUse { path: path.to_owned(), problem });
        }
        tries += 1;
        std::thread::sleep(TRY_WAIT);
    }
    let found = file.metadata().map_err(failed)?;
    if identity(path).map_err(failed)? != (found.dev(), found.ino()) {
        return Err(refused(path, "was replaced while it was being opened; try again"));
    }
    Ok(Locks { _beside: beside, _database: Some(file) })
}

/// Returns the files that were moved to this place and have no final name yet.
pub(super) fn moving(store: &Path) -> Vec<PathBuf> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else {
        return Vec::new();
    };
    let Some(name) = store.file_name() else { return Vec::new() };
    let start = [name.as_encoded_bytes(), MOVING.as_bytes()].concat();
    let paths = entries.flatten().map(|entry| entry.path());
    let is_one = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(&start))
    };
    paths.filter(is_one).collect()
}

/// Fails when a restore or a move was interrupted before the database had its name.
pub(super) fn refuse_interrupted(store: &Path) -> Result<(), StoreError> {
    if let Some(moving) = moving(store).first() {
        let problem = format!(
            "is missing, since a move to it was interrupted; call `revalidated store move --back` again, or remove {} \
             to start with an empty database",
            moving.display()
        );
        return Err(StoreError::Damaged { path: store.to_owned(), problem });
    }
    let draft = beside(store, RESTORING);
    if draft.symlink_metadata().is_err() {
        return Ok(());
    }
    let problem = format!(
        "is missing, since a restore was interrupted; run `revalidated restore` again, or remove {} to start with an \
         empty database",
        draft.display()
    );
    Err(StoreError::Damaged { path: store.to_owned(), problem })
}

/// Refuses a file that has several names: its log has but one, and is missed by the others.
pub(super) fn require_one_name(path: &Path) -> Result<(), StoreError> {
    match std::fs::metadata(path) {
        Ok(file) if 1 < file.nlink() => {
            let names = file.nlink();
            let problem = format!(
                "has {names} names (hard links), but its log has one, so that changes would be lost \
                 by another; remove the other names"
            );
            Err(refused(path, problem))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Returns true when a daemon uses the database at `path`, false when none does, and none when that
/// cannot be seen. Call it before any connection is opened to the file.
pub(in crate::store) fn is_in_use(path: &Path) -> Option<bool> {
    let file = File::open(path).ok()?;
    match file.try_lock_shared() {
        Ok(()) => Some(false),
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    }
}
