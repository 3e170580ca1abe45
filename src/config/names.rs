//! Names and labels: rules that integrations and tokens have in common.

use std::collections::BTreeMap;

use crate::domain::is_unseen;
use crate::input::{Reader, quoted};

/// Length limit of a name, in characters.
pub(super) const NAME_MAX: usize = 128;
/// Number of labels that one integration can have.
pub(super) const LABELS_MAX: usize = 64;
/// Length limit of a label's value, in characters.
pub(super) const LABEL_MAX: usize = 256;

/// Reads the table `labels`, which may be missing.
pub(super) fn labels(reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let labels = reader.string_map("labels").unwrap_or_default();
    if LABELS_MAX < labels.len() {
        reader.fault("labels", format!("has {} entries; {LABELS_MAX} are allowed", labels.len()));
    }
    for (name, text) in &labels {
        if let Some(problem) = name_problem(name) {
            reader.fault("labels", format!("the name {} {problem}", quoted(name)));
        }
        if LABEL_MAX < text.chars().count() || text.chars().any(is_unseen) {
            let problem = format!("must be at most {LABEL_MAX} printable characters");
            reader.fault("labels", format!("{} {problem}", quoted(name)));
        }
    }
    labels
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
