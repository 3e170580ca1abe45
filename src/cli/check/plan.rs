//! Prints what a reload would change.

use super::super::print::{counted, sanitise};
use crate::domain::ledger::{ChangeKind, Difference, IntegrationChange, ReceiverChange};

/// Number of lines about integrations, and of names in a line.
const LINES_MAX: usize = 50;
const NAMES_MAX: usize = 10;

/// Returns the lines about a difference; nothing when there is none.
pub(super) fn lines(difference: &Difference) -> Vec<String> {
    if difference.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["A reload would change:".to_owned()];
    let Difference { refused, integrations, receivers } = difference;
    lines.extend(integrations.iter().take(LINES_MAX).map(integration));
    if let Some(more @ 1..) = integrations.len().checked_sub(LINES_MAX) {
        lines.push(format!("  and {} more", counted(more, "integration")));
    }
    lines.extend(receivers.iter().flat_map(receiver));
    if let Some(reason) = refused {
        lines.push(format!("It would be refused: {}.", sanitise(reason)));
    }
    lines
}

fn verb(change: ChangeKind) -> &'static str {
    match change {
        ChangeKind::Added => "add",
        ChangeKind::Changed => "change",
        ChangeKind::Renamed => "rename",
        ChangeKind::Disabled => "disable",
        ChangeKind::Removed => "remove",
    }
}

fn integration(one: &IntegrationChange) -> String {
    let IntegrationChange { name, change, formerly, keys, ends_incident } = one;
    let mut line = format!("  {} {}", verb(*change), sanitise(name));
    if let Some(formerly) = formerly {
        line.extend([" (formerly ", &sanitise(formerly), ")"]);
    }
    if !keys.is_empty() && *change != ChangeKind::Disabled {
        line.extend([": ", &listed(keys)]);
    }
    if *ends_incident {
        line += "; its incident ends";
    }
    line
}

fn receiver(one: &ReceiverChange) -> Vec<String> {
    let name = sanitise(&one.name);
    let keys = if one.keys.is_empty() { String::new() } else { format!(": {}", listed(&one.keys)) };
    let mut lines = match one.change {
        Some(change) => vec![format!("  {} receiver {name}{keys}", verb(change))],
        None => Vec::new(),
    };
    let events = |events: &[&'static str]| {
        let events: Vec<_> = events.iter().map(|&event| event.to_owned()).collect();
        listed(&events)
    };
    for (heard, list) in [
        ("begins to be sent", events(&one.begins_events)),
        ("is no longer sent", events(&one.stops_events)),
        ("begins to be notified of", listed(&one.begins_integrations)),
        ("is no longer notified of", listed(&one.stops_integrations)),
    ] {
        if !list.is_empty() {
            lines.push(format!("  receiver {name} {heard} {list}"));
        }
    }
    if 0 < one.passed_over {
        let pending = counted(usize::try_from(one.passed_over).unwrap_or(usize::MAX), "message");
        let reason = "since its format has no place for them";
        lines.push(format!("  receiver {name}: {pending} pending, passed over {reason}"));
    }
    lines
}

/// Returns the first of `names` for a line.
fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_MAX).map(|name| sanitise(name)).collect();
    match names.len().checked_sub(NAMES_MAX) {
        Some(more @ 1..) => format!("{} and {more} more", shown.join(", ")),
        Some(0) | None => shown.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, change: ChangeKind) -> IntegrationChange {
        IntegrationChange {
            name: name.to_owned(),
            change,
            formerly: None,
            keys: Vec::new(),
            ends_incident: false,
        }
    }

    #[test]
    fn difference_is_one_line_for_each_change() {
        assert_eq!(lines(&Difference::default()), [""; 0]);
        let keys = vec!["schedule".to_owned(), "config.host".to_owned()];
        let integrations = vec![
            IntegrationChange { keys, ..change("lake", ChangeKind::Changed) },
            change("pond\u{1b}", ChangeKind::Added),
            IntegrationChange {
                formerly: Some("old".to_owned()),
                ends_incident: true,
                ..change("new", ChangeKind::Renamed)
            },
            IntegrationChange {
                keys: vec!["disabled".to_owned()],
                ends_incident: true,
                ..change("mart", ChangeKind::Disabled)
            },
            change("gone", ChangeKind::Removed),
        ];
        let receivers = vec![ReceiverChange {
            name: "chat".to_owned(),
            change: Some(ChangeKind::Changed),
            keys: vec!["format".to_owned()],
            begins_events: Vec::new(),
            stops_events: vec!["daemon.degraded"],
            begins_integrations: (0..12).map(|number| format!("i{number}")).collect(),
            stops_integrations: vec!["lake".to_owned()],
            passed_over: 3,
        }];
        let refused = Some("too much".to_owned());
        let found = lines(&Difference { refused, integrations, receivers });
        let expected = "A reload would change:\n  change lake: schedule, config.host\n  add pond\\u{1b}\n  \
            rename new (formerly old); its incident ends\n  disable mart; its incident ends\n  \
            remove gone\n  change receiver chat: format\n  receiver chat is no longer sent \
            daemon.degraded\n  receiver chat begins to be notified of i0, i1, i2, i3, i4, i5, i6, i7, \
            i8, i9 and 2 more\n  receiver chat is no longer notified of lake\n  receiver chat: 3 \
            messages pending, passed over since its format has no place for them\nIt would be \
            refused: too much.";
        assert_eq!(found.join("\n"), expected);
    }

    #[test]
    fn many_changes_are_counted() {
        let integrations = (0..60).map(|_| change("i", ChangeKind::Added)).collect();
        let found = lines(&Difference { integrations, ..Difference::default() });
        assert_eq!((found.len(), found[51].as_str()), (52, "  and 10 integrations more"));
    }
}
