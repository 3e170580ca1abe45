//! Servers and processes that tests start and that end with them.

mod access_grants;
pub(crate) mod configs;
mod daemon;
mod dice;
mod lakes;
mod moody;
mod receiver;
mod recorded;
mod servers;

pub(crate) use access_grants::AccessGrants;
pub(crate) use daemon::{Config, Daemon, SECRETS, revalidated};
pub(crate) use dice::Dice;
pub(crate) use lakes::Lakes;
pub(crate) use moody::{Mood, Moody, Told};
pub(crate) use receiver::{Delivery, Receiver};
pub(crate) use recorded::Recorded;
pub(crate) use servers::{Moto, Postgres, StandIn, verify};

use std::time::{Duration, Instant};

/// Waits until `found` finds something, at most `limit`.
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(begun.elapsed() < limit, "no {what} within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
