//! Sources of credentials on this machine: how each link of the chain is asked.

use std::borrow::Cow;
use std::time::Duration;

use reqsign_aws_v4::Credential;
use reqsign_core::{Context, ErrorKind};

use super::classify::Failure;
use super::client::{Client, shown_key};
use super::credentials::{CredentialChain, INSTANCE, Link, Provider};
use super::profile::{Base, Format, Hop, Plan, Profiles};
use super::sts::{Assumed, Session};
use crate::domain::{Class, Redactor, Secret};
use crate::platforms::RunContext;

/// Time before its expiry at which an assumed role is assumed anew.
const RENEW_BEFORE: Duration = Duration::from_mins(5);
/// The longest reason that is kept of one source, in characters.
const REASON_MAX: usize = 300;
/// Files of profiles: the variable that names another one, the usual one, and its format. The first
/// has precedence.
const PROFILE_FILES: [(&str, &str, Format); 2] = [
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", Format::Credentials),
    ("AWS_CONFIG_FILE", "~/.aws/config", Format::Config),
];

/// Way of one run to the sources of the machine.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    /// Environment, files and connections of the machine.
    pub(super) context: &'a Context,
    /// Client of the run.
    pub(super) client: &'a Client,
    /// Context of the run.
    pub(super) run: &'a RunContext,
    /// Name of the sessions of assumed roles.
    pub(super) session_name: &'a str,
}

/// Why a source has no credentials.
pub(super) struct Reason {
    /// Error class of the failure.
    pub(super) class: Class,
    /// Reason in one line without a final period.
    pub(super) text: String,
    /// Remediation, where that is more than to configure a source.
    pub(super) fix: Option<String>,
}

impl Reason {
    fn local(text: String) -> Self {
        Self { class: Class::Local, text, fix: None }
    }
}

impl CredentialChain {
    /// Returns the credential that the shared profile leads to.
    pub(super) async fn profile(
        &self,
        kept: &mut Option<Assumed>,
        search: Search<'_>,
    ) -> Result<Option<Credential>, Reason> {
        let name = set(search.context, "AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        let mut profiles = Profiles::default();
        for (variable, usual, format) in PROFILE_FILES {
            let path = set(search.context, variable).unwrap_or_else(|| usual.to_owned());
            let Some(path) = search.context.expand_home_dir(&path) else { continue };
            // A file that cannot be read has no profiles, as for the SDKs.
            if let Ok(content) = search.context.file_read(&path).await {
                profiles.add(&String::from_utf8_lossy(&content), format);
            }
        }
        let Some(Plan { base, hops }) = profiles.plan(&name).map_err(Reason::local)? else {
            return Ok(None);
        };
        let has_roles = !hops.is_empty() || matches!(base, Base::WebIdentity { .. });
        if let Some(Assumed { credential, .. }) =
            kept.as_ref().filter(|role| has_roles && lasts(role, search.run))
        {
            return Ok(Some(credential.clone()));
        }
        let mut last = self.base(base, hops.first(), search).await?;
        for (at, hop) in hops.iter().enumerate() {
            let policy = self.policy(hops.get(at + 1).map(|hop| hop.arn.as_str()));
            let session =
                Session { role: &hop.arn, name: search.session_name, policy: policy.as_ref() };
            let base = last.credential();
            let asked =
                session.assumed(search.client, &self.sts.origin, base, hop.external_id.as_deref());
            let assumed = asked.await.map_err(|failure| {
                let key = shown_key(&base.access_key_id);
                let fix = role_remedy(&failure, &hop.arn, &key, search.client.region());
                refused_role(&failure, &hop.arn, fix)
            })?;
            last = Way::Assumed(assumed);
        }
        Ok(Some(match last {
            Way::Key(credential) => credential,
            Way::Assumed(assumed) => kept.insert(assumed).credential.clone(),
        }))
    }

    /// Returns the first credentials of a profile, which are used to assume `next`.
    async fn base(
        &self,
        base: Base,
        next: Option<&Hop>,
        search: Search<'_>,
    ) -> Result<Way, Reason> {
        let name = match base {
            Base::Key(credential) => return Ok(Way::Key(credential)),
            Base::WebIdentity { role, file } => {
                let next = next.map(|hop| hop.arn.as_str());
                return Ok(Way::Assumed(self.identified(&role, &file, next, search).await?));
            }
            Base::Environment => "environment",
            Base::Container => "container",
            Base::Instance => INSTANCE,
        };
        let link = self.chain.iter().find(|(known, _)| *known == name);
        let Some((_, Link::Provider(provider))) = link else {
            return Err(Reason::local(format!("{name}: not set up")));
        };
        let found = provided(name, provider, search).await?;
        found.map(Way::Key).ok_or_else(|| Reason::local(format!("{name}: not set up")))
    }

    /// Returns the credential of the web identity that the environment names (IRSA).
    pub(super) async fn web_identity(
        &self,
        kept: &mut Option<Assumed>,
        search: Search<'_>,
    ) -> Result<Option<Credential>, Reason> {
        let (Some(role), Some(file)) = (
            set(search.context, "AWS_ROLE_ARN"),
            set(search.context, "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ) else {
            return Ok(None);
        };
        if let Some(Assumed { credential, .. }) =
            kept.as_ref().filter(|role| lasts(role, search.run))
        {
            return Ok(Some(credential.clone()));
        }
        let assumed = self.identified(&role, &file, None, search).await?;
        Ok(Some(kept.insert(assumed).credential.clone()))
    }

    /// Assumes `role` with the token in `file`; the session may assume the role `next`.
    async fn identified(
        &self,
        role: &str,
        file: &str,
        next: Option<&str>,
        search: Search<'_>,
    ) -> Result<Assumed, Reason> {
        let Search { context, client, session_name: name, run: _ } = search;
        let token = context.file_read_as_string(file).await.map_err(|error| {
            Reason::local(format!("token file {file}: {}", reason(&error, client.redactor())))
        })?;
        let token = Secret::new(token.trim().to_owned());
        let policy = self.policy(next);
        let session = Session { role, name, policy: policy.as_ref() };
        session.identified(client, &self.sts.origin, &token).await.map_err(|failure| {
            let named = failure.remedy(client.region());
            let fix = named.or_else(|| {
                failure.class.is_definitive().then(|| {
                    format!(
                        "Let the trust policy of {role} name the token's issuer, subject and \
                         audience."
                    )
                })
            });
            refused_role(&failure, role, fix)
        })
    }

    /// Returns the policy of a session that goes on to the role `next`, or else to the configured
    /// role: it may do that and nothing else. The last session may do what the tests need.
    fn policy(&self, next: Option<&str>) -> Cow<'static, str> {
        let configured = self.source.role.as_ref().map(|role| role.arn.as_str());
        match next.or(configured) {
            None => Cow::Borrowed(self.sts.policy),
            Some(arn) => Cow::Owned(
                serde_json::json!({
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
                        "Resource": arn,
                    }],
                })
                .to_string(),
            ),
        }
    }
}

