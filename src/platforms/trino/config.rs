//! Configuration of a Trino integration; none of its keys is published.

use reqwest::Url;
use strum::{IntoStaticStr, VariantArray};

use super::credentials::Credentials;
use super::statement::Table;
use crate::domain::SecretRef;
use crate::input::{Kind, Reader};
use crate::platforms::authentication;
use crate::platforms::connection::{self, Endpoint, authority, is_host, is_loopback};

/// Oldest version without a warning, by default: the first with a documented access control plugin.
const MINIMUM_VERSION_DEFAULT: i64 = 392;
const VERSION_MAX: i64 = 100_000;
/// Warning about plain HTTP to this machine itself.
const PLAIN: &str = "is plain HTTP: statements and answers go to this machine without encryption";
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
    /// `host` or `host:port` that is connected to.
    pub(super) authority: String,
    /// Settings of the connections to the cluster.
    pub(super) endpoint: Endpoint,
    /// Credentials of the system account.
    pub(super) credentials: Credentials,
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
    #[strum(serialize = "certificate")]
    Certificate,
}

/// Reads the table; faults are left with the reader.
pub(super) fn parse(mut reader: Reader<'_>) -> Option<Config> {
    let host = host(&mut reader);
    let tls = tls_flag(&mut reader);
    let origin = origin(&mut reader, host.as_deref(), tls);
    let authority = origin.as_deref().map(|origin| authority(origin).to_owned());
    let mut named = origin.clone();
    let endpoint = match tls {
        Some(_) => Endpoint::read_without_tls(&mut reader),
        None => Endpoint::read(&mut reader, named.as_mut()),
    };
    let has_identity = endpoint.as_ref().is_some_and(Endpoint::has_identity);
    let credentials = credentials(&mut reader, has_identity, tls == Some(false));
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
        authority: authority?,
        endpoint: endpoint?,
        credentials: credentials?,
        catalogs: catalogs?,
        expected_user,
        probe: probe.map_or(Some(None), |probe| probe.map(Some))?,
        minimum_version: u64::try_from(minimum_version).ok()?,
        asleep,
    })
}

/// Reads `tls` where it is a flag: `true` stands for TLS with the system's authorities.
fn tls_flag(reader: &mut Reader<'_>) -> Option<bool> {
    let value = reader.raw("tls")?;
    match &value.kind {
        Kind::Bool(flag) => Some(*flag),
        Kind::String(text) if value.is_untyped() => text.parse().ok(),
        Kind::Null
        | Kind::Integer(_)
        | Kind::Float(_)
        | Kind::String(_)
        | Kind::Array(_)
        | Kind::Table(_) => None,
    }
}

fn host(reader: &mut Reader<'_>) -> Option<String> {
    let host = reader.required_string("host")?;
    if !is_host(&host) {
        reader.refuse("host", "must be a host name alone, without scheme, port or path");
        return None;
    }
    Some(host)
}

/// Reads the address of the coordinator, from `endpoint` or from `host`, `port` and `tls`.
fn origin(reader: &mut Reader<'_>, host: Option<&str>, tls: Option<bool>) -> Option<String> {
    let port = reader.port("port");
    if reader.has("endpoint") {
        if port.is_some() {
            reader.fault("port", "stands in `endpoint` already; remove one of the two");
        }
        if tls == Some(false) {
            reader.fault("tls", "`false` is not used with `endpoint`, whose scheme says it");
        }
        let origin = connection::server(reader, "endpoint");
        if origin.as_deref().is_some_and(|origin| origin.starts_with("http:")) {
            reader.warn("endpoint", PLAIN);
        }
        return origin;
    }
    let (scheme, default) = if tls == Some(false) { ("http", 8080) } else { ("https", 443) };
    let host = host?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let url = Url::parse(&format!("{scheme}://{host}:{}", port.unwrap_or(default)));
    let Ok(url) = url else {
        reader.refuse("host", "must be a host name or an address");
        return None;
    };
    if tls == Some(false) {
        if !is_loopback(&url) {
            reader.fault("tls", "`false` is only for a server on this machine itself");
            return None;
        }
        reader.warn("tls", PLAIN);
    }
    Some(url.origin().ascii_serialization())
}

fn credentials(reader: &mut Reader<'_>, has_identity: bool, is_plain: bool) -> Option<Credentials> {
    let mode = authentication::read::<Mode>(reader, None);
    let (username, username_given) = (name(reader, "username"), reader.has("username"));
    let (password, token) = (reader.secret("password"), reader.secret("token"));
    let mode = mode?;
    if is_plain && !matches!(mode, Mode::Open) {
        let wanted = "must be `none` with `tls` = false: credentials never travel without TLS";
        reader.fault(authentication::KEY, wanted);
    }
    authentication::refuse_unless(reader, mode, Mode::Password, &["password"]);
    authentication::refuse_unless(reader, mode, Mode::Token, &["token"]);
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
        Mode::Certificate if !has_identity => {
            let wanted =
                "`certificate` needs `tls.certificate` and `tls.key`, and no `tls` that is a flag";
            reader.fault(authentication::KEY, wanted);
            None
        }
        Mode::Certificate => Some(Credentials::Certificate { username }),
    }
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
pub(super) const KEYS: [&str; 16] = [
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

    #[test]
    fn fault_is_named_with_its_remediation() {
        let secret = json!({ "file": "/s" });
        let table = [
            (json!({ "host": null }), "config.host: missing"),
            (json!({ "host": "https://a" }), "config.host: must be a host name alone"),
            (json!({ "authenticationType": null }), "config.authenticationType: missing"),
            (json!({ "authenticationType": "userpassword" }), "did you mean `userPassword`?"),
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
        ];
        for (changes, expected) in table {
            let (config, faults, _) = read(&with(&changes));
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{changes}: {faults:?}");
            assert!(config.is_none() || expected.contains("did you") || !faults.is_empty());
        }
    }
}
