//! History for people: status changes, and neighbouring runs of one result as one entry.

use crate::domain::{Cause, ReportStatus, Status, Subject, Timestamp};
use crate::page::moment::Moment;
use crate::page::text::counted;
use crate::page::viewer::Viewer;
use crate::store::{HistoryRow, RunRow, TransitionRow};

/// Number of entries that are shown.
const ENTRIES_MAX: usize = 12;

/// Entry of the history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    /// Day before the entry, when it is another one than that of the entry above.
    pub(crate) day: Option<String>,
    /// Time of the entry.
    pub(crate) at: Moment,
    /// Letter of its tone.
    pub(crate) tone: &'static str,
    /// Entry in a few words.
    pub(crate) title: String,
    /// Explanation of the entry; may be empty.
    pub(crate) text: String,
}

/// Returns the entries of a history that is given newest first.
pub(crate) fn entries(rows: &[HistoryRow], viewer: &Viewer) -> Vec<Entry> {
    let present = &viewer.present;
    let mut entries: Vec<(Timestamp, Entry)> = Vec::new();
    for group in rows.chunk_by(is_alike).take(ENTRIES_MAX) {
        let Some(newest) = group.first() else { continue };
        let (at, tone, title, text) = match newest {
            HistoryRow::Run(run) => runs(run, group.len()),
            HistoryRow::Transition(change) => transition(change),
        };
        let above = entries.last().map(|(at, _)| *at);
        let is_new = above.is_none_or(|above| !present.is_same_day(above, at));
        let day =
            if present.is_same_day(at, present.now) { "Today".to_owned() } else { present.day(at) };
        let at_day = present.time(at);
        let entry = Entry { day: is_new.then_some(day), at: at_day, tone, title, text };
        entries.push((at, entry));
    }
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// Returns true for neighbouring runs of one result.
fn is_alike(one: &HistoryRow, next: &HistoryRow) -> bool {
    let (HistoryRow::Run(one), HistoryRow::Run(next)) = (one, next) else { return false };
    (one.status, one.class, one.subject) == (next.status, next.class, next.subject)
}

type Shown = (Timestamp, &'static str, String, String);

fn runs(newest: &RunRow, count: usize) -> Shown {
    let (tone, word) = match newest.status {
        ReportStatus::Passed => ("g", "passed"),
        ReportStatus::Failed => ("b", "failed"),
        ReportStatus::Warning => ("w", "warned"),
        ReportStatus::Skipped => ("o", "skipped"),
    };
    let class = newest.class.map_or_else(String::new, |class| format!(" ({})", class.as_str()));
    let of = match newest.subject {
        Subject::Active => "",
        Subject::Candidate => " with the new configuration",
    };
    let text = format!("{}{of}", counted(count, "run"));
    (newest.started_at, tone, format!("{word}{class}"), text)
}

fn transition(change: &TransitionRow) -> Shown {
    let tone = match change.to {
        Status::Enabled => "g",
        Status::CreateError
        | Status::DeleteError
        | Status::EditError
        | Status::MigrateError
        | Status::RecurringValidationError => "b",
        Status::Creating
        | Status::Deleted
        | Status::Deleting
        | Status::Disabled
        | Status::Editing
        | Status::Migrating => "o",
    };
    let title = match change.from {
        Some(from) => format!("{from} → {}", change.to),
        None => change.to.to_string(),
    };
    let text = change.cause.map_or("it is configured", cause);
    (change.at, tone, title, text.to_owned())
}

/// Returns the cause of a status change in words.
const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::ActivePassed => "the configuration in force passes",
        Cause::ActiveFailed => "the configuration in force fails",
        Cause::CandidatePassed => "the new configuration passes",
        Cause::CandidateFailed => "the new configuration fails",
        Cause::Changed => "the configuration changed",
        Cause::Removed => "the configuration no longer names it",
        Cause::Drained => "no validation of it runs any more",
        Cause::RemovalFailed => "its removal could not be stored",
        Cause::ForceDisabled => "the configuration disables it",
        Cause::Reenabled | Cause::ReenabledUntried => "the configuration enables it again",
        Cause::Upgraded => "a newer version brings other tests",
        Cause::Returned => "the configuration names it again",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{Class, RunId};
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    fn run(id: i64, at: &str, status: ReportStatus, class: Option<Class>) -> HistoryRow {
        let started_at = samples::at(at);
        HistoryRow::Run(RunRow { id: RunId(id), started_at, status, class, ..samples::run() })
    }

    #[test]
    fn neighbouring_runs_of_one_result_are_one_entry() {
        let [flipped, created] = samples::transitions();
        let failed = Some(Class::Unreachable);
        let rows = [
            run(9, "2026-11-23T09:58:00Z", ReportStatus::Failed, failed),
            run(8, "2026-11-23T09:57:00Z", ReportStatus::Failed, failed),
            HistoryRow::Transition(flipped),
            run(7, "2026-11-23T09:56:40Z", ReportStatus::Failed, failed),
            run(6, "2026-11-22T09:00:00Z", ReportStatus::Passed, None),
            run(5, "2026-11-22T08:00:00Z", ReportStatus::Passed, None),
            run(4, "2026-11-22T07:00:00Z", ReportStatus::Passed, None),
            HistoryRow::Transition(created),
        ];
        let shown = entries(&rows, &viewer(Access::Read));
        let lines: Vec<_> = shown
            .iter()
            .map(|entry| {
                let day = entry.day.as_deref().unwrap_or("-");
                format!("{day} {} {} {}: {}", entry.at.text, entry.tone, entry.title, entry.text)
            })
            .collect();
        let expected = [
            "Today 09:58 b failed (unreachable): 2 runs",
            "- 09:56 b enabled → recurringValidationError: the configuration in force fails",
            "- 09:56 b failed (unreachable): 1 run",
            "22 Nov 09:00 g passed: 3 runs",
            "Today 06:00 o creating: it is configured",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn history_is_cut_after_a_few_entries() {
        let now = samples::now();
        let row = |at: u64| {
            let status =
                if at.is_multiple_of(2) { ReportStatus::Passed } else { ReportStatus::Skipped };
            let at = now.minus(Duration::from_mins(at)).to_string();
            run(1, &at, status, None)
        };
        let rows: Vec<_> = (0..50).map(row).collect();
        assert_eq!(entries(&rows, &viewer(Access::Read)).len(), ENTRIES_MAX);
    }

    #[test]
    fn runs_of_the_new_configuration_say_so() {
        let HistoryRow::Run(base) = run(1, "2026-11-23T09:58:00Z", ReportStatus::Warning, None)
        else {
            unreachable!()
        };
        let rows = [HistoryRow::Run(RunRow { subject: Subject::Candidate, ..base })];
        let shown = entries(&rows, &viewer(Access::Read));
        assert_eq!(shown[0].text, "1 run with the new configuration");
        assert_eq!((shown[0].tone, shown[0].title.as_str()), ("w", "warned"));
    }
}
