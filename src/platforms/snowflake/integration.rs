//! Checked configuration of an integration.

use super::credentials::Credentials;
use super::link::Service;
use super::statement::Name;
use crate::platforms::Identity;

/// Snowflake integration as configured.
#[derive(Debug)]
pub(super) struct Snowflake {
    pub(super) identity: Identity,
    pub(super) service: Service,
    pub(super) credentials: Credentials,
    /// Default warehouse, which is looked at and never used.
    pub(super) warehouse: Name,
    /// Database that Immuta manages.
    pub(super) database: Name,
    /// Privileged role; without it, the user's default role.
    pub(super) role: Option<Name>,
    /// Prefix of the roles of table grants, when these are enabled.
    pub(super) prefix: Option<String>,
    /// Owner of those roles, besides [`Self::role`].
    pub(super) owner: Option<Name>,
    /// Impersonation role, when impersonation is enabled.
    pub(super) impersonation: Option<Name>,
    /// User that sets the integration up, when that is to be checked.
    pub(super) bootstrap: Option<Bootstrap>,
}

/// User that sets an integration up.
#[derive(Debug)]
pub(super) struct Bootstrap {
    pub(super) credentials: Credentials,
    pub(super) role: Name,
}
