//! Content of `credential`: the key of a service account, an external account (workload identity
//! federation), or a service account that either of them acts as. It may name Google's own servers
//! only: a person who can write this file must not be able to redirect tokens.

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value as Json;

use super::config::UNIVERSE_DEFAULT;
use super::names::{is_account, is_project};
use super::pasted;
use super::source::{CredentialSource, SourceFile};
use crate::domain::{Secret, one_line};
use crate::net::pem;
use crate::platforms::connection::is_loopback;

/// The longest identifier of a pool or a key, in bytes.
const NAME_MAX: usize = 1024;
/// Accepted lifetimes of a token of an impersonated account, in seconds.
const LIFE_SECONDS: std::ops::RangeInclusive<u64> = 600..=43_200;
/// Lifetime of tokens where none is given.
const LIFE_SECONDS_DEFAULT: u64 = 3600;
/// `type` of the key of a service account.
pub(super) const ACCOUNT: &str = "service_account";
/// `type` of the federated identity of a workload.
pub(super) const EXTERNAL: &str = "external_account";
/// `type` of a service account that other credentials act as.
const IMPERSONATED: &str = "impersonated_service_account";

/// The key of a service account.
#[derive(Debug)]
pub(super) struct ServiceAccountKey {
    /// Address of the service account.
    pub(super) email: String,
    /// Project of the service account, where the file names it.
    pub(super) project: Option<String>,
    /// Id of the key (`kid`), where the file names it.
    pub(super) key_id: Option<String>,
    /// Private key in PEM form.
    pub(super) private_key: Secret,
    /// Token endpoint that exchanges assertions, and their audience.
    pub(super) token_uri: String,
}

/// Federated identity of a workload.
#[derive(Debug)]
pub(super) struct ExternalAccount {
    /// Resource name of the provider in its workload identity pool.
    pub(super) audience: String,
    /// Type of the workload's token.
    pub(super) subject_token_type: String,
    /// Endpoint that exchanges the token (RFC 8693).
    pub(super) token_url: String,
    /// Service account that the exchanged token acts as.
    pub(super) impersonation: Option<Impersonation>,
    /// Place of the workload's token.
    pub(super) source: CredentialSource,
    /// Field of the JSON document that contains the token; none for plain text.
    pub(super) field: Option<String>,
}

/// The service account that a federated identity acts as.
#[derive(Debug)]
pub(super) struct Impersonation {
    /// Address that issues tokens of the service account.
    pub(super) url: String,
    /// Address of the service account.
    pub(super) email: String,
    /// Lifetime of its tokens, in seconds.
    pub(super) life_seconds: u64,
}

/// Service account that other credentials act as (`impersonated_service_account`).
#[derive(Debug)]
pub(super) struct ImpersonatedAccount {
    /// Credentials that may make its tokens.
    pub(super) source: ImpersonationSource,
    /// Address of the service account.
    pub(super) impersonation: Impersonation,
    /// Service accounts in between, as the interface spells them.
    pub(super) delegates: Vec<String>,
}

/// Credentials that may make tokens of a service account.
#[derive(Debug)]
pub(super) enum ImpersonationSource {
    /// Key of another service account.
    Key(ServiceAccountKey),
    /// Federated identity of a workload.
    Workload(Box<ExternalAccount>),
}

/// Servers that a credential may name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust<'a> {
    /// Google's domain, such as `googleapis.com`.
    pub(super) universe: &'a str,
    /// True when `endpoints.token` is configured, so that the address in the file is not used.
    pub(super) own_token: bool,
    /// True when `endpoints.sts` is configured.
    pub(super) own_sts: bool,
    /// True when `endpoints.iamCredentials` is configured.
    pub(super) own_impersonation: bool,
}

#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type", default)]
    kind: String,
    universe_domain: Option<String>,
    #[serde(flatten)]
    rest: Json,
}

#[derive(Deserialize)]
struct AccountFile {
    client_email: Option<String>,
    project_id: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<String>,
    token_uri: Option<String>,
}

#[derive(Deserialize)]
struct ExternalFile {
    audience: Option<String>,
    subject_token_type: Option<String>,
    token_url: Option<String>,
    service_account_impersonation_url: Option<String>,
    service_account_impersonation: Option<LifeFile>,
    credential_source: Option<SourceFile>,
}

