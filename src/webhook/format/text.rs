//! Sentences about an event that the forms for people have in common.
//!
//! Text of others (names, answers of platforms) is cut to one bounded line; escaping it is left to
//! the form, which knows its own markup.

use std::time::Duration;

use crate::domain::{
    Change, ConfigurationApplied, DaemonFaultNotice, Drift, EndedBy, Event, EventData, EventType,
    Factor, IntegrationRef, NameList, OutageMember, OutageNotice, Payload, ReceiverDisabled,
    ReportStatus, Status, WebhookPing, duration_text, one_line,
};

/// Text of the link to the page.
pub(super) const OPEN_PAGE: &str = "Open the page";
/// Number of lines that a message for people has at most.
pub(super) const LINES_MAX: usize = 8;
/// Length of the longest name, in characters.
pub(super) const NAME_MAX: usize = 100;
/// Length of the longest text of a line, in characters.
const TEXT_MAX: usize = 500;

/// One changed test, or one member of an outage, in bounded texts.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Line {
    /// The test or integration with its result.
    pub(super) head: String,
    /// The reason of the result.
    pub(super) message: Option<String>,
    /// The way to fix it.
    pub(super) remediation: Option<String>,
}

impl Line {
    /// Returns head and reason as one line.
    pub(super) fn text(&self) -> String {
        let message = self.message.as_ref().map_or(String::new(), |why| format!(" – {why}"));
        format!("{}{message}", self.head)
    }
}

/// Returns the news in one line: `lake: validation failed: NoSuchBucket: ...`. That of a test says so first.
pub(super) fn summary(event: &Event) -> String {
    let mark = if event.is_test { "[test] " } else { "" };
    format!("{mark}{}", news(event))
}

fn news(event: &Event) -> String {
    match &event.data {
        Payload::Integration(data) => integration_summary(event.kind, data),
        Payload::ConfigurationApplied(applied) => applied_summary(applied),
        Payload::Outage(outage) => outage_summary(outage),
        Payload::DaemonFaultNotice(notice) => daemon_summary(notice),
        Payload::ReceiverDisabled(disabled) => receiver_summary(disabled),
        Payload::WebhookPing(WebhookPing { receiver, message, .. }) => {
            format!("{}: {}", one_line(receiver, NAME_MAX), one_line(message, TEXT_MAX))
        }
    }
}

/// Returns the lines worth showing to people, worst first; at most [`LINES_MAX`].
pub(super) fn lines(event: &Event) -> Vec<Line> {
    match &event.data {
        Payload::Integration(data) => change_lines(data),
        Payload::ConfigurationApplied(applied) => name_lines(applied),
        Payload::Outage(outage) => {
            let line = |member| member_line(member, outage.outage_ms.is_some());
            outage.integrations.iter().take(LINES_MAX).map(line).collect()
        }
        Payload::DaemonFaultNotice(_) | Payload::ReceiverDisabled(_) | Payload::WebhookPing(_) => {
            Vec::new()
        }
    }
}

/// Returns the number of lines that [`lines`] leaves out.
pub(super) fn omitted(event: &Event) -> usize {
    let all = match &event.data {
        Payload::Integration(data) => data.changes.iter().filter(|change| is_shown(change)).count(),
        Payload::Outage(outage) => size(outage),
        Payload::ConfigurationApplied(_)
        | Payload::DaemonFaultNotice(_)
        | Payload::ReceiverDisabled(_)
        | Payload::WebhookPing(_) => 0,
    };
    all.saturating_sub(LINES_MAX)
}

/// Returns what differs from the last passing run besides the results, in one line.
pub(super) fn drift(event: &Event) -> Option<String> {
    let drifts = about_integration(event).map_or(&[][..], |data| &data.drift);
    let texts: Vec<_> = drifts.iter().map(Drift::text).collect();
    let text = format!("Since the last passing run: {}", texts.join("; "));
    (!texts.is_empty()).then(|| one_line(&text, TEXT_MAX))
}

/// Returns the short words below a message: platform and status, or what an outage is of.
pub(super) fn footer(event: &Event) -> Vec<String> {
    match &event.data {
        Payload::Integration(data) => {
            vec![one_line(&data.integration.kind, NAME_MAX), data.status.to_string()]
        }
        Payload::Outage(outage) => vec![outage.factor.kind.as_str().to_owned()],
        Payload::ConfigurationApplied(_)
        | Payload::DaemonFaultNotice(_)
        | Payload::ReceiverDisabled(_)
        | Payload::WebhookPing(_) => vec!["revalidated".to_owned()],
    }
}

/// Returns the address of the page about what the event is about, if the event has one.
pub(super) fn page(event: &Event) -> Option<&str> {
    event.data.links().map(|links| links.page.as_str())
}

