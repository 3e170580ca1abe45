//! Credentials for a coordinator: as configured, and as a run sends them.

use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::classify::{Failure, Kind};
use crate::domain::{Class, Redactor, Secret, SecretRef, Timestamp};
use crate::net::http::Connections;
use crate::net::oauth::{ClientCredentials, ClientProof, KeptToken};
use crate::platforms::{LogInKey, Seen, tokens};
use crate::secrets;

/// Reason why a password cannot be sent.
const NOT_LATIN_1: &str =
    "the password has characters that are not in ISO-8859-1, which Trino cannot read";

/// Credentials as configured, by kind.
#[derive(Debug)]
pub(super) enum Credentials {
    /// User name that is not verified.
    Open {
        /// Name of the user.
        username: String,
    },
    /// User name and password.
    Password {
        /// Name of the user.
        username: String,
        /// Password of the user.
        password: SecretRef,
    },
    /// JSON Web Token (RFC 7519).
    Token {
        /// User to act for, where it is not the subject of the token.
        username: Option<String>,
        /// JSON Web Token of the user.
        token: SecretRef,
    },
    /// Client of an identity provider, which issues access tokens.
    OAuth(OAuth),
    /// Client certificate of `tls`.
    Certificate {
        /// User to act for, where it is not the subject of the certificate.
        username: Option<String>,
    },
}

/// Client of an identity provider (client-credentials grant).
#[derive(Debug)]
pub(super) struct OAuth {
    /// User to act for, where it is not the subject of the token.
    pub(super) username: Option<String>,
    /// Address of the token endpoint.
    pub(super) url: String,
    /// Identifier of the client at the provider.
    pub(super) client: String,
    /// Secret of the client.
    pub(super) secret: SecretRef,
    /// Scope that is requested.
    pub(super) scope: Option<String>,
    /// Resource of the token, where the provider requires one.
    pub(super) resource: Option<String>,
    /// Token that is kept from run to run.
    pub(super) kept: KeptToken,
}

/// Names of a token in facts and expiries, as [`tokens::claims_and_expiry`] takes them.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenNames {
    /// Name in facts about its claims.
    pub(super) fact: &'static str,
    /// Name of its expiry; empty for the integration's own token.
    pub(super) expiry: &'static str,
}

/// Circumstances in which the secrets of a run are read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// Connections to the token endpoint, with the redactor that learns the secrets.
    pub(super) connections: &'a Connections,
    /// Wall clock at the start of the run.
    pub(super) now: Timestamp,
    /// Names of the token.
    pub(super) names: TokenNames,
}

impl Credentials {
    /// Returns the user name in the configuration.
    pub(super) fn username(&self) -> Option<&str> {
        match self {
            Self::Open { username } | Self::Password { username, .. } => Some(username),
            Self::Token { username, .. }
            | Self::Certificate { username }
            | Self::OAuth(OAuth { username, .. }) => username.as_deref(),
        }
    }

    /// True when a bearer token is sent.
    pub(super) const fn is_token(&self) -> bool {
        matches!(self, Self::Token { .. } | Self::OAuth(_))
    }

    /// Returns the key of the log-in at `server`, by which a refusal is remembered; none without a secret, and
    /// while a token is kept, which needs no log-in.
    pub(super) async fn key(&self, server: &str, now: Timestamp) -> Option<LogInKey> {
        match self {
            Self::Password { username, password } => {
                LogInKey::of(&["Trino", server, "password", username], &[password]).await
            }
            Self::Token { username, token } => {
                let user = username.as_deref().unwrap_or_default();
                LogInKey::of(&["Trino", server, "token", user], &[token]).await
            }
            Self::OAuth(OAuth { kept, .. }) if kept.is_current(now).await => None,
            Self::OAuth(OAuth { url, client, secret, scope, resource, .. }) => {
                let [scope, resource] =
                    [scope, resource].map(|text| text.as_deref().unwrap_or_default());
                let names = ["Trino", server, "oAuth", url, client, scope, resource];
                LogInKey::of(&names, &[secret]).await
            }
            Self::Open { .. } | Self::Certificate { .. } => None,
        }
    }

