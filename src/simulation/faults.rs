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
    /// The host does not serve, or one integration's endpoint on it.
    Outage,
    /// Every answer is that there are too many questions.
    UsedUp,
    /// No answer for some seconds.
    Blip,
    /// Some of the answers are that there are too many questions.
    Throttling,
    /// Half of the answers are that the account has asked too many questions.
    Rationing,
    /// Answers come later and later, then sooner again.
    Drift,
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
    /// The request fails with this class, in words that may be a gateway's or an identity provider's.
    Doubtful(Class),
    /// The request succeeds, after so many milliseconds more.
    Late(i64),
    /// There is no answer.
    Never,
}

/// Rules by which answers of the same fault differ, and single ones go wrong; none of them by default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scatter {
    /// Answers per one that is a gateway's or an identity provider's, and passes.
    pub(super) misworded: u64,
    /// Answers per one that refuses a log-in without cause, and passes.
    pub(super) refused: u64,
    /// Lost permissions of a thousand whose answers may be another's.
    pub(super) doubtful_permille: u64,
    /// True when outages and blips are unreachable or unavailable, each with the same chance.
    pub(super) mixes_classes: bool,
    /// Instant from which single answers no longer go wrong.
    pub(super) until: Option<Timestamp>,
}

/// Longest that answers of a drift are late, before they scatter, in milliseconds.
const DRIFT_MAX_MS: i64 = 25 * SECOND;

/// All faults of a world.
#[derive(Debug, Default)]
pub(super) struct Faults {
    seed: u64,
    /// Rules by which single answers go wrong.
    pub(super) scatter: Scatter,
    /// Faults of each integration.
    pub(super) own: Vec<Vec<Fault>>,
    /// Faults of each host.
    pub(super) shared: Vec<Vec<Fault>>,
}

impl Faults {
    /// Returns empty lists for so many integrations and hosts.
    pub(super) fn none(seed: u64, integrations: usize, hosts: usize) -> Self {
        let lists = |count| std::iter::repeat_with(Vec::new).take(count).collect();
        let scatter = Scatter::default();
        Self { seed, scatter, own: lists(integrations), shared: lists(hosts) }
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
        let salt = [u64::try_from(integration).unwrap(), at.0.unsigned_abs()];
        let dice = || Dice::new(self.seed, &salt);
        for fault in self.at(integration, host, at) {
            let answer = match fault.kind {
                Kind::LostPermission if self.is_doubtful(fault) => Answer::Doubtful(Class::Denied),
                Kind::LostPermission => Answer::Bad(Class::Denied),
                Kind::Outage => Answer::Bad(self.class(fault, Class::Unavailable)),
                Kind::Blip => Answer::Bad(self.class(fault, Class::Unreachable)),
                Kind::UsedUp => Answer::Bad(Class::Throttled),
                Kind::Throttling if dice().chance(250) => Answer::Bad(Class::Throttled),
                Kind::Rationing if dice().chance(500) => Answer::Bad(Class::Throttled),
                Kind::Throttling | Kind::Rationing => continue,
                Kind::Drift => Answer::Late(drift_ms(fault, at) + dice().decaying_ms(2)),
                Kind::Slow => Answer::Late(20 * SECOND),
                Kind::Hang => Answer::Never,
                Kind::Local => Answer::Bad(Class::Local),
            };
            return (answer, Some(fault));
        }
        let goes_on = self.scatter.until.is_none_or(|until| at < until);
        let single = || self.single(Dice::new(self.seed, &[salt[0], salt[1], 1]));
        (if goes_on { single() } else { Answer::Good }, None)
    }

    /// Returns an answer while there is no fault.
    fn single(&self, mut dice: Dice) -> Answer {
        if dice.once_in(self.scatter.misworded) {
            return Answer::Doubtful(*dice.pick(&[Class::Missing, Class::Denied]));
        }
        if dice.once_in(self.scatter.refused) { Answer::Bad(Class::Denied) } else { Answer::Good }
    }

    fn is_doubtful(&self, fault: Fault) -> bool {
        self.dice_of(fault).chance(self.scatter.doubtful_permille)
    }

    /// Returns the class of a fault's failures, the `usual` one unless classes are mixed.
    fn class(&self, fault: Fault, usual: Class) -> Class {
        let classes = [Class::Unreachable, Class::Unavailable];
        if self.scatter.mixes_classes { *self.dice_of(fault).pick(&classes) } else { usual }
    }

    fn dice_of(&self, fault: Fault) -> Dice {
        Dice::new(self.seed, &[fault.from.0.unsigned_abs(), fault.to.0.unsigned_abs(), 2])
    }
}

/// Returns the milliseconds that answers are late in a drift: most in its middle.
fn drift_ms(fault: Fault, at: Timestamp) -> i64 {
    let span = (fault.to.0 - fault.from.0).max(1);
    let edge = (at.0 - fault.from.0).min(fault.to.0 - at.0).max(0);
    2 * edge * DRIFT_MAX_MS / span
}
