//! Credentials for a workspace: a configured token, or a principal that gets tokens by `OAuth`.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Url;

use super::authority::{Authority, anchors, endpoint};
use super::bearer::{AzureTokens, Bearer, Management, resolve};
use super::classify::Failure;
use super::client::{Client, Request};
use super::workload::{Federated, Managed};
use crate::domain::{Secret, SecretRef, Timestamp};
use crate::net::http::Connections;
use crate::net::oauth::{ClientCredentials, ClientProof, KeptToken};
use crate::platforms::azure::{self, Audience, ServicePrincipal, is_tenant};
use crate::platforms::{LogInKey, Seen, tokens};

/// Keys of a service principal of Microsoft Entra.
const ENTRA_KEYS: azure::Keys = azure::Keys {
    tenant: "azure.tenantId",
    client_id: "azure.clientId",
    proof: azure::Proof::Secret("azure.clientSecret"),
    resource: "azure.cloud",
    proxy: "proxy",
};
/// Credentials as configured, by kind.
#[derive(Debug)]
pub(super) enum Credentials {
    /// Personal access token of a user or service principal.
    Token(SecretRef),
    /// Service principal with a secret of Databricks.
    Machine(Machine),
    /// Service principal of Microsoft Entra.
    Entra(Entra),
    /// Managed identity of this machine, in Azure.
    Managed(Managed),
    /// Token of an identity provider, which Databricks exchanges.
    Federated(Federated),
}

/// Service principal of Databricks.
#[derive(Debug)]
pub(super) struct Machine {
    client_id: String,
    client_secret: SecretRef,
    scope: String,
    /// None for the workspace itself.
    authority: Option<Authority>,
    kept: KeptToken,
}

/// Service principal of Microsoft Entra.
#[derive(Debug)]
pub(super) struct Entra {
    principal: ServicePrincipal,
    /// None for the one that the workspace names.
    tenant: Option<String>,
    tokens: AzureTokens,
}

impl Machine {
    /// Returns a principal that asks `authority`, or else its workspace, for tokens with `scope`.
    pub(super) fn new(
        client_id: String,
        client_secret: SecretRef,
        scope: String,
        authority: Option<Authority>,
    ) -> Self {
        Self { client_id, client_secret, scope, authority, kept: KeptToken::default() }
    }

    async fn bearer(
        &self,
        connections: &Connections,
        client: &Client<'_>,
        now: Timestamp,
    ) -> Result<Bearer, Failure> {
        let secret = resolve(&self.client_secret, connections.redactor()).await?;
        let fresh = AtomicBool::new(false);
        let fetch = async || {
            fresh.store(true, Ordering::Relaxed);
            let url = endpoint(self.authority.as_ref(), client).await?;
            let anchors = anchors(self.authority.as_ref(), client);
            let asked = ClientCredentials {
                url: &url,
                client_id: &self.client_id,
                proof: ClientProof::Basic(&secret),
                scope: Some(&self.scope),
                resource: None,
                anchors: anchors.as_ref().map(<[_; 2]>::as_slice),
            };
            let found = asked.token(connections, now).await;
            found.map_err(|none| Failure::no_token(&none))
        };
        let token = self.kept.current(now, fetch).await?;
        let client_secret = Some(secret.clone());
        Ok(Bearer { token, azure: None, client_secret, kept: !fresh.into_inner() })
    }
}

impl Entra {
    /// Returns credentials of a `principal`, which gets `tokens`.
    pub(super) const fn new(
        principal: ServicePrincipal,
        tenant: Option<String>,
        tokens: AzureTokens,
    ) -> Self {
        Self { principal, tenant, tokens }
    }

