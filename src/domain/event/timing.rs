//! Timing of a receiver: how long something must last before it is sent, and when it is sent again.

use std::time::Duration;

use crate::domain::{Hours, Timestamp};

/// When one receiver is sent what lasts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Timing {
    /// Time that an incident must have lasted; other events are not sent then. None for all at once.
    pub(crate) after: Option<Duration>,
    /// Waits before reminders of an incident that lasts; the last one repeats. Empty for none.
    pub(crate) remind: Vec<Duration>,
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
        // After a clock that was set back it has lasted for no time yet.
        let since = since.min(now);
        self.opens_at(now.max(since.plus(self.after.unwrap_or_default())))
    }

    /// Returns the first instant from `at` on within the receiver's hours.
    #[must_use]
    pub(crate) fn opens_at(&self, at: Timestamp) -> Timestamp {
        self.hours.as_ref().map_or(at, |hours| hours.next_open(at))
    }

    /// Returns when the receiver is reminded of an incident of which it was last notified at `notified`, and
    /// of which it was sent `reminders` reminders; none when it is not.
    #[must_use]
    pub(crate) fn reminds_at(&self, reminders: u32, notified: Timestamp) -> Option<Timestamp> {
        let place = usize::try_from(reminders).unwrap_or(usize::MAX);
        let wait = self.remind.get(place).or(self.remind.last())?;
        Some(self.opens_at(notified.plus(*wait)))
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

    #[test]
    fn clock_rollback_delays_no_beginning() {
        let (since, now) = (at("2026-11-27T22:30:00Z"), at("2026-11-27T20:00:00Z"));
        assert_eq!(Timing::default().notifies_at(since, now), now);
        let timing = Timing { after: Some(HOUR), ..Timing::default() };
        assert_eq!(timing.notifies_at(since, now), now.plus(HOUR));
    }

    #[test]
    fn last_wait_before_a_reminder_repeats() {
        let timing = Timing { remind: vec![HOUR * 4, HOUR * 24], ..Timing::default() };
        let notified = at("2026-11-27T20:00:00Z");
        let hours = |reminders| {
            timing.reminds_at(reminders, notified).map(|at| at.since(notified).as_secs() / 3600)
        };
        assert_eq!(
            [hours(0), hours(1), hours(2), hours(99)],
            [Some(4), Some(24), Some(24), Some(24)]
        );
        assert_eq!(Timing::default().reminds_at(0, notified), None);
    }
}
