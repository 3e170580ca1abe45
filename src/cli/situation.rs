//! Situation of an integration for people: mutes, flapping, outages, daemon faults.

use super::print::{Screen, Tone, ago, ahead, counted, sanitise, status_word, toned};
use crate::domain::{Factor, Timestamp, duration_text};
use crate::store::{IntegrationRow, MuteRow, OutageRow, OwnFaultRow, SilenceRow};
use crate::view::Situation;

/// Returns the facts that there are about `row`, by name.
pub(super) fn facts(
    row: &IntegrationRow,
    situation: &Situation,
    screen: Screen,
) -> Vec<(&'static str, String)> {
    let until = |mute: &MuteRow| {
        let (at, left) = (screen.instant(Some(mute.until)), ahead(screen.now, mute.until));
        format!("{} until {at} ({left})", sanitise(&mute.by))
    };
    let current = row.mute.as_ref();
    let mutes: Vec<_> = situation.mutes.iter().map(until).collect();
    let is_news = !mutes.is_empty() && current.map(until).as_slice() != mutes.as_slice();
    let notified = (row.notified != row.status).then(|| status_word(row.notified));
    let fault = |fault: crate::domain::OwnFault| {
        format!("daemon fault ({}); the status stays", fault.as_str())
    };
    let pending = row.pending.filter(|pending| *pending != row.status);
    let facts = [
        (
            "Pending",
            pending.map(|pending| format!("{}, when it passes again", status_word(pending))),
        ),
        ("Notified", notified),
        ("Handled", situation.acknowledgement.as_ref().map(|one| acknowledged(one, screen))),
        ("Muted", current.map(|mute| format!("by {}", until(mute)))),
        ("Mutes", is_news.then(|| mutes.join("; "))),
        ("Changes", changes(row, situation, screen.now)),
        ("Flapping", flapping(row, screen)),
        ("Outage", situation.outage.as_ref().map(|outage| outage_text(outage, screen))),
        ("Fault", row.own_fault.map(fault)),
        ("Shared", shared(situation)),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Returns who works on a failure, until when, and the comment.
pub(super) fn acknowledged(row: &SilenceRow, screen: Screen) -> String {
    let (until, left) = (screen.instant(Some(row.until)), ahead(screen.now, row.until));
    let comment = match row.comment.as_str() {
        "" => String::new(),
        comment => format!(": {}", sanitise(comment)),
    };
    format!(
        "{}until {until} ({left}){comment}",
        author(row).map_or_else(String::new, |by| by + " ")
    )
}

/// Returns `by anna`; none of an author that is not known.
fn author(row: &SilenceRow) -> Option<String> {
    (!row.author.is_empty()).then(|| format!("by {}", sanitise(&row.author)))
}

/// Returns the number of status changes that count towards flapping, and how many are allowed.
fn changes(row: &IntegrationRow, situation: &Situation, now: Timestamp) -> Option<String> {
    let count = situation.status_changes(row, now).len();
    let limits = situation.policy.map_or_else(String::new, |policy| {
        let window = duration_text(policy.flap_window);
        format!(" within {window}; {} allowed", policy.flap_flips)
    });
    (0 < count).then(|| format!("{count} notified{limits}"))
}

fn shared(situation: &Situation) -> Option<String> {
    let shared = situation.factors.iter().filter(|(_, others)| 0 < *others);
    let text = shared.map(|(factor, others)| {
        let others = counted(usize::try_from(*others).unwrap_or(usize::MAX), "other");
        format!("{} with {others}", factor_text(factor))
    });
    let texts: Vec<_> = text.collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn flapping(row: &IntegrationRow, screen: Screen) -> Option<String> {
    let since = row.flapping_since?;
    let calm = row.flapping_until.map(|until| {
        let (at, left) = (screen.instant(Some(until)), ahead(screen.now, until));
        format!("; ends at {at} ({left}) without another status change")
    });
    let (at, age) = (screen.instant(Some(since)), ago(screen.now, since));
    Some(format!("since {at} ({age}){}", calm.unwrap_or_default()))
}

pub(super) fn outage_text(outage: &OutageRow, screen: Screen) -> String {
    let (at, age) = (screen.instant(Some(outage.since)), ago(screen.now, outage.since));
    format!("{} of {} since {at} ({age})", sanitise(&outage.id), factor_text(&outage.factor))
}

fn factor_text(factor: &Factor) -> String {
    format!("{} {}", factor.kind.as_str(), sanitise(&factor.value))
}

/// Returns the text about its next run, or that it is running.
pub(super) fn next_run(row: &IntegrationRow, screen: Screen) -> String {
    match (row.lease_until, row.next_run_at) {
        (Some(until), _) if screen.now < until => "running".to_owned(),
        (_, Some(at)) => ahead(screen.now, at),
        (_, None) => toned("-", Tone::Quiet),
    }
}

/// Returns its conditions in a few words, for lists.
pub(super) fn words(row: &IntegrationRow, acknowledgement: Option<&SilenceRow>) -> String {
    let acknowledged = acknowledgement.map(|one| {
        let words: Vec<_> = ["acknowledged".to_owned()].into_iter().chain(author(one)).collect();
        let comment = if one.comment.is_empty() { "" } else { ": " };
        format!("{}{comment}{}", words.join(" "), sanitise(&one.comment))
    });
    let word = |is: bool, word: &str| is.then(|| word.to_owned());
    let words = [
        word(!row.status.is_in_use(), "not in use"),
        acknowledged,
        word(row.mute.is_some(), "muted"),
        word(row.flapping_since.is_some(), "flapping"),
        word(row.outage_id.is_some(), "outage"),
        word(row.own_fault.is_some(), "daemon fault"),
    ];
    let words: Vec<_> = words.into_iter().flatten().collect();
    if words.is_empty() {
        return toned("-", Tone::Quiet);
    }
    toned(&words.join(", "), Tone::Caution)
}

/// Returns a line for each fault on the daemon's own side.
pub(super) fn degraded(faults: &[OwnFaultRow], screen: Screen) -> String {
    let line = |row: &OwnFaultRow| {
        let (at, age) = (screen.instant(Some(row.since)), ago(screen.now, row.since));
        let (word, fault) = (toned("degraded", Tone::Bad), row.fault.as_str());
        let message = sanitise(row.message.trim_end_matches('.'));
        let effect = "no status changes because of it";
        format!("The daemon is {word} since {at} ({age}), {fault}: {message}; {effect}.\n")
    };
    faults.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::samples::{edited, faults, integration, plain, screen, silences, troubled};
    use super::*;
    use crate::domain::{Policy, Status};

    /// Facts as lines without colours.
    fn lines(row: &IntegrationRow, situation: &Situation) -> String {
        let facts = facts(row, situation, screen()).into_iter();
        let lines: Vec<_> = facts.map(|(name, value)| format!("{name}: {value}\n")).collect();
        plain(&lines.concat())
    }

    #[test]
    fn each_fact_is_a_line() {
        let (row, situation) = troubled();
        let expected = "\
Notified: enabled
Muted: by silence 3 until 2026-11-23T12:00:00Z (in 2h)
Mutes: silence 3 until 2026-11-23T12:00:00Z (in 2h); flapping until 2026-11-23T10:20:00Z (in 20m)
Changes: 1 notified within 6h; 3 allowed
Flapping: since 2026-11-23T09:00:00Z (1h ago); ends at 2026-11-23T10:20:00Z (in 20m) without another status change
Outage: out_1 of host db\\u{1b} since 2026-11-23T08:00:00Z (2h ago)
Fault: daemon fault (network); the status stays
Shared: host db\\u{1b} with 3 others
";
        assert_eq!(lines(&row, &situation), expected);
        assert_eq!(lines(&integration(), &Situation::default()), "");
    }

    #[test]
    fn mutes_are_listed_unless_the_row_names_the_only_one() {
        let (row, mut situation) = troubled();
        situation.mutes.truncate(1);
        let listed =
            |row: &IntegrationRow, situation: &Situation| lines(row, situation).contains("Mutes: ");
        assert!(!listed(&row, &situation));
        assert!(listed(&IntegrationRow { mute: None, ..row.clone() }, &situation));
        situation.mutes.clear();
        assert!(!listed(&row, &situation), "it has just ended");
    }

    #[test]
    fn pending_operation_is_a_fact_while_a_failure_in_force_covers_it() {
        let edited = edited();
        assert_eq!(lines(&edited, &Situation::default()), "");
        let row = IntegrationRow {
            status: Status::RecurringValidationError,
            notified: Status::RecurringValidationError,
            ..edited
        };
        let expected = "Pending: editError, when it passes again\n";
        assert_eq!(lines(&row, &Situation::default()), expected);
    }

    #[test]
    fn status_changes_are_counted_as_far_as_the_policy_is_known() {
        let (row, mut situation) = troubled();
        let window = Duration::from_hours(8);
        situation.policy = Some(Policy { flap_window: window, ..Policy::default() });
        let text = |situation: &Situation| changes(&row, situation, screen().now).unwrap();
        assert_eq!(text(&situation), "2 notified within 8h; 3 allowed");
        situation.policy = None;
        assert_eq!(text(&situation), "2 notified");
    }

    #[test]
    fn a_list_has_a_few_words() {
        assert_eq!(plain(&words(&troubled().0, None)), "muted, flapping, outage, daemon fault");
        assert_eq!(plain(&words(&integration(), None)), "-");
        let disabled = IntegrationRow { status: Status::Disabled, ..integration() };
        assert_eq!(plain(&words(&disabled, None)), "not in use");
        let [_, acknowledgement, ..] = silences();
        let by =
            |comment: &str| SilenceRow { comment: comment.to_owned(), ..acknowledgement.clone() };
        assert_eq!(plain(&words(&integration(), Some(&by("")))), "acknowledged by anna");
        let expected = "acknowledged by anna: new key, muted, flapping, outage, daemon fault";
        assert_eq!(plain(&words(&troubled().0, Some(&by("new key")))), expected);
    }

    #[test]
    fn acknowledgement_says_who_works_on_it() {
        let [_, one, ..] = silences();
        let comment = "new key\u{1b}".to_owned();
        let acknowledgement = Some(SilenceRow { comment, ..one });
        let situation = Situation { acknowledgement, ..Situation::default() };
        let expected = "Handled: by anna until 2026-11-23T12:00:00Z (in 2h): new key\\u{1b}\n";
        assert_eq!(lines(&integration(), &situation), expected);
    }

    #[test]
    fn a_daemon_fault_is_a_sentence() {
        let expected = "The daemon is degraded since 2026-11-23T09:00:00Z (1h ago), network: no \
                        canary answers\\u{1b}; no status changes because of it.\n";
        assert_eq!(plain(&degraded(&faults(), screen())), expected);
        assert_eq!(degraded(&[], screen()), "");
    }
}
