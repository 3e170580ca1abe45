//! Reads of files that the kernel holds in memory, at once and on the calling thread.
//!
//! Handing a read to another thread costs more than the read: two switches of context for some dozen
//! bytes, for every run. It is saved where nothing can hang: the path is resolved from the kernel's
//! cache only (`RESOLVE_CACHED`), the file is looked at before it is opened, it is a regular one on a
//! file system of this machine, and its pages are read only if they are there (`RWF_NOWAIT`). A file
//! system is known as one of this machine once a thread of the pool has read a file of it.

use std::fs::File;
use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::ReadWriteFlags;

/// Largest file that is read here, in bytes; larger ones are worth a thread.
const BYTES_MAX: usize = 8 * 1024;
/// Most file systems that are known.
const DEVICES_MAX: usize = 64;

/// Types of file systems whose files are on a disk of this machine, from `linux/magic.h`: ext, XFS, Btrfs,
/// F2FS.
const ON_DISK: &[u32] = &[0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010];
/// Types of file systems whose files are in memory: tmpfs and ramfs, which systemd puts credentials on.
const IN_MEMORY: &[u32] = &[0x0102_1994, 0x8584_58F6];

/// File systems of this machine that were read from.
static KNOWN: Mutex<Vec<FileSystem>> = Mutex::new(Vec::new());

/// File system of this machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct FileSystem {
    /// Major and minor number of its device.
    device: (u32, u32),
    is_in_memory: bool,
}

fn known() -> MutexGuard<'static, Vec<FileSystem>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes the file system of an open file. This may hang.
pub(super) fn note(file: &File) {
    let Ok(found) = rustix::fs::fstatfs(file) else { return };
    // Some architectures have the number as a signed one.
    let Ok(magic) = u32::try_from(found.f_type & 0xFFFF_FFFF) else { return };
    let is_in_memory = IN_MEMORY.contains(&magic);
    if !is_in_memory && !ON_DISK.contains(&magic) {
        return;
    }
    let Some((_, device)) = kind_and_device(file) else { return };
    let found = FileSystem { device, is_in_memory };
    let mut known = known();
    if !known.contains(&found) && known.len() < DEVICES_MAX {
        known.push(found);
    }
}

/// Returns the type of an open file and the device that it is on, without asking a server.
fn kind_and_device(file: impl AsFd) -> Option<(FileType, (u32, u32))> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let found = rustix::fs::statx(file, c"", flags, StatxFlags::TYPE).ok()?;
    let kind = FileType::from_raw_mode(found.stx_mode.into());
    Some((kind, (found.stx_dev_major, found.stx_dev_minor)))
}

/// Reads the file at `path`, at most `bytes_max` bytes of it. Returns none where that might wait for
/// anything; then another thread is to read it.
pub(super) fn read(path: &Path, bytes_max: usize) -> Option<Vec<u8>> {
    if known().is_empty() {
        return None;
    }
    let (flags, cached) = (OFlags::PATH | OFlags::CLOEXEC, ResolveFlags::CACHED);
    let place = rustix::fs::openat2(CWD, path, flags, Mode::empty(), cached).ok()?;
    let (kind, device) = kind_and_device(&place)?;
    let is_in_memory = known().iter().find(|one| one.device == device)?.is_in_memory;
    if kind != FileType::RegularFile {
        return None;
    }
    let same = format!("/proc/self/fd/{}", place.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, same, flags, Mode::empty()).ok()?;
    let flags = if is_in_memory { ReadWriteFlags::empty() } else { ReadWriteFlags::NOWAIT };
    let mut bytes = vec![0; BYTES_MAX.min(bytes_max).saturating_add(1)];
    let mut length = 0;
    loop {
        let rest = bytes.get_mut(length..).filter(|rest| !rest.is_empty())?;
        let at = u64::try_from(length).ok()?;
        match rustix::io::preadv2(&file, &mut [IoSliceMut::new(rest)], at, flags).ok()? {
            0 => break,
            read => length = length.checked_add(read)?,
        }
    }
    bytes.truncate(length);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder whose file system is known.
    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let seen = dir.path().join("seen");
        fs::write(&seen, "x").unwrap();
        note(&File::open(seen).unwrap());
        dir
    }

    #[test]
    fn file_that_is_in_memory_is_read_at_once_and_anew() {
        let dir = folder();
        let path = dir.path().join("password");
        for text in ["one", "a longer one\n", ""] {
            fs::write(&path, text).unwrap();
            // The first look at a name may have to ask the disk.
            drop(File::open(&path).unwrap());
            assert_eq!(read(&path, 100).as_deref(), Some(text.as_bytes()), "{text:?}");
        }
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        drop(File::open(&link).unwrap());
        assert_eq!(read(&link, 100).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn file_that_may_hang_or_is_refused_is_left_to_a_thread() {
        let dir = folder();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("large"), [7; BYTES_MAX + 1]).unwrap();
        fs::write(at("too-large"), "12345").unwrap();
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(CWD, at("fifo"), FileType::Fifo, mode, 0).unwrap();
        for (path, bytes_max) in [
            (at("large"), usize::MAX),
            (at("too-large"), 4),
            (at("fifo"), 100),
            (at("missing"), 100),
            (at(""), 100),
            ("/proc/self/comm".into(), 100),
            ("/dev/null".into(), 100),
        ] {
            assert_eq!(read(&path, bytes_max), None, "{}", path.display());
        }
    }
}
