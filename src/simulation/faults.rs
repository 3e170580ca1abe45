//! Faults of the platforms, each with its time: laid down before anything runs, so that requests at the
//! same instant get the same answer.

use super::dice::Dice;
use crate::domain::{Class, Timestamp};

/// A second, in milliseconds.
pub(super) const SECOND: i64 = 1000;
/// A minute, in milliseconds.
pub(super) const MINUTE: i64 = 60 * SECOND;
/// An hour, in milliseconds.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// A day, in milliseconds.
pub(super) const DAY: i64 = 24 * HOUR;

/// Kind of a fault, the gravest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    /// Log-ins are refused, until the permission is granted again.
    LostPermission,
    /// The host does not serve.
    Outage,
    /// No answer for some seconds.
    Blip,
    /// Some of the answers are that there are too many questions.
    Throttling,
    /// Answers come late, after 20 seconds.
    Slow,
    /// No answer at all, not even an end.
    Hang,
    /// The fault is on the daemon's side.
    Local,
}

/// A fault, from `from` to before `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// Kind of the fault.
    pub(super) kind: Kind,
    /// First instant of the fault.
    pub(super) from: Timestamp,
    /// First instant after the fault.
    pub(super) to: Timestamp,
}

impl Fault {
    /// Returns a fault that lasts `millis`.
    pub(super) const fn new(kind: Kind, from: Timestamp, millis: i64) -> Self {
        Self { kind, from, to: Timestamp(from.0 + millis) }
    }

    /// Returns true when the fault is there at an instant.
    pub(super) fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// Answer of a platform to a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    /// The request succeeds at once.
    Good,
    /// The request fails with this class.
    Bad(Class),
    /// The request succeeds, after so many milliseconds more.
    Late(i64),
    /// There is no answer.
    Never,
}

/// All faults of a world.
#[derive(Debug, Default)]
pub(super) struct Faults {
    seed: u64,
    /// Faults of each integration.
    pub(super) own: Vec<Vec<Fault>>,
    /// Faults of each host.
    pub(super) shared: Vec<Vec<Fault>>,
}

impl Faults {
    /// Returns empty lists for so many integrations and hosts.
    pub(super) fn none(seed: u64, integrations: usize, hosts: usize) -> Self {
        let lists = |count| std::iter::repeat_with(Vec::new).take(count).collect();
        Self { seed, own: lists(integrations), shared: lists(hosts) }
    }

    /// Returns the faults of an integration on a host that are there at `at`, the gravest first.
    pub(super) fn at(&self, integration: usize, host: usize, at: Timestamp) -> Vec<Fault> {
        let lists = [&self.own[integration], &self.shared[host]];
        let all = lists.into_iter().flat_map(|list| list.iter());
        let mut found: Vec<_> = all.filter(|fault| fault.covers(at)).copied().collect();
        found.sort_by_key(|fault| fault.kind);
        found
    }

    /// Returns the answer of an integration's platform to a request at `at`, and the fault behind it.
    pub(super) fn answer(
        &self,
        integration: usize,
        host: usize,
        at: Timestamp,
    ) -> (Answer, Option<Fault>) {
        for fault in self.at(integration, host, at) {
            let answer = match fault.kind {
                Kind::LostPermission => Answer::Bad(Class::Denied),
                Kind::Outage => Answer::Bad(Class::Unavailable),
                Kind::Blip => Answer::Bad(Class::Unreachable),
                Kind::Throttling => {
                    let salt = [u64::try_from(integration).unwrap(), at.0.unsigned_abs()];
                    if !Dice::new(self.seed, &salt).chance(250) {
                        continue;
                    }
                    Answer::Bad(Class::Throttled)
                }
                Kind::Slow => Answer::Late(20 * SECOND),
                Kind::Hang => Answer::Never,
                Kind::Local => Answer::Bad(Class::Local),
            };
            return (answer, Some(fault));
        }
        (Answer::Good, None)
    }
}
