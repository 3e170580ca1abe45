//! Log throttle: an event that repeats is logged once a minute, with the number of repetitions.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Time within which the same event is not logged again.
const QUIET: Duration = Duration::from_mins(1);

/// Throttle of the log lines about one kind of event.
#[derive(Debug, Default)]
pub(super) struct LogThrottle(Mutex<Option<Logged>>);

#[derive(Debug)]
struct Logged {
    event: String,
    at: Instant,
    suppressed: u64,
}

impl LogThrottle {
    /// Returns the number of repetitions of `event` since it was logged; none when it is not to be
    /// logged now. Another event than the last is logged at once.
    pub(super) fn admit(&self, event: &str, now: Instant) -> Option<u64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let suppressed = match last.as_mut().filter(|logged| logged.event == event) {
            Some(logged) if now.saturating_duration_since(logged.at) < QUIET => {
                logged.suppressed = logged.suppressed.saturating_add(1);
                return None;
            }
            Some(logged) => logged.suppressed,
            None => 0,
        };
        *last = Some(Logged { event: event.to_owned(), at: now, suppressed: 0 });
        Some(suppressed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_event_is_logged_once_a_minute_and_another_at_once() {
        let (throttle, start) = (LogThrottle::default(), Instant::now());
        let admit = |event, secs| throttle.admit(event, start + Duration::from_secs(secs));
        assert_eq!(admit("full", 0), Some(0));
        assert_eq!(admit("full", 1), None);
        assert_eq!(admit("full", 59), None);
        assert_eq!(admit("full", 60), Some(2));
        assert_eq!(admit("locked", 61), Some(0));
        assert_eq!(admit("full", 62), Some(0));
    }
}
