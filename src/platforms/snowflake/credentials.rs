//! Credentials of a user: a key that signs tokens, an `OAuth` client, an access token or a password.

use aws_lc_rs::rand;
use pkcs8::{EncryptedPrivateKeyInfo, SecretDocument};
use serde_json::json;
use uuid::{Builder, Uuid};

use super::classify::{Cause, Failure};
use super::obtain::{no_token, read};
use super::workload::{Source, Workload};
use crate::domain::{Class, Redactor, Secret, SecretRef, Timestamp};
use crate::net::http::Connections;
use crate::net::jwt::SigningKey;
use crate::net::oauth::{Claimant, ClientCredentials, ClientProof, KeptToken, client_assertion};
use crate::net::pem;
use crate::platforms::{LogInKey, Seen, azure, tokens};

/// Lifetime of a token that is signed here, in seconds; Snowflake takes an hour at most.
const JWT_SECONDS: i64 = 59 * 60;

/// Credentials as configured, by kind.
#[derive(Debug)]
pub(super) enum Credentials {
    /// Private key that signs tokens; its public key is registered with the user.
    KeyPair(KeyPair),
    /// Client of an identity provider, which issues access tokens.
    OAuth(OAuth),
    /// Programmatic access token (PAT) of the user.
    Token(SecretRef),
    /// Password, over the drivers' protocol.
    Password(Password),
    /// Identity of a workload, over the drivers' protocol.
    Workload(Workload),
}

/// Key pair of a user.
#[derive(Debug)]
pub(super) struct KeyPair {
    /// Account as tokens name it: in upper case, without a region.
    pub(super) account: String,
    /// Name of the user, in upper case.
    pub(super) user: String,
    /// Private key, in PEM form.
    pub(super) key: SecretRef,
    /// Passphrase of the key.
    pub(super) passphrase: Option<SecretRef>,
}

/// User with a password.
#[derive(Debug)]
pub(super) struct Password {
    /// Account, spelled as in [`KeyPair`].
    pub(super) account: String,
    /// Name of the user, as configured.
    pub(super) user: String,
    /// Reference to the password, read anew for every run.
    pub(super) secret: SecretRef,
}

/// Client of an identity provider.
#[derive(Debug)]
pub(super) struct OAuth {
    /// Address of the token endpoint.
    pub(super) url: String,
    /// Identifier of the client at the provider.
    pub(super) client: String,
    /// Proof of the client's identity.
    pub(super) proof: Proof,
    /// Scope that is requested.
    pub(super) scope: Option<String>,
    /// Resource of the token, where the provider requires one.
    pub(super) resource: Option<String>,
    /// Token that is kept from run to run.
    pub(super) kept: KeptToken,
}

/// Proofs of a client's identity.
#[derive(Debug)]
pub(super) enum Proof {
    /// Client secret, sent as it is.
    Secret(SecretRef),
    /// A key with a certificate, whose thumbprint is in base64 for URLs.
    Certificate {
        /// Private key, in PEM form.
        key: SecretRef,
        /// Passphrase of the key.
        passphrase: Option<SecretRef>,
        /// SHA-1 of the certificate.
        thumbprint: String,
    },
}

/// Token that every request of a run bears.
#[derive(Clone, Debug)]
pub(super) struct Bearer {
    /// Kind of the token, as Snowflake names it.
    pub(super) kind: &'static str,
    /// Token without its kind.
    pub(super) token: Secret,
}

impl Credentials {
    /// Opens the private key, where there is one; returns the path of a key that cannot be used, and why. One that
    /// cannot be read is left out.
    pub(super) async fn examine(&self) -> Option<(&'static str, String)> {
        let (path, key, passphrase) = match self {
            Self::KeyPair(pair) => ("config.privateKey.content", &pair.key, &pair.passphrase),
            Self::OAuth(OAuth { proof: Proof::Certificate { key, passphrase, .. }, .. }) => {
                ("config.oAuthClientConfig.oAuthPrivateKey.content", key, passphrase)
            }
            Self::OAuth(_) | Self::Token(_) | Self::Password(_) | Self::Workload(_) => return None,
        };
        let opened = signing_key(key, passphrase.as_ref(), &Redactor::default()).await;
        let wrong = opened.err().filter(|failure| failure.class != Class::Local)?;
        Some((path, wrong.detail))
    }

