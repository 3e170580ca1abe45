//! Sources of credentials on this machine: how each link of the chain is asked.

use std::borrow::Cow;
use std::time::Duration;

use reqsign_aws_v4::Credential;
use reqsign_core::{Context, ErrorKind, ProvideCredentialDyn};

use super::classify::Failure;
use super::client::{Client, shown_key};
use super::profile::{Base, Format, Hop, Plan, Profiles};
use super::refused;
use super::sts::{Assumed, Session, Sts};
use crate::domain::{Class, Redactor, Secret};
use crate::net::exchange::NoAnswer;
use crate::platforms::{RunContext, failure};

/// Name of the instance's metadata service in reasons.
pub(super) const INSTANCE: &str = "instance metadata";
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

/// Provider of the library.
pub(super) type Provider = Box<dyn ProvideCredentialDyn<Credential = Credential>>;

/// A source of credentials in the chain.
pub(super) enum Link {
    /// Provider of the library.
    Provider(Provider),
    /// Shared profile, which may lead to other sources and to roles.
    Profile,
    /// A token in a file, which is exchanged at the Security Token Service.
    WebIdentity,
}

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
    /// Sources on this machine by name, in their order.
    pub(super) links: &'a [(&'static str, Link)],
    /// Settings for assuming roles.
    pub(super) sts: &'a Sts,
    /// Configured role that the credentials are to assume.
    pub(super) role: Option<&'a str>,
}

/// Why a source has no credentials.
pub(super) struct Reason {
    /// Error class of the failure.
    pub(super) class: Class,
    /// Reason in one line without a final period.
    pub(super) text: String,
    /// Remediation, where that is more than to configure a source.
    pub(super) fix: Option<String>,
    /// True when AWS refused the key or the token that the source gave.
    pub(super) is_refusal: bool,
    /// True when it is in AWS's own words.
    pub(super) is_certain: bool,
}

impl From<NoAnswer> for Reason {
    fn from(NoAnswer { class, detail }: NoAnswer) -> Self {
        Self { class, text: detail, fix: None, is_refusal: false, is_certain: false }
    }
}

impl Reason {
    fn local(text: String) -> Self {
        Self { class: Class::Local, text, fix: None, is_refusal: false, is_certain: false }
    }
}

