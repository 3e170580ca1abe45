//! Reads the keys of credentials, of the integration and of the user that sets it up.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use strum::{IntoStaticStr, VariantArray};

use super::credentials::{Credentials, KeyPair, OAuth, Password, Proof};
use super::workload::{ENTRA_RESOURCE, GOOGLE_METADATA, Provider, Source, Workload};
use crate::domain::SecretRef;
use crate::input::Reader;
use crate::net::near::Near;
use crate::net::oauth::KeptToken;
use crate::platforms::azure::{METADATA, ManagedIdentity};
use crate::platforms::connection::is_loopback;
use crate::platforms::{authentication, azure};

/// SHA-1 in hexadecimal digits, and in base64.
const THUMBPRINT_HEX: usize = 40;
const THUMBPRINT_BASE64: usize = 27;

/// Ways of Snowflake's own drivers that take a person, or are spelled otherwise, and what does without.
const INSTEAD: [(&str, &str); 8] = [
    ("externalBrowser", "it takes a person at a browser; use `keyPair`"),
    (
        "okta",
        "it takes the password of a person; use `oAuthClientCredentials` with Okta's token endpoint",
    ),
    ("oAuthAuthorizationCode", "it takes a person at a browser; use `oAuthClientCredentials`"),
    ("usernamePasswordMfa", "it takes a person with a second factor; use `keyPair`"),
    ("snowflakeJwt", "use `keyPair`"),
    ("oAuth", "use `oAuthClientCredentials`"),
    ("patWithExternalSession", "use `programmaticAccessToken`"),
    ("snowflake", "use `userPassword`, or better `keyPair`"),
];

/// Kinds of credentials: the published ones, and tokens.
#[derive(Clone, Copy, IntoStaticStr, PartialEq, VariantArray)]
enum Kind {
    #[strum(serialize = "keyPair")]
    KeyPair,
    #[strum(serialize = "oAuthClientCredentials")]
    OAuth,
    #[strum(serialize = "userPassword")]
    Password,
    #[strum(serialize = "programmaticAccessToken")]
    Token,
    #[strum(serialize = "workloadIdentity")]
    Workload,
}

impl Kind {
    /// True when `key` belongs to this kind.
    fn uses(self, key: &str) -> bool {
        match self {
            Self::KeyPair => ["username", "privateKey", "privateKeyPassword"].contains(&key),
            Self::OAuth => ["username", "oAuthClientConfig", "privateKeyPassword"].contains(&key),
            Self::Password => ["username", "password"].contains(&key),
            Self::Token => ["username", "token"].contains(&key),
            Self::Workload => key == "workloadIdentity",
        }
    }
}

/// Reads the credentials from the table that has `authenticationType`.
pub(super) fn credentials(config: &mut Reader<'_>, account: Option<&str>) -> Option<Credentials> {
    let kind = authentication::read_or_instead::<Kind>(config, &INSTEAD);
    let username = config.string("username").filter(|name| !name.trim().is_empty());
    let (password, token) = (config.secret("password"), config.secret("token"));
    let (private_key, passphrase) =
        (config.table("privateKey").and_then(key_file), config.secret("privateKeyPassword"));
    let oauth = config.table("oAuthClientConfig");
    let oauth = oauth.map(|table| oauth_client(table, passphrase.clone()));
    let workload = config.table("workloadIdentity").map(workload);
    let kind = kind?;
    let keys = [
        "password",
        "token",
        "privateKey",
        "privateKeyPassword",
        "oAuthClientConfig",
        "workloadIdentity",
    ];
    authentication::warn_unused(config, kind, keys.into_iter().filter(|key| !kind.uses(key)));
    match kind {
        Kind::KeyPair => {
            config.required("username");
            config.required("privateKey");
            let account = needed_account(config, account)?;
            let user = username?.to_uppercase();
            Some(Credentials::KeyPair(KeyPair { account, user, key: private_key?, passphrase }))
        }
        Kind::OAuth => {
            config.required("oAuthClientConfig");
            Some(Credentials::OAuth(oauth??))
        }
        Kind::Password => {
            config.required("username");
            config.required("password");
            let account = needed_account(config, account)?;
            Some(Credentials::Password(Password { account, user: username?, secret: password? }))
        }
        Kind::Token => {
            config.required("token");
            token.map(Credentials::Token)
        }
        Kind::Workload => {
            config.required("workloadIdentity");
            let account = needed_account(config, account)?;
            let (provider, source) = workload??;
            Some(Credentials::Workload(Workload { account, provider, source }))
        }
    }
}

