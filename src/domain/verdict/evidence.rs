//! Evidence: what the runs of a configuration have shown since the status was last beyond doubt.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kind::{Kind, Past};
use super::policy::{Counted, Policy};
use super::weights::NEEDED;
use crate::domain::{Class, Factor, Timestamp};

/// Numbers of consecutive failing and passing runs, one of which is zero.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counters {
    /// Number of consecutive failing runs.
    pub(crate) failures: u32,
    /// Number of consecutive passing runs.
    pub(crate) passes: u32,
}

/// Others that share a factor with an integration and fail too.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Siblings {
    /// Factor that they share.
    pub(crate) factor: Factor,
    /// Number of others that fail.
    pub(crate) failing: u32,
}

/// Finding of a look.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Sight {
    /// The run found that it passes.
    Passed,
    /// The run found that it fails.
    Failed {
        /// Class of the failure.
        class: Class,
        /// True when it is in the platform's own words.
        is_certain: bool,
    },
    /// Others with the same factor fail too.
    Siblings(Siblings),
}

/// Look at an integration that counts as evidence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Look {
    /// Start of the run.
    pub(crate) at: Timestamp,
    /// Finding of the look.
    pub(crate) seen: Sight,
    /// Node that made it (vantage point); none where there is one node.
    pub(crate) node: Option<String>,
}

/// Evidence about one configuration; part of the integration's row.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Evidence {
    /// Numbers of consecutive runs.
    pub(crate) counters: Counters,
    /// Looks that count, oldest first: all of them failing, or all passing. None once the configuration is
    /// known to work, and no more once they are enough for a failure.
    pub(crate) looks: Vec<Look>,
    /// True from a failure that had all its weight to a recovery that had all of it.
    pub(crate) is_failing: bool,
    /// Past before the first of them.
    pub(crate) past: Past,
}

/// Look with its weight, as receivers and people get it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Weighed {
    /// Instant at which the run began.
    pub(crate) at: Timestamp,
    /// Finding: `passed`, `siblings`, or the class of the failure.
    pub(crate) seen: String,
    /// True when a definitive failure is in the platform's own words, false when it may come from a gateway,
    /// a proxy or an identity provider; only for definitive failures.
    pub(crate) certain: Option<bool>,
    /// Others that fail too; only for `siblings`.
    pub(crate) siblings: Option<Siblings>,
    /// Weight of the look, of the 100 that change the status. Only looks of one kind add up.
    pub(crate) weight: u32,
    /// Weight of its kind that was missing after the look.
    pub(crate) missing: u32,
    /// Node that made the look, where several daemons share a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) node: Option<String>,
}

impl Look {
    fn weighed(&self, weight: u32, sum: u32) -> Weighed {
        let (seen, certain, siblings) = match &self.seen {
            Sight::Passed => ("passed", None, None),
            Sight::Failed { class, is_certain } => {
                (class.as_str(), class.is_definitive().then_some(*is_certain), None)
            }
            Sight::Siblings(siblings) => ("siblings", None, Some(siblings.clone())),
        };
        let missing = NEEDED.saturating_sub(sum);
        let (seen, node) = (seen.to_owned(), self.node.clone());
        Weighed { at: self.at, seen, certain, siblings, weight, missing, node }
    }
}

impl Weighed {
    /// Returns the finding as people read it.
    pub(crate) fn words(&self) -> String {
        let found = match (&self.siblings, self.certain) {
            (Some(Siblings { factor, failing }), _) => {
                let (kind, value) = (factor.kind.as_str(), &factor.value);
                return format!("{failing} others with the same {kind} {value} fail too");
            }
            (None, Some(false)) => format!("{}, perhaps not the platform's own answer", self.seen),
            (None, Some(true) | None) => self.seen.clone(),
        };
        match &self.node {
            Some(node) => format!("{found}, seen from node {node}"),
            None => found,
        }
    }
}

impl Evidence {
    /// Returns the looks with their weights.
    #[must_use]
    pub(crate) fn weighed(&self, policy: &Policy) -> Vec<Weighed> {
        // Number of runs and sum of weights of each kind so far.
        let mut sums: BTreeMap<Kind, (u32, u32)> = BTreeMap::new();
        let weighed = self.looks.iter().map(|look| {
            let kind = look.kind(policy);
            let (runs, sum) = sums.entry(kind).or_default();
            let weight = if matches!(look.seen, Sight::Siblings(_)) {
                NEEDED.saturating_sub(*sum)
            } else {
                *runs = runs.saturating_add(1);
                self.weight(policy, kind, *runs)
            };
            *sum = sum.saturating_add(weight);
            look.weighed(weight, *sum)
        });
        weighed.collect()
    }

