//! What is shown to the workspace: a token given by hand, or one of an `OAuth` token endpoint.
//!
//! A client secret goes to the endpoint that was configured, or to one of the workspace's own host
//! or of Databricks' account hosts; what a server names besides is refused.

use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use super::classify::Failure;
use super::client::{Client, Request};
use super::cloud::Cloud;
use super::config::is_tenant;
use super::reply;
use crate::domain::{Class, Secret, SecretRef, Timestamp};
use crate::net::http::Connections;
use crate::net::oauth::{self, KeptToken, NoToken, Token, TokenRequest};
use crate::platforms::connection::is_loopback;
use crate::platforms::tokens;
use crate::secrets;

/// Azure Databricks as an application of Microsoft Entra, in every cloud.
const AZURE_DATABRICKS: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default";
/// The hosts of Databricks accounts, which issue tokens for their workspaces.
const ACCOUNTS: [&str; 7] = [
    "accounts.cloud.databricks.com",
    "accounts.cloud.databricks.us",
    "accounts-dod.cloud.databricks.mil",
    "accounts.azuredatabricks.net",
    "accounts.databricks.azure.us",
    "accounts.databricks.azure.cn",
    "accounts.gcp.databricks.com",
];

/// How the workspace learns who we are.
#[derive(Debug)]
pub(super) enum Source {
    /// A personal access token.
    Token(SecretRef),
    /// A service principal with a secret of Databricks.
    Machine(Machine),
    /// A service principal of Microsoft Entra.
    Entra(Entra),
}

/// A service principal of Databricks.
#[derive(Debug)]
pub(super) struct Machine {
    client_id: String,
    client_secret: SecretRef,
    scope: String,
    /// None for the workspace itself.
    authority: Option<Authority>,
    kept: KeptToken,
}

/// Where tokens are issued.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Authority {
    /// Below this address, which says more at `/.well-known/oauth-authorization-server`.
    Base(String),
    /// Exactly there.
    Endpoint(String),
}

/// A service principal of Microsoft Entra.
#[derive(Debug)]
pub(super) struct Entra {
    client_id: String,
    client_secret: SecretRef,
    cloud: Cloud,
    /// Where Entra answers.
    host: String,
    /// None: the workspace says it.
    tenant: Option<String>,
    /// The workspace in Azure, for a principal that was not added to it.
    resource_id: Option<String>,
    kept: KeptToken,
    management: KeptToken,
}

/// What goes into the head of every request.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    /// The bearer token.
    pub(super) bearer: Secret,
    /// A workspace in Azure, and a token for its management.
    pub(super) azure: Option<(String, Secret)>,
    /// What the platform must not repeat in our reports.
    pub(super) hidden: Vec<Secret>,
    /// True for one that came from a token endpoint in an earlier run.
    pub(super) kept: bool,
}

impl Authority {
    /// Reads `authorityUrl`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(is_safe)?;
        let bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let origin = url.origin().ascii_serialization();
        let path = url.path().trim_end_matches('/');
        match path {
            _ if !bare => None,
            "" | "/oidc" => Some(Self::Base(format!("{origin}/oidc"))),
            _ if path.ends_with("/token") => Some(Self::Endpoint(format!("{origin}{path}"))),
            _ if path.starts_with("/oidc/accounts/") => Some(Self::Base(format!("{origin}{path}"))),
            _ => None,
        }
    }
}

impl Machine {
    /// A principal that asks `authority`, or else its workspace, for tokens with `scope`.
    pub(super) fn new(
        client_id: String,
        client_secret: SecretRef,
        scope: String,
        authority: Option<Authority>,
    ) -> Self {
        Self { client_id, client_secret, scope, authority, kept: KeptToken::default() }
    }

    async fn credential(
        &self,
        connections: &Connections,
        client: &Client<'_>,
        now: Timestamp,
    ) -> Result<Credential, Failure> {
        let secret = resolve(&self.client_secret)?;
        let pair = STANDARD.encode(format!("{}:{}", self.client_id, secret.expose()));
        let hidden = vec![secret.clone(), Secret::new(pair)];
        let fresh = AtomicBool::new(false);
        let fetch = async || {
            fresh.store(true, Ordering::Relaxed);
            let url = self.endpoint(client).await?;
            let form = [("grant_type", "client_credentials"), ("scope", self.scope.as_str())];
            let basic = Some((self.client_id.as_str(), &secret));
            let anchors = self.anchors(client);
            let anchors = anchors.as_ref().map(<[_; 2]>::as_slice);
            let asked = TokenRequest { url: &url, form: &form, basic, anchors };
            token(connections, asked, now, &hidden).await
        };
        let bearer = self.kept.current(now, fetch).await?;
        Ok(Credential { bearer, azure: None, hidden, kept: !fresh.into_inner() })
    }

