//! Collects faults, warnings and the places of secrets while the configuration is read.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::Fault;
use crate::domain::SecretRef;

/// Collection of faults, warnings and places of secrets, shared by all readers of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    found: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
    literals: RefCell<Vec<Fault>>,
    secrets: RefCell<BTreeSet<String>>,
    references: RefCell<Vec<Reference>>,
}

/// Reference to a secret, with its place in the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    /// Origin of the reference: `file:line`.
    pub(crate) origin: String,
    /// Path of its key.
    pub(crate) path: String,
    /// Place of the secret; never the secret itself.
    pub(crate) secret: SecretRef,
}

impl Faults {
    /// Adds `path` to the paths of secrets.
    pub(super) fn secret_at(&self, path: &str) {
        self.secrets.borrow_mut().insert(path.to_owned());
    }

    /// Adds a reference to a secret.
    pub(super) fn refer(&self, reference: Reference) {
        self.references.borrow_mut().push(reference);
    }

    /// Adds a warning of a secret that the configuration itself contains.
    pub(super) fn literal(&self, warning: Fault) {
        self.literals.borrow_mut().push(warning);
    }

    /// Adds a fault of the configuration.
    pub(crate) fn push(&self, fault: Fault) {
        self.found.borrow_mut().push(fault);
    }

    /// Adds everything of `other`, except the paths of its secrets.
    pub(crate) fn absorb(&self, other: Self) {
        self.found.borrow_mut().append(&mut other.found.into_inner());
        self.warnings.borrow_mut().append(&mut other.warnings.into_inner());
        self.literals.borrow_mut().append(&mut other.literals.into_inner());
        self.references.borrow_mut().append(&mut other.references.into_inner());
    }

    /// Adds the faults and warnings of `other`, which was read from the same files: their secrets and the
    /// references are known already.
    pub(crate) fn absorb_again(&self, other: Self) {
        self.found.borrow_mut().append(&mut other.found.into_inner());
        self.warnings.borrow_mut().append(&mut other.warnings.into_inner());
    }

    /// Adds a warning of a value that is accepted but unwise.
    pub(crate) fn warn(&self, warning: Fault) {
        self.warnings.borrow_mut().push(warning);
    }

    /// Returns the number of faults so far.
    pub(crate) fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// Returns the secrets that the configuration itself contains, one warning each.
    pub(crate) fn literals(&self) -> Vec<Fault> {
        self.literals.borrow().clone()
    }

    /// Turns the warnings of secrets in the configuration itself into faults.
    pub(crate) fn refuse_literals(&self) {
        self.found.borrow_mut().append(&mut self.literals.borrow_mut());
    }

    /// Returns all faults and all warnings.
    pub(crate) fn into_parts(self) -> (Vec<Fault>, Vec<Fault>) {
        let mut warnings = self.warnings.into_inner();
        warnings.append(&mut self.literals.into_inner());
        (self.found.into_inner(), warnings)
    }

    /// Returns the references to secrets.
    pub(crate) fn references(&self) -> Vec<Reference> {
        self.references.borrow().clone()
    }

    /// Returns the paths at which secrets were read.
    pub(crate) fn secret_paths(&self) -> BTreeSet<String> {
        self.secrets.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(message: &str) -> Fault {
        Fault { origin: "f:1".to_owned(), path: "a".to_owned(), message: message.to_owned() }
    }

    fn messages(faults: Vec<Fault>) -> Vec<String> {
        faults.into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn secret_in_the_configuration_is_a_warning_until_it_is_refused() {
        let faults = Faults::default();
        faults.push(fault("fault"));
        faults.warn(fault("warning"));
        faults.literal(fault("secret"));
        assert_eq!((faults.count(), messages(faults.literals())), (1, vec!["secret".to_owned()]));
        let strict = Faults::default();
        strict.absorb(faults);
        strict.refuse_literals();
        let (found, warnings) = strict.into_parts();
        assert_eq!(messages(found), ["fault", "secret"]);
        assert_eq!(messages(warnings), ["warning"]);
    }

    #[test]
    fn secrets_that_are_read_again_are_not_counted_again() {
        let (all, again) = (Faults::default(), Faults::default());
        for one in [&all, &again] {
            one.literal(fault("secret"));
            let (origin, path) = ("f:1".to_owned(), "a".to_owned());
            one.refer(Reference { origin, path, secret: SecretRef::Env("A".to_owned()) });
        }
        again.push(fault("fault"));
        again.warn(fault("warning"));
        all.absorb_again(again);
        assert_eq!((all.references().len(), all.literals().len()), (1, 1));
        let (found, warnings) = all.into_parts();
        assert_eq!(messages(found), ["fault"]);
        assert_eq!(messages(warnings), ["warning", "secret"]);
    }

    #[test]
    fn absorbed_faults_keep_their_kind_and_leave_out_paths_of_secrets() {
        let (all, other) = (Faults::default(), Faults::default());
        all.secret_at("a.b");
        other.secret_at("c.d");
        other.push(fault("fault"));
        other.warn(fault("warning"));
        other.literal(fault("secret"));
        all.absorb(other);
        assert_eq!(all.secret_paths(), BTreeSet::from(["a.b".to_owned()]));
        let (found, warnings) = all.into_parts();
        assert_eq!(
            (messages(found), messages(warnings)),
            (vec!["fault".to_owned()], vec!["warning".to_owned(), "secret".to_owned()])
        );
    }
}
