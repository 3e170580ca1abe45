//! Rules by which other products decide that something is down, as their documents give them.

use std::collections::BTreeMap;

use super::scene::{LIMIT_MS, RUN_MS, Scene};
use crate::domain::Timestamp;
use crate::simulation::faults::{Answer, MINUTE, SECOND};
use crate::simulation::plan::Plan;

/// Notification that a policy sends.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Subject of the notification.
    pub(super) about: About,
    /// Instant of the notification.
    pub(super) at: Timestamp,
}

/// Subject of a notification.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum About {
    /// It names integrations, by their numbers.
    Integrations {
        /// Those that are reported as failing.
        failing: Vec<usize>,
        /// Those that are reported as working again, and anything else that is said of integrations.
        passing: Vec<usize>,
    },
    /// It is about an outage of what several integrations share.
    Outage {
        /// True when the outage has ended.
        is_over: bool,
    },
}

impl Message {
    /// Returns a notification about one integration.
    pub(super) fn of(number: usize, is_failure: bool, at: Timestamp) -> Self {
        let (failing, passing) =
            if is_failure { (vec![number], Vec::new()) } else { (Vec::new(), vec![number]) };
        Self { about: About::Integrations { failing, passing }, at }
    }

    /// Returns true when it reports a failure.
    pub(super) fn is_failure(&self) -> bool {
        match &self.about {
            About::Integrations { failing, passing: _ } => !failing.is_empty(),
            About::Outage { is_over } => !is_over,
        }
    }
}

/// Rule of a product: so many consecutive checks decide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// Name of the product.
    pub(super) name: &'static str,
    /// Place in its documents that says so.
    pub(super) source: &'static str,
    /// Consecutive failing checks that make a failure.
    failures: u32,
    /// Consecutive passing checks that make a recovery.
    passes: u32,
    /// Wait in milliseconds after a failing check that does not decide yet; none for a whole interval.
    retry_ms: Option<i64>,
    /// Time in milliseconds for which the latest checks must have failed, in place of a number of checks.
    pending_ms: Option<i64>,
    /// True when alerts of one host are collected into one notification.
    is_grouped: bool,
}

const CHECKS: Peer = Peer {
    name: "",
    source: "",
    failures: 1,
    passes: 1,
    retry_ms: None,
    pending_ms: None,
    is_grouped: false,
};

/// Rules that are compared with the default policy.
pub(super) const PEERS: &[Peer] = &[
    Peer {
        name: "first failure; Uptime Kuma and Checkmk by default",
        source: "one failing check is a failure, one passing check ends it (Uptime Kuma: `maxretries` 0, \
                 src/pages/EditMonitor.vue of louislam/uptime-kuma; Checkmk: more attempts only by a rule, \
                 \"Repeated check attempts\" in src/common/en/notifications.asciidoc of Checkmk/checkmk-docs)",
        ..CHECKS
    },
    Peer {
        name: "Uptime Kuma, 1 retry",
        source: "\"Retries\" 1, \"Heartbeat Retry Interval\" 60 s; a retry is not the default",
        failures: 2,
        retry_ms: Some(MINUTE),
        ..CHECKS
    },
    Peer {
        name: "Uptime Kuma, 2 retries",
        source: "\"set `Retries` to 2 or more to avoid the notifications sent immediately for a small \
                 downtime\" (its author in issue 2400 of louislam/uptime-kuma), 60 s apart",
        failures: 3,
        retry_ms: Some(MINUTE),
        ..CHECKS
    },
    Peer {
        name: "Gatus",
        source: "`failure-threshold` 3, `success-threshold` 2, both at the interval (defaults; \
                 README of TwiN/gatus, \"Alerting\")",
        failures: 3,
        passes: 2,
        ..CHECKS
    },
    Peer {
        name: "Checkmk, 3 attempts",
        source: "3 attempts at the interval, the example of its documentation (\"Repeated check attempts\", as \
                 above)",
        failures: 3,
        ..CHECKS
    },
    Peer {
        name: "Icinga",
        source: "`max_check_attempts` 3, `retry_interval` 1m, the hard state notifies (defaults; Icinga 2 \
                 documentation, \"Object Types\" and \"Monitoring Basics\")",
        failures: 3,
        retry_ms: Some(MINUTE),
        ..CHECKS
    },
    Peer {
        name: "Icinga, its template",
        source: "`max_check_attempts` 5, `retry_interval` 30s (template `generic-service`, which all services \
                 should import by convention; etc/icinga2/conf.d/templates.conf of Icinga/icinga2)",
        failures: 5,
        retry_ms: Some(30 * SECOND),
        ..CHECKS
    },
    Peer {
        name: "Nagios, generic service",
        source: "`max_check_attempts` 3, `retry_interval` 2 (template `generic-service`; \
                 sample-config/template-object/templates.cfg.in of NagiosEnterprises/nagioscore)",
        failures: 3,
        retry_ms: Some(2 * MINUTE),
        ..CHECKS
    },
    Peer {
        name: "Nagios, local service",
        source: "`max_check_attempts` 4, `retry_interval` 1 (template `local-service`, the same file)",
        failures: 4,
        retry_ms: Some(MINUTE),
        ..CHECKS
    },
    Peer {
        name: "Prometheus, for 5 minutes",
        source: "`for: 5m` of the alert `InstanceDown` (docs/configuration/alerting_rules.md of \
                 prometheus/prometheus), and an Alertmanager that groups by host with `group_wait` 30s and \
                 `group_interval` 5m (defaults; docs/configuration.md of prometheus/alertmanager)",
        pending_ms: Some(5 * MINUTE),
        is_grouped: true,
        ..CHECKS
    },
];

