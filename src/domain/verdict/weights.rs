//! Weights of evidence: the only place with the numbers of the rule, each with its reason.
//!
//! They were found by the evaluation (`docs/verdict-evaluation.md`), which compares them with the best that
//! any policy could do.

use std::time::Duration;

use super::kind::{Kind, Past};

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
    /// No answer, or the answer that the platform cannot serve now. Such faults pass within seconds, and nearly all within
    /// five minutes: not the number of looks counts, but the age of the last one. So waits grow, and the fourth
    /// look comes after five minutes.
    pub(crate) silent: Measure,
    /// The platform asks for fewer requests. This says next to nothing about the integration: only a quarter
    /// of an hour without one other answer does. Looks that are closer would add to the load.
    pub(crate) throttled: Measure,
    /// Number of consecutive passing runs from which on an integration is steady. Such a one has a short fault in
    /// 10,000 runs at most, so that two minutes without an answer are more likely a lasting one.
    pub(crate) steady_passes: u32,
    /// Weight of a look without an answer at a steady integration: three looks are enough, with the same waits.
    pub(crate) steady_silent: u32,
    /// Part of its weight that a look has at an integration which has failed and recovered within
    /// `flap_window`, in percent: short faults are more likely there.
    pub(crate) unsteady_percent: u32,
    /// A passing run of such an integration. One between two failures proves little; elsewhere one passing run
    /// has all the weight, as it has passed every test.
    pub(crate) unsteady_pass: Measure,
    /// Number of integrations that share a factor and fail, this one included, from which on they confirm each
    /// other: two may fail by chance.
    pub(crate) siblings_min: u32,
    /// Age of a silence from which on siblings confirm it. A short fault of a host hits all of them at the same
    /// time, so that their number proves nothing before most such faults have passed. The third look is that old.
    pub(crate) siblings_age: Duration,
}

impl Weights {
    /// Numbers that hold unless the configuration overrides them.
    pub(crate) const RULE: Self = Self {
        doubtful: Measure { weight: 50, waits: [secs(4); 3] },
        silent: Measure { weight: 25, waits: [secs(30), secs(90), secs(180)] },
        throttled: Measure { weight: 15, waits: [secs(150); 3] },
        steady_passes: 10_000,
        steady_silent: 34,
        unsteady_percent: 80,
        unsteady_pass: Measure { weight: 50, waits: [secs(60); 3] },
        siblings_min: 3,
        siblings_age: secs(115),
    };

    /// Returns the measure of a kind of looks, given the past before them; none where one look is enough.
    pub(super) fn measure(&self, kind: Kind, past: Past) -> Option<Measure> {
        let is_unsteady = past == Past::Unsteady;
        let measure = match kind {
            Kind::Definitive => return None,
            Kind::Passed => return is_unsteady.then_some(self.unsteady_pass),
            Kind::Silent if past == Past::Steady => {
                Measure { weight: self.steady_silent, ..self.silent }
            }
            Kind::Doubtful => self.doubtful,
            Kind::Silent => self.silent,
            Kind::Throttled => self.throttled,
        };
        if !is_unsteady {
            return Some(measure);
        }
        let weight = measure.weight.saturating_mul(self.unsteady_percent) / 100;
        Some(Measure { weight, ..measure })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_the_last_one_repeats() {
        let silent = Weights::RULE.silent;
        let waits = [0, 1, 2, 3, 9].map(|looks| silent.wait_after(looks).as_secs());
        assert_eq!(waits, [30, 30, 90, 180, 180]);
    }

    #[test]
    fn look_weighs_less_where_the_status_changes_often_and_silence_more_where_it_is_steady() {
        let weight = |kind, past| Weights::RULE.measure(kind, past).map(|measure| measure.weight);
        let table = [
            (Kind::Passed, None, None, Some(50)),
            (Kind::Definitive, None, None, None),
            (Kind::Doubtful, Some(50), Some(50), Some(40)),
            (Kind::Silent, Some(25), Some(34), Some(20)),
            (Kind::Throttled, Some(15), Some(15), Some(12)),
        ];
        for (kind, usual, steady, unsteady) in table {
            let found = [Past::Usual, Past::Steady, Past::Unsteady].map(|past| weight(kind, past));
            assert_eq!(found, [usual, steady, unsteady], "{kind:?}");
        }
    }
}
