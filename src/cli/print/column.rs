//! Columns of a table: how each takes part in a layout that is too wide for the terminal.

use unicode_width::UnicodeWidthStr;

/// Narrowest width of a wrapped column, in characters.
const TEXT_MIN: usize = 24;
/// Narrowest width of a name, in characters.
const NAME_MIN: usize = 12;
/// Mark of what was cut out of the middle of a name.
const CUT: &str = "…";

/// Fit of a column that has less room than its longest cell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fit {
    /// Every cell is shown whole.
    Whole,
    /// Cells are shortened in the middle, since names differ at both ends.
    Shortened,
    /// Cells are wrapped between words.
    Wrapped,
}

/// Column of a table.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Column {
    /// Heading in upper case.
    pub(super) heading: &'static str,
    fit: Fit,
    /// Rank among the columns that a narrow terminal does without; the lowest goes first.
    rank: Option<u8>,
}

impl Column {
    /// Column whose cells are always shown whole.
    pub(in crate::cli) const fn whole(heading: &'static str) -> Self {
        Self { heading, fit: Fit::Whole, rank: None }
    }

    /// Column of names, which are shortened in the middle where there is no room.
    pub(in crate::cli) const fn name(heading: &'static str) -> Self {
        Self { heading, fit: Fit::Shortened, rank: None }
    }

    /// Column of texts, which are wrapped between words.
    pub(in crate::cli) const fn text(heading: &'static str) -> Self {
        Self { heading, fit: Fit::Wrapped, rank: None }
    }

    /// Lets a narrow terminal do without the column; the lowest rank goes first.
    pub(in crate::cli) const fn dropped(self, rank: u8) -> Self {
        Self { rank: Some(rank), ..self }
    }

    /// Returns the least width at which the column can be read, given its longest line.
    fn width_min(self, longest: usize) -> usize {
        match self.fit {
            Fit::Whole => longest,
            Fit::Shortened => longest.min(NAME_MIN.max(self.heading.width())),
            Fit::Wrapped => longest.min(TEXT_MIN.max(self.heading.width())),
        }
    }

    /// Returns `cell` as it is shown in a column of this width.
    pub(super) fn shown(self, cell: &str, width: usize) -> String {
        if self.fit == Fit::Shortened { shortened(cell, width) } else { cell.to_owned() }
    }
}

/// Columns that are shown, by their place in the row, with their widths.
pub(super) type Layout = Vec<(usize, usize)>;

/// Returns the columns that fit into `room` characters, with widths; none when even those that cannot be
/// dropped need more. `longest` holds the longest line of each column, its heading included.
pub(super) fn layout(
    columns: &[Column],
    longest: &[usize],
    gap: usize,
    room: usize,
) -> Option<Layout> {
    let places = columns.iter().zip(longest).enumerate();
    let mut shown: Vec<_> = places
        .map(|(place, (column, longest))| (place, *column, *longest, column.width_min(*longest)))
        .collect();
    let needed = |shown: &[(usize, Column, usize, usize)]| -> usize {
        let widths: usize = shown.iter().map(|(_, _, _, width)| width + gap).sum();
        widths.saturating_sub(gap)
    };
    while room < needed(&shown) {
        let ranked = shown.iter().filter_map(|(place, column, ..)| Some((column.rank?, *place)));
        let (_, first) = ranked.min()?;
        shown.retain(|(place, ..)| *place != first);
    }
    let mut left = room.saturating_sub(needed(&shown));
    // Names first: a text that is wrapped once more loses nothing.
    for fit in [Fit::Shortened, Fit::Wrapped] {
        for (_, _, longest, width) in shown.iter_mut().filter(|(_, column, ..)| column.fit == fit) {
            let more = longest.saturating_sub(*width).min(left);
            (*width, left) = (*width + more, left - more);
        }
    }
    Some(shown.into_iter().map(|(place, _, _, width)| (place, width)).collect())
}

/// Returns `name` in at most `width` characters, with its middle cut out where it is longer.
fn shortened(name: &str, width: usize) -> String {
    if name.width() <= width {
        return name.to_owned();
    }
    let room = width.saturating_sub(CUT.width());
    let head = taken(name.chars(), room.div_ceil(2));
    let tail = taken(name.chars().rev(), room.saturating_sub(head.width()));
    let tail: String = tail.chars().rev().collect();
    format!("{head}{CUT}{tail}")
}

/// Returns as many of `chars` as fit into `width`.
fn taken(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut text = String::new();
    for char in chars {
        text.push(char);
        if width < text.width() {
            text.pop();
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::name("NAME"),
        Column::whole("STATE").dropped(2),
        Column::whole("ID").dropped(1),
        Column::text("MESSAGE"),
    ];
    const LONGEST: [usize; 4] = [30, 10, 5, 60];

    #[test]
    fn columns_are_narrowed_before_they_are_dropped_by_rank() {
        let at = |room| layout(&COLUMNS, &LONGEST, 2, room);
        let table = [
            (111, Some(vec![(0, 30), (1, 10), (2, 5), (3, 60)])),
            (100, Some(vec![(0, 30), (1, 10), (2, 5), (3, 49)])),
            (60, Some(vec![(0, 15), (1, 10), (2, 5), (3, 24)])),
            (56, Some(vec![(0, 18), (1, 10), (3, 24)])),
            (45, Some(vec![(0, 19), (3, 24)])),
            (38, Some(vec![(0, 12), (3, 24)])),
            (37, None),
        ];
        for (room, expected) in table {
            assert_eq!(at(room), expected, "{room}");
        }
    }

    #[test]
    fn name_is_shortened_in_the_middle() {
        let table = [
            ("lake", 4, "lake"),
            ("warehouse-prod-eu-west-1", 13, "wareho…west-1"),
            ("warehouse", 8, "ware…use"),
            ("漢字漢字漢字", 7, "漢…漢字"),
            ("warehouse", 1, "…"),
        ];
        for (name, width, expected) in table {
            let found = shortened(name, width);
            assert_eq!(found, expected, "{name}");
            assert!(found.width() <= width, "{name}");
        }
    }
}