/// Reads the provider of a workload's identity, and the source of its token.
fn workload(mut table: Reader<'_>) -> Option<(Provider, Source)> {
    let words: Vec<_> =
        Provider::VARIANTS.iter().map(|provider| ((*provider).into(), *provider)).collect();
    table.required("provider");
    let provider = table.choice("provider", &words);
    let (token, client_id) = (table.secret("token"), table.string("clientId"));
    let resource = table.string("entraResource").unwrap_or_else(|| ENTRA_RESOURCE.to_owned());
    let given = table.string("metadataEndpoint");
    let endpoint = |own: &str| given.clone().unwrap_or_else(|| own.to_owned());
    let source = match (provider, token) {
        (None, _) => None,
        (Some(_), Some(token)) => Some(Source::Token(token)),
        (Some(Provider::Azure), None) => {
            let identity = ManagedIdentity::new(client_id, endpoint(METADATA));
            let identity = identity.map_err(|error| table.fault("provider", error)).ok();
            identity.map(|identity| Source::Azure { identity, resource })
        }
        (Some(Provider::Google), None) => {
            let near = Near::new().map_err(|error| table.fault("provider", error)).ok();
            near.map(|near| Source::Google { endpoint: endpoint(GOOGLE_METADATA), near })
        }
        (Some(Provider::Oidc), None) => {
            table.fault("token", "missing; add `token`, the file of the provider's ID token");
            None
        }
        (Some(Provider::Amazon), None) => {
            let wanted = "missing; requests to the Security Token Service are not signed here: add \
                `token`, the token of sts:GetWebIdentityToken for the audience snowflakecomputing.com";
            table.fault("token", wanted);
            None
        }
    };
    table.finish();
    provider.zip(source)
}

fn needed_account(config: &Reader<'_>, account: Option<&str>) -> Option<String> {
    if account.is_none() {
        config.fault("account", "missing; `host` does not contain it: add `account`");
    }
    account.map(str::to_owned)
}

/// Reads a published key file, of which only the content is used.
fn key_file(mut table: Reader<'_>) -> Option<SecretRef> {
    table.string("keyName");
    table.string("userFilename");
    table.required("content");
    let content = table.secret("content");
    table.finish();
    content
}

fn oauth_client(mut table: Reader<'_>, passphrase: Option<SecretRef>) -> Option<OAuth> {
    let certified = table.boolean("useCertificate").unwrap_or(false);
    let client = table.required_string("clientId");
    // Published and required there; the address says all that is needed here.
    table.string("provider");
    table.required("authorityUrl");
    let url = token_endpoint(&mut table);
    let (scope, resource) = (table.string("scope"), table.string("resource"));
    let secret = table.secret("clientSecret");
    let key = table.table("oAuthPrivateKey").and_then(key_file);
    let thumbprint = thumbprint(&mut table);
    let proof = if certified {
        table.required("oAuthPrivateKey");
        table.required("publicCertificateThumbprint");
        key.zip(thumbprint).map(|(key, thumbprint)| Proof::Certificate {
            key,
            passphrase,
            thumbprint,
        })
    } else {
        table.required("clientSecret");
        secret.map(Proof::Secret)
    };
    table.finish();
    let kept = KeptToken::default();
    Some(OAuth { url: url?, client: client?, proof: proof?, scope, resource, kept })
}

/// Reads the address of the token endpoint; an authority of Microsoft Entra is completed.
fn token_endpoint(table: &mut Reader<'_>) -> Option<String> {
    let text = table.string("authorityUrl")?;
    let wanted = "expected the https address of a token endpoint such as \
        https://login.example.com/oauth2/token, without user or fragment";
    let url = Url::parse(&text).ok().filter(|url| {
        let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
        safe && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
    });
    let Some(url) = url else {
        table.refuse("authorityUrl", wanted);
        return None;
    };
    Some(azure::completed(url).to_string())
}

/// Reads the thumbprint of a certificate, hexadecimal or base64, and returns it as tokens contain it.
fn thumbprint(table: &mut Reader<'_>) -> Option<String> {
    const KEY: &str = "publicCertificateThumbprint";
    let text = table.string(KEY)?;
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.contains('+'))?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect();
    if let Some(bytes) = bytes.filter(|_| digits.len() == THUMBPRINT_HEX) {
        return Some(URL_SAFE_NO_PAD.encode(bytes));
    }
    let base64 = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    if base64.len() == THUMBPRINT_BASE64 && URL_SAFE_NO_PAD.decode(&base64).is_ok() {
        return Some(base64);
    }
    table.refuse(KEY, "expected the SHA-1 thumbprint of the certificate, 40 hexadecimal digits");
    None
}
