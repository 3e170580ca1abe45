//! Servers and processes that integration tests start, each stopped when dropped.
//!
//! `daemon` is the program under test; `receiver` and `moody` take its messages; the others are platforms:
//! `servers` starts third-party ones, `access_grants`, `lakes` and `recorded` answer what those cannot.
//! `floods` are servers that send without end.

mod access_grants;
pub(crate) mod configs;
mod daemon;
mod dice;
pub(crate) mod floods;
mod lakes;
mod moody;
mod receiver;
mod recorded;
mod servers;

pub(crate) use access_grants::AccessGrants;
pub(crate) use daemon::{Config, Daemon, SECRETS, revalidated};
pub(crate) use dice::Dice;
pub(crate) use lakes::Lakes;
pub(crate) use moody::{Mood, Moody, Taken};
pub(crate) use receiver::{Delivery, Receiver};
pub(crate) use recorded::Recorded;
pub(crate) use servers::{Moto, Postgres, StandIn, verify};

use std::time::{Duration, Instant};

/// Returns the result of `found` once it has one; fails after `limit`.
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
