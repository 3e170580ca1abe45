//! Credentials without a secret of Databricks: a managed identity of Azure, or a token of an identity provider.

use std::sync::atomic::{AtomicBool, Ordering};

use super::authority::{Authority, anchors, endpoint};
use super::bearer::{AzureTokens, Bearer, resolve};
use super::classify::Failure;
use super::client::Client;
use crate::domain::{Redactor, SecretRef, Timestamp};
use crate::net::http::Connections;
use crate::net::oauth::{self, KeptToken, TokenRequest};
use crate::platforms::LogInKey;
use crate::platforms::azure::ManagedIdentity;

/// End of scopes; managed identities are asked for the resource alone.
const DEFAULT_SCOPE: &str = "/.default";

/// Managed identity of Azure.
#[derive(Debug)]
pub(super) struct Managed {
    identity: ManagedIdentity,
    tokens: AzureTokens,
}

/// Token of an identity provider.
#[derive(Debug)]
pub(super) struct Federated {
    /// Service principal whose federation policy applies; none for the policy of the account.
    client_id: Option<String>,
    /// Token to exchange, which its issuer renews.
    subject: SecretRef,
    scope: String,
    /// None for the workspace itself.
    authority: Option<Authority>,
    kept: KeptToken,
}

impl Managed {
    /// Returns credentials of `identity`, which gets `tokens`.
    pub(super) const fn new(identity: ManagedIdentity, tokens: AzureTokens) -> Self {
        Self { identity, tokens }
    }

    /// Returns the name of the identity, as far as the configuration has one.
    pub(super) fn name(&self) -> &str {
        self.identity.client_id().unwrap_or("identity of this machine")
    }

    /// Drops the tokens of `bearer`, which were refused before their expiry.
    pub(super) async fn forget(&self, bearer: &Bearer) {
        self.tokens.forget(bearer).await;
    }

    /// Returns the tokens for a run that begins `now`.
    pub(super) async fn bearer(
        &self,
        redactor: &Redactor,
        now: Timestamp,
    ) -> Result<Bearer, Failure> {
        let fetch = |scope: &'static str| async move {
            let resource = scope.strip_suffix(DEFAULT_SCOPE).unwrap_or(scope);
            let found = self.identity.token(resource, redactor, now).await;
            found.map_err(|none| Failure::no_token(&none))
        };
        self.tokens.bearer(now, fetch).await
    }
}

impl Federated {
    /// Returns a principal that exchanges `subject` at `authority`, or else at its workspace.
    pub(super) fn new(
        client_id: Option<String>,
        subject: SecretRef,
        scope: String,
        authority: Option<Authority>,
    ) -> Self {
        Self { client_id, subject, scope, authority, kept: KeptToken::default() }
    }

    /// Returns the id of the service principal, if one is configured.
    pub(super) fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Returns the key of the log-in at `server`; none while a token is kept.
    pub(super) async fn key(&self, server: &str, now: Timestamp) -> Option<LogInKey> {
        if self.kept.is_current(now).await {
            return None;
        }
        let client_id = self.client_id().unwrap_or_default();
        let names = ["Databricks", server, "federation", client_id, &self.scope];
        LogInKey::of(&names, &[&self.subject]).await
    }

    /// Drops the token of `bearer`, which was refused before its expiry.
    pub(super) async fn forget(&self, bearer: &Bearer) {
        self.kept.forget(&bearer.token).await;
    }

    /// Returns the token for a run that begins `now`, exchanged for that of the identity provider.
    pub(super) async fn bearer(
        &self,
        connections: &Connections,
        client: &Client<'_>,
        now: Timestamp,
    ) -> Result<Bearer, Failure> {
        let subject = resolve(&self.subject, connections.redactor()).await?;
        let fresh = AtomicBool::new(false);
        let fetch = async || {
            fresh.store(true, Ordering::Relaxed);
            let url = endpoint(self.authority.as_ref(), client).await?;
            let anchors = anchors(self.authority.as_ref(), client);
            let mut form = vec![
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", subject.expose()),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                ("scope", &self.scope),
            ];
            form.extend(self.client_id.as_deref().map(|id| ("client_id", id)));
            let anchors = anchors.as_ref().map(<[_; 2]>::as_slice);
            let asked = TokenRequest { url: &url, form: &form, basic: None, anchors };
            let found = oauth::token(connections, asked, now).await;
            found.map_err(|none| Failure::no_token(&none))
        };
        let token = self.kept.current(now, fetch).await?;
        Ok(Bearer { token, azure: None, client_secret: None, kept: !fresh.into_inner() })
    }
}
