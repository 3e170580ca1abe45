//! List of the integrations: a line for each, with its latest runs.

use super::area::Area;
use super::cell::{left, median, right, rule, short, strip};
use super::model::{Model, RUNS};
use crate::cli::print::{Tone, toned};
use crate::domain::Status;
use crate::store::StatusRow;

/// Width from which on the platform and the median duration are shown.
const WIDE: usize = 110;
/// Widths of short times and of the mark before a name, gap included.
const TIME: usize = 8;
const MARK: usize = 3;

/// Widths of the columns; zero of those that are left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Widths {
    name: usize,
    kind: usize,
    strip: usize,
    median: usize,
}

impl Widths {
    fn of(width: usize) -> Self {
        let runs = usize::try_from(RUNS).unwrap_or(0);
        let is_wide = WIDE <= width;
        let (kind, median) = if is_wide { (16, TIME) } else { (0, 0) };
        let gap = usize::from(is_wide);
        let left = width.saturating_sub(MARK + kind + gap + 2 + median + 3 * TIME);
        let name = (left * 2 / 5).clamp(left.min(12), 40);
        let strip = left.saturating_sub(name).min(runs);
        Self { name: left.saturating_sub(strip).max(name.min(left)), kind, strip, median }
    }
}

/// Returns the number of rows that a frame shows.
pub(super) fn rows(model: &Model, area: Area) -> usize {
    let snapshot = model.snapshot.as_ref();
    let failing = super::failing::groups(model).len();
    let changes = snapshot.map_or(0, |snapshot| snapshot.changes.len());
    area.parts(failing, model.rows().len(), changes).rows
}

/// Returns the heading of the list, with those of its columns.
pub(super) fn heading(model: &Model, width: usize) -> String {
    let widths = Widths::of(width);
    let (count, words) = (model.rows().len(), model.filter.words());
    let words = if words.is_empty() { words } else { format!(": {words}") };
    let mut column = MARK + widths.name + 1 + widths.kind + usize::from(0 < widths.kind);
    let title = left(&format!("Integrations ({count}){words}"), column.saturating_sub(4));
    let runs = format!("last {} runs", widths.strip);
    let mut texts = vec![(0, title.trim_end())];
    if 12 <= widths.strip {
        texts.push((column.saturating_sub(1), runs.as_str()));
    }
    column += widths.strip + 1;
    let mut add = |name: &'static str, taken: usize| {
        if 0 < taken {
            texts.push(((column + taken).saturating_sub(name.len() + 1), name));
            column += taken;
        }
    };
    add("passed", TIME);
    add("next", TIME);
    add("median", widths.median);
    add("ends", TIME);
    rule(width, &texts)
}

/// Returns the line of an integration.
pub(super) fn line(model: &Model, row: &StatusRow, width: usize) -> String {
    let (widths, now) = (Widths::of(width), model.screen.now);
    let marks = model.strips.get(&row.id.0).map_or(&[][..], Vec::as_slice);
    let passed = row.last_passed_at.map(|at| short(now.since(at)));
    let next = match (row.lease_until, row.next_run_at) {
        (Some(until), _) if now < until => "running".to_owned(),
        (_, at) => at.map(|at| short(at.since(now))).unwrap_or_default(),
    };
    let median = median(marks).filter(|_| 0 < widths.median);
    let median = median.map(|median| match median.as_millis() {
        millis @ 0..10_000 => format!("{millis}ms"),
        _ => short(median),
    });
    let ends = row.expires.as_ref();
    let ends =
        ends.map(|(at, _)| if *at <= now { "ended".to_owned() } else { short(at.since(now)) });
    let kind = if widths.kind == 0 { String::new() } else { left(&row.kind, widths.kind) + " " };
    format!(
        " {} {} {kind}{} {}{}{}{}",
        mark(row),
        left(&row.name, widths.name),
        strip(marks, widths.strip),
        right(&passed.unwrap_or_default(), TIME),
        right(&next, TIME),
        right(&median.unwrap_or_default(), widths.median),
        right(&ends.unwrap_or_default(), TIME),
    )
}

/// Returns the sign of a status, by shape and colour.
fn mark(row: &StatusRow) -> String {
    match row.status {
        status if status.is_error() && row.is_muted => toned("‖", Tone::Caution),
        status if status.is_error() => toned("✕", Tone::Bad),
        Status::Disabled | Status::Deleted => toned("-", Tone::Quiet),
        Status::Enabled if row.is_flapping => toned("~", Tone::Caution),
        Status::Enabled => toned("✓", Tone::Good),
        Status::CreateError
        | Status::Creating
        | Status::DeleteError
        | Status::Deleting
        | Status::EditError
        | Status::Editing
        | Status::MigrateError
        | Status::Migrating
        | Status::RecurringValidationError => toned("…", Tone::Caution),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fill_the_width_and_the_strip_ends_at_its_runs() {
        for width in 40..=200 {
            let Widths { name, kind, strip, median } = Widths::of(width);
            let gap = usize::from(0 < kind);
            let all = MARK + name + 1 + kind + gap + strip + 1 + median + 3 * TIME;
            assert_eq!(all, width, "{width}");
            assert!(strip <= 60 && 6 <= name, "{width}: {name} {strip}");
        }
        assert_eq!(Widths::of(160).strip, 60);
    }
}
