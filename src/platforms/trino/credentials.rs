//! Credentials for a coordinator: as configured, and as a run sends them.

use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::classify::Failure;
use crate::domain::{Class, Redactor, Secret, SecretRef};
use crate::platforms::{Seen, tokens};
use crate::secrets;

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
    /// Client certificate of `tls`.
    Certificate {
        /// User to act for, where it is not the subject of the certificate.
        username: Option<String>,
    },
}

/// Names of a token in facts and expiries, as [`tokens::claims_and_expiry`] takes them.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenNames {
    /// Name in facts about its claims.
    pub(super) fact: &'static str,
    /// Name of its expiry; empty for the integration's own token.
    pub(super) expiry: &'static str,
}

impl Credentials {
    /// Returns the user name in the configuration.
    pub(super) fn username(&self) -> Option<&str> {
        match self {
            Self::Open { username } | Self::Password { username, .. } => Some(username),
            Self::Token { username, .. } | Self::Certificate { username } => username.as_deref(),
        }
    }

    /// Reads the secrets anew, and `redactor` learns them. A token is observed by its `names`.
    ///
    /// # Errors
    ///
    /// Names the secret that cannot be read.
    pub(super) async fn read(
        &self,
        names: TokenNames,
        redactor: &Redactor,
        seen: &mut Seen,
    ) -> Result<RunCredentials, Failure> {
        let resolve = async |reference: &SecretRef| {
            let found = secrets::resolve(reference).await;
            let found = found.map_err(|error| Failure::silent(Class::Local, &error.to_string()))?;
            redactor.learn(&found);
            Ok::<_, Failure>(found)
        };
        Ok(match self {
            Self::Open { username } => RunCredentials::open(Some(username.clone())),
            Self::Password { username, password } => {
                RunCredentials::password(username, &resolve(password).await?)
            }
            Self::Token { username, token } => {
                let token = resolve(token).await?;
                tokens::claims_and_expiry(names.fact, names.expiry, &token, seen);
                RunCredentials::token(username.clone(), &token)
            }
            Self::Certificate { username } => RunCredentials::open(username.clone()),
        })
    }
}

/// Credentials of one run, in the form that requests show.
#[derive(Debug)]
pub(super) struct RunCredentials {
    /// User to act for (`X-Trino-User`).
    pub(super) user: Option<String>,
    /// Value of the header `Authorization`.
    pub(super) authorization: Option<Secret>,
    refused: AtomicBool,
}

impl RunCredentials {
    /// Returns credentials without password and token.
    pub(super) const fn open(user: Option<String>) -> Self {
        Self { user, authorization: None, refused: AtomicBool::new(false) }
    }

    /// Returns those of a user with a password; the cluster's user mapping names the Trino user.
    pub(super) fn password(username: &str, password: &Secret) -> Self {
        let encoded = STANDARD.encode(format!("{username}:{}", password.expose()));
        let authorization = Some(Secret::new(format!("Basic {encoded}")));
        Self { authorization, ..Self::open(None) }
    }

    /// Returns those of a bearer token, which acts for `user` where that is given.
    pub(super) fn token(user: Option<String>, token: &Secret) -> Self {
        let authorization = Some(Secret::new(format!("Bearer {}", token.expose())));
        Self { authorization, ..Self::open(user) }
    }

    /// Returns the same credentials, acting for `user`.
    pub(super) fn impersonating(&self, user: String) -> Self {
        Self { authorization: self.authorization.clone(), ..Self::open(Some(user)) }
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

    #[test]
    fn credentials_are_not_printed() {
        let secret = Secret::new("hunter2".to_owned());
        let credentials = RunCredentials::password("immuta", &secret);
        let other = credentials.impersonating("probe".to_owned());
        let debug = format!("{credentials:?} {other:?}");
        let encoded = STANDARD.encode("immuta:hunter2");
        assert!(!debug.contains("hunter2") && !debug.contains(&encoded), "{debug}");
    }
}
