//! `history`: runs and status changes of an integration, newest first.

use super::args::{Entries, Global, History, Moment};
use super::error::CommandError;
use super::print::{
    Answer, Column, Screen, Table, counted, result_word, sanitise, status_word, tally,
};
use super::read;
use crate::domain::{Cause, ReportStatus, Subject, Timestamp};
use crate::store::{HistoryRow, Listed, RunRow, TransitionRow, Trigger};
use crate::view::Entry;

const COLUMNS: [Column; 4] =
    [Column::whole("AT"), Column::whole("WHAT"), Column::whole("RESULT"), Column::text("WHY")];

/// Shows the newest lines.
pub(super) async fn answer(
    global: &Global,
    args: &History,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let named = &args.named;
    let view = read::view(global, &named.source).await?;
    let row = read::integration(&view, &named.name).await?;
    let filter = Filter::of(args, screen.now);
    let read = async |page| {
        let mut listed = view.history(row.id, page).await?;
        listed.rows.retain(|row| filter.takes(row));
        Ok(listed)
    };
    let Listed { rows, next } = read::rows(args.limit, args.after.clone(), read).await?;
    let answer = if named.form.json {
        let entries: Vec<_> = rows.iter().map(Entry::from).collect();
        Answer::json(&entries)?
    } else {
        Answer::good(text(&rows, screen))
    };
    Ok(answer.with_next(next.as_ref()))
}

/// Entries that the command line asks for.
struct Filter {
    only: Option<Entries>,
    result: Option<ReportStatus>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Filter {
    fn of(args: &History, now: Timestamp) -> Self {
        let instant = |moment: Option<Moment>| moment.map(|moment| moment.from(now));
        let (since, until) = (instant(args.since), instant(args.until));
        Self { only: args.only, result: args.result, since, until }
    }

    fn takes(&self, row: &HistoryRow) -> bool {
        let (kind, at) = match row {
            HistoryRow::Run(run) => (Entries::Runs, run.started_at),
            HistoryRow::Transition(transition) => (Entries::Changes, transition.at),
        };
        let fits = |result| matches!(row, HistoryRow::Run(run) if run.status == result);
        self.only.is_none_or(|only| only == kind)
            && self.result.is_none_or(fits)
            && self.since.is_none_or(|since| since <= at)
            && self.until.is_none_or(|until| at < until)
    }
}

pub(super) fn text(lines: &[HistoryRow], screen: Screen) -> String {
    if lines.is_empty() {
        return "No entries.\n".to_owned();
    }
    let mut table = Table::new(screen, COLUMNS);
    for line in lines {
        match line {
            HistoryRow::Run(run) => {
                let at = screen.instant(Some(run.started_at));
                let what = format!("run {} ({})", run.id.0, trigger_word(run.trigger));
                table.row([at, what, result_word(run.status), why_run(run)]);
            }
            HistoryRow::Transition(transition) => {
                let at = screen.instant(Some(transition.at));
                let to = status_word(transition.to);
                table.row([at, "status".to_owned(), to, why_status(transition)]);
            }
        }
    }
    let results = lines.iter().filter_map(|line| match line {
        HistoryRow::Run(run) => Some(run.status.as_str()),
        HistoryRow::Transition(_) => None,
    });
    let results: Vec<_> = results.collect();
    let runs = counted(results.len(), "run");
    let changes = counted(lines.len() - results.len(), "status change");
    let sum = match tally(results.into_iter()).as_str() {
        "" => changes,
        results => format!("{runs} ({results}), {changes}"),
    };
    format!("{}\n{sum}.\n", table.text())
}

/// Returns the rule of a run, and below it the first test that failed or warned.
fn why_run(run: &RunRow) -> String {
    let rule = sanitise(&run.rule);
    let rule = match run.subject {
        Subject::Active => rule.into_owned(),
        Subject::Candidate => format!("new configuration: {rule}"),
    };
    let mut findings = run.report.tests.iter().filter(|test| test.class.is_some());
    let Some(first) = findings.next() else { return rule };
    let said = first.message.as_deref().unwrap_or_default();
    let more = match findings.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!("{rule}\n{}: {}{more}", sanitise(&first.name), sanitise(said))
}

fn why_status(transition: &TransitionRow) -> String {
    let mut parts = Vec::new();
    parts.extend(transition.from.map(|from| format!("was {from}")));
    parts.push(transition.cause.map_or("first seen", cause_words).to_owned());
    parts.extend(transition.run.map(|run| format!("run {}", run.0)));
    parts.extend(transition.incident_id.as_deref().map(|id| format!("incident {}", sanitise(id))));
    parts.join(", ")
}

/// A cause in words.
const fn cause_words(cause: Cause) -> &'static str {
    match cause {
        Cause::ActivePassed => "validation passed",
        Cause::ActiveFailed => "validation failed",
        Cause::CandidatePassed => "the new configuration passed",
        Cause::CandidateFailed => "the new configuration failed",
        Cause::Changed => "the configuration changed",
        Cause::Removed => "removed from the configuration",
        Cause::Drained => "the removal is complete",
        Cause::RemovalFailed => "the removal could not be stored",
        Cause::ForceDisabled => "disabled in the configuration",
        Cause::Reenabled | Cause::ReenabledUntried => "no longer disabled",
        Cause::Upgraded => "the tests of its platform are newer",
        Cause::Returned => "in the configuration again",
    }
}

