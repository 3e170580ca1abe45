//! Plain tables: upper-case headings, two spaces between the columns, no lines.
//!
//! A terminal that is too narrow gets shortened names and wrapped texts, then fewer columns, and at last a
//! block of lines for each row, in which nothing is left out.

use comfy_table::{
    ColumnConstraint, ContentArrangement, ContentLineStyle, TableStyle, Width as CellWidth,
};
use unicode_width::UnicodeWidthStr;

use super::column::{Column, Layout, layout};
use super::screen::Screen;
use super::tone::untoned;

/// Gap to the right of a column, in characters.
const GAP: u16 = 2;

/// Table that is laid out for a screen once all its rows are known.
#[derive(Debug)]
pub(in crate::cli) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    width: Option<u16>,
}

impl Table {
    /// Creates a table with these columns. Cells must be sanitised; a line end in one begins a new line
    /// of the cell.
    pub(in crate::cli) fn new<const N: usize>(screen: Screen, columns: [Column; N]) -> Self {
        Self { columns: columns.into(), rows: Vec::new(), width: screen.width }
    }

    /// Adds a row of sanitised cells.
    pub(in crate::cli) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Returns the table with a line end.
    #[must_use]
    pub(in crate::cli) fn text(&self) -> String {
        let longest = self.longest();
        let room = self.width.map_or(usize::MAX, usize::from);
        match layout(&self.columns, &longest, GAP.into(), room) {
            Some(layout) => self.grid(&layout),
            None => self.blocks(),
        }
    }

    /// Returns the width of the longest line in each column.
    fn longest(&self) -> Vec<usize> {
        let mut longest: Vec<_> = self.columns.iter().map(|one| one.heading.width()).collect();
        for row in &self.rows {
            for (width, cell) in longest.iter_mut().zip(row) {
                let lines = cell.lines().map(UnicodeWidthStr::width);
                *width = lines.max().unwrap_or_default().max(*width);
            }
        }
        longest
    }

    /// Lays out one line or more for each row.
    fn grid(&self, layout: &Layout) -> String {
        let mut table = plain();
        let columns = || layout.iter().filter_map(|(place, _)| self.columns.get(*place));
        table.set_header(columns().map(|column| column.heading));
        for row in &self.rows {
            let cells = layout.iter().filter_map(|(place, width)| {
                Some(self.columns.get(*place)?.shown(row.get(*place)?, *width))
            });
            table.add_row(cells);
        }
        for (column, (_, width)) in table.column_iter_mut().zip(layout) {
            column.set_padding((0, GAP));
            column.set_constraint(absolute(width.saturating_add(GAP.into())));
        }
        format!("{}\n", table.trim_fmt())
    }

    /// Lays out a block for each row, with a line for each cell that says something.
    fn blocks(&self) -> String {
        let headings = self.columns.iter().map(|column| column.heading.width());
        let heading = headings.max().unwrap_or_default() + usize::from(GAP);
        let room = self.width.map_or(usize::MAX, usize::from).saturating_sub(heading).max(1);
        let block = |row: &Vec<String>| {
            let mut table = plain();
            let cells = self.columns.iter().zip(row).filter(|(_, cell)| untoned(cell) != "-");
            for (column, cell) in cells {
                table.add_row([column.heading, cell]);
            }
            for (column, width) in table.column_iter_mut().zip([heading, room]) {
                column.set_padding((0, 0));
                column.set_constraint(absolute(width));
            }
            format!("{}\n", table.trim_fmt())
        };
        self.rows.iter().map(block).collect::<Vec<_>>().join("\n")
    }
}

/// Returns a table without lines.
fn plain() -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    let none = ContentLineStyle::none();
    table.load_style(TableStyle::new().header_lines(none).content_lines(none));
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// Returns the constraint of a column with exactly this width, its padding included.
fn absolute(width: usize) -> ColumnConstraint {
    ColumnConstraint::Absolute(CellWidth::Fixed(u16::try_from(width).unwrap_or(u16::MAX)))
}

#[cfg(test)]
mod tests {
    use super::super::{Tone, toned};
    use super::*;
    use crate::domain::Timestamp;

    fn table(width: Option<u16>) -> String {
        let screen = Screen { now: Timestamp(0), width, zone: None };
        let columns = [
            Column::name("NAME"),
            Column::whole("STATUS"),
            Column::whole("AGE").dropped(1),
            Column::text("MESSAGE"),
        ];
        let mut table = Table::new(screen, columns);
        table.row([
            "warehouse-prod-eu".into(),
            toned("failed", Tone::Bad),
            "3m ago".into(),
            "one two three four five six\nseven".into(),
        ]);
        table.row(["漢字".into(), toned("ok", Tone::Good), "-".into(), toned("-", Tone::Quiet)]);
        anstream::adapter::strip_str(&super::super::render(&table.text())).to_string()
    }

    #[test]
    fn columns_line_up_with_and_without_colour() {
        let expected = "\
NAME               STATUS  AGE     MESSAGE
warehouse-prod-eu  failed  3m ago  one two three four five six
                                   seven
漢字               ok      -       -
";
        assert_eq!(table(None), expected);
    }

    #[test]
    fn narrow_terminal_shortens_names_wraps_texts_and_drops_columns() {
        let expected = "\
NAME              STATUS  MESSAGE
warehous…prod-eu  failed  one two three four five
                          six
                          seven
漢字              ok      -
";
        assert_eq!(table(Some(50)), expected);
    }

    #[test]
    fn phone_gets_a_block_for_each_row_with_every_cell_that_says_something() {
        let expected = "\
NAME     warehouse-prod-eu
STATUS   failed
AGE      3m ago
MESSAGE  one two three four
         five six
         seven

NAME     漢字
STATUS   ok
";
        assert_eq!(table(Some(30)), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 20..=160 {
            for line in table(Some(width)).lines() {
                assert!(line.width() <= usize::from(width), "{width}: {line}");
            }
        }
    }
}
