//! Work that this node may take (placement by labels): the pools of the configuration that its labels satisfy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use crate::domain::{NodeIdentity, Pool};

/// Work that this node may take.
#[derive(Debug)]
pub(super) struct Eligible {
    /// Name of this node, which is not to make looks that are reserved for others.
    node: String,
    labels: BTreeMap<String, String>,
    /// Canonical texts of the pools that it is in.
    pools: RwLock<Vec<String>>,
}

impl Default for Eligible {
    fn default() -> Self {
        Self::of(&NodeIdentity::default())
    }
}

impl Eligible {
    /// Returns the work that any node may take, until [`Self::note`] says more.
    pub(super) fn of(node: &NodeIdentity) -> Self {
        let NodeIdentity { name: node, labels } = node.clone();
        Self { node, labels, pools: RwLock::new(vec![Pool::default().text()]) }
    }

    /// Notes the pools of the configuration.
    pub(super) fn note(&self, pools: &[&Pool]) {
        let own = pools.iter().filter(|pool| self.serves(pool)).map(|pool| pool.text());
        let own: BTreeSet<_> = own.chain([Pool::default().text()]).collect();
        *self.pools.write().unwrap_or_else(PoisonError::into_inner) = own.into_iter().collect();
    }

    /// Returns true when this node is in a pool.
    pub(super) fn serves(&self, pool: &Pool) -> bool {
        pool.has(&self.labels)
    }

    /// Returns the name of this node.
    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// Returns the canonical texts of the pools that it is in.
    pub(super) fn pools(&self) -> Vec<String> {
        self.pools.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_takes_the_pools_that_its_labels_satisfy() {
        let labels = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let node = NodeIdentity { name: "a".to_owned(), labels: labels(&[("region", "eu")]) };
        let eligible = Eligible::of(&node);
        assert_eq!(eligible.pools(), [""]);
        let pools = [&[("region", "us")][..], &[("region", "eu")], &[], &[("region", "eu")]];
        let pools = pools.map(|pairs| Pool::of(labels(pairs)));
        eligible.note(&pools.each_ref());
        assert_eq!(eligible.pools(), ["", r#"{"region":"eu"}"#]);
        eligible.note(&[&pools[0]]);
        assert_eq!(eligible.pools(), [""], "those of a former configuration are gone");
    }
}
