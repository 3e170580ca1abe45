//! Issuers of tokens: the workspace, an account, or an address.
//!
//! A client secret goes to the endpoint that was configured, or to one of the workspace's own host
//! or of Databricks' account hosts; any other that a server names is refused.

use reqwest::Url;

use super::classify::{Failure, NAME_MAX};
use super::client::{Client, Request};
use super::reply;
use crate::platforms::connection::is_loopback;

/// Hosts of Databricks accounts, which issue tokens for their workspaces.
const ACCOUNTS: [&str; 7] = [
    "accounts.cloud.databricks.com",
    "accounts.cloud.databricks.us",
    "accounts-dod.cloud.databricks.mil",
    "accounts.azuredatabricks.net",
    "accounts.databricks.azure.us",
    "accounts.databricks.azure.cn",
    "accounts.gcp.databricks.com",
];

/// Issuer of tokens: a directory or an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Authority {
    /// Issuer below this address, which describes itself at `/.well-known/oauth-authorization-server`.
    Base(String),
    /// Address of the token endpoint.
    Endpoint(String),
}

impl Authority {
    /// Parses the value of `authorityUrl`.
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

/// Returns the configured servers, where the endpoint is discovered from one of them.
pub(super) fn anchors<'s>(
    authority: Option<&'s Authority>,
    client: &Client<'s>,
) -> Option<[&'s str; 2]> {
    match authority {
        Some(Authority::Endpoint(_)) => None,
        Some(Authority::Base(base)) => Some([client.server, base]),
        None => Some([client.server; 2]),
    }
}

/// Returns the token endpoint of `authority`, or else of the workspace.
pub(super) async fn endpoint(
    authority: Option<&Authority>,
    client: &Client<'_>,
) -> Result<String, Failure> {
    let base = match authority {
        Some(Authority::Endpoint(url)) => return Ok(url.clone()),
        Some(Authority::Base(base)) => base.clone(),
        None => format!("{}/oidc", client.server),
    };
    let request = Request::Discovery { base: &base };
    match client.call(request, None, reply::token_endpoint).await {
        Ok(found) => trusted(&found, &base, client),
        // What refuses this machine refuses the secret as well, which need not be sent then.
        Err(failure) if failure.named().is_some() => Err(failure),
        // The document is a convenience: where a server has none, the endpoint is known.
        Err(failure) if failure.is_answer() => Ok(format!("{base}/v1/token")),
        Err(failure) => Err(failure),
    }
}

/// Returns the endpoint that a server named, if a client secret may go there.
fn trusted(found: &str, base: &str, client: &Client<'_>) -> Result<String, Failure> {
    let url = Url::parse(found).ok().filter(is_safe);
    let refused = || Failure::refused_endpoint(&client.line(found, NAME_MAX));
    let url = url.ok_or_else(refused)?;
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
    Err(refused())
}

/// True for addresses that secrets may go to.
fn is_safe(url: &Url) -> bool {
    url.host_str().is_some()
        && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::net::http::{Connections, HttpOptions};

    #[test]
    fn issuer_is_a_directory_or_an_address() {
        let base = |text: &str| Some(Authority::Base(text.to_owned()));
        let at = |text: &str| Some(Authority::Endpoint(text.to_owned()));
        let table = [
            ("https://w.example.com", base("https://w.example.com/oidc")),
            ("https://w.example.com/oidc/", base("https://w.example.com/oidc")),
            (
                "https://a.example.com/oidc/accounts/7",
                base("https://a.example.com/oidc/accounts/7"),
            ),
            ("https://i.example.com/oauth2/token", at("https://i.example.com/oauth2/token")),
            ("http://127.0.0.1:8080/token", at("http://127.0.0.1:8080/token")),
            ("http://i.example.com/token", None),
            ("https://u:p@i.example.com/token", None),
            ("https://i.example.com/token?a=b", None),
            ("https://i.example.com/other", None),
            ("token", None),
        ];
        for (text, expected) in table {
            assert_eq!(Authority::parse(text), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn secret_goes_to_the_own_hosts_and_to_those_of_accounts_only() {
        let connections = Connections::new(&HttpOptions::default()).unwrap();
        let client = Client {
            connections: &connections,
            server: "https://10.0.0.9",
            workspace: "https://w.cloud.databricks.com",
            workspace_id: None,
            now: Timestamp(0),
        };
        let base = "https://10.0.0.9/oidc";
        let table = [
            ("https://10.0.0.9/oidc/v1/token", Some("https://10.0.0.9/oidc/v1/token")),
            // The workspace does not know by which way it is reached.
            (
                "https://w.cloud.databricks.com/oidc/v1/token",
                Some("https://10.0.0.9/oidc/v1/token"),
            ),
            (
                "https://accounts.cloud.databricks.com/oidc/accounts/7/v1/token",
                Some("https://accounts.cloud.databricks.com/oidc/accounts/7/v1/token"),
            ),
            ("https://accounts.cloud.databricks.com:8443/token", None),
            ("https://accounts.cloud.databricks.com.evil.example/token", None),
            ("http://10.0.0.9/oidc/v1/token", None),
            ("https://evil.example/token", None),
            ("token", None),
        ];
        for (found, expected) in table {
            let trusted = trusted(found, base, &client);
            assert_eq!(trusted.as_deref().ok(), expected, "{found}");
            let said = trusted.err().map_or(String::new(), |failure| failure.detail);
            assert_eq!(said.contains("was not sent there"), expected.is_none(), "{found}");
        }
    }
}
