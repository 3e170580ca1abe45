//! Instants as the page shows them: absolute in UTC or in the zone of the address, and as a distance. The
//! machine-readable form is beside the text, so that a script can show the viewer's own zone.

use jiff::tz::TimeZone;

use super::text::brief;
use crate::domain::Timestamp;

/// Instant with its text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Moment {
    /// Instant in UTC, for programs.
    pub(crate) utc: String,
    /// Text for people as of now.
    pub(crate) text: String,
    /// Letter of the form, by which the script renews the text.
    pub(crate) form: &'static str,
}

/// Present of a request with the zone in which its times are shown.
#[derive(Clone, Debug)]
pub(crate) struct Present {
    /// Instant of the request.
    pub(crate) now: Timestamp,
    /// Zone of the address; none for UTC.
    pub(crate) zone: Option<TimeZone>,
}

impl Present {
    /// Returns an instant with its text in a form.
    fn moment(at: Timestamp, text: String, form: &'static str) -> Moment {
        Moment { utc: at.to_string(), text, form }
    }

    /// Returns the time of day, with the date unless it is today: `14:02`, `25 Nov 08:02`.
    pub(crate) fn clock(&self, at: Timestamp) -> Moment {
        Self::moment(at, self.written(at, "%H:%M"), "c")
    }

    /// Returns the same with seconds: `14:02:11`.
    pub(crate) fn exact(&self, at: Timestamp) -> Moment {
        Self::moment(at, self.written(at, "%H:%M:%S"), "s")
    }

    /// Returns the time of day alone: `14:02`.
    pub(crate) fn time(&self, at: Timestamp) -> Moment {
        Self::moment(at, self.local(at).strftime("%H:%M").to_string(), "h")
    }

    /// Returns the age of an instant: `2h 14m ago`.
    pub(crate) fn ago(&self, at: Timestamp) -> Moment {
        Self::moment(at, format!("{} ago", brief(self.now.since(at))), "a")
    }

    /// Returns the time that has passed since an instant: `2h 14m`.
    pub(crate) fn lasting(&self, at: Timestamp) -> Moment {
        Self::moment(at, brief(self.now.since(at)), "f")
    }

    /// Returns the time to an instant: `42s`, or `now` once it has come.
    pub(crate) fn ahead(&self, at: Timestamp) -> Moment {
        Self::moment(at, self.until(at, ""), "n")
    }

    /// Returns the same within a sentence: `in 42s`.
    pub(crate) fn within(&self, at: Timestamp) -> Moment {
        Self::moment(at, self.until(at, "in "), "i")
    }

    fn until(&self, at: Timestamp, word: &str) -> String {
        if at <= self.now {
            "now".to_owned()
        } else {
            format!("{word}{}", brief(at.since(self.now)))
        }
    }

    /// Returns the date of an instant: `25 Nov`, and its year when that is another one.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        let (at, now) = (self.local(at), self.local(self.now));
        let form = if at.year() == now.year() { "%-d %b" } else { "%-d %b %Y" };
        at.strftime(form).to_string()
    }

    /// Returns true when both instants are on one day.
    pub(crate) fn is_same_day(&self, one: Timestamp, other: Timestamp) -> bool {
        self.local(one).date() == self.local(other).date()
    }

    fn written(&self, at: Timestamp, form: &str) -> String {
        let time = self.local(at).strftime(form).to_string();
        if self.is_same_day(at, self.now) { time } else { format!("{} {time}", self.day(at)) }
    }

    fn local(&self, at: Timestamp) -> jiff::Zoned {
        at.to_jiff().to_zoned(self.zone.clone().unwrap_or(TimeZone::UTC))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::at;

    fn present(zone: Option<&str>) -> Present {
        let zone = zone.map(|name| TimeZone::get(name).unwrap());
        Present { now: at("2026-11-23T23:30:00Z"), zone }
    }

    #[test]
    fn times_of_day_have_their_date_unless_it_is_today() {
        let table = [
            (None, "2026-11-23T14:02:11Z", "14:02"),
            (None, "2026-11-22T08:02:11Z", "22 Nov 08:02"),
            (None, "2025-11-23T08:02:11Z", "23 Nov 2025 08:02"),
            (Some("Europe/Berlin"), "2026-11-23T23:10:00Z", "00:10"),
            (Some("Europe/Berlin"), "2026-11-23T14:02:11Z", "23 Nov 15:02"),
        ];
        for (zone, instant, expected) in table {
            let moment = present(zone).clock(at(instant));
            assert_eq!(
                (moment.text.as_str(), moment.utc.as_str()),
                (expected, instant),
                "{zone:?}"
            );
        }
        assert_eq!(present(None).time(at("2026-11-22T08:02:11Z")).text, "08:02");
        assert_eq!(present(None).exact(at("2026-11-23T14:02:11Z")).text, "14:02:11");
    }

    #[test]
    fn distances_differ_by_their_form() {
        let present = present(None);
        let past = at("2026-11-23T21:16:00Z");
        let ahead = at("2026-11-23T23:30:42Z");
        let table = [
            (present.ago(past), "2h 14m ago", "a"),
            (present.lasting(past), "2h 14m", "f"),
            (present.ahead(ahead), "42s", "n"),
            (present.within(ahead), "in 42s", "i"),
            (present.within(past), "now", "i"),
        ];
        for (moment, text, form) in table {
            assert_eq!((moment.text.as_str(), moment.form), (text, form));
        }
    }
}
