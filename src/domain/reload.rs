//! Outcome of a start or reload: what it changed, or why it was refused.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{NameList, Timestamp};

/// The most names that a list of changes shows.
const NAMES_MAX: usize = 20;
/// The most names that a sentence about changes shows.
const NAMES_IN_SENTENCE_MAX: usize = 3;

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
    pub(crate) receivers_added: NameList,
    /// Receivers that were removed.
    pub(crate) receivers_removed: NameList,
}

/// One sentence without its end: `12 added (a, b, c and 9 more), 1 removed (d)`.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("added", &self.added),
            ("changed", &self.changed),
            ("removed", &self.removed),
            ("receivers added", &self.receivers_added),
            ("receivers removed", &self.receivers_removed),
        ];
        let parts = parts.into_iter().filter(|(_, names)| 0 < names.count);
        let part = |(verb, names): (&str, &NameList)| {
            format!("{} {verb} ({})", names.count, names.sentence())
        };
        let parts: Vec<_> = parts.map(part).collect();
        f.write_str(if parts.is_empty() { "nothing changed" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

/// Outcome of a start or reload.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Reload {
    /// Number of reloads of this life of the daemon so far, 0 for its start.
    pub(crate) number: u64,
    /// Instant at which the files began to be read.
    pub(crate) begun_at: Timestamp,
    /// Instant at which it was done.
    pub(crate) ended_at: Timestamp,
    /// Reason for which it was refused; none when it is in force.
    pub(crate) refused: Option<String>,
    /// Faults of the configuration, as many as are kept.
    pub(crate) faults: Vec<String>,
    /// True when trying again with the same files is in vain.
    pub(crate) is_configuration: bool,
    /// Changes that it made.
    pub(crate) changes: Changes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_and_the_first_names_shown() {
        assert_eq!(Changes::default().to_string(), "nothing changed");
        let mut changes = Changes::default();
        (0..30).for_each(|number| changes.added.add(&format!("i{number}")));
        changes.removed.add("lake");
        changes.receivers_added.add("on-call");
        assert_eq!((changes.added.count, changes.added.names.len()), (30, NAMES_MAX));
        assert_eq!(
            changes.to_string(),
            "30 added (i0, i1, i2 and 27 more), 1 removed (lake), 1 receivers added (on-call)"
        );
    }

    #[test]
    fn outcome_is_read_as_it_was_written() {
        let mut changes = Changes::default();
        changes.changed.add("lake");
        let outcome = Reload {
            number: 3,
            begun_at: Timestamp(1000),
            ended_at: Timestamp(2000),
            refused: Some("1 fault in the configuration".to_owned()),
            faults: vec!["a.toml:1: x: no".to_owned()],
            is_configuration: true,
            changes,
        };
        let text = serde_json::to_string(&outcome).unwrap();
        assert!(text.contains(r#""begunAt":"1970-01-01T00:00:01Z""#), "{text}");
        assert!(text.contains(r#""changed":{"count":1,"names":["lake"]}"#), "{text}");
        assert_eq!(serde_json::from_str::<Reload>(&text).unwrap(), outcome);
    }
}
