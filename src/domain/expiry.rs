//! Expiry check: warns before certificates, tokens, secrets and keys expire, in time to renew them.

use std::time::Duration;

use super::{
    Class, Expiry, ExpiryKind, Finding, Observed, Outcome, Test, TestResult, Timestamp,
    duration_text,
};

/// Common test: every expiry is far enough away.
pub(crate) const EXPIRY: Test = Test::recurring("Recurring validation: credential expiry", "");

/// Part of its lifetime at which a certificate that renews itself is renewed; an earlier warning would
/// be noise.
const LIFETIME_PARTS: u32 = 3;

/// Number of expiries that a warning lists.
const LISTED_MAX: usize = 5;

impl Observed {
    /// Returns the earliest expiry, if there is one.
    pub(crate) fn next_expiry(&self) -> Option<&Expiry> {
        self.expiries.iter().min_by_key(|expiry| expiry.at)
    }

    /// Returns true when a warning so long before `expiry` makes sense.
    fn is_timely(&self, expiry: &Expiry, before: Duration) -> bool {
        let lifetime = self.lifetimes.get(&expiry.of);
        let lifetime = lifetime.filter(|_| expiry.kind == ExpiryKind::ServerCertificate);
        lifetime.is_none_or(|lifetime| before.saturating_mul(LIFETIME_PARTS) < *lifetime)
    }
}

impl Expiry {
    /// Returns the object that expires as a noun within a sentence.
    pub(crate) fn noun(&self) -> String {
        let kind = match self.kind {
            ExpiryKind::ServerCertificate if !self.of.is_empty() => {
                return format!("the certificate of {}", self.of);
            }
            ExpiryKind::ServerCertificate => "the certificate of the server",
            ExpiryKind::ClientCertificate => "the client certificate",
            ExpiryKind::Token => "the token",
            ExpiryKind::Secret => "the secret",
            ExpiryKind::Key => "the key",
            ExpiryKind::Session => "the session",
        };
        if self.of.is_empty() { kind.to_owned() } else { format!("{kind} {}", self.of) }
    }

    const fn remediation(&self) -> &'static str {
        match self.kind {
            ExpiryKind::ServerCertificate => "Renew the server's certificate.",
            ExpiryKind::ClientCertificate => {
                "Renew the client certificate that `tls.certificate` and `tls.key` name."
            }
            ExpiryKind::Token => "Create a new token and replace this one.",
            ExpiryKind::Secret => "Create a new secret and replace this one.",
            ExpiryKind::Key => "Create a new key and replace this one.",
            ExpiryKind::Session => "Log in again and replace the session.",
        }
    }

    /// Returns the sentence of a warning, which is the same from one threshold of `warn` to the next.
    fn warning(&self, now: Timestamp, warn: impl Iterator<Item = Duration>) -> Option<String> {
        if self.at <= now {
            return Some(format!("{} expired at {}", self.noun(), self.at));
        }
        let reached = warn.filter(|before| self.at <= now.plus(*before)).min()?;
        let reached = duration_text(reached);
        Some(format!("{} expires at {}, in {reached} or less", self.noun(), self.at))
    }
}

/// Returns the expiry test of a run, given the times before an expiry at which to `warn`.
#[must_use]
pub(crate) fn expiry_check(observed: &Observed, now: Timestamp, warn: &[Duration]) -> TestResult {
    let mut warned: Vec<(&Expiry, String)> = Vec::new();
    let expiries = observed.expiries.iter().filter(|_| !warn.is_empty());
    for expiry in expiries {
        // Of several expiries of one object, such as a cluster's certificates, the first counts.
        let is_listed = warned.last().is_some_and(|(last, _)| {
            (last.kind, last.of.as_str()) == (expiry.kind, expiry.of.as_str())
        });
        let timely = warn.iter().copied().filter(|before| observed.is_timely(expiry, *before));
        if let Some(text) = expiry.warning(now, timely).filter(|_| !is_listed) {
            warned.push((expiry, text));
        }
    }
    let outcome = if warned.is_empty() {
        let next = observed.next_expiry();
        let next = next.map(|next| format!("Next expiry: {} at {}.", next.noun(), next.at));
        Outcome::Passed(next)
    } else {
        warned.sort_by_key(|(expiry, _)| expiry.at);
        Outcome::Warning(finding(&warned))
    };
    TestResult { test: EXPIRY, outcome }
}

