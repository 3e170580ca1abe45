//! Outcome of a start or reload: what it changed, or why it was refused.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Changes, Timestamp};

/// Outcome of a start or reload.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Reload {
    /// Number of reloads of this life of the daemon so far, 0 for its start.
    pub(crate) number: u64,
    /// Instant at which the files began to be read.
    pub(crate) begun_at: Timestamp,
    /// Instant at which it was done.
    pub(crate) ended_at: Timestamp,
    /// Reason for which it was refused; none when it is in force.
    pub(crate) refused: Option<String>,
    /// Faults of the configuration, as many as are kept.
    pub(crate) faults: Vec<String>,
    /// True when trying again with the same files is in vain.
    pub(crate) is_configuration: bool,
    /// Changes that it made.
    pub(crate) changes: Changes,
    /// Receivers whose format has no place for messages that were pending.
    #[serde(default)]
    pub(crate) passed_over: Vec<PassedOver>,
}

/// Pending messages that a receiver's format has no place for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PassedOver {
    /// Name of the receiver.
    pub(crate) receiver: String,
    /// Format that has no place for them.
    pub(crate) format: String,
    /// Number of the messages.
    pub(crate) messages: u32,
}

/// One sentence without its end.
impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { receiver, format, messages } = self;
        let (what, them) = if *messages == 1 { ("message", "it") } else { ("messages", "them") };
        write!(
            f,
            "{receiver}: {messages} pending {what} passed over, since format `{format}` has no place for {them}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcome_is_read_as_it_was_written() {
        let mut changes = Changes::default();
        changes.changed.add("lake");
        let outcome = Reload {
            number: 3,
            begun_at: Timestamp(1000),
            ended_at: Timestamp(2000),
            refused: Some("1 fault in the configuration".to_owned()),
            faults: vec!["a.toml:1: x: no".to_owned()],
            is_configuration: true,
            changes,
            passed_over: vec![PassedOver {
                receiver: "chat".to_owned(),
                format: "alertmanager".to_owned(),
                messages: 2,
            }],
        };
        let said = outcome.passed_over[0].to_string();
        assert_eq!(
            said,
            "chat: 2 pending messages passed over, since format `alertmanager` has no place for them"
        );
        let text = serde_json::to_string(&outcome).unwrap();
        assert!(text.contains(r#""begunAt":"1970-01-01T00:00:01Z""#), "{text}");
        assert!(text.contains(r#""changed":{"count":1,"names":["lake"]}"#), "{text}");
        assert_eq!(serde_json::from_str::<Reload>(&text).unwrap(), outcome);
    }
}
