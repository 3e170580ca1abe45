//! Rates of the faults of the world, each with its reason: the table in the document is made from them.

use crate::simulation::faults::{HOUR, Kind, MINUTE, SECOND};

/// Longest time of a fault that needs no notification, in milliseconds.
pub(super) const WORTH_MS: i64 = 5 * MINUTE;
/// Longest time of a short fault, in milliseconds.
pub(super) const SHORT_MAX_MS: i64 = WORTH_MS - SECOND;

/// Integrations that a fault hits together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unit {
    /// One integration by itself.
    Integration,
    /// All integrations on a host.
    Host,
    /// A fifth of all integrations, on all hosts.
    Account,
    /// All integrations on two neighbouring hosts.
    Region,
}

/// Rate of short faults of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// Name of the fault in the document.
    pub(super) name: &'static str,
    /// Kind of the fault, which says how platforms answer.
    pub(super) kind: Kind,
    /// Integrations that it hits together.
    pub(super) unit: Unit,
    /// Number of faults of each unit in ten days.
    pub(super) in_ten_days: i64,
    /// Mean time in seconds where it decays; otherwise the time is fixed.
    pub(super) mean_secs: Option<u64>,
    /// Time in milliseconds where it is fixed.
    pub(super) fixed_ms: i64,
    /// Answers during the fault, for people.
    pub(super) answers: &'static str,
    /// Reason for the rate, for people.
    pub(super) reason: &'static str,
}

/// Rates of all short faults.
pub(super) const SHORT: &[Rate] = &[
    Rate {
        name: "blip of an integration",
        kind: Kind::Blip,
        unit: Unit::Integration,
        in_ten_days: 60,
        mean_secs: Some(30),
        fixed_ms: 0,
        answers: "all unreachable or all unavailable",
        reason: "as in the first version of this document: a warehouse that resumes, a rolling restart, a lost \
                 packet; one check in 480 meets one, 99.8 % pass",
    },
    Rate {
        name: "blip of a host",
        kind: Kind::Blip,
        unit: Unit::Host,
        in_ten_days: 10,
        mean_secs: Some(30),
        fixed_ms: 0,
        answers: "all unreachable or all unavailable, for all integrations on it",
        reason: "a failover, a load balancer that is deployed: a daily deployment is usual. It is what makes \
                 siblings misleading",
    },
    Rate {
        name: "region cut",
        kind: Kind::Blip,
        unit: Unit::Region,
        in_ten_days: 2,
        mean_secs: Some(30),
        fixed_ms: 0,
        answers: "all unreachable or all unavailable, on both hosts of the region",
        reason: "a route on the way that converges again: rarer than changes of the hosts themselves, and \
                 as short",
    },
    Rate {
        name: "throttling by a host",
        kind: Kind::Throttling,
        unit: Unit::Host,
        in_ten_days: 20,
        mean_secs: None,
        fixed_ms: 15 * MINUTE,
        answers: "a quarter throttled, each by itself",
        reason: "as in the first version: a batch of other clients in the morning and one at night",
    },
    Rate {
        name: "throttling by account",
        kind: Kind::Rationing,
        unit: Unit::Account,
        in_ten_days: 10,
        mean_secs: None,
        fixed_ms: 10 * MINUTE,
        answers: "half throttled, each by itself",
        reason: "one heavy job a day of the same account. A budget is denser than the limit of a host, \
                 and all integrations of the account share it",
    },
    Rate {
        name: "drift of latency",
        kind: Kind::Drift,
        unit: Unit::Host,
        in_ten_days: 5,
        mean_secs: None,
        fixed_ms: 3 * HOUR,
        answers: "later by up to 25 s in the middle, and by a scatter of 1.5 s on average; beyond 30 s they time out",
        reason: "load that builds up over a morning and goes, every other day: up to an eighth of the checks \
                 time out, none of them because something is broken",
    },
];

/// Rates of answers that go wrong by themselves, and wording of lost permissions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// Answers per one that is a gateway's or an identity provider's, and passes.
    pub(super) answers_per_misworded: u64,
    /// Answers per one that refuses a log-in without cause, and passes.
    pub(super) answers_per_refused: u64,
    /// Lost permissions of a thousand whose answers may be another's.
    pub(super) doubtful_permille: u64,
}

/// The rates of wrong words.
pub(super) const WORDS: Words =
    Words { answers_per_misworded: 10_000, answers_per_refused: 500_000, doubtful_permille: 333 };
