//! State of the heartbeat, as commands beside the daemon see it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Number of periods after which a heartbeat is overdue: one may be lost on its way.
const PERIODS_MAX: u32 = 3;

/// State of the heartbeat.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct HeartbeatState {
    /// Time from one heartbeat to the next, in seconds.
    pub(crate) every_secs: u64,
    /// Instant at which the service took the latest one; null before the first of this life of the daemon.
    pub(crate) delivered_at: Option<Timestamp>,
    /// Reason for which the latest one was withheld or not taken; null when it was taken.
    pub(crate) problem: Option<String>,
}

impl HeartbeatState {
    /// Returns true when the latest heartbeat was taken, and not long ago.
    #[must_use]
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        let long = Duration::from_secs(self.every_secs).saturating_mul(PERIODS_MAX);
        self.problem.is_none() && self.delivered_at.is_some_and(|at| now.since(at) < long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeat_is_good_until_three_periods_have_passed() {
        let table = [
            (Some(0), None, 179, true),
            (Some(0), None, 180, false),
            (Some(0), Some("no"), 1, false),
            (None, None, 1, false),
        ];
        for (delivered, problem, now, expected) in table {
            let state = HeartbeatState {
                every_secs: 60,
                delivered_at: delivered.map(Timestamp),
                problem: problem.map(str::to_owned),
            };
            assert_eq!(state.is_good(Timestamp(now * 1000)), expected, "{state:?} {now}");
        }
    }
}
