//! Copies of a database while others write to it (online backup).
//!
//! One read transaction of the source lasts for the whole copy: it is one state of the database however busy the
//! daemon is, and never begins anew. It keeps no writer waiting, since the daemon goes on in its log. The copy is
//! a draft beside its final name, and gets that name when it is complete, on the disk and verified.

use std::ffi::c_int;
use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::super::random;
use super::place::{MODE, refused, unusable};
use super::{StoreError, connect, integrity};
use crate::store::{Contents, Manner};

/// Number of pages that are copied at once.
const STEP_PAGES: c_int = 256;
/// Number of steps after which what was written is put on the disk: commits of the daemon would wait for more.
const STEPS_PER_SYNC: u32 = 8;
/// Number of waits for a lock of another process on the source.
const WAITS_MAX: u32 = 500;
/// Time of one such wait.
const WAIT: Duration = Duration::from_millis(20);
/// Beginning and end of the name of a draft.
const PREFIX: &str = ".revalidated-";
const DRAFT: &str = ".part";
/// Age from which a draft that no process has locked is the leftover of one that was killed.
const LEFTOVER_AGE: Duration = Duration::from_mins(1);

/// Copy that has no final name yet; it is deleted unless it gets one.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
    /// Locked while this process writes the draft.
    file: File,
    is_published: bool,
}

impl Draft {
    /// Makes an empty draft in `folder`, and deletes the leftovers of others there.
    pub(super) fn new(folder: &Path) -> Result<Self, StoreError> {
        let draft = Self::at(&folder.join(format!("{PREFIX}{:016x}{DRAFT}", random::number()?)))?;
        // The clock of the file system may be that of another machine.
        if let Ok(now) = draft.file.metadata().and_then(|made| made.modified()) {
            remove_leftovers(folder, now);
        }
        Ok(draft)
    }

    /// Makes an empty draft with this name, which no file may have.
    pub(super) fn at(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: io::Error| unusable(path, &error);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create_new(true).mode(MODE);
        let file = options.open(path).map_err(failed)?;
        let draft = Self { path: path.to_owned(), file, is_published: false };
        // The mode at creation is subject to the umask, this one is not.
        draft.file.set_permissions(Permissions::from_mode(MODE)).map_err(failed)?;
        draft.file.lock().map_err(failed)?;
        Ok(draft)
    }

    /// Path of the draft, for as long as it is one.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Size of the draft in bytes.
    pub(super) fn bytes(&self) -> Result<u64, StoreError> {
        Ok(self.file.metadata().map_err(|error| unusable(&self.path, &error))?.len())
    }

    /// Gives the draft its final name, under which there is no other file, and puts both on the disk.
    pub(super) fn publish(mut self, to: &Path) -> Result<(), StoreError> {
        self.file.sync_all().map_err(|error| unusable(&self.path, &error))?;
        rename_to_free_name(&self.path, to)?;
        self.is_published = true;
        sync_folder(to)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_published {
            std::fs::remove_file(&self.path).ok();
        }
    }
}

/// Renames a file, unless another one has the name.
pub(super) fn rename_to_free_name(from: &Path, to: &Path) -> Result<(), StoreError> {
    let taken = || refused(to, "exists already, and is left as it is");
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => return Ok(()),
        Err(rustix::io::Errno::EXIST) => return Err(taken()),
        // Some file systems cannot do both in one step.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {}
        Err(error) => return Err(unusable(to, &error.into())),
    }
    if !matches!(to.try_exists(), Ok(false)) {
        return Err(taken());
    }
    std::fs::rename(from, to).map_err(|error| unusable(to, &error))
}

/// Puts the names in the folder of `path` on the disk.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = folder_of(path);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| unusable(folder, &error))
}

/// Returns the folder that a path is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Deletes drafts of processes that were killed.
fn remove_leftovers(folder: &Path, now: SystemTime) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let is_draft = |name: &str| name.starts_with(PREFIX) && name.ends_with(DRAFT);
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_draft) && is_leftover(&entry.path(), now) {
            std::fs::remove_file(entry.path()).ok();
        }
    }
}

/// Returns true for a draft that no process has locked, and that is not about to be.
fn is_leftover(path: &Path, now: SystemTime) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let changed = file.metadata().and_then(|found| found.modified());
    let age = changed.ok().and_then(|at| now.duration_since(at).ok());
    age.is_some_and(|age| LEFTOVER_AGE <= age) && file.try_lock().is_ok()
}

/// Copies the database of `conn`, which is at `from`, into `draft`, and verifies the copy.
///
/// # Errors
///
/// Fails when either file cannot be used, the copy is damaged, or `is_stopped` says so in between.
pub(super) fn copy(
    mut conn: Connection,
    from: &Path,
    draft: &Draft,
    manner: Manner,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Contents, StoreError> {
    let expected = if manner.is_compact {
        compact_into(&conn, draft)?;
        None
    } else {
        let tx = conn.transaction()?;
        let contents = integrity::contents(&tx).map_err(|error| connect::explained(from, error))?;
        copy_pages(&tx, draft, is_stopped).map_err(|error| connect::explained(from, error))?;
        Some(contents)
    };
    drop(conn);
    verify(from, draft, manner.is_thorough, expected)
}

/// Writes the content of the database without its free pages.
fn compact_into(conn: &Connection, draft: &Draft) -> Result<(), StoreError> {
    let Some(path) = draft.path.to_str() else {
        return Err(refused(&draft.path, "its name is not valid UTF-8"));
    };
    // The engine takes the new file for a part of this database.
    conn.pragma_update(None, "query_only", false)?;
    conn.execute("VACUUM INTO ?1", [path])?;
    Ok(())
}

fn copy_pages(
    from: &Connection,
    draft: &Draft,
    is_stopped: &dyn Fn() -> bool,
) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut to = Connection::open_with_flags(&draft.path, flags)?;
    // A draft needs no protection from crashes: it has no final name until it is on the disk.
    to.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    let copy = Backup::new(from, &mut to)?;
    let (mut steps, mut waits) = (0_u32, 0_u32);
    loop {
        if is_stopped() {
            return Err(StoreError::Stopped);
        }
        if WAITS_MAX < waits {
            return Err(refused(&draft.path, "the database stays locked by another process"));
        }
        let step = copy.step(STEP_PAGES)?;
        if step == StepResult::Done {
            break;
        }
        if step == StepResult::More {
            steps += 1;
        } else {
            waits += 1;
            std::thread::sleep(WAIT);
        }
        if steps.is_multiple_of(STEPS_PER_SYNC) {
            draft.file.sync_data().map_err(|error| unusable(&draft.path, &error))?;
        }
    }
    drop(copy);
    Ok(to.close().map_err(|(_conn, error)| error)?)
}

/// Verifies a copy of the database at `from`; returns what is in it.
fn verify(
    from: &Path,
    draft: &Draft,
    is_thorough: bool,
    expected: Option<Contents>,
) -> Result<Contents, StoreError> {
    let damaged = |problem: &str| StoreError::Damaged {
        path: from.to_owned(),
        problem: format!("is damaged, as its copy shows, which was not kept: {problem}"),
    };
    let conn = connect::read_only(&draft.path, true)?;
    let problems = integrity::problems(&conn, is_thorough)?;
    if !problems.is_empty() {
        return Err(damaged(&problems.join("; ")));
    }
    let found = integrity::contents(&conn)?;
    match expected {
        Some(expected) if expected != found => {
            Err(damaged("its tables have other numbers of rows than the database"))
        }
        Some(_) | None => Ok(found),
    }
}