/// Returns the payload of an event about one integration.
pub(super) fn about_integration(event: &Event) -> Option<&EventData> {
    match &event.data {
        Payload::Integration(data) => Some(data),
        Payload::ConfigurationApplied(_)
        | Payload::Outage(_)
        | Payload::DaemonFaultNotice(_)
        | Payload::ReceiverDisabled(_)
        | Payload::WebhookPing(_) => None,
    }
}

/// Returns the integration's name in one bounded line.
pub(super) fn integration_name(integration: &IntegrationRef) -> String {
    one_line(&integration.name, NAME_MAX)
}

fn integration_summary(kind: EventType, data: &EventData) -> String {
    let EventData { status, previous_status, outage_ms, .. } = data;
    let name = integration_name(&data.integration);
    let reason = change_lines(data).into_iter().find_map(|line| line.message);
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    match kind {
        EventType::ValidationFailed => format!("{name}: {}{reason}", failure(*status)),
        EventType::ValidationRecovered => {
            let end = match data.ended_by {
                None | Some(EndedBy::Passed) => "validation passes again",
                Some(EndedBy::Disabled) => "no longer watched (disabled)",
                Some(EndedBy::Removed) => "no longer watched (removed)",
                Some(EndedBy::Renamed) => "no longer watched under this name",
            };
            format!("{name}: {end}{}", after(*outage_ms))
        }
        EventType::ValidationReminder => format!("{name}: still {}{reason}", status.as_str()),
        EventType::FlappingStarted => {
            format!("{name}: flapping; messages are muted until it is stable")
        }
        EventType::FlappingEnded => format!("{name}: stable again, {status}{reason}"),
        EventType::ValidationWarning => format!("{name}: warnings changed{reason}"),
        // Only the first of these is about an integration.
        EventType::StatusChanged
        | EventType::ConfigurationApplied
        | EventType::Outage
        | EventType::OutageResolved
        | EventType::DaemonDegraded
        | EventType::DaemonRecovered
        | EventType::ReceiverDisabled
        | EventType::WebhookPing => {
            let before = previous_status.map_or("new", Status::as_str);
            let reason = if status.is_error() { reason } else { String::new() };
            format!("{name}: {before} \u{2192} {status}{reason}")
        }
    }
}

/// Returns what failed when an integration entered this status.
const fn failure(status: Status) -> &'static str {
    match status {
        Status::CreateError => "the first validation failed",
        Status::EditError => "validation of the new configuration failed",
        Status::MigrateError => "migration failed",
        Status::DeleteError => "the removal could not be stored",
        Status::RecurringValidationError
        | Status::Creating
        | Status::Deleted
        | Status::Deleting
        | Status::Disabled
        | Status::Editing
        | Status::Enabled
        | Status::Migrating => "validation failed",
    }
}

/// Returns `configuration applied: 12 added, 3 changed, 1 removed`.
fn applied_summary(applied: &ConfigurationApplied) -> String {
    let counts = applied.changes.lists().map(|(heading, _)| heading);
    let counts: Vec<_> = counts.collect();
    let counts = if counts.is_empty() { "no changes".to_owned() } else { counts.join(", ") };
    format!("configuration applied: {counts}")
}

/// Returns a line for each kind of change, with the first names.
fn name_lines(applied: &ConfigurationApplied) -> Vec<Line> {
    let line = |(head, list): (String, &NameList)| {
        let names: Vec<_> = list.names.iter().map(|name| one_line(name, NAME_MAX)).collect();
        let listed = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let more = match list.count.saturating_sub(listed) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let names = one_line(&names.join(", "), TEXT_MAX);
        Line { head, message: Some(names + &more), remediation: None }
    };
    applied.changes.lists().map(line).collect()
}

/// Returns `25 integrations fail by one cause: host db.example.com`, or that this is over.
fn outage_summary(outage: &OutageNotice) -> String {
    let Factor { kind, value } = &outage.factor;
    let (count, kind) = (size(outage), kind.as_str());
    let value = one_line(value, NAME_MAX);
    if outage.outage_ms.is_none() {
        return format!("{count} integrations fail by one cause: {kind} {value}");
    }
    let members = outage.integrations.iter();
    let failing = members.filter(|one| one.status == Status::RecurringValidationError).count();
    let failing = match failing {
        0 => String::new(),
        failing => format!(", {failing} of {count} still fail by themselves"),
    };
    format!("outage of {kind} {value} is over{}{failing}", after(outage.outage_ms))
}

fn daemon_summary(notice: &DaemonFaultNotice) -> String {
    let (fault, message) = (notice.fault.as_str(), one_line(&notice.message, TEXT_MAX));
    match notice.lasted_ms {
        None => format!("revalidated cannot judge integrations ({fault}): {message}"),
        lasted => format!("revalidated can judge integrations again ({fault}){}", after(lasted)),
    }
}

