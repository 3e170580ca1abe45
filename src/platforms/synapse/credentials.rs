//! Credentials for a SQL server: a user with a password, or the owner of a Microsoft Entra token.

use tiberius::AuthMethod;

use super::call::CallError;
use super::classify::{Cause, Failure, Stage};
use crate::domain::{Redactor, Secret, SecretRef, Timestamp};
use crate::net::jwt;
use crate::net::oauth::KeptToken;
use crate::platforms::azure::{Audience, Cloud, ServicePrincipal};
use crate::platforms::connection::Endpoint;
use crate::platforms::{LogInKey, Seen, tokens};
use crate::secrets;

/// Credentials as configured, by kind.
#[derive(Debug)]
pub(super) enum Credentials {
    /// User of the server or of the database.
    Password {
        /// Name; its case counts.
        username: String,
        /// Reference to the password.
        password: SecretRef,
    },
    /// Service principal of Microsoft Entra, which gets tokens with a secret.
    Principal(Box<Principal>),
    /// Access token that is renewed outside.
    Token(SecretRef),
}

/// Service principal with its tenant.
#[derive(Debug)]
pub(super) struct Principal {
    /// Id or domain of the tenant.
    pub(super) tenant: String,
    /// Application that logs in.
    pub(super) application: ServicePrincipal,
    /// Cloud of the server.
    pub(super) cloud: Cloud,
    /// Way to the token endpoint.
    pub(super) endpoint: Endpoint,
    /// Token, from run to run.
    pub(super) kept: KeptToken,
}

/// Credentials of one run, with the secrets that are sent at log-in.
#[derive(Debug)]
pub(super) enum RunCredentials {
    /// User and password of a SQL log-in.
    Password {
        /// Name of the user.
        username: String,
        /// Password of the user.
        password: Secret,
    },
    /// Access token of Microsoft Entra.
    Token {
        /// Token that is sent.
        token: Secret,
        /// True for a token of an earlier run, so that another one may be accepted.
        is_kept: bool,
    },
}

impl RunCredentials {
    /// Returns the credentials in the form of the library.
    pub(super) fn method(&self) -> AuthMethod {
        match self {
            Self::Password { username, password } => {
                AuthMethod::sql_server(username, password.expose())
            }
            Self::Token { token, .. } => AuthMethod::aad_token(token.expose()),
        }
    }
}

impl Credentials {
    /// Returns the name of the user in a grant.
    pub(super) fn grantee(&self) -> &str {
        match self {
            Self::Password { username, .. } => username.split('@').next().unwrap_or(username),
            Self::Principal(_) => "name of the application",
            Self::Token(_) => "owner of the token",
        }
    }

    /// Returns the principal on the server `host`, as far as the configuration names it.
    pub(super) fn principal(&self, host: &str) -> Option<String> {
        match self {
            Self::Password { .. } => Some(format!("synapse {}@{host}", self.grantee())),
            Self::Principal(principal) => {
                let Principal { tenant, application, .. } = principal.as_ref();
                Some(application.name(Some(tenant)))
            }
            Self::Token(_) => None,
        }
    }

    /// Returns the key of the log-in to `place`, by which a refusal is remembered; none while a token is kept.
    pub(super) async fn key(&self, place: [&str; 3], now: Timestamp) -> Option<LogInKey> {
        let [host, port, database] = place;
        let names = |kind, name| ["Synapse", host, port, database, kind, name];
        match self {
            // A user may be one of the database alone.
            Self::Password { username, password } => {
                LogInKey::of(&names("password", username), &[password]).await
            }
            Self::Token(token) => LogInKey::of(&names("token", ""), &[token]).await,
            Self::Principal(principal) if principal.kept.is_current(now).await => None,
            Self::Principal(principal) => {
                let Principal { tenant, application, .. } = principal.as_ref();
                let name = application.name(Some(tenant));
                LogInKey::of(&names("principal", &name), &[&application.client_secret]).await
            }
        }
    }

    /// True for a refusal of what was sent as these credentials.
    pub(super) const fn is_refused_by(&self, cause: Cause) -> bool {
        match cause {
            Cause::LoginRefused => true,
            Cause::LoginExpired => matches!(self, Self::Password { .. }),
            Cause::NoToken(class) => class.is_definitive(),
            _ => false,
        }
    }

    /// Returns the credentials of a run; secrets are read anew, and `redactor` learns them.
    pub(super) async fn read(
        &self,
        now: Timestamp,
        redactor: &Redactor,
        seen: &mut Seen,
    ) -> Result<RunCredentials, Failure> {
        let read = async |reference| {
            let found = secrets::resolve(reference).await;
            let found = found
                .map_err(|error| Failure::of(&CallError::from(error), Stage::LogIn, redactor))?;
            redactor.learn(&found);
            Ok::<_, Failure>(found)
        };
        match self {
            Self::Password { username, password } => {
                let (username, password) = (username.clone(), read(password).await?);
                Ok(RunCredentials::Password { username, password })
            }
            Self::Token(token) => {
                let token = read(token).await?;
                tokens::claims_and_expiry("token", "", &token, seen);
                match expiry(&token) {
                    Some(end) if end <= now => {
                        let detail = format!("the access token ended at {end}");
                        Err(Failure::classed(Cause::LoginExpired, &detail))
                    }
                    Some(_) | None => Ok(RunCredentials::Token { token, is_kept: false }),
                }
            }
            Self::Principal(principal) => {
                let secret = read(&principal.application.client_secret).await?;
                principal.token(&secret, now, redactor, seen).await
            }
        }
    }

