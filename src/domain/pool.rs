//! Pools (placement by labels): the nodes that may do a piece of work.

use std::collections::BTreeMap;
use std::fmt;

/// Labels that a node must have to do some work; none lets every node do it.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Pool(BTreeMap<String, String>);

impl Pool {
    /// Returns the pool of the nodes with these labels.
    pub(crate) const fn of(labels: BTreeMap<String, String>) -> Self {
        Self(labels)
    }

    /// Returns the pool of a canonical text.
    ///
    /// # Errors
    ///
    /// Fails when the text is none.
    #[cfg_attr(
        not(any(feature = "postgres", test)),
        expect(dead_code, reason = "a file has one node")
    )]
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        if text.is_empty() { Ok(Self::default()) } else { serde_json::from_str(text).map(Self) }
    }

    /// Returns true when every node is in the pool.
    pub(crate) fn is_everywhere(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true when a node with these labels is in the pool.
    pub(crate) fn has(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|(name, value)| labels.get(name) == Some(value))
    }

    /// Returns the canonical text, which two pools have only when they are the same: JSON with sorted keys, and nothing
    /// for every node.
    pub(crate) fn text(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        self.0.clone().into_iter().collect::<serde_json::Value>().to_string()
    }
}

impl fmt::Display for Pool {
    /// Writes the labels as people see them, such as `region=eu`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, value)) in self.0.iter().enumerate() {
            let between = if place == 0 { "" } else { ", " };
            write!(f, "{between}{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn node_is_in_a_pool_when_it_has_each_of_its_labels() {
        let node = labels(&[("region", "eu"), ("zone", "a")]);
        let table: [(&[(&str, &str)], bool); 6] = [
            (&[], true),
            (&[("region", "eu")], true),
            (&[("zone", "a"), ("region", "eu")], true),
            (&[("region", "us")], false),
            (&[("region", "eu"), ("disk", "ssd")], false),
            (&[("region", "")], false),
        ];
        for (asked, expected) in table {
            let pool = Pool::of(labels(asked));
            assert_eq!(pool.has(&node), expected, "{asked:?}");
            assert_eq!(pool.has(&BTreeMap::new()), asked.is_empty(), "{asked:?}");
        }
    }

    #[test]
    fn canonical_text_is_the_same_in_any_order_and_another_for_every_other_pool() {
        let text = |pairs: &[(&str, &str)]| Pool::of(labels(pairs)).text();
        assert_eq!(text(&[]), "");
        assert_eq!(text(&[("z", "1"), ("a", "2")]), r#"{"a":"2","z":"1"}"#);
        assert_ne!(text(&[("a", "b, c=d")]), text(&[("a", "b"), ("c", "d")]));
        for pairs in [&[][..], &[("a", "b, \"c\"=d"), ("e", "")]] {
            let pool = Pool::of(labels(pairs));
            assert_eq!(Pool::parse(&pool.text()).unwrap(), pool);
        }
        let shown = Pool::of(labels(&[("zone", "a"), ("region", "eu")])).to_string();
        assert_eq!(shown, "region=eu, zone=a");
    }
}
