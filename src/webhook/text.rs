//! Makes foreign text fit to be kept and shown.

use crate::domain::REDACTED;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced_and_cuts_fall_between_characters() {
        let text = redacted("a=s3cret b=s3cret c=tok".to_owned(), &["s3cret", "", "tok"]);
        assert_eq!(text, "a=[REDACTED] b=[REDACTED] c=[REDACTED]");
        assert_eq!(cut("aä漢".to_owned(), 4), "aä");
        assert_eq!(cut("aä漢".to_owned(), 2), "a");
        assert_eq!(cut("aä漢".to_owned(), 6), "aä漢");
    }
}