    /// The configured servers, where the endpoint is what one of them says.
    fn anchors<'s>(&'s self, client: &Client<'s>) -> Option<[&'s str; 2]> {
        match &self.authority {
            Some(Authority::Endpoint(_)) => None,
            Some(Authority::Base(base)) => Some([client.server, base]),
            None => Some([client.server; 2]),
        }
    }

    async fn endpoint(&self, client: &Client<'_>) -> Result<String, Failure> {
        let base = match &self.authority {
            Some(Authority::Endpoint(url)) => return Ok(url.clone()),
            Some(Authority::Base(base)) => base.clone(),
            None => format!("{}/oidc", client.server),
        };
        let request = Request::Discovery { base: &base };
        match client.call(request, None, reply::token_endpoint).await {
            Ok(found) => trusted(&found, &base, client),
            // The document is a convenience: where a server has none, the endpoint is known.
            Err(failure) if failure.is_answer() => Ok(format!("{base}/v1/token")),
            Err(failure) => Err(failure),
        }
    }
}

/// The endpoint that a server named, if a client secret may go there.
fn trusted(found: &str, base: &str, client: &Client<'_>) -> Result<String, Failure> {
    let url = Url::parse(found).ok().filter(is_safe);
    let url = url.ok_or_else(|| Failure::refused_endpoint(found))?;
    let origin = url.origin();
    let same = |other: &str| Url::parse(other).is_ok_and(|other| other.origin() == origin);
    let is_accounts =
        url.port().is_none() && url.host_str().is_some_and(|host| ACCOUNTS.contains(&host));
    if same(base) || same(client.server) || is_accounts {
        return Ok(url.into());
    }
    if same(client.workspace) {
        // The workspace does not know by which way it is reached.
        let path = url.path();
        return Ok(format!("{}{path}", client.server));
    }
    Err(Failure::refused_endpoint(found))
}

impl Entra {
    /// A principal of `cloud`, whose Entra answers at the address with it.
    pub(super) fn new(
        client_id: String,
        client_secret: SecretRef,
        (cloud, host): (Cloud, String),
        tenant: Option<String>,
        resource_id: Option<String>,
    ) -> Self {
        let (kept, management) = (KeptToken::default(), KeptToken::default());
        Self { client_id, client_secret, cloud, host, tenant, resource_id, kept, management }
    }

    async fn credential(
        &self,
        connections: &Connections,
        client: &Client<'_>,
        now: Timestamp,
    ) -> Result<Credential, Failure> {
        let secret = resolve(&self.client_secret)?;
        let mut hidden = vec![secret.clone()];
        let fresh = AtomicBool::new(false);
        let fetch = async |scope: &str| {
            fresh.store(true, Ordering::Relaxed);
            let tenant = match &self.tenant {
                Some(tenant) => tenant.clone(),
                None => self.discovered(client).await?,
            };
            let url = format!("{}/{tenant}/oauth2/v2.0/token", self.host);
            let form = [
                ("client_id", self.client_id.as_str()),
                ("grant_type", "client_credentials"),
                ("scope", scope),
                ("client_secret", secret.expose()),
            ];
            let asked = TokenRequest { url: &url, form: &form, basic: None, anchors: None };
            token(connections, asked, now, &hidden).await
        };
        let bearer = self.kept.current(now, async || fetch(AZURE_DATABRICKS).await).await?;
        let azure = match &self.resource_id {
            None => None,
            Some(id) => {
                let fetch = async || fetch(self.cloud.management()).await;
                Some((id.clone(), self.management.current(now, fetch).await?))
            }
        };
        hidden.extend(azure.iter().map(|(_, token)| token.clone()));
        Ok(Credential { bearer, azure, hidden, kept: !fresh.into_inner() })
    }

