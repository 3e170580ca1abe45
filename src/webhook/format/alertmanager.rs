//! Alertmanager's API v2 (`POST /api/v2/alerts`): a failure fires an alert, a recovery resolves it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::alarm::{Alarm, Severity};
use super::text::{self, Line};
use crate::domain::{Event, Timestamp};

/// Time that an alert fires without a recovery. Alertmanager resolves an alert without `endsAt` after
/// minutes, but each change is sent only once.
const FIRING_MAX: Duration = Duration::from_hours(24 * 365);

/// Alert as the API takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// Returns the alert for `event`; none for one that neither fires nor ends.
pub(super) fn alert(event: &Event) -> Option<Alert> {
    let alarm = Alarm::of(event)?;
    let ends_at = match Severity::of(event) {
        Severity::Failure => event.timestamp.plus(FIRING_MAX),
        Severity::Recovery => event.timestamp,
        Severity::Warning | Severity::Notice => return None,
    };
    let mut labels: BTreeMap<_, _> = alarm
        .labels
        .iter()
        .map(|(name, value)| (format!("label_{}", label_name(name)), value.clone()))
        .collect();
    // An integration has a label of its own; every other source has a common one.
    let (what, source) = match text::about_integration(event) {
        Some(data) => ("integration", data.integration.name.as_str()),
        None => ("source", alarm.source.as_str()),
    };
    let own = [
        ("alertname", alarm.name),
        (what, source),
        ("type", alarm.component.as_str()),
        ("severity", "critical"),
    ];
    labels.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let mut annotations = BTreeMap::from([("summary", text::summary(event))]);
    let lines = text::lines(event);
    let description: Vec<_> = lines.iter().map(Line::text).collect();
    if !description.is_empty() {
        annotations.insert("description", description.join("\n"));
    }
    let remediation: Vec<_> = lines.into_iter().filter_map(|line| line.remediation).collect();
    if !remediation.is_empty() {
        annotations.insert("remediation", remediation.join("\n"));
    }
    annotations.extend(text::drift(event).map(|drift| ("drift", drift)));
    Some(Alert { labels, annotations, starts_at: alarm.since.min(ends_at), ends_at })
}

/// `name` with `_` for what a label's name cannot hold.
fn label_name(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(allowed).collect()
}
