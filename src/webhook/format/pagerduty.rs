//! `PagerDuty` Events API v2: an incident is triggered by a failure and resolved by its recovery.

use serde::Serialize;

use super::told::{Line, Told, Tone};
use crate::domain::{Secret, Timestamp, one_line};

/// The longest summary that `PagerDuty` takes, in characters.
const SUMMARY_MAX: usize = 1024;

/// What the API takes.
#[derive(Debug, Serialize)]
pub(super) struct Event {
    routing_key: String,
    #[serde(rename = "event_action")]
    action: &'static str,
    dedup_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
    client: &'static str,
}

#[derive(Debug, Serialize)]
struct Payload {
    summary: String,
    source: String,
    severity: &'static str,
    timestamp: Timestamp,
    component: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    custom_details: Details,
}

#[derive(Debug, Serialize)]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    tests: Vec<String>,
    remediation: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<String>,
}

/// The event for `told`; none for what opens and closes no incident.
pub(super) fn event(told: &Told, key: Option<&Secret>) -> Option<Event> {
    let (action, severity) = match told.tone() {
        Tone::Bad => ("trigger", "error"),
        Tone::Good => ("resolve", "info"),
        Tone::Warning | Tone::Neutral => return None,
    };
    let alarm = told.alarm()?;
    let data = told.about_integration();
    let first = data.and_then(|data| data.changes.iter().find_map(|change| change.class));
    let payload = (action == "trigger").then(|| Payload {
        summary: one_line(&told.summary(), SUMMARY_MAX),
        source: alarm.source,
        severity,
        timestamp: alarm.since,
        component: alarm.component,
        class: first.map(crate::domain::Class::as_str),
        custom_details: details(told),
    });
    Some(Event {
        routing_key: key.map(|key| key.expose().to_owned()).unwrap_or_default(),
        action,
        dedup_key: alarm.key,
        payload,
        client: "revalidated",
    })
}

fn details(told: &Told) -> Details {
    let lines = told.lines();
    Details {
        status: told.about_integration().map(|data| data.status.clone()),
        tests: lines.iter().map(Line::text).collect(),
        remediation: lines.into_iter().filter_map(|line| line.remedy).collect(),
        drift: told.hint(),
    }
}