    async fn bearer(
        &self,
        connections: &Connections,
        client: &Client<'_>,
        now: Timestamp,
    ) -> Result<Bearer, Failure> {
        let credential = self.principal.credential.resolve(connections.redactor()).await;
        let credential = &credential.map_err(|none| Failure::silent(none.class, none.detail))?;
        let fetch = |scope: &'static str| async move {
            let tenant = match &self.tenant {
                Some(tenant) => tenant.clone(),
                None => self.discovered(client).await?,
            };
            let audience = Audience { tenant: &tenant, scope };
            let found = self.principal.token(connections, audience, credential, now).await;
            found.map_err(|none| Failure::no_token(&none))
        };
        self.tokens.bearer(now, fetch).await
    }

    /// Returns the tenant that the workspace sends browsers to. Only its name is taken from there: the
    /// secret goes to the configured authority all the same.
    async fn discovered(&self, client: &Client<'_>) -> Result<String, Failure> {
        let location = client.redirect(Request::Tenant).await?;
        let url = location.as_deref().and_then(|location| Url::parse(location).ok());
        let tenant = url.filter(|url| {
            let asked = Url::parse(&self.principal.authority).ok();
            let known = Url::parse(self.tokens.cloud().sdk_authority()).ok();
            [asked, known].into_iter().flatten().any(|host| host.origin() == url.origin())
        });
        let tenant = tenant.and_then(|url| Some(url.path_segments()?.next()?.to_owned()));
        tenant.filter(|tenant| is_tenant(tenant)).ok_or_else(Failure::no_tenant)
    }
}

impl Credentials {
    /// Returns the tokens for a run that begins `now`; secrets are read anew.
    ///
    /// # Errors
    ///
    /// Names the secret that cannot be read, or returns the refusal of a token endpoint.
    pub(super) async fn bearer(
        &self,
        connections: &Connections,
        client: &Client<'_>,
        now: Timestamp,
    ) -> Result<Bearer, Failure> {
        match self {
            Self::Token(token) => {
                let token = resolve(token, connections.redactor()).await?;
                Ok(Bearer { token, azure: None, client_secret: None, kept: false })
            }
            Self::Machine(machine) => machine.bearer(connections, client, now).await,
            Self::Entra(entra) => entra.bearer(connections, client, now).await,
            Self::Managed(managed) => managed.bearer(connections.redactor(), now).await,
            Self::Federated(federated) => federated.bearer(connections, client, now).await,
        }
    }

    /// Returns the key of the log-in at `server`, by which a refusal is remembered; none while a token is kept,
    /// which needs no log-in.
    pub(super) async fn key(&self, server: &str, now: Timestamp) -> Option<LogInKey> {
        match self {
            Self::Token(token) => LogInKey::of(&["Databricks", server], &[token]).await,
            Self::Machine(Machine { kept, .. }) if kept.is_current(now).await => None,
            Self::Machine(Machine { client_id, client_secret, scope, .. }) => {
                let names = ["Databricks", server, "client", client_id, scope];
                LogInKey::of(&names, &[client_secret]).await
            }
            Self::Entra(Entra { tokens, .. }) if tokens.are_current(now).await => None,
            Self::Entra(Entra { principal, tenant, .. }) => {
                let ServicePrincipal { client_id, credential, authority } = principal;
                let tenant = tenant.as_deref().unwrap_or(server);
                let names = ["Databricks", server, "Entra", authority, tenant, client_id];
                LogInKey::of(&names, &credential.secrets()).await
            }
            // Its token is known only once the metadata service was asked.
            Self::Managed(_) => None,
            Self::Federated(federated) => federated.key(server, now).await,
        }
    }

    /// Returns the name of an identity of the machine.
    pub(super) fn of_machine(&self) -> Option<&str> {
        let Self::Managed(managed) = self else { return None };
        Some(managed.name())
    }

    /// Drops the tokens of `bearer`, which were refused before their expiry.
    pub(super) async fn forget(&self, bearer: &Bearer) {
        match self {
            Self::Token(_) => {}
            Self::Machine(machine) => machine.kept.forget(&bearer.token).await,
            Self::Entra(entra) => entra.tokens.forget(bearer).await,
            Self::Managed(managed) => managed.forget(bearer).await,
            Self::Federated(federated) => federated.forget(bearer).await,
        }
    }

    /// Opens the certificate of an application, without a connection; returns the path of what cannot be used,
    /// with the reason.
    pub(super) async fn examine(&self) -> Option<(String, String)> {
        let Self::Entra(entra) = self else { return None };
        let (key, reason) = entra.principal.credential.examine().await?;
        Some((format!("config.azure.{key}"), reason))
    }

