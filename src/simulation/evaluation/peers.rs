//! Rules by which other products decide that something is down, as their documentation gives them.

use super::scene::{RUN_MS, Scene};
use crate::domain::Timestamp;
use crate::simulation::faults::{Answer, MINUTE};
use crate::simulation::plan::Plan;

/// Notification that a policy sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    /// Number of the integration; none when it is about several.
    pub(super) number: Option<usize>,
    /// True for a failure, false for a recovery or anything else.
    pub(super) is_failure: bool,
    /// Instant of the notification.
    pub(super) at: Timestamp,
}

/// Rule of a product: so many consecutive checks decide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// Name of the product.
    pub(super) name: &'static str,
    /// Place in its documentation that says so.
    pub(super) source: &'static str,
    /// Consecutive failing checks that make a failure.
    failures: u32,
    /// Consecutive passing checks that make a recovery.
    passes: u32,
    /// Wait in milliseconds after a failing check that does not decide yet; none for a whole interval.
    retry_ms: Option<i64>,
}

/// Rules that are compared with the default policy.
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
    /// Returns its notifications in `plan`.
    pub(super) fn messages(&self, scene: &Scene, plan: &Plan) -> Vec<Message> {
        let all = 0..plan.specs.len();
        all.flat_map(|number| self.messages_about(number, scene, plan)).collect()
    }

    fn messages_about(&self, number: usize, scene: &Scene, plan: &Plan) -> Vec<Message> {
        let mut sent = Vec::new();
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
                sent.push(Message { number: Some(number), is_failure: is_down, at: ended });
            }
            let is_soft = !is_down && 0 < failing;
            at = match self.retry_ms {
                Some(wait) if is_soft && wait < scene.interval_ms => Timestamp(ended.0 + wait),
                _ => Timestamp(at.0 + scene.interval_ms),
            };
        }
        sent
    }
}