    /// Returns the weight of run number `run` of a kind.
    fn weight(&self, policy: &Policy, kind: Kind, run: u32) -> u32 {
        let counted = match kind {
            Kind::Passed => policy.counted_passes(),
            Kind::Silent | Kind::Throttled => policy.counted_failures(),
            Kind::Definitive | Kind::Doubtful => None,
        };
        match (counted, policy.weights.measure(kind, self.past)) {
            (Some(Counted { runs, wait: _ }), _) => share(run, runs),
            (None, Some(measure)) => measure.weight.max(1),
            (None, None) => NEEDED,
        }
    }

    /// Returns the sum of the weights of the kind that weighs most.
    #[must_use]
    pub(crate) fn total(&self, policy: &Policy) -> u32 {
        let missing = self.weighed(policy).iter().map(|look| look.missing).min();
        NEEDED.saturating_sub(missing.unwrap_or(NEEDED))
    }

    /// Returns the sum of the weights of one kind.
    pub(super) fn weight_of(&self, policy: &Policy, kind: Kind) -> u32 {
        let weighed = self.weighed(policy);
        let mut of = self.looks.iter().zip(&weighed).rev();
        let latest = of.find(|(look, _)| look.kind(policy) == kind);
        NEEDED.saturating_sub(latest.map_or(NEEDED, |(_, look)| look.missing))
    }

    /// Returns true when the looks are those of a failure.
    pub(crate) fn is_of_failure(&self) -> bool {
        self.looks.first().is_some_and(|look| look.seen != Sight::Passed)
    }

    /// Returns true when no other node than this one had no answer.
    pub(super) fn is_silent_from(&self, node: &str) -> bool {
        self.looks.iter().filter(|look| look.is_unreachable()).all(|look| look.is_of(node))
    }

    /// Returns the node that alone had no answer from what a run on another one finds to work, with the instant of its
    /// latest look. Nothing else may speak for a failure.
    pub(crate) fn contradicted(
        &self,
        policy: &Policy,
        node: Option<&str>,
    ) -> Option<(&str, Timestamp)> {
        let latest = self.looks.last()?;
        let other = latest.node.as_deref().filter(|other| node.is_some_and(|own| own != *other))?;
        let is_open = !self.is_failing && self.total(policy) < NEEDED;
        let is_alone = self.looks.iter().all(|look| look.is_unreachable() && look.is_of(other));
        (is_open && is_alone).then_some((other, latest.at))
    }

    /// Returns the starts of the runs of a kind.
    pub(super) fn runs(&self, policy: &Policy, kind: Kind) -> Vec<Timestamp> {
        let is_run = |look: &&Look| !matches!(look.seen, Sight::Siblings(_));
        let of = self.looks.iter().filter(is_run).filter(|look| look.kind(policy) == kind);
        of.map(|look| look.at).collect()
    }
}

impl Look {
    const fn is_unreachable(&self) -> bool {
        matches!(self.seen, Sight::Failed { class: Class::Unreachable, .. })
    }

    fn is_of(&self, node: &str) -> bool {
        self.node.as_deref() == Some(node)
    }

    fn kind(&self, policy: &Policy) -> Kind {
        match self.seen {
            Sight::Passed => Kind::Passed,
            Sight::Failed { class, is_certain } => policy.kind(class, is_certain),
            Sight::Siblings(_) => Kind::Silent,
        }
    }
}

/// Returns the weight of run number `run` of `runs` that are needed: together they weigh exactly enough.
fn share(run: u32, runs: u32) -> u32 {
    let until = |run: u32| NEEDED.saturating_mul(run) / runs.max(1);
    until(run).saturating_sub(until(run.saturating_sub(1))).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_counted_runs_add_up_to_what_is_needed() {
        for runs in 1..=100 {
            let shares: Vec<_> = (1..=runs).map(|run| share(run, runs)).collect();
            assert_eq!(shares.iter().sum::<u32>(), NEEDED, "{runs}: {shares:?}");
            let all_but_one: u32 = shares.iter().rev().skip(1).sum();
            assert!(all_but_one < NEEDED, "{runs}");
        }
    }
}