fn receiver_summary(disabled: &ReceiverDisabled) -> String {
    let ReceiverDisabled { reason, pending, .. } = disabled;
    let (name, why) = (one_line(&disabled.receiver, NAME_MAX), reason.clause());
    format!("{name}: receiver disabled, since {why}; pending deliveries: {pending}")
}

/// Number of integrations that an outage is about.
fn size(outage: &OutageNotice) -> usize {
    let unlisted = usize::try_from(outage.unlisted).unwrap_or(usize::MAX);
    outage.integrations.len().saturating_add(unlisted)
}

/// One member of an outage in a line, while it lasts or after it.
fn member_line(member: &OutageMember, over: bool) -> Line {
    let name = integration_name(&member.integration);
    let kind = one_line(&member.integration.kind, NAME_MAX);
    let now = match (member.status, over) {
        (Status::Enabled, false) => "fails, not confirmed yet",
        (status, _) => status.as_str(),
    };
    Line { head: format!("{name} ({kind}): {now}"), message: None, remediation: None }
}

fn change_lines(data: &EventData) -> Vec<Line> {
    let rank = |status| match status {
        ReportStatus::Failed => 0,
        ReportStatus::Warning => 1,
        ReportStatus::Passed => 2,
        ReportStatus::Skipped => 3,
    };
    let mut changes: Vec<_> = data.changes.iter().filter(|change| is_shown(change)).collect();
    changes.sort_by_key(|change| rank(change.to));
    changes.into_iter().take(LINES_MAX).map(change_line).collect()
}

/// False for a test that was not run, and for one that was not run before and passes now: neither
/// is news for people.
fn is_shown(change: &Change) -> bool {
    match change.to {
        ReportStatus::Failed | ReportStatus::Warning => true,
        ReportStatus::Passed => change.from != Some(ReportStatus::Skipped),
        ReportStatus::Skipped => false,
    }
}

fn change_line(change: &Change) -> Line {
    let bounded = |text: &String| one_line(text, TEXT_MAX);
    Line {
        head: format!("{}: {}", change.to.as_str(), one_line(&change.test, NAME_MAX)),
        message: change.message.as_ref().map(bounded),
        remediation: change.remediation.as_ref().map(bounded),
    }
}

