//! Changes that a configuration makes: counts with the first names, bounded whatever the number.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most names that a list of changes shows.
const NAMES_MAX: usize = 20;
/// The most names that a sentence about changes shows.
const NAMES_IN_SENTENCE_MAX: usize = 3;

/// Number of integrations or receivers with the first of their names.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NameList {
    /// Number of all of them.
    pub(crate) count: u32,
    /// Names of the first of them, 20 at most.
    pub(crate) names: Vec<String>,
}

impl NameList {
    /// Adds a name, which is kept while there is room.
    pub(crate) fn add(&mut self, name: &str) {
        self.count = self.count.saturating_add(1);
        if self.names.len() < NAMES_MAX {
            self.names.push(name.to_owned());
        }
    }

    /// Returns the first names for a sentence, and the number of the others.
    pub(crate) fn sentence(&self) -> String {
        let shown: Vec<_> =
            self.names.iter().take(NAMES_IN_SENTENCE_MAX).map(String::as_str).collect();
        let shown_count = shown.len();
        match usize::try_from(self.count).unwrap_or(usize::MAX).saturating_sub(shown_count) {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

/// Changes that a start or reload made.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Changes {
    /// Integrations that were added.
    pub(crate) added: NameList,
    /// Integrations of which something was changed.
    pub(crate) changed: NameList,
    /// Integrations that were removed.
    pub(crate) removed: NameList,
    /// Receivers that were added.
    #[serde(default)]
    pub(crate) receivers_added: NameList,
    /// Receivers of which something was changed.
    #[serde(default)]
    pub(crate) receivers_changed: NameList,
    /// Receivers that were removed.
    #[serde(default)]
    pub(crate) receivers_removed: NameList,
}

impl Changes {
    /// Returns true when there are none.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns each list with names, under a heading such as `12 added` or `1 receiver removed`.
    pub(crate) fn lists(&self) -> impl Iterator<Item = (String, &NameList)> {
        let lists = [
            ("", "added", &self.added),
            ("", "changed", &self.changed),
            ("", "removed", &self.removed),
            ("receiver", "added", &self.receivers_added),
            ("receiver", "changed", &self.receivers_changed),
            ("receiver", "removed", &self.receivers_removed),
        ];
        lists.into_iter().filter(|(.., list)| 0 < list.count).map(|(noun, verb, list)| {
            let noun = match (noun, list.count) {
                ("", _) => String::new(),
                (noun, 1) => format!("{noun} "),
                (noun, _) => format!("{noun}s "),
            };
            (format!("{} {noun}{verb}", list.count), list)
        })
    }
}

/// One sentence without its end: `12 added (a, b, c and 9 more), 1 removed (d)`.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts =
            self.lists().map(|(heading, names)| format!("{heading} ({})", names.sentence()));
        let parts: Vec<_> = parts.collect();
        f.write_str(if parts.is_empty() { "nothing changed" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_and_the_first_names_shown() {
        assert_eq!(Changes::default().to_string(), "nothing changed");
        assert!(Changes::default().is_empty());
        let mut changes = Changes::default();
        (0..30).for_each(|number| changes.added.add(&format!("i{number}")));
        changes.removed.add("lake");
        changes.receivers_added.add("on-call");
        for name in ["chat", "pager"] {
            changes.receivers_changed.add(name);
        }
        assert_eq!((changes.added.count, changes.added.names.len()), (30, NAMES_MAX));
        assert_eq!(
            changes.to_string(),
            "30 added (i0, i1, i2 and 27 more), 1 removed (lake), 1 receiver added (on-call), \
             2 receivers changed (chat, pager)"
        );
        assert!(!changes.is_empty());
    }

    #[test]
    fn changes_of_an_older_version_are_read() {
        let list = r#"{"count":1,"names":["lake"]}"#;
        let old = format!(r#"{{"added":{list},"changed":{list},"removed":{list}}}"#);
        let changes: Changes = serde_json::from_str(&old).unwrap();
        assert_eq!((changes.added.count, changes.receivers_added.count), (1, 0));
    }
}
