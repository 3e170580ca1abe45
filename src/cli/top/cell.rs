//! Cells of a frame: text of a fixed width, short times, and strips of runs.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::cli::print::{Screen, Tone, sanitise, toned};
use crate::domain::{Class, ReportStatus, Timestamp};
use crate::store::Mark;

/// Mark of what was cut off.
const CUT: char = '…';

/// Returns text of others in at most `width` columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    let text = sanitise(text);
    if text.width() <= width {
        return text.into_owned();
    }
    let mut shown = String::new();
    let mut left = width.saturating_sub(1);
    for sign in text.chars() {
        let taken = sign.width().unwrap_or(0);
        if left < taken {
            break;
        }
        left -= taken;
        shown.push(sign);
    }
    if 0 < width {
        shown.push(CUT);
    }
    shown
}

/// Returns text of others in exactly `width` columns, at their left end.
pub(super) fn left(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let pad = width.saturating_sub(text.width());
    text + &" ".repeat(pad)
}

/// Returns text of others in exactly `width` columns, at their right end.
pub(super) fn right(text: &str, width: usize) -> String {
    let text = cut(text, width);
    " ".repeat(width.saturating_sub(text.width())) + &text
}

/// Returns a line with one part at its left end and one at its right end; the left one gives way.
pub(super) fn both(first: &str, last: &str, width: usize) -> String {
    let gap = width.saturating_sub(first.width() + last.width());
    if gap == 0 { first.to_owned() } else { format!("{first}{}{last}", " ".repeat(gap)) }
}

/// Returns a rule with texts from the given columns on.
pub(super) fn rule(width: usize, texts: &[(usize, &str)]) -> String {
    let mut line = String::new();
    for (column, text) in texts {
        let gap = column.saturating_sub(line.width());
        line.push_str(&"─".repeat(gap));
        line.extend([" ", text, " "]);
    }
    let rest = width.saturating_sub(line.width());
    line.push_str(&"─".repeat(rest));
    if width < line.width() {
        // The last text ends where the line does.
        line.pop();
    }
    line
}

/// Returns a duration in one short word: `42s`, `14m`, `1h59`, `110d`.
pub(super) fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds, seconds / 60, seconds / 3600, seconds / 86_400) {
        (seconds, 0, ..) => format!("{seconds}s"),
        (_, minutes, 0, _) => format!("{minutes}m"),
        (_, minutes, hours, 0) => format!("{hours}h{:02}", minutes % 60),
        (_, _, _, days) => format!("{days}d"),
    }
}

/// Returns the time of day of an instant of today, and the date of another one.
pub(super) fn clock(screen: Screen, at: Timestamp) -> String {
    let text = screen.instant(Some(at));
    let day = text.get(..10).unwrap_or_default();
    if screen.instant(Some(screen.now)).starts_with(day) {
        text.get(11..19).unwrap_or_default().to_owned()
    } else {
        day.to_owned()
    }
}

/// Returns the median duration of runs.
pub(super) fn median(marks: &[Mark]) -> Option<Duration> {
    let mut all: Vec<_> = marks.iter().map(|mark| mark.duration).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied()
}

/// Returns the latest runs as bars, the newest at the right end: low ones passed, high ones failed.
pub(super) fn strip(marks: &[Mark], width: usize) -> String {
    let shown = marks.get(marks.len().saturating_sub(width)..).unwrap_or_default();
    let mut text = " ".repeat(width.saturating_sub(shown.len()));
    let mut rest = shown;
    while let Some(first) = rest.first() {
        let (bar, tone) = bar(first);
        let alike = rest.iter().take_while(|mark| self::bar(mark) == (bar, tone)).count();
        text.push_str(&toned(&bar.repeat(alike), tone));
        rest = rest.get(alike..).unwrap_or_default();
    }
    text
}

/// Returns the bar of a run: a daemon's own fault and what was skipped say nothing, and are dots.
const fn bar(mark: &Mark) -> (&'static str, Tone) {
    match (mark.status, mark.class) {
        (_, Some(Class::Local)) | (ReportStatus::Skipped, _) => ("·", Tone::Quiet),
        (ReportStatus::Passed, _) => ("▂", Tone::Good),
        (ReportStatus::Warning, _) => ("▄", Tone::Caution),
        (ReportStatus::Failed, _) => ("█", Tone::Bad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::samples::plain;
    use crate::cli::samples::screen;
    use crate::domain::RunId;

    #[test]
    fn cells_are_as_wide_as_asked_for() {
        let table = [
            ("lake", 6, "lake  ", "  lake"),
            ("warehouse", 6, "wareh…", "wareh…"),
            ("漢字漢字", 6, "漢字… ", " 漢字…"),
            ("a\u{1b}b", 9, "a\\u{1b}b ", " a\\u{1b}b"),
            ("lake", 1, "…", "…"),
            ("lake", 0, "", ""),
        ];
        for (text, width, at_left, at_right) in table {
            assert_eq!(
                (left(text, width).as_str(), right(text, width).as_str()),
                (at_left, at_right)
            );
        }
        assert_eq!(both("ab", "cd", 6), "ab  cd");
        assert_eq!(both("abcd", "cd", 6), "abcd", "the right part needs a gap");
        assert_eq!(rule(12, &[(1, "a"), (6, "b")]), "─ a ── b ───");
        assert_eq!(rule(6, &[(0, "a"), (4, "b")]), " a ─ b");
    }

    #[test]
    fn durations_are_short() {
        let table = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3599, "59m"),
            (7140, "1h59"),
            (86_399, "23h59"),
            (9_504_000, "110d"),
        ];
        for (seconds, expected) in table {
            assert_eq!(short(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn time_of_day_is_for_today_only() {
        let shown = |text: &str| clock(screen(), text.parse().unwrap());
        assert_eq!(shown("2026-11-23T09:08:07.5Z"), "09:08:07");
        assert_eq!(shown("2026-11-22T23:59:59Z"), "2026-11-22");
    }

    #[test]
    fn strip_shows_the_latest_runs_at_its_right_end() {
        let mark = |status, class| Mark {
            run: RunId(1),
            started_at: Timestamp(0),
            duration: Duration::ZERO,
            status,
            class,
        };
        let marks = [
            mark(ReportStatus::Passed, None),
            mark(ReportStatus::Warning, None),
            mark(ReportStatus::Failed, Some(Class::Local)),
            mark(ReportStatus::Failed, Some(Class::Denied)),
            mark(ReportStatus::Failed, Some(Class::Denied)),
        ];
        assert_eq!(plain(&strip(&marks, 8)), "   ▂▄·██");
        assert_eq!(plain(&strip(&marks, 3)), "·██");
        assert_eq!(strip(&[], 2), "  ");
        let lasting = |millis| Mark { duration: Duration::from_millis(millis), ..marks[0] };
        assert_eq!(median(&[900, 100, 300].map(lasting)), Some(Duration::from_millis(300)));
        assert_eq!(median(&[]), None);
    }
}