#[derive(Deserialize)]
struct LifeFile {
    token_lifetime_seconds: Option<u64>,
}

#[derive(Deserialize)]
struct ImpersonatedFile {
    service_account_impersonation_url: Option<String>,
    source_credentials: Option<Json>,
    #[serde(default)]
    delegates: Vec<String>,
}

impl ServiceAccountKey {
    fn of(rest: Json, trust: Trust<'_>) -> Result<Self, String> {
        let file: AccountFile = shaped(rest)?;
        let email = file.client_email.filter(|email| is_account(email));
        let email = email.ok_or("`client_email` is missing or no name of an account")?;
        let private_key = file.private_key.map(|key| pem::restored(&Secret::new(key)));
        let private_key = private_key.ok_or("`private_key` is missing")?;
        let project = file.project_id.filter(|project| is_project(project));
        let key_id = file.private_key_id.filter(|id| id.len() <= NAME_MAX);
        let default = || format!("https://oauth2.{}/token", trust.universe);
        let token_uri = file.token_uri.unwrap_or_else(default);
        let hosts = ["oauth2", "www"];
        let is_accounts = |url: &Url| url.host_str() == Some("accounts.google.com");
        let url = https(&token_uri).filter(|url| {
            trust.own_token || is_accounts(url) || is_googles(url, &hosts, trust.universe)
        });
        // In another universe nothing is exchanged there: the key signs the token itself.
        if url.is_none() && trust.universe == UNIVERSE_DEFAULT {
            return Err(refused("token_uri", &token_uri, "token"));
        }
        Ok(Self { email, project, key_id, private_key, token_uri })
    }
}

impl ExternalAccount {
    fn of(rest: Json, trust: Trust<'_>) -> Result<Self, String> {
        let file: ExternalFile = shaped(rest)?;
        let named = |name: &str, value: Option<String>| {
            let value = value.filter(|value| !value.is_empty() && value.len() <= NAME_MAX);
            value.ok_or_else(|| format!("`{name}` is missing"))
        };
        let audience = named("audience", file.audience)?;
        let subject_token_type = named("subject_token_type", file.subject_token_type)?;
        let default = || format!("https://sts.{}/v1/token", trust.universe);
        let token_url = file.token_url.unwrap_or_else(default);
        let is_sts = |url: &Url| trust.own_sts || is_googles(url, &["sts"], trust.universe);
        if https(&token_url).is_none_or(|url| !is_sts(&url)) {
            return Err(refused("token_url", &token_url, "sts"));
        }
        let life = file.service_account_impersonation.and_then(|life| life.token_lifetime_seconds);
        let life_seconds = life.unwrap_or(LIFE_SECONDS_DEFAULT);
        if !LIFE_SECONDS.contains(&life_seconds) {
            return Err("`token_lifetime_seconds` is not from 600 to 43200".to_owned());
        }
        let impersonation = file.service_account_impersonation_url;
        let impersonation = impersonation.map(|url| Impersonation::read(url, life_seconds, trust));
        let source = file.credential_source.ok_or("`credential_source` is missing")?;
        let (source, field) = source.read()?;
        let impersonation = impersonation.transpose()?;
        Ok(Self { audience, subject_token_type, token_url, impersonation, source, field })
    }
}

impl Impersonation {
    fn read(url: String, life_seconds: u64, trust: Trust<'_>) -> Result<Self, String> {
        let fault = || refused("service_account_impersonation_url", &url, "iamCredentials");
        let parsed = https(&url).ok_or_else(fault)?;
        let hosts = ["iamcredentials"];
        if !(trust.own_impersonation || is_googles(&parsed, &hosts, trust.universe)) {
            return Err(fault());
        }
        let path = parsed.path().strip_prefix("/v1/projects/-/serviceAccounts/");
        let email = path.and_then(|path| path.strip_suffix(":generateAccessToken"));
        let email = email.filter(|email| is_account(email)).ok_or_else(fault)?.to_owned();
        Ok(Self { url, email, life_seconds })
    }
}

