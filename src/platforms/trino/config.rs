//! Configuration of a Trino integration; none of its keys is published.

use reqwest::Url;
use strum::{IntoStaticStr, VariantArray};

use super::address::Address;
use super::credentials::{Credentials, OAuth};
use super::headers::Headers;
use super::statement::Table;
use crate::domain::SecretRef;
use crate::input::Reader;
use crate::net::oauth::KeptToken;
use crate::platforms::authentication;
use crate::platforms::connection::{Endpoint, authority, is_loopback};

/// Oldest version without a warning, by default: the first with a documented access control plugin.
const MINIMUM_VERSION_DEFAULT: i64 = 392;
const VERSION_MAX: i64 = 100_000;
/// Words for `authenticationType` that are not taken, with what to use instead.
const NOT_TAKEN: [(&str, &str); 6] = [
    ("kerberos", KERBEROS),
    ("spnego", KERBEROS),
    ("negotiate", KERBEROS),
    ("ldap", "passwords that the cluster checks by LDAP are `userPassword`"),
    ("password", "passwords are `userPassword`"),
    (
        "oauth2",
        "a sign-in at a browser is not possible here: use `oAuthClientCredentials`, or `jwt` with \
         an access token of the issuer",
    ),
];
const KERBEROS: &str = "Kerberos (SPNEGO) is not supported: let the cluster take PASSWORD, JWT or \
    CERTIFICATE beside KERBEROS (http-server.authentication.type), and use `userPassword`, `jwt`, \
    `oAuthClientCredentials` or `certificate`";
/// Name of an account that the configuration does not name.
const ANY_USER: &str = "USER";
/// The most catalogs that one integration names.
const CATALOGS_MAX: usize = 1000;
/// The longest user or catalog name, in characters.
const NAME_MAX: usize = 255;
/// Domain of clusters that a query starts, and that are paid for from then on.
const GALAXY: &str = "galaxy.starburst.io";

/// Configuration of an integration, checked.
#[derive(Debug)]
pub(super) struct Config {
    /// Address of the coordinator, such as `https://host:8443`, by the name in its certificate.
    pub(super) origin: String,
    /// Path of a proxy before those of Trino, such as `/trino`, or nothing.
    pub(super) prefix: String,
    /// Name by which the cluster may name itself, where `endpoint` replaces it.
    pub(super) alias: Option<String>,
    /// `host` or `host:port` that is connected to.
    pub(super) authority: String,
    /// Settings of the connections to the cluster.
    pub(super) endpoint: Endpoint,
    /// Credentials of the system account.
    pub(super) credentials: Credentials,
    /// Roles, client tags and other headers.
    pub(super) headers: Headers,
    /// Catalogs that must exist.
    pub(super) catalogs: Vec<String>,
    /// User that the cluster must map the system account to.
    pub(super) expected_user: Option<String>,
    /// Probe of access control, if configured.
    pub(super) probe: Option<Probe>,
    /// Oldest version without a warning.
    pub(super) minimum_version: u64,
    /// Host that a query would start, if it may not be started.
    pub(super) asleep: Option<String>,
}

impl Config {
    /// Returns the name of the system account, as rules have it.
    pub(super) fn user_name(&self) -> &str {
        let name = self.credentials.username().or(self.expected_user.as_deref());
        name.unwrap_or(ANY_USER)
    }
}

/// Table and user for the probe of access control.
#[derive(Debug)]
pub(super) struct Probe {
    /// Table that the system account may read.
    pub(super) table: Table,
    /// User that may not read it.
    pub(super) user: Option<ProbeUser>,
}

/// User that may not read the probe table.
#[derive(Debug)]
pub(super) enum ProbeUser {
    /// User that the system account acts for.
    Impersonated(String),
    /// User that logs in with credentials of its own.
    Own(Credentials),
}

/// Kinds of credentials as configured.
#[derive(Clone, Copy, IntoStaticStr, PartialEq, VariantArray)]
enum Mode {
    #[strum(serialize = "none")]
    Open,
    #[strum(serialize = "userPassword")]
    Password,
    #[strum(serialize = "jwt")]
    Token,
    #[strum(serialize = "oAuthClientCredentials")]
    OAuth,
    #[strum(serialize = "certificate")]
    Certificate,
}

