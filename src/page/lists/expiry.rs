//! Everything that expires, soonest first and by week, and the same as a calendar (RFC 5545) to subscribe to.

use crate::domain::{Timestamp, is_unseen};
use crate::page::overview::ExpiryItem;
use crate::page::viewer::Viewer;
use crate::store::ExpiryRow;

/// Octets of a line in a calendar, after which it is folded.
const LINE_MAX: usize = 73;

/// Expiries of a week.
#[derive(Clone, Debug)]
pub(crate) struct Week {
    /// Heading of the week.
    pub(crate) title: String,
    /// Expiries of the week, soonest first.
    pub(crate) items: Vec<ExpiryItem>,
}

/// Returns the expiries by week; what has expired comes first.
pub(crate) fn weeks(rows: &[ExpiryRow], viewer: &Viewer) -> Vec<Week> {
    let now = viewer.present.now;
    let week = |row: &ExpiryRow| {
        if row.at <= now { None } else { Some(row.at.since(now).as_secs() / (7 * 86_400)) }
    };
    let title = |week: Option<u64>| match week {
        None => "Over".to_owned(),
        Some(0) => "Within a week".to_owned(),
        Some(1) => "In the week after".to_owned(),
        Some(weeks) => format!("In {weeks} weeks"),
    };
    let groups = rows.chunk_by(|one, next| week(one) == week(next));
    let group = |rows: &[ExpiryRow]| Week {
        title: title(rows.first().and_then(week)),
        items: rows.iter().map(|row| ExpiryItem::new(row, viewer)).collect(),
    };
    groups.map(group).collect()
}

/// Returns the expiries as a calendar, each an event of an instant with an alarm a week before.
pub(crate) fn calendar(rows: &[ExpiryRow]) -> String {
    let mut text = String::new();
    let mut line = |line: &str| folded(&mut text, line);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//revalidated//expiries//EN");
    line("NAME:Expiries of integrations");
    line("REFRESH-INTERVAL;VALUE=DURATION:PT6H");
    for row in rows {
        let (name, at) = (&row.integration.name, stamp(row.at));
        line("BEGIN:VEVENT");
        line(&format!("UID:{}-{at}-{}", row.integration.id.0, number(&row.what)));
        // Not the present: the calendar stays the same while nothing changes.
        line(&format!("DTSTAMP:{at}"));
        line(&format!("DTSTART:{at}"));
        line(&format!("SUMMARY:{}", escaped(&format!("{name}: {} expires", row.what))));
        line("TRANSP:TRANSPARENT");
        line("BEGIN:VALARM");
        line("ACTION:DISPLAY");
        line("TRIGGER:-P7D");
        line(&format!(
            "DESCRIPTION:{}",
            escaped(&format!("{name}: {} expires in a week", row.what))
        ));
        line("END:VALARM");
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    text
}

/// Returns an instant as calendars write it: `20261123T100000Z`.
fn stamp(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Returns a number by which expiries of one integration at one instant differ.
fn number(what: &str) -> String {
    let sum = what.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("{sum:08x}")
}

/// Returns a text as a value of a calendar, without what is invisible.
fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\\' | ';' | ',' => value.extend(['\\', char]),
            unseen if is_unseen(unseen) => value.push(' '),
            other => value.push(other),
        }
    }
    value
}

/// Adds a line, folded where it is too long.
fn folded(text: &mut String, line: &str) {
    let mut length = 0;
    for char in line.chars() {
        if LINE_MAX < length + char.len_utf8() {
            text.push_str("\r\n ");
            length = 1;
        }
        text.push(char);
        length += char.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    fn row(hours: i64, what: &str) -> ExpiryRow {
        let at = Timestamp(samples::now().0 + hours * 3_600_000);
        ExpiryRow { integration: samples::target(), at, what: what.to_owned() }
    }

    #[test]
    fn expiries_are_listed_by_week() {
        let day = 24;
        let rows = [-1, 1, 6 * day, 8 * day, 20 * day, 22 * day].map(|hours| row(hours, "the key"));
        let shown: Vec<_> = weeks(&rows, &viewer(Access::Read))
            .into_iter()
            .map(|week| (week.title, week.items.len()))
            .collect();
        let expected = [
            ("Over", 1),
            ("Within a week", 2),
            ("In the week after", 1),
            ("In 2 weeks", 1),
            ("In 3 weeks", 1),
        ];
        assert_eq!(shown, expected.map(|(title, count)| (title.to_owned(), count)));
    }

    #[test]
    fn calendar_is_one_event_for_each_expiry() {
        let hostile = "key a;b, c\\d\r\nATTENDEE:x \u{202e}";
        let text = calendar(&[row(24, hostile), row(48, &"ü".repeat(100))]);
        assert_eq!(text.matches("BEGIN:VEVENT\r\n").count(), 2);
        assert!(text.contains("DTSTART:20261124T100000Z\r\n"), "{text}");
        assert!(text.contains("lake: key a\\;b\\, c\\\\d  ATTENDEE:x"), "{text}");
        assert!(!text.contains("\r\nATTENDEE"), "{text}");
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        let unfolded = text.replace("\r\n ", "");
        assert!(unfolded.contains(&"ü".repeat(100)));
    }

    #[test]
    fn events_of_one_instant_have_names_of_their_own() {
        let text = calendar(&[row(24, "the key"), row(24, "the secret")]);
        let ids: std::collections::BTreeSet<_> =
            text.lines().filter(|line| line.starts_with("UID:")).collect();
        assert_eq!(ids.len(), 2);
    }
}
