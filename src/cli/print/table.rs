//! Plain tables: upper-case headings, two spaces between the columns, no lines.

use comfy_table::{ColumnConstraint, ContentArrangement, ContentLineStyle, TableStyle};

use super::screen::Screen;

/// The gap to the right of a column, in characters.
const GAP: u16 = 2;

/// A table whose last columns are wrapped when the terminal is narrow.
#[derive(Debug)]
pub(in crate::cli) struct Table(comfy_table::Table);

impl Table {
    /// A table with these headings, the last `wrapped` of which may be wrapped. Cells must be
    /// sanitised; a line end in one begins a new line of the cell.
    pub(in crate::cli) fn new<const N: usize>(
        screen: Screen,
        wrapped: usize,
        headings: [&str; N],
    ) -> Self {
        let mut table = comfy_table::Table::new();
        let plain = ContentLineStyle::none();
        table.load_style(TableStyle::new().header_lines(plain).content_lines(plain));
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(width) = screen.width {
            table.set_width(width);
        }
        table.set_header(headings);
        for column in table.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        for column in table.column_iter_mut().take(N.saturating_sub(wrapped)) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        Self(table)
    }

    /// Adds a row of sanitised cells.
    pub(in crate::cli) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.add_row(cells);
    }

    /// The table with a line end.
    #[must_use]
    pub(in crate::cli) fn text(&self) -> String {
        format!("{}\n", self.0.trim_fmt())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Tone, toned};
    use super::*;
    use crate::domain::Timestamp;

    fn table(width: Option<u16>) -> String {
        let screen = Screen { now: Timestamp(0), width };
        let mut table = Table::new(screen, 1, ["NAME", "STATUS", "MESSAGE"]);
        table.row(["a".into(), toned("failed", Tone::Bad), "one two three\nfour".into()]);
        table.row(["漢字".into(), toned("ok", Tone::Good), "-".into()]);
        anstream::adapter::strip_str(&super::super::render(&table.text())).to_string()
    }

    #[test]
    fn columns_line_up_with_and_without_colour() {
        let expected = "\
NAME  STATUS  MESSAGE
a     failed  one two three
              four
漢字  ok      -
";
        assert_eq!(table(None), expected);
    }

    #[test]
    fn a_narrow_terminal_wraps_the_last_column() {
        let expected = "\
NAME  STATUS  MESSAGE
a     failed  one two
              three
              four
漢字  ok      -
";
        assert_eq!(table(Some(24)), expected);
    }
}
