//! Credentials of AWS: an access key or the default chain, and optionally an assumed role.
//!
//! The chain stops at the first source that is set up: one that fails must not be covered up by the
//! next, which may belong to another principal.

use std::fmt;

use reqsign_aws_v4::{
    Credential, ECSCredentialProvider, EnvCredentialProvider, IMDSv2CredentialProvider,
};
use reqsign_core::{Context, Env};
use serde_json::json;
use tokio::sync::Mutex;

use super::chain::{INSTANCE, Link, Reason, Search, lasts, role_remedy};
use super::client::{Client, shown_key};
use super::machine::{BoundedFiles, Machine, NEAR_MAX, ReadOnly};
use super::refused;
use super::sts::{Assumed, Session, Sts};
use crate::domain::{Class, Finding, SecretRef};
use crate::net::http::{Connections, HttpError, HttpOptions};
use crate::platforms::RunContext;
use crate::secrets;

/// The longest name of a role session, in characters.
const SESSION_NAME_MAX: usize = 64;
/// Name of the shared profile in reasons.
const PROFILE: &str = "shared profile";

/// Sources of credentials, as configured.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// A key; without one, the machine's own identity.
    pub(crate) key: Option<AccessKey>,
    /// The role to take up with that.
    pub(crate) role: Option<Role>,
}

impl Credentials {
    /// Returns the principal of these: a role, a key by its id, or the identity of this machine.
    pub(crate) fn principal(&self) -> String {
        match (&self.role, &self.key) {
            (Some(Role { arn, .. }), _) => format!("aws {arn}"),
            (None, Some(AccessKey { id, .. })) => format!("aws access key {id}"),
            (None, None) => "aws identity of this machine".to_owned(),
        }
    }

    /// Returns the account of the role.
    pub(crate) fn account(&self) -> Option<String> {
        let account = self.role.as_ref()?.arn.split(':').nth(4)?;
        Some(format!("aws {account}"))
    }
}

/// A key of a user, or of a session with its token.
#[derive(Clone, Debug)]
pub(crate) struct AccessKey {
    /// Id of the key, which is no secret.
    pub(crate) id: String,
    /// Secret of the access key.
    pub(crate) secret: SecretRef,
    /// The token of temporary keys.
    pub(crate) token: Option<SecretRef>,
}

/// A role to take up.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// ARN of the role.
    pub(crate) arn: String,
    /// External id that the role's trust policy requires.
    pub(crate) external_id: Option<String>,
}

impl Role {
    /// Returns the end of a statement of the role's trust policy: the external id that it requires.
    pub(crate) fn trust_condition(&self) -> String {
        let condition = |id: &String| {
            let condition = json!({ "StringEquals": { "sts:ExternalId": id } });
            format!(", \"Condition\": {condition}")
        };
        self.external_id.as_ref().map(condition).unwrap_or_default()
    }
}

/// The credentials of one integration.
pub(crate) struct CredentialChain {
    /// Credentials as they are configured.
    source: Credentials,
    /// Sources on this machine, where no key is configured.
    machine: Option<Box<Sources>>,
    /// Settings for assuming roles.
    sts: Sts,
    /// The web identity's role, and the role on top.
    kept: Mutex<[Option<Assumed>; 2]>,
}

/// Sources of credentials on this machine.
struct Sources {
    /// Sources by name, in their order.
    links: Vec<(&'static str, Link)>,
    context: Context,
    /// Connections to metadata services, which no proxy reaches.
    near: Connections,
}

/// Without the chain and its environment, which may hold a key.
impl fmt::Debug for CredentialChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialChain").field("source", &self.source).finish_non_exhaustive()
    }
}

impl CredentialChain {
    /// Returns a chain from `source`; the chain looks at `machine`.
    ///
    /// # Errors
    ///
    /// No HTTP client can be set up.
    pub(crate) fn new(
        source: Credentials,
        sts: Sts,
        machine: Machine<impl Env>,
    ) -> Result<Self, HttpError> {
        let sources = || Sources::of(machine).map(Box::new);
        let machine = source.key.is_none().then(sources).transpose()?;
        Ok(Self { source, machine, sts, kept: Mutex::default() })
    }

    /// Returns the credentials as configured.
    pub(crate) const fn source(&self) -> &Credentials {
        &self.source
    }

    /// Returns the credential to sign with now; secrets and files are read anew, an assumed role is
    /// kept until shortly before its expiry.
    ///
    /// # Errors
    ///
    /// The finding says which source failed and why.
    pub(crate) async fn current(
        &self,
        client: &Client,
        run: &RunContext,
    ) -> Result<Credential, Finding> {
        let mut kept = self.kept.lock().await;
        let [identity, on_top] = &mut *kept;
        if let Some(Assumed { credential, .. }) = on_top.as_ref().filter(|role| lasts(role, run)) {
            return Ok(credential.clone());
        }
        let mut base = None;
        if let Some(sources) = &self.machine {
            let found = self.first_of(sources, identity, client, run).await?;
            let role = self.source.role.as_ref().map_or("", |role| &role.arn);
            let known = refused::found(&found, role, client.region(), run).await;
            known.map_err(|none| Finding::new(none.class, none.detail))?;
            base = Some(found);
        } else if let Some(key) = &self.source.key {
            base = Some(access_key(key).await?);
        }
        let base = base.ok_or_else(|| without(Class::Local, &[], None))?;
        let Some(Role { arn, external_id }) = &self.source.role else { return Ok(base) };
        let name = session_name(&run.name);
        let Sts { origin, policy } = &self.sts;
        let session = Session { role: arn, name: &name, policy };
        let assumed = session.assumed(client, origin, &base, external_id.as_deref()).await;
        let assumed = assumed.map_err(|failure| {
            let key = shown_key(&base.access_key_id);
            let doing = format!("Unable to assume the role [{arn}] using STS");
            let finding = failure.finding_of_log_in(&doing);
            match role_remedy(&failure, arn, &key, client.region()) {
                Some(fix) => finding.fix(fix),
                None => finding,
            }
        })?;
        Ok(on_top.insert(assumed).credential.clone())
    }