/// Credentials on the way along a profile.
enum Way {
    /// Key that is used as it is.
    Key(Credential),
    /// Assumed role, which is kept until shortly before its expiry.
    Assumed(Assumed),
}

impl Way {
    const fn credential(&self) -> &Credential {
        match self {
            Self::Key(credential) | Self::Assumed(Assumed { credential, .. }) => credential,
        }
    }
}

/// Returns the value of an environment variable that is set and not empty.
fn set(context: &Context, key: &str) -> Option<String> {
    context.env_var(key).filter(|value| !value.is_empty())
}

/// Asks a provider of the library.
pub(super) async fn provided(
    name: &str,
    provider: &Provider,
    search: Search<'_>,
) -> Result<Option<Credential>, Reason> {
    let found = provider.provide_credential_dyn(search.context).await;
    found.map_err(|error| {
        let text = reason(&error, search.client.redactor());
        let fix = (name == INSTANCE).then(|| hop_limit(&text)).flatten();
        Reason { class: class_of(error.kind()), text, fix }
    })
}

/// Returns the remediation for a metadata service that is there and does not answer: in a container the
/// answer needs one hop more than instances allow by default.
fn hop_limit(text: &str) -> Option<String> {
    text.contains("within the time limit").then(|| {
        "In a container on an instance, let answers of the metadata service take two hops: aws ec2 \
         modify-instance-metadata-options --instance-id <id> --http-put-response-hop-limit 2; \
         elsewhere give the daemon another identity, or set AWS_EC2_METADATA_DISABLED=true."
            .to_owned()
    })
}

/// Returns the reason of a role that could not be assumed.
fn refused_role(failure: &Failure, role: &str, fix: Option<String>) -> Reason {
    let text = failure.sentence(&format!("Unable to assume the role [{role}] using STS"));
    Reason { class: failure.class, text: text.trim_end_matches('.').to_owned(), fix }
}

/// Returns the remediation for the refusal to assume `role` with the access key `key`; none where
/// nothing was refused.
pub(super) fn role_remedy(
    failure: &Failure,
    role: &str,
    key: &str,
    region: &str,
) -> Option<String> {
    let refusal = failure.refusal().filter(|_| failure.class.is_definitive())?;
    refusal.remedy(region).or_else(|| match failure.class {
        Class::Denied if refusal.is_permission() => Some(format!(
            "Allow sts:AssumeRole on {role} to the owner of access key {key}, and let the role's \
             trust policy name that owner, with the external ID if it asks for one."
        )),
        Class::Denied | Class::Expired => {
            Some(format!("Renew access key {key}, its secret or its session token."))
        }
        Class::Missing
        | Class::Invalid
        | Class::Unreachable
        | Class::Throttled
        | Class::Unavailable
        | Class::Local => None,
    })
}

/// True while an assumed role lasts long enough for a run.
pub(super) fn lasts(assumed: &Assumed, run: &RunContext) -> bool {
    run.now.plus(RENEW_BEFORE) < assumed.expires_at
}

/// Returns an error of the chain and its innermost cause, in one line without the secrets that
/// `redactor` knows.
fn reason(error: &reqsign_core::Error, redactor: &Redactor) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        cause = inner.source();
        let inner = inner.to_string();
        if cause.is_none() && !text.ends_with(&inner) {
            text = format!("{text}: {inner}");
        }
    }
    redactor.line(&text, REASON_MAX)
}

/// Returns the class of an error; only refusals of the Security Token Service and of metadata
/// services are definite.
const fn class_of(kind: ErrorKind) -> Class {
    match kind {
        ErrorKind::PermissionDenied => Class::Denied,
        ErrorKind::CredentialInvalid => Class::Expired,
        ErrorKind::RateLimited => Class::Throttled,
        ErrorKind::ConfigInvalid | ErrorKind::RequestInvalid | ErrorKind::Unexpected => {
            Class::Local
        }
    }
}
