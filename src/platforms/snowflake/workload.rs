//! Workload identity federation: a token of the cloud that this machine runs in, or of an identity provider, in
//! place of a secret. Only the drivers' protocol takes it (snowflake-connector-python 4.8.1, `wif_util.py` and
//! `auth/workload_identity.py`).

use strum::{IntoStaticStr, VariantArray};

use super::classify::{Cause, Failure};
use super::obtain::{no_token, read};
use crate::domain::{Class, Redactor, Secret, SecretRef, Timestamp};
use crate::net::near::Near;
use crate::platforms::azure::ManagedIdentity;
use crate::platforms::failure::sentence;

/// Audience of tokens for Snowflake.
const AUDIENCE: &str = "snowflakecomputing.com";
/// Application of Snowflake in Microsoft Entra, as the connectors have it.
pub(super) const ENTRA_RESOURCE: &str = "api://fd3f753b-eed3-462c-b6a7-a4b5bb650aad";
/// Address of Google's metadata server, on every virtual machine there.
pub(super) const GOOGLE_METADATA: &str = "http://metadata.google.internal";

/// Provider of the identity, as Snowflake names it.
#[derive(Clone, Copy, Debug, Eq, IntoStaticStr, PartialEq, VariantArray)]
pub(super) enum Provider {
    /// Any provider of `OpenID` Connect.
    #[strum(serialize = "OIDC")]
    Oidc,
    /// Microsoft Entra, with managed identities.
    #[strum(serialize = "AZURE")]
    Azure,
    /// Google Cloud, with service accounts.
    #[strum(serialize = "GCP")]
    Google,
    /// Amazon Web Services, whose Security Token Service issues tokens.
    #[strum(serialize = "AWS")]
    Amazon,
}

/// Source of the token that attests the identity.
#[derive(Debug)]
pub(super) enum Source {
    /// Token that is renewed outside.
    Token(SecretRef),
    /// Managed identity of this machine, and the application that its token is for.
    Azure {
        /// Identity of this machine.
        identity: ManagedIdentity,
        /// Application of Snowflake in Microsoft Entra.
        resource: String,
    },
    /// Service account of this machine.
    Google {
        /// Scheme, host and port of the metadata server.
        endpoint: String,
        /// Connections to the metadata server.
        near: Near,
    },
}

/// Identity of a workload.
#[derive(Debug)]
pub(super) struct Workload {
    /// Account, in upper case, without a region.
    pub(super) account: String,
    /// Provider of the identity.
    pub(super) provider: Provider,
    /// Source of its token.
    pub(super) source: Source,
}

impl Workload {
    /// True for an identity of this machine, whose token a metadata service issues.
    pub(super) const fn is_of_machine(&self) -> bool {
        match self.source {
            Source::Token(_) => false,
            Source::Azure { .. } | Source::Google { .. } => true,
        }
    }

    /// Returns the token that attests the identity, which `redactor` learns.
    ///
    /// # Errors
    ///
    /// Names the secret that cannot be read, or returns the refusal of the metadata service.
    pub(super) async fn attestation(
        &self,
        now: Timestamp,
        redactor: &Redactor,
    ) -> Result<Secret, Failure> {
        match &self.source {
            Source::Token(token) => read(token, redactor).await,
            Source::Azure { identity, resource } => {
                let found = identity.token(resource, redactor, now).await;
                found.map(|token| token.value).map_err(|none| no_token(&none))
            }
            Source::Google { endpoint, near } => google(endpoint, near, redactor).await,
        }
    }
}

/// Asks Google's metadata server for an identity token.
async fn google(endpoint: &str, near: &Near, redactor: &Redactor) -> Result<Secret, Failure> {
    let url = format!(
        "{endpoint}/computeMetadata/v1/instance/service-accounts/default/identity?audience={AUDIENCE}"
    );
    let answer = near.get(&url, &[("metadata-flavor", "Google")], redactor).await?;
    let token = String::from_utf8(answer.body.clone()).unwrap_or_default();
    let is_token = answer.is_success() && token.trim().split('.').count() == 3;
    if !is_token {
        let status = answer.status;
        let detail = format!("the metadata server has no identity token: code [{status}]");
        return Err(Failure::of(Cause::ProviderRefused(Class::Invalid), sentence(&detail)));
    }
    let token = Secret::new(token.trim().to_owned());
    redactor.learn(&token);
    Ok(token)
}
