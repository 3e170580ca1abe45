//! Makes text of others safe to store and show.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Unreserved characters of RFC 3986, the only ones that are left as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes `text` for one segment of a path or one value in a query.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Returns true for a character that controls a terminal, changes the direction of writing or is
/// invisible.
#[must_use]
pub(crate) fn is_unseen(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{feff}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns `text` on one line of at most `chars_max` characters: white space and invisible characters
/// become single spaces.
#[must_use]
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    // Most texts (names, hosts, numbers) are one line already.
    if text.len() <= chars_max && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return text.to_owned();
    }
    let words = text.split(|char: char| char.is_whitespace() || is_unseen(char));
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().nth(chars_max).is_none() {
        return line;
    }
    line.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_unreserved_characters_are_percent_encoded() {
        assert_eq!(percent_encoded("a b/ü*:+=&~"), "a%20b%2F%C3%BC%2A%3A%2B%3D%26~");
    }

    #[test]
    fn text_of_others_becomes_one_visible_line() {
        let table = [
            ("", ""),
            (" \r\n\t ", ""),
            ("no such\nhook\r\n", "no such hook"),
            ("\x1b[31mred\x1b[0m", "[31mred [0m"),
            ("a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{85}f\u{2028}g\0", "a b c d e f g"),
            ("Ä ✓ 漢字", "Ä ✓ 漢字"),
        ];
        for (text, wanted) in table {
            assert_eq!(one_line(text, 300), wanted);
        }
        assert_eq!(one_line("ééééé", 3), "éé…");
        assert_eq!(one_line("ééé", 3), "ééé");
    }
}