/// Reads the table; faults are left with the reader.
pub(super) fn parse(mut reader: Reader<'_>) -> Option<Config> {
    let Address { host, origin, prefix, tls, is_endpoint } = Address::read(&mut reader);
    let authority = origin.as_deref().map(|origin| authority(origin).to_owned());
    let mut named = origin.clone();
    let endpoint = match tls {
        Some(_) => Endpoint::read_without_tls(&mut reader),
        None => Endpoint::read(&mut reader, named.as_mut()),
    };
    let has_identity = endpoint.as_ref().is_some_and(Endpoint::has_identity);
    let credentials = credentials(&mut reader, has_identity, tls == Some(false));
    let headers = Headers::read(&mut reader);
    let catalogs = catalogs(&mut reader);
    let expected_user = reader.string("expectedUser");
    let probe = reader.table("accessControlProbe").map(|table| probe(table, credentials.as_ref()));
    let minimum_version = reader.integer("minimumVersion", 1, VERSION_MAX);
    let minimum_version = minimum_version.unwrap_or(MINIMUM_VERSION_DEFAULT);
    let may_start = reader.boolean("allowGalaxy").unwrap_or_default();
    let asleep = [host.as_deref(), authority.as_deref(), named.as_deref()]
        .into_iter()
        .flatten()
        .find_map(galaxy_host)
        .filter(|_| !may_start);
    reader.finish();
    Some(Config {
        origin: named?,
        prefix,
        alias: host.filter(|_| is_endpoint),
        authority: authority?,
        endpoint: endpoint?,
        credentials: credentials?,
        headers,
        catalogs: catalogs?,
        expected_user,
        probe: probe.map_or(Some(None), |probe| probe.map(Some))?,
        minimum_version: u64::try_from(minimum_version).ok()?,
        asleep,
    })
}

fn credentials(reader: &mut Reader<'_>, has_identity: bool, is_plain: bool) -> Option<Credentials> {
    let not_taken = reader
        .string(authentication::KEY)
        .and_then(|word| NOT_TAKEN.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)));
    let mode = match not_taken {
        Some((_, instead)) => {
            reader.fault(authentication::KEY, *instead);
            None
        }
        None => authentication::read::<Mode>(reader, None),
    };
    let (username, username_given) = (name(reader, "username"), reader.has("username"));
    let (password, token) = (reader.secret("password"), reader.secret("token"));
    let oauth = reader.table("oAuthClientConfig").map(|table| oauth(table, username.clone()));
    let mode = mode?;
    if is_plain && !matches!(mode, Mode::Open) {
        let wanted = "must be `none` with `tls` = false: credentials never travel without TLS";
        reader.fault(authentication::KEY, wanted);
    }
    authentication::refuse_unless(reader, mode, Mode::Password, &["password"]);
    authentication::refuse_unless(reader, mode, Mode::Token, &["token"]);
    authentication::refuse_unless(reader, mode, Mode::OAuth, &["oAuthClientConfig"]);
    if username_given && username.is_none() {
        return None;
    }
    match mode {
        Mode::Open => {
            reader.required("username")?;
            Some(Credentials::Open { username: username? })
        }
        Mode::Password => {
            let named = reader.required("username");
            reader.required("password").and(named)?;
            with_password(reader, username?, password?)
        }
        Mode::Token => {
            reader.required("token")?;
            Some(Credentials::Token { username, token: token? })
        }
        Mode::OAuth => {
            reader.required("oAuthClientConfig")?;
            Some(Credentials::OAuth(oauth??))
        }
        Mode::Certificate if !has_identity => {
            let wanted =
                "`certificate` needs `tls.certificate` and `tls.key`, and no `tls` that is a flag";
            reader.fault(authentication::KEY, wanted);
            None
        }
        Mode::Certificate => Some(Credentials::Certificate { username }),
    }
}

/// Reads the client of an identity provider, with the keys of the other platforms.
fn oauth(mut table: Reader<'_>, username: Option<String>) -> Option<OAuth> {
    let client = table.required_string("clientId");
    table.required("clientSecret");
    let secret = table.secret("clientSecret");
    let url = table.required_string("authorityUrl").and_then(|text| {
        let url = Url::parse(&text).ok().filter(|url| {
            let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
            is_safe
                && url.username().is_empty()
                && url.password().is_none()
                && url.fragment().is_none()
        });
        if url.is_none() {
            let wanted = "must be the https address of a token endpoint such as \
                https://login.example.com/oauth2/token, without user or fragment";
            table.refuse("authorityUrl", wanted);
        }
        url.map(String::from)
    });
    let (scope, resource) = (table.string("scope"), table.string("resource"));
    table.finish();
    let kept = KeptToken::default();
    Some(OAuth { username, url: url?, client: client?, secret: secret?, scope, resource, kept })
}