/// Alertmanager's `group_wait`, in milliseconds.
const GROUP_WAIT_MS: i64 = 30 * SECOND;
/// Alertmanager's `group_interval`, in milliseconds.
const GROUP_INTERVAL_MS: i64 = 5 * MINUTE;

/// Change of a state that a product would notify of.
#[derive(Clone, Copy, Debug)]
struct Flip {
    number: usize,
    is_failure: bool,
    at: Timestamp,
}

impl Peer {
    /// Returns its notifications in `plan`.
    pub(super) fn messages(&self, scene: &Scene, plan: &Plan) -> Vec<Message> {
        let all = 0..plan.specs.len();
        let flips = all.flat_map(|number| self.flips(number, scene, plan));
        if self.is_grouped {
            return grouped(flips.collect(), plan);
        }
        flips.map(|flip| Message::of(flip.number, flip.is_failure, flip.at)).collect()
    }

    fn flips(&self, number: usize, scene: &Scene, plan: &Plan) -> Vec<Flip> {
        let mut found = Vec::new();
        let (mut failing, mut passing, mut is_down) = (0, 0, false);
        let mut since = None;
        let mut at = scene.first_due(number);
        while at < plan.calm {
            let (is_good, ended) = look(number, plan, at);
            (failing, passing) = if is_good { (0, passing + 1) } else { (failing + 1, 0) };
            since = if is_good { None } else { since.or(Some(ended)) };
            let is_soft = !is_down && 0 < failing;
            let next = match self.retry_ms {
                Some(wait) if is_soft && failing < self.failures && wait < scene.interval_ms => {
                    Timestamp(ended.0 + wait)
                }
                _ => Timestamp(at.0 + scene.interval_ms),
            };
            let flips_at = match (is_down, self.pending_ms, since) {
                (true, ..) => (self.passes <= passing).then_some(ended),
                (false, None, _) => (self.failures <= failing).then_some(ended),
                // What is known stays until the next check, which decides if it is not later.
                (false, Some(wait), Some(since)) => {
                    let fires = ended.max(Timestamp(since.0 + wait));
                    (fires.0 < next.0 + RUN_MS).then_some(fires)
                }
                (false, Some(_), None) => None,
            };
            if let Some(at) = flips_at {
                is_down = !is_down;
                found.push(Flip { number, is_failure: is_down, at });
            }
            at = next;
        }
        found
    }
}