    /// Returns the principal, as far as the configuration names it.
    pub(super) fn principal(&self) -> Option<String> {
        match self {
            Self::Token(_) => None,
            Self::Machine(machine) => Some(format!("databricks {}", machine.client_id)),
            Self::Entra(Entra { principal, tenant, .. }) => Some(principal.name(tenant.as_deref())),
            Self::Managed(managed) => Some(format!("entra {}", managed.name())),
            Self::Federated(federated) => {
                federated.client_id().map(|id| format!("databricks {id}"))
            }
        }
    }

    /// Returns the name of the principal in remediation.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Token(_) => "the principal",
            Self::Machine(machine) => &machine.client_id,
            Self::Entra(entra) => &entra.principal.client_id,
            Self::Managed(managed) => managed.name(),
            Self::Federated(federated) => federated.client_id().unwrap_or("the principal"),
        }
    }

    /// Returns the key that names the scopes of the token; none where the token has its own.
    pub(super) const fn scope_key(&self) -> Option<&'static str> {
        match self {
            Self::Machine(_) => Some("oAuthClientConfig.scope"),
            Self::Federated(_) => Some("oidc.scope"),
            Self::Token(_) | Self::Entra(_) | Self::Managed(_) => None,
        }
    }

    /// Adds the claims of the tokens of `bearer`.
    pub(super) fn claims(&self, bearer: &Bearer, seen: &mut Seen) {
        match self {
            Self::Token(_) => {
                tokens::claims_and_expiry("token", "", &bearer.token, seen);
            }
            Self::Machine(_) | Self::Entra(_) | Self::Managed(_) | Self::Federated(_) => {
                tokens::claims("access token", &bearer.token, seen);
                if let Some(Management { token, .. }) = &bearer.azure {
                    tokens::claims("management token", token, seen);
                }
            }
        }
    }

    /// Returns the secret of `bearer` whose expiry the workspace may know.
    pub(super) fn renewed_by_people<'b>(&self, bearer: &'b Bearer) -> Option<&'b Secret> {
        match self {
            Self::Token(_) => Some(&bearer.token),
            Self::Machine(_) => bearer.client_secret.as_ref(),
            Self::Entra(_) | Self::Managed(_) | Self::Federated(_) => None,
        }
    }

    /// Returns the remedy for a token endpoint that issued no token; none for endpoints without a remedy of
    /// their own.
    pub(super) fn token_remedy(&self, failure: &Failure) -> Option<String> {
        match self {
            Self::Token(_) | Self::Machine(_) | Self::Federated(_) => None,
            Self::Entra(entra) => {
                let proof = entra.principal.credential.keys();
                let keys = azure::Keys { proof, ..ENTRA_KEYS };
                Some(azure::remedy(failure.class, &failure.detail, keys))
            }
            Self::Managed(_) => Some(
                "Assign a managed identity to this machine (az vm identity assign), and name it in \
                `azure.clientId` where it is one of several; outside of Azure use \
                `azureServicePrincipal` or `oidcFederation`."
                    .to_owned(),
            ),
        }
    }

    /// Returns the remedy for credentials that the workspace refused.
    pub(super) fn remedy(&self) -> String {
        match self {
            Self::Token(_) => "Create a new personal access token for the principal, and put it \
                where `token` points to."
                .to_owned(),
            Self::Machine(machine) => format!(
                "Check that service principal {} is active in the workspace, and create a new \
                 OAuth secret for it if `clientSecret` has expired.",
                machine.client_id
            ),
            Self::Entra(entra) => format!(
                "Check the secret or certificate of application {} in Microsoft Entra, and add its service \
                 principal to the workspace or set `azure.resourceId`.",
                entra.principal.client_id
            ),
            Self::Managed(_) => "Add the managed identity to the workspace as a service principal, or \
                set `azure.resourceId`."
                .to_owned(),
            Self::Federated(_) => "Check that the token in `oidc.token` is renewed in time, and that \
                issuer, audience and subject are those of the federation policy: databricks account \
                service-principal-federation-policy list <id>."
                .to_owned(),
        }
    }
}