/// Returns ` after 5m`, or nothing.
fn after(lasted_ms: Option<i64>) -> String {
    let lasted = lasted_ms.and_then(|ms| u64::try_from(ms).ok());
    lasted.map_or(String::new(), |ms| {
        format!(" after {}", duration_text(Duration::from_secs(ms / 1000)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Changes, Class, FactKind, samples};

    fn event(name: &str) -> Event {
        let (_, body) = samples().into_iter().find(|(found, _)| *found == name).unwrap();
        serde_json::from_str(&body).unwrap()
    }

    fn integration(event: &mut Event) -> &mut EventData {
        let Payload::Integration(data) = &mut event.data else { panic!("about no integration") };
        data
    }

    fn change(test: &str, from: Option<ReportStatus>, to: ReportStatus) -> Change {
        let message = Some(format!("reason of {test}"));
        Change {
            test: test.to_owned(),
            from,
            to,
            message,
            class: Some(Class::Denied),
            remediation: None,
        }
    }

    #[test]
    fn summary_is_one_line_about_what_happened() {
        let table = [
            ("failed", "lake: validation failed: NoSuchBucket: "),
            ("recovered", "lake: validation passes again after "),
            ("reminder", "lake: still recurringValidationError: NoSuchBucket: "),
            ("changed", "lake: new \u{2192} creating"),
            ("applied", "applied: 12 added, 3 changed, 1 removed, 1 receiver added"),
            ("warning", "lake: warnings changed"),
            ("flapping", "lake: flapping; messages are muted until it is stable"),
            ("calm", "lake: stable again, enabled"),
            ("outage", "integrations fail by one cause: host "),
            ("resolved", "outage of host "),
            ("degraded", "revalidated cannot judge integrations (network): none of 7 hosts"),
            ("restored", "revalidated can judge integrations again (network) after "),
            (
                "disabled",
                "on-call: receiver disabled, since it answered 410 Gone; pending deliveries: 12",
            ),
            ("ping", "on-call: "),
        ];
        assert_eq!(table.len(), samples().len());
        for (name, expected) in table {
            let found = summary(&event(name));
            assert!(found.contains(expected), "{name}: {found}");
            assert!(!found.contains('\n'), "{name}: {found}");
        }
    }

    #[test]
    fn status_change_shows_its_reason_only_in_an_error_status() {
        let mut event = event("changed");
        let data = integration(&mut event);
        data.previous_status = Some(Status::Editing);
        data.changes = vec![change("t", None, ReportStatus::Failed)];
        data.status = Status::EditError;
        assert_eq!(summary(&event), "lake: editing \u{2192} editError: reason of t");
        integration(&mut event).status = Status::Enabled;
        assert_eq!(summary(&event), "lake: editing \u{2192} enabled");
    }

    #[test]
    fn end_of_an_incident_says_whether_anything_passed() {
        let table = [
            (EndedBy::Passed, "lake: validation passes again after 6m 31s"),
            (EndedBy::Disabled, "lake: no longer watched (disabled) after 6m 31s"),
            (EndedBy::Removed, "lake: no longer watched (removed) after 6m 31s"),
            (EndedBy::Renamed, "lake: no longer watched under this name after 6m 31s"),
        ];
        for (ended_by, expected) in table {
            let mut event = event("recovered");
            integration(&mut event).ended_by = Some(ended_by);
            let found = summary(&event);
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn applied_configuration_lists_its_first_names() {
        let mut event = event("applied");
        let found: Vec<_> = lines(&event).iter().map(Line::text).collect();
        assert_eq!(found[1], "3 changed \u{2013} lake, warehouse, mart");
        let Payload::ConfigurationApplied(applied) = &mut event.data else { panic!("another") };
        let changed = NameList { count: 9, ..std::mem::take(&mut applied.changes.changed) };
        applied.changes = Changes { changed, ..Changes::default() };
        let found: Vec<_> = lines(&event).iter().map(Line::text).collect();
        assert_eq!(found, ["9 changed \u{2013} lake, warehouse, mart and 6 more"]);
        assert_eq!(summary(&event), "configuration applied: 9 changed");
    }

    #[test]
    fn lines_come_worst_first_and_the_omitted_are_counted() {
        let mut event = event("failed");
        let repaired = (0..20).map(|number| {
            change(&format!("passed {number}"), Some(ReportStatus::Failed), ReportStatus::Passed)
        });
        let others = [
            change("skipped", Some(ReportStatus::Passed), ReportStatus::Skipped),
            change("passes for the first time", Some(ReportStatus::Skipped), ReportStatus::Passed),
            change("warned", Some(ReportStatus::Passed), ReportStatus::Warning),
            change("failed", None, ReportStatus::Failed),
        ];
        integration(&mut event).changes = repaired.chain(others).collect();
        let heads: Vec<_> = lines(&event).into_iter().map(|line| line.head).collect();
        assert_eq!(heads.len(), LINES_MAX);
        assert_eq!(heads[..3], ["failed: failed", "warning: warned", "passed: passed 0"]);
        assert_eq!(omitted(&event), 22 - LINES_MAX, "what is no news is not counted");
        integration(&mut event).changes.clear();
        assert_eq!((lines(&event), omitted(&event)), (Vec::new(), 0));
    }

    #[test]
    fn members_of_an_outage_are_lines_with_their_status() {
        let mut event = event("outage");
        let Payload::Outage(outage) = &mut event.data else { panic!("about no outage") };
        let mut member = outage.integrations[0].clone();
        member.integration.name = "one".to_owned();
        member.integration.kind = "Redshift".to_owned();
        member.status = Status::Enabled;
        outage.integrations = vec![member; LINES_MAX + 3];
        outage.unlisted = 7;
        assert_eq!(omitted(&event), 10);
        assert_eq!(lines(&event)[0].text(), "one (Redshift): fails, not confirmed yet");
        let Payload::Outage(outage) = &mut event.data else { panic!("about no outage") };
        outage.outage_ms = Some(61_000);
        assert_eq!(lines(&event)[0].text(), "one (Redshift): enabled", "it is over");
        assert!(summary(&event).ends_with(" is over after 1m 1s"), "{}", summary(&event));
        let Payload::Outage(outage) = &mut event.data else { panic!("about no outage") };
        outage.integrations[0].status = Status::RecurringValidationError;
        let found = summary(&event);
        assert!(found.ends_with(", 1 of 18 still fail by themselves"), "{found}");
    }

    #[test]
    fn drift_is_one_bounded_line_and_absent_without_any() {
        let mut event = event("failed");
        integration(&mut event).drift.clear();
        assert_eq!(drift(&event), None);
        assert_eq!(drift(&self::event("ping")), None);
        let lost = Drift {
            kind: FactKind::Grant,
            of: "db\n".to_owned(),
            lost: vec!["SELECT".repeat(200)],
            gained: Vec::new(),
        };
        integration(&mut event).drift = vec![lost];
        let found = drift(&event).unwrap();
        assert!(
            found.starts_with("Since the last passing run: grants of db : lost SELECT"),
            "{found}"
        );
        assert_eq!(found.chars().count(), TEXT_MAX, "{found}");
    }
}
