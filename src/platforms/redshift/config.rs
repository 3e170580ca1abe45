//! Reads the published attributes of a Redshift integration.

use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::ServerName;

use super::Redshift;
use super::client::Endpoint;
use crate::domain::SecretRef;
use crate::input::Reader;

/// Redshift's own port.
const PORT: u16 = 5439;
/// The published name of the impersonation role.
const IMPERSONATION_ROLE: &str = "immuta_impersonation";
/// How long logging in may take, unless said otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// What `connectTimeout` may be.
const CONNECT_TIMEOUTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(1)];
/// The longest name Redshift has for anything, in bytes.
const NAME_BYTES_MAX: usize = 127;
/// The published key of [`Authentication`].
const AUTHENTICATION: &str = "authenticationType";
/// Why a key of another authentication is warned about.
const UNUSED: &str = "not used with `userPassword`; remove it";

/// The published ways to log in.
#[derive(Clone, Copy, Debug)]
enum Authentication {
    UserPassword,
    AccessKey,
    Okta,
}

impl Authentication {
    const WORDS: [(&'static str, Self); 3] = [
        ("userPassword", Self::UserPassword),
        ("accessKey", Self::AccessKey),
        ("okta", Self::Okta),
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::UserPassword => "userPassword",
            Self::AccessKey => "accessKey",
            Self::Okta => "okta",
        }
    }
}

/// Reads the `config` table; what is wrong with it is left with the reader.
pub(super) fn read(mut config: Reader<'_>) -> Option<Redshift> {
    let host = config.required_string("host").and_then(|name| host_name(&config, "host", name));
    let port = config.port("port").unwrap_or(PORT);
    let database = config.required_string("database");
    let database = database.and_then(|name| folded(&config, "database", &name));
    let initial = config.string("initialDatabase");
    let initial = initial.and_then(|name| folded(&config, "initialDatabase", &name));
    let credentials = credentials(&mut config);
    let impersonation = config.table("impersonation").and_then(impersonation);
    let (ca_file, server_name) = config.table("tls").map(tls).unwrap_or_default();
    let [min, max] = CONNECT_TIMEOUTS;
    let connect_timeout = config.duration("connectTimeout", min, max);
    if config.has("connectArgs") {
        config.warn("connectArgs", "not used: every connection is made with verified TLS");
    }
    config.finish();
    let (database, (username, password)) = (database?, credentials?);
    let endpoint = Endpoint {
        host: host?.to_lowercase(),
        port,
        server_name,
        ca_file,
        database: initial.unwrap_or_else(|| database.clone()),
        username,
        password,
        connect_timeout: connect_timeout.unwrap_or(CONNECT_TIMEOUT),
    };
    Some(Redshift { endpoint, database, impersonation })
}

fn credentials(config: &mut Reader<'_>) -> Option<(String, SecretRef)> {
    let username = config.string("username");
    let password = config.secret("password");
    let unused = other_credentials(config);
    let authentication = if config.has(AUTHENTICATION) {
        config.choice(AUTHENTICATION, &Authentication::WORDS)?
    } else {
        Authentication::UserPassword
    };
    match authentication {
        Authentication::UserPassword => {
            for key in unused {
                config.warn(key, UNUSED);
            }
            config.required("username");
            config.required("password");
            let username = username.and_then(|name| valid_name(config, "username", name));
            Some((username?, password?))
        }
        Authentication::AccessKey | Authentication::Okta => {
            let word = authentication.as_str();
            config.fault(
                AUTHENTICATION,
                format!(
                    "`{word}` is not supported by this version; use `userPassword` with the \
                    `username` and `password` of a database user"
                ),
            );
            None
        }
    }
}

