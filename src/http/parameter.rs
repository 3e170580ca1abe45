//! Parameters of queries: one declaration reads them and describes them in the document.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::input::{duration, quoted};

/// Length limit of a text, in characters.
pub(crate) const TEXT_MAX: usize = 200;

/// Length limit of a cursor: it holds the longest name, encoded.
pub(crate) const CURSOR_MAX: usize = 2000;

/// Parameter that a route takes in its query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    /// Name in the query.
    pub(crate) name: &'static str,
    /// Values that it takes.
    pub(crate) kind: Kind,
    /// True when it may occur several times.
    pub(crate) is_repeated: bool,
    /// Sentence about its effect, for the document.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the document says it"))]
    pub(crate) about: &'static str,
}

/// Values that a parameter takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Either of `true` and `false`.
    Flag,
    /// Whole number from a first to a last one.
    Integer(i64, i64),
    /// One of these words.
    Words(&'static [&'static str]),
    /// Text of 1 to [`TEXT_MAX`] characters.
    Text,
    /// Duration such as `90d` or `1h30m`.
    Duration,
    /// Instant such as `2026-11-23T10:00:00Z`.
    Instant,
    /// Label as `key=value`, where `*` in the value fits any text.
    Label,
    /// Month such as `2026-11`.
    Month,
    /// Cursor that a page ended with, which callers give back as it is.
    Cursor,
    /// Position among the events: a number, `<epoch>.<number>`, or the id of an event.
    Position,
}

impl Parameter {
    /// Parameter that occurs once at most.
    pub(crate) const fn once(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, is_repeated: false, about }
    }

    /// Parameter that may occur several times.
    pub(crate) const fn repeated(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, is_repeated: true, about }
    }

    /// Returns what is wrong with a value, and none when it is fine.
    pub(super) fn problem(&self, value: &str) -> Option<String> {
        let is_fine = match self.kind {
            Kind::Flag => matches!(value, "true" | "false"),
            Kind::Integer(first, last) => {
                is_plain(value) && value.parse().is_ok_and(|it| (first..=last).contains(&it))
            }
            Kind::Words(known) => known.contains(&value),
            Kind::Text => (1..=TEXT_MAX).contains(&value.chars().count()),
            Kind::Duration => is_compact(value) && duration(value).is_some(),
            Kind::Instant => instant(value).is_some(),
            Kind::Label => label(value).is_some(),
            Kind::Month => month(value).is_some(),
            Kind::Cursor => {
                (1..=CURSOR_MAX).contains(&value.len()) && value.bytes().all(is_of_cursor)
            }
            Kind::Position => is_position(value),
        };
        (!is_fine).then(|| format!("{} is not {}", quoted(value), self.expected(value)))
    }

    /// Returns the values that it takes in words; of many words, the ones nearest to `value`.
    fn expected(&self, value: &str) -> String {
        match self.kind {
            Kind::Flag => "`true` or `false`".to_owned(),
            Kind::Integer(first, i64::MAX) => format!("a whole number from {first} on"),
            Kind::Integer(first, last) => format!("a whole number from {first} to {last}"),
            Kind::Words(known) => match crate::input::nearest(value, known.iter().copied()) {
                Some(near) => format!("known; did you mean `{near}`?"),
                None => format!("one of `{}`", known.join("`, `")),
            },
            Kind::Text => format!("a text of 1 to {TEXT_MAX} characters"),
            Kind::Duration => "a duration such as `90d` or `1h30m`".to_owned(),
            Kind::Instant => "an instant such as `2026-11-23T10:00:00Z`".to_owned(),
            Kind::Label => "a label such as `team=data`".to_owned(),
            Kind::Month => "a month such as `2026-11`".to_owned(),
            Kind::Cursor => "a cursor; take the `next` of a page".to_owned(),
            Kind::Position => "a number, `<epoch>.<number>` or a `webhook-id`".to_owned(),
        }
    }
}

/// Returns true for digits with a sign at most.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns true for the bytes that cursors are made of.
const fn is_of_cursor(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Returns true for a position among the events, which may be one of another database.
fn is_position(text: &str) -> bool {
    let is_word = |text: &str| (1..=100).contains(&text.len()) && text.bytes().all(is_of_cursor);
    if text.starts_with("evt_") {
        return is_word(text);
    }
    let (epoch, number) = text.rsplit_once('.').unwrap_or(("0", text));
    let is_number =
        (1..=18).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    is_word(epoch) && is_number
}

/// Returns true for numbers with lower-case units: the form of durations in the document.
fn is_compact(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(unit) =
            ["ms", "w", "d", "h", "m", "s"].into_iter().find(|unit| digits.starts_with(unit))
        else {
            return false;
        };
        let count = rest.len() - digits.len();
        if !(1..=6).contains(&count) {
            return false;
        }
        rest = digits.get(unit.len()..).unwrap_or_default();
    }
    !text.is_empty()
}

