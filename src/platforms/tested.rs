//! Results of tests as platforms return them: a value or a failure, with the facts and expiries that
//! the test saw.

use crate::domain::{Expiry, ExpiryKind, Fact, FactKind, Finding, Timestamp};

/// Result of a test that passed, perhaps with a warning.
#[derive(Debug)]
pub(crate) struct Passed<T> {
    /// Value for the tests that build on this one.
    pub(crate) value: T,
    /// Text of a test that says something when it passes.
    pub(crate) message: Option<String>,
    /// Finding of a test that warns; its value is used all the same.
    pub(crate) warning: Option<Finding>,
    /// Facts and expiries that it saw.
    pub(crate) seen: Seen,
}

/// Result of a test that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    /// Reason of the failure.
    pub(crate) finding: Box<Finding>,
    /// Facts and expiries that it saw before it failed.
    pub(crate) seen: Seen,
}

impl<T> From<T> for Passed<T> {
    fn from(value: T) -> Self {
        Self { value, message: None, warning: None, seen: Seen::default() }
    }
}

impl From<Finding> for Failed {
    fn from(finding: Finding) -> Self {
        Self { finding: Box::new(finding), seen: Seen::default() }
    }
}

impl<T> Passed<T> {
    /// Adds a message for people.
    #[must_use]
    pub(crate) fn saying(self, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..self }
    }

    /// Adds a warning, if there is one.
    #[must_use]
    pub(crate) fn warning(self, warning: Option<Finding>) -> Self {
        Self { warning, ..self }
    }

    /// Adds facts and expiries.
    #[must_use]
    pub(crate) fn seeing(mut self, seen: Seen) -> Self {
        self.seen.extend(seen);
        self
    }
}

/// Facts and expiries that a test saw; never a secret.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Values of facts, as given; the recorder bounds them.
    pub(super) facts: Vec<(Fact, String)>,
    /// Expiries of credentials that must be renewed by hand.
    pub(super) expiries: Vec<Expiry>,
}

impl Seen {
    /// Returns one value of a fact; see [`Self::fact`].
    pub(crate) fn of(kind: FactKind, of: &str, value: &str) -> Self {
        let mut seen = Self::default();
        seen.fact(kind, of, value);
        seen
    }

    /// Adds a value of the fact `kind` of an object. An empty value states that there is none, which
    /// is not the same as not having looked.
    pub(crate) fn fact(&mut self, kind: FactKind, of: &str, value: &str) {
        self.facts.push((Fact { kind, of: of.to_owned() }, value.to_owned()));
    }

    /// Adds the expiry of an object that must be renewed by hand. `of` names it, without its secret.
    pub(crate) fn expires(&mut self, kind: ExpiryKind, of: &str, at: Timestamp) {
        self.expiries.push(Expiry { kind, of: of.to_owned(), at });
    }

    /// Adds everything in `other`.
    pub(crate) fn extend(&mut self, other: Self) {
        self.facts.extend(other.facts);
        self.expiries.extend(other.expiries);
    }

    /// Returns the result of a test together with everything that it saw.
    ///
    /// # Errors
    ///
    /// Returns the finding of the test.
    pub(crate) fn with<T, P: Into<Passed<T>>>(
        self,
        found: Result<P, Finding>,
    ) -> Result<Passed<T>, Failed> {
        match found {
            Ok(passed) => Ok(passed.into().seeing(self)),
            Err(finding) => Err(Failed { finding: Box::new(finding), seen: self }),
        }
    }
}
