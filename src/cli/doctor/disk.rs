//! Facts from files and from commands of this machine; all of it may block.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use super::facts::{Backup, Files, Folder, Service};
use super::unit::{FOLDERS, UNIT, Unit};
use crate::domain::Timestamp;
use crate::store::backups;

/// Usual folder of backups.
const BACKUPS: &str = "/var/backups/revalidated";

/// Returns the permission bits of files that can be looked at.
pub(super) fn modes(paths: Vec<PathBuf>) -> BTreeMap<PathBuf, u32> {
    let mode = |path: PathBuf| Some((path.clone(), fs::metadata(path).ok()?.mode() & 0o777));
    paths.into_iter().filter_map(mode).collect()
}

/// Returns what is known of the unit, and of the process with this number.
pub(super) fn service(process: Option<i32>) -> Service {
    let unit = Unit::read(&FOLDERS.map(Path::new));
    let due = said("systemctl", &["show", UNIT, "--property=NeedDaemonReload", "--value"]);
    let folder = process.map(|pid| PathBuf::from(format!("/proc/{pid}")));
    let running = folder.as_ref().and_then(|folder| fs::read_link(folder.join("exe")).ok());
    let user = folder.and_then(|folder| fs::metadata(folder).ok()).map(|found| found.uid());
    let programs = unit.iter().flat_map(|unit| unit.all("ExecStart")).filter_map(|start| {
        let word = start.value.split_whitespace().next()?;
        let path = PathBuf::from(word.trim_start_matches(['-', '@', ':', '+', '!']));
        is_program(&path).then_some(path)
    });
    let programs: BTreeSet<_> = programs.collect();
    Service { is_reload_due: yes_or_no(due.as_deref()), running, user, programs, unit }
}

fn is_program(path: &Path) -> bool {
    let found = fs::metadata(path);
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Returns true when systemd says that the clock is synchronised.
pub(super) fn is_synchronised() -> Option<bool> {
    yes_or_no(said("timedatectl", &["show", "--property=NTPSynchronized", "--value"]).as_deref())
}

fn yes_or_no(said: Option<&str>) -> Option<bool> {
    match said?.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Returns what a command prints that only reads; none where it fails or is not there.
pub(in crate::cli) fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// Returns what is known of the database at `path` and its folder, without opening it.
pub(super) fn files(path: &Path, backups: Option<PathBuf>) -> Files {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = self::folder(folder.unwrap_or(Path::new(".")));
    let database = fs::metadata(path).ok().map(|found| {
        let created = found.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let millis = created.and_then(|age| i64::try_from(age.as_millis()).ok());
        (found.len(), millis.map(Timestamp))
    });
    Files { folder, database, backup: backup(path, backups), ..Files::default() }
}

/// Returns the latest backup of the database at `path`, in the folder of the configuration, the usual one or beside it.
fn backup(path: &Path, configured: Option<PathBuf>) -> Option<Backup> {
    let beside = path.parent().map(Path::to_owned);
    let folders = beside.iter().flat_map(|one| [one.clone(), one.join("backups")]);
    let found = folders.chain(configured).chain([BACKUPS.into()]).filter_map(|folder| {
        let latest = backups(&folder).ok()?.into_iter().next()?;
        Some((latest.at, folder))
    });
    let (at, folder) = found.max()?;
    let disk = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    let is_on_same_disk = beside.is_some_and(|beside| disk(&beside) == disk(&folder));
    Some(Backup { at, is_on_same_disk })
}

fn folder(path: &Path) -> Option<Folder> {
    let found = fs::metadata(path).ok().filter(fs::Metadata::is_dir)?;
    let (disk, room) = (rustix::fs::statfs(path).ok()?, rustix::fs::statvfs(path).ok()?);
    Some(Folder {
        owner: found.uid(),
        mode: found.mode() & 0o777,
        file_system: u64::try_from(disk.f_type).unwrap_or_default(),
        free: room.f_bavail.saturating_mul(room.f_frsize),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_and_database_are_looked_at_without_being_opened() {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o750)).unwrap();
        let path = place.path().join("state.db");
        assert!(files(&path, None).database.is_none());
        fs::write(&path, "12345").unwrap();
        let found = files(&path, None);
        assert_eq!(found.database.unwrap().0, 5);
        let folder = found.folder.unwrap();
        assert_eq!(folder.mode, 0o750);
        assert!(folder.free > 0 && folder.file_system > 0, "{folder:?}");
        assert!(files(Path::new("/nowhere/state.db"), None).folder.is_none());
    }

    #[test]
    fn latest_backup_is_found_by_its_name() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state.db");
        fs::create_dir(place.path().join("backups")).unwrap();
        for name in ["state.db", "state.db-wal", "other-1.db"] {
            fs::write(place.path().join(name), "x").unwrap();
        }
        assert!(files(&path, None).backup.is_none());
        fs::write(place.path().join("backups/state-20261123T100000Z-1a2b3c4d.db"), "x").unwrap();
        let found = files(&path, None).backup.unwrap();
        assert!(
            found.is_on_same_disk && found.at.to_string() == "2026-11-23T10:00:00Z",
            "{found:?}"
        );
    }

    #[test]
    fn command_that_fails_says_nothing() {
        assert_eq!(said("true", &[]).as_deref(), Some(""));
        assert_eq!(said("false", &[]), None);
        assert_eq!(said("no-such-program", &[]), None);
        let said = [Some("yes\n"), Some("no"), Some(""), None].map(yes_or_no);
        assert_eq!(said, [Some(true), Some(false), None, None]);
    }

    #[test]
    fn modes_of_files_that_are_there_are_returned() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("secret");
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let found = modes(vec![path.clone(), place.path().join("none")]);
        assert_eq!(found, [(path, 0o640)].into());
    }
}