    /// Returns the token for a run that begins `now`. The redactor of `connections` learns it, and
    /// every secret that is read for it.
    ///
    /// # Errors
    ///
    /// Says which secret is at fault, or what the identity provider said.
    pub(super) async fn bearer(
        &self,
        connections: &Connections,
        now: Timestamp,
        seen: &mut Seen,
    ) -> Result<Bearer, Failure> {
        let redactor = connections.redactor();
        let (kind, token) = match self {
            Self::KeyPair(pair) => ("KEYPAIR_JWT", pair.token(now, redactor).await?),
            Self::OAuth(oauth) => {
                let token = oauth.token(connections, now).await?;
                tokens::claims("access token", &token, seen);
                ("OAUTH", token)
            }
            Self::Token(token) => {
                let token = read(token, redactor).await?;
                tokens::claims_and_expiry("token", "", &token, seen);
                ("PROGRAMMATIC_ACCESS_TOKEN", token)
            }
            Self::Password(_) | Self::Workload(_) => {
                return Err(Failure::of(Cause::BadRequest, "A log-in has no bearer token."));
            }
        };
        redactor.learn(&token);
        Ok(Bearer { kind, token })
    }

    /// Returns the key of the log-in at `server`, by which a refusal is remembered; none while a token is kept,
    /// which needs no log-in.
    pub(super) async fn key(&self, server: &str, now: Timestamp) -> Option<LogInKey> {
        match self {
            Self::KeyPair(KeyPair { account, user, key, passphrase }) => {
                let secrets: Vec<_> =
                    [Some(key), passphrase.as_ref()].into_iter().flatten().collect();
                LogInKey::of(&["Snowflake", server, "key", account, user], &secrets).await
            }
            Self::OAuth(OAuth { kept, .. }) if kept.is_current(now).await => None,
            Self::OAuth(OAuth { url, client, proof, scope, resource, .. }) => {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                let (scope, resource) = (text(scope), text(resource));
                let names = ["Snowflake", server, "oAuth", url, client, &scope, &resource];
                let secrets = match proof {
                    Proof::Secret(secret) => vec![secret],
                    Proof::Certificate { key, passphrase, .. } => {
                        [Some(key), passphrase.as_ref()].into_iter().flatten().collect()
                    }
                };
                LogInKey::of(&names, &secrets).await
            }
            Self::Token(token) => LogInKey::of(&["Snowflake", server, "token"], &[token]).await,
            Self::Password(Password { account, user, secret }) => {
                let names = ["Snowflake", server, "password", account, user];
                LogInKey::of(&names, &[secret]).await
            }
            Self::Workload(Workload { account, source: Source::Token(token), .. }) => {
                LogInKey::of(&["Snowflake", server, "workload", account], &[token]).await
            }
            // Its token is known only once the metadata service was asked.
            Self::Workload(_) => None,
        }
    }

    /// Drops a kept token that was refused; returns false if no other can be obtained.
    pub(super) async fn forget(&self, token: &Secret) -> bool {
        match self {
            Self::OAuth(oauth) => {
                oauth.kept.forget(token).await;
                true
            }
            Self::KeyPair(_) | Self::Token(_) | Self::Password(_) | Self::Workload(_) => false,
        }
    }

    /// Returns the name of the user, if the configuration contains it.
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::KeyPair(pair) => Some(&pair.user),
            Self::Password(password) => Some(&password.user),
            Self::OAuth(_) | Self::Token(_) | Self::Workload(_) => None,
        }
    }
}

impl KeyPair {
    async fn token(&self, now: Timestamp, redactor: &Redactor) -> Result<Secret, Failure> {
        let key = signing_key(&self.key, self.passphrase.as_ref(), redactor).await?;
        let subject = format!("{}.{}", self.account, self.user);
        let begin = now.unix_seconds();
        let claims = json!({
            "iss": format!("{subject}.SHA256:{}", key.fingerprint()),
            "sub": subject,
            "iat": begin,
            "exp": begin.saturating_add(JWT_SECONDS),
        });
        key.token(&[], &claims).map_err(|error| bad_key(&error.to_string()))
    }
}

