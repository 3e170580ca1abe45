//! Room on the disk for what must be stored when the disk is full, before all that it is full: a file beside
//! the database, which is removed then.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::super::random;
use super::place::{MODE, beside};

/// Size of the reserve in bytes: some hundred pages of the write-ahead log.
const BYTES: u64 = 1024 * 1024;
/// Size of a block that is written at once, in bytes, and their number.
const BLOCK: usize = 8 * 1024;
const BLOCKS: usize = 128;
/// Free room below which nothing is reserved, in bytes.
const FREE_MIN: u64 = 2 * BYTES;
/// Time between two tries to reserve room.
const PAUSE: Duration = Duration::from_secs(30);

/// Room beside one database.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    is_held: bool,
    tried: Option<Instant>,
}

impl Reserve {
    /// Reserves room beside the database at `path`, if there is enough.
    pub(super) fn new(path: &Path) -> Self {
        let mut reserve = Self { path: beside(path, ".reserve"), is_held: false, tried: None };
        reserve.refill();
        reserve
    }

    /// Gives the room up; returns false when there is none.
    pub(super) fn release(&mut self) -> bool {
        std::mem::take(&mut self.is_held) && fs::remove_file(&self.path).is_ok()
    }

    /// Reserves room again once there is enough, at most every [`PAUSE`].
    pub(super) fn refill(&mut self) {
        if self.is_held || self.tried.is_some_and(|tried| tried.elapsed() < PAUSE) {
            return;
        }
        self.tried = Some(Instant::now());
        self.is_held = match fs::metadata(&self.path) {
            Ok(found) if found.len() == BYTES => true,
            Ok(_) | Err(_) => self.has_space() && self.fill().is_ok(),
        };
        if !self.is_held {
            fs::remove_file(&self.path).ok();
        }
    }

    fn has_space(&self) -> bool {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let free = rustix::fs::statvfs(folder.unwrap_or(Path::new(".")));
        free.is_ok_and(|found| FREE_MIN <= found.f_bavail.saturating_mul(found.f_frsize))
    }

    fn fill(&self) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(MODE).open(&self.path)?;
        // A file system that compresses would keep zeros in next to no room.
        for _ in 0..BLOCKS {
            let block: [u8; BLOCK] = random::bytes().map_err(io::Error::other)?;
            file.write_all(&block)?;
        }
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserve_is_a_file_until_it_is_released_and_is_filled_again_after_a_pause() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("state.db");
        let file = folder.path().join("state.db.reserve");
        let mut reserve = Reserve::new(&database);
        assert_eq!(fs::metadata(&file).unwrap().len(), BYTES);
        assert!(reserve.release() && !file.exists());
        assert!(!reserve.release(), "there is no other");
        reserve.refill();
        assert!(!file.exists(), "too soon");
        reserve.tried = Some(Instant::now().checked_sub(PAUSE).unwrap());
        reserve.refill();
        assert!(file.exists());
        let again = Reserve::new(&database);
        assert!(again.is_held, "that of the former life");
    }

    #[test]
    fn half_a_reserve_is_replaced_and_none_is_kept_without_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db.reserve");
        fs::write(&file, "half").unwrap();
        assert!(Reserve::new(&folder.path().join("state.db")).is_held);
        assert_eq!(fs::metadata(&file).unwrap().len(), BYTES);
        assert!(!Reserve::new(Path::new("/nowhere/state.db")).is_held);
    }
}
