//! Clock that counts from the start of the machine, its sleep included: it goes on while a process is stopped, and is
//! never set.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Returns the time since the machine was started, its sleep included.
pub(crate) fn since_boot() -> Duration {
    #[cfg(all(test, feature = "postgres"))]
    if let Some(since) = super::simulated::since_boot() {
        return since;
    }
    let now = clock_gettime(ClockId::Boottime);
    let (secs, nanos) = (u64::try_from(now.tv_sec), u32::try_from(now.tv_nsec));
    Duration::new(secs.unwrap_or(0), nanos.unwrap_or(0))
}