    /// Other credentials than `refused`, which have expired before their time: assumed roles are
    /// taken up anew, and the chain is asked again. None when they are the same, since a refused
    /// credential is not sent twice.
    ///
    /// # Errors
    ///
    /// The finding says which source failed and why.
    pub(crate) async fn renewed(
        &self,
        refused: &Credential,
        client: &Client,
        run: &RunContext,
    ) -> Result<Option<Credential>, Finding> {
        *self.kept.lock().await = [None, None];
        let now = self.current(client, run).await?;
        let same = now.access_key_id == refused.access_key_id
            && now.session_token == refused.session_token;
        Ok((!same).then_some(now))
    }

    async fn first_of(
        &self,
        Sources { links, context, near }: &Sources,
        identity: &mut Option<Assumed>,
        client: &Client,
        run: &RunContext,
    ) -> Result<Credential, Finding> {
        let far = client.connections().clone();
        let send = ReadOnly { near: near.redacted_by(client.redactor()), far };
        let context = context.clone().with_http_send(send);
        let session_name = session_name(&run.name);
        let search = Search {
            context: &context,
            client,
            run,
            session_name: &session_name,
            links,
            sts: &self.sts,
            role: self.source.role.as_ref().map(|role| role.arn.as_str()),
        };
        let mut reasons = Vec::with_capacity(links.len());
        for (name, link) in links {
            let found = match link {
                Link::Provider(provider) => search.provided(name, provider).await,
                Link::Profile => search.profile(identity).await,
                Link::WebIdentity => search.web_identity(identity).await,
            };
            match found {
                Ok(Some(credential)) => return Ok(credential),
                Ok(None) if *name == PROFILE && context.env_var("AWS_PROFILE").is_some() => {
                    reasons.push(format!("{name}: no key was found for the one in AWS_PROFILE"));
                    return Err(without(Class::Local, &reasons, None));
                }
                Ok(None) => reasons.push(format!("{name}: not set up")),
                Err(Reason { class, text, fix, is_refusal, is_certain }) => {
                    reasons.push(format!("{name}: {text}"));
                    let finding = without(class, &reasons, fix);
                    let finding = if is_certain { finding } else { finding.doubtful() };
                    return Err(if is_refusal { finding.refusing_log_in() } else { finding });
                }
            }
        }
        Err(without(Class::Local, &reasons, None))
    }
}

impl Sources {
    fn of(machine: Machine<impl Env>) -> Result<Self, HttpError> {
        let Machine { env, container } = machine;
        let container = ECSCredentialProvider::new().with_metadata_uri_override(container);
        let links = vec![
            ("environment", Link::Provider(Box::new(EnvCredentialProvider::new()))),
            (PROFILE, Link::Profile),
            ("web identity", Link::WebIdentity),
            ("container", Link::Provider(Box::new(container))),
            (INSTANCE, Link::Provider(Box::new(IMDSv2CredentialProvider::new()))),
        ];
        let context = Context::new().with_env(env).with_file_read(BoundedFiles);
        let near = HttpOptions {
            connect_timeout: NEAR_MAX,
            total_timeout: NEAR_MAX,
            ..HttpOptions::default()
        };
        Ok(Self { links, context, near: Connections::new(&near)? })
    }
}

/// Returns the finding that no source has credentials. Only where none is set up, or
/// the machine is at fault, the remediation is to give it an identity.
fn without(class: Class, reasons: &[String], fix: Option<String>) -> Finding {
    let message = format!("No AWS credentials could be loaded: {}.", reasons.join("; "));
    let finding = Finding::new(class, message);
    match (fix, class) {
        (Some(fix), _) => finding.fix(fix),
        (None, Class::Local | Class::Denied | Class::Expired) => finding.fix(
            "Give the daemon an identity: an instance profile, a container role, a web identity, \
             AWS_PROFILE or AWS_ACCESS_KEY_ID in its environment, or an access key in the \
             configuration.",
        ),
        (
            None,
            Class::Missing
            | Class::Invalid
            | Class::Unreachable
            | Class::Throttled
            | Class::Unavailable,
        ) => finding,
    }
}

async fn access_key(AccessKey { id, secret, token }: &AccessKey) -> Result<Credential, Finding> {
    let secret_access_key = read(secret).await?;
    let session_token = match token {
        Some(token) => Some(read(token).await?),
        None => None,
    };
    Ok(Credential { access_key_id: id.clone(), secret_access_key, session_token, expires_in: None })
}

async fn read(reference: &SecretRef) -> Result<String, Finding> {
    let secret = secrets::resolve(reference).await;
    secret.map(|secret| secret.expose().to_owned()).map_err(|error| {
        Finding::new(Class::Local, format!("No AWS credentials could be loaded: {error}."))
            .fix("Fix this machine: the file or variable named above.")
    })
}

/// Returns a session name that AWS accepts.
fn session_name(integration: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let name = integration.chars().map(|c| if kept(c) { c } else { '-' });
    "revalidated-".chars().chain(name).take(SESSION_NAME_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_names_are_those_that_aws_accepts() {
        assert_eq!(session_name("lake prod/ä"), "revalidated-lake-prod--");
        assert_eq!(session_name(&"x".repeat(100)).len(), 64);
    }
}
