//! One folder per data platform, each exporting one [`Platform`] value.
//!
//! [`PLATFORMS`] is the table of contents of the product. A platform is never asked whether it
//! failed: [`Validator::validate`] yields a report, and whatever goes wrong is an outcome in it.

mod authentication;
#[cfg(any(feature = "redshift", feature = "s3"))]
mod aws;
#[cfg(any(feature = "databricks", feature = "snowflake", feature = "synapse"))]
mod azure;
mod connection;
mod documents;
#[cfg(test)]
mod example;
mod failure;
mod form;
mod grants;
mod identity;
mod log_in;
mod operation;
mod peers;
pub(crate) mod record;
mod recorder;
mod run;
mod tested;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(any(feature = "databricks", feature = "snowflake", feature = "synapse", feature = "trino"))]
mod tokens;
mod validator;

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

pub(crate) use documents::{Document, documents};
pub(crate) use form::Form;
#[cfg(any(feature = "bigquery", feature = "databricks"))]
pub(crate) use grants::UNVERIFIED;
#[cfg(any(feature = "bigquery", feature = "databricks", feature = "snowflake"))]
pub(crate) use grants::principal;
pub(crate) use grants::{Grant, Names, Need, State, Surplus, judged, needs};
pub(crate) use identity::Identity;
pub(crate) use log_in::{LogInKey, LogInMemory, LogIns};
pub(crate) use operation::{Operation, is_question, operation_of};
pub(crate) use peers::{Peer, Peers};
pub(crate) use recorder::Recorder;
pub(crate) use run::{Mode, RunContext};
pub(crate) use tested::Seen;
pub(crate) use validator::{AutoBootstrap, BoxFuture, Platform, Validated, Validator};

/// Platforms compiled into this binary. A new platform adds its `mod` above and its line here.
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
    fn catalogs_are_the_published_tests_to_the_letter_and_in_order() {
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
