//! Month of a report, and the instants between which it lies in a zone.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use crate::domain::Timestamp;

/// Month of a year, `2026-11`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Month {
    first: Date,
}

/// Time of a report: a month, or its part until the present.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    /// First instant of the time.
    pub(crate) from: Timestamp,
    /// End of the time.
    pub(crate) until: Timestamp,
    /// True when the month is over.
    pub(crate) is_over: bool,
}

impl Month {
    /// Returns the month of an instant.
    pub(crate) fn of(at: Timestamp, zone: &TimeZone) -> Self {
        Self { first: zone.to_datetime(at.to_jiff()).date().first_of_month() }
    }

    /// Returns the month before; none before the calendar.
    pub(crate) fn previous(self) -> Option<Self> {
        self.first.checked_sub(1.month()).ok().map(|first| Self { first })
    }

    /// Returns the month after; none after the calendar.
    pub(crate) fn following(self) -> Option<Self> {
        self.first.checked_add(1.month()).ok().map(|first| Self { first })
    }

    /// Returns its time until `now`; none when it has not begun, or lies outside of the calendar.
    pub(crate) fn span(self, zone: &TimeZone, now: Timestamp) -> Option<Span> {
        let start = |date: Date| {
            let begins = zone.to_zoned(date.to_datetime(jiff::civil::Time::midnight())).ok()?;
            Some(Timestamp::from_jiff(begins.timestamp()))
        };
        let from = start(self.first)?;
        let end = start(self.following()?.first)?;
        let is_over = end <= now;
        (from <= now).then(|| Span { from, until: end.min(now), is_over })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_month = text.len() == 7;
        let first = format!("{text}-01").parse::<Date>().ok().filter(|_| is_month);
        first
            .map(|first| Self { first })
            .ok_or_else(|| "expected a month such as 2026-11".to_owned())
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Month {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Month".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Month of a year.",
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::at;

    #[test]
    fn month_lies_between_two_midnights_of_its_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let span = |month: &str, zone: &TimeZone, now| {
            let month: Month = month.parse().unwrap();
            month.span(zone, at(now)).map(|span| (span.from, span.until, span.is_over))
        };
        let (now, later) = ("2026-11-23T10:00:00Z", "2027-06-01T00:00:00Z");
        let (begin, end) = (at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
        assert_eq!(span("2026-11", &TimeZone::UTC, now), Some((begin, at(now), false)));
        assert_eq!(span("2026-11", &TimeZone::UTC, later), Some((begin, end, true)));
        assert_eq!(span("2026-12", &TimeZone::UTC, now), None, "it has not begun");
        // An hour longer than its days: summer time ends.
        let (begin, end) = (at("2026-09-30T22:00:00Z"), at("2026-10-31T23:00:00Z"));
        assert_eq!(span("2026-10", &berlin, now), Some((begin, end, true)));
        let december = span("2026-12", &berlin, later).unwrap();
        assert_eq!(december.1, at("2026-12-31T23:00:00Z"));
    }

    #[test]
    fn months_follow_each_other_over_the_end_of_a_year() {
        let table = [("2026-12", "2026-11", "2027-01"), ("2027-01", "2026-12", "2027-02")];
        for (month, previous, following) in table {
            let month: Month = month.parse().unwrap();
            assert_eq!(month.previous().unwrap().to_string(), previous);
            assert_eq!(month.following().unwrap().to_string(), following);
        }
        let last: Month = "9999-12".parse().unwrap();
        assert_eq!(last.following(), None);
    }

    #[test]
    fn only_a_year_and_a_month_are_read() {
        for text in ["", "2026", "2026-13", "2026-00", "26-11", "2026-11-01", "november"] {
            assert_eq!(
                text.parse::<Month>().unwrap_err(),
                "expected a month such as 2026-11",
                "{text}"
            );
        }
        assert_eq!("2026-02".parse::<Month>().unwrap().to_string(), "2026-02");
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let night = at("2026-11-30T23:30:00Z");
        assert_eq!(Month::of(night, &TimeZone::UTC).to_string(), "2026-11");
        assert_eq!(Month::of(night, &berlin).to_string(), "2026-12");
    }
}
