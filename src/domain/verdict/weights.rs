//! Weights of evidence: the only place with the numbers of the rule, each with its reason.
//!
//! They were found by the evaluation (`docs/verdict-evaluation.md`), which compares them with the best that
//! any policy could do.

use std::time::Duration;

use crate::domain::Class;

/// Weight at which evidence changes a status; the weights of looks are parts of it.
pub(crate) const NEEDED: u32 = 100;
/// Longest wait that a platform's `Retry-After` adds before the next look, in case it asks for days.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Weight of one look of a kind, and the waits between looks of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Measure {
    /// Weight of a look, of [`NEEDED`].
    pub(crate) weight: u32,
    /// Wait after the first look, after the second, and after each one that follows. Looks that are closer
    /// add nothing.
    pub(crate) waits: [Duration; 3],
}

impl Measure {
    /// Returns the wait after so many looks.
    pub(super) fn wait_after(&self, looks: usize) -> Duration {
        let [_, _, last] = self.waits;
        self.waits.get(looks.saturating_sub(1)).copied().unwrap_or(last)
    }
}

/// Numbers of the rule of evidence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Weights {
    /// A definitive failure that may come from a gateway, a proxy or an identity provider. Such answers pass
    /// within seconds; a second one is taken for the platform's.
    pub(crate) doubtful: Measure,
    /// No answer, or the answer that the platform cannot serve now. Most such faults last for less than a
    /// minute, so that waits which grow separate them from an outage sooner than equal ones.
    pub(crate) silent: Measure,
    /// The platform asks for fewer requests. This says next to nothing about the integration: only a quarter
    /// of an hour without one other answer does. Looks that are closer would add to the load.
    pub(crate) throttled: Measure,
    /// Part of its weight that a look has at an integration which has failed and recovered within
    /// `flap_window`, in percent: short faults are more likely there.
    pub(crate) unsteady_percent: u32,
    /// A passing run of such an integration. One between two failures proves little; elsewhere one passing run
    /// has all the weight, as it has passed every test.
    pub(crate) unsteady_pass: Measure,
    /// Number of integrations that share a factor and fail, this one included, from which on they confirm each
    /// other: two may fail by chance.
    pub(crate) siblings_min: u32,
    /// Age of a failure from which on siblings confirm it. A short fault of a host hits all of them at the same
    /// time, so that their number proves nothing before most such faults have passed.
    pub(crate) siblings_age: Duration,
}

impl Weights {
    /// Numbers that hold unless the configuration overrides them.
    pub(crate) const RULE: Self = Self {
        doubtful: Measure { weight: 50, waits: [secs(4); 3] },
        silent: Measure { weight: 25, waits: [secs(30), secs(60), secs(120)] },
        throttled: Measure { weight: 17, waits: [secs(150); 3] },
        unsteady_percent: 80,
        unsteady_pass: Measure { weight: 50, waits: [secs(60); 3] },
        siblings_min: 3,
        siblings_age: secs(80),
    };

    /// Returns the measure of a failure; none where one look is enough, or says nothing.
    pub(super) const fn of(&self, class: Class, is_certain: bool) -> Option<&Measure> {
        match class {
            Class::Denied | Class::Missing | Class::Invalid | Class::Expired if is_certain => None,
            Class::Denied | Class::Missing | Class::Invalid | Class::Expired => {
                Some(&self.doubtful)
            }
            Class::Unreachable | Class::Unavailable => Some(&self.silent),
            Class::Throttled => Some(&self.throttled),
            Class::Local => None,
        }
    }

    /// Returns the weight of a look where the status has changed lately or not.
    pub(super) fn scaled(&self, weight: u32, is_unsteady: bool) -> u32 {
        let scaled = weight.saturating_mul(self.unsteady_percent) / 100;
        // Every look adds something, so that the looks of a failure are bounded.
        if is_unsteady { scaled.max(1) } else { weight.max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_the_last_one_repeats() {
        let silent = Weights::RULE.silent;
        let waits = [0, 1, 2, 3, 9].map(|looks| silent.wait_after(looks).as_secs());
        assert_eq!(waits, [30, 30, 60, 120, 120]);
    }

    #[test]
    fn every_look_weighs_something_and_an_unsteady_one_less() {
        let rule = Weights { unsteady_percent: 0, ..Weights::RULE };
        assert_eq!((rule.scaled(25, true), rule.scaled(0, false)), (1, 1));
        assert_eq!((Weights::RULE.scaled(25, true), Weights::RULE.scaled(25, false)), (20, 25));
    }
}