    /// Returns other credentials to try after `refused`, if that is a token of an earlier run.
    pub(super) async fn renewed(
        &self,
        refused: &RunCredentials,
        now: Timestamp,
        redactor: &Redactor,
        seen: &mut Seen,
    ) -> Option<Result<RunCredentials, Failure>> {
        let (Self::Principal(principal), RunCredentials::Token { token, is_kept: true }) =
            (self, refused)
        else {
            return None;
        };
        principal.kept.forget(token).await;
        Some(self.read(now, redactor, seen).await)
    }

    /// Drops a refused token, so that the next run does not begin with it.
    pub(super) async fn forget(&self, refused: &RunCredentials) {
        if let (Self::Principal(principal), RunCredentials::Token { token, .. }) = (self, refused) {
            principal.kept.forget(token).await;
        }
    }
}

impl Principal {
    async fn token(
        &self,
        secret: &Secret,
        now: Timestamp,
        redactor: &Redactor,
        seen: &mut Seen,
    ) -> Result<RunCredentials, Failure> {
        let failed = |class, detail: &str| Failure::classed(Cause::NoToken(class), detail);
        let connections = self.endpoint.connections(redactor).await;
        let connections = connections.map_err(|none| failed(none.class, &none.detail))?;
        let mut is_kept = true;
        let fetch = async || {
            is_kept = false;
            let audience = Audience { tenant: &self.tenant, scope: self.cloud.sql_scope() };
            self.application.token(&connections, audience, secret, now).await
        };
        let token = self.kept.current(now, fetch).await;
        let token = token.map_err(|none| failed(none.class(), &none.detail()))?;
        redactor.learn(&token);
        tokens::claims("access token", &token, seen);
        Ok(RunCredentials::Token { token, is_kept })
    }
}

/// Returns the expiry of `token`, as far as it has one.
fn expiry(token: &Secret) -> Option<Timestamp> {
    jwt::claims(token.expose())?.expires
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Class;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn text(text: &str) -> SecretRef {
        SecretRef::Literal(Secret::new(text.to_owned()))
    }

    #[tokio::test]
    async fn key_is_that_of_user_place_and_secret() {
        let password = |username: &str, secret: &str| Credentials::Password {
            username: username.to_owned(),
            password: text(secret),
        };
        let (place, now) = (["sql.example.net", "1433", "pool"], Timestamp(0));
        let first = password("immuta", "hunter2").key(place, now).await;
        assert!(first.is_some());
        assert_eq!(first, password("immuta", "hunter2").key(place, now).await);
        for other in [
            password("immuta", "hunter3").key(place, now).await,
            password("other", "hunter2").key(place, now).await,
            password("immuta", "hunter2").key(["sql.example.net", "1433", "other"], now).await,
            Credentials::Token(text("hunter2")).key(place, now).await,
        ] {
            assert_ne!(first, other);
        }
        let missing = SecretRef::File("/nonexistent".into());
        assert_eq!(Credentials::Token(missing).key(place, now).await, None);
    }

    #[test]
    fn only_what_was_sent_and_refused_is_remembered() {
        let password =
            Credentials::Password { username: "immuta".to_owned(), password: text("hunter2") };
        let token = Credentials::Token(text("hunter2"));
        let table = [
            (Cause::LoginRefused, true, true),
            // A token that has ended is not sent.
            (Cause::LoginExpired, true, false),
            (Cause::NoToken(Class::Denied), true, true),
            (Cause::NoToken(Class::Unavailable), false, false),
            (Cause::Firewall, false, false),
            (Cause::Paused, false, false),
            (Cause::NoDatabase, false, false),
            (Cause::Busy, false, false),
        ];
        for (cause, of_password, of_token) in table {
            let found = (password.is_refused_by(cause), token.is_refused_by(cause));
            assert_eq!(found, (of_password, of_token), "{cause:?}");
        }
    }

    #[test]
    fn expiry_of_a_token_is_its_claim() {
        let token =
            |claims: &str| Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)));
        let table = [
            (token(r#"{"exp":1795302000}"#), Some(Timestamp(1_795_302_000_000))),
            (token(r#"{"exp":-1}"#), Some(Timestamp(-1000))),
            (token(r#"{"exp":9223372036854775807}"#), None),
            (token(r#"{"exp":"soon"}"#), None),
            (token("{}"), None),
            (token("not json"), None),
            (Secret::new("opaque".to_owned()), None),
            (Secret::new("a.!.c".to_owned()), None),
        ];
        for (token, expected) in table {
            assert_eq!(expiry(&token), expected, "{}", token.expose());
        }
    }
}