fn finding(warned: &[(&Expiry, String)]) -> Finding {
    let mut texts: Vec<_> = warned.iter().take(LISTED_MAX).map(|(_, text)| text.clone()).collect();
    if let Some(more) = warned.len().checked_sub(LISTED_MAX).filter(|more| 0 < *more) {
        texts.push(format!("and {more} more"));
    }
    let mut fixes: Vec<_> = warned.iter().map(|(expiry, _)| expiry.remediation()).collect();
    fixes.sort_unstable();
    fixes.dedup();
    let message = format!("{}.", texts.join("; "));
    let mut letters = message.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    Finding::new(Class::Expired, first.chain(letters).collect::<String>()).fix(fixes.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn now() -> Timestamp {
        "2026-11-22T21:00:00Z".parse().unwrap()
    }

    fn expiring(ends: &[(ExpiryKind, &str, u32)]) -> Observed {
        let expiry = |&(kind, of, days): &(ExpiryKind, &str, u32)| Expiry {
            kind,
            of: of.to_owned(),
            at: now().plus(DAY * days),
        };
        Observed { expiries: ends.iter().map(expiry).collect(), ..Observed::default() }
    }

    fn warn() -> Vec<Duration> {
        [30, 14, 7, 1].map(|days| DAY * days).to_vec()
    }

    #[test]
    fn each_threshold_has_one_sentence() {
        let seen = expiring(&[(ExpiryKind::Token, "ci", 40)]);
        let hour = Duration::from_hours(1);
        let mut found = Vec::new();
        for hours in 0..(41 * 24) {
            let result = expiry_check(&seen, now().plus(hour * hours), &warn());
            let text = (result.outcome.status(), result.outcome.message().unwrap().to_owned());
            if found.last() != Some(&text) {
                found.push(text);
            }
        }
        let at = "2027-01-01T21:00:00Z";
        let expected = [
            format!("Next expiry: the token ci at {at}."),
            format!("The token ci expires at {at}, in 30d or less."),
            format!("The token ci expires at {at}, in 14d or less."),
            format!("The token ci expires at {at}, in 7d or less."),
            format!("The token ci expires at {at}, in 1d or less."),
            format!("The token ci expired at {at}."),
        ];
        let texts: Vec<_> = found.iter().map(|(_, text)| text.clone()).collect();
        assert_eq!(texts, expected);
        let words: Vec<_> = found.iter().map(|(status, _)| status.as_str()).collect();
        assert_eq!(words, ["passed", "warning", "warning", "warning", "warning", "warning"]);
    }

    #[test]
    fn all_that_is_close_is_listed_the_first_end_first() {
        let kinds = [
            (ExpiryKind::ServerCertificate, "h", 9),
            (ExpiryKind::ServerCertificate, "h", 10),
            (ExpiryKind::ClientCertificate, "CN=me", 6),
            (ExpiryKind::Secret, "", 90),
        ];
        let result = expiry_check(&expiring(&kinds), now(), &warn());
        let finding = result.outcome.finding().unwrap();
        let expected = "The client certificate CN=me expires at 2026-11-28T21:00:00Z, in 7d or less; \
            the certificate of h expires at 2026-12-01T21:00:00Z, in 14d or less.";
        assert_eq!(finding.message, expected);
        assert_eq!(finding.class, Class::Expired);
        let remediation = finding.remediation.as_deref().unwrap();
        assert!(remediation.contains("server's certificate"), "{remediation}");
        assert!(remediation.contains("`tls.key`"), "{remediation}");
        let names: Vec<_> = (0..9).map(|number| number.to_string()).collect();
        let many: Vec<_> = names.iter().map(|name| (ExpiryKind::Key, name.as_str(), 3)).collect();
        let result = expiry_check(&expiring(&many), now(), &warn());
        let message = result.outcome.message().unwrap();
        assert!(message.ends_with("; and 4 more."), "{message}");
    }

    #[test]
    fn a_certificate_that_renews_itself_has_a_third_of_its_life_to_do_so() {
        let table = [
            (90, 30, false),
            (90, 14, true),
            (91, 30, true),
            (47, 14, true),
            (45, 15, false),
            (6, 2, false),
            (6, 1, true),
            (6, 0, true),
        ];
        for (life, left, warned) in table {
            let mut seen = expiring(&[(ExpiryKind::ServerCertificate, "h", left)]);
            seen.lifetimes.insert("h".to_owned(), DAY * life);
            let outcome = expiry_check(&seen, now(), &warn()).outcome;
            assert_eq!(outcome.finding().is_some(), warned, "{life} {left}");
            let own = expiring(&[(ExpiryKind::ClientCertificate, "h", left)]);
            let own = Observed { lifetimes: seen.lifetimes, ..own };
            assert!(
                expiry_check(&own, now(), &warn()).outcome.finding().is_some(),
                "it does not renew itself"
            );
        }
    }

    #[test]
    fn nothing_known_and_nothing_asked_for_pass() {
        let passed = |seen: &Observed, warn: &[Duration]| expiry_check(seen, now(), warn).outcome;
        assert_eq!(passed(&Observed::default(), &warn()), Outcome::Passed(None));
        let close = expiring(&[(ExpiryKind::Session, "", 0)]);
        assert!(matches!(passed(&close, &[]), Outcome::Passed(Some(_))));
        assert!(matches!(passed(&close, &warn()), Outcome::Warning(_)));
    }
}
