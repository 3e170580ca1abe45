//! Text for people and JSON for programs, safe to show on a terminal.
//!
//! Everything that others wrote (platforms, receivers, configuration files) goes through
//! [`sanitise`] or [`json`] before it is shown.

mod column;
mod screen;
mod size;
mod table;
mod tone;
mod wrap;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

pub(super) use column::Column;
pub(super) use screen::Screen;
pub(super) use size::size;
pub(super) use table::Table;
#[cfg(feature = "top")]
pub(super) use tone::parts;
pub(super) use tone::{Tone, render, toned};
pub(super) use wrap::wrapped;

use crate::domain::{ReportStatus, Status, Timestamp, duration_text, is_unseen};
use crate::store::Cursor;

/// Exit status of the program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// Nothing failed; warnings are allowed.
    Success,
    /// An operation failed, or a validation did not pass.
    Failure,
    /// The command line is wrong.
    Usage,
    /// The daemon does not run.
    NoDaemon,
    /// The database is damaged.
    Damaged,
    /// An address is in use.
    Address,
    /// The database is of a newer version.
    Newer,
    /// Another daemon uses the database.
    InUse,
    /// The configuration is wrong.
    Configuration,
    /// A signal interrupted the command.
    Interrupted,
    /// State of a service, as monitoring plugins number them.
    Monitored(u8),
}

impl End {
    /// Returns [`End::Success`] when `good`, else [`End::Failure`].
    pub(super) const fn success_if(good: bool) -> Self {
        if good { Self::Success } else { Self::Failure }
    }

    /// Returns the exit code; from 64 on they are those of sysexits.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::NoDaemon => 3,
            Self::Damaged => 65,
            Self::Address => 69,
            Self::Newer => 73,
            Self::InUse => 75,
            Self::Configuration => 78,
            // As shells count it for SIGINT.
            Self::Interrupted => 130,
            Self::Monitored(code) => code,
        }
    }
}

/// Output of a command, and the exit status after it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Answer {
    /// For standard output, with the line end; may hold marks of [`toned`].
    pub(super) text: String,
    /// The text is JSON, or lines for another program, which are not laid out for the terminal.
    pub(super) is_json: bool,
    /// Exit status of the program.
    pub(super) end: End,
    /// For standard error, after the text; empty for nothing.
    pub(super) note: String,
}

impl Answer {
    /// Output of a command that succeeded.
    pub(super) const fn good(text: String) -> Self {
        Self { text, is_json: false, end: End::Success, note: String::new() }
    }

    /// Output of a command that succeeded or failed, by `good`.
    pub(super) const fn judged(text: String, good: bool) -> Self {
        Self { text, is_json: false, end: End::success_if(good), note: String::new() }
    }

    /// Output of a command that succeeded, as JSON.
    pub(super) fn json(value: &impl Serialize) -> anyhow::Result<Self> {
        Ok(Self { is_json: true, ..Self::good(json(value)?) })
    }

    /// Says how to read on when there is another page.
    pub(super) fn with_next(mut self, next: Option<&Cursor>) -> Self {
        if let Some(cursor) = next {
            self.note = format!("There is more; go on with --after {cursor}\n");
        }
        self
    }
}

/// Indented JSON array that grows row by row: the rows themselves need not be kept.
#[derive(Debug, Default)]
pub(super) struct JsonArray {
    text: String,
    failed: Option<serde_json::Error>,
}

impl JsonArray {
    /// Adds `value` at the end.
    pub(super) fn push(&mut self, value: &impl Serialize) {
        let pretty = match serde_json::to_string_pretty(value) {
            Ok(pretty) => pretty,
            Err(error) => return self.failed = Some(error),
        };
        self.text.push_str(if self.text.is_empty() { "[" } else { "," });
        for line in pretty.lines() {
            self.text.push_str("\n  ");
            self.text.push_str(&escaped_json(line));
        }
    }

    /// Returns the text with the line end.
    ///
    /// # Errors
    ///
    /// Fails only when a map has keys that are no text.
    pub(super) fn text(mut self) -> Result<String, serde_json::Error> {
        self.text.push_str(if self.text.is_empty() { "[]\n" } else { "\n]\n" });
        self.failed.map_or(Ok(self.text), Err)
    }
}

/// Foreign text on one line, with everything that could steer or mislead a terminal shown as an
/// escape: control characters, line and paragraph separators, direction changes, invisible marks.
#[must_use]
pub(super) fn sanitise(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if is_unseen(char) {
            clean.extend(char.escape_default());
        } else {
            clean.push(char);
        }
    }
    Cow::Owned(clean)
}

/// Returns `value` as indented JSON with a line end.
///
/// # Errors
///
/// Only when a map has keys that are no text.
pub(super) fn json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut text = escaped_json(&serde_json::to_string_pretty(value)?);
    text.push('\n');
    Ok(text)
}

/// Returns JSON with the characters of [`is_unseen`] as `\u` escapes: the same value, and safe to show.
///
/// JSON itself demands escapes below U+0020 only. Only its texts have characters beyond
/// ASCII, so every such character may be replaced.
#[must_use]
pub(super) fn escaped_json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        if '\u{7f}' <= char && is_unseen(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                write!(safe, "\\u{unit:04x}").unwrap_or_default();
            }
        } else {
            safe.push(char);
        }
    }
    safe
}

