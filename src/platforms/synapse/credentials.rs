//! Credentials for a SQL server: a user with a password, or the owner of a Microsoft Entra token.

use tiberius::AuthMethod;

use super::call::CallError;
use super::cause::Cause;
use super::classify::{Failure, Stage};
use crate::domain::{Redactor, Secret, SecretRef, Timestamp};
use crate::net::jwt;
use crate::net::oauth::{KeptToken, NoToken, Token};
use crate::platforms::azure::{
    Audience, Cloud, ManagedIdentity, Proof, RunCredential, ServicePrincipal,
};
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
    /// Service principal of Microsoft Entra, which gets tokens with a secret or a certificate.
    Principal(Box<Principal>),
    /// Managed identity of this machine.
    Managed(Box<Managed>),
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

/// Managed identity of Azure.
#[derive(Debug)]
pub(super) struct Managed {
    /// Identity that the metadata service issues tokens for.
    pub(super) identity: ManagedIdentity,
    /// Cloud of the server.
    pub(super) cloud: Cloud,
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
            Self::Managed(_) => "name of the managed identity",
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
            Self::Managed(managed) => {
                let id = managed.identity.client_id().unwrap_or("identity of this machine");
                Some(format!("entra {id}"))
            }
            Self::Token(_) => None,
        }
    }

    /// Returns the key of the proof of an application, for remedies.
    pub(super) fn proof(&self) -> Proof {
        match self {
            Self::Principal(principal) => principal.application.credential.keys(),
            Self::Password { .. } | Self::Managed(_) | Self::Token(_) => {
                Proof::Secret("azure.clientSecret")
            }
        }
    }

    /// Opens the certificate of an application, without a connection; returns the path of what cannot be used,
    /// with the reason.
    pub(super) async fn examine(&self) -> Option<(String, String)> {
        let Self::Principal(principal) = self else { return None };
        let (key, reason) = principal.application.credential.examine().await?;
        Some((format!("config.azure.{key}"), reason))
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
            // Its token is known only once the metadata service was asked.
            Self::Managed(_) => None,
            Self::Principal(principal) if principal.kept.is_current(now).await => None,
            Self::Principal(principal) => {
                let Principal { tenant, application, .. } = principal.as_ref();
                let name = application.name(Some(tenant));
                LogInKey::of(&names("principal", &name), &application.credential.secrets()).await
            }
        }
    }

    /// Returns the names of the log-in to `place` with an identity of the machine.
    pub(super) fn of_machine<'a>(&'a self, place: [&'a str; 3]) -> Option<[&'a str; 6]> {
        let [host, port, database] = place;
        let Self::Managed(managed) = self else { return None };
        let name = managed.identity.client_id().unwrap_or_default();
        Some(["Synapse", host, port, database, "managed identity", name])
    }

    /// True for a refusal of what was sent as these credentials.
    pub(super) const fn is_refused_by(&self, cause: Cause) -> bool {
        if let Cause::NoToken(class) = cause {
            return class.is_definitive();
        }
        let has_password = matches!(self, Self::Password { .. });
        matches!(cause, Cause::LoginRefused)
            || (has_password && matches!(cause, Cause::LoginExpired))
    }

    /// Returns the store of tokens that last from run to run, if this kind has one.
    const fn kept(&self) -> Option<&KeptToken> {
        match self {
            Self::Principal(principal) => Some(&principal.kept),
            Self::Managed(managed) => Some(&managed.kept),
            Self::Password { .. } | Self::Token(_) => None,
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
                let credential = principal.application.credential.resolve(redactor).await;
                let credential = credential
                    .map_err(|none| Failure::classed(Cause::NoToken(none.class), &none.detail))?;
                principal.token(&credential, now, redactor, seen).await
            }
            Self::Managed(managed) => managed.token(now, redactor, seen).await,
        }
    }

    /// Returns other credentials to try after `refused`, if that is a token of an earlier run. A metadata service may
    /// give the same token again, which is not tried.
    pub(super) async fn renewed(
        &self,
        refused: &RunCredentials,
        now: Timestamp,
        redactor: &Redactor,
        seen: &mut Seen,
    ) -> Option<Result<RunCredentials, Failure>> {
        let RunCredentials::Token { token, is_kept: true } = refused else { return None };
        self.kept()?.forget(token).await;
        let renewed = self.read(now, redactor, seen).await;
        let is_same = matches!(
            (self, &renewed),
            (Self::Managed(_), Ok(RunCredentials::Token { token: new, .. }))
                if new.expose() == token.expose()
        );
        (!is_same).then_some(renewed)
    }

    /// Drops a refused token, so that the next run does not begin with it.
    pub(super) async fn forget(&self, refused: &RunCredentials) {
        if let (Some(kept), RunCredentials::Token { token, .. }) = (self.kept(), refused) {
            kept.forget(token).await;
        }
    }
}

