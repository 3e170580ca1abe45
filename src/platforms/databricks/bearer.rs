//! Tokens that every request of a run bears.

use crate::domain::Secret;

/// Tokens in the headers of every request.
#[derive(Clone, Debug)]
pub(super) struct Bearer {
    /// Bearer token of the workspace.
    pub(super) token: Secret,
    /// Resource id of a workspace in Azure, and a token for its management.
    pub(super) azure: Option<(String, Secret)>,
    /// Client secret, where Databricks itself may know when it expires.
    pub(super) client_secret: Option<Secret>,
    /// True for a token that an earlier run got from a token endpoint.
    pub(super) kept: bool,
}
