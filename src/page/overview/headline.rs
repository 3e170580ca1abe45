//! Headline of the overview: one sentence that says what is broken, and a second one that scopes it.

use super::asked::Show;
use super::selection::Selection;
use crate::domain::Status;
use crate::page::text::{counted, grouped};
use crate::store::{OwnFaultRow, ReceiverRow};
use crate::view::ReceiverState;

/// State of the daemon as far as the headline says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DaemonState<'a> {
    /// Faults on the daemon's own side that last.
    pub(crate) faults: &'a [OwnFaultRow],
    /// True when the latest reload was refused.
    pub(crate) is_refused: bool,
    /// Receivers that are, or were, configured; empty where they are not shown.
    pub(crate) receivers: &'a [ReceiverRow],
}

/// Headline with what follows from it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Headline {
    /// First sentence, without a full stop.
    pub(crate) first: String,
    /// Sentences that scope it.
    pub(crate) second: String,
    /// Text of the tab.
    pub(crate) title: String,
}

impl Headline {
    /// Headline about the rows that are selected.
    pub(crate) fn of(
        selection: &Selection<'_>,
        daemon: &DaemonState<'_>,
        is_narrowed: bool,
    ) -> Self {
        let failing = selection.count(Show::Failing);
        let total = selection.matching.len();
        let count = integrations(selection, is_narrowed);
        let first = match daemon.faults.first() {
            Some(row) => {
                format!("The daemon is degraded ({}): {}", row.fault.as_str(), lower(&count))
            }
            None if daemon.is_refused => {
                format!("The latest configuration was refused: {}", lower(&count))
            }
            None => count,
        };
        let title = match failing {
            0 if total == 0 => "No integrations".to_owned(),
            0 => "All well".to_owned(),
            failing => format!("{} failing", grouped(failing)),
        };
        let sentences = [causes(selection), attention(selection), daemon_sentence(daemon)];
        let second: Vec<_> = sentences.into_iter().flatten().collect();
        Self { first, second: second.join(" "), title }
    }
}

/// Returns the number of those that fail as a sentence.
fn integrations(selection: &Selection<'_>, is_narrowed: bool) -> String {
    let (failing, total) = (selection.count(Show::Failing), selection.matching.len());
    let that = if is_narrowed { "matching " } else { "" };
    let all = selection.matching.iter().all(|row| row.status == Status::Enabled);
    match (failing, total) {
        (_, 0) if is_narrowed => "No integration matches".to_owned(),
        (_, 0) => "No integrations are configured".to_owned(),
        (0, 1) if all => format!("The {that}integration is enabled"),
        (0, total) if all => {
            format!("All {} {that}integrations are enabled", grouped(total))
        }
        (0, 1) => format!("The {that}integration is not failing"),
        (0, total) => format!("None of {} {that}integrations is failing", grouped(total)),
        (1, 1) => format!("The {that}integration is failing"),
        (failing, total) => {
            let is = if failing == 1 { "is" } else { "are" };
            format!("{} of {} {that}integrations {is} failing", grouped(failing), grouped(total))
        }
    }
}

/// Returns how failures are shared.
fn causes(selection: &Selection<'_>) -> Option<String> {
    let largest = selection.causes.iter().map(|cause| cause.rows.len()).max()?;
    let failing = selection.count(Show::Failing);
    match largest {
        0 | 1 => None,
        all if all == failing => Some("All of them fail by one cause.".to_owned()),
        some => Some(format!("{} of them fail by one cause.", grouped(some))),
    }
}

fn attention(selection: &Selection<'_>) -> Option<String> {
    match (selection.count(Show::Attention), selection.count(Show::Failing)) {
        (0, _) => None,
        (1, 0) => Some("1 needs a look before it fails.".to_owned()),
        (1, _) => Some("1 more needs a look before it fails.".to_owned()),
        (number, 0) => Some(format!("{} need a look before they fail.", grouped(number))),
        (number, _) => Some(format!("{} more need a look before they fail.", grouped(number))),
    }
}

