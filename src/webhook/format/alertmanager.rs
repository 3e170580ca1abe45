//! Alertmanager's API v2 (`POST /api/v2/alerts`): an alert fires with a failure and ends with its
//! recovery.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::told::{Line, Told, Tone};
use crate::domain::Timestamp;

/// How long an alert fires when no recovery is told: Alertmanager would end it after minutes if
/// nobody said an end, and we tell changes once.
const FIRING_MAX: Duration = Duration::from_hours(24 * 365);

/// An alert.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// The alert for `told`; none for what neither fires nor ends.
pub(super) fn alert(told: &Told) -> Option<Alert> {
    let alarm = told.alarm()?;
    let ends_at = match told.tone() {
        Tone::Bad => told.timestamp.plus(FIRING_MAX),
        Tone::Good => told.timestamp,
        Tone::Warning | Tone::Neutral => return None,
    };
    let mut labels: BTreeMap<_, _> = alarm
        .labels
        .iter()
        .map(|(name, value)| (format!("label_{}", label_name(name)), value.clone()))
        .collect();
    // What it is about has a label of its own for each kind of thing.
    let (what, source) = match told.about_integration() {
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
    let mut annotations = BTreeMap::from([("summary", told.summary())]);
    let lines = told.lines();
    let description: Vec<_> = lines.iter().map(Line::text).collect();
    if !description.is_empty() {
        annotations.insert("description", description.join("\n"));
    }
    let remedies: Vec<_> = lines.into_iter().filter_map(|line| line.remedy).collect();
    if !remedies.is_empty() {
        annotations.insert("remediation", remedies.join("\n"));
    }
    annotations.extend(told.hint().map(|hint| ("drift", hint)));
    Some(Alert { labels, annotations, starts_at: alarm.since.min(ends_at), ends_at })
}

/// `name` with `_` for what a label's name cannot hold.
fn label_name(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(allowed).collect()
}
