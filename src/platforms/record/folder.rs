//! Folders of recorded runs: private, and never written over.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::case::Case;

/// Mode of the folder, which others than its owner need not read.
const FOLDER_MODE: u32 = 0o700;
/// Mode of its files.
const FILE_MODE: u32 = 0o600;
/// Largest file of a case, in bytes.
const FILE_MAX: u64 = 16 * 1024 * 1024;
/// Most files of a case.
const FILES_MAX: usize = 2000;

/// Checks that a case can be written to `folder`: it is not there yet, or is empty.
///
/// # Errors
///
/// Says what is in the way.
pub(crate) fn check_absent(folder: &Path) -> Result<(), String> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => {
                Err(format!("{} is not empty; nothing in it is written over", folder.display()))
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("{} cannot be used: {error}", folder.display())),
    }
}

/// Writes `case` to `folder`.
///
/// # Errors
///
/// Fails when the folder is not empty, or a file cannot be written.
pub(crate) fn write(case: &Case, folder: &Path) -> Result<(), String> {
    check_absent(folder)?;
    let failed = |path: &Path, error: &io::Error| format!("{}: {error}", path.display());
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed(folder, &error));
        }
        Ok(()) | Err(_) => {}
    }
    for (name, text) in case.files() {
        let path = folder.join(name);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(FILE_MODE).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

/// Reads the case in `folder`.
///
/// # Errors
///
/// Names the file that cannot be read.
pub(crate) fn read(folder: &Path) -> Result<Case, String> {
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed)?.take(FILES_MAX) {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !path
            .extension()
            .is_some_and(|end| ["http", "json", "sql"].iter().any(|own| end == *own))
        {
            continue;
        }
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(FILE_MAX).read_to_string(&mut text));
        read.map_err(|error| format!("{}: {error}", path.display()))?;
        files.insert(name.to_owned(), text);
    }
    Case::read(&files).map_err(|fault| format!("{}: {fault}", folder.display()))
}

/// Private folder for the files of a replay, removed when dropped.
pub(super) struct Private(PathBuf);

impl Private {
    /// Makes a folder of a random name.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be made.
    pub(super) fn new() -> io::Result<Self> {
        let random = RandomState::new().hash_one(std::process::id());
        let path = std::env::temp_dir().join(format!("revalidated-{random:016x}"));
        DirBuilder::new().mode(FOLDER_MODE).create(&path)?;
        Ok(Self(path))
    }

    /// Returns the path of the folder.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // What is left is private, and holds no secret.
        drop(fs::remove_dir_all(&self.0));
    }
}
