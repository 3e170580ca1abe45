//! Failure of a call to a platform, in one shape for all platforms.
//!
//! Each platform has tables of its own that turn codes, statuses and errors of drivers into a cause
//! and a class, and remedies by cause. Everything else is the same: the class decides about retries
//! and verdicts, the detail is shown in messages, and the evidence beside them. Text of others is
//! redacted and bounded before it is put into a failure.

use std::time::Duration;

use crate::domain::{Class, Finding, Test};
use crate::net::backoff::{Backoff, Retryable};
use crate::net::exchange::NoAnswer;

/// Failure of one call, with the platform's own name for its cause.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Failure<C> {
    /// Cause by the platform's own tables; remedies depend on it.
    pub(crate) cause: C,
    /// Error class, which decides about retries and verdicts.
    pub(crate) class: Class,
    /// Detail for messages, in one line.
    pub(crate) detail: String,
    /// Platform's own words, for people who look closer.
    pub(crate) evidence: Option<String>,
    /// Wait that the server asked for.
    pub(crate) retry_after: Option<Duration>,
}

/// Platform's own name for the cause of a failure.
pub(crate) trait Cause: Sized {
    /// Returns the cause of an exchange that had no answer for a reason of `class`.
    fn no_answer(class: Class) -> Self;

    /// Returns the line about an exchange that had no answer; `detail` has no final period.
    fn describe(detail: &str) -> String {
        detail.to_owned()
    }

    /// Returns the backoff of a failure of `class`.
    fn backoff(&self, class: Class) -> Backoff {
        Backoff::of(class)
    }

    /// Returns true when a definitive failure may come from something else than the platform: a gateway, a proxy,
    /// an identity provider, or whatever answered in its place. It is then asked for once more before it counts.
    fn is_doubtful(&self) -> bool;
}

impl<C> Failure<C> {
    /// Returns a failure without evidence.
    pub(crate) fn new(cause: C, class: Class, detail: impl Into<String>) -> Self {
        Self { cause, class, detail: detail.into(), evidence: None, retry_after: None }
    }

    /// Adds the platform's own words.
    #[must_use]
    pub(crate) fn because(self, evidence: impl Into<String>) -> Self {
        Self { evidence: Some(evidence.into()), ..self }
    }

    /// Adds the wait that the server asked for.
    #[must_use]
    pub(crate) fn after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }
}

impl<C: Cause> Failure<C> {
    /// Returns a finding of `test`: its published text, then the detail.
    pub(crate) fn finding_of(&self, test: Test) -> Finding {
        self.evident(Finding::of(test, self.class, &self.detail))
    }

    /// Returns a finding that says `what` in a sentence, then the detail.
    pub(crate) fn finding_that(&self, what: &str) -> Finding {
        self.evident(Finding::new(self.class, format!("{what} {}", self.detail)))
    }

    /// Returns `finding` with the platform's own words as evidence, and everything else that a verdict depends
    /// on: whose words they may be, and the wait that was asked for.
    pub(crate) fn evident(&self, finding: Finding) -> Finding {
        let finding = finding.after(self.retry_after);
        let finding = if self.cause.is_doubtful() { finding.doubtful() } else { finding };
        match &self.evidence {
            Some(evidence) => finding.because(evidence),
            None => finding,
        }
    }
}

impl<C: Cause> Retryable for Failure<C> {
    fn backoff(&self) -> Backoff {
        self.cause.backoff(self.class).or_after(self.retry_after)
    }
}

impl<C: Cause> From<NoAnswer> for Failure<C> {
    fn from(NoAnswer { class, detail }: NoAnswer) -> Self {
        Self::new(C::no_answer(class), class, C::describe(&detail))
    }
}

/// Returns `text` with a capital letter and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let end = if text.ends_with(['.', '…', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.collect::<String>(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECT: Test = Test::always("connect", "Unable to connect.");

    #[derive(Clone, Debug, Eq, PartialEq)]
    struct Any(Class);

    impl Cause for Any {
        fn no_answer(class: Class) -> Self {
            Self(class)
        }

        fn describe(detail: &str) -> String {
            sentence(detail)
        }

        fn is_doubtful(&self) -> bool {
            self.0 == Class::Missing
        }
    }

    #[test]
    fn exchange_without_answer_is_a_failure_of_its_class() {
        let none = NoAnswer { class: Class::Unreachable, detail: "no connection".to_owned() };
        let failure = Failure::<Any>::from(none);
        let expected = Failure::new(Any(Class::Unreachable), Class::Unreachable, "No connection.");
        assert_eq!(failure, expected);
        assert_eq!(failure.backoff(), Backoff::of(Class::Unreachable));
        let later = failure.after(Some(Duration::from_secs(3)));
        let backoff = Backoff::of(Class::Unreachable).or_after(Some(Duration::from_secs(3)));
        assert_eq!(later.backoff(), backoff);
    }

    #[test]
    fn finding_has_class_detail_and_evidence() {
        let failure = Failure::new(Any(Class::Denied), Class::Denied, "No.").because("HTTP 403");
        let of = failure.finding_of(CONNECT);
        assert_eq!((of.class, of.message.as_str()), (Class::Denied, "Unable to connect. No."));
        assert_eq!(of.evidence.as_deref(), Some("HTTP 403"));
        assert_eq!(failure.finding_that("It failed.").message, "It failed. No.");
        assert!(of.is_certain);
        let wait = Some(Duration::from_secs(9));
        let doubtful = Failure::new(Any(Class::Missing), Class::Missing, "Gone.").after(wait);
        let found = doubtful.finding_of(CONNECT);
        assert_eq!((found.is_certain, found.retry_after), (false, wait));
    }

    #[test]
    fn sentences_have_one_capital_and_one_end() {
        for (text, expected) in [("é is", "É is."), ("what?", "What?"), ("cut…", "Cut…"), ("", ".")]
        {
            assert_eq!(sentence(text), expected);
        }
    }
}
