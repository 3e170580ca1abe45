//! Output escaping (OWASP's for HTML) of all that templates print, together with the filter of control
//! characters and of the white space at the ends of lines: no template can leave out any of them.

use std::fmt::{self, Write};

use askama::filters::Escaper;

use crate::domain::is_unseen;

/// Escaper of every template, named in `askama.toml`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clean;

impl Escaper for Clean {
    fn write_escaped_str<W: Write>(&self, mut to: W, text: &str) -> fmt::Result {
        if text.contains(" \n") {
            let lines: Vec<_> = text.split('\n').map(|line| line.trim_end_matches(' ')).collect();
            return self.write_escaped_str(to, &lines.join("\n"));
        }
        let mut rest = text;
        while let Some((at, char)) = rest.char_indices().find(|(_, char)| is_escaped(*char)) {
            let (before, after) = rest.split_at(at);
            to.write_str(before)?;
            match char {
                '<' => to.write_str("&lt;")?,
                '>' => to.write_str("&gt;")?,
                '&' => to.write_str("&amp;")?,
                '"' => to.write_str("&quot;")?,
                '\'' => to.write_str("&#39;")?,
                unseen => write!(to, "{}", unseen.escape_default())?,
            }
            rest = after.get(char.len_utf8()..).unwrap_or_default();
        }
        to.write_str(rest)
    }
}

/// Returns true for what is not written as it is. Line breaks are: in HTML they are white space.
fn is_escaped(char: char) -> bool {
    matches!(char, '<' | '>' | '&' | '"' | '\'') || (char != '\n' && is_unseen(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_unseen_characters_are_escaped_once() {
        let table = [
            ("", ""),
            ("Größe 漢字 👩\u{200d}🔬", "Größe 漢字 👩\u{200d}🔬"),
            (
                "<script>alert('1' & \"2\")</script>",
                "&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;",
            ),
            ("&lt;", "&amp;lt;"),
            ("a\u{202e}b\u{1b}[31m\0", "a\\u{202e}b\\u{1b}[31m\\u{0}"),
            ("one\ntwo\r", "one\ntwo\\r"),
            ("one  \n two \n", "one\n two\n"),
        ];
        for (text, expected) in table {
            let mut written = String::new();
            Clean.write_escaped_str(&mut written, text).unwrap();
            assert_eq!(written, expected);
        }
    }
}
