//! What ends by itself is foreseen, so that somebody renews it in time.

use std::time::Duration;

use super::{
    Class, Expiry, ExpiryKind, Finding, Observed, Outcome, Test, TestResult, Timestamp,
    duration_text,
};

/// Whether all that ends has long enough to go; of every platform.
pub(crate) const EXPIRY: Test = Test::recurring("Recurring validation: credential expiry", "");

/// A server's certificate that renews itself is renewed when this part of its life is left; sooner
/// than that nobody needs to hear of its end.
const LIFE_PARTS: u32 = 3;

/// The most ends that a warning names.
const TOLD_MAX: usize = 5;

impl Observed {
    /// What ends first.
    pub(crate) fn next_end(&self) -> Option<&Expiry> {
        self.expiries.iter().min_by_key(|expiry| expiry.at)
    }

    /// True when it makes sense to warn so long before the end of `expiry`.
    fn is_timely(&self, expiry: &Expiry, before: Duration) -> bool {
        let life = self.lifetimes.get(&expiry.of);
        let life = life.filter(|_| expiry.kind == ExpiryKind::ServerCertificate);
        life.is_none_or(|life| before.saturating_mul(LIFE_PARTS) < *life)
    }
}

impl Expiry {
    /// What it is that ends, within a sentence.
    pub(crate) fn what(&self) -> String {
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

    const fn mend(&self) -> &'static str {
        match self.kind {
            ExpiryKind::ServerCertificate => "Have the server's certificate renewed.",
            ExpiryKind::ClientCertificate => {
                "Renew the client certificate where `tls.certificate` and `tls.key` point to."
            }
            ExpiryKind::Token => "Make a new token and put it in place of this one.",
            ExpiryKind::Secret => "Make a new secret and put it in place of this one.",
            ExpiryKind::Key => "Make a new key and put it in place of this one.",
            ExpiryKind::Session => "Log in again and put what that gives in place of this one.",
        }
    }

    /// The sentence of a warning: the same from one threshold of `warn` to the next.
    fn warning(&self, now: Timestamp, warn: impl Iterator<Item = Duration>) -> Option<String> {
        if self.at <= now {
            return Some(format!("{} has ended at {}", self.what(), self.at));
        }
        let reached = warn.filter(|before| self.at <= now.plus(*before)).min()?;
        let reached = duration_text(reached);
        Some(format!("{} ends at {}, in {reached} or less", self.what(), self.at))
    }
}

/// The test of what `observed` says about ends, given how long before one to warn.
#[must_use]
pub(crate) fn foresee(observed: &Observed, now: Timestamp, warn: &[Duration]) -> TestResult {
    let mut warned: Vec<(&Expiry, String)> = Vec::new();
    let expiries = observed.expiries.iter().filter(|_| !warn.is_empty());
    for expiry in expiries {
        // Of several ends of one thing, such as the certificates of a cluster, the first counts.
        let is_told = warned.last().is_some_and(|(last, _)| {
            (last.kind, last.of.as_str()) == (expiry.kind, expiry.of.as_str())
        });
        let timely = warn.iter().copied().filter(|before| observed.is_timely(expiry, *before));
        if let Some(text) = expiry.warning(now, timely).filter(|_| !is_told) {
            warned.push((expiry, text));
        }
    }
    let outcome = if warned.is_empty() {
        let next = observed.next_end();
        let next = next.map(|next| format!("Next, {} ends at {}.", next.what(), next.at));
        Outcome::Passed(next)
    } else {
        warned.sort_by_key(|(expiry, _)| expiry.at);
        Outcome::Warning(finding(&warned))
    };
    TestResult { test: EXPIRY, outcome }
}

