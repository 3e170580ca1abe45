//! Roles taken up at the Security Token Service, with what is asked and what it answers.

use std::fmt;

use reqsign_aws_v4::Credential;

use super::classify::Failure;
use super::client::{Call, Client, encoded};
use super::xml::{Element, ReplyError};
use crate::domain::{Secret, Timestamp};

/// The version of the service's interface.
pub(crate) const VERSION: (&str, &str) = ("Version", "2011-06-15");
/// The shortest life that the service gives, and long enough for a run.
const LIFE: (&str, &str) = ("DurationSeconds", "900");

/// The elements around the credentials in the answers of the two actions.
const OF_ROLE: [&str; 2] = ["AssumeRoleResponse", "AssumeRoleResult"];
const OF_IDENTITY: [&str; 2] =
    ["AssumeRoleWithWebIdentityResponse", "AssumeRoleWithWebIdentityResult"];

/// Settings for assuming roles.
#[derive(Clone, Debug)]
pub(crate) struct Sts {
    /// The origin of the Security Token Service.
    pub(crate) origin: String,
    /// Session policy, which limits the session whatever else its role is allowed; AWS enforces it.
    pub(crate) policy: &'static str,
}

/// A role, and how it is taken up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session<'a> {
    /// ARN of the role to assume.
    pub(super) role: &'a str,
    /// Name of the session in the account's log.
    pub(super) name: &'a str,
    /// Session policy, which limits the session whatever else the role is allowed.
    pub(super) policy: &'a str,
}

/// Temporary credentials of an assumed role.
pub(super) struct Assumed {
    /// Credential to sign with.
    pub(super) credential: Credential,
    /// Expiry of the credential.
    pub(super) expires_at: Timestamp,
}

impl fmt::Debug for Assumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assumed").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Session<'_> {
    /// Takes up the role as the owner of `base`, at the service whose origin is `sts`.
    ///
    /// # Errors
    ///
    /// Returns the refusal of the service, or the reason why there is no answer.
    pub(super) async fn assumed(
        &self,
        client: &Client,
        sts: &str,
        base: &Credential,
        external_id: Option<&str>,
    ) -> Result<Assumed, Failure> {
        let Self { role, name, policy } = self;
        let mut query = vec![
            ("Action", "AssumeRole"),
            VERSION,
            ("RoleArn", role),
            ("RoleSessionName", name),
            LIFE,
            ("Policy", policy),
        ];
        query.extend(external_id.map(|id| ("ExternalId", id)));
        let call = Call::get("sts", format!("{sts}/?{}", encoded(&query))).log_in();
        client.call(&call, base, |root| assumed(root, OF_ROLE)).await
    }

    /// Takes up the role as the one to whom `token` was issued. This is the only request that is not
    /// signed: the token is what it proves itself with, and therefore it travels in the body.
    ///
    /// # Errors
    ///
    /// Returns the refusal of the service, or the reason why there is no answer.
    pub(super) async fn identified(
        &self,
        client: &Client,
        sts: &str,
        token: &Secret,
    ) -> Result<Assumed, Failure> {
        let Self { role, name, policy } = self;
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"),
            VERSION,
            ("RoleArn", role),
            ("RoleSessionName", name),
            LIFE,
            ("Policy", policy),
            ("WebIdentityToken", token.expose()),
        ];
        let url = format!("{sts}/");
        client.post(&url, &form, token, |root| assumed(root, OF_IDENTITY)).await
    }
}

/// Reads a body whose elements around the credentials are called so.
fn assumed(root: &Element, around: [&'static str; 2]) -> Result<Assumed, ReplyError> {
    let [response, result] = around;
    let parts = root.expect(response)?.child(result)?.child("Credentials")?;
    let expiration = parts.text("Expiration")?;
    let expires_at = expiration.parse().map_err(|_invalid| ReplyError::Part("Expiration"))?;
    let credential = Credential {
        access_key_id: parts.text("AccessKeyId")?,
        secret_access_key: parts.text("SecretAccessKey")?,
        session_token: Some(parts.text("SessionToken")?),
        expires_in: None,
    };
    Ok(Assumed { credential, expires_at })
}