/// A trigger in a word.
pub(super) const fn trigger_word(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Schedule => "schedule",
        Trigger::Confirm => "confirm",
        Trigger::Startup => "startup",
        Trigger::Change => "change",
        Trigger::Request => "request",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::domain::RunId;

    #[test]
    fn runs_and_status_changes_are_in_one_list_newest_first() {
        let mut earlier = samples::run();
        earlier.id = RunId(911);
        earlier.trigger = Trigger::Change;
        earlier.subject = Subject::Candidate;
        let again = earlier.report.tests[1].clone();
        earlier.report.tests.push(again);
        earlier.started_at = samples::at("2026-11-23T07:00:00Z");
        let [flipped, created] = samples::transitions().map(HistoryRow::Transition);
        let [latest, earlier] = [samples::run(), earlier].map(HistoryRow::Run);
        let lines = [flipped, latest, earlier, created];
        let expected = "\
AT                    WHAT               RESULT                    WHY
2026-11-23T09:56:40Z  status             recurringValidationError  was enabled, validation failed, run 912, incident inc-1
2026-11-23T09:56:40Z  run 912 (confirm)  failed                    a transient failure \\u{9b}
                                                                   Connect to host: Unable\\nto connect to host.
2026-11-23T07:00:00Z  run 911 (change)   failed                    new configuration: a transient failure \\u{9b}
                                                                   Connect to host: Unable\\nto connect to host. (and 1 more)
2026-11-23T06:00:00Z  status             creating                  first seen

2 runs (2 failed), 2 status changes.
";
        assert_eq!(samples::plain(&text(&lines, samples::screen())), expected);
        assert_eq!(text(&[], samples::screen()), "No entries.\n");
    }

    #[test]
    fn filter_takes_by_kind_result_and_time() {
        let [changed, _] = samples::transitions().map(HistoryRow::Transition);
        let run = HistoryRow::Run(samples::run());
        let none = || Filter { only: None, result: None, since: None, until: None };
        let takes = |filter: &Filter| [&run, &changed].map(|row| filter.takes(row));
        assert_eq!(takes(&none()), [true, true]);
        assert_eq!(takes(&Filter { only: Some(Entries::Runs), ..none() }), [true, false]);
        assert_eq!(takes(&Filter { only: Some(Entries::Changes), ..none() }), [false, true]);
        let failed = Some(ReportStatus::Failed);
        assert_eq!(takes(&Filter { result: failed, ..none() }), [true, false]);
        let passed = Some(ReportStatus::Passed);
        assert_eq!(takes(&Filter { result: passed, ..none() }), [false, false]);
        let at = Some(samples::at("2026-11-23T09:56:40Z"));
        assert_eq!(takes(&Filter { since: at, ..none() }), [true, true]);
        assert_eq!(takes(&Filter { until: at, ..none() }), [false, false]);
        let only_changes = [changed];
        let shown = text(&only_changes, samples::screen());
        assert!(shown.ends_with("\n1 status change.\n"), "{shown}");
    }
}