    /// Returns the reason why the password cannot be sent; none where it can, or cannot be read.
    pub(super) async fn unusable(&self) -> Option<String> {
        let Self::Password { username, password } = self else { return None };
        let found = secrets::resolve(password).await.ok()?;
        let is_sent = RunCredentials::password(username, &found).is_some();
        (!is_sent).then(|| format!("{NOT_LATIN_1}; use another one, `jwt` or `certificate`"))
    }

    /// Reads the secrets anew, and the redactor learns them. A token is observed by its names.
    ///
    /// # Errors
    ///
    /// Names the secret that cannot be read or sent, or returns the refusal of the token endpoint.
    pub(super) async fn read(
        &self,
        reading: Reading<'_>,
        seen: &mut Seen,
    ) -> Result<RunCredentials, Failure> {
        let Reading { connections, now, names } = reading;
        let redactor = connections.redactor();
        Ok(match self {
            Self::Open { username } => RunCredentials::open(Some(username.clone())),
            Self::Password { username, password } => {
                let password = resolve(password, redactor).await?;
                let credentials = RunCredentials::password(username, &password);
                let unsent = || Failure::of(Kind::Secret, Class::Invalid, NOT_LATIN_1);
                let credentials = credentials.ok_or_else(unsent)?;
                // Its characters are encoded otherwise than those that the redactor knows.
                credentials.teach(redactor);
                credentials
            }
            Self::Token { username, token } => {
                let token = resolve(token, redactor).await?;
                tokens::claims_and_expiry(names.fact, names.expiry, &token, seen);
                RunCredentials::token(username.clone(), token)
            }
            Self::OAuth(oauth) => {
                let (token, is_kept) = oauth.token(connections, now).await?;
                redactor.learn(&token);
                tokens::claims("access token", &token, seen);
                let credentials = RunCredentials::token(oauth.username.clone(), token);
                RunCredentials { is_kept, ..credentials }
            }
            Self::Certificate { username } => RunCredentials::open(username.clone()),
        })
    }

    /// Drops a kept token that was refused; returns true when it had been kept from an earlier run, so
    /// that a new one may be accepted.
    pub(super) async fn forget(&self, refused: &RunCredentials) -> bool {
        match (self, &refused.token) {
            (Self::OAuth(oauth), Some(token)) => {
                oauth.kept.forget(token).await;
                refused.is_kept
            }
            (
                Self::OAuth(_)
                | Self::Open { .. }
                | Self::Password { .. }
                | Self::Token { .. }
                | Self::Certificate { .. },
                _,
            ) => false,
        }
    }
}

impl OAuth {
    /// Returns a token, and true when it was kept from an earlier run.
    async fn token(
        &self,
        connections: &Connections,
        now: Timestamp,
    ) -> Result<(Secret, bool), Failure> {
        // Read in every run, so that no text of the provider's can show it.
        let secret = resolve(&self.secret, connections.redactor()).await?;
        let is_fresh = AtomicBool::new(false);
        let fetch = async || {
            is_fresh.store(true, Ordering::Relaxed);
            let asked = ClientCredentials {
                url: &self.url,
                client_id: &self.client,
                proof: ClientProof::Form(&secret),
                scope: self.scope.as_deref(),
                resource: self.resource.as_deref(),
                anchors: None,
            };
            asked.token(connections, now).await
        };
        let token = self.kept.current(now, fetch).await;
        let token = token.map_err(|none| Failure::no_token(&none))?;
        Ok((token, !is_fresh.into_inner()))
    }
}

/// Reads a secret, which `redactor` learns.
async fn resolve(reference: &SecretRef, redactor: &Redactor) -> Result<Secret, Failure> {
    let found = secrets::resolve(reference).await;
    let found =
        found.map_err(|error| Failure::of(Kind::Secret, Class::Local, &error.to_string()))?;
    redactor.learn(&found);
    Ok(found)
}

