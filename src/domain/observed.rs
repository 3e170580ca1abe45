//! What a run sees besides its results: facts to compare with those of the last passing run, ends
//! of credentials to foresee, and the clocks of others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Everything one run has seen.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Observed {
    /// What can be compared with another run.
    pub(crate) facts: Facts,
    /// What ends, and when.
    pub(crate) expiries: BTreeSet<Expiry>,
    /// How long the certificate of a host is valid in all, from its first day to its last.
    pub(crate) lifetimes: BTreeMap<String, Duration>,
    /// What the clocks of servers showed.
    pub(crate) clocks: Vec<ServerClock>,
}

/// Facts by name, each with the set of values that were seen; normalised, so that what is the same
/// is equal.
pub(crate) type Facts = BTreeMap<Fact, BTreeSet<String>>;

/// The name of a fact.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Fact {
    /// What kind of fact it is.
    pub(crate) kind: FactKind,
    /// What it is about, such as a host or a database; empty when it is the integration itself.
    pub(crate) of: String,
}

/// What kind of fact it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum FactKind {
    /// Addresses that a host name resolves to.
    Address,
    /// A server's certificate: issuer, end and fingerprint.
    Certificate,
    /// What a server says that it is.
    ServerVersion,
    /// Who we are there.
    Principal,
    /// Roles, privileges and permissions that were seen.
    Grant,
    /// What a token says, without anything secret.
    Claim,
    /// How long it takes to be answered, in classes.
    Latency,
}

/// Something that ends by itself and must be renewed by somebody.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Expiry {
    /// What kind of thing.
    pub(crate) kind: ExpiryKind,
    /// Which one: a host, a key id, a token's name; never the secret itself.
    pub(crate) of: String,
    /// When it ends.
    pub(crate) at: Timestamp,
}

/// What can end.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum ExpiryKind {
    /// A server's certificate.
    ServerCertificate,
    /// Our own certificate.
    ClientCertificate,
    /// A token that somebody made.
    Token,
    /// A secret of an application.
    Secret,
    /// A key.
    Key,
    /// A session that nobody renews.
    Session,
}

/// What the clock of a server showed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerClock {
    /// Which server.
    pub(crate) host: String,
    /// The instant in its answer.
    pub(crate) shows: Timestamp,
    /// How long after the beginning of the run the answer came.
    pub(crate) after_ms: i64,
}
