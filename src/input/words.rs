//! Small texts: similar words, paths of keys, durations, quoting for messages.

use std::time::Duration;

/// Length limit of a word that is compared with known ones, in characters.
const NEAR_MAX: usize = 64;
/// Length from which a word can match as a part of a known one, in characters.
const PIECE_MIN: usize = 3;
/// Length limit of a wrong value in a message, in characters.
const SHOWN_MAX: usize = 60;

/// Returns the path of `key` in the table at `path`; a key that is not plain is quoted and cut.
pub(crate) fn join(path: &str, key: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let key = if !key.is_empty() && key.len() <= SHOWN_MAX && key.chars().all(is_plain) {
        key.to_owned()
    } else {
        quoted(key)
    };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// Parses a duration such as `1h 30m`; a day has 24 hours.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let signed = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(signed).ok()
}

/// Returns the known word most similar to `text`, if any is similar.
pub(crate) fn nearest<'k>(text: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let text = text.to_lowercase();
    if NEAR_MAX < text.chars().count() {
        return None;
    }
    let scored = known.filter_map(|word| Some((distance(&text, &word.to_lowercase())?, word)));
    scored.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// Returns the distance of two words, in edits and then in length; none when they are not similar:
/// more than two edits in five characters, neither is a part of the other, and their first halves
/// differ.
fn distance(one: &str, two: &str) -> Option<(usize, usize)> {
    let (short, long) = {
        let (one, two) = (one.chars().count(), two.chars().count());
        (one.min(two), one.max(two))
    };
    let edits = strsim::damerau_levenshtein(one, two);
    let is_piece = PIECE_MIN <= short && (one.contains(two) || two.contains(one));
    let shared = one.chars().zip(two.chars()).take_while(|(one, two)| one == two).count();
    (edits * 5 <= long * 2 || is_piece || long <= shared * 2).then_some((edits, long - short))
}

/// Returns text in quotes, with unprintable characters escaped and the end cut.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_has_24_hours_in_a_duration() {
        for (text, hours) in [("90d", 2160), ("1w 1d", 192), ("1h 30m", 1), ("P2D", 48)] {
            assert_eq!(duration(text).map(|got| got.as_secs() / 3600), Some(hours), "{text}");
        }
        for text in ["1 month", "1y", "-5s", "30", "", "soon", "99999999999999999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn unprintable_key_is_escaped_and_cut() {
        assert_eq!(join("a", "b_c-1"), "a.b_c-1");
        assert_eq!(join("", "x.y"), "\"x.y\"");
        assert_eq!(join("a", "b\nc\u{202e}"), "a.\"b\\nc\\u{202e}\"");
        assert!(join("", &"k".repeat(5000)).len() < 80);
    }

    #[test]
    fn only_a_similar_word_is_suggested() {
        let known = ["run", "runs", "runs_per_host", "username", "accessKeyId", "Europe/Berlin"];
        for (text, near) in [
            ("runz", Some("runs")),
            ("run_per_host", Some("runs_per_host")),
            ("user", Some("username")),
            ("accessories", Some("accessKeyId")),
            ("AccesKeyID", Some("accessKeyId")),
            ("berlin", Some("Europe/Berlin")),
            ("Mars/Olympus", None),
            ("id", None),
            ("cron", None),
        ] {
            assert_eq!(nearest(text, known.into_iter()), near, "{text}");
        }
        assert_eq!(nearest(&"run".repeat(1_000_000), known.into_iter()), None);
    }
}
