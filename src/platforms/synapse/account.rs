//! Who logs in: a user with a password, or the owner of a Microsoft Entra token.

use tiberius::AuthMethod;

use super::classify::{CallError, Cause, Failure};
use crate::domain::{Secret, SecretRef, Timestamp};
use crate::net::exchange::percent_encoded;
use crate::net::jwt;
use crate::net::oauth::{self, KeptToken, TokenRequest};
use crate::platforms::connection::Reach;
use crate::platforms::tokens;
use crate::secrets;

/// One Azure, with names of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cloud {
    /// Azure.
    Public,
    /// Azure US Government.
    Government,
    /// Azure operated by 21Vianet in China.
    China,
}

impl Cloud {
    /// The words of the configuration.
    pub(super) const WORDS: [(&'static str, Self); 3] =
        [("public", Self::Public), ("usGovernment", Self::Government), ("china", Self::China)];

    const ALL: [Self; 3] = [Self::Public, Self::Government, Self::China];

    /// Where Microsoft Entra gives out tokens.
    pub(super) const fn authority(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::Government => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        }
    }

    const fn scope(self) -> &'static str {
        match self {
            Self::Public => "https://database.windows.net/.default",
            Self::Government => "https://database.usgovcloudapi.net/.default",
            Self::China => "https://database.chinacloudapi.cn/.default",
        }
    }

    /// What the names of its SQL servers end with.
    const fn domains(self) -> [&'static str; 2] {
        match self {
            Self::Public => [".sql.azuresynapse.net", ".database.windows.net"],
            Self::Government => {
                [".sql.azuresynapse.usgovcloudapi.net", ".database.usgovcloudapi.net"]
            }
            Self::China => [".sql.azuresynapse.azure.cn", ".database.chinacloudapi.cn"],
        }
    }

    /// True for the name of a SQL server of this cloud, in lower case.
    pub(super) fn has(self, host: &str) -> bool {
        self.domains().iter().any(|domain| host.ends_with(domain) && domain.len() < host.len())
    }

    /// The workspace or logical server that `host` names, with or without its serverless pool.
    pub(super) fn server(self, host: &str) -> Option<&str> {
        let mut domains = self.domains().into_iter();
        let name = domains.find_map(|domain| host.strip_suffix(domain))?;
        let name = name.strip_suffix("-ondemand").unwrap_or(name);
        let is_label = !name.is_empty() && !name.contains('.');
        is_label.then_some(name)
    }

    /// The cloud that the name of a server belongs to, when it is one of Azure's own.
    pub(super) fn of(host: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.has(host))
    }
}

/// Who logs in.
#[derive(Debug)]
pub(super) enum Account {
    /// A user of the server or of the database.
    Password {
        /// The name; its case counts.
        username: String,
        /// The password.
        password: SecretRef,
    },
    /// An application of Microsoft Entra ID, which gets tokens with a secret.
    Principal(Box<Principal>),
    /// Whoever the access token was given to; others renew it.
    Token(SecretRef),
}

/// An application that proves itself with a secret.
#[derive(Debug)]
pub(super) struct Principal {
    /// The tenant's id or domain.
    pub(super) tenant: String,
    /// The application's client id.
    pub(super) client_id: String,
    /// Its secret.
    pub(super) client_secret: SecretRef,
    /// Scheme, host and port of the token endpoint.
    pub(super) authority: String,
    /// Which Azure.
    pub(super) cloud: Cloud,
    /// How the token endpoint is reached.
    pub(super) reach: Reach,
    /// The token, from run to run.
    pub(super) kept: KeptToken,
}

/// What is shown at log-in, read for one run.
#[derive(Debug)]
pub(super) enum Credential {
    /// User and password.
    Password(String, Secret),
    /// A token; true when it is from an earlier run, so that another one may do better.
    Token(Secret, bool),
}

impl Credential {
    /// As the library takes it.
    pub(super) fn method(&self) -> AuthMethod {
        match self {
            Self::Password(username, password) => {
                AuthMethod::sql_server(username, password.expose())
            }
            Self::Token(token, _) => AuthMethod::aad_token(token.expose()),
        }
    }

    /// What must not get out.
    pub(super) const fn secret(&self) -> &Secret {
        match self {
            Self::Password(_, secret) | Self::Token(secret, _) => secret,
        }
    }
}

impl Account {
    /// The user's name as it is used in a grant.
    pub(super) fn grantee(&self) -> &str {
        match self {
            Self::Password { username, .. } => username.split('@').next().unwrap_or(username),
            Self::Principal(_) => "name of the application",
            Self::Token(_) => "owner of the token",
        }
    }

    /// Who logs in to the server `host`, as far as the configuration says.
    pub(super) fn principal(&self, host: &str) -> Option<String> {
        match self {
            Self::Password { .. } => Some(format!("synapse {}@{host}", self.grantee())),
            Self::Principal(principal) => {
                let Principal { tenant, client_id, .. } = principal.as_ref();
                Some(format!("entra {client_id}@{tenant}"))
            }
            Self::Token(_) => None,
        }
    }

