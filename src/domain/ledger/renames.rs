//! Renames that a configuration declares (`formerly`): the row of the former name goes on under the new one.
//!
//! A declaration stays in the files after it was followed. The row remembers it, so that a swap of two names is not
//! undone by the next reload.

use std::collections::{BTreeMap, BTreeSet};

use super::sync::Wanted;

/// Returns the former name of each integration that goes on under a new one, by that new one. `stored` are
/// the names in use, each with the former name that was declared when it was last stored.
///
/// Chains and swaps are followed. A row that its own name's integration needs is not taken from it.
pub(crate) fn renames<'a>(
    wanted: &'a [Wanted],
    stored: &BTreeMap<&str, Option<&str>>,
) -> BTreeMap<&'a str, &'a str> {
    let names: BTreeSet<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
    let mut claims: BTreeMap<&str, &str> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for one in wanted {
        let (name, Some(former)) = (one.name.as_str(), one.formerly.as_deref()) else { continue };
        let is_followed = stored.get(name).is_some_and(|declared| *declared == Some(former));
        if !is_followed && stored.contains_key(former) && taken.insert(former) {
            claims.insert(name, former);
        }
    }
    loop {
        let taken: BTreeSet<&str> = claims.values().copied().collect();
        let is_needed = |name: &str, former: &str| {
            let stays = names.contains(former) && !claims.contains_key(former);
            let has_own = stored.contains_key(name) && !taken.contains(name);
            stays || has_own
        };
        let kept: BTreeMap<&str, &str> = claims
            .iter()
            .map(|(new, old)| (*new, *old))
            .filter(|(new, old)| !is_needed(new, old))
            .collect();
        if kept.len() == claims.len() {
            return kept;
        }
        claims = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::samples::wanted;
    use super::*;

    fn pair(text: &str) -> (&str, Option<&str>) {
        text.split_once('<').map_or((text, None), |(name, former)| (name, Some(former)))
    }

    /// Follows the renames of `new<old` among integrations in use of `name` or `name<declared`.
    fn followed(configured: &str, used: &str) -> String {
        let all: Vec<_> = configured.split_whitespace().map(pair).collect();
        let wanted: Vec<_> = all
            .into_iter()
            .map(|(name, former)| Wanted { formerly: former.map(str::to_owned), ..wanted(name) })
            .collect();
        let stored = used.split_whitespace().map(pair).collect();
        let found = renames(&wanted, &stored);
        found.iter().map(|(new, old)| format!("{new}<{old}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn declared_renames_are_followed_once() {
        let table = [
            ("b<a", "a", "b<a"),
            ("b<a", "b<a", ""),
            ("b<a c<b", "a b", "b<a c<b"),
            ("b<a c<b", "b<a c<b", ""),
            ("a<b b<a", "a b", "a<b b<a"),
            ("a<b b<a", "a<b b<a", ""),
            ("a<b b<c c<a", "a b c", "a<b b<c c<a"),
            // The former name is in use, or the new one is.
            ("a b<a", "a", ""),
            ("b<a", "a b", ""),
            ("a b<a c<b", "a b", ""),
            ("b<a c<a", "a", "b<a"),
            ("b<x", "a", ""),
            // Another declaration than the one that was followed.
            ("b<c", "b<a c", ""),
            ("b<c c<b", "b<a c", "b<c c<b"),
        ];
        for (configured, used, expected) in table {
            assert_eq!(followed(configured, used), expected, "{configured} over {used}");
        }
    }
}