fn with_password(
    reader: &Reader<'_>,
    username: String,
    password: SecretRef,
) -> Option<Credentials> {
    if username.contains(':') {
        reader.refuse("username", "must not hold a colon, which would end it");
        return None;
    }
    Some(Credentials::Password { username, password })
}

/// Reads the name of a user, which must fit into a header.
fn name(reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
    let name = reader.string(key)?;
    let fits = !name.trim().is_empty()
        && name.trim() == name
        && name.len() <= NAME_MAX
        && name.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if !fits {
        reader.refuse(key, "must be 1 to 255 ASCII characters without spaces around them");
        return None;
    }
    Some(name)
}

fn catalogs(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let catalogs = reader.strings("catalogs").unwrap_or_default();
    let fits = |name: &String| {
        !name.is_empty()
            && name.chars().count() <= NAME_MAX
            && !name.chars().any(|char| char.is_control() || char == '"')
    };
    if CATALOGS_MAX < catalogs.len() || !catalogs.iter().all(fits) {
        let wanted = format!("must be up to {CATALOGS_MAX} names of catalogs, none of them empty");
        reader.fault("catalogs", wanted);
        return None;
    }
    Some(catalogs)
}

fn probe(mut reader: Reader<'_>, system: Option<&Credentials>) -> Option<Probe> {
    let table = reader.required_string("table").and_then(|text| {
        let table = Table::parse(&text);
        if table.is_none() {
            reader.refuse("table", "must be catalog.schema.table");
        }
        table
    });
    let (username, username_given) = (name(&mut reader, "username"), reader.has("username"));
    let (password, token) = (reader.secret("password"), reader.secret("token"));
    let own = reader.has("password") || reader.has("token");
    let mut user = None;
    if own && matches!(system, Some(Credentials::Open { .. } | Credentials::Certificate { .. })) {
        let key = if reader.has("token") { "token" } else { "password" };
        let wanted = "is only used with authenticationType `userPassword` or `jwt`: give \
            `username` alone, and let the system account impersonate that user";
        reader.fault(key, wanted);
    } else if reader.has("password") && reader.has("token") {
        reader.fault("token", "stands beside `password`; remove one of the two");
    } else if let Some(token) = token {
        user = Some(ProbeUser::Own(Credentials::Token { username: username.clone(), token }));
    } else if let Some(password) = password {
        reader.required("username");
        user = username
            .clone()
            .and_then(|username| with_password(&reader, username, password))
            .map(ProbeUser::Own);
    } else if let Some(username) = &username {
        user = Some(ProbeUser::Impersonated(username.clone()));
    }
    let is_system =
        username.is_some() && username.as_deref() == system.and_then(Credentials::username);
    if is_system {
        reader.fault("username", "must be another user than the system account");
    }
    reader.finish();
    let is_complete = user.is_some() || !(own || username_given);
    Some(Probe { table: table?, user }).filter(|_| is_complete)
}

/// Returns the host of `place`, an origin or a host, if a query would start it.
fn galaxy_host(place: &str) -> Option<String> {
    let host = authority(place).rsplit_once(':').map_or(authority(place), |(host, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { place }
    });
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_below =
        host.strip_suffix(GALAXY).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    is_below.then_some(host)
}

