//! Version of the program, and of what it was built from.

use serde::Serialize;

use crate::store;

/// Commit that the program was built from, as the build names it.
const COMMIT: Option<&str> = option_env!("REVALIDATED_COMMIT");
/// Version of the TLS library; the test compares it with the lock file.
const RUSTLS: &str = "0.23.46";
/// Version of the library that does its cryptography; the test compares it too.
const AWS_LC: &str = "0.47.0";
/// Features that the program can have, and whether it has them.
const FEATURES: [(&str, bool); 9] = [
    ("bigquery", cfg!(feature = "bigquery")),
    ("databricks", cfg!(feature = "databricks")),
    ("postgres", cfg!(feature = "postgres")),
    ("redshift", cfg!(feature = "redshift")),
    ("s3", cfg!(feature = "s3")),
    ("snowflake", cfg!(feature = "snowflake")),
    ("synapse", cfg!(feature = "synapse")),
    ("top", cfg!(feature = "top")),
    ("trino", cfg!(feature = "trino")),
];

/// Version of the program, and of what it was built from.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProgramVersion {
    /// Version of the program itself.
    pub(crate) version: &'static str,
    /// Commit of the sources; null when the build did not name it.
    pub(crate) commit: Option<&'static str>,
    /// Processor and system that it was built for.
    pub(crate) target: String,
    /// Platforms, engines and commands that were compiled in.
    pub(crate) features: Vec<&'static str>,
    /// Version of the schema of its database.
    pub(crate) schema: u32,
    /// Version of `SQLite`, which is compiled in.
    pub(crate) sqlite: &'static str,
    /// Libraries for TLS, which are compiled in.
    pub(crate) tls: TlsVersions,
}

/// Versions of the libraries for TLS.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct TlsVersions {
    /// Version of rustls itself.
    pub(crate) rustls: &'static str,
    /// Version of aws-lc-sys, with the cryptography of AWS-LC.
    pub(crate) aws_lc: &'static str,
}

impl Default for ProgramVersion {
    /// Returns the version of this program.
    fn default() -> Self {
        let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        let features = FEATURES.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
        let (schema, sqlite) = store::versions();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: COMMIT,
            target,
            features,
            schema,
            sqlite,
            tls: TlsVersions { rustls: RUSTLS, aws_lc: AWS_LC },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        for (package, version) in [("rustls", RUSTLS), ("aws-lc-sys", AWS_LC)] {
            let entry = format!("name = \"{package}\"\nversion = \"{version}\"\n");
            assert!(lock.contains(&entry), "{package} is of another version than {version}");
        }
    }

    #[test]
    fn every_feature_of_the_manifest_can_be_listed() {
        let manifest: toml_edit::DocumentMut = include_str!("../../Cargo.toml").parse().unwrap();
        let features = manifest["features"].as_table().unwrap().iter().map(|(name, _)| name);
        let mut expected: Vec<_> = features.filter(|name| *name != "default").collect();
        expected.sort_unstable();
        assert_eq!(FEATURES.map(|(name, _)| name).to_vec(), expected);
    }
}
