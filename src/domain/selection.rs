//! Selection of integrations by name, platform and label.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Properties of an integration by which selections match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// Name of the integration.
    pub(crate) name: &'a str,
    /// Published name of its platform.
    pub(crate) kind: &'a str,
    /// Labels of the integration.
    pub(crate) labels: &'a BTreeMap<String, String>,
}

/// Selection that matches integrations by all given criteria; without any it matches all.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Selection {
    /// Patterns of names, in which `*` matches any text; empty for all.
    pub(crate) integrations: Vec<String>,
    /// Published names of platforms; empty for all.
    pub(crate) types: Vec<String>,
    /// Labels that an integration must have, with patterns of their values.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Selection {
    /// Returns true when the integration matches.
    #[must_use]
    pub(crate) fn fits(&self, about: About<'_>) -> bool {
        let fits = |patterns: &[String], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, text))
        };
        let has = |(name, pattern): (&String, &String)| {
            about.labels.get(name).is_some_and(|value| matches(pattern, value))
        };
        fits(&self.integrations, about.name)
            && fits(&self.types, about.kind)
            && self.labels.iter().all(has)
    }
}

/// Writes the criteria in words: `integrations ware*, types Redshift, labels team=data`.
impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let labels = self.labels.iter().map(|(name, value)| format!("{name}={value}"));
        let parts = [
            ("integrations", self.integrations.clone()),
            ("types", self.types.clone()),
            ("labels", labels.collect()),
        ];
        let said = parts.iter().filter(|(_, values)| !values.is_empty());
        let said: Vec<_> =
            said.map(|(what, values)| format!("{what} {}", values.join(" "))).collect();
        f.pad(if said.is_empty() { "everything".to_owned() } else { said.join(", ") }.as_str())
    }
}

/// Returns true when `text` is `pattern` with any text in place of each `*`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_is_shown_in_words() {
        let mut selection = Selection::default();
        assert_eq!(selection.to_string(), "everything");
        selection.integrations = vec!["a*".to_owned(), "b".to_owned()];
        selection.labels = BTreeMap::from([("team".to_owned(), "data".to_owned())]);
        assert_eq!(selection.to_string(), "integrations a* b, labels team=data");
    }

    #[test]
    fn star_matches_any_text() {
        let table = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a", true),
            ("a", "a", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "a", false),
            ("ab*bc", "abc", false),
            ("*b*", "abc", true),
            ("*x*", "abc", false),
            ("**", "abc", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
