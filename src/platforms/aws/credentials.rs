//! Where credentials come from: an access key, or AWS's default chain with, perhaps, a role on top.
//!
//! The chain stops at the first source that is set up: one that fails must not be covered up by the
//! next, which may belong to somebody else.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Uri};
use reqsign_aws_v4::{
    AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider,
    EnvCredentialProvider, IMDSv2CredentialProvider, ProfileCredentialProvider,
};
use reqsign_core::{Context, Env, ErrorKind, FileRead, HttpSend, ProvideCredentialDyn};
use tokio::sync::Mutex;

use super::client::{Client, Request, SESSION_POLICY, shown_key};
use super::reply::{Assumed, assumed};
use crate::domain::{Class, Finding, SecretRef, one_line};
use crate::net::http::{Connections, classify, read_capped};
use crate::platforms::RunContext;
use crate::secrets;

/// How long before its end an assumed role is taken up anew.
const RENEW_BEFORE: Duration = Duration::from_mins(5);
/// The largest answer of a source of credentials, and the largest file of one, in bytes.
const SOURCE_BYTES_MAX: u64 = 256 * 1024;
/// The longest reason that is kept of one source, in characters.
const REASON_MAX: usize = 300;
/// The longest name of a role session, in characters.
const SESSION_NAME_MAX: usize = 64;
/// The longest wait for what is on this machine: it answers at once or is not there.
const NEAR_MAX: Duration = Duration::from_secs(2);
/// Metadata services of EC2, ECS and EKS.
const METADATA_HOSTS: [&str; 5] =
    ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"];

type Provider = Box<dyn ProvideCredentialDyn<Credential = Credential>>;

/// What the configuration says about credentials.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A key of a user, or of a session with its token.
    AccessKey {
        /// Its id, which is no secret.
        id: String,
        /// Its secret.
        secret: SecretRef,
        /// The token of temporary keys.
        token: Option<SecretRef>,
    },
    /// The machine's own identity.
    Auto {
        /// The role to take up with it.
        role: Option<Role>,
    },
}

/// A role to take up.
#[derive(Clone, Debug)]
pub(super) struct Role {
    /// Its ARN.
    pub(super) arn: String,
    /// What its trust policy asks for.
    pub(super) external_id: Option<String>,
}

/// The credentials of one integration.
pub(super) struct Credentials {
    source: Source,
    chain: Vec<(&'static str, Provider)>,
    context: Context,
    assumed: Mutex<Option<Assumed>>,
}

/// Without the chain and its environment, which may hold a key.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Credentials from `source`; the chain talks over `client` and looks at `env`.
    pub(super) fn new(source: Source, region: &str, client: Connections, env: impl Env) -> Self {
        let context = Context::new()
            .with_env(env)
            .with_file_read(BoundedFiles)
            .with_http_send(ReadOnly { client });
        let web_identity = AssumeRoleWithWebIdentityCredentialProvider::new()
            .with_region(region.to_owned())
            .with_regional_sts_endpoint()
            .with_role_session_name("revalidated".to_owned())
            .with_policy(SESSION_POLICY.to_owned());
        let chain: Vec<(&'static str, Provider)> = match source {
            Source::AccessKey { .. } => Vec::new(),
            Source::Auto { .. } => vec![
                ("environment", Box::new(EnvCredentialProvider::new())),
                ("shared profile", Box::new(ProfileCredentialProvider::new())),
                ("web identity", Box::new(web_identity)),
                ("container", Box::new(ECSCredentialProvider::new())),
                ("instance metadata", Box::new(IMDSv2CredentialProvider::new())),
            ],
        };
        Self { source, chain, context, assumed: Mutex::new(None) }
    }

    /// What to sign with now; secrets and files are read anew, an assumed role is kept for a while.
    ///
    /// # Errors
    ///
    /// The finding says which source failed and why.
    pub(super) async fn current(
        &self,
        client: &Client,
        run: &RunContext,
    ) -> Result<Credential, Finding> {
        match &self.source {
            Source::AccessKey { id, secret, token } => access_key(id, secret, token.as_ref()),
            Source::Auto { role: None } => self.first_of_chain().await,
            Source::Auto { role: Some(role) } => {
                let mut assumed = self.assumed.lock().await;
                if let Some(Assumed { credential, expires_at }) = assumed.as_ref()
                    && run.now.plus(RENEW_BEFORE) < *expires_at
                {
                    return Ok(credential.clone());
                }
                let base = self.first_of_chain().await?;
                let fresh = take_up(role, &base, client, run).await?;
                Ok(assumed.insert(fresh).credential.clone())
            }
        }
    }

