//! Names and labels: rules that integrations, receivers, nodes and tokens have in common.

use std::collections::BTreeMap;

use super::{Reader, quoted};
use crate::domain::is_unseen;

/// Length limit of a name, in characters.
pub(crate) const NAME_MAX: usize = 128;
/// Number of labels that one integration can have.
pub(crate) const LABELS_MAX: usize = 64;
/// Length limit of a label's value, in characters.
pub(crate) const LABEL_MAX: usize = 256;

/// Reads the table `labels`, which may be missing.
pub(crate) fn labels(reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    labels_of(reader, "labels").unwrap_or_default()
}

/// Reads a table of labels under this key; none when it is missing.
pub(crate) fn labels_of(
    reader: &mut Reader<'_>,
    key: &'static str,
) -> Option<BTreeMap<String, String>> {
    let labels = reader.string_map(key)?;
    if LABELS_MAX < labels.len() {
        reader.fault(key, format!("has {} entries; {LABELS_MAX} are allowed", labels.len()));
    }
    for (name, text) in &labels {
        if let Some(problem) = name_problem(name) {
            reader.fault(key, format!("the name {} {problem}", quoted(name)));
        }
        if LABEL_MAX < text.chars().count() || text.chars().any(is_unseen) {
            let problem = format!("must be at most {LABEL_MAX} printable characters");
            reader.fault(key, format!("{} {problem}", quoted(name)));
        }
    }
    Some(labels)
}

/// Returns the rule that a name breaks, if it breaks one.
pub(crate) fn name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() || NAME_MAX < name.chars().count() {
        Some("must be 1 to 128 characters long")
    } else if name.chars().any(is_unseen) {
        Some("must hold printable characters only")
    } else if name.trim() != name {
        Some("must not begin or end with a space")
    } else {
        None
    }
}
