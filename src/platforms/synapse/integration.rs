//! Checked configuration of an integration.

use super::client::Server;

/// Configured Azure Synapse Analytics integration.
#[derive(Debug)]
pub(super) struct Synapse {
    /// Server with the database to log in to.
    pub(super) server: Server,
    /// Impersonation role, when impersonation is enabled.
    pub(super) impersonation: Option<String>,
    pub(super) delimiters: Delimiters,
    /// True when a paused pool is a failure rather than a warning.
    pub(super) pause_fails: bool,
}

/// Delimiters between the parts of metadata.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Delimiters {
    pub(super) hash: String,
    pub(super) hash_key: String,
    pub(super) array: String,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self { hash: "|".to_owned(), hash_key: ":".to_owned(), array: ",".to_owned() }
    }
}
