//! Lines of text that fit the terminal.

use textwrap::{Options, WordSplitter};
use unicode_width::UnicodeWidthStr as _;

/// Widest hanging indent, as a part of the terminal's width: what is wrapped needs room.
const INDENT_PART_MAX: usize = 2;

/// Returns `text` with every line that is wider than `width` wrapped between words. What follows a name, such
/// as `Status   enabled`, is indented to stand below its beginning.
pub(in crate::cli) fn wrapped(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return text.to_owned() };
    let mut fitted = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        if line.width() <= width {
            fitted.push_str(line);
        } else {
            let indent = " ".repeat(hanging(line).min(width / INDENT_PART_MAX));
            // A hyphen is a part of a name or an instant.
            let options = Options::new(width).word_splitter(WordSplitter::NoHyphenation);
            let options = options.subsequent_indent(&indent);
            fitted.push_str(&textwrap::fill(line, options));
        }
        fitted.push_str(end);
    }
    fitted
}

/// Returns the column below which the rest of a line goes on: that after a name and a gap of two spaces or
/// a colon, else two more than the line's own indent.
fn hanging(line: &str) -> usize {
    let own = line.len() - line.trim_start().len();
    let rest = line.get(own..).unwrap_or_default();
    let gap = rest.find("  ").map(|gap| {
        let after = rest.get(gap..).unwrap_or_default();
        own + gap + after.len() - after.trim_start().len()
    });
    gap.unwrap_or(own + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_line_goes_on_below_the_beginning_of_its_value() {
        let text =
            "Status   enabled\nMuted    by silence 3 until tomorrow\n\n  Fix: open the port\n";
        let expected = "\
Status   enabled
Muted    by silence
         3 until
         tomorrow

  Fix: open the port
";
        assert_eq!(wrapped(text, Some(20)), expected);
        assert_eq!(wrapped(text, None), text);
    }

    #[test]
    fn line_without_a_name_is_indented_by_two() {
        let expected = "The daemon is\n  degraded since\n  noon.\n";
        assert_eq!(wrapped("The daemon is degraded since noon.\n", Some(16)), expected);
        assert_eq!(wrapped("  one two three", Some(9)), "  one two\n    three");
    }

    #[test]
    fn word_that_is_wider_than_the_terminal_is_broken() {
        assert_eq!(wrapped("abcdefghij", Some(6)), "abcd\n  efgh\n  ij");
        let wide = format!("{}  {}", "n".repeat(30), "v ".repeat(30));
        for line in wrapped(&wide, Some(20)).lines() {
            assert!(line.width() <= 20, "{line}");
        }
    }
}
