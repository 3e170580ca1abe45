//! Drift: facts of a run that differ from those of the last passing run.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Class, Fact, FactKind, Facts, Finding, Outcome, Test, TestResult};

/// Common test: principals and grants are those of the last passing run.
pub(crate) const DRIFT: Test = Test::recurring("Recurring validation: drift", "");

/// Number of different facts that are listed.
const DRIFTS_MAX: usize = 16;
/// Number of lost, and of gained, values of each fact that are listed.
const VALUES_MAX: usize = 10;

/// Fact that differs from the last passing run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Drift {
    /// Kind of the fact.
    pub(crate) kind: FactKind,
    /// Object of the fact, such as a host or a database; empty for the integration itself.
    pub(crate) of: String,
    /// Values that were seen then and not now.
    pub(crate) lost: Vec<String>,
    /// Values that are seen now and were not then.
    pub(crate) gained: Vec<String>,
}

impl Drift {
    /// Returns the difference of the values of `fact`, if there is one.
    fn of(fact: &Fact, before: &BTreeSet<String>, now: &BTreeSet<String>) -> Option<Self> {
        let listed = |values: Vec<&String>| -> Vec<String> {
            let more = values.len().checked_sub(VALUES_MAX).filter(|more| 0 < *more);
            let more = more.map(|more| format!("and {more} more"));
            values.into_iter().take(VALUES_MAX).cloned().chain(more).collect()
        };
        let lost = listed(before.difference(now).collect());
        let gained = listed(now.difference(before).collect());
        let differs = !lost.is_empty() || !gained.is_empty();
        differs.then(|| Self { kind: fact.kind, of: fact.of.clone(), lost, gained })
    }

    /// Returns both as one clause: `grants of db: lost SELECT and gained USAGE`.
    pub(crate) fn text(&self) -> String {
        let kind = match self.kind {
            FactKind::Address => "addresses",
            FactKind::Certificate => "certificate",
            FactKind::ServerVersion => "version",
            FactKind::Principal => "principal",
            FactKind::Grant => "grants",
            FactKind::Claim => "claims",
            FactKind::Latency => "latency",
        };
        let of = if self.of.is_empty() { String::new() } else { format!(" of {}", self.of) };
        if let ([lost], [gained]) = (self.lost.as_slice(), self.gained.as_slice())
            && self.kind != FactKind::Grant
        {
            return format!("{kind}{of}: {gained} instead of {lost}");
        }
        let parts = [("lost", &self.lost), ("gained", &self.gained)].into_iter();
        let parts = parts.filter(|(_, values)| !values.is_empty());
        let parts: Vec<_> =
            parts.map(|(word, values)| format!("{word} {}", values.join(", "))).collect();
        format!("{kind}{of}: {}", parts.join(" and "))
    }
}

/// Returns the facts of a failing run that differ from those of the passing run `before`. Only facts
/// that both have are compared, since a run that stops early has not seen the rest.
///
/// Differences by chance are left out: a name with changing addresses in the same networks, a cluster
/// whose servers have different certificates.
#[must_use]
pub(crate) fn difference(before: &Facts, now: &Facts) -> Vec<Drift> {
    let both = now.iter().filter_map(|(fact, now)| Some((fact, before.get(fact)?, now)));
    let relevant = both.filter(|(fact, before, now)| match fact.kind {
        FactKind::Address => before.is_empty() || networks(before).is_disjoint(&networks(now)),
        FactKind::Certificate => before.is_disjoint(now),
        FactKind::ServerVersion
        | FactKind::Principal
        | FactKind::Grant
        | FactKind::Claim
        | FactKind::Latency => true,
    });
    relevant
        .filter_map(|(fact, before, now)| Drift::of(fact, before, now))
        .take(DRIFTS_MAX)
        .collect()
}

/// Returns the networks of addresses: half of each IPv4 address, a quarter of each IPv6 address. A
/// value that is no address is its own network.
fn networks(addresses: &BTreeSet<String>) -> BTreeSet<String> {
    let network = |text: &String| match text.parse() {
        Ok(IpAddr::V4(address)) => {
            let [first, second, ..] = address.octets();
            format!("{first}.{second}")
        }
        Ok(IpAddr::V6(address)) => {
            let [first, second, ..] = address.segments();
            format!("{first:x}:{second:x}")
        }
        Err(_other) => text.clone(),
    };
    addresses.iter().map(network).collect()
}

