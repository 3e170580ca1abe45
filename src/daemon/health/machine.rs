//! Watches the machine: room on the disk, and free file descriptors.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::fault::{begin, end};
use crate::daemon::shared::Shared;
use crate::domain::OwnFault;

/// Interval at which the machine is looked at.
const LOOK: Duration = Duration::from_secs(30);
/// The share of file descriptors, in percent, above which they count as used up.
const DESCRIPTORS_MAX: u64 = 90;

/// Looks at the disk and the file descriptors of this machine until `stop`.
pub(in crate::daemon) async fn watch_machine(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let active = shared.active();
        let folder = active.fixed.0.parent().map(Path::to_owned).unwrap_or_default();
        let found = BTreeMap::from([
            (OwnFault::Disk, disk_fault(&folder, active.own.disk_free_mib)),
            (OwnFault::Descriptors, descriptor_fault()),
        ]);
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
        }
    }
}

/// Returns the fault of the disk of `folder`, if it has one; an unknown state is none.
fn disk_fault(folder: &Path, free_mib: u32) -> Option<String> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let found = rustix::fs::statvfs(here).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize) / (1024 * 1024);
    (free < u64::from(free_mib)).then(|| {
        format!("{} has {free} MiB left, less than `own_faults.disk_free_mib`", here.display())
    })
}

/// Returns the fault of the file descriptors of this process, if there is one.
fn descriptor_fault() -> Option<String> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current?;
    let used = u64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()?;
    let full = limit.saturating_mul(DESCRIPTORS_MAX) / 100 <= used;
    full.then(|| format!("{used} of {limit} file descriptors are in use; raise LimitNOFILE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(disk_fault(folder.path(), 0), None);
        let fault = disk_fault(folder.path(), u32::MAX).unwrap();
        assert!(fault.contains("MiB left"), "{fault}");
        assert_eq!(disk_fault(Path::new("/nowhere"), u32::MAX), None);
    }

    #[test]
    fn few_open_descriptors_are_no_fault() {
        assert_eq!(descriptor_fault(), None);
    }
}
