//! Tokens that every request of a run bears.

use super::classify::Failure;
use crate::domain::{Class, Redactor, Secret, SecretRef};
use crate::secrets;

/// Scope of Azure Databricks, which is an application of Microsoft Entra, in every cloud.
pub(super) const AZURE_DATABRICKS: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default";

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

/// Reads a secret, which `redactor` learns.
pub(super) async fn resolve(reference: &SecretRef, redactor: &Redactor) -> Result<Secret, Failure> {
    let found = secrets::resolve(reference).await;
    let found = found.map_err(|error| Failure::silent(Class::Local, error.to_string()))?;
    redactor.learn(&found);
    Ok(found)
}
