//! Spans of time for which a person mutes messages from the page.

use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::time;
use jiff::tz::TimeZone;

use crate::domain::Timestamp;

/// Spans to choose from: value of the form, and words.
pub(super) const CHOICES: [(&str, &str); 3] =
    [("1h", "1 hour"), ("4h", "4 hours"), ("morning", "until tomorrow, 08:00")];

/// Returns the end of a span that begins now; the morning is that of a zone.
pub(super) fn until(choice: &str, now: Timestamp, zone: Option<&TimeZone>) -> Option<Timestamp> {
    match choice {
        "1h" => Some(now.plus(Duration::from_hours(1))),
        "4h" => Some(now.plus(Duration::from_hours(4))),
        "morning" => {
            let zone = zone.cloned().unwrap_or(TimeZone::UTC);
            let tomorrow = now.to_jiff().to_zoned(zone.clone()).date().checked_add(1.day()).ok()?;
            let morning = tomorrow.to_datetime(time(8, 0, 0, 0)).to_zoned(zone).ok()?;
            Some(Timestamp::from_jiff(morning.timestamp()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn each_choice_has_its_end() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let now = samples::now();
        let end = |choice, zone| until(choice, now, zone).map(|at| at.to_string());
        let table = [
            ("1h", None, Some("2026-11-23T11:00:00Z")),
            ("4h", None, Some("2026-11-23T14:00:00Z")),
            ("morning", None, Some("2026-11-24T08:00:00Z")),
            ("morning", Some(&berlin), Some("2026-11-24T07:00:00Z")),
            ("forever", None, None),
            ("", None, None),
        ];
        for (choice, zone, expected) in table {
            assert_eq!(end(choice, zone).as_deref(), expected, "{choice}");
        }
        assert!(CHOICES.iter().all(|(value, _)| until(value, now, None).is_some()));
    }
}
