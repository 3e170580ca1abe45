//! Backups: verified copies under a name that no file had, or in a folder that keeps the newest.

use std::path::Path;

use super::StoreError;
use super::connect::open_to_copy;
use super::copy::{Draft, copy, folder_of};
use super::place::{refused, unusable};
use crate::store::backup::{name, rotate};
use crate::store::{Backup, NewBackup};

/// Implements [`crate::store::make_backup`] on this engine.
pub(in crate::store) fn make_backup(
    store: &Path,
    new: &NewBackup,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Backup, StoreError> {
    let NewBackup { to, keep, manner, now } = new;
    let is_folder = to.is_dir();
    if !is_folder {
        require_new_file(to)?;
    }
    let folder = if is_folder { to.as_path() } else { folder_of(to) };
    let draft = Draft::new(folder)?;
    let contents = copy(open_to_copy(store)?, store, &draft, *manner, is_stopped)?;
    let path = if is_folder { to.join(name(*now, &contents.epoch)) } else { to.clone() };
    let bytes = draft.bytes()?;
    draft.publish(&path)?;
    let mut removed = Vec::new();
    if is_folder {
        let unremoved = |error| {
            refused(to, format!("the backup was made, but no older one can be deleted: {error}"))
        };
        removed = rotate(to, *keep).map_err(unremoved)?;
    }
    Ok(Backup { path, bytes, contents, removed })
}

/// Refuses the name of a file that exists, and of a folder that does not.
fn require_new_file(to: &Path) -> Result<(), StoreError> {
    if to.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(refused(to, "there is no such folder; create it"));
    }
    match to.symlink_metadata() {
        Ok(_) => Err(refused(to, "exists already; a backup is written over no file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(to, &error)),
    }
}
