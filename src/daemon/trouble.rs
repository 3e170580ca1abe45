//! What fails again and again is one fact, and told once a minute.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long the same is not told again.
const QUIET: Duration = Duration::from_mins(1);

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Trouble(Mutex<Option<Told>>);

#[derive(Debug)]
struct Told {
    what: String,
    at: Instant,
    untold: u64,
}

impl Trouble {
    /// How often `what` has happened without being told; none when it is not to be told now.
    pub(super) fn tell(&self, what: &str, now: Instant) -> Option<u64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = match last.as_mut().filter(|told| told.what == what) {
            Some(told) if now.saturating_duration_since(told.at) < QUIET => {
                told.untold = told.untold.saturating_add(1);
                return None;
            }
            Some(told) => told.untold,
            None => 0,
        };
        *last = Some(Told { what: what.to_owned(), at: now, untold: 0 });
        Some(untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_a_minute_and_something_else_at_once() {
        let (trouble, start) = (Trouble::default(), Instant::now());
        let tell = |what, secs| trouble.tell(what, start + Duration::from_secs(secs));
        assert_eq!(tell("full", 0), Some(0));
        assert_eq!(tell("full", 1), None);
        assert_eq!(tell("full", 59), None);
        assert_eq!(tell("full", 60), Some(2));
        assert_eq!(tell("locked", 61), Some(0));
        assert_eq!(tell("full", 62), Some(0));
    }
}
