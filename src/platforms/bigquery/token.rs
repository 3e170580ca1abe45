//! Access tokens: by the key of a service account, by the identity of a workload elsewhere, or from
//! the machine's metadata.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use serde_json::json;

use super::aws;
use super::classify::Failure;
use super::client::{Client, Request};
use super::config::{Config, UNIVERSE_DEFAULT};
use super::key::{
    ExternalAccount, ImpersonatedAccount, Impersonation, ImpersonationSource, ServiceAccountKey,
};
use super::loaded::{Loaded, RunCredentials, unsigned};
use super::names::is_account;
use super::near::{BODY_MAX, near_answer};
use super::reply::{Impersonated, impersonated, subject_token};
use super::source::CredentialSource;
use crate::domain::{Class, Redactor, Secret, SecretRef, Timestamp};
use crate::net::backoff::retry;
use crate::net::discovered;
use crate::net::exchange::{Answer, NoAnswer, percent_encoded, request};
use crate::net::http::{Connections, HttpOptions};
use crate::net::jwt::SigningKey;
use crate::net::oauth::{self, KeptToken, Token, TokenRequest};
use crate::platforms::LogIns;
use crate::platforms::connection::is_loopback;
use crate::secrets;

/// Longest wait for a metadata service, which is on the same machine.
const NEAR_MAX: Duration = Duration::from_secs(3);
/// Lifetime of an assertion, in seconds; Google takes no longer one.
const ASSERTION_SECONDS: i64 = 3600;
/// The same lifetime, of a token that is sent as it is signed.
const ASSERTION_LIFE: Duration = Duration::from_hours(1);
/// Scope with which a federated identity makes tokens of its service account.
const IAM_SCOPE: &str = "https://www.googleapis.com/auth/iam";

/// Token that is kept from run to run, for one credential.
#[derive(Debug)]
pub(super) struct Tokens {
    kept: Mutex<(Option<Secret>, Arc<KeptToken>)>,
    /// Connections to services of this machine and its link, never through a proxy.
    near: Connections,
}

/// Parameters of the token requests of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    /// Configuration of the integration.
    pub(super) config: &'a Config,
    /// The time of the run.
    pub(super) now: Timestamp,
    /// Secrets of the run.
    pub(super) redactor: &'a Redactor,
    /// Scope of a token in between, instead of the configured one.
    pub(super) scope: Option<&'static str>,
    /// Memory of refused log-ins.
    pub(super) log_ins: &'a LogIns,
}

impl Asking<'_> {
    /// Asks for permission to exchange what a workload proves itself with.
    async fn may_send(self, external: &ExternalAccount, secrets: &[&str]) -> Result<(), Failure> {
        let names = ["Google BigQuery", "workload", &external.token_url, &external.audience];
        Ok(self.log_ins.found(&names, secrets).await?)
    }
}

impl Tokens {
    /// Returns an empty store of tokens.
    ///
    /// # Errors
    ///
    /// Returns the reason why no connection can be made at all.
    pub(super) fn new() -> Result<Self, String> {
        let options = HttpOptions {
            connect_timeout: NEAR_MAX,
            total_timeout: NEAR_MAX,
            ..HttpOptions::default()
        };
        let near = Connections::new(&options).map_err(|error| error.to_string())?;
        Ok(Self { kept: Mutex::default(), near })
    }

    /// Returns the kept token, or a new one.
    ///
    /// # Errors
    ///
    /// Returns the refusal of the issuer, or the reason why there is no answer.
    pub(super) async fn current(
        &self,
        loaded: &Loaded,
        connections: &Connections,
        asking: Asking<'_>,
    ) -> Result<Secret, Failure> {
        let kept = self.of(loaded);
        let fetch = async || self.fetch(&loaded.credentials, connections, asking).await;
        kept.current(asking.now, fetch).await
    }

    /// Drops `token`, which was refused before its time.
    pub(super) async fn forget(&self, loaded: &Loaded, token: &Secret) {
        self.of(loaded).forget(token).await;
    }

