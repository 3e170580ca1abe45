//! Integration of Databricks as configured.

use super::config::Config;
use super::expiry::CredentialExpiry;
use crate::platforms::connection::authority;

/// Longest name that a message shows, in characters.
pub(super) const NAME_MAX: usize = 255;
/// Databricks integration as configured.
#[derive(Debug)]
pub(super) struct Databricks {
    pub(super) config: Config,
    pub(super) auto_bootstrap: bool,
    pub(super) expiry: CredentialExpiry,
}

impl Databricks {
    /// Returns `host` or `host:port` of the workspace, as messages show it.
    pub(super) fn host(&self) -> &str {
        authority(&self.config.workspace)
    }
}
