//! One folder per data platform, each exporting one [`Platform`] value.
//!
//! [`PLATFORMS`] is the table of contents of the product. A platform is never asked whether it
//! failed: [`Validator::validate`] yields a [`Report`], and whatever goes wrong is an outcome in it.

#[cfg(any(feature = "redshift", feature = "s3"))]
mod aws;
#[cfg(any(feature = "databricks", feature = "snowflake", feature = "synapse"))]
mod azure;
mod connection;
#[cfg(test)]
mod example;
mod peers;
mod recorder;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(any(feature = "databricks", feature = "snowflake", feature = "synapse", feature = "trino"))]
mod tokens;

#[cfg(feature = "bigquery")]
mod bigquery;
#[cfg(feature = "databricks")]
mod databricks;
#[cfg(feature = "redshift")]
mod redshift;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "snowflake")]
mod snowflake;
#[cfg(feature = "synapse")]
mod synapse;
#[cfg(feature = "trino")]
mod trino;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use peers::{Peer, Peers};
pub(crate) use recorder::Recorder;

use crate::domain::{Factor, FactorKind, Report, Test};
use crate::input::Reader;

/// Every platform compiled into this binary. A new platform adds its `mod` above and its line here.
pub(crate) static PLATFORMS: &[Platform] = &[
    #[cfg(feature = "s3")]
    s3::PLATFORM,
    #[cfg(feature = "synapse")]
    synapse::PLATFORM,
    #[cfg(feature = "databricks")]
    databricks::PLATFORM,
    #[cfg(feature = "bigquery")]
    bigquery::PLATFORM,
    #[cfg(feature = "redshift")]
    redshift::PLATFORM,
    #[cfg(feature = "snowflake")]
    snowflake::PLATFORM,
    #[cfg(feature = "trino")]
    trino::PLATFORM,
];

/// What a platform folder exports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Platform {
    /// The `type` of its integrations, as published.
    pub(crate) kind: &'static str,
    /// Counts up when the catalog or the meaning of the configuration changes: stored
    /// integrations are then migrated.
    pub(crate) version: u32,
    /// Every test it can report, in the order they run.
    pub(crate) catalog: &'static [Test],
    /// What may stand in `autoBootstrap`.
    pub(crate) auto_bootstrap: AutoBootstrap,
    /// A sample configuration file, parsed by a test and printed to users.
    pub(crate) sample: &'static str,
    /// Reads the `config` table; faults are left with the reader. Ends with `reader.finish()`.
    pub(crate) parse: fn(Reader<'_>) -> Option<Box<dyn Validator>>,
}

/// What the published interface lets `autoBootstrap` be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AutoBootstrap {
    /// Either.
    Any,
    /// Only `false`.
    MustBeFalse,
    /// It is not given.
    Absent,
}

/// A configured integration that can be validated again and again.
pub(crate) trait Validator: std::fmt::Debug + Send + Sync {
    /// What other integrations compare themselves with, and which host the limits count.
    fn identity(&self) -> Identity;

    /// Told what `autoBootstrap` says, once and before the first run. One that is never told takes the
    /// platform to be set up by hand.
    fn set_auto_bootstrap(&mut self, _given: bool) {}

    /// Runs the catalog. It cannot fail: whatever goes wrong is an outcome in the report.
    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Report>;
}

/// What a validation returns until it is awaited.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What of an integration others are compared with.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Identity {
    /// `host` or `host:port` that it talks to, for the limit of runs per host.
    pub(crate) host: String,
    /// The platform's own `config.name`, where it has one.
    pub(crate) config_name: Option<String>,
    /// What may exist once only, such as account, region and path.
    pub(crate) target: Option<String>,
    /// The account, project, workspace or subscription, with the kind of platform before it.
    pub(crate) account: Option<String>,
    /// The region of a cloud, with the cloud before it.
    pub(crate) region: Option<String>,
    /// Who logs in, with where before it; never a secret.
    pub(crate) principal: Option<String>,
    /// The file of certificate authorities that is trusted instead of the system's.
    pub(crate) authority: Option<String>,
}

