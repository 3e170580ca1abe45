//! What reading the configuration brings to light besides its values.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::Fault;

/// Where faults, warnings and the places of secrets are collected.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    found: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
    literals: RefCell<Vec<Fault>>,
    secrets: RefCell<BTreeSet<String>>,
}

impl Faults {
    /// Remembers that a secret is read at `path`.
    pub(super) fn secret_at(&self, path: &str) {
        self.secrets.borrow_mut().insert(path.to_owned());
    }

    /// Adds a secret that stands in the configuration itself.
    pub(super) fn literal(&self, warning: Fault) {
        self.literals.borrow_mut().push(warning);
    }

    /// Adds a fault.
    pub(crate) fn push(&self, fault: Fault) {
        self.found.borrow_mut().push(fault);
    }

    /// Adds everything that was collected apart, except the places of its secrets.
    pub(crate) fn absorb(&self, other: Self) {
        self.found.borrow_mut().append(&mut other.found.into_inner());
        self.warnings.borrow_mut().append(&mut other.warnings.into_inner());
        self.literals.borrow_mut().append(&mut other.literals.into_inner());
    }

    /// Adds something that is accepted but unwise.
    pub(crate) fn warn(&self, warning: Fault) {
        self.warnings.borrow_mut().push(warning);
    }

    /// How many faults there are so far.
    pub(crate) fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// The secrets that stand in the configuration itself, one warning each.
    pub(crate) fn literals(&self) -> Vec<Fault> {
        self.literals.borrow().clone()
    }

    /// From now on a secret that stands in the configuration itself is a fault.
    pub(crate) fn refuse_literals(&self) {
        self.found.borrow_mut().append(&mut self.literals.borrow_mut());
    }

    /// All faults and all warnings.
    pub(crate) fn into_parts(self) -> (Vec<Fault>, Vec<Fault>) {
        let mut warnings = self.warnings.into_inner();
        warnings.append(&mut self.literals.into_inner());
        (self.found.into_inner(), warnings)
    }

    /// The paths at which secrets were read.
    pub(crate) fn secret_paths(&self) -> BTreeSet<String> {
        self.secrets.borrow().clone()
    }
}
