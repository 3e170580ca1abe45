//! Live figures of a running daemon: what its process knows, and its store does not.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::millis;

/// Figures that only the process of the daemon knows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Live {
    /// Random id of the database that the daemon serves.
    pub(crate) epoch: String,
    /// Number of runs in progress.
    pub(crate) runs_in_flight: u64,
    /// Number of runs that may be in progress at once.
    pub(crate) runs_limit: usize,
    /// Lateness in milliseconds that 99 % of the latest runs stay within; null before the first run.
    pub(crate) lateness_p99_ms: Option<u64>,
    /// Loops that must make progress.
    pub(crate) loops: Vec<LiveLoop>,
    /// True when the latest attempt to make a backup failed; null while the daemon makes none by itself.
    #[serde(default)]
    pub(crate) backup_failed: Option<bool>,
}

/// Loop of the daemon with its progress.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct LiveLoop {
    /// Name of the loop: `planner` or `outbox`.
    pub(crate) name: String,
    /// Time since its latest round, in milliseconds.
    pub(crate) idle_ms: u64,
    /// True when it has made no progress for too long.
    pub(crate) stands_still: bool,
}

impl LiveLoop {
    /// Loop that has been idle for so long.
    pub(crate) fn new(name: &str, idle: Duration, stands_still: bool) -> Self {
        Self { name: name.to_owned(), idle_ms: millis(idle), stands_still }
    }
}

#[cfg(test)]
impl Live {
    /// Figures of the tests.
    pub(crate) fn sample() -> Self {
        let planner = LiveLoop::new("planner", Duration::from_millis(12), false);
        Self {
            epoch: "epoch".to_owned(),
            runs_in_flight: 3,
            runs_limit: 64,
            lateness_p99_ms: Some(80),
            loops: vec![planner, LiveLoop::new("outbox", Duration::from_secs(91), true)],
            backup_failed: Some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_they_were_written() {
        let live = Live::sample();
        let text = serde_json::to_string(&live).unwrap();
        let expected = r#"{"epoch":"epoch","runsInFlight":3,"runsLimit":64,"latenessP99Ms":80,"loops":[{"name":"planner","idleMs":12,"standsStill":false},{"name":"outbox","idleMs":91000,"standsStill":true}],"backupFailed":false}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Live>(&text).unwrap(), live);
    }
}
