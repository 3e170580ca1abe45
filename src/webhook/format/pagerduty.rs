//! `PagerDuty` Events API v2: a failure triggers an incident, a recovery resolves it.

use serde::Serialize;

use super::alarm::{Alarm, Severity};
use super::text::{self, Line, OPEN_PAGE};
use crate::domain::{Class, Event, Secret, Status, Timestamp, one_line};

/// Length limit of a summary, in characters.
const SUMMARY_MAX: usize = 1024;

/// Event as the API takes it.
#[derive(Debug, Serialize)]
pub(super) struct PagerEvent {
    routing_key: String,
    #[serde(rename = "event_action")]
    action: &'static str,
    dedup_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
    client: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<[Link; 1]>,
}

/// Link that the incident shows.
#[derive(Debug, Serialize)]
struct Link {
    href: String,
    text: &'static str,
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
    status: Option<Status>,
    tests: Vec<String>,
    remediation: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

/// Returns the message for `event`; none for one that opens and closes no incident. The incident has the
/// key of the event that `began` it.
pub(super) fn event(event: &Event, began: &Event, key: Option<&Secret>) -> Option<PagerEvent> {
    let (action, severity) = match Severity::of(event) {
        Severity::Failure => ("trigger", "error"),
        Severity::Recovery => ("resolve", "info"),
        Severity::Warning | Severity::Notice => return None,
    };
    let alarm = Alarm::of(event)?;
    let data = text::about_integration(event);
    let first = data.and_then(|data| data.changes.iter().find_map(|change| change.class));
    let payload = (action == "trigger").then(|| Payload {
        summary: one_line(&text::summary(event), SUMMARY_MAX),
        source: alarm.source,
        severity,
        timestamp: alarm.since,
        component: alarm.component,
        class: first.map(Class::as_str),
        custom_details: details(event),
    });
    // Only an event that triggers may have links.
    let page = text::page(event).filter(|_| payload.is_some());
    Some(PagerEvent {
        routing_key: key.map(|key| key.expose().to_owned()).unwrap_or_default(),
        action,
        dedup_key: Alarm::of(began).map_or(alarm.key, |began| began.key),
        payload,
        client: "revalidated",
        client_url: page.map(str::to_owned),
        links: page.map(|page| [Link { href: page.to_owned(), text: OPEN_PAGE }]),
    })
}

fn details(event: &Event) -> Details {
    let lines = text::lines(event);
    Details {
        status: text::about_integration(event).map(|data| data.status),
        tests: lines.iter().map(Line::text).collect(),
        remediation: lines.into_iter().filter_map(|line| line.remediation).collect(),
        drift: text::drift(event),
        test: event.is_test,
    }
}