/// Returns the age of `then`: `3m 20s ago`.
#[must_use]
pub(super) fn ago(now: Timestamp, then: Timestamp) -> String {
    format!("{} ago", coarse(now.since(then)))
}

/// Returns the time until `then`: `in 3m 20s`, or `now` when it has come.
#[must_use]
pub(super) fn ahead(now: Timestamp, then: Timestamp) -> String {
    if then <= now { "now".to_owned() } else { format!("in {}", coarse(then.since(now))) }
}

/// Returns a duration in whole seconds, for distances to now.
fn coarse(duration: Duration) -> String {
    duration_text(Duration::from_secs(duration.as_secs()))
}

/// Returns a number with its noun: `1 fault`, `2 faults`.
#[must_use]
pub(super) fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// Returns how often each word occurs, by the word: `2 failed, 1 pending`.
#[must_use]
pub(super) fn tally(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for word in words {
        *counts.entry(word.as_ref().to_owned()).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    counts.join(", ")
}

/// Returns the word of a result, coloured.
#[must_use]
pub(super) fn result_word(status: ReportStatus) -> String {
    let tone = match status {
        ReportStatus::Passed => Tone::Good,
        ReportStatus::Failed => Tone::Bad,
        ReportStatus::Warning => Tone::Caution,
        ReportStatus::Skipped => Tone::Quiet,
    };
    toned(status.as_str(), tone)
}

/// Returns the word of a status, coloured.
#[must_use]
pub(super) fn status_word(status: Status) -> String {
    let tone = match status {
        Status::Enabled => Tone::Good,
        Status::CreateError
        | Status::DeleteError
        | Status::EditError
        | Status::MigrateError
        | Status::RecurringValidationError => Tone::Bad,
        Status::Creating | Status::Deleting | Status::Editing | Status::Migrating => Tone::Caution,
        Status::Deleted | Status::Disabled => Tone::Quiet,
    };
    toned(status.as_str(), tone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sanitised_text_cannot_control_a_terminal() {
        let cases = [
            ("Unable to connect to host.", "Unable to connect to host."),
            ("a\u{1b}[31mred\u{1b}[0m", "a\\u{1b}[31mred\\u{1b}[0m"),
            ("one\ntwo\r\n\tthree", "one\\ntwo\\r\\n\\tthree"),
            ("abc\u{202e}fdp.exe", "abc\\u{202e}fdp.exe"),
            ("csi \u{9b}2J nul \0 del \u{7f}", "csi \\u{9b}2J nul \\u{0} del \\u{7f}"),
            ("\u{2028}\u{2066}\u{feff}\u{e0041}", "\\u{2028}\\u{2066}\\u{feff}\\u{e0041}"),
            ("Größe 漢字 👩\u{200d}🔬", "Größe 漢字 👩\u{200d}🔬"),
        ];
        for (foreign, expected) in cases {
            assert_eq!(sanitise(foreign), expected);
        }
        for mark in ["\u{2061}", "\u{2062}", "\u{2063}", "\u{2064}", "\u{2060}"] {
            assert_ne!(sanitise(mark), mark, "text of others must not bring our marks");
        }
    }

    #[test]
    fn escaped_json_is_printable_and_has_the_same_value() {
        let value = serde_json::json!({ "m": "\u{1b}[2J \u{9b} \u{202e} \u{7f} \u{e0041} ö" });
        let text = json(&value).unwrap();
        assert!(!text.chars().any(|char| char != '\n' && is_unseen(char)), "{text}");
        assert!(text.contains("\\u001b[2J \\u009b \\u202e \\u007f \\udb40\\udc41 ö"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn array_that_grows_equals_one_made_at_once() {
        for count in 0..3_u8 {
            let one = |at| serde_json::json!({ "m": "\u{9b}a\nb", "n": [at, {}], "e": [] });
            let values: Vec<_> = (0..count).map(one).collect();
            let mut grown = JsonArray::default();
            for value in &values {
                grown.push(value);
            }
            assert_eq!(grown.text().unwrap(), json(&values).unwrap());
        }
    }

    #[test]
    fn distances_to_now_are_in_whole_seconds() {
        let now = Timestamp(10_000_999);
        assert_eq!(ago(now, Timestamp(9_800_000)), "3m 20s ago");
        assert_eq!(ago(now, Timestamp(10_000_500)), "0s ago");
        assert_eq!(ago(now, Timestamp(20_000_000)), "0s ago");
        assert_eq!(ahead(now, Timestamp(10_062_000)), "in 1m 1s");
        assert_eq!(ahead(now, now), "now");
    }

    #[test]
    fn words_are_counted_in_their_order() {
        assert_eq!(tally(["failed", "done", "failed"].into_iter()), "1 done, 2 failed");
        assert_eq!(tally(std::iter::empty::<&str>()), "");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([counted(0, "fault"), counted(1, "fault")], ["0 faults", "1 fault"]);
    }
}