    /// Returns the kept token of the credential; a token of a former one is dropped.
    fn of(&self, loaded: &Loaded) -> Arc<KeptToken> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, now) = (kept.0.as_ref().map(Secret::expose), loaded.text.as_ref());
        if known != now.map(Secret::expose) {
            *kept = (loaded.text.clone(), Arc::default());
        }
        Arc::clone(&kept.1)
    }

    async fn fetch(
        &self,
        credentials: &RunCredentials,
        connections: &Connections,
        asking: Asking<'_>,
    ) -> Result<Token, Failure> {
        match credentials {
            RunCredentials::Key(key) => {
                by_key(key, &asking.config.scope, connections, asking).await
            }
            RunCredentials::Workload(external) => {
                self.by_workload(external, connections, asking).await
            }
            RunCredentials::Impersonated(account) => {
                self.by_account(account, connections, asking).await
            }
            RunCredentials::Machine => {
                let scopes = percent_encoded(&asking.config.scope.replace(' ', ","));
                let answer = self.metadata(&format!("token?scopes={scopes}"), asking).await?;
                let found = oauth::read(&answer, asking.now);
                found.map_err(Failure::no_token)
            }
        }
    }

    /// Returns the address of the machine's service account.
    ///
    /// # Errors
    ///
    /// Says why its metadata service does not answer.
    pub(super) async fn machine(&self, asking: Asking<'_>) -> Result<String, Failure> {
        let answer = self.metadata("email", asking).await?;
        let email = String::from_utf8(answer.body).unwrap_or_default().trim().to_owned();
        if is_account(&email) {
            return Ok(email);
        }
        let reason = "Metadata service: it names no service account";
        Err(Failure::silent(Class::Unavailable, reason))
    }

    async fn metadata(&self, what: &str, asking: Asking<'_>) -> Result<Answer, Failure> {
        let base = "/computeMetadata/v1/instance/service-accounts/default";
        let url = format!("{}{base}/{what}", asking.config.endpoints.metadata);
        let asked = || http::Request::get(&url).header("metadata-flavor", "Google");
        let near = self.near.redacted_by(asking.redactor);
        retry(|| async {
            let built = request(asked().body(Vec::new()));
            let built = built.map_err(|error| Failure::silent(Class::Invalid, error.detail))?;
            let answer =
                near.fetch(built, BODY_MAX).await.map_err(|NoAnswer { detail, .. }| {
                    Failure::silent(Class::Local, format!("Metadata service: {detail}"))
                })?;
            if answer.header("metadata-flavor").as_deref() != Some("Google") {
                let reason = "Metadata service: what answers is none of Google";
                return Err(Failure::silent(Class::Local, reason));
            }
            near_answer(answer, "Metadata service")
        })
        .await
    }

    async fn by_workload(
        &self,
        external: &ExternalAccount,
        connections: &Connections,
        asking: Asking<'_>,
    ) -> Result<Token, Failure> {
        let scope = match external.impersonation {
            Some(_) => IAM_SCOPE,
            None => &asking.config.scope,
        };
        let exchanged = self.exchanged(external, scope, connections, asking).await?;
        match &external.impersonation {
            Some(account) => acting(account, &[], &exchanged.value, connections, asking).await,
            None => Ok(exchanged),
        }
    }

    /// Returns a token of the service account that the credential's own source acts as.
    async fn by_account(
        &self,
        account: &ImpersonatedAccount,
        connections: &Connections,
        asking: Asking<'_>,
    ) -> Result<Token, Failure> {
        let token = match &account.source {
            ImpersonationSource::Key(key) => by_key(key, IAM_SCOPE, connections, asking).await?,
            ImpersonationSource::Workload(external) => match &external.impersonation {
                Some(first) => {
                    let token = self.exchanged(external, IAM_SCOPE, connections, asking).await?;
                    let asking = Asking { scope: Some(IAM_SCOPE), ..asking };
                    acting(first, &[], &token.value, connections, asking).await?
                }
                None => self.exchanged(external, IAM_SCOPE, connections, asking).await?,
            },
        };
        let ImpersonatedAccount { impersonation, delegates, .. } = account;
        acting(impersonation, delegates, &token.value, connections, asking).await
    }

    /// Exchanges the workload's token for one of Google with `scope` (RFC 8693).
    async fn exchanged(
        &self,
        external: &ExternalAccount,
        scope: &str,
        connections: &Connections,
        asking: Asking<'_>,
    ) -> Result<Token, Failure> {
        let subject = self.subject(external, connections, asking).await?;
        let Asking { config: Config { endpoints, .. }, now, .. } = asking;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("audience", external.audience.as_str()),
            ("scope", scope),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token", subject.expose()),
            ("subject_token_type", &external.subject_token_type),
        ];
        let url = placed(endpoints.sts.as_deref(), &external.token_url);
        let known = endpoints.anchors();
        let anchors = endpoints.sts.is_none().then_some(known.as_slice());
        let asked = TokenRequest { url: &url, form: &form, basic: None, anchors };
        oauth::token(connections, asked, now).await.map_err(Failure::no_token)
    }

    /// Reads the token that the workload's own provider has issued.
    async fn subject(
        &self,
        external: &ExternalAccount,
        connections: &Connections,
        asking: Asking<'_>,
    ) -> Result<Secret, Failure> {
        let local = |reason: String| {
            Failure::silent(Class::Local, format!("The token of the workload: {reason}"))
        };
        let text = match &external.source {
            CredentialSource::File(path) => {
                let found = secrets::resolve(&SecretRef::File(path.clone())).await;
                found.map_err(|error| local(error.to_string()))?
            }
            CredentialSource::Url { url, headers } => {
                let near = self.near.redacted_by(connections.redactor());
                let connections = if is_near(url) { &near } else { connections };
                let answer = retry(|| async {
                    let mut built = http::Request::get(url.as_str());
                    for (name, value) in headers {
                        built = built.header(name, value.expose());
                    }
                    let built = request(built.body(Vec::new())).map_err(Failure::from)?;
                    let answer = connections.fetch(built, BODY_MAX).await;
                    let answer = answer.map_err(|NoAnswer { detail, .. }| local(detail))?;
                    near_answer(answer, "The token of the workload")
                });
                Secret::new(String::from_utf8(answer.await?.body).unwrap_or_default())
            }
            CredentialSource::Aws(source) => {
                let near = self.near.redacted_by(connections.redactor());
                let subject = aws::subject(source, &external.audience, &near, asking.now).await?;
                // Each request has another signature.
                let key = subject.key.each_ref().map(Secret::expose);
                asking.may_send(external, &key).await?;
                return Ok(subject.request);
            }
        };
        let token = subject_token(text.expose(), external.field.as_deref()).map_err(local)?;
        asking.may_send(external, &[token.expose()]).await?;
        Ok(token)
    }
}

