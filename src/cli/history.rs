//! `history`: runs and status changes of an integration, newest first.

use anyhow::Context as _;

use super::args::{Global, History};
use super::print::{Answer, Page, Table, instant, result_word, sanitise, status_word};
use super::shape::{Entry, Run, Transition};
use super::{Trouble, read};
use crate::domain::{Cause, Subject, Timestamp};
use crate::store::{RunRow, TransitionRow, Trigger};

/// One line of the history.
#[derive(Clone, Copy, Debug)]
enum Line<'a> {
    /// A run.
    Run(&'a RunRow),
    /// A status change.
    Transition(&'a TransitionRow),
}

impl Line<'_> {
    const fn at(&self) -> Timestamp {
        match self {
            Self::Run(run) => run.started_at,
            Self::Transition(transition) => transition.at,
        }
    }
}

/// Shows the newest lines.
pub(super) async fn answer(global: &Global, args: &History, page: Page) -> Result<Answer, Trouble> {
    let named = &args.named;
    let view = read::view(global, &named.source)?;
    let row = read::integration(&view, &named.name).await?;
    let runs = view.runs(row.id, args.limit).await.context("reading the store")?;
    let transitions = view.transitions(row.id, args.limit).await.context("reading the store")?;
    let mut lines = interleaved(&runs, &transitions);
    lines.truncate(usize::try_from(args.limit).unwrap_or(usize::MAX));
    if named.form.json {
        let entries: Vec<_> = lines.into_iter().map(entry).collect();
        return Ok(Answer::json(&entries)?);
    }
    Ok(Answer::good(text(&lines, page)))
}

/// Both lists as one, newest first; a status change stands above the run that caused it.
fn interleaved<'a>(runs: &'a [RunRow], transitions: &'a [TransitionRow]) -> Vec<Line<'a>> {
    let transitions = transitions.iter().map(Line::Transition);
    let mut lines: Vec<_> = transitions.chain(runs.iter().map(Line::Run)).collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.at()));
    lines
}

fn entry(line: Line<'_>) -> Entry<'_> {
    match line {
        Line::Run(run) => Entry::Run(Run::from(run).with_results(run)),
        Line::Transition(transition) => Entry::Transition(Transition::from(transition)),
    }
}

fn text(lines: &[Line<'_>], page: Page) -> String {
    if lines.is_empty() {
        return "Nothing has happened yet.\n".to_owned();
    }
    let mut table = Table::new(page, 1, ["AT", "WHAT", "RESULT", "WHY"]);
    for line in lines {
        let at = instant(Some(line.at()));
        match line {
            Line::Run(run) => {
                let what = format!("run {} ({})", run.id.0, trigger_word(run.trigger));
                table.row([at, what, result_word(run.status), why_run(run)]);
            }
            Line::Transition(transition) => {
                let to = status_word(transition.to);
                table.row([at, "status".to_owned(), to, why_status(transition)]);
            }
        }
    }
    table.text()
}

fn why_run(run: &RunRow) -> String {
    let rule = sanitise(&run.rule);
    match run.subject {
        Subject::Active => rule.into_owned(),
        Subject::Candidate => format!("new configuration: {rule}"),
    }
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
        Cause::ActivePassed => "its configuration passed",
        Cause::ActiveFailed => "its configuration failed",
        Cause::CandidatePassed => "the new configuration passed",
        Cause::CandidateFailed => "the new configuration failed",
        Cause::Changed => "its configuration changed",
        Cause::Removed => "removed from the configuration",
        Cause::Drained => "nothing runs any more",
        Cause::RemovalFailed => "the removal could not be stored",
        Cause::ForceDisabled => "disabled in the configuration",
        Cause::Reenabled | Cause::ReenabledUntried => "no longer disabled",
        Cause::Upgraded => "the catalog is newer",
    }
}

/// A trigger in a word.
pub(super) const fn trigger_word(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Schedule => "schedule",
        Trigger::Confirm => "confirm",
        Trigger::Startup => "startup",
        Trigger::Change => "change",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::domain::RunId;

    #[test]
    fn runs_and_status_changes_stand_in_one_list_newest_first() {
        let mut earlier = samples::run();
        earlier.id = RunId(911);
        earlier.trigger = Trigger::Change;
        earlier.subject = Subject::Candidate;
        earlier.started_at = samples::at("2026-11-23T07:00:00Z");
        let (runs, transitions) = ([samples::run(), earlier], samples::transitions());
        let lines = interleaved(&runs, &transitions);
        let expected = "\
AT                    WHAT               RESULT                    WHY
2026-11-23T09:56:40Z  status             recurringValidationError  was enabled, its configuration failed, run 912, incident inc-1
2026-11-23T09:56:40Z  run 912 (confirm)  failed                    a transient failure \\u{9b}
2026-11-23T07:00:00Z  run 911 (change)   failed                    new configuration: a transient failure \\u{9b}
2026-11-23T06:00:00Z  status             creating                  first seen
";
        assert_eq!(samples::plain(&text(&lines, samples::page())), expected);
        assert_eq!(text(&[], samples::page()), "Nothing has happened yet.\n");
    }

    #[test]
    fn programs_get_the_kind_of_each_line() {
        let (runs, transitions) = ([samples::run()], samples::transitions());
        let entries: Vec<_> = interleaved(&runs, &transitions).into_iter().map(entry).collect();
        let json = serde_json::to_value(entries).unwrap();
        let kinds: Vec<_> = (0..3).map(|at| json[at]["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["transition", "run", "transition"]);
        let expected = serde_json::json!({
            "kind": "transition", "at": "2026-11-23T09:56:40Z", "from": "enabled",
            "to": "recurringValidationError", "cause": "activeFailed", "run": 912,
            "incidentId": "inc-1",
        });
        assert_eq!(json[0], expected);
        assert_eq!(json[1]["validationResults"]["status"], "failed");
        assert_eq!(json[2]["from"], serde_json::Value::Null);
    }
}
