//! Integrations that were made, and the drop-in of them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::draft::Needed;
use super::drop_in;
use super::source::Source;
use crate::config::entry::Entry;
use crate::input::{Kind, Value, join};

/// Result of a test, where the integration comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PreviousTest {
    /// Name of the test, as it was answered.
    pub(crate) name: String,
    /// Status of the test there, such as `failed`.
    pub(crate) status: String,
    /// Message of the test there; empty for none.
    pub(crate) message: String,
}

/// Results that an integration had where it comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Previous {
    /// Name of the integration here.
    pub(crate) integration: String,
    /// Published name of its platform.
    pub(crate) kind: String,
    /// Status of the integration there; empty where the answer has none.
    pub(crate) status: String,
    /// Results of its tests.
    pub(crate) tests: Vec<PreviousTest>,
}

/// Drop-in that is made from a file of another program.
#[derive(Debug)]
pub(crate) struct Import {
    /// Path of the drop-in, which is not read if it is there already.
    pub(crate) path: PathBuf,
    /// Content for the drop-in.
    pub(crate) text: String,
    /// Names of the integrations in it.
    pub(crate) names: Vec<String>,
    /// Secrets that they refer to.
    pub(crate) needed: Vec<Needed>,
    /// Sentences about what was left out, and why.
    pub(crate) notes: Vec<String>,
    /// Results that the integrations had where they come from.
    pub(crate) previous: Vec<Previous>,
}

/// Integrations of a file, with everything that is to be said about them.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// Tables of the integrations.
    pub(super) entries: Vec<Entry>,
    /// Secrets that they refer to.
    pub(super) needed: Vec<Needed>,
    /// Sentences about what was left out, and why.
    pub(super) notes: Vec<String>,
    /// Results that the integrations had where they come from.
    pub(super) previous: Vec<Previous>,
    /// Names that are taken.
    pub(super) names: BTreeSet<String>,
}

impl Made {
    /// Returns the drop-in, with the paths in `left_out` taken out of the entries, which are those of unknown keys.
    pub(crate) fn into_import(
        mut self,
        source: &Source,
        path: PathBuf,
        left_out: &BTreeSet<String>,
    ) -> (Vec<Entry>, Import) {
        for entry in &mut self.entries {
            let name = entry.value.entry("name").and_then(Value::text).unwrap_or_default();
            let (name, at) = (name.to_owned(), entry.path.clone());
            let mut taken = Vec::new();
            take_out(&mut entry.value, &at, left_out, &mut taken);
            if !taken.is_empty() {
                let keys: Vec<_> = taken.iter().map(|key| key.trim_start_matches(&at)).collect();
                let keys: Vec<_> = keys.iter().map(|key| key.trim_start_matches('.')).collect();
                self.notes.push(format!("{name}: unknown keys left out: {}.", keys.join(", ")));
            }
        }
        let names = self.entries.iter().filter_map(|entry| entry.value.entry("name")?.text());
        let from = match source.text {
            Some(_) => source.shown(),
            None => source.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let import = Import {
            path,
            text: drop_in::drop_in(&self.entries, &from, &source.command),
            names: names.map(str::to_owned).collect(),
            needed: self.needed,
            notes: self.notes,
            previous: self.previous,
        };
        (self.entries, import)
    }
}

/// Takes the entries at `paths` out of a table.
fn take_out(value: &mut Value, at: &str, paths: &BTreeSet<String>, taken: &mut Vec<String>) {
    let Kind::Table(entries) = &mut value.kind else { return };
    entries.retain_mut(|(key, value)| {
        let path = join(at, key);
        if paths.contains(&path) {
            taken.push(path);
            return false;
        }
        take_out(value, &path, paths, taken);
        true
    });
}
