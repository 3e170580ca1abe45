//! Outcome of a start or reload: what it changed, or why it was refused.

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
        };
        let text = serde_json::to_string(&outcome).unwrap();
        assert!(text.contains(r#""begunAt":"1970-01-01T00:00:01Z""#), "{text}");
        assert!(text.contains(r#""changed":{"count":1,"names":["lake"]}"#), "{text}");
        assert_eq!(serde_json::from_str::<Reload>(&text).unwrap(), outcome);
    }
}