/// Looks at an integration. Returns true when the check passes, and its end.
fn look(number: usize, plan: &Plan, at: Timestamp) -> (bool, Timestamp) {
    let (is_good, millis) = match plan.faults.answer(number, plan.specs[number].host, at).0 {
        Answer::Good => (true, RUN_MS),
        Answer::Bad(_) | Answer::Doubtful(_) => (false, RUN_MS),
        Answer::Late(more) if LIMIT_MS < more + RUN_MS => (false, LIMIT_MS),
        Answer::Late(more) => (true, more + RUN_MS),
        Answer::Never => (false, LIMIT_MS),
    };
    (is_good, Timestamp(at.0 + millis))
}

/// Collects changes by host as Alertmanager does: the first one waits for others, and the group is notified
/// of again at an interval, while it differs from what was said.
fn grouped(flips: Vec<Flip>, plan: &Plan) -> Vec<Message> {
    let mut by_host: BTreeMap<usize, Vec<Flip>> = BTreeMap::new();
    for flip in flips {
        by_host.entry(plan.specs[flip.number].host).or_default().push(flip);
    }
    by_host.into_values().flat_map(notifications).collect()
}

fn notifications(mut flips: Vec<Flip>) -> Vec<Message> {
    flips.sort_by_key(|flip| flip.at);
    let mut sent = Vec::new();
    let mut said: BTreeMap<usize, bool> = BTreeMap::new();
    let mut state = said.clone();
    let mut flush: Option<Timestamp> = None;
    let mut flips = flips.into_iter().peekable();
    loop {
        let upcoming = flips.peek().copied();
        match (flush, upcoming) {
            (None, None) => return sent,
            (Some(at), flip) if flip.is_none_or(|flip| at <= flip.at) => {
                sent.extend(difference(&mut said, &state, at));
                // An empty group is forgotten, and the next alert waits for others again. What fails until the end is
                // said by now.
                let is_over = upcoming.is_none() || !state.values().any(|fails| *fails);
                flush = (!is_over).then(|| Timestamp(at.0 + GROUP_INTERVAL_MS));
            }
            (_, Some(flip)) => {
                flips.next();
                state.insert(flip.number, flip.is_failure);
                flush = flush.or(Some(Timestamp(flip.at.0 + GROUP_WAIT_MS)));
            }
            (Some(_), None) => {}
        }
    }
}

/// Returns the notification of what differs from what was said, if anything does.
fn difference(
    said: &mut BTreeMap<usize, bool>,
    state: &BTreeMap<usize, bool>,
    at: Timestamp,
) -> Option<Message> {
    let is_new =
        |(number, fails): &(&usize, &bool)| said.get(*number).copied().unwrap_or(false) != **fails;
    let (failing, passing): (Vec<_>, Vec<_>) = state.iter().filter(is_new).partition(|one| *one.1);
    let numbers = |all: Vec<(&usize, &bool)>| all.into_iter().map(|(number, _)| *number).collect();
    let (failing, passing): (Vec<usize>, Vec<usize>) = (numbers(failing), numbers(passing));
    said.clone_from(state);
    let is_news = !failing.is_empty() || !passing.is_empty();
    is_news.then_some(Message { about: About::Integrations { failing, passing }, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flip(number: usize, is_failure: bool, second: i64) -> Flip {
        Flip { number, is_failure, at: Timestamp(second * SECOND) }
    }

    /// Alerts that resolve before the first notification are never sent; the rest comes in groups.
    #[test]
    fn alerts_of_a_host_are_notified_in_groups() {
        let flips = vec![
            flip(1, true, 0),
            flip(1, false, 20),
            flip(1, true, 100),
            flip(2, true, 120),
            flip(3, true, 140),
            flip(1, false, 150),
            flip(2, false, 200),
            flip(3, false, 500),
            // It fails until the end.
            flip(4, true, 800),
        ];
        let found: Vec<_> = notifications(flips)
            .into_iter()
            .map(|message| match message.about {
                About::Integrations { failing, passing } => {
                    (message.at.0 / SECOND, failing, passing)
                }
                About::Outage { .. } => panic!("{message:?}"),
            })
            .collect();
        let expected = [
            (130, vec![1, 2], vec![]),
            (430, vec![3], vec![1, 2]),
            (730, vec![], vec![3]),
            (830, vec![4], vec![]),
        ];
        assert_eq!(found, expected);
    }
}