/// Returns a token of `account` with the configured scope, made with `token`.
async fn acting(
    account: &Impersonation,
    delegates: &[String],
    token: &Secret,
    connections: &Connections,
    asking: Asking<'_>,
) -> Result<Token, Failure> {
    let Asking { config: Config { scope, endpoints, .. }, now, .. } = asking;
    let known = endpoints.anchors();
    let url = placed(endpoints.iam_credentials.as_deref(), &account.url);
    let connections = match endpoints.iam_credentials {
        Some(_) => connections.clone(),
        None => discovered::guarded(connections, &url, &known).await?,
    };
    let scope = asking.scope.unwrap_or(scope);
    let life_seconds = account.life_seconds;
    let asked = Request::Impersonate { url: &url, scope, life_seconds, delegates };
    let client = Client { connections: &connections, endpoints, now };
    let Impersonated { token, until } = client.call(asked, token, impersonated).await?;
    Ok(Token { value: token, lifetime: until.since(now) })
}

/// Returns a token of the account of `key`. In another universe than Google's own there is no
/// exchange: the key signs a token that is sent as it is (AIP-4111, with a scope).
async fn by_key(
    key: &ServiceAccountKey,
    scope: &str,
    connections: &Connections,
    asking: Asking<'_>,
) -> Result<Token, Failure> {
    let Asking { config: Config { endpoints, universe, .. }, now, .. } = asking;
    let signer = SigningKey::from_pem(&key.private_key).map_err(|error| unsigned(&error))?;
    let head: Vec<_> = key.key_id.iter().map(|id| ("kid", id.as_str())).collect();
    let issued = now.unix_seconds();
    let expires = issued.saturating_add(ASSERTION_SECONDS);
    let mut claims = json!({ "iss": key.email, "scope": scope, "iat": issued, "exp": expires });
    let is_self_signed = universe != UNIVERSE_DEFAULT && endpoints.token.is_none();
    let (name, value) = if is_self_signed { ("sub", &key.email) } else { ("aud", &key.token_uri) };
    if let Some(claims) = claims.as_object_mut() {
        claims.insert(name.to_owned(), value.as_str().into());
    }
    let assertion = signer.token(&head, &claims).map_err(|error| unsigned(&error))?;
    if is_self_signed {
        connections.redactor().learn(&assertion);
        return Ok(Token { value: assertion, lifetime: ASSERTION_LIFE });
    }
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion.expose()),
    ];
    let url = placed(endpoints.token.as_deref(), &key.token_uri);
    let anchors = endpoints.anchors();
    let anchors = endpoints.token.is_none().then_some(anchors.as_slice());
    let asked = TokenRequest { url: &url, form: &form, basic: None, anchors };
    let found = oauth::token(connections, asked, now).await;
    found.map_err(Failure::no_token)
}

/// Returns `url`, moved to `server` if one is configured.
fn placed(server: Option<&str>, url: &str) -> String {
    let path = Url::parse(url).map(|url| url.path().to_owned());
    match (server, path) {
        (Some(server), Ok(path)) => format!("{server}{path}"),
        (None, _) | (Some(_), Err(_)) => url.to_owned(),
    }
}

/// True for an address on this machine or its link.
fn is_near(url: &Url) -> bool {
    is_loopback(url) || url.scheme() == "http"
}