/// The keys of the other ways to log in that are given; they are known, and their secrets are
/// marked as such.
fn other_credentials(config: &mut Reader<'_>) -> Vec<&'static str> {
    config.string("accessKeyId");
    config.string("databaseUser");
    config.secret("secretKey");
    config.secret("sessionToken");
    if let Some(mut okta) = config.table("okta") {
        okta.secret("password");
        for key in ["username", "appId", "idpHost", "role"] {
            okta.string(key);
        }
        okta.finish();
    }
    let keys = ["accessKeyId", "databaseUser", "secretKey", "sessionToken", "okta"];
    keys.into_iter().filter(|key| config.has(key)).collect()
}

/// The role that must exist, when impersonation is enabled.
fn impersonation(mut table: Reader<'_>) -> Option<String> {
    let enabled = table.boolean("enabled").unwrap_or(false);
    let role = table.string("role").unwrap_or_else(|| IMPERSONATION_ROLE.to_owned());
    let role = folded(&table, "role", &role);
    table.finish();
    role.filter(|_| enabled)
}

fn tls(mut table: Reader<'_>) -> (Option<PathBuf>, Option<String>) {
    let ca_file = table.string("caFile").map(PathBuf::from);
    let name = table.string("serverName");
    let server_name = name.and_then(|name| host_name(&table, "serverName", name));
    table.finish();
    (ca_file, server_name)
}

fn host_name(table: &Reader<'_>, key: &str, name: String) -> Option<String> {
    if ServerName::try_from(name.as_str()).is_ok() {
        return Some(name);
    }
    table.refuse(key, "expected a host name or address alone, without scheme, port or path");
    None
}

/// A name as Redshift stores it: in lower case, quoted or not.
fn folded(table: &Reader<'_>, key: &str, name: &str) -> Option<String> {
    valid_name(table, key, name.to_lowercase())
}

fn valid_name(table: &Reader<'_>, key: &str, name: String) -> Option<String> {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len());
    if fits && !name.contains(char::is_control) {
        return Some(name);
    }
    let wanted =
        format!("expected a name of 1 to {NAME_BYTES_MAX} bytes without control characters");
    table.refuse(key, &wanted);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Faults, Kind, Value};
    use crate::platforms::redshift::PLATFORM;
    use serde_json::{Value as Json, json};
    use std::collections::BTreeSet;
    use std::sync::Arc;

    struct Found {
        redshift: Option<Redshift>,
        faults: Vec<String>,
        warnings: Vec<String>,
        secrets: BTreeSet<String>,
    }

    fn found(value: &Value) -> Found {
        let faults = Faults::default();
        let redshift = read(Reader::new(value, "config", &faults).unwrap());
        let secrets = faults.secret_paths();
        let (faults, warnings) = faults.into_parts();
        let texts = |list: Vec<crate::input::Fault>| list.iter().map(ToString::to_string).collect();
        Found { redshift, faults: texts(faults), warnings: texts(warnings), secrets }
    }

    fn with(changes: &Json) -> Found {
        let mut config = json!({
            "host": "redshift.example.com", "database": "immuta", "username": "immuta",
            "password": {"file": "/p"},
        });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        found(&Value::from_json(&config, &Arc::from("r.json")))
    }

    #[test]
    fn little_is_needed_and_the_rest_has_defaults() {
        let Found { redshift, faults, warnings, secrets } = with(&json!({}));
        assert_eq!((faults, warnings), (vec![], vec![]));
        assert_eq!(secrets, BTreeSet::from(["config.password".to_owned()]));
        let Redshift { endpoint, database, impersonation } = redshift.unwrap();
        assert_eq!((endpoint.port, endpoint.connect_timeout), (5439, Duration::from_secs(10)));
        assert_eq!((endpoint.database.as_str(), database.as_str()), ("immuta", "immuta"));
        assert_eq!((endpoint.server_name, endpoint.ca_file, impersonation), (None, None, None));
    }

    #[test]
    fn names_are_folded_except_the_users() {
        let all = with(&json!({
            "host": "Redshift.Example.Com", "port": 15439, "database": "IMMUTA",
            "initialDatabase": "Dev", "username": "Immuta", "connectTimeout": "3s",
            "impersonation": {"enabled": true, "role": "Impersonators"},
            "tls": {"caFile": "/ca.pem", "serverName": "10.0.0.1"},
        }));
        assert_eq!((all.faults, all.warnings), (vec![], vec![]));
        let Redshift { endpoint, database, impersonation } = all.redshift.unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("redshift.example.com", 15439));
        assert_eq!((endpoint.database.as_str(), database.as_str()), ("dev", "immuta"));
        assert_eq!(
            (endpoint.username.as_str(), impersonation),
            ("Immuta", Some("impersonators".to_owned()))
        );
        assert_eq!(endpoint.server_name.as_deref(), Some("10.0.0.1"));
        assert_eq!(endpoint.connect_timeout, Duration::from_secs(3));
        let on = with(&json!({"impersonation": {"enabled": true}})).redshift.unwrap();
        assert_eq!(on.impersonation.as_deref(), Some("immuta_impersonation"));
        let off = with(&json!({"impersonation": {"role": "impersonators"}})).redshift.unwrap();
        assert_eq!(off.impersonation, None);
    }

    fn assert_faults(cases: impl IntoIterator<Item = (Json, String)>) {
        for (changes, expected) in cases {
            let faults = with(&changes).faults;
            assert_eq!(faults, [format!("r.json: config.{expected}")], "{changes}");
        }
    }

    #[test]
    fn each_mistake_is_named_exactly() {
        let unsupported = |word| {
            format!(
                "authenticationType: `{word}` is not supported by this version; use \
                `userPassword` with the `username` and `password` of a database user"
            )
        };
        assert_faults([
            (json!({"authenticationType": "accessKey"}), unsupported("accessKey")),
            (
                json!({"authenticationType": "okta", "username": null, "password": null}),
                unsupported("okta"),
            ),
        ]);
        let cases = [
            (json!({"host": null}), "host: missing; add `host`"),
            (json!({"database": null}), "database: missing; add `database`"),
            (json!({"username": null}), "username: missing; add `username`"),
            (json!({"password": null}), "password: missing; add `password`"),
            (json!({"port": 0}), "port: expected a whole number from 1 to 65535, found 0"),
            (
                json!({"authenticationType": "userpassword"}),
                "authenticationType: expected one of `userPassword`, `accessKey`, `okta`, found \
                \"userpassword\"; did you mean `userPassword`?",
            ),
            (
                json!({"connectTimeout": "10m"}),
                "connectTimeout: expected a duration from 1s to 1m such as \"30s\" or \"1h 30m\", \
                found \"10m\"",
            ),
            (
                json!({"impersonation": {"enable": true}}),
                "impersonation.enable: unknown key; did you mean `enabled`?",
            ),
            (
                json!({"tls": {"cafile": "/ca.pem"}}),
                "tls.cafile: unknown key; did you mean `caFile`?",
            ),
            (
                json!({"initialDatabse": "dev"}),
                "initialDatabse: unknown key; did you mean `initialDatabase`?",
            ),
        ];
        assert_faults(cases.map(|(changes, expected)| (changes, expected.to_owned())));
    }

    #[test]
    fn a_wrong_name_is_shown_unless_a_password_may_stand_in_it() {
        const HOST: &str = "expected a host name or address alone, without scheme, port or path";
        const NAME: &str = "expected a name of 1 to 127 bytes without control characters";
        let cut = format!("\"{}…\"", "d".repeat(60));
        let cases = [
            (json!({"host": "https://r.example.com"}), "host", HOST, "\"https://r.example.com\""),
            (json!({"host": "r.example.com:5439"}), "host", HOST, "\"r.example.com:5439\""),
            (json!({"tls": {"serverName": "a b"}}), "tls.serverName", HOST, "\"a b\""),
            (json!({"database": "a\u{0}b"}), "database", NAME, "\"a\\0b\""),
            (json!({"initialDatabase": "d".repeat(128)}), "initialDatabase", NAME, cut.as_str()),
            (json!({"username": ""}), "username", NAME, "\"\""),
            (json!({"impersonation": {"role": ""}}), "impersonation.role", NAME, "\"\""),
        ];
        assert_faults(cases.map(|(changes, key, wanted, found)| {
            (changes, format!("{key}: {wanted}, found {found}"))
        }));
        assert_faults([(json!({"host": "u:hunter2@r.example.com"}), format!("host: {HOST}"))]);
    }

    #[test]
    fn every_published_key_is_known_and_every_secret_is_marked() {
        let all = with(&json!({
            "accessKeyId": "AKIA", "secretKey": {"env": "S"}, "sessionToken": {"env": "T"},
            "databaseUser": "d", "connectArgs": "timeout=5", "authenticationType": "userPassword",
            "okta": {"username": "u", "password": {"env": "P"}, "appId": "a", "idpHost": "h", "role": "r"},
        }));
        assert_eq!(all.faults, Vec::<String>::new());
        let unused = |key: &str| format!("r.json: config.{key}: {UNUSED}");
        let mut expected: Vec<_> =
            ["accessKeyId", "databaseUser", "secretKey", "sessionToken", "okta"].map(unused).into();
        expected.push(
            "r.json: config.connectArgs: not used: every connection is made with verified TLS"
                .to_owned(),
        );
        assert_eq!(all.warnings, expected);
        let secrets = ["okta.password", "password", "secretKey", "sessionToken"];
        assert_eq!(all.secrets, secrets.map(|key| format!("config.{key}")).into());
    }

    #[test]
    fn words_and_variants_of_authentication_agree() {
        for (word, authentication) in Authentication::WORDS {
            assert_eq!(authentication.as_str(), word);
        }
    }

    /// A TOML value with its shape only.
    fn from_toml(item: &toml_edit::Item) -> Value {
        let kind = if let Some(table) = item.as_table_like() {
            Kind::Table(table.iter().map(|(key, item)| (key.to_owned(), from_toml(item))).collect())
        } else if let Some(tables) = item.as_array_of_tables() {
            let tables = tables.iter().map(|table| from_toml(&table.clone().into()));
            Kind::Array(tables.collect())
        } else if let Some(text) = item.as_str() {
            Kind::String(text.to_owned())
        } else if let Some(number) = item.as_integer() {
            Kind::Integer(number)
        } else {
            Kind::Bool(item.as_bool().expect("the sample has no other kinds"))
        };
        Value { kind, origin: Arc::from("sample") }
    }

    #[test]
    fn the_sample_and_its_commented_keys_are_accepted() {
        let commented = |line: &str| -> String {
            let bare = line.strip_prefix("# ").unwrap_or(line);
            let is_key = bare.starts_with('[') || bare.contains(" = \"");
            if is_key { bare.to_owned() } else { line.to_owned() }
        };
        let full = PLATFORM.sample.lines().map(commented).collect::<Vec<_>>().join("\n");
        for (text, has_ca_file) in [(PLATFORM.sample, false), (full.as_str(), true)] {
            let document: toml_edit::DocumentMut = text.parse().unwrap();
            let integration =
                &document["integration"].as_array_of_tables().unwrap().get(0).unwrap();
            assert_eq!(integration["type"].as_str(), Some(PLATFORM.kind));
            let found = found(&from_toml(&integration["config"]));
            assert_eq!((found.faults, found.warnings), (vec![], vec![]));
            let redshift = found.redshift.unwrap();
            assert_eq!(redshift.impersonation.as_deref(), Some(IMPERSONATION_ROLE));
            assert_eq!(redshift.endpoint.ca_file.is_some(), has_ca_file);
        }
    }
}
