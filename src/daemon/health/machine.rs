//! Watches the machine: room on the disk, and free file descriptors.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::fault::{begin, end};
use crate::daemon::shared::Shared;
use crate::domain::OwnFault;
use crate::net::tcp::is_out_of_descriptors;

/// Interval at which the machine is looked at.
const LOOK: Duration = Duration::from_secs(30);
/// Shortest time between two looks because of refused writes.
const REFUSALS: Duration = Duration::from_secs(1);
/// The share of file descriptors, in percent, above which they count as used up.
const DESCRIPTORS_MAX: u64 = 90;

/// Looks at the disk and the file descriptors of this machine until `stop`.
pub(in crate::daemon) async fn watch_machine(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let active = shared.active();
        let disk = active.fixed.store.file().and_then(|database| {
            let folder = database.parent().unwrap_or(Path::new(""));
            let (room, least) = (free(folder), active.own.disk_free_mib);
            disk_fault(folder, room, shared.health.disk.is_full(room), least)
        });
        let found =
            BTreeMap::from([(OwnFault::Disk, disk), (OwnFault::Descriptors, descriptor_fault())]);
        for (fault, message) in found {
            match message {
                Some(message) => begin(&shared, fault, message).await,
                None => end(&shared, fault).await,
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep(LOOK) => (),
            () = refusal(&shared) => (),
        }
    }
}

/// Waits until the disk refuses a write, and a moment since the look before: it refuses many at once.
async fn refusal(shared: &Shared) {
    sleep(REFUSALS).await;
    shared.health.disk.refusal().await;
}

/// Returns the free room on the disk of `folder` in MiB, if it is known.
fn free(folder: &Path) -> Option<u64> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let found = rustix::fs::statvfs(here).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize) / (1024 * 1024))
}

/// Returns the fault of the disk of `folder`, if it has one: the database could not be written, or less
/// room is left than `least`, in MiB. An unknown state is none.
fn disk_fault(folder: &Path, free: Option<u64>, is_full: bool, least: u32) -> Option<String> {
    let here = folder.display();
    if is_full {
        return Some(format!("{here} has no room left, so that the database cannot be written"));
    }
    let free = free.filter(|free| *free < u64::from(least))?;
    Some(format!("{here} has {free} MiB left, less than `own_faults.disk_free_mib`"))
}

/// Returns the fault of the file descriptors of this process, if there is one.
fn descriptor_fault() -> Option<String> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current?;
    let open = std::fs::read_dir("/proc/self/fd").map(Iterator::count);
    descriptors_used_up(open, limit)
}

/// Returns the fault when too many of `limit` descriptors are open. To count them takes one, which may be refused.
fn descriptors_used_up(open: io::Result<usize>, limit: u64) -> Option<String> {
    let used = match open {
        Ok(open) => u64::try_from(open).unwrap_or(u64::MAX),
        Err(error) if is_out_of_descriptors(&error) => limit,
        Err(_unknown) => return None,
    };
    let full = limit.saturating_mul(DESCRIPTORS_MAX) / 100 <= used;
    full.then(|| format!("{used} of {limit} file descriptors are in use; raise LimitNOFILE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let (here, nowhere) = (folder.path(), Path::new("/nowhere"));
        assert_eq!(disk_fault(here, free(here), false, 0), None);
        let fault = disk_fault(here, free(here), false, u32::MAX).unwrap();
        assert!(fault.contains("MiB left"), "{fault}");
        assert_eq!(disk_fault(nowhere, free(nowhere), false, u32::MAX), None);
        let fault = disk_fault(here, free(here), true, 0).unwrap();
        assert!(fault.contains("no room left"), "{fault}");
    }

    #[test]
    fn few_open_descriptors_are_no_fault_and_a_refused_one_is() {
        assert_eq!(descriptor_fault(), None);
        let refused = |code| Err(io::Error::from_raw_os_error(code));
        for (open, is_fault) in [
            (Ok(89), false),
            (Ok(90), true),
            // EMFILE, ENFILE and EACCES.
            (refused(24), true),
            (refused(23), true),
            (refused(13), false),
        ] {
            assert_eq!(descriptors_used_up(open, 100).is_some(), is_fault);
        }
    }
}