impl OAuth {
    async fn token(&self, connections: &Connections, now: Timestamp) -> Result<Secret, Failure> {
        // Read in every run, so that no text of the provider's can show it.
        let proof = self.proof(now, connections.redactor()).await?;
        let fetch = async || {
            let asked = ClientCredentials {
                url: &self.url,
                client_id: &self.client,
                proof: match &self.proof {
                    Proof::Secret(_) => ClientProof::Form(&proof),
                    Proof::Certificate { .. } => ClientProof::Assertion(&proof),
                },
                scope: self.scope.as_deref(),
                resource: self.resource.as_deref(),
                anchors: None,
            };
            asked.token(connections, now).await.map_err(azure::classified)
        };
        let found = self.kept.current(now, fetch).await;
        found.map_err(|none| no_token(&none))
    }

    /// Returns the client secret, or an assertion signed with the key.
    async fn proof(&self, now: Timestamp, redactor: &Redactor) -> Result<Secret, Failure> {
        let (key, passphrase, thumbprint) = match &self.proof {
            Proof::Secret(secret) => return read(secret, redactor).await,
            Proof::Certificate { key, passphrase, thumbprint } => (key, passphrase, thumbprint),
        };
        let key = signing_key(key, passphrase.as_ref(), redactor).await?;
        let claimant = Claimant { client_id: &self.client, url: &self.url };
        let signed = client_assertion(&key, &[("x5t", thumbprint)], claimant, now);
        signed.map_err(|error| bad_key(&error.to_string()))
    }
}

/// Returns a random UUID, which identifies one request.
///
/// # Errors
///
/// Fails when the machine has no randomness.
pub(super) fn unique() -> Result<Uuid, Failure> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes)
        .map_err(|_unspecified| Failure::of(Cause::Unreadable, "No random number can be made."))?;
    Ok(Builder::from_random_bytes(bytes).into_uuid())
}

/// Reads a private key, and decrypts it where it is encrypted.
async fn signing_key(
    key: &SecretRef,
    passphrase: Option<&SecretRef>,
    redactor: &Redactor,
) -> Result<SigningKey, Failure> {
    let pem = pem::restored(&read(key, redactor).await?);
    redactor.learn(&pem);
    let encrypted = pem.expose().contains("-----BEGIN ENCRYPTED PRIVATE KEY-----");
    if !encrypted {
        return SigningKey::from_pem(&pem).map_err(|error| bad_key(&error.to_string()));
    }
    let passphrase =
        passphrase.ok_or_else(|| bad_key("it is encrypted, and no passphrase is configured"))?;
    let passphrase = read(passphrase, redactor).await?;
    let form = "it is encrypted in a way that is not known here; use PKCS#8 with AES or 3DES";
    let (_, document) =
        SecretDocument::from_pem(pem.expose().trim()).map_err(|_error| bad_key(form))?;
    let sealed = EncryptedPrivateKeyInfo::try_from(document.as_bytes());
    let opened = sealed.map_err(|_error| bad_key(form))?.decrypt(passphrase.expose());
    let opened = opened.map_err(|error| {
        // The library calls padding that does not fit by either name.
        let is_wrong = matches!(
            error,
            pkcs8::Error::Asn1(_)
                | pkcs8::Error::EncryptedPrivateKey(
                    pkcs8::pkcs5::Error::DecryptFailed | pkcs8::pkcs5::Error::EncryptFailed
                )
        );
        bad_key(if is_wrong { "its passphrase is not the one configured" } else { form })
    })?;
    SigningKey::from_pkcs8(opened.as_bytes()).map_err(|error| bad_key(&error.to_string()))
}

fn bad_key(reason: &str) -> Failure {
    Failure::of(Cause::BadKey, format!("The private key cannot be used: {reason}."))
}
