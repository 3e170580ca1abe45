//! Use of the machine by this process and by its database, for the metrics.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use crate::domain::Timestamp;
use crate::http::Process;

/// Length of the ticks that processor time is shown in, in milliseconds (`USER_HZ`).
const TICK_MS: u64 = 10;
/// Fields of `/proc/self/stat` with the processor time, counted from the one after its name.
const USER: usize = 11;
const SYSTEM: usize = 12;

/// Returns the sizes of the database's files, as far as they are there.
pub(super) fn store_bytes(path: &Path) -> Vec<(&'static str, u64)> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let files = [("database", path), ("log", Path::new(&log))];
    let size =
        |(name, path): (&'static str, &Path)| Some((name, std::fs::metadata(path).ok()?.len()));
    files.into_iter().filter_map(size).collect()
}

/// Returns the state of this process, which the system shows under `/proc/self`.
pub(super) fn process(started_at: Timestamp) -> Option<Process> {
    let ticks = ticks(&std::fs::read_to_string("/proc/self/stat").ok()?)?;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let open_fds = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some(Process {
        cpu_secs: Duration::from_millis(ticks.saturating_mul(TICK_MS)).as_secs_f64(),
        resident_bytes: bytes(&status, "VmRSS")?,
        virtual_bytes: bytes(&status, "VmSize")?,
        open_fds: u64::try_from(open_fds).ok()?,
        max_fds: getrlimit(Resource::Nofile).current,
        started_at_secs: started_at.since(Timestamp(0)).as_secs_f64(),
    })
}

/// Returns the processor time in ticks from the state of a process.
fn ticks(text: &str) -> Option<u64> {
    // The name may hold anything, parentheses too.
    let (_, fields) = text.rsplit_once(") ")?;
    let number = |at: usize| fields.split(' ').nth(at)?.parse::<u64>().ok();
    Some(number(USER)?.saturating_add(number(SYSTEM)?))
}

/// Returns an amount of memory in bytes from the status of a process, which has it in KiB.
fn bytes(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kib: u64 = value.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_of_this_process_is_plausible() {
        let found = process(Timestamp(1_500)).unwrap();
        assert!(1_000_000 < found.resident_bytes && found.resident_bytes < found.virtual_bytes);
        assert!(2 < found.open_fds && found.max_fds.is_none_or(|max| found.open_fds < max));
        assert!((0.0..100_000.0).contains(&found.cpu_secs), "{found:?}");
        assert!((found.started_at_secs - 1.5).abs() < 0.001);
    }

    #[test]
    fn name_of_the_process_may_be_anything() {
        let numbers: Vec<_> = (0..30).map(|number: u32| number.to_string()).collect();
        let text = format!("7 (a) S (b)) {}\n", numbers.join(" "));
        assert_eq!(ticks(&text), Some(11 + 12));
        assert_eq!(ticks("7 (a) 1 2"), None);
        let status = "Name:\ta\nVmPeak:\t   12 kB\nVmRSS:\t    3 kB\n";
        assert_eq!([bytes(status, "VmRSS"), bytes(status, "VmSize")], [Some(3072), None]);
    }

    #[test]
    fn files_of_a_database_have_their_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        assert_eq!(store_bytes(&path), []);
        std::fs::write(&path, "123").unwrap();
        std::fs::write(folder.path().join("state.db-wal"), "12345").unwrap();
        assert_eq!(store_bytes(&path), [("database", 3), ("log", 5)]);
    }
}