/// Returns an instant from its RFC 3339 form, or from a date at midnight UTC.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    // Years outside of these have no common written form.
    (-62_167_219_200..=253_402_300_799)
        .contains(&at.as_second())
        .then(|| Timestamp(at.as_millisecond()))
}

/// Returns key and value of a label.
pub(super) fn label(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once('=')?;
    (!key.is_empty() && text.chars().count() <= TEXT_MAX).then_some((key, value))
}

/// Returns year and month.
fn month(text: &str) -> Option<(i16, i8)> {
    let (year, month) = text.split_once('-')?;
    let is_formed = year.len() == 4 && month.len() == 2 && is_plain(year) && is_plain(month);
    let (year, month) = (year.parse().ok()?, month.parse().ok()?);
    (is_formed && 1970 <= year && (1..=12).contains(&month)).then_some((year, month))
}

/// Returns a duration that [`Parameter::problem`] has checked.
pub(super) fn span(text: &str) -> Option<Duration> {
    duration(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind with values that it takes, and others with what is said of them.
    type Case = (Kind, &'static [&'static str], &'static [(&'static str, &'static str)]);

    #[test]
    fn each_kind_takes_its_values_and_refuses_others_in_words() {
        let words = Kind::Words(&["enabled", "disabled"]);
        let table: &[Case] = &[
            (Kind::Flag, &["true", "false"], &[("yes", "`true` or `false`"), ("", "`true`")]),
            (
                Kind::Integer(1, 1000),
                &["1", "1000"],
                &[("0", "from 1 to 1000"), ("+1", "whole number"), ("1e3", "whole"), ("", "whole")],
            ),
            (Kind::Integer(0, i64::MAX), &["0"], &[("99999999999999999999", "from 0 on")]),
            (
                words,
                &["enabled"],
                &[("enabeld", "did you mean `enabled`?"), ("q", "one of `enabled`")],
            ),
            (Kind::Text, &["a", "\u{1f30a}"], &[("", "1 to 200")]),
            (
                Kind::Duration,
                &["90d", "1h30m", "5s", "500ms", "0s", "2w"],
                &[
                    ("90", "duration"),
                    ("P1D", "duration"),
                    ("1 h", "duration"),
                    ("-1d", "duration"),
                    ("1h1d", "duration"),
                ],
            ),
            (
                Kind::Instant,
                &["2026-11-23T10:00:00Z", "2026-11-23T10:00:00+01:00", "0018-09-06T07:20:25.40Z"],
                &[("yesterday", "instant"), ("-009999-01-01T00:00:00Z", "instant")],
            ),
            (Kind::Label, &["team=data", "team=", "a=b=c"], &[("team", "label"), ("=x", "label")]),
            (Kind::Cursor, &["eyJ_-"], &[("a b", "cursor"), ("\u{e9}", "cursor"), ("", "cursor")]),
            (
                Kind::Position,
                &["0", "7", "e-1.7", "evt_01a2"],
                &[("x", "webhook-id"), (".7", "number"), ("1.", "number"), ("evt_ ", "number")],
            ),
            (
                Kind::Month,
                &["2026-11"],
                &[("2026-13", "month"), ("26-1", "month"), ("2026-1", "month")],
            ),
        ];
        for (kind, good, bad) in table {
            let parameter = Parameter::once("it", *kind, "");
            for value in *good {
                assert_eq!(parameter.problem(value), None, "{kind:?} {value}");
            }
            for (value, expected) in *bad {
                let problem = parameter.problem(value).unwrap_or_default();
                assert!(problem.contains(expected), "{kind:?} {value}: {problem}");
            }
        }
    }

    #[test]
    fn wrong_value_is_shown_cut_and_escaped() {
        let long = Parameter::once("q", Kind::Text, "");
        let problem = long.problem(&"\u{202e}".repeat(500)).unwrap_or_default();
        assert!(problem.chars().count() < 700 && problem.contains("\\u{202e}"), "{problem}");
    }
}