/// Returns the state of the daemon and its receivers.
fn daemon_sentence(daemon: &DaemonState<'_>) -> Option<String> {
    if !daemon.faults.is_empty() {
        return Some("No status changes because of the daemon's own fault.".to_owned());
    }
    let in_use = daemon.receivers.iter().map(ReceiverState::from);
    let in_use: Vec<_> = in_use.filter(|state| *state != ReceiverState::Removed).collect();
    let bad = in_use.iter().filter(|state| **state != ReceiverState::Enabled).count();
    let receivers = match (bad, in_use.len()) {
        (_, 0) => String::new(),
        (0, _) => ", and every receiver is notified".to_owned(),
        (bad, all) => format!(", but {} of {} cannot be notified", bad, counted(all, "receiver")),
    };
    (!daemon.is_refused).then(|| format!("The daemon is well{receivers}."))
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{IntegrationId, ReportStatus};
    use crate::page::mutes::Mutes;
    use crate::page::overview::asked::Asked;
    use crate::store::{Mark, StatusRow};
    use crate::view::samples;

    fn headline(
        statuses: &[(Status, Option<&str>)],
        daemon: &DaemonState<'_>,
        query: &str,
    ) -> Headline {
        let warned = samples::status().last_run.unwrap();
        let warned = Mark { status: ReportStatus::Warning, ..warned };
        let row = |(at, (status, outage)): (usize, &(Status, Option<&str>))| StatusRow {
            id: IntegrationId(i64::try_from(at).unwrap()),
            name: format!("n{at:03}"),
            status: *status,
            outage_id: outage.filter(|_| status.is_error()).map(str::to_owned),
            last_run: outage.filter(|_| !status.is_error()).map(|_| warned),
            ..samples::status()
        };
        let rows: Vec<_> = statuses.iter().enumerate().map(row).collect();
        let (asked, now) = (Asked::read(query).unwrap(), samples::now());
        let selection = Selection::of(rows.iter(), &asked, &Mutes::at(&[], &[], now), now);
        Headline::of(&selection, daemon, asked.is_narrowed())
    }

    const WELL: DaemonState<'_> = DaemonState { faults: &[], is_refused: false, receivers: &[] };

    #[test]
    fn first_sentence_says_what_is_broken() {
        let (enabled, failing) =
            ((Status::Enabled, None), (Status::RecurringValidationError, None));
        let (disabled, untried) = ((Status::Disabled, None), (Status::CreateError, None));
        let table = [
            (vec![], "", "No integrations are configured", "No integrations"),
            (vec![], "q=x", "No integration matches", "No integrations"),
            (vec![enabled; 41], "", "All 41 integrations are enabled", "All well"),
            (vec![enabled], "", "The integration is enabled", "All well"),
            (vec![enabled, disabled], "", "None of 2 integrations is failing", "All well"),
            (vec![failing], "", "The integration is failing", "1 failing"),
            (vec![failing, enabled], "", "1 of 2 integrations is failing", "1 failing"),
            (vec![untried, enabled], "", "1 of 2 integrations is failing", "1 failing"),
            (vec![failing, failing, enabled], "", "2 of 3 integrations are failing", "2 failing"),
            (
                vec![failing, failing, enabled],
                "type=Redshift",
                "2 of 3 matching integrations are failing",
                "2 failing",
            ),
        ];
        for (statuses, query, first, title) in table {
            let shown = headline(&statuses, &WELL, query);
            assert_eq!((shown.first.as_str(), shown.title.as_str()), (first, title));
        }
    }

    #[test]
    fn second_sentence_scopes_the_first() {
        let shared = (Status::RecurringValidationError, Some("out_1"));
        let alone = (Status::RecurringValidationError, None);
        let edit = (Status::EditError, None);
        let warned = (Status::Enabled, Some("warned"));
        let receivers = samples::receivers();
        let with = DaemonState { receivers: &receivers, ..WELL };
        let table = [
            (
                vec![shared, shared, shared, alone, edit, warned],
                WELL,
                "3 of them fail by one cause. 1 more needs a look before it fails. The daemon is well.",
            ),
            (vec![shared, shared], WELL, "All of them fail by one cause. The daemon is well."),
            (vec![edit, edit], WELL, "The daemon is well."),
            (vec![warned; 2], WELL, "2 need a look before they fail. The daemon is well."),
            (vec![], with, "The daemon is well, but 1 of 2 receivers cannot be notified."),
            (
                vec![],
                DaemonState { receivers: &receivers[..1], ..WELL },
                "The daemon is well, and every receiver is notified.",
            ),
        ];
        for (statuses, daemon, second) in table {
            assert_eq!(headline(&statuses, &daemon, "").second, second);
        }
    }

    #[test]
    fn daemon_at_fault_says_so_first() {
        let faults = samples::faults();
        let degraded = DaemonState { faults: &faults, ..WELL };
        let shown = headline(&[(Status::Enabled, None)], &degraded, "");
        assert_eq!(shown.first, "The daemon is degraded (network): the integration is enabled");
        assert_eq!(shown.second, "No status changes because of the daemon's own fault.");
        let refused = DaemonState { is_refused: true, ..WELL };
        let shown = headline(&[(Status::Enabled, None)], &refused, "");
        assert_eq!(shown.first, "The latest configuration was refused: the integration is enabled");
        assert_eq!(shown.second, "");
    }
}
