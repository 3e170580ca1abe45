//! Makes foreign text fit to be kept and shown.

/// `text` cut to `bytes_max`, between characters.
pub(super) fn cut(mut text: String, bytes_max: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_fall_between_characters() {
        assert_eq!(cut("aä漢".to_owned(), 4), "aä");
        assert_eq!(cut("aä漢".to_owned(), 2), "a");
        assert_eq!(cut("aä漢".to_owned(), 6), "aä漢");
    }
}