impl Identity {
    /// What it may have in common with others, and so fail by together.
    pub(crate) fn factors(&self) -> Vec<Factor> {
        let host = (!self.host.is_empty()).then_some(&self.host);
        let named = [
            (FactorKind::Host, host),
            (FactorKind::Principal, self.principal.as_ref()),
            (FactorKind::Account, self.account.as_ref()),
            (FactorKind::Region, self.region.as_ref()),
            (FactorKind::Authority, self.authority.as_ref()),
        ];
        let factor = |(kind, value): (FactorKind, Option<&String>)| {
            value.map(|value| Factor { kind, value: value.clone() })
        };
        named.into_iter().filter_map(factor).collect()
    }
}

/// Whether the platform side is expected to be set up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// It is: preflight tests are skipped, recurring tests run.
    Recurring,
    /// It is not yet: preflight tests run, recurring tests are skipped.
    Preflight,
}

/// What one run is given besides its configuration.
#[derive(Clone, Debug)]
pub(crate) struct RunContext {
    /// The name of the integration itself in the configuration.
    pub(crate) name: String,
    /// Which tests apply.
    pub(crate) mode: Mode,
    /// Every integration of this daemon, the one that is validated included.
    pub(crate) everyone: Arc<Peers>,
    /// The longest time of one test.
    pub(crate) test_limit: Duration,
    /// The longest time of the whole run.
    pub(crate) run_limit: Duration,
    /// The wall clock at the start, for what must be dated (request signatures).
    pub(crate) now: crate::domain::Timestamp,
}

impl RunContext {
    /// The first other integration of the platform `kind` that has this target.
    pub(crate) fn twin(&self, kind: &str, target: &str) -> Option<&Peer> {
        self.everyone.with_target(kind, target).iter().find(|peer| self.is_other(peer))
    }

    /// The first other integration of the platform `kind` that is called this in its own configuration.
    pub(crate) fn namesake(&self, kind: &str, config_name: &str) -> Option<&Peer> {
        self.everyone.with_config_name(kind, config_name).find(|peer| self.is_other(peer))
    }

    /// True when another integration of the platform `kind` has a target, whichever.
    pub(crate) fn has_rivals(&self, kind: &str) -> bool {
        self.everyone.with_some_target(kind).iter().any(|peer| self.is_other(peer))
    }

    fn is_other(&self, peer: &Peer) -> bool {
        peer.name != self.name
    }
}

/// Finds a compiled-in platform by its published name.
#[must_use]
pub(crate) fn find(kind: &str) -> Option<&'static Platform> {
    PLATFORMS.iter().find(|platform| platform.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn kinds_and_test_names_are_unique() {
        let kinds: BTreeSet<_> = PLATFORMS.iter().map(|platform| platform.kind).collect();
        assert_eq!(kinds.len(), PLATFORMS.len());
        for platform in PLATFORMS {
            let names: BTreeSet<_> = platform.catalog.iter().map(|test| test.name).collect();
            assert_eq!(names.len(), platform.catalog.len(), "{}", platform.kind);
        }
    }

    #[test]
    fn document_says_what_every_test_is_verified_against() {
        let readme = include_str!("../../docs/platforms.md");
        for platform in PLATFORMS {
            for test in platform.catalog {
                let row = format!("\n| {} | {} | ", platform.kind, test.name);
                assert!(readme.contains(&row), "{row}");
            }
        }
        for test in crate::domain::COMMON {
            let row = format!("\n| all | {} | ", test.name);
            assert!(readme.contains(&row), "{row}");
        }
    }

    /// The published tests, as they stand in `tests/contract`.
    #[derive(serde::Deserialize)]
    struct Published {
        name: String,
        message: Option<String>,
        when: String,
    }

    #[test]
    fn catalogs_hold_the_published_tests_to_the_letter_and_in_order() {
        let contract = include_str!("../../tests/contract/validation_tests.json");
        let mut contract: serde_json::Value = serde_json::from_str(contract).unwrap();
        for platform in PLATFORMS.iter().filter(|platform| !platform.catalog.is_empty()) {
            let published = contract["tests"][platform.kind].take();
            let published: Vec<Published> = serde_json::from_value(published).unwrap();
            let mut left = platform.catalog.iter();
            for Published { name, message, when } in published {
                let place = format!("{}: {name}", platform.kind);
                let found = left.find(|test| test.name == name);
                let test = found.unwrap_or_else(|| panic!("{place}: missing or out of order"));
                assert_eq!(serde_json::to_value(test.when).unwrap(), when, "{place}");
                let message = message.unwrap_or_default();
                assert!(test.message.is_empty() || test.message == message, "{place}");
            }
        }
    }
}