    /// True when asking again may yield other credentials: then those that have expired are worth
    /// a second try. Forgets an assumed role.
    pub(super) async fn renew(&self) -> bool {
        *self.assumed.lock().await = None;
        match self.source {
            Source::AccessKey { .. } => false,
            Source::Auto { .. } => true,
        }
    }

    async fn first_of_chain(&self) -> Result<Credential, Finding> {
        let mut reasons = Vec::with_capacity(self.chain.len());
        for (name, provider) in &self.chain {
            match provider.provide_credential_dyn(&self.context).await {
                Ok(Some(credential)) => return Ok(credential),
                Ok(None) => reasons.push(format!("{name}: not set up")),
                Err(error) => {
                    reasons.push(format!("{name}: {}", reason(&error)));
                    return Err(without(class_of(error.kind()), &reasons));
                }
            }
        }
        Err(without(Class::Ours, &reasons))
    }
}

fn without(class: Class, reasons: &[String]) -> Finding {
    let message = format!("No AWS credentials could be loaded: {}.", reasons.join("; "));
    Finding::new(class, message).mend(
        "Give the daemon an identity: an instance profile, a container role, a web identity, \
         AWS_PROFILE or AWS_ACCESS_KEY_ID in its environment, or authenticationType `accessKey`.",
    )
}

fn access_key(
    id: &str,
    secret: &SecretRef,
    token: Option<&SecretRef>,
) -> Result<Credential, Finding> {
    let read = |reference: &SecretRef| {
        secrets::resolve(reference).map(|secret| secret.expose().to_owned()).map_err(|error| {
            let text = error.to_string();
            Finding::new(Class::Ours, format!("No AWS credentials could be loaded: {text}."))
        })
    };
    Ok(Credential {
        access_key_id: id.to_owned(),
        secret_access_key: read(secret)?,
        session_token: token.map(read).transpose()?,
        expires_in: None,
    })
}

async fn take_up(
    role: &Role,
    base: &Credential,
    client: &Client,
    run: &RunContext,
) -> Result<Assumed, Finding> {
    let Role { arn, external_id } = role;
    let session = session_name(&run.name);
    let external_id = external_id.as_deref();
    let request = Request::AssumeRole { role: arn, session: &session, external_id };
    client.call(request, base, assumed).await.map_err(|failure| {
        let key = shown_key(&base.access_key_id);
        failure.finding(&format!("Unable to assume the role [{arn}] using STS")).mend(format!(
            "Allow sts:AssumeRole on {arn} to the owner of access key {key}, and let the role's \
             trust policy name that owner, with the external ID if it asks for one."
        ))
    })
}

/// A session name that AWS accepts.
fn session_name(integration: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let name = integration.chars().map(|c| if kept(c) { c } else { '-' });
    "revalidated-".chars().chain(name).take(SESSION_NAME_MAX).collect()
}

/// An error of the chain and its innermost cause, in one line.
fn reason(error: &reqsign_core::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        cause = inner.source();
        if cause.is_none() {
            text = format!("{text}: {inner}");
        }
    }
    one_line(&text, REASON_MAX)
}

/// Only what the Security Token Service or a metadata service refused is definite.
const fn class_of(kind: ErrorKind) -> Class {
    match kind {
        ErrorKind::PermissionDenied => Class::Denied,
        ErrorKind::CredentialInvalid => Class::Expired,
        ErrorKind::RateLimited => Class::Throttled,
        ErrorKind::ConfigInvalid | ErrorKind::RequestInvalid | ErrorKind::Unexpected => Class::Ours,
    }
}

/// The process's environment, as far as it is text: the chain reads only what begins with `AWS_`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessEnv;