/// Returns the drift test of a run whose other tests pass, given the facts of the run that passed
/// `before`.
///
/// Both runs are complete, so that a fact that one of them lacks is a difference; but a kind of fact
/// that one of them has nothing of was not checked.
#[must_use]
pub(crate) fn compare(before: &Facts, now: &Facts) -> TestResult {
    let none = BTreeSet::new();
    let has = |facts: &Facts, kind| facts.keys().any(|fact| fact.kind == kind);
    let is_compared = |kind| match kind {
        FactKind::Principal | FactKind::Grant => has(before, kind) && has(now, kind),
        FactKind::Address
        | FactKind::Certificate
        | FactKind::ServerVersion
        | FactKind::Claim
        | FactKind::Latency => false,
    };
    let all: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let drifts: Vec<_> = all
        .into_iter()
        .filter(|fact| is_compared(fact.kind))
        .filter_map(|fact| {
            let values = |facts| Facts::get(facts, fact).unwrap_or(&none);
            Drift::of(fact, values(before), values(now))
        })
        .take(DRIFTS_MAX)
        .collect();
    let outcome = if drifts.is_empty() {
        Outcome::Passed(None)
    } else {
        let texts: Vec<_> = drifts.iter().map(Drift::text).collect();
        let message = format!("Since the last passing run, {}.", texts.join("; "));
        Outcome::Warning(Finding::new(Class::Denied, message).fix(
            "If this was not intended, grant the lost permissions again and revoke the gained ones.",
        ))
    };
    TestResult { test: DRIFT, outcome }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(all: &[(FactKind, &str, &[&str])]) -> Facts {
        let fact = |&(kind, of, values): &(FactKind, &str, &[&str])| {
            let values = values.iter().map(|&value| value.to_owned()).collect();
            (Fact { kind, of: of.to_owned() }, values)
        };
        all.iter().map(fact).collect()
    }

    fn texts(drifts: &[Drift]) -> Vec<String> {
        drifts.iter().map(Drift::text).collect()
    }

    #[test]
    fn failing_run_is_compared_only_by_facts_that_it_has() {
        let before = facts(&[
            (FactKind::Grant, "db", &["SELECT", "USAGE"]),
            (FactKind::Grant, "later", &["SELECT"]),
            (FactKind::ServerVersion, "h", &["1.2"]),
            (FactKind::Latency, "h", &["under 100 ms"]),
            (FactKind::Principal, "", &["me"]),
        ]);
        let now = facts(&[
            (FactKind::Grant, "db", &["CREATE", "USAGE"]),
            (FactKind::ServerVersion, "h", &["1.3"]),
            (FactKind::ServerVersion, "another", &["9"]),
            (FactKind::Latency, "h", &["under 100 ms"]),
            (FactKind::Principal, "", &[]),
        ]);
        let expected = [
            "version of h: 1.3 instead of 1.2",
            "principal: lost me",
            "grants of db: lost SELECT and gained CREATE",
        ];
        assert_eq!(texts(&difference(&before, &now)), expected);
        assert_eq!(difference(&before, &before), []);
        assert_eq!(difference(&before, &Facts::new()), []);
        assert_eq!(difference(&Facts::new(), &now), []);
    }

    #[test]
    fn difference_by_chance_is_left_out() {
        let table: [(FactKind, &[&str], &[&str], usize); 7] = [
            (FactKind::Address, &["52.216.1.2", "52.217.3.4"], &["52.216.9.9"], 0),
            (FactKind::Address, &["10.0.0.1"], &["52.216.9.9"], 1),
            (FactKind::Address, &["2600:1f18::1"], &["2600:1f18:7::2"], 0),
            (FactKind::Address, &["2600:1f18::1"], &["2a05:d018::1"], 1),
            (FactKind::Certificate, &["a", "b"], &["b"], 0),
            (FactKind::Certificate, &["a", "b"], &["c"], 1),
            (FactKind::Grant, &["a", "b"], &["b"], 1),
        ];
        for (kind, before, now, expected) in table {
            let found = difference(&facts(&[(kind, "h", before)]), &facts(&[(kind, "h", now)]));
            assert_eq!(found.len(), expected, "{kind:?} {before:?} {now:?}");
        }
    }

    #[test]
    fn grants_that_differ_while_all_passes_are_a_warning() {
        let before = facts(&[
            (FactKind::Grant, "a", &["SELECT"]),
            (FactKind::Grant, "b", &["SELECT", "USAGE"]),
            (FactKind::Latency, "h", &["under 1 s"]),
            (FactKind::Claim, "iss", &["x"]),
        ]);
        let now = facts(&[
            (FactKind::Grant, "b", &["CREATE", "USAGE"]),
            (FactKind::Latency, "h", &["under 10 s"]),
            (FactKind::Principal, "", &["new since the update"]),
        ]);
        let outcome = compare(&before, &now).outcome;
        let finding = outcome.finding().unwrap();
        let expected = "Since the last passing run, grants of a: lost SELECT; grants of b: lost \
            SELECT and gained CREATE.";
        assert_eq!((outcome.status().as_str(), finding.message.as_str()), ("warning", expected));
        let passed = Outcome::Passed(None);
        for (before, now) in [(&before, &before), (&Facts::new(), &now), (&now, &Facts::new())] {
            assert_eq!(compare(before, now).outcome, passed);
        }
    }

    #[test]
    fn differences_are_bounded() {
        let names: Vec<_> = (10..99).map(|number| number.to_string()).collect();
        let values: Vec<_> = names.iter().map(String::as_str).collect();
        let many: Vec<_> =
            names.iter().map(|name| (FactKind::Grant, name.as_str(), &values[..])).collect();
        let none: Vec<_> =
            names.iter().map(|name| (FactKind::Grant, name.as_str(), &[][..])).collect();
        let found = difference(&facts(&many), &facts(&none));
        assert_eq!((found.len(), found[0].lost.len()), (DRIFTS_MAX, VALUES_MAX + 1));
        assert_eq!(found[0].lost.last().unwrap(), "and 79 more");
    }
}
