//! Tiles of platforms: one mark per integration, and proportional bars from sixty on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::asked::Asked;
use super::selection::Selection;
use crate::page::look::Look;
use crate::page::text::grouped;

/// Number of integrations up to which each has a mark of its own.
const MARKED_MAX: usize = 59;
/// Number of marks on a line.
const LINE: usize = 12;
/// Distance from one mark to the next.
const STEP: usize = 13;
/// Width of a bar, and the least of a part that is not empty.
const BAR: (usize, usize) = (1000, 16);
/// Parts in their order, with the letters of their tones.
const PARTS: [&str; 4] = ["b", "w", "g", "o"];

/// Tile of a platform.
#[derive(Clone, Debug)]
pub(crate) struct Tile {
    /// Published name of the platform.
    pub(crate) kind: String,
    /// Number of its integrations.
    pub(crate) number: String,
    /// Link that narrows the page to it.
    pub(crate) href: String,
    /// True when the page is narrowed to it.
    pub(crate) is_chosen: bool,
    /// Marks by the letters of their tones; empty for a bar.
    pub(crate) marks: Vec<(&'static str, String)>,
    /// Height of the marks.
    pub(crate) height: usize,
    /// Parts of a bar: tone, begin and width.
    pub(crate) bar: Vec<(&'static str, usize, usize)>,
    /// State in a few words.
    pub(crate) text: String,
    /// True when one of them fails.
    pub(crate) is_bad: bool,
}

impl Tile {
    /// Returns the tiles of the rows that are selected, by platform.
    pub(crate) fn all(selection: &Selection<'_>, asked: &Asked) -> Vec<Self> {
        let mut kinds: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
        for row in &selection.matching {
            let letter = Look::of_row(row).letter();
            let counts = kinds.entry(&row.kind).or_default();
            for (count, part) in counts.iter_mut().zip(PARTS) {
                *count += usize::from(part == letter);
            }
        }
        kinds.into_iter().map(|(kind, counts)| Self::new(kind, counts, asked)).collect()
    }

    fn new(kind: &str, counts: [usize; 4], asked: &Asked) -> Self {
        let total: usize = counts.iter().sum();
        let is_marked = total <= MARKED_MAX;
        let pairs = asked.pairs.without("after");
        let is_chosen = pairs.all("type").any(|chosen| chosen == kind);
        let pairs = if is_chosen { pairs.minus("type", kind) } else { pairs.with("type", kind) };
        let [failing, attention, well, _] = counts;
        let text = match (failing, attention, well) {
            (0, 0, 0) => "not in use".to_owned(),
            (0, 0, _) => "all well".to_owned(),
            (0, attention, _) => format!("{} to look at", grouped(attention)),
            (failing, _, _) => format!("{} failing", grouped(failing)),
        };
        Self {
            kind: kind.to_owned(),
            number: grouped(total),
            href: pairs.at("/"),
            is_chosen,
            marks: if is_marked { marks(counts) } else { Vec::new() },
            height: total.div_ceil(LINE) * STEP,
            bar: if is_marked { Vec::new() } else { bar(counts, total) },
            text,
            is_bad: 0 < failing,
        }
    }
}

/// Returns the marks, one path per tone: rhombs, triangles and discs.
fn marks(counts: [usize; 4]) -> Vec<(&'static str, String)> {
    let mut at = 0;
    let path = |(part, count): (&'static str, usize)| {
        let mut path = String::new();
        for place in at..at + count {
            let (x, y) = (place % LINE * STEP, place / LINE * STEP);
            // Writing to a string cannot fail.
            match part {
                "b" => write!(path, "M{} {y}l5 5-5 5-5-5z", x + 5),
                "w" => write!(path, "M{} {y}l5 10h-10z", x + 5),
                _ => write!(path, "M{} {}a4 4 0 1 0 8 0a4 4 0 1 0-8 0", x + 1, y + 5),
            }
            .unwrap_or_default();
        }
        at += count;
        (part, path)
    };
    let paths = PARTS.into_iter().zip(counts).map(path);
    paths.filter(|(_, path)| !path.is_empty()).collect()
}

/// Returns the parts of a bar; a few failures among thousands can still be seen.
fn bar(counts: [usize; 4], total: usize) -> Vec<(&'static str, usize, usize)> {
    let (width, least) = BAR;
    let mut at = 0;
    let part = |(part, count): (&'static str, usize)| {
        let from = at;
        if 0 < count {
            at += (count * width / total.max(1)).max(least);
        }
        (part, from, at - from)
    };
    let parts = PARTS.into_iter().zip(counts).map(part);
    parts.filter(|(_, _, width)| 0 < *width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(counts: [usize; 4], query: &str) -> Tile {
        Tile::new("Native S3", counts, &Asked::read(query).unwrap())
    }

    #[test]
    fn each_integration_has_a_mark_up_to_sixty() {
        let shown = tile([1, 1, 1, 0], "");
        let expected = [
            ("b", "M5 0l5 5-5 5-5-5z"),
            ("w", "M18 0l5 10h-10z"),
            ("g", "M27 5a4 4 0 1 0 8 0a4 4 0 1 0-8 0"),
        ];
        let marks: Vec<_> = shown.marks.iter().map(|(part, path)| (*part, path.as_str())).collect();
        assert_eq!(marks, expected);
        assert_eq!((shown.height, shown.bar.len()), (13, 0));
        let many = tile([0, 0, 59, 0], "");
        assert_eq!((many.marks[0].1.matches('M').count(), many.height), (59, 65));
        let more = tile([0, 0, 60, 0], "");
        assert_eq!((more.marks.len(), more.bar), (0, vec![("g", 0, 1000)]));
    }

    #[test]
    fn few_failures_among_thousands_can_be_seen() {
        let parts = tile([2, 0, 2608, 0], "").bar;
        assert_eq!(parts, [("b", 0, 16), ("g", 16, 999)]);
    }

    #[test]
    fn tile_says_its_state_and_toggles_the_filter() {
        let table = [
            ([0, 0, 0, 2], "not in use", false),
            ([0, 0, 3, 1], "all well", false),
            ([0, 1, 3, 0], "1 to look at", false),
            ([212, 1, 3, 0], "212 failing", true),
        ];
        for (counts, text, is_bad) in table {
            let shown = tile(counts, "");
            assert_eq!((shown.text.as_str(), shown.is_bad), (text, is_bad));
        }
        assert_eq!(tile([0, 0, 1, 0], "q=x&after=a").href, "/?q=x&type=Native+S3");
        let chosen = tile([0, 0, 1, 0], "type=Native+S3&q=x");
        assert_eq!((chosen.href.as_str(), chosen.is_chosen), ("/?q=x", true));
    }
}
