//! Receivers with their states and pending deliveries.

use serde::Serialize;

use crate::domain::{DisabledReason, Timestamp};
use crate::store::ReceiverRow;

/// Receiver with its state and its pending deliveries.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receiver<'a> {
    name: &'a str,
    /// Scheme and host of its URL, where the configuration in force names it.
    url: Option<String>,
    configured: bool,
    state: ReceiverState,
    reason: Option<DisabledReason>,
    disabled_at: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    last_success_at: Option<Timestamp>,
    pending: u32,
    oldest_pending_at: Option<Timestamp>,
}

/// State of a receiver: pending deliveries are sent only while it is enabled or failing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, strum::IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[strum(serialize_all = "lowercase", const_into_str)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReceiverState {
    /// The configuration names it, and its last attempt succeeded.
    Enabled,
    /// Every attempt has failed for some time.
    Failing,
    /// Deliveries wait until a person enables it.
    Disabled,
    /// The configuration no longer names it.
    Removed,
}

impl ReceiverState {
    /// Every state, in the order of declaration.
    pub(crate) const ALL: [Self; 4] = [Self::Enabled, Self::Failing, Self::Disabled, Self::Removed];

    /// Name in JSON and for people.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl From<&ReceiverRow> for ReceiverState {
    fn from(row: &ReceiverRow) -> Self {
        match (row.disabled, row.configured, row.failing_since) {
            (Some(_), _, _) => Self::Disabled,
            (None, false, _) => Self::Removed,
            (None, true, Some(_)) => Self::Failing,
            (None, true, None) => Self::Enabled,
        }
    }
}

impl Receiver<'_> {
    /// Adds scheme and host of its URL.
    #[must_use]
    pub(crate) fn at(self, url: Option<String>) -> Self {
        Self { url, ..self }
    }

    /// Returns name, state and number of pending deliveries in a few words.
    pub(crate) fn sentence(&self) -> String {
        let (name, state) = (self.name, self.state.as_str());
        format!("{name}: {state}, {} pending", self.pending)
    }
}

impl<'a> From<&'a ReceiverRow> for Receiver<'a> {
    fn from(row: &'a ReceiverRow) -> Self {
        let (reason, disabled_at) = row.disabled.unzip();
        Self {
            name: &row.name,
            url: None,
            configured: row.configured,
            state: row.into(),
            reason,
            disabled_at,
            failing_since: row.failing_since,
            last_success_at: row.last_success_at,
            pending: row.pending,
            oldest_pending_at: row.oldest_pending_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn state_reason_and_backlog_are_shown() {
        let json = serde_json::to_value(Receiver::from(&samples::receivers()[1])).unwrap();
        let expected = serde_json::json!({
            "name": "on-call", "url": null, "configured": true, "state": "disabled", "reason": "gone",
            "disabledAt": "2026-11-23T09:00:00Z", "failingSince": null,
            "lastSuccessAt": "2026-11-23T09:59:00Z", "pending": 2,
            "oldestPendingAt": "2026-11-23T09:30:00Z",
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn the_state_follows_the_row() {
        let [audit, on_call, old] = samples::receivers();
        let failing_since = on_call.disabled.map(|(_, at)| at);
        let failing = ReceiverRow { failing_since, ..audit.clone() };
        let states = [&audit, &failing, &on_call, &old].map(ReceiverState::from);
        let expected = [
            (ReceiverState::Enabled, "enabled"),
            (ReceiverState::Failing, "failing"),
            (ReceiverState::Disabled, "disabled"),
            (ReceiverState::Removed, "removed"),
        ];
        for (state, (expected, name)) in states.into_iter().zip(expected) {
            assert_eq!((state, state.as_str()), (expected, name));
            assert_eq!(serde_json::to_value(state).unwrap(), name);
        }
    }
}
