//! Makes foreign text fit to be kept and shown.

/// What stands where a secret stood.
const REDACTED: &str = "[REDACTED]";

/// `text` on one line: white space and characters that cannot be seen become single spaces.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || is_unseen(c));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `text` without any of `secrets`.
pub(super) fn redacted(text: String, secrets: &[&str]) -> String {
    let secrets = secrets.iter().filter(|secret| !secret.is_empty());
    secrets.fold(text, |text, secret| text.replace(secret, REDACTED))
}

/// `text` cut to `bytes_max`, between characters.
pub(super) fn cut(mut text: String, bytes_max: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}

/// True for characters that control a terminal, turn the direction of writing or show nothing.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_becomes_one_visible_line() {
        let table = [
            ("", ""),
            (" \r\n\t ", ""),
            ("no such\nhook\r\n", "no such hook"),
            ("\x1b[31mred\x1b[0m", "[31mred [0m"),
            ("a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{85}f\u{2028}g\0", "a b c d e f g"),
            ("Ä ✓ 漢字", "Ä ✓ 漢字"),
        ];
        for (text, wanted) in table {
            assert_eq!(one_line(text), wanted);
        }
    }

    #[test]
    fn secrets_are_replaced_and_cuts_fall_between_characters() {
        let text = redacted("a=s3cret b=s3cret c=tok".to_owned(), &["s3cret", "", "tok"]);
        assert_eq!(text, "a=[REDACTED] b=[REDACTED] c=[REDACTED]");
        assert_eq!(cut("aä漢".to_owned(), 4), "aä");
        assert_eq!(cut("aä漢".to_owned(), 2), "a");
        assert_eq!(cut("aä漢".to_owned(), 6), "aä漢");
    }
}
