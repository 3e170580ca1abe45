//! Hours of a receiver: the times of the week in which it is sent messages.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::Timestamp;

/// Number of days after which every window has come again, with one for a change of the clock.
const DAYS_MAX: usize = 9;
/// Names of the days, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Daily window on some days of the week, by the clock of a zone. A window that ends before it begins ends on
/// the next day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Hours {
    /// Days on which a window begins, Monday first.
    days: [bool; 7],
    from: Time,
    to: Time,
    zone: TimeZone,
}

/// Error of hours that cannot be used; each variant names a key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HoursError {
    /// The days are no list of days.
    #[error("expected days such as \"mon-fri\" or \"mon,wed,sat\", found {0:?}")]
    Days(String),
    /// The beginning is no time of day.
    #[error("expected a time from \"00:00\" to \"23:59\", found {0:?}")]
    From(String),
    /// The end is no time of day.
    #[error("expected a time from \"00:00\" to \"24:00\", found {0:?}")]
    To(String),
    /// The zone is not in the time zone database.
    #[error("{0:?} is not an IANA time zone")]
    Zone(String),
}

impl HoursError {
    /// Returns the key that is wrong.
    pub(crate) const fn key(&self) -> &'static str {
        match self {
            Self::Days(_) => "days",
            Self::From(_) => "from",
            Self::To(_) => "to",
            Self::Zone(_) => "zone",
        }
    }
}

impl Hours {
    /// Reads hours as they are configured.
    ///
    /// # Errors
    ///
    /// Fails at the first text that is wrong.
    pub(crate) fn parse(days: &str, from: &str, to: &str, zone: &str) -> Result<Self, HoursError> {
        let end = if to == "24:00" { "00:00" } else { to };
        Ok(Self {
            days: read_days(days).ok_or_else(|| HoursError::Days(days.to_owned()))?,
            from: read_time(from).ok_or_else(|| HoursError::From(from.to_owned()))?,
            to: read_time(end).ok_or_else(|| HoursError::To(to.to_owned()))?,
            zone: TimeZone::get(zone).map_err(|_unknown| HoursError::Zone(zone.to_owned()))?,
        })
    }

    /// Returns the first instant from `at` on that lies within the hours.
    #[must_use]
    pub(crate) fn next_open(&self, at: Timestamp) -> Timestamp {
        let today = at.to_jiff().to_zoned(self.zone.clone()).date();
        let first = today.yesterday().unwrap_or(today);
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(DAYS_MAX);
        let windows = days.filter(|day| self.begins_on(*day)).filter_map(|day| self.window(day));
        let mut coming = windows.filter(|(_, until)| at < *until);
        coming.next().map_or(at, |(from, _)| from.max(at))
    }

    fn begins_on(&self, day: Date) -> bool {
        let place = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        self.days.get(place).copied().unwrap_or_default()
    }

    /// Returns the instants at which the window of a day begins and ends.
    fn window(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let last = if self.from < self.to { day } else { day.tomorrow().ok()? };
        let instant = |day: Date, time: Time| {
            let zoned = day.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
            Some(Timestamp::from_jiff(zoned.timestamp()))
        };
        Some((instant(day, self.from)?, instant(last, self.to)?))
    }
}

fn read_days(text: &str) -> Option<[bool; 7]> {
    let place = |name: &str| DAYS.iter().position(|day| *day == name.trim());
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (place(first)?, place(last)?);
        let length = (last + DAYS.len() - first) % DAYS.len();
        for day in (first..=first + length).map(|day| day % DAYS.len()) {
            *days.get_mut(day)? = true;
        }
    }
    Some(days)
}

fn read_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let is_two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !is_two_digits(hour) || !is_two_digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(days: &str, from: &str, to: &str, at: &str) -> String {
        let hours = Hours::parse(days, from, to, "Europe/Berlin").unwrap();
        hours.next_open(at.parse().unwrap()).to_string()
    }

    #[test]
    fn next_open_is_now_within_the_hours_and_their_beginning_outside() {
        let table = [
            // Friday 27 November 2026, an hour ahead of UTC.
            ("mon-fri", "08:00", "18:00", "2026-11-27T06:59:59Z", "2026-11-27T07:00:00Z"),
            ("mon-fri", "08:00", "18:00", "2026-11-27T07:00:00Z", "2026-11-27T07:00:00Z"),
            ("mon-fri", "08:00", "18:00", "2026-11-27T16:59:59Z", "2026-11-27T16:59:59Z"),
            ("mon-fri", "08:00", "18:00", "2026-11-27T17:00:00Z", "2026-11-30T07:00:00Z"),
            ("sun", "08:00", "18:00", "2026-11-29T17:00:00Z", "2026-12-06T07:00:00Z"),
            ("fri-mon", "08:00", "18:00", "2026-11-27T17:00:00Z", "2026-11-28T07:00:00Z"),
            ("mon, wed", "08:00", "18:00", "2026-11-27T12:00:00Z", "2026-11-30T07:00:00Z"),
            // The night of Friday ends on Saturday, and Saturday has none.
            ("mon-fri", "18:00", "08:00", "2026-11-28T06:59:59Z", "2026-11-28T06:59:59Z"),
            ("mon-fri", "18:00", "08:00", "2026-11-28T07:00:00Z", "2026-11-30T17:00:00Z"),
            ("mon-sun", "00:00", "24:00", "2026-11-28T23:00:00Z", "2026-11-28T23:00:00Z"),
            ("sat", "00:00", "24:00", "2026-11-28T23:00:00Z", "2026-12-04T23:00:00Z"),
            // The clocks go forward on 29 March and back on 25 October 2026.
            ("mon-sun", "08:00", "18:00", "2026-03-28T18:00:00Z", "2026-03-29T06:00:00Z"),
            ("mon-sun", "08:00", "18:00", "2026-10-24T18:00:00Z", "2026-10-25T07:00:00Z"),
            ("mon-sun", "02:30", "04:00", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"),
            ("mon-sun", "02:30", "04:00", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"),
        ];
        for (days, from, to, at, expected) in table {
            assert_eq!(opens(days, from, to, at), expected, "{days} {from} {to} at {at}");
        }
    }

    #[test]
    fn text_that_is_wrong_is_named_with_its_key() {
        let table = [
            ("", "08:00", "18:00", "UTC", "days"),
            ("mon-", "08:00", "18:00", "UTC", "days"),
            ("monday", "08:00", "18:00", "UTC", "days"),
            ("mon", "8:00", "18:00", "UTC", "from"),
            ("mon", "24:00", "18:00", "UTC", "from"),
            ("mon", "08:00", "18:60", "UTC", "to"),
            ("mon", "08:00", "24:01", "UTC", "to"),
            ("mon", "08:00", "18:00", "Mars", "zone"),
        ];
        for (days, from, to, zone, key) in table {
            let error = Hours::parse(days, from, to, zone).unwrap_err();
            assert_eq!(error.key(), key, "{error}");
        }
    }
}
