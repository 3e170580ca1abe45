//! Integrations of a daemon, for the tests that compare one with the others.

use std::hash::{BuildHasher, RandomState};

use super::Identity;

/// Integration of the daemon, as the others see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Peer {
    /// Id of the integration; none while only the configuration is checked.
    pub(crate) id: Option<i64>,
    /// Unique name in the configuration.
    pub(crate) name: String,
    /// Platform of the peer.
    pub(crate) kind: &'static str,
    /// Identity that it is compared by.
    pub(crate) identity: Identity,
}

/// Integrations in an order in which equals stand together, and by name among them: each of ten
/// thousand looks for its like whenever it runs.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    by_target: Vec<Peer>,
    targets: Places,
    config_names: Places,
}

/// Places of peers by the hash of what they are compared by: one small table, where comparing
/// the texts would look at a dozen peers all over the memory.
#[derive(Debug, Default)]
struct Places {
    hasher: RandomState,
    places: Vec<(u64, usize)>,
}

impl Places {
    /// Returns the places of `peers` by `key`, by name among equals.
    fn new(peers: &[Peer], key: impl Fn(&Peer) -> (&str, Option<&str>)) -> Self {
        let hasher = RandomState::new();
        let mut named: Vec<_> = peers.iter().enumerate().collect();
        named.sort_by_key(|(_, peer)| &peer.name);
        let entry = |(at, peer): &(usize, &Peer)| (hasher.hash_one(key(peer)), *at);
        let mut places: Vec<_> = named.iter().map(entry).collect();
        places.sort_by_key(|(hash, _)| *hash);
        Self { hasher, places }
    }

    /// Returns the places of this key, and of others whose hash is the same.
    fn of(&self, kind: &str, text: &str) -> impl Iterator<Item = usize> {
        let hash = self.hasher.hash_one((kind, Some(text)));
        let first = self.places.partition_point(|(other, _)| *other < hash);
        let rest = self.places.get(first..).unwrap_or_default().iter();
        rest.take_while(move |(other, _)| *other == hash).map(|(_, place)| *place)
    }
}

impl Peers {
    /// Returns all peers of the run.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.by_target.iter()
    }

    /// Returns the peers of the platform `kind` that have any target.
    pub(super) fn with_some_target(&self, kind: &str) -> &[Peer] {
        let all = &self.by_target;
        let start = all.partition_point(|peer| (peer.kind, peer.target()) <= (kind, None));
        let end = all.partition_point(|peer| peer.kind <= kind);
        all.get(start..end).unwrap_or_default()
    }

    /// Returns the peers of the platform `kind` that have this target.
    pub(super) fn with_target(&self, kind: &str, target: &str) -> impl Iterator<Item = &Peer> {
        let found = self.targets.of(kind, target).filter_map(|place| self.by_target.get(place));
        found.filter(move |peer| peer.target_key() == (kind, Some(target)))
    }

    /// Returns the peers of the platform `kind` with this name in their own configuration.
    pub(super) fn with_config_name(&self, kind: &str, name: &str) -> impl Iterator<Item = &Peer> {
        let found = self.config_names.of(kind, name).filter_map(|place| self.by_target.get(place));
        found.filter(move |peer| peer.config_key() == (kind, Some(name)))
    }
}

impl FromIterator<Peer> for Peers {
    fn from_iter<T: IntoIterator<Item = Peer>>(all: T) -> Self {
        let mut by_target: Vec<_> = all.into_iter().collect();
        by_target.sort_by(|a, b| (a.target_key(), &a.name).cmp(&(b.target_key(), &b.name)));
        let targets = Places::new(&by_target, Peer::target_key);
        let config_names = Places::new(&by_target, Peer::config_key);
        Self { by_target, targets, config_names }
    }
}

impl Peer {
    fn target(&self) -> Option<&str> {
        self.identity.target.as_deref()
    }

    fn target_key(&self) -> (&str, Option<&str>) {
        (self.kind, self.target())
    }

    fn config_key(&self) -> (&str, Option<&str>) {
        (self.kind, self.identity.config_name.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};
    use proptest::{option, sample};

    const KINDS: [&str; 3] = ["a", "b", "c"];

    proptest! {
        #[test]
        fn only_peers_of_equal_target_or_name_are_found(
            all in proptest::collection::vec(
                (sample::select(&KINDS[..]), option::of("[xy]{0,2}"), option::of("[xy]{0,2}")),
                0..40,
            ),
            kind in sample::select(&KINDS[..]),
            wanted in "[xy]{0,2}",
        ) {
            let peer = |(place, (kind, target, config_name))| Peer {
                id: None,
                name: format!("{place:02}"),
                kind,
                identity: Identity { config_name, target, ..Identity::default() },
            };
            let all: Vec<Peer> = all.into_iter().enumerate().map(peer).collect();
            let peers: Peers = all.iter().cloned().collect();
            let of_kind = |peer: &&Peer| peer.kind == kind;
            let names = |found: &mut dyn Iterator<Item = &Peer>| {
                found.map(|peer| peer.name.clone()).collect::<Vec<_>>()
            };
            let like = |peer: &&Peer| peer.target() == Some(&wanted);
            prop_assert_eq!(
                names(&mut peers.with_target(kind, &wanted)),
                names(&mut all.iter().filter(of_kind).filter(like))
            );
            let same_name = |peer: &&Peer| peer.identity.config_name.as_ref() == Some(&wanted);
            prop_assert_eq!(
                names(&mut peers.with_config_name(kind, &wanted)),
                names(&mut all.iter().filter(of_kind).filter(same_name))
            );
            let mut found = names(&mut peers.with_some_target(kind).iter());
            found.sort();
            let some = |peer: &&Peer| peer.target().is_some();
            prop_assert_eq!(found, names(&mut all.iter().filter(of_kind).filter(some)));
            prop_assert_eq!(peers.iter().count(), all.len());
        }
    }
}
