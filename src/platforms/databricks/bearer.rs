//! Tokens that every request of a run bears.

use crate::domain::Secret;

/// Tokens in the headers of every request.
#[derive(Clone, Debug)]
pub(super) struct Bearer {
    /// Bearer token of the workspace.
    pub(super) token: Secret,
    /// Management access, for a principal of Entra that was not added to the workspace.
    pub(super) azure: Option<Management>,
    /// Client secret, where Databricks itself may know when it expires.
    pub(super) client_secret: Option<Secret>,
    /// True for a token that an earlier run got from a token endpoint.
    pub(super) kept: bool,
}

/// Access to the management of a workspace in Azure.
#[derive(Clone, Debug)]
pub(super) struct Management {
    /// Resource id of the workspace.
    pub(super) resource_id: String,
    /// Token for Azure's resource manager.
    pub(super) token: Secret,
}
