//! `history`: runs and status changes of an integration, newest first.

use super::args::{Global, History};
use super::error::CommandError;
use super::print::{Answer, Column, Screen, Table, result_word, sanitise, status_word};
use super::read;
use crate::domain::{Cause, Subject};
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
    let view = read::view(global, &named.source)?;
    let row = read::integration(&view, &named.name).await?;
    let read = async |page| view.history(row.id, page).await;
    let Listed { rows, next } = read::rows(args.limit, args.after.clone(), read).await?;
    let answer = if named.form.json {
        let entries: Vec<_> = rows.iter().map(Entry::from).collect();
        Answer::json(&entries)?
    } else {
        Answer::good(text(&rows, screen))
    };
    Ok(answer.with_next(next.as_ref()))
}

pub(super) fn text(lines: &[HistoryRow], screen: Screen) -> String {
    if lines.is_empty() {
        return "Nothing has happened yet.\n".to_owned();
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
    table.text()
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
";
        assert_eq!(samples::plain(&text(&lines, samples::screen())), expected);
        assert_eq!(text(&[], samples::screen()), "Nothing has happened yet.\n");
    }
}
