//! Deliveries, receivers and notices of the tests.

use std::time::Duration;

use super::samples::at;
use crate::domain::{DeliveryId, DisabledReason, EventType};
use crate::store::{AttemptRow, DeliveryRow, DeliveryState, NoticeRow, NoticeState, ReceiverRow};

pub(crate) fn deliveries() -> [DeliveryRow; 2] {
    let attempt = |number, code, detail: &str| AttemptRow {
        number,
        started_at: at("2026-11-23T09:59:10Z"),
        duration: Duration::from_millis(40),
        code,
        detail: detail.to_owned(),
    };
    let delivery = |id, receiver: &str, state, attempts| DeliveryRow {
        id: DeliveryId(id),
        event_id: "evt_1".to_owned(),
        kind: EventType::ValidationFailed,
        receiver: receiver.to_owned(),
        integration: Some("lake".to_owned()),
        sequence: 17,
        state,
        created_at: at("2026-11-23T09:56:40Z"),
        due_at: at("2026-11-23T10:00:30Z"),
        behind: None,
        attempts,
    };
    let gone = vec![attempt(1, Some(500), ""), attempt(2, Some(410), "gone\u{202e}")];
    let refused = vec![attempt(1, None, "connection refused")];
    [
        delivery(1, "on-call", DeliveryState::Failed, gone),
        delivery(2, "audit", DeliveryState::Pending, refused),
    ]
}

pub(crate) fn receivers() -> [ReceiverRow; 3] {
    let row = |name: &str| ReceiverRow {
        name: name.to_owned(),
        configured: true,
        disabled: None,
        failing_since: None,
        last_success_at: Some(at("2026-11-23T09:59:00Z")),
        pending: 0,
        oldest_pending_at: None,
    };
    let gone = Some((DisabledReason::Gone, at("2026-11-23T09:00:00Z")));
    let pending = (2, Some(at("2026-11-23T09:30:00Z")));
    [
        row("audit"),
        ReceiverRow {
            disabled: gone,
            pending: pending.0,
            oldest_pending_at: pending.1,
            ..row("on-call")
        },
        ReceiverRow { configured: false, last_success_at: None, ..row("old\u{1b}") },
    ]
}

/// Receivers of an open incident.
pub(crate) fn notices() -> [NoticeRow; 3] {
    let notice = |receiver: &str, state, delivery| NoticeRow {
        receiver: receiver.to_owned(),
        state,
        delivery,
        ended_at: None,
        due_at: Some(at("2026-11-23T10:00:30Z")),
    };
    let delivered = Some(at("2026-11-23T08:00:10Z"));
    let later = Some(at("2026-11-23T10:15:00Z"));
    let sent = NoticeState::Sent;
    [
        notice("audit", sent, Some(DeliveryState::Pending)),
        NoticeRow { due_at: later, ..notice("night", NoticeState::Waiting, None) },
        NoticeRow {
            ended_at: delivered,
            ..notice("on-call", sent, Some(DeliveryState::Delivered))
        },
    ]
}