    /// What to show at log-in.
    pub(super) async fn credential(&self, now: Timestamp) -> Result<Credential, Failure> {
        let read = |reference| {
            secrets::resolve(reference).map_err(|error| Failure::of(&CallError::from(error), &[]))
        };
        match self {
            Self::Password { username, password } => {
                Ok(Credential::Password(username.clone(), read(password)?))
            }
            Self::Token(token) => {
                let token = read(token)?;
                tokens::tell_given("token", "", &token);
                match end(&token) {
                    Some(end) if end <= now => {
                        let detail = format!("the access token ended at {end}");
                        Err(Failure::new(Cause::LoginExpired, &detail, &detail, &[]))
                    }
                    Some(_) | None => Ok(Credential::Token(token, false)),
                }
            }
            Self::Principal(principal) => {
                let secret = read(&principal.client_secret)?;
                principal.token(&secret, now).await
            }
        }
    }

    /// The server has refused `credential`: another one to try, when it is a token that was kept.
    pub(super) async fn renewed(
        &self,
        credential: &Credential,
        now: Timestamp,
    ) -> Option<Result<Credential, Failure>> {
        let (Self::Principal(principal), Credential::Token(token, true)) = (self, credential)
        else {
            return None;
        };
        principal.kept.forget(token).await;
        Some(self.credential(now).await)
    }

    /// A fresh token was refused: the next run is not to begin with it.
    pub(super) async fn forget(&self, credential: &Credential) {
        if let (Self::Principal(principal), Credential::Token(token, _)) = (self, credential) {
            principal.kept.forget(token).await;
        }
    }
}

impl Principal {
    async fn token(&self, secret: &Secret, now: Timestamp) -> Result<Credential, Failure> {
        let failed =
            |class, detail: &str| Failure::new(Cause::NoToken(class), detail, detail, &[secret]);
        let connections =
            self.reach.connections().map_err(|none| failed(none.class, &none.detail))?;
        let tenant = percent_encoded(&self.tenant);
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.authority);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", secret.expose()),
            ("scope", self.cloud.scope()),
        ];
        let asked = TokenRequest { url: &url, form: &form, basic: None, anchors: None };
        let mut is_kept = true;
        let fetch = async || {
            is_kept = false;
            oauth::token(&connections, asked, now).await
        };
        let token = self.kept.current(now, fetch).await;
        let token = token.map_err(|none| failed(none.class(), &none.detail()))?;
        tokens::tell("access token", &token);
        Ok(Credential::Token(token, is_kept))
    }
}

/// When `token` ends, as far as it says so itself.
fn end(token: &Secret) -> Option<Timestamp> {
    jwt::claims(token.expose())?.expires
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn servers_belong_to_one_cloud() {
        let table = [
            ("ws.sql.azuresynapse.net", Some(Cloud::Public)),
            ("ws-ondemand.sql.azuresynapse.net", Some(Cloud::Public)),
            ("server.database.windows.net", Some(Cloud::Public)),
            ("e1.tr42.westeurope1-a.worker.database.windows.net", Some(Cloud::Public)),
            ("ws.sql.azuresynapse.usgovcloudapi.net", Some(Cloud::Government)),
            ("server.database.usgovcloudapi.net", Some(Cloud::Government)),
            ("ws.sql.azuresynapse.azure.cn", Some(Cloud::China)),
            ("server.database.chinacloudapi.cn", Some(Cloud::China)),
            (".database.windows.net", None),
            ("database.windows.net", None),
            ("evildatabase.windows.net", None),
            ("server.database.windows.net.evil.example", None),
            ("10.0.0.1", None),
            ("localhost", None),
        ];
        for (host, cloud) in table {
            assert_eq!(Cloud::of(host), cloud, "{host}");
        }
    }

    #[test]
    fn workspaces_and_servers_are_read_off_their_hosts() {
        let table = [
            ("ws.sql.azuresynapse.net", Some("ws")),
            ("ws-ondemand.sql.azuresynapse.net", Some("ws")),
            ("server.database.windows.net", Some("server")),
            ("e1.tr42.westeurope1-a.worker.database.windows.net", None),
            ("ws.sql.azuresynapse.azure.cn", None),
            (".sql.azuresynapse.net", None),
            ("10.0.0.1", None),
        ];
        for (host, expected) in table {
            assert_eq!(Cloud::Public.server(host), expected, "{host}");
        }
    }

    #[test]
    fn every_cloud_has_names_of_its_own() {
        let words: Vec<_> = Cloud::WORDS.iter().map(|(_, cloud)| *cloud).collect();
        assert_eq!(words, Cloud::ALL);
        for cloud in Cloud::ALL {
            assert!(cloud.authority().starts_with("https://login."));
            let scope = cloud.scope().strip_prefix("https://").unwrap();
            let host = scope.strip_suffix("/.default").unwrap();
            assert!(cloud.has(&format!("x.{host}")), "{cloud:?}");
        }
    }

    #[test]
    fn a_token_says_when_it_ends() {
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
            assert_eq!(end(&token), expected, "{}", token.expose());
        }
    }
}