/// Credentials of one run, in the form that requests show.
#[derive(Debug)]
pub(super) struct RunCredentials {
    /// User to act for (`X-Trino-User`).
    pub(super) user: Option<String>,
    /// Value of the header `Authorization`.
    pub(super) authorization: Option<Secret>,
    /// Headers with the roles of the session, and those that the configuration adds.
    pub(super) headers: Vec<(String, String)>,
    token: Option<Secret>,
    is_kept: bool,
    refused: AtomicBool,
}

impl RunCredentials {
    /// Returns credentials without password and token.
    pub(super) const fn open(user: Option<String>) -> Self {
        Self {
            user,
            authorization: None,
            headers: Vec::new(),
            token: None,
            is_kept: false,
            refused: AtomicBool::new(false),
        }
    }

    /// Returns those of a user with a password; the cluster's user mapping names the Trino user. The
    /// pair is encoded in ISO-8859-1, as Trino's own clients do (`BasicAuthCredentials` reads it so);
    /// none where a character has no place there.
    pub(super) fn password(username: &str, password: &Secret) -> Option<Self> {
        let pair = [username, ":", password.expose()];
        let bytes: Option<Vec<u8>> =
            pair.iter().flat_map(|text| text.chars()).map(|c| u8::try_from(c).ok()).collect();
        let authorization = Some(Secret::new(format!("Basic {}", STANDARD.encode(bytes?))));
        Some(Self { authorization, ..Self::open(None) })
    }

    /// Returns those of a bearer token, which acts for `user` where that is given.
    pub(super) fn token(user: Option<String>, token: Secret) -> Self {
        let authorization = Some(Secret::new(format!("Bearer {}", token.expose())));
        Self { authorization, token: Some(token), ..Self::open(user) }
    }

    /// Returns the same credentials with these headers.
    pub(super) fn with(self, headers: Vec<(String, String)>) -> Self {
        Self { headers, ..self }
    }

    /// Returns the same credentials, acting for `user` in none of the roles of this one.
    pub(super) fn impersonating(&self, user: String) -> Self {
        Self { authorization: self.authorization.clone(), ..Self::open(Some(user)) }
    }

    fn teach(&self, redactor: &Redactor) {
        if let Some((_, pair)) =
            self.authorization.as_ref().and_then(|all| all.expose().split_once(' '))
        {
            redactor.learn_text(pair);
        }
    }

    /// Notes that the server refused these credentials.
    pub(super) fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// True once the server refused these credentials: they are not shown to it again in this run.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(password: &str) -> Option<String> {
        let found = RunCredentials::password("immuta", &Secret::new(password.to_owned()))?;
        Some(found.authorization.unwrap().expose().to_owned())
    }

    #[test]
    fn password_is_sent_in_latin_1_or_not_at_all() {
        assert_eq!(sent("hunter2").unwrap(), "Basic aW1tdXRhOmh1bnRlcjI=");
        // As Trino 476 accepted it; in UTF-8 it answered 401.
        assert_eq!(sent("pässwörd:ü").unwrap(), "Basic aW1tdXRhOnDkc3N39nJkOvw=");
        assert_eq!(sent("ÿ").unwrap(), "Basic aW1tdXRhOv8=");
        for password in ["€", "Łódź", "пароль"] {
            assert_eq!(sent(password), None, "{password}");
        }
    }

    #[test]
    fn credentials_are_not_printed() {
        let secret = Secret::new("hunter2".to_owned());
        let credentials = RunCredentials::password("immuta", &secret).unwrap();
        let other = credentials.impersonating("probe".to_owned());
        let token = RunCredentials::token(None, secret);
        let debug = format!("{credentials:?} {other:?} {token:?}");
        let encoded = STANDARD.encode("immuta:hunter2");
        assert!(!debug.contains("hunter2") && !debug.contains(&encoded), "{debug}");
    }
}