/// Every key, which the sample shows.
#[cfg(test)]
pub(super) const KEYS: [&str; 21] = [
    "oAuthClientConfig",
    "role",
    "roles",
    "clientTags",
    "headers",
    "host",
    "port",
    "authenticationType",
    "username",
    "password",
    "token",
    "catalogs",
    "tls",
    "endpoint",
    "expectedUser",
    "accessControlProbe",
    "allowGalaxy",
    "minimumVersion",
    "connectTimeout",
    "readTimeout",
    "proxy",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Faults, Value};
    use serde_json::{Value as Json, json};

    fn read(config: &Json) -> (Option<Config>, Vec<String>, Vec<String>) {
        let value = Value::from_json(config, &"f".into());
        let faults = Faults::default();
        let config = parse(Reader::new(&value, "config", &faults).unwrap());
        let (faults, warnings) = faults.into_parts();
        let text =
            |faults: Vec<crate::input::Fault>| faults.iter().map(ToString::to_string).collect();
        (config, text(faults), text(warnings))
    }

    fn with(changes: &Json) -> Json {
        let mut config = json!({
            "host": "trino.example.com", "authenticationType": "userPassword",
            "username": "immuta", "password": { "file": "/p" },
        });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        config
    }

    #[test]
    fn servers_are_where_the_keys_say() {
        let open = |tls: Json, host: &str| json!({ "host": host, "authenticationType": "none", "password": null, "tls": tls });
        let table = [
            (json!({}), "https://trino.example.com"),
            (json!({ "port": 8443 }), "https://trino.example.com:8443"),
            (json!({ "host": "10.0.0.1", "tls": true }), "https://10.0.0.1"),
            (json!({ "host": "::1", "port": 8443 }), "https://[::1]:8443"),
            (
                json!({ "endpoint": "https://vpce-1.example.com:8443" }),
                "https://vpce-1.example.com:8443",
            ),
            (open(json!(false), "localhost"), "http://localhost:8080"),
            (open(json!(false), "127.0.0.1"), "http://127.0.0.1:8080"),
            (
                json!({ "host": "10.0.0.1", "tls": { "serverName": "trino.example.com" } }),
                "https://trino.example.com",
            ),
        ];
        for (changes, expected) in table {
            let (config, faults, warnings) = read(&with(&changes));
            assert!(faults.is_empty(), "{changes}: {faults:?}");
            assert_eq!(config.unwrap().origin, expected);
            let plain = warnings.iter().any(|text| text.contains("is plain HTTP"));
            assert_eq!(plain, expected.starts_with("http:"), "{warnings:?}");
        }
        let (config, ..) =
            read(&with(&json!({ "host": "10.0.0.1", "tls": { "serverName": "a.b" } })));
        assert_eq!(config.unwrap().authority, "10.0.0.1");
    }

    #[test]
    fn endpoint_may_have_the_path_of_a_proxy() {
        let table = [
            ("https://a.example.com/trino", "https://a.example.com", "/trino"),
            ("https://a.example.com:8443/x/y/", "https://a.example.com:8443", "/x/y"),
            ("https://a.example.com/", "https://a.example.com", ""),
        ];
        for (endpoint, origin, prefix) in table {
            let (config, faults, _) = read(&with(&json!({ "endpoint": endpoint })));
            assert!(faults.is_empty(), "{faults:?}");
            let config = config.unwrap();
            assert_eq!((config.origin.as_str(), config.prefix.as_str()), (origin, prefix));
            assert_eq!(config.alias.as_deref(), Some("trino.example.com"));
        }
        assert_eq!(read(&with(&json!({}))).0.unwrap().alias, None);
    }

    #[test]
    fn clusters_that_a_query_would_start_need_a_word() {
        let hosts = [
            ("acme.trino.galaxy.starburst.io", true),
            ("ACME.trino.Galaxy.Starburst.IO.", true),
            ("galaxy.starburst.io", true),
            ("notgalaxy.starburst.io", false),
            ("galaxy.starburst.io.example.com", false),
        ];
        for (host, asleep) in hosts {
            let places = [
                json!({ "host": host }),
                json!({ "endpoint": format!("https://{host}:443") }),
                json!({ "tls": { "serverName": host } }),
            ];
            for mut changes in places {
                let (config, faults, _) = read(&with(&changes));
                assert!(faults.is_empty(), "{faults:?}");
                assert_eq!(config.unwrap().asleep.is_some(), asleep, "{changes}");
                changes["allowGalaxy"] = true.into();
                assert!(read(&with(&changes)).0.unwrap().asleep.is_none());
            }
        }
    }

    #[test]
    fn probe_users_log_in_or_are_impersonated() {
        let probe = |probe: &Json| {
            let (config, faults, _) = read(&with(&json!({ "accessControlProbe": probe })));
            assert!(faults.is_empty(), "{faults:?}");
            config.unwrap().probe.unwrap()
        };
        assert!(probe(&json!({ "table": "a.b.c" })).user.is_none());
        let user = probe(&json!({ "table": "a.b.c", "username": "probe" })).user;
        assert!(matches!(user, Some(ProbeUser::Impersonated(_))));
        let own = json!({ "table": "a.b.c", "username": "probe", "password": { "file": "/p" } });
        let user = probe(&own).user;
        assert!(matches!(user, Some(ProbeUser::Own(Credentials::Password { .. }))));
        let user = probe(&json!({ "table": "a.b.c", "token": { "file": "/t" } })).user;
        assert!(matches!(user, Some(ProbeUser::Own(Credentials::Token { .. }))));
    }

    fn assert_faults(table: &[(Json, &str)]) {
        for (changes, expected) in table {
            let (config, faults, _) = read(&with(changes));
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{changes}: {faults:?}");
            assert!(config.is_none() || expected.contains("did you") || !faults.is_empty());
        }
    }

    #[test]
    fn fault_of_place_or_kind_of_credentials_is_named_with_its_remediation() {
        assert_faults(&[
            (json!({ "host": null }), "config.host: missing"),
            (json!({ "host": "https://a" }), "config.host: must be a host name alone"),
            (json!({ "authenticationType": null }), "config.authenticationType: missing"),
            (json!({ "authenticationType": "userpassword" }), "did you mean `userPassword`?"),
            (json!({ "authenticationType": "Kerberos" }), "Kerberos (SPNEGO) is not supported"),
            (json!({ "authenticationType": "ldap" }), "are `userPassword`"),
            (json!({ "authenticationType": "oauth2" }), "use `oAuthClientCredentials`"),
            (
                json!({ "authenticationType": "oAuthClientCredentials" }),
                "config.oAuthClientConfig: missing",
            ),
            (json!({ "oAuthClientConfig": {} }), "config.oAuthClientConfig: is only used with"),
            (json!({ "oAuthClientConfig": {} }), "config.oAuthClientConfig.clientId: missing"),
            (
                json!({ "oAuthClientConfig": { "authorityUrl": "http://a" } }),
                "config.oAuthClientConfig.authorityUrl: must be the https address",
            ),
            (json!({ "endpoint": "https://a/v1" }), "config.endpoint: must end before `/v1`"),
            (json!({ "endpoint": "https://a/x?y" }), "config.endpoint: must be an address"),
        ]);
    }

    #[test]
    fn fault_of_another_key_is_named_with_its_remediation() {
        let secret = json!({ "file": "/s" });
        assert_faults(&[
            (json!({ "username": null }), "config.username: missing"),
            (json!({ "username": "a:b" }), "config.username: must not hold a colon"),
            (json!({ "username": "a\nb" }), "config.username: must be 1 to 255 ASCII"),
            (json!({ "password": null }), "config.password: missing"),
            (
                json!({ "token": secret }),
                "config.token: is only used with authenticationType `jwt`",
            ),
            (json!({ "authenticationType": "jwt" }), "config.password: is only used with"),
            (json!({ "authenticationType": "jwt" }), "config.token: missing"),
            (json!({ "authenticationType": "certificate" }), "needs `tls.certificate`"),
            (json!({ "tls": false }), "config.tls: `false` is only for a server on this machine"),
            (json!({ "tls": false, "host": "localhost" }), "must be `none` with `tls` = false"),
            (json!({ "tls": "no" }), "config.tls: expected a table"),
            (json!({ "endpoint": "http://10.0.0.1" }), "config.endpoint: must begin with https://"),
            (json!({ "endpoint": "https://a", "port": 1 }), "config.port: stands in `endpoint`"),
            (json!({ "endpoint": "https://a", "tls": false }), "config.tls: `false` is not used"),
            (json!({ "catalogs": ["a", ""] }), "config.catalogs: must be up to 1000 names"),
            (json!({ "minimumVersion": 0 }), "config.minimumVersion: expected a whole number"),
            (json!({ "catalog": ["a"] }), "did you mean `catalogs`?"),
            (json!({ "accessControlProbe": {} }), "config.accessControlProbe.table: missing"),
            (json!({ "accessControlProbe": { "table": "a.b" } }), "must be catalog.schema.table"),
            (
                json!({ "accessControlProbe": { "table": "a.b.c", "username": "immuta" } }),
                "config.accessControlProbe.username: must be another user",
            ),
            (
                json!({ "accessControlProbe": { "table": "a.b.c", "password": secret } }),
                "config.accessControlProbe.username: missing",
            ),
            (
                json!({ "authenticationType": "none", "password": null, "tls": false,
                    "host": "localhost",
                    "accessControlProbe": { "table": "a.b.c", "username": "p", "password": secret } }),
                "config.accessControlProbe.password: is only used with",
            ),
        ]);
    }
}
