//! Timing of a receiver: how long something must last before it is sent, and when it is sent again.

use std::time::Duration;

use crate::domain::{Hours, Timestamp};

/// When one receiver is sent what lasts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Timing {
    /// Time that an incident must have lasted; other events are not sent then. None for all at once.
    pub(crate) after: Option<Duration>,
    /// Interval at which an alert that fires is sent again as it is.
    pub(crate) resend: Option<Duration>,
    /// Hours in which the receiver is sent messages; none for all.
    pub(crate) hours: Option<Hours>,
}

impl Timing {
    /// Returns the first instant from `now` on at which the receiver may be notified of an incident that began
    /// at `since`.
    #[must_use]
    pub(crate) fn notifies_at(&self, since: Timestamp, now: Timestamp) -> Timestamp {
        self.opens_at(now.max(since.plus(self.after.unwrap_or_default())))
    }

    /// Returns the first instant from `at` on within the receiver's hours.
    #[must_use]
    pub(crate) fn opens_at(&self, at: Timestamp) -> Timestamp {
        self.hours.as_ref().map_or(at, |hours| hours.next_open(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn incident_is_notified_once_it_has_lasted_and_within_the_hours() {
        let day = Hours::parse("mon-fri", "08:00", "18:00", "UTC").unwrap();
        let table = [
            (None, None, "2026-11-27T20:00:00Z"),
            (Some(HOUR), None, "2026-11-27T20:30:00Z"),
            (Some(HOUR / 4), None, "2026-11-27T20:00:00Z"),
            (None, Some(day.clone()), "2026-11-30T08:00:00Z"),
            (Some(HOUR * 63), Some(day), "2026-11-30T10:30:00Z"),
        ];
        for (number, (after, hours, expected)) in table.into_iter().enumerate() {
            let timing = Timing { after, hours, ..Timing::default() };
            let found = timing.notifies_at(at("2026-11-27T19:30:00Z"), at("2026-11-27T20:00:00Z"));
            assert_eq!(found, at(expected), "case {number}");
        }
    }
}
