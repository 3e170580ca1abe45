//! Service principals of Microsoft Entra.

use super::credential::{ClientCredential, RunCredential};
use super::token_endpoint::classified;
use crate::domain::Timestamp;
use crate::net::exchange::percent_encoded;
use crate::net::http::Connections;
use crate::net::oauth::{Claimant, ClientCredentials, NoToken, Token};

/// Longest tenant, which may be a domain, in bytes.
const TENANT_MAX: usize = 253;

/// Tenant that issues a token, and the scope of the token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audience<'a> {
    /// Id or domain of the tenant.
    pub(crate) tenant: &'a str,
    /// Scope of the resource that the token is for.
    pub(crate) scope: &'a str,
}

/// Service principal of Microsoft Entra: an application with a client credential.
#[derive(Debug)]
pub(crate) struct ServicePrincipal {
    /// Client id of the application.
    pub(crate) client_id: String,
    /// Secret or certificate that proves who it is.
    pub(crate) credential: ClientCredential,
    /// Scheme, host and port of the token endpoint.
    pub(crate) authority: String,
}

impl ServicePrincipal {
    /// Asks for a token of `audience`; `credential` is the current one.
    ///
    /// # Errors
    ///
    /// Returns the refusal of Entra with its class, or the reason why there is no answer.
    pub(crate) async fn token(
        &self,
        connections: &Connections,
        audience: Audience<'_>,
        credential: &RunCredential,
        now: Timestamp,
    ) -> Result<Token, NoToken> {
        let Audience { tenant, scope } = audience;
        let url = format!("{}/{}/oauth2/v2.0/token", self.authority, percent_encoded(tenant));
        let claimant = Claimant { client_id: &self.client_id, url: &url };
        let proof = credential.proof(claimant, now)?;
        let asked = ClientCredentials {
            url: &url,
            client_id: &self.client_id,
            proof: credential.sent(&proof),
            scope: Some(scope),
            resource: None,
            anchors: None,
        };
        asked.token(connections, now).await.map_err(classified)
    }

    /// Returns the name by which the principal is compared with that of other integrations.
    pub(crate) fn name(&self, tenant: Option<&str>) -> String {
        let tenant = tenant.map(|tenant| format!("@{tenant}")).unwrap_or_default();
        format!("entra {}{tenant}", self.client_id)
    }
}

/// True for the id of a tenant, or a domain.
pub(crate) fn is_tenant(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (1..=TENANT_MAX).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SecretRef;

    #[test]
    fn tenant_is_an_id_or_a_domain() {
        let long = "t".repeat(TENANT_MAX + 1);
        for tenant in ["9f37a392-1b2c-4d3e-8f4a-5b6c7d8e9f00", "example.com"] {
            assert!(is_tenant(tenant), "{tenant}");
        }
        for text in ["", ".", "..", "a/b", "a b", "ä.example", long.as_str()] {
            assert!(!is_tenant(text), "{text}");
        }
    }

    #[test]
    fn principal_is_named_with_its_tenant_where_known() {
        let principal = ServicePrincipal {
            client_id: "app".to_owned(),
            credential: ClientCredential::Secret(SecretRef::Env("SECRET".to_owned())),
            authority: "https://login.microsoftonline.com".to_owned(),
        };
        assert_eq!(principal.name(Some("t")), "entra app@t");
        assert_eq!(principal.name(None), "entra app");
    }
}