impl ImpersonatedAccount {
    fn of(rest: Json, trust: Trust<'_>) -> Result<Self, String> {
        let file: ImpersonatedFile = shaped(rest)?;
        let url = file.service_account_impersonation_url;
        let url = url.ok_or("`service_account_impersonation_url` is missing")?;
        let impersonation = Impersonation::read(url, LIFE_SECONDS_DEFAULT, trust)?;
        let source = file.source_credentials.ok_or("`source_credentials` is missing")?;
        let kinds = [ACCOUNT, EXTERNAL];
        let (kind, rest) = opened(&Secret::new(source.to_string()), &kinds, trust)
            .map_err(|fault| format!("`source_credentials`: {fault}"))?;
        let source = match kind {
            ACCOUNT => ServiceAccountKey::of(rest, trust).map(ImpersonationSource::Key),
            _ => ExternalAccount::of(rest, trust)
                .map(|found| ImpersonationSource::Workload(Box::new(found))),
        };
        let source = source.map_err(|fault| format!("`source_credentials`: {fault}"))?;
        Ok(Self { source, impersonation, delegates: file.delegates })
    }
}

/// Credential of any kind that a configuration accepts.
#[derive(Debug)]
pub(super) enum AnyCredential {
    /// Key of a service account.
    Key(ServiceAccountKey),
    /// Federated identity of a workload.
    Workload(Box<ExternalAccount>),
    /// Service account that one of them acts as.
    Impersonated(Box<ImpersonatedAccount>),
}

impl AnyCredential {
    /// Reads a credential of the kind `wanted`, or a service account that such a one acts as.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it, in a sentence without its end that shows no secret.
    pub(super) fn read(text: &Secret, wanted: &str, trust: Trust<'_>) -> Result<Self, String> {
        let (kind, rest) = opened(text, &[wanted, IMPERSONATED], trust)?;
        match kind {
            IMPERSONATED => ImpersonatedAccount::of(rest, trust)
                .map(|found| Self::Impersonated(Box::new(found))),
            ACCOUNT => ServiceAccountKey::of(rest, trust).map(Self::Key),
            _ => ExternalAccount::of(rest, trust).map(|found| Self::Workload(Box::new(found))),
        }
    }
}

/// Returns the kind and the JSON of a credential, if it is one of `kinds` and of the configured
/// universe.
///
/// # Errors
///
/// Says what is wrong with it, without showing a secret.
fn opened<'k>(
    text: &Secret,
    kinds: &[&'k str],
    trust: Trust<'_>,
) -> Result<(&'k str, Json), String> {
    let file: KeyFile = pasted::json(text.expose())?;
    let Some(kind) = kinds.iter().find(|kind| **kind == file.kind) else {
        let advice = match file.kind.as_str() {
            ACCOUNT => "; set `authenticationType` to \"serviceAccountKey\"",
            EXTERNAL => "; set `authenticationType` to \"workloadIdentity\"",
            "authorized_user" => {
                "; it is the log-in of a person: use a service account or a workload identity"
            }
            _ => "",
        };
        let (found, wanted) = (one_line(&file.kind, 40), kinds.first().unwrap_or(&ACCOUNT));
        return Err(format!("its `type` is [{found}] instead of [{wanted}]{advice}"));
    };
    let universe = file.universe_domain.as_deref().unwrap_or(trust.universe);
    if universe != trust.universe {
        let found = one_line(universe, 100);
        return Err(format!(
            "its `universe_domain` is [{found}]; set `universeDomain` if you mean it"
        ));
    }
    Ok((kind, file.rest))
}

fn shaped<T: serde::de::DeserializeOwned>(json: Json) -> Result<T, String> {
    // The library's words can show what it did not understand.
    serde_json::from_value(json).map_err(|_shown| "it is JSON of another shape".to_owned())
}

fn https(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    (is_plain && is_safe && url.host_str().is_some()).then_some(url)
}

/// True for a server of Google that is one of `services`, global or of a region (`*.rep.*`).
fn is_googles(url: &Url, services: &[&str], universe: &str) -> bool {
    let Some(host) = url.host_str().filter(|_host| url.scheme() == "https") else { return false };
    let is_one = |service: &str| {
        let here = format!("{service}.{universe}");
        let away = host.strip_prefix(&format!("{service}."));
        let region = away.and_then(|rest| rest.strip_suffix(&format!(".rep.{universe}")));
        host == here || region.is_some_and(|region| !region.contains('.'))
    };
    url.port().is_none() && services.iter().any(|service| is_one(service))
}