fn finding(warned: &[(&Expiry, String)]) -> Finding {
    let mut texts: Vec<_> = warned.iter().take(TOLD_MAX).map(|(_, text)| text.clone()).collect();
    if let Some(more) = warned.len().checked_sub(TOLD_MAX).filter(|more| 0 < *more) {
        texts.push(format!("and {more} more"));
    }
    let mut mends: Vec<_> = warned.iter().map(|(expiry, _)| expiry.mend()).collect();
    mends.sort_unstable();
    mends.dedup();
    let message = format!("{}.", texts.join("; "));
    let mut letters = message.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    Finding::new(Class::Expired, first.chain(letters).collect::<String>()).mend(mends.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn now() -> Timestamp {
        "2026-11-22T21:00:00Z".parse().unwrap()
    }

    fn ending(ends: &[(ExpiryKind, &str, u32)]) -> Observed {
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
        let seen = ending(&[(ExpiryKind::Token, "ci", 40)]);
        let hour = Duration::from_hours(1);
        let mut told = Vec::new();
        for hours in 0..(41 * 24) {
            let result = foresee(&seen, now().plus(hour * hours), &warn());
            let text = (result.outcome.status(), result.outcome.message().unwrap().to_owned());
            if told.last() != Some(&text) {
                told.push(text);
            }
        }
        let at = "2027-01-01T21:00:00Z";
        let expected = [
            format!("Next, the token ci ends at {at}."),
            format!("The token ci ends at {at}, in 30d or less."),
            format!("The token ci ends at {at}, in 14d or less."),
            format!("The token ci ends at {at}, in 7d or less."),
            format!("The token ci ends at {at}, in 1d or less."),
            format!("The token ci has ended at {at}."),
        ];
        let texts: Vec<_> = told.iter().map(|(_, text)| text.clone()).collect();
        assert_eq!(texts, expected);
        let words: Vec<_> = told.iter().map(|(status, _)| status.as_str()).collect();
        assert_eq!(words, ["passed", "warning", "warning", "warning", "warning", "warning"]);
    }

    #[test]
    fn all_that_is_close_is_told_the_first_end_first() {
        let kinds = [
            (ExpiryKind::ServerCertificate, "h", 9),
            (ExpiryKind::ServerCertificate, "h", 10),
            (ExpiryKind::ClientCertificate, "CN=me", 6),
            (ExpiryKind::Secret, "", 90),
        ];
        let result = foresee(&ending(&kinds), now(), &warn());
        let finding = result.outcome.finding().unwrap();
        let expected = "The client certificate CN=me ends at 2026-11-28T21:00:00Z, in 7d or less; \
            the certificate of h ends at 2026-12-01T21:00:00Z, in 14d or less.";
        assert_eq!(finding.message, expected);
        assert_eq!(finding.class, Class::Expired);
        let mend = finding.remediation.as_deref().unwrap();
        assert!(mend.contains("server's certificate") && mend.contains("`tls.key`"), "{mend}");
        let names: Vec<_> = (0..9).map(|number| number.to_string()).collect();
        let many: Vec<_> = names.iter().map(|name| (ExpiryKind::Key, name.as_str(), 3)).collect();
        let result = foresee(&ending(&many), now(), &warn());
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
            let mut seen = ending(&[(ExpiryKind::ServerCertificate, "h", left)]);
            seen.lifetimes.insert("h".to_owned(), DAY * life);
            let outcome = foresee(&seen, now(), &warn()).outcome;
            assert_eq!(outcome.finding().is_some(), warned, "{life} {left}");
            let own = ending(&[(ExpiryKind::ClientCertificate, "h", left)]);
            let own = Observed { lifetimes: seen.lifetimes, ..own };
            assert!(foresee(&own, now(), &warn()).outcome.finding().is_some(), "somebody made it");
        }
    }

    #[test]
    fn nothing_known_and_nothing_asked_for_pass() {
        let passed = |seen: &Observed, warn: &[Duration]| foresee(seen, now(), warn).outcome;
        assert_eq!(passed(&Observed::default(), &warn()), Outcome::Passed(None));
        let close = ending(&[(ExpiryKind::Session, "", 0)]);
        assert!(matches!(passed(&close, &[]), Outcome::Passed(Some(_))));
        assert!(matches!(passed(&close, &warn()), Outcome::Warning(_)));
    }
}
