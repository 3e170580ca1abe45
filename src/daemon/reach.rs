//! Reach of the store (state of a circuit): since when its server does not answer, and what is logged about it.
//!
//! A file is always reached. While a server is away the daemon goes on and tries again: nothing is begun, recorded or
//! sent then, and no read is answered. It goes on by itself once the server is back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{error, info};

use super::clock::Clock;
use super::notify;
use crate::domain::{Location, Timestamp};
use crate::store::{Opening, Store, StoreError};

/// Time within which the same state is not logged again.
const QUIET: Duration = Duration::from_mins(1);
/// Time between two tries to open the store.
const PAUSE: Duration = Duration::from_secs(2);

/// Reach of the store.
#[derive(Debug, Default)]
pub(super) struct Reach(Mutex<Option<Away>>);

/// Time for which the store has been out of reach.
#[derive(Debug)]
struct Away {
    since: Timestamp,
    logged_at: Instant,
}

impl Reach {
    /// Notes that the store is out of reach; returns since when, if that is to be logged now.
    fn away(&self, now: Timestamp, at: Instant) -> Option<Timestamp> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.as_mut() {
            Some(away) if at.saturating_duration_since(away.logged_at) < QUIET => None,
            Some(away) => {
                away.logged_at = at;
                Some(away.since)
            }
            None => {
                *state = Some(Away { since: now, logged_at: at });
                Some(now)
            }
        }
    }

    /// Notes that the store is reached; returns since when it was not, if it was not.
    fn back(&self) -> Option<Timestamp> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.take().map(|away| away.since)
    }

    /// Logs that the store is out of reach, for this reason, and shows it as the state of the service.
    pub(super) fn lost(&self, why: &str, now: Timestamp) {
        if let Some(since) = self.away(now, Instant::now()) {
            let line = format!(
                "the store cannot be reached ({why}): nothing is begun or sent since {since}; runs in flight are \
                 repeated"
            );
            error!("{line}");
            notify::status(&line);
        }
    }

    /// Logs that the store is reached again, if it was not; returns true then.
    pub(super) fn found(&self) -> bool {
        let since = self.back();
        if let Some(since) = since {
            info!("the store is reached again; nothing was begun or sent since {since}");
        }
        since.is_some()
    }
}

/// Opens the store; waits for a server that cannot be reached.
///
/// # Errors
///
/// Fails when the store cannot be used for another reason.
pub(super) async fn opened(location: &Location, opening: &Opening) -> Result<Store, StoreError> {
    let reach = Reach::default();
    loop {
        match Store::open_as(location, opening).await {
            Err(error) => {
                let Some(why) = error.unreachable() else { return Err(error) };
                if let Some(since) = reach.away(Clock::default().now(), Instant::now()) {
                    let line = format!(
                        "the store cannot be reached ({why}): the start waits for it since {since}"
                    );
                    error!("{line}");
                    notify::opening();
                    notify::status(&line);
                }
            }
            Ok(store) => {
                reach.found();
                return Ok(store);
            }
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_out_of_reach_is_logged_once_a_minute_with_its_first_instant() {
        let (reach, start) = (Reach::default(), Instant::now());
        let away = |secs: u64| {
            let now = Timestamp(i64::try_from(secs).unwrap() * 1000);
            reach.away(now, start + Duration::from_secs(secs))
        };
        assert_eq!(reach.back(), None);
        assert_eq!(away(1), Some(Timestamp(1000)));
        assert_eq!(away(2), None);
        assert_eq!(away(61), Some(Timestamp(1000)));
        assert_eq!(away(62), None);
        assert_eq!(reach.back(), Some(Timestamp(1000)));
        assert_eq!(away(63), Some(Timestamp(63_000)), "another time");
    }
}
