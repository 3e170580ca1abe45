//! Platforms that connections of other programs lead to, and the keys by which those programs know them.
//!
//! Sources: docs.getdbt.com, "Connection profiles" of each adapter; docs.databricks.com, "Databricks configuration
//! profiles"; docs.snowflake.com, "Managing Snowflake connections"; airflow.apache.org, connections of the providers.

use super::draft::{Draft, Fields};
use super::{bigquery, databricks, redshift, snowflake, synapse, trino};

/// Platform as a target of connections.
#[derive(Debug)]
pub(super) struct Adapter {
    /// Published name of the platform.
    pub(super) kind: &'static str,
    /// Types by which other programs know it.
    types: &'static [&'static str],
    /// Keys of connections that have a use here, with names of our own.
    pub(super) keys: &'static [(&'static str, &'static str)],
    /// Makes the configuration; an error says why the connection cannot be used, with a remedy.
    pub(super) make: fn(&Fields<'_>, &mut Draft) -> Result<(), String>,
    /// Value of `autoBootstrap`; none where the key is unknown.
    pub(super) auto_bootstrap: Option<bool>,
}

/// Platforms that connections lead to.
const ADAPTERS: [Adapter; 6] = [
    Adapter {
        kind: "Snowflake",
        types: &["snowflake"],
        keys: snowflake::KEYS,
        make: snowflake::make,
        auto_bootstrap: Some(false),
    },
    Adapter {
        kind: "Redshift",
        types: &["redshift"],
        keys: redshift::KEYS,
        make: redshift::make,
        auto_bootstrap: Some(false),
    },
    Adapter {
        kind: "Databricks",
        types: &["databricks"],
        keys: databricks::KEYS,
        make: databricks::make,
        auto_bootstrap: Some(false),
    },
    Adapter {
        kind: "Google BigQuery",
        types: &["bigquery", "google_cloud_platform", "gcpbigquery"],
        keys: bigquery::KEYS,
        make: bigquery::make,
        auto_bootstrap: Some(false),
    },
    Adapter {
        kind: "Trino",
        types: &["trino", "starburst"],
        keys: trino::KEYS,
        make: trino::make,
        auto_bootstrap: None,
    },
    Adapter {
        kind: "Azure Synapse Analytics",
        types: &["synapse", "sqlserver", "mssql"],
        keys: synapse::KEYS,
        make: synapse::make,
        auto_bootstrap: Some(false),
    },
];

impl Adapter {
    /// Returns the platform of connections of this type.
    pub(super) fn find(kind: &str) -> Option<&'static Self> {
        static ALL: [Adapter; 6] = ADAPTERS;
        ALL.iter().find(|adapter| adapter.types.contains(&kind))
    }
}