impl Search<'_> {
    /// Returns the credential that the shared profile leads to.
    pub(super) async fn profile(
        self,
        kept: &mut Option<Assumed>,
    ) -> Result<Option<Credential>, Reason> {
        let name = set(self.context, "AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        let mut profiles = Profiles::default();
        for (variable, usual, format) in PROFILE_FILES {
            let path = set(self.context, variable).unwrap_or_else(|| usual.to_owned());
            let Some(path) = self.context.expand_home_dir(&path) else { continue };
            // A file that cannot be read has no profiles, as for the SDKs.
            if let Ok(content) = self.context.file_read(&path).await {
                profiles.add(&String::from_utf8_lossy(&content), format);
            }
        }
        let Some(Plan { base, hops }) = profiles.plan(&name).map_err(Reason::local)? else {
            return Ok(None);
        };
        let has_roles = !hops.is_empty() || matches!(base, Base::WebIdentity { .. });
        if let Some(Assumed { credential, .. }) =
            kept.as_ref().filter(|role| has_roles && lasts(role, self.run))
        {
            return Ok(Some(credential.clone()));
        }
        let mut last = self.base(base, hops.first()).await?;
        if let (Way::Key(key), Some(hop)) = (&last, hops.first()) {
            refused::found(key, &hop.arn, self.client.region(), self.run).await?;
        }
        for (at, hop) in hops.iter().enumerate() {
            let policy = self.policy(hops.get(at + 1).map(|hop| hop.arn.as_str()));
            let session =
                Session { role: &hop.arn, name: self.session_name, policy: policy.as_ref() };
            let base = last.credential();
            let asked =
                session.assumed(self.client, &self.sts.origin, base, hop.external_id.as_deref());
            let assumed = asked.await.map_err(|failure| {
                let key = shown_key(&base.access_key_id);
                let fix = role_remedy(&failure, &hop.arn, &key, self.client.region());
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
    async fn base(self, base: Base, next: Option<&Hop>) -> Result<Way, Reason> {
        let name = match base {
            Base::Key(credential) => return Ok(Way::Key(credential)),
            Base::WebIdentity { role, file } => {
                let next = next.map(|hop| hop.arn.as_str());
                return Ok(Way::Assumed(self.identified(&role, &file, next).await?));
            }
            Base::Environment => "environment",
            Base::Container => "container",
            Base::Instance => INSTANCE,
        };
        let link = self.links.iter().find(|(known, _)| *known == name);
        let Some((_, Link::Provider(provider))) = link else {
            return Err(Reason::local(format!("{name}: not set up")));
        };
        let found = self.provided(name, provider).await?;
        found.map(Way::Key).ok_or_else(|| Reason::local(format!("{name}: not set up")))
    }

    /// Returns the credential of the web identity that the environment names (IRSA).
    pub(super) async fn web_identity(
        self,
        kept: &mut Option<Assumed>,
    ) -> Result<Option<Credential>, Reason> {
        let (Some(role), Some(file)) =
            (set(self.context, "AWS_ROLE_ARN"), set(self.context, "AWS_WEB_IDENTITY_TOKEN_FILE"))
        else {
            return Ok(None);
        };
        if let Some(Assumed { credential, .. }) = kept.as_ref().filter(|role| lasts(role, self.run))
        {
            return Ok(Some(credential.clone()));
        }
        let assumed = self.identified(&role, &file, None).await?;
        Ok(Some(kept.insert(assumed).credential.clone()))
    }

    /// Assumes `role` with the token in `file`; the session may assume the role `next`.
    async fn identified(
        self,
        role: &str,
        file: &str,
        next: Option<&str>,
    ) -> Result<Assumed, Reason> {
        let Self { context, client, session_name: name, .. } = self;
        let token = context.file_read_as_string(file).await.map_err(|error| {
            Reason::local(format!("token file {file}: {}", reason(&error, client.redactor())))
        })?;
        let token = Secret::new(token.trim().to_owned());
        refused::found_token(&token, role, client.region(), self.run).await?;
        let policy = self.policy(next);
        let session = Session { role, name, policy: policy.as_ref() };
        session.identified(client, &self.sts.origin, &token).await.map_err(|failure| {
            let named = failure.remedy(client.region());
            let fix = named.or_else(|| match failure.class {
                Class::Expired => Some(format!(
                    "Let the token in {file} be renewed, by the projected volume of the pod or whatever writes it."
                )),
                class @ (Class::Denied
                | Class::Missing
                | Class::Invalid
                | Class::Unreachable
                | Class::Throttled
                | Class::Unavailable
                | Class::Local) => class.is_definitive().then(|| {
                    format!(
                        "Let the trust policy of {role} name the token's issuer, subject and \
                         audience."
                    )
                }),
            });
            refused_role(&failure, role, fix)
        })
    }

    /// Asks a provider of the library.
    pub(super) async fn provided(
        self,
        name: &str,
        provider: &Provider,
    ) -> Result<Option<Credential>, Reason> {
        let found = provider.provide_credential_dyn(self.context).await;
        found.map_err(|error| {
            let text = reason(&error, self.client.redactor());
            let fix = (name == INSTANCE).then(|| hop_limit(&text)).flatten();
            Reason {
                class: class_of(error.kind()),
                text,
                fix,
                is_refusal: false,
                is_certain: false,
            }
        })
    }

    /// Returns the policy of a session that goes on to the role `next`, or else to the configured
    /// role: it may do that and nothing else. The last session may do what the tests need.
    fn policy(self, next: Option<&str>) -> Cow<'static, str> {
        match next.or(self.role) {
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
    let text = text.trim_end_matches('.').to_owned();
    let (is_refusal, is_certain) =
        (failure.refuses_key(), !failure::Cause::is_doubtful(&failure.cause));
    Reason { class: failure.class, text, fix, is_refusal, is_certain }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::net::http::{Connections, HttpOptions};
    use crate::platforms::Mode;
    use crate::platforms::aws::classify::Refusal;
    use crate::platforms::testing::context;

    const SESSION_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

    /// Runs `check` with a search of a machine that has nothing, on the way to `role`.
    fn with_search(role: Option<&str>, check: impl FnOnce(Search<'_>)) {
        let connections = Connections::new(&HttpOptions::default()).unwrap();
        let client = Client::new(connections, "eu-central-1", Timestamp(0));
        let sts = Sts { origin: "https://sts.example.com".to_owned(), policy: SESSION_POLICY };
        let (context, run) = (Context::new(), context(Mode::Recurring));
        check(Search {
            context: &context,
            client: &client,
            run: &run,
            session_name: "revalidated-lake",
            links: &[],
            sts: &sts,
            role,
        });
    }

    #[test]
    fn session_on_the_way_may_assume_the_next_role_and_nothing_else() {
        let (configured, next) = ("arn:aws:iam::1:role/last", "arn:aws:iam::1:role/next");
        with_search(None, |search| {
            assert_eq!(search.policy(None), SESSION_POLICY);
            assert!(search.policy(Some(next)).contains(next));
        });
        with_search(Some(configured), |search| {
            for (hop, expected) in [(None, configured), (Some(next), next)] {
                let policy: serde_json::Value = serde_json::from_str(&search.policy(hop)).unwrap();
                let statement = &policy["Statement"][0];
                assert_eq!(statement["Resource"], expected);
                assert_eq!(statement["Effect"], "Allow");
                let actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
                assert_eq!(statement["Action"], serde_json::json!(actions));
                assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
            }
        });
    }

    fn refused(name: &str, message: &str) -> Failure {
        let refusal = Refusal {
            status: 403,
            name: name.to_owned(),
            message: message.to_owned(),
            request_id: "r".to_owned(),
            region: None,
        };
        Failure::refused(refusal, Class::Denied)
    }

    #[test]
    fn refused_role_is_advised_by_what_was_refused() {
        let permission = "User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole \
            on resource: arn:aws:iam::2:role/r";
        let table = [
            (refused("AccessDenied", permission), "Allow sts:AssumeRole on arn:aws:iam::2:role/r"),
            (
                refused("InvalidClientTokenId", "The security token included is invalid."),
                "Renew access key AKIA..., its secret or its session token.",
            ),
            (
                refused("ExpiredToken", "The security token included in the request is expired"),
                "Renew access key AKIA..., its secret or its session token.",
            ),
            (
                refused("RegionDisabledException", "STS is not activated in this region"),
                "Activate STS in region eu-central-1",
            ),
            (refused("Throttling", "Rate exceeded"), ""),
            (Failure::silent(Class::Unreachable, "no answer"), ""),
            (Failure::unexpected(403, "it is a page", "none"), ""),
        ];
        for (failure, expected) in table {
            let role = "arn:aws:iam::2:role/r";
            let found = role_remedy(&failure, role, "AKIA...", "eu-central-1").unwrap_or_default();
            assert!(found.starts_with(expected), "{failure:?}: {found}");
            assert_eq!(found.is_empty(), expected.is_empty(), "{failure:?}: {found}");
            let reason = refused_role(&failure, role, None);
            assert_eq!(reason.class, failure.class);
            assert!(!reason.text.ends_with('.'), "{}", reason.text);
        }
    }

    #[test]
    fn silent_metadata_service_is_a_matter_of_hops() {
        let found = hop_limit("metadata token: no answer within the time limit").unwrap();
        assert!(found.contains("--http-put-response-hop-limit 2"), "{found}");
        assert_eq!(hop_limit("metadata token: code 404"), None);
    }

    #[test]
    fn only_refusals_of_a_source_are_definite() {
        for (kind, class) in [
            (ErrorKind::PermissionDenied, Class::Denied),
            (ErrorKind::CredentialInvalid, Class::Expired),
            (ErrorKind::RateLimited, Class::Throttled),
            (ErrorKind::ConfigInvalid, Class::Local),
            (ErrorKind::RequestInvalid, Class::Local),
            (ErrorKind::Unexpected, Class::Local),
        ] {
            assert_eq!(class_of(kind), class, "{kind:?}");
        }
    }

    #[test]
    fn reason_has_its_innermost_cause_and_no_secret() {
        let redactor = Redactor::default();
        redactor.learn_text("hunter2-hunter2");
        let inner = std::io::Error::other("refused hunter2-hunter2");
        let error = reqsign_core::Error::unexpected("metadata").with_source(inner);
        let text = reason(&error, &redactor);
        assert!(text.contains("metadata") && text.contains("refused [REDACTED]"), "{text}");
        let long = reqsign_core::Error::unexpected("x".repeat(9999));
        assert!(reason(&long, &redactor).chars().count() <= REASON_MAX);
    }
}
