//! Deliveries with their attempts, and those that are queued again.

use serde::Serialize;

use super::time::millis;
use crate::domain::{DeliveryId, Timestamp};
use crate::store::{AttemptRow, DeliveryRow, DeliveryState, Replayed};

/// Delivery of an event to a receiver, with its attempts.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery<'a> {
    id: i64,
    event_id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    receiver: &'a str,
    integration: Option<&'a str>,
    sequence: i64,
    state: &'static str,
    created_at: Timestamp,
    due_at: Option<Timestamp>,
    /// Id of the delivery that it waits for.
    behind: Option<i64>,
    attempts: Vec<Attempt<'a>>,
}

/// Attempt to deliver an event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Attempt<'a> {
    number: u32,
    started_at: Timestamp,
    duration_ms: u64,
    code: Option<u16>,
    detail: &'a str,
}

impl<'a> From<&'a DeliveryRow> for Delivery<'a> {
    fn from(row: &'a DeliveryRow) -> Self {
        let attempt = |attempt: &'a AttemptRow| Attempt {
            number: attempt.number,
            started_at: attempt.started_at,
            duration_ms: millis(attempt.duration),
            code: attempt.code,
            detail: &attempt.detail,
        };
        Self {
            id: row.id.0,
            event_id: &row.event_id,
            kind: row.kind.as_str(),
            receiver: &row.receiver,
            integration: row.integration.as_deref(),
            sequence: row.sequence,
            state: row.state.as_str(),
            created_at: row.created_at,
            due_at: (row.state == DeliveryState::Pending && row.behind.is_none())
                .then_some(row.due_at),
            behind: row.behind.map(|id| id.0),
            attempts: row.attempts.iter().map(attempt).collect(),
        }
    }
}

/// Delivery that was queued again.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Requeued<'a> {
    id: i64,
    receiver: &'a str,
    previous_state: &'static str,
    state: &'static str,
}

impl<'a> From<&'a (DeliveryId, String, DeliveryState)> for Requeued<'a> {
    fn from(queued: &'a (DeliveryId, String, DeliveryState)) -> Self {
        let (id, receiver, previous) = queued;
        let (previous_state, state) = (previous.as_str(), DeliveryState::Pending.as_str());
        Self { id: id.0, receiver, previous_state, state }
    }
}

/// Events that a replay queues again for a receiver.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplayPlan<'a> {
    receiver: &'a str,
    events: u64,
    integrations: u64,
    already_pending: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl<'a> ReplayPlan<'a> {
    /// Plan of a replay for `receiver`.
    pub(crate) fn new(receiver: &'a str, replayed: Replayed) -> Self {
        let Replayed { events, integrations, already_pending, span, .. } = replayed;
        let (first, last) = span.unzip();
        Self { receiver, events, integrations, already_pending, first, last }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::view::samples;

    #[test]
    fn every_attempt_is_shown() {
        let [failed, pending] = samples::deliveries();
        let json = serde_json::to_value([Delivery::from(&failed), Delivery::from(&pending)]);
        let json = json.unwrap();
        assert_eq!(json[0]["attempts"].as_array().unwrap().len(), 2);
        let expected = json!({ "number": 2, "startedAt": "2026-11-23T09:59:10Z",
            "durationMs": 40, "code": 410, "detail": "gone\u{202e}" });
        assert_eq!(json[0]["attempts"][1], expected);
        assert_eq!(json[0]["dueAt"], serde_json::Value::Null, "nothing is due any more");
        assert_eq!(json[1]["dueAt"], "2026-11-23T10:00:30Z");
        assert_eq!(json[1]["behind"], serde_json::Value::Null);
        let behind = DeliveryRow { behind: Some(DeliveryId(64)), ..pending };
        let behind = serde_json::to_value(Delivery::from(&behind)).unwrap();
        assert_eq!((&behind["behind"], &behind["dueAt"]), (&64.into(), &serde_json::Value::Null));
        assert_eq!(json[1]["attempts"][0]["code"], serde_json::Value::Null);
        assert_eq!(json[1]["type"], "integration.validation.failed");
        assert_eq!(json[1]["eventId"], "evt_1");
    }

    #[test]
    fn a_delivery_queued_again_shows_its_previous_state() {
        let row = (DeliveryId(7), "on-call".to_owned(), DeliveryState::Failed);
        let expected = json!({
            "id": 7, "receiver": "on-call", "previousState": "failed", "state": "pending",
        });
        assert_eq!(serde_json::to_value(Requeued::from(&row)).unwrap(), expected);
    }

    #[test]
    fn a_replay_shows_counts_and_span() {
        let span = Some((Timestamp(0), Timestamp(60_000)));
        let replayed =
            Replayed { events: 3, integrations: 1, already_pending: 2, span, is_too_much: false };
        let expected = json!({
            "receiver": "a", "events": 3, "integrations": 1, "alreadyPending": 2,
            "first": "1970-01-01T00:00:00Z", "last": "1970-01-01T00:01:00Z",
        });
        assert_eq!(serde_json::to_value(ReplayPlan::new("a", replayed)).unwrap(), expected);
    }
}
