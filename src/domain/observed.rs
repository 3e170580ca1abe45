//! Observations of a run besides its results: facts to compare with the last passing run, expiries of
//! credentials, and the clocks of servers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Most facts of one collector, values included.
const FACTS_MAX: usize = 512;

/// Observations of one run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Observed {
    /// Facts that can be compared with another run.
    pub(crate) facts: Facts,
    /// Expiries of certificates, tokens, secrets and keys.
    pub(crate) expiries: BTreeSet<Expiry>,
    /// Lifetime of each host's certificate, from its first day to its last.
    pub(crate) lifetimes: BTreeMap<String, Duration>,
    /// Times that the clocks of servers showed.
    pub(crate) clocks: Vec<ServerClock>,
    /// True when a test only repeated the refusal of a log-in that an earlier run reported: nothing was
    /// sent, and the run is no new evidence.
    pub(crate) is_repeat: bool,
    /// Time that each test took, by its name; none for those that were not run.
    pub(crate) took: BTreeMap<&'static str, Duration>,
}

/// Facts by name, each with its set of values; normalised, so that the same fact is equal.
pub(crate) type Facts = BTreeMap<Fact, BTreeSet<String>>;

/// Collector of the facts of one run, up to a bound. A kind with more values than fit is dropped as a
/// whole: a part of it cannot be compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct FactCollector {
    facts: Facts,
    values: usize,
    dropped: BTreeSet<FactKind>,
}

impl FactCollector {
    /// Adds one value of `fact`; an empty value states that there is none.
    pub(crate) fn add(&mut self, fact: Fact, value: String) {
        let known = self.facts.get(&fact);
        if known.is_some_and(|values| value.is_empty() || values.contains(&value)) {
            return;
        }
        if FACTS_MAX <= self.values {
            self.dropped.insert(fact.kind);
            return;
        }
        self.values += 1;
        let values = self.facts.entry(fact).or_default();
        if !value.is_empty() {
            values.insert(value);
        }
    }

    /// Drops all facts of `kind`, also those that are still to come.
    pub(crate) fn drop_kind(&mut self, kind: FactKind) {
        self.dropped.insert(kind);
    }

    /// Takes the facts of all kinds that are complete.
    pub(crate) fn take(&mut self) -> Facts {
        let mut facts = std::mem::take(&mut self.facts);
        facts.retain(|fact, _| !self.dropped.contains(&fact.kind));
        facts
    }
}

impl Observed {
    /// Adds everything in `other`, of the same run.
    pub(crate) fn merge(&mut self, other: Self) {
        let Self { facts, expiries, lifetimes, clocks, is_repeat, took } = other;
        self.is_repeat |= is_repeat;
        for (fact, values) in facts {
            self.facts.entry(fact).or_default().extend(values);
        }
        self.expiries.extend(expiries);
        self.lifetimes.extend(lifetimes);
        self.clocks.extend(clocks);
        self.took.extend(took);
    }
}

/// Name of a fact.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Fact {
    /// Kind of the fact.
    pub(crate) kind: FactKind,
    /// Object of the fact, such as a host or a database; empty for the integration itself.
    pub(crate) of: String,
}

/// Kind of an observed fact.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum FactKind {
    /// Addresses that a host name resolves to.
    Address,
    /// A server's certificate: issuer, end and fingerprint.
    Certificate,
    /// Version that a server reports.
    ServerVersion,
    /// Principal that is authenticated there.
    Principal,
    /// Roles, privileges and permissions that were seen.
    Grant,
    /// Claims of a token, without anything secret.
    Claim,
    /// Class of the time until the answer.
    Latency,
}

/// Expiry of an object that must be renewed.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Expiry {
    /// Kind of the object.
    pub(crate) kind: ExpiryKind,
    /// Name of the object: a host, a key id, a token's name; never the secret itself.
    pub(crate) of: String,
    /// Instant at which it expires.
    pub(crate) at: Timestamp,
}

/// Kind of object that expires.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum ExpiryKind {
    /// Certificate of a server.
    ServerCertificate,
    /// Certificate that the client authenticates with.
    ClientCertificate,
    /// Token that a person created.
    Token,
    /// Secret of an application.
    Secret,
    /// Key of an account or service.
    Key,
    /// Session that is not renewed automatically.
    Session,
}

/// Time that the clock of a server showed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerClock {
    /// Host of the server.
    pub(crate) host: String,
    /// The instant in its answer.
    pub(crate) shows: Timestamp,
    /// Time from the beginning of the run to the answer.
    pub(crate) after_ms: i64,
}