impl Principal {
    async fn token(
        &self,
        credential: &RunCredential,
        now: Timestamp,
        redactor: &Redactor,
        seen: &mut Seen,
    ) -> Result<RunCredentials, Failure> {
        let failed = |class, detail: &str| Failure::classed(Cause::NoToken(class), detail);
        let connections = self.endpoint.connections(redactor).await;
        let connections = connections.map_err(|none| failed(none.class, &none.detail))?;
        let fetch = async || {
            let audience = Audience { tenant: &self.tenant, scope: self.cloud.sql_scope() };
            self.application.token(&connections, audience, credential, now).await
        };
        current(&self.kept, now, redactor, seen, fetch).await
    }
}

impl Managed {
    async fn token(
        &self,
        now: Timestamp,
        redactor: &Redactor,
        seen: &mut Seen,
    ) -> Result<RunCredentials, Failure> {
        let scope = self.cloud.sql_scope();
        // The metadata service is asked for a resource, whose name ends with a slash as that of SQL does.
        let resource = scope.strip_suffix(".default").unwrap_or(scope);
        let fetch = async || self.identity.token(resource, redactor, now).await;
        current(&self.kept, now, redactor, seen, fetch).await
    }
}

/// Returns the kept token, or one of `fetch`.
async fn current(
    kept: &KeptToken,
    now: Timestamp,
    redactor: &Redactor,
    seen: &mut Seen,
    fetch: impl AsyncFnOnce() -> Result<Token, NoToken>,
) -> Result<RunCredentials, Failure> {
    let mut is_kept = true;
    let fetch = async || {
        is_kept = false;
        fetch().await
    };
    let token = kept.current(now, fetch).await;
    let token =
        token.map_err(|none| Failure::classed(Cause::NoToken(none.class()), &none.detail()))?;
    redactor.learn(&token);
    tokens::claims("access token", &token, seen);
    Ok(RunCredentials::Token { token, is_kept })
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

    /// Serves answers of a metadata service, one per connection, and returns its address and what it is
    /// asked.
    async fn metadata(
        answers: &'static [(u16, &'static str)],
    ) -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let log = std::sync::Arc::clone(&asked);
        tokio::spawn(async move {
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap();
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                log.lock().unwrap().push(text.lines().next().unwrap().to_owned());
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
                let answer = format!("{head}connection: close\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (address, asked)
    }

    fn managed(client_id: Option<&str>, address: String) -> Credentials {
        let identity = ManagedIdentity::new(client_id.map(str::to_owned), address).unwrap();
        let kept = KeptToken::default();
        Credentials::Managed(Box::new(Managed { identity, cloud: Cloud::Public, kept }))
    }

    #[tokio::test]
    async fn managed_identity_has_a_token_for_sql_that_is_kept_and_renewed_once() {
        const ANSWERS: [(u16, &str); 2] = [
            (200, r#"{"access_token":"hunter2-1","expires_in":"86399","token_type":"Bearer"}"#),
            (200, r#"{"access_token":"hunter2-2","expires_in":"86399","token_type":"Bearer"}"#),
        ];
        let (address, asked) = metadata(&ANSWERS).await;
        let credentials = managed(Some("app"), address);
        assert_eq!(credentials.principal("h").as_deref(), Some("entra app"));
        let redactor = Redactor::default();
        let (mut seen, now) = (Seen::default(), Timestamp(0));
        let first = credentials.read(now, &redactor, &mut seen).await.unwrap();
        assert!(matches!(&first, RunCredentials::Token { is_kept: false, .. }));
        assert!(credentials.renewed(&first, now, &redactor, &mut seen).await.is_none());
        let again = credentials.read(now, &redactor, &mut seen).await.unwrap();
        assert!(matches!(&again, RunCredentials::Token { is_kept: true, .. }));
        let renewed =
            credentials.renewed(&again, now, &redactor, &mut seen).await.unwrap().unwrap();
        let RunCredentials::Token { token, is_kept: false } = renewed else { panic!("kept") };
        assert_eq!(token.expose(), "hunter2-2");
        assert_eq!(redactor.line("a hunter2-2 b", 99), "a [REDACTED] b");
        let path = "/metadata/identity/oauth2/token?api-version=2018-02-01\
            &resource=https%3A%2F%2Fdatabase.windows.net%2F&client_id=app";
        let expected = format!("GET {path} HTTP/1.1");
        assert_eq!(*asked.lock().unwrap(), [expected.clone(), expected]);
    }

    #[tokio::test]
    async fn machine_without_an_identity_is_said_to_have_none() {
        const ANSWERS: [(u16, &str); 1] =
            [(400, r#"{"error":"invalid_request","error_description":"Identity not found"}"#)];
        let (address, _) = metadata(&ANSWERS).await;
        let credentials = managed(None, address);
        assert_eq!(credentials.principal("h").as_deref(), Some("entra identity of this machine"));
        let found =
            credentials.read(Timestamp(0), &Redactor::default(), &mut Seen::default()).await;
        let failure = found.unwrap_err();
        assert!(matches!(failure.cause, Cause::NoToken(_)), "{failure:?}");
        assert!(failure.class.is_definitive(), "{failure:?}");
        assert!(failure.detail.contains("Identity not found"), "{failure:?}");
    }
}