impl Env for ProcessEnv {
    fn var(&self, key: &str) -> Option<String> {
        self.vars().remove(key)
    }

    fn vars(&self) -> HashMap<String, String> {
        let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).filter(|(key, _)| key.starts_with("AWS_")).collect()
    }

    fn home_dir(&self) -> Option<PathBuf> {
        std::env::home_dir()
    }
}

/// Files of the chain: profiles and tokens, never larger than [`SOURCE_BYTES_MAX`].
#[derive(Debug)]
struct BoundedFiles;

impl FileRead for BoundedFiles {
    async fn file_read(&self, path: &str) -> reqsign_core::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(path)?.take(SOURCE_BYTES_MAX).read_to_end(&mut content)?;
        Ok(content)
    }
}

/// Sends what the chain asks for, unless it is anything but asking for credentials.
#[derive(Debug)]
struct ReadOnly {
    client: Connections,
}

impl HttpSend for ReadOnly {
    async fn http_send(
        &self,
        request: http::Request<Bytes>,
    ) -> reqsign_core::Result<http::Response<Bytes>> {
        let fault = |text: String| reqsign_core::Error::unexpected(text);
        check(&request).map_err(|refused| fault(refused.to_owned()))?;
        let near = is_near(request.uri());
        let mut request: reqwest::Request =
            request.try_into().map_err(|error| fault(classify(&error).1))?;
        if near {
            *request.timeout_mut() = Some(NEAR_MAX);
        }
        let answer =
            self.client.execute(request).await.map_err(|error| fault(classify(&error).1))?;
        let status = answer.status();
        let bytes_max = usize::try_from(SOURCE_BYTES_MAX).unwrap_or(usize::MAX);
        let body =
            read_capped(answer, bytes_max).await.map_err(|error| fault(error.to_string()))?;
        let mut response = http::Response::new(Bytes::from(body));
        *response.status_mut() = status;
        Ok(response)
    }
}

/// The requests that may leave while credentials are looked for.
fn check(request: &http::Request<Bytes>) -> Result<(), &'static str> {
    let (method, uri) = (request.method(), request.uri());
    if uri.scheme_str() != Some("https") && !is_near(uri) {
        return Err("refused to ask for credentials without TLS outside this machine");
    }
    let allowed = match (method, uri.path()) {
        (&Method::GET, _) | (&Method::PUT, "/latest/api/token") => true,
        (&Method::POST, "/") => request.body().starts_with(b"Action=AssumeRoleWithWebIdentity&"),
        _ => false,
    };
    if allowed { Ok(()) } else { Err("refused to send anything but a request for credentials") }
}

/// True for this machine itself and for its metadata services.
fn is_near(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>();
    host == "localhost"
        || METADATA_HOSTS.contains(&host)
        || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_names_are_those_that_aws_accepts() {
        assert_eq!(session_name("lake prod/ä"), "revalidated-lake-prod--");
        assert_eq!(session_name(&"x".repeat(100)).len(), 64);
    }

    #[test]
    fn only_credentials_are_asked_for_and_only_nearby_without_tls() {
        let cases = [
            ("GET", "http://169.254.170.2/v2/credentials/1", "", true),
            ("GET", "http://[fd00:ec2::23]/v1/credentials", "", true),
            ("GET", "http://127.0.0.1:9/x", "", true),
            ("GET", "https://creds.example.com/x", "", true),
            ("PUT", "http://169.254.169.254/latest/api/token", "", true),
            ("POST", "https://sts.x.amazonaws.com/", "Action=AssumeRoleWithWebIdentity&R", true),
            ("GET", "http://creds.example.com/x", "", false),
            ("GET", "http://127.0.0.1.example.com/x", "", false),
            ("PUT", "http://169.254.169.254/other", "", false),
            ("POST", "https://sts.x.amazonaws.com/", "Action=AssumeRole&R", false),
            ("DELETE", "https://sts.x.amazonaws.com/", "", false),
        ];
        for (method, uri, body, allowed) in cases {
            let request = http::Request::builder().method(method).uri(uri);
            let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
            assert_eq!(check(&request).is_ok(), allowed, "{method} {uri}");
        }
    }
}
