//! Runs and status changes of an integration, merged into one list (merge of two sorted lists).

use super::rows::{HistoryRow, RunRow, TransitionRow};

/// Page of a history.
#[derive(Debug)]
pub(super) struct Merged {
    /// Entries of the page, newest first.
    pub(super) rows: Vec<HistoryRow>,
    /// Id of the last run and of the last status change on it, or before it where it has none.
    pub(super) last: (i64, i64),
    /// There are entries after it.
    pub(super) has_more: bool,
}

/// Merges what follows the run and the status change with the ids `after`, both newest first; a status change stands
/// above the run that caused it.
///
/// They are merged and not sorted: where a clock was rolled back, each keeps the order of its ids, by which the next
/// page goes on.
pub(super) fn merged(
    after: (i64, i64),
    runs: Vec<RunRow>,
    transitions: Vec<TransitionRow>,
    size: u32,
) -> Merged {
    let (mut run, mut transition) = after;
    let (mut runs, mut transitions) =
        (runs.into_iter().peekable(), transitions.into_iter().peekable());
    let mut rows = Vec::new();
    for _ in 0..size {
        let started_at = runs.peek().map(|run| run.started_at);
        let is_next = |row: &TransitionRow| started_at.is_none_or(|at| at <= row.at);
        if let Some(row) = transitions.next_if(is_next) {
            transition = row.id;
            rows.push(HistoryRow::Transition(row));
        } else if let Some(row) = runs.next() {
            run = row.id.0;
            rows.push(HistoryRow::Run(row));
        }
    }
    let has_more = runs.peek().is_some() || transitions.peek().is_some();
    Merged { rows, last: (run, transition), has_more }
}
