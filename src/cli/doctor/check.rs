//! Checks of the doctor: their parts, and what they find.

use super::facts::Facts;

/// Most names that a finding lists.
const LISTED_MAX: usize = 8;

/// Part of an installation.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase", const_into_str)]
pub(super) enum Group {
    /// Program, unit and its limits.
    Installation,
    /// Files of the configuration, and secrets.
    Configuration,
    /// Database and its folder.
    Store,
    /// Clock, names, certificates and networks of the machine.
    Machine,
    /// Daemon that runs, or should.
    Daemon,
}

impl Group {
    /// Returns the name in JSON and in the documentation.
    pub(super) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Finding of a check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Found {
    /// Finding as a sentence.
    pub(super) what: String,
    /// Line to type, where it is more exact than that of the check.
    pub(super) line: Option<String>,
}

impl Found {
    /// Returns a finding with the line of its check.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), line: None }
    }

    /// Sets the line to type.
    pub(super) fn type_in(self, line: impl Into<String>) -> Self {
        Self { line: Some(line.into()), ..self }
    }
}

/// Findings of a check; an error is the reason why it cannot be made here.
pub(super) type Looked = Result<Vec<Found>, &'static str>;

/// Check of an installation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    /// Name, by which findings are distinguished.
    pub(super) name: &'static str,
    /// Condition that is a finding, as a sentence.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the list in docs/doctor.md is made from it")
    )]
    pub(super) finds: &'static str,
    /// Reason why it matters, as a sentence.
    pub(super) why: &'static str,
    /// Line that a person types.
    pub(super) line: &'static str,
    /// Function that looks at the facts.
    pub(super) look: Look,
}

/// Function that looks at the facts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    /// It can be made everywhere.
    Always(fn(&Facts) -> Vec<Found>),
    /// It cannot be made where facts are missing.
    Where(fn(&Facts) -> Looked),
}

impl Check {
    /// Returns the findings of the check.
    pub(super) fn made(&self, facts: &Facts) -> Looked {
        match self.look {
            Look::Always(look) => Ok(look(facts)),
            Look::Where(look) => look(facts),
        }
    }
}

/// Returns the first names of a list, and how many more there are.
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let shown: Vec<_> = names.iter().take(LISTED_MAX).map(AsRef::as_ref).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(LISTED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Returns one finding if there is a name, with the names listed by `what`.
pub(super) fn named<T: AsRef<str>>(names: &[T], what: impl FnOnce(&str) -> String) -> Vec<Found> {
    if names.is_empty() { Vec::new() } else { vec![Found::new(what(&listed(names)))] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_up_to_a_bound() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        assert_eq!(listed(&names[..1]), "a");
        assert_eq!(listed(&names[..8]), "a, b, c, d, e, f, g, h");
        assert_eq!(listed(&names), "a, b, c, d, e, f, g, h and 2 more");
    }

    #[test]
    fn without_a_name_nothing_is_found() {
        let none: [&str; 0] = [];
        assert_eq!(named(&none, |names| format!("{names}.")), Vec::new());
        assert_eq!(named(&["a", "b"], |names| format!("{names}.")), [Found::new("a, b.")]);
    }
}
