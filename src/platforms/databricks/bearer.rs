//! Tokens that every request of a run bears.

use std::sync::atomic::{AtomicBool, Ordering};

use super::classify::Failure;
use crate::domain::{Class, Redactor, Secret, SecretRef, Timestamp};
use crate::net::oauth::{KeptToken, Token};
use crate::platforms::azure::Cloud;
use crate::secrets;

/// Scope of Azure Databricks, which is an application of Microsoft Entra, in every cloud.
const AZURE_DATABRICKS: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default";

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

impl Bearer {
    /// Returns the secrets that are sent.
    pub(super) fn sent(&self) -> [&str; 2] {
        let management = self.azure.as_ref().map_or("", |azure| azure.token.expose());
        [self.token.expose(), management]
    }
}

/// Tokens of an identity of Entra: for the workspace, and for its management where that is asked for.
#[derive(Debug)]
pub(super) struct AzureTokens {
    cloud: Cloud,
    /// Resource id of the workspace, for an identity that was not added to it.
    resource_id: Option<String>,
    kept: KeptToken,
    management: KeptToken,
}

impl AzureTokens {
    /// Returns the tokens in `cloud`, before the first of them is fetched.
    pub(super) fn new(cloud: Cloud, resource_id: Option<String>) -> Self {
        let (kept, management) = (KeptToken::default(), KeptToken::default());
        Self { cloud, resource_id, kept, management }
    }

    /// Returns the cloud that issues them.
    pub(super) const fn cloud(&self) -> Cloud {
        self.cloud
    }

    /// Returns true when the token for the workspace is kept and lasts.
    pub(super) async fn are_current(&self, now: Timestamp) -> bool {
        self.kept.is_current(now).await
    }

    /// Returns the tokens for a run that begins `now`; `fetch` gets one for a scope.
    pub(super) async fn bearer<Fetched>(
        &self,
        now: Timestamp,
        fetch: impl Fn(&'static str) -> Fetched,
    ) -> Result<Bearer, Failure>
    where
        Fetched: Future<Output = Result<Token, Failure>>,
    {
        let fresh = AtomicBool::new(false);
        let fetch = |scope| {
            fresh.store(true, Ordering::Relaxed);
            fetch(scope)
        };
        let token = self.kept.current(now, || fetch(AZURE_DATABRICKS)).await?;
        let azure = match &self.resource_id {
            None => None,
            Some(id) => {
                let fetch = || fetch(self.cloud.management_scope());
                let token = self.management.current(now, fetch).await?;
                Some(Management { resource_id: id.clone(), token })
            }
        };
        Ok(Bearer { token, azure, client_secret: None, kept: !fresh.into_inner() })
    }

    /// Drops the tokens of `bearer`, which were refused before their expiry.
    pub(super) async fn forget(&self, bearer: &Bearer) {
        self.kept.forget(&bearer.token).await;
        if let Some(Management { token, .. }) = &bearer.azure {
            self.management.forget(token).await;
        }
    }
}

/// Reads a secret, which `redactor` learns.
pub(super) async fn resolve(reference: &SecretRef, redactor: &Redactor) -> Result<Secret, Failure> {
    let found = secrets::resolve(reference).await;
    let found = found.map_err(|error| Failure::silent(Class::Local, error.to_string()))?;
    redactor.learn(&found);
    Ok(found)
}
