//! Screen that text is laid out for.

use jiff::tz::TimeZone;

use crate::domain::Timestamp;

/// Screen that text is laid out for, and the present.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Screen {
    /// Present, from which ages are counted.
    pub(in crate::cli) now: Timestamp,
    /// Columns of the terminal; none when nothing needs to be wrapped.
    pub(in crate::cli) width: Option<u16>,
    /// Zone in which instants are shown; UTC without one. It lives as long as the process.
    pub(in crate::cli) zone: Option<&'static TimeZone>,
}

impl Screen {
    /// Returns an instant to the second, `2026-11-23T10:00:00Z` or `2026-11-23 11:00:00 CET`, or a dash.
    pub(in crate::cli) fn instant(self, at: Option<Timestamp>) -> String {
        match (at, self.zone) {
            (None, _) => "-".to_owned(),
            (Some(at), None) => Timestamp(at.unix_seconds() * 1000).to_string(),
            (Some(at), Some(zone)) => at.in_zone(zone.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_to_the_second_in_utc_or_in_a_zone() {
        let screen = Screen { now: Timestamp(0), width: None, zone: None };
        let at = Some(Timestamp(1_795_381_200_999));
        assert_eq!(screen.instant(at), "2026-11-22T21:00:00Z");
        assert_eq!(screen.instant(None), "-");
        let zone: &TimeZone = Box::leak(Box::new(TimeZone::get("Europe/Berlin").unwrap()));
        let local = Screen { zone: Some(zone), ..screen };
        assert_eq!(local.instant(at), "2026-11-22 22:00:00 CET");
        assert_eq!(local.instant(None), "-");
    }
}