fn refused(key: &str, found: &str, endpoint: &str) -> String {
    let host = Url::parse(found).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = one_line(&host.unwrap_or_default(), 100);
    format!(
        "its `{key}` names [{host}], which is none of Google's servers for this; set \
         `endpoints.{endpoint}` if you mean it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TRUST: Trust<'_> = Trust {
        universe: "googleapis.com",
        own_token: false,
        own_sts: false,
        own_impersonation: false,
    };

    fn account() -> Json {
        json!({
            "type": "service_account", "project_id": "example-project", "private_key_id": "k1",
            "private_key": "hunter2", "client_email": "a@example-project.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
            "universe_domain": "googleapis.com",
        })
    }

    fn external() -> Json {
        json!({
            "type": "external_account", "audience": "//iam.googleapis.com/p",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": { "file": "/run/token" },
        })
    }

    fn read_key(text: &Secret, trust: Trust<'_>) -> Result<ServiceAccountKey, String> {
        match AnyCredential::read(text, ACCOUNT, trust)? {
            AnyCredential::Key(key) => Ok(key),
            other @ (AnyCredential::Workload(_) | AnyCredential::Impersonated(_)) => {
                panic!("another kind: {other:?}")
            }
        }
    }

    fn read_external(text: &Secret, trust: Trust<'_>) -> Result<ExternalAccount, String> {
        match AnyCredential::read(text, EXTERNAL, trust)? {
            AnyCredential::Workload(external) => Ok(*external),
            other @ (AnyCredential::Key(_) | AnyCredential::Impersonated(_)) => {
                panic!("another kind: {other:?}")
            }
        }
    }

    fn secret(base: Json, changes: &Json) -> Secret {
        let mut json = base;
        for (key, value) in changes.as_object().unwrap() {
            json[key] = value.clone();
        }
        Secret::new(json.to_string())
    }

    #[test]
    fn only_googles_servers_are_believed() {
        let good = [
            "https://oauth2.googleapis.com/token",
            "https://accounts.google.com/o/oauth2/token",
            "https://www.googleapis.com/oauth2/v4/token",
            "https://oauth2.europe-west3.rep.googleapis.com/token",
        ];
        let bad = [
            "https://evil.example.com/token",
            "http://oauth2.googleapis.com/token",
            "https://oauth2.googleapis.com.evil.example.com/token",
            "https://oauth2.googleapis.com@evil.example.com/token",
            "https://oauth2.googleapis.com:8443/token",
            "https://storage.googleapis.com/evil/token",
            "https://oauth2.a.b.rep.googleapis.com/token",
            "https://eviloauth2.googleapis.com/token",
            "http://127.0.0.1/token",
            "oauth2.googleapis.com",
            "",
        ];
        for uri in good {
            read_key(&secret(account(), &json!({ "token_uri": uri })), TRUST).unwrap();
        }
        let own = Trust { own_token: true, ..TRUST };
        for uri in bad {
            let text = secret(account(), &json!({ "token_uri": uri }));
            let error = read_key(&text, TRUST).unwrap_err();
            assert!(error.starts_with("its `token_uri` names ["), "{uri}: {error}");
            assert!(error.ends_with("set `endpoints.token` if you mean it"), "{error}");
        }
        let text = secret(account(), &json!({ "token_uri": "http://127.0.0.1/token" }));
        read_key(&text, own).unwrap();
        let text = secret(external(), &json!({ "token_url": "https://sts.evil.example.com" }));
        let error = read_external(&text, TRUST).unwrap_err();
        assert!(error.starts_with("its `token_url` names [sts.evil.example.com]"), "{error}");
    }

    #[test]
    fn the_account_is_in_the_address_of_its_impersonation() {
        let url = |rest: &str| {
            let url = format!("https://iamcredentials.googleapis.com/{rest}");
            secret(external(), &json!({ "service_account_impersonation_url": url }))
        };
        let good =
            url("v1/projects/-/serviceAccounts/a@p.iam.gserviceaccount.com:generateAccessToken");
        let external = read_external(&good, TRUST).unwrap();
        let Impersonation { email, life_seconds, .. } = external.impersonation.unwrap();
        assert_eq!((email.as_str(), life_seconds), ("a@p.iam.gserviceaccount.com", 3600));
        let bad = [
            "v1/projects/-/serviceAccounts/a@p.iam.gserviceaccount.com:signJwt",
            "v1/projects/-/serviceAccounts/a%2Fb@p:generateAccessToken",
            "v1/projects/-/serviceAccounts/:generateAccessToken",
        ];
        for rest in bad {
            assert!(read_external(&url(rest), TRUST).is_err(), "{rest}");
        }
    }

    #[test]
    fn faults_are_named_without_their_secrets() {
        let table = [
            (
                json!({ "type": "external_account" }),
                "set `authenticationType` to \"workloadIdentity\"",
            ),
            (json!({ "type": "authorized_user" }), "its `type` is [authorized_user] instead of"),
            (json!({ "type": "authorized_user" }), "the log-in of a person"),
            (
                json!({ "universe_domain": "evil.example.com" }),
                "set `universeDomain` if you mean it",
            ),
            (json!({ "client_email": null }), "`client_email` is missing"),
            (json!({ "client_email": "a b@c" }), "`client_email` is missing or no name"),
            (json!({ "private_key": null }), "`private_key` is missing"),
            (json!({ "private_key": { "hunter2": 7 } }), "it is JSON of another shape"),
        ];
        for (changes, expected) in table {
            let error = read_key(&secret(account(), &changes), TRUST).unwrap_err();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{changes}: {error}");
        }
        let error = read_key(&Secret::new("hunter2".to_owned()), TRUST).unwrap_err();
        assert_eq!(error, "it is not the JSON of a credential (line 1)");
        let source = |source: Json| json!({ "credential_source": source });
        let table = [
            (json!({ "audience": "" }), "`audience` is missing"),
            (json!({ "subject_token_type": null }), "`subject_token_type` is missing"),
            (json!({ "credential_source": null }), "`credential_source` is missing"),
            (source(json!({ "executable": { "command": "x" } })), "runs no programs"),
            (source(json!({ "environment_id": "aws1" })), "regional_cred_verification_url"),
            (source(json!({ "url": "http://10.0.0.1/" })), "must begin with https://"),
            (source(json!({ "url": "https://a", "headers": { "a b": "c" } })), "cannot be sent"),
            (
                source(json!({ "file": "/t", "format": { "type": "json" } })),
                "field_name` is missing",
            ),
            (source(json!({ "file": "/t", "format": { "type": "xml" } })), "neither text nor json"),
            (
                json!({ "service_account_impersonation": { "token_lifetime_seconds": 1 } }),
                "from 600 to 43200",
            ),
            (json!({ "type": "service_account" }), "\"serviceAccountKey\""),
        ];
        for (changes, expected) in table {
            let error = read_external(&secret(external(), &changes), TRUST).unwrap_err();
            assert!(error.contains(expected), "{changes}: {error}");
        }
    }

    #[test]
    fn service_account_that_others_act_as_is_read_with_its_source() {
        let url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/\
            a@p.iam.gserviceaccount.com:generateAccessToken";
        let of = |source: Json| {
            let file = json!({
                "type": "impersonated_service_account", "source_credentials": source,
                "service_account_impersonation_url": url, "delegates": ["d"],
            });
            AnyCredential::read(&Secret::new(file.to_string()), ACCOUNT, TRUST)
        };
        for (source, is_key) in [(account(), true), (external(), false)] {
            let Ok(AnyCredential::Impersonated(found)) = of(source) else { panic!("another kind") };
            assert_eq!(found.impersonation.email, "a@p.iam.gserviceaccount.com");
            assert_eq!(matches!(found.source, ImpersonationSource::Key(_)), is_key);
        }
        let error = of(json!({ "type": "authorized_user" })).unwrap_err();
        assert!(error.contains("`source_credentials`: its `type` is [authorized_user]"), "{error}");
        let key = AnyCredential::read(&secret(account(), &json!({})), ACCOUNT, TRUST);
        assert!(matches!(key, Ok(AnyCredential::Key(_))));
    }
}
