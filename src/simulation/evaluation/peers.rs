//! The rules by which others decide that something is down, as their documentation gives them.

use super::scene::{RUN_MS, Scene};
use crate::domain::Timestamp;
use crate::simulation::faults::{Answer, MINUTE};
use crate::simulation::plan::Plan;

/// When somebody is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    /// About which integration; none when it is about several.
    pub(super) number: Option<usize>,
    /// That it fails; otherwise that it works again, or something else.
    pub(super) is_failure: bool,
    /// When.
    pub(super) at: Timestamp,
}

/// A rule: so many checks in a row decide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// Whose it is.
    pub(super) name: &'static str,
    /// Where it says so.
    pub(super) source: &'static str,
    /// Failing checks in a row that make a failure.
    failures: u32,
    /// Passing checks in a row that make a recovery.
    passes: u32,
    /// How long it waits after a failing check that does not decide yet; a whole interval when it has no
    /// time of its own for that.
    retry_ms: Option<i64>,
}

/// Everybody.
pub(super) const PEERS: &[Peer] = &[
    Peer {
        name: "first failure; Uptime Kuma by default",
        source: "one failing check is a failure, one passing check ends it (`maxretries` 0, \
                 src/pages/EditMonitor.vue of louislam/uptime-kuma)",
        failures: 1,
        passes: 1,
        retry_ms: None,
    },
    Peer {
        name: "Gatus",
        source: "`failure-threshold` 3, `success-threshold` 2, both at the interval (defaults; \
                 README of TwiN/gatus, \"Alerting\")",
        failures: 3,
        passes: 2,
        retry_ms: None,
    },
    Peer {
        name: "Uptime Kuma, 1 retry",
        source: "\"Retries\" 1, \"Heartbeat Retry Interval\" 60 s; a retry is not the default",
        failures: 2,
        passes: 1,
        retry_ms: Some(MINUTE),
    },
    Peer {
        name: "Icinga",
        source: "`max_check_attempts` 3, `retry_interval` 1m, the hard state notifies (defaults; Icinga 2 \
                 documentation, \"Object Types\" and \"Monitoring Basics\")",
        failures: 3,
        passes: 1,
        retry_ms: Some(MINUTE),
    },
];

impl Peer {
    /// What it tells in `plan`.
    pub(super) fn told(&self, scene: &Scene, plan: &Plan) -> Vec<Message> {
        let all = 0..plan.specs.len();
        all.flat_map(|number| self.told_of(number, scene, plan)).collect()
    }

    fn told_of(&self, number: usize, scene: &Scene, plan: &Plan) -> Vec<Message> {
        let mut told = Vec::new();
        let (mut failing, mut passing, mut is_down) = (0, 0, false);
        let mut at = scene.first_due(number);
        while at < plan.calm {
            let (answer, _) = plan.faults.answer(number, plan.specs[number].host, at);
            let ended = Timestamp(at.0 + RUN_MS);
            (failing, passing) =
                if answer == Answer::Good { (0, passing + 1) } else { (failing + 1, 0) };
            let flips = if is_down { self.passes <= passing } else { self.failures <= failing };
            if flips {
                is_down = !is_down;
                told.push(Message { number: Some(number), is_failure: is_down, at: ended });
            }
            let is_soft = !is_down && 0 < failing;
            at = match self.retry_ms {
                Some(wait) if is_soft && wait < scene.interval_ms => Timestamp(ended.0 + wait),
                _ => Timestamp(at.0 + scene.interval_ms),
            };
        }
        told
    }
}