    /// The tenant that the workspace sends browsers to. Only its name is taken from there: the
    /// secret goes to the configured host all the same.
    async fn discovered(&self, client: &Client<'_>) -> Result<String, Failure> {
        let location = client.redirect(Request::Tenant).await?;
        let url = location.as_deref().and_then(|location| Url::parse(location).ok());
        let tenant = url.filter(|url| {
            let asked = Url::parse(&self.host).ok();
            let known = Url::parse(self.cloud.authority()).ok();
            [asked, known].into_iter().flatten().any(|host| host.origin() == url.origin())
        });
        let tenant = tenant.and_then(|url| Some(url.path_segments()?.next()?.to_owned()));
        tenant.filter(|tenant| is_tenant(tenant)).ok_or_else(Failure::no_tenant)
    }
}

impl Source {
    /// What to show to the workspace now; secrets are read anew.
    ///
    /// # Errors
    ///
    /// Says which secret cannot be read, or what a token endpoint said.
    pub(super) async fn credential(
        &self,
        connections: &Connections,
        client: &Client<'_>,
        now: Timestamp,
    ) -> Result<Credential, Failure> {
        match self {
            Self::Token(token) => {
                let bearer = resolve(token)?;
                Ok(Credential { bearer, azure: None, hidden: Vec::new(), kept: false })
            }
            Self::Machine(machine) => machine.credential(connections, client, now).await,
            Self::Entra(entra) => entra.credential(connections, client, now).await,
        }
    }

    /// Drops the tokens of `credential`, which were refused before their time.
    pub(super) async fn forget(&self, credential: &Credential) {
        match self {
            Self::Token(_) => {}
            Self::Machine(machine) => machine.kept.forget(&credential.bearer).await,
            Self::Entra(entra) => {
                entra.kept.forget(&credential.bearer).await;
                if let Some((_, token)) = &credential.azure {
                    entra.management.forget(token).await;
                }
            }
        }
    }

    /// Who is known by it, as far as the configuration says.
    pub(super) fn principal(&self) -> Option<String> {
        match self {
            Self::Token(_) => None,
            Self::Machine(machine) => Some(format!("databricks {}", machine.client_id)),
            Self::Entra(Entra { client_id, tenant, .. }) => {
                let tenant = tenant.as_ref().map(|tenant| format!("@{tenant}"));
                Some(format!("entra {client_id}{}", tenant.unwrap_or_default()))
            }
        }
    }

    /// Tells what the tokens of `credential` say of themselves.
    pub(super) fn tell(&self, credential: &Credential) {
        match self {
            Self::Token(_) => tokens::tell_given("token", "", &credential.bearer),
            Self::Machine(_) | Self::Entra(_) => {
                tokens::tell("access token", &credential.bearer);
                if let Some((_, token)) = &credential.azure {
                    tokens::tell("management token", token);
                }
            }
        }
    }

    /// The secret in `credential` whose end the workspace may tell.
    pub(super) fn renewed_by_people<'c>(&self, credential: &'c Credential) -> Option<&'c Secret> {
        match self {
            Self::Token(_) => Some(&credential.bearer),
            Self::Machine(_) => credential.hidden.first(),
            Self::Entra(_) => None,
        }
    }

    /// How to mend a refused credential.
    pub(super) fn mend(&self) -> String {
        match self {
            Self::Token(_) => "Create a new personal access token for the principal, and put it \
                where `token` points to."
                .to_owned(),
            Self::Machine(machine) => format!(
                "Check that service principal {} is active in the workspace, and create a new \
                 OAuth secret for it if `clientSecret` has expired.",
                machine.client_id
            ),
            Self::Entra(entra) => format!(
                "Check the secret of application {} in Microsoft Entra, and add its service \
                 principal to the workspace or set `azure.resourceId`.",
                entra.client_id
            ),
        }
    }
}

/// True for addresses that secrets may go to.
fn is_safe(url: &Url) -> bool {
    url.host_str().is_some()
        && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)))
}

async fn token(
    connections: &Connections,
    asked: TokenRequest<'_>,
    now: Timestamp,
    hidden: &[Secret],
) -> Result<Token, Failure> {
    let found = oauth::token(connections, asked, now).await;
    found.map_err(|refused: NoToken| Failure::no_token(&refused, hidden))
}

fn resolve(reference: &SecretRef) -> Result<Secret, Failure> {
    secrets::resolve(reference).map_err(|error| Failure::silent(Class::Local, error.to_string()))
}
