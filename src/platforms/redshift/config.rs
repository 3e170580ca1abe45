//! Reads the published attributes of a Redshift integration.

use std::time::Duration;

use reqsign_core::Env;
use strum::{IntoStaticStr, VariantArray};

use tokio::sync::Mutex;

use super::client::Server;
use super::cluster::{Target, is_cluster, target};
use super::iam::{Iam, SESSION_POLICY};
use super::integration::{Credentials, Redshift};
use crate::domain::SecretRef;
use crate::input::Reader;
use crate::platforms::authentication;
use crate::platforms::aws::config::{key_id, region, replacement, role};
use crate::platforms::aws::credentials::{self as aws, AccessKey, CredentialChain};
use crate::platforms::aws::endpoint::Variant;
use crate::platforms::aws::machine::Machine;
use crate::platforms::aws::sts::Sts;
use crate::platforms::connection::{Endpoint, TcpEndpoint};

/// Default port of Redshift.
const PORT: u16 = 5439;
/// Published name of the impersonation role.
const IMPERSONATION_ROLE: &str = "immuta_impersonation";
/// Default time for one statement: three of them fit into the default limit of a test.
const READ_TIMEOUT: Duration = Duration::from_secs(8);
/// Shortest and longest `readTimeout`.
const READ_TIMEOUTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(5)];
/// Longest name in Redshift, in bytes.
const NAME_BYTES_MAX: usize = 127;
/// Keys of credentials by password.
const OF_PASSWORD: [&str; 2] = ["username", "password"];
/// Keys of credentials by IAM; none is published.
const OF_IAM: [&str; 12] = [
    "accessKeyId",
    "secretKey",
    "sessionToken",
    "databaseUser",
    "clusterIdentifier",
    "awsRegion",
    "awsRoleToAssume",
    "externalId",
    "endpoints",
    "useFips",
    "useDualstack",
    "api",
];

/// Reason why a log-in by Okta is not made, and what to use instead.
pub(super) const NO_OKTA: &str = "`okta` is not supported: it logs in as a person, whose password \
    Okta would have to be sent every time, and who may be asked for a second factor; use \
    `accessKey` with `databaseUser`, or `userPassword`";

/// Published kinds of credentials.
#[derive(Clone, Copy, IntoStaticStr, PartialEq, VariantArray)]
#[strum(serialize_all = "camelCase")]
enum Authentication {
    UserPassword,
    AccessKey,
    Okta,
}

/// Reads the `config` table; faults are left with the reader. Without an access key, AWS is asked with
/// the credentials of `machine`.
pub(super) fn read(mut config: Reader<'_>, machine: Machine<impl Env>) -> Option<Redshift> {
    let endpoint = TcpEndpoint::read(&mut config, PORT);
    let host = endpoint.as_ref().map(|endpoint| endpoint.host.as_str());
    let database = config.required_string("database");
    let database = database.and_then(|name| folded(&config, "database", &name));
    let initial = config.string("initialDatabase");
    let initial = initial.and_then(|name| folded(&config, "initialDatabase", &name));
    let login = initial.or_else(|| database.clone());
    let target = LoginTarget { host, database: login.as_deref() };
    let credentials = credentials(&mut config, target, machine);
    let impersonation = config.table("impersonation").and_then(impersonation);
    if config.has("connectArgs") {
        config.warn("connectArgs", "not used: every connection is made with verified TLS");
    }
    let [min, max] = READ_TIMEOUTS;
    let read_timeout = config.duration("readTimeout", min, max).unwrap_or(READ_TIMEOUT);
    config.finish();
    let server = Server { endpoint: endpoint?, database: login?, read_timeout };
    Some(Redshift { server, credentials: credentials?, database: database?, impersonation })
}

/// Host and database of the log-in, as far as they are configured and valid.
#[derive(Clone, Copy)]
struct LoginTarget<'a> {
    host: Option<&'a str>,
    database: Option<&'a str>,
}

/// Reads the credentials; keys of the other kinds are known, and warned about.
fn credentials(
    config: &mut Reader<'_>,
    target: LoginTarget<'_>,
    machine: Machine<impl Env>,
) -> Option<Credentials> {
    let username = config.string("username");
    let password = config.secret("password");
    let keys = Keys::read(config);
    okta(config);
    for key in OF_IAM {
        config.has(key);
    }
    let default = Some(Authentication::UserPassword);
    let authentication = authentication::read(config, default)?;
    match authentication {
        Authentication::UserPassword => {
            let keys = OF_IAM.into_iter().chain(["okta"]);
            authentication::warn_unused(config, authentication, keys);
            config.required("username");
            config.required("password");
            let username = username.and_then(|name| valid_name(config, "username", name));
            Some(Credentials::Password { username: username?, password: password? })
        }
        Authentication::AccessKey => {
            let unused = OF_PASSWORD.into_iter().chain(["okta"]);
            authentication::warn_unused(config, authentication, unused);
            keys.iam(config, target, machine).map(|iam| Credentials::Iam(Box::new(iam)))
        }
        Authentication::Okta => {
            config.warn(authentication::KEY, format!("cannot be validated: {NO_OKTA}"));
            let username = username.unwrap_or_default();
            Some(Credentials::Okta { username })
        }
    }
}

/// Makes the keys of Okta known, and its secret marked as such.
fn okta(config: &mut Reader<'_>) {
    if let Some(mut okta) = config.table("okta") {
        okta.secret("password");
        for key in ["username", "appId", "idpHost", "role"] {
            okta.string(key);
        }
        okta.finish();
    }
}

/// Keys of IAM as configured.
struct Keys {
    secret: Option<SecretRef>,
    token: Option<SecretRef>,
    user: Option<String>,
    cluster: Option<String>,
    region: Option<String>,
    /// Addresses of Redshift's API and of the Security Token Service.
    origins: [Option<String>; 2],
    endpoint: Option<Endpoint>,
}

impl Keys {
    fn read(config: &mut Reader<'_>) -> Self {
        config.string("accessKeyId");
        let secret = config.secret("secretKey");
        let token = config.secret("sessionToken");
        let user = config.string("databaseUser");
        let cluster = config.string("clusterIdentifier");
        let region = region(config, "awsRegion");
        let origins = config.table("endpoints").map(|mut table| {
            let origins = [replacement(&mut table, "redshift"), replacement(&mut table, "sts")];
            table.finish();
            origins
        });
        let endpoint = match config.table("api") {
            Some(mut table) => {
                let endpoint = Endpoint::read(&mut table, None);
                table.finish();
                endpoint
            }
            None => Endpoint::usual().map_err(|error| config.fault("api", error.to_string())).ok(),
        };
        Self {
            secret,
            token,
            user,
            cluster,
            region,
            origins: origins.unwrap_or_default(),
            endpoint,
        }
    }

    fn iam(
        self,
        config: &mut Reader<'_>,
        target: LoginTarget<'_>,
        machine: Machine<impl Env>,
    ) -> Option<Iam> {
        let LoginTarget { host, database } = target;
        let Self { secret, token, user, cluster, region, origins, endpoint } = self;
        let given = access_key(config, secret, token);
        config.required("databaseUser");
        let user = user.and_then(|name| database_user(config, name));
        let found = place(config, host?, cluster, region);
        let variant = Variant::read(config, found.as_ref().map(|(_, region)| region.as_str()));
        let (cluster, region) = found?;
        let [redshift, sts] = origins;
        let origin = |given: Option<String>, service| {
            given.unwrap_or_else(|| variant.origin(service, &region))
        };
        let sts = Sts { origin: origin(sts, "sts"), policy: SESSION_POLICY };
        let credentials = CredentialChain::new(given?, sts, machine);
        let credentials = credentials.map_err(|error| config.fault("api", error.to_string()));
        Some(Iam {
            origin: origin(redshift, "redshift"),
            cluster,
            region,
            user: user?,
            database: database?.to_owned(),
            endpoint: endpoint?,
            credentials: credentials.ok()?,
            kept: Mutex::default(),
        })
    }
}

/// Reads an access key; without one, the machine's own identity is used.
fn access_key(
    config: &mut Reader<'_>,
    secret: Option<SecretRef>,
    token: Option<SecretRef>,
) -> Option<aws::Credentials> {
    let role = role(config);
    let given = ["accessKeyId", "secretKey", "sessionToken"].map(|key| config.has(key));
    if given == [false; 3] {
        return Some(aws::Credentials { key: None, role });
    }
    config.required("accessKeyId");
    config.required("secretKey");
    let id = key_id(config, "accessKeyId");
    let key = AccessKey { id: id?, secret: secret?, token };
    Some(aws::Credentials { key: Some(key), role })
}

fn database_user(config: &Reader<'_>, name: String) -> Option<String> {
    let name = valid_name(config, "databaseUser", name)?;
    if name.contains([':', '/']) {
        config.refuse("databaseUser", "expected the database user's own name, without `:` or `/`");
        return None;
    }
    Some(name)
}

/// Returns the cluster and its region, as given or as the name of the host contains them.
fn place(
    config: &mut Reader<'_>,
    host: &str,
    cluster: Option<String>,
    region: Option<String>,
) -> Option<(String, String)> {
    let of_host = target(host);
    if matches!(of_host, Target::Workgroup { .. }) {
        config.fault(
            authentication::KEY,
            "`accessKey` cannot be used with a serverless workgroup: asking AWS for credentials \
            there can create the database user; use `userPassword` with the `username` and \
            `password` of a database user",
        );
        return None;
    }
    let (its_cluster, its_region) = match of_host {
        Target::Cluster { cluster, region } => (Some(cluster), Some(region)),
        Target::ManagedEndpoint { region } => (None, Some(region)),
        Target::Workgroup { .. } | Target::Unknown => (None, None),
    };
    if cluster.as_deref().is_some_and(|name| !is_cluster(name)) {
        config.refuse(
            "clusterIdentifier",
            "expected the identifier of a cluster: lower-case letters, digits and hyphens",
        );
    }
    let mut derived = |key, given: Option<String>, its: Option<&str>| {
        if given.is_none() && its.is_none() && !config.has(key) {
            config.fault(key, format!("missing; `host` does not contain it, so add `{key}`"));
        }
        given.or_else(|| its.map(str::to_owned))
    };
    let cluster = derived("clusterIdentifier", cluster, its_cluster);
    let region = derived("awsRegion", region, its_region);
    cluster.zip(region)
}

/// Reads the role that must exist; none when impersonation is disabled.
fn impersonation(mut table: Reader<'_>) -> Option<String> {
    let enabled = table.boolean("enabled").unwrap_or(false);
    let role = table.string("role").unwrap_or_else(|| IMPERSONATION_ROLE.to_owned());
    let role = folded(&table, "role", &role);
    table.finish();
    role.filter(|_| enabled)
}

/// Returns `name` as Redshift stores it: in lower case, quoted or not.
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
    use crate::input::{Faults, Value};
    use crate::platforms::redshift::PLATFORM;
    use crate::platforms::testing::sample_config;
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
        let redshift = read(Reader::new(value, "config", &faults).unwrap(), Machine::this());
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
        let Redshift { server, credentials, database, impersonation } = redshift.unwrap();
        let endpoint = server.endpoint;
        assert_eq!(credentials.user(), "immuta");
        assert_eq!((endpoint.port, endpoint.connect_timeout), (5439, Duration::from_secs(10)));
        assert_eq!((server.database.as_str(), database.as_str()), ("immuta", "immuta"));
        assert_eq!(endpoint.server_name, "redshift.example.com");
        assert_eq!((endpoint.ca_file, impersonation), (None, None));
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
        let Redshift { server, credentials, database, impersonation } = all.redshift.unwrap();
        let endpoint = server.endpoint;
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("redshift.example.com", 15439));
        assert_eq!((server.database.as_str(), database.as_str()), ("dev", "immuta"));
        assert_eq!(
            (credentials.user(), impersonation),
            ("Immuta", Some("impersonators".to_owned()))
        );
        assert_eq!(endpoint.server_name, "10.0.0.1");
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
        let unused =
            |key: &str| format!("r.json: config.{key}: not used with `userPassword`; remove it");
        let mut expected: Vec<_> =
            ["accessKeyId", "secretKey", "sessionToken", "databaseUser", "okta"].map(unused).into();
        expected.push(
            "r.json: config.connectArgs: not used: every connection is made with verified TLS"
                .to_owned(),
        );
        assert_eq!(all.warnings, expected);
        let secrets = ["okta.password", "password", "secretKey", "sessionToken"];
        assert_eq!(all.secrets, secrets.map(|key| format!("config.{key}")).into());
    }

    const HOST: &str = "prod.abc.eu-central-1.redshift.amazonaws.com";

    /// A configuration for IAM with `changes`.
    fn iam(changes: &Json) -> Found {
        let mut all = json!({
            "host": HOST, "username": null, "password": null, "authenticationType": "accessKey",
            "databaseUser": "immuta", "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "secretKey": {"file": "/s"},
        });
        for (key, value) in changes.as_object().unwrap() {
            all[key] = value.clone();
        }
        with(&all)
    }

    #[test]
    fn iam_reads_cluster_and_region_from_the_host_or_the_configuration() {
        let cases = [
            (json!({}), ["prod", "eu-central-1", "https://redshift.eu-central-1.amazonaws.com"]),
            (
                json!({"host": "p.abc.cn-north-1.redshift.amazonaws.com.cn"}),
                ["p", "cn-north-1", "https://redshift.cn-north-1.amazonaws.com.cn"],
            ),
            (
                json!({"clusterIdentifier": "other", "useFips": true, "useDualstack": true}),
                ["other", "eu-central-1", "https://redshift-fips.eu-central-1.api.aws"],
            ),
            (
                json!({
                    "host": "10.0.0.7", "clusterIdentifier": "c", "awsRegion": "us-gov-west-1",
                    "useFips": true,
                }),
                ["c", "us-gov-west-1", "https://redshift.us-gov-west-1.amazonaws.com"],
            ),
            (
                json!({"endpoints": {"redshift": "https://vpce-1.example:8443/"}}),
                ["prod", "eu-central-1", "https://vpce-1.example:8443"],
            ),
        ];
        for (changes, [cluster, region, origin]) in cases {
            let Found { redshift, faults, warnings, secrets } = iam(&changes);
            assert_eq!((faults, warnings), (vec![], vec![]), "{changes}");
            assert!(secrets.contains("config.secretKey"));
            let Credentials::Iam(iam) = redshift.unwrap().credentials else { panic!("{changes}") };
            let found = [iam.cluster.as_str(), &iam.region, &iam.origin];
            assert_eq!(found, [cluster, region, origin], "{changes}");
            assert_eq!((iam.user.as_str(), iam.database.as_str()), ("immuta", "immuta"));
        }
    }

    #[test]
    fn each_mistake_with_iam_is_named() {
        let no_key = json!({"accessKeyId": null, "secretKey": null});
        assert_eq!(iam(&no_key).faults, [""; 0]);
        let serverless = "wg.123456789012.eu-west-1.redshift-serverless.amazonaws.com";
        let managed = "x-endpoint-1.abc.eu-west-1.redshift.amazonaws.com";
        let cases = [
            (json!({"host": serverless}), "authenticationType: `accessKey` cannot be used with a"),
            (
                json!({"host": managed}),
                "clusterIdentifier: missing; `host` does not contain it, so",
            ),
            (
                json!({"host": "10.0.0.7", "clusterIdentifier": "c"}),
                "awsRegion: missing; `host` does not contain it, so add `awsRegion`",
            ),
            (json!({"databaseUser": null}), "databaseUser: missing"),
            (json!({"databaseUser": "IAMA:immuta"}), "databaseUser: expected the database user's"),
            (json!({"accessKeyId": null}), "accessKeyId: missing"),
            (json!({"secretKey": null}), "secretKey: missing"),
            (json!({"accessKeyId": "AKIA"}), "accessKeyId: must be the id of an access key"),
            (json!({"clusterIdentifier": "A/B"}), "clusterIdentifier: expected the identifier"),
            (json!({"awsRegion": "europe"}), "awsRegion: must be a region"),
            (json!({"awsRoleToAssume": "role/x"}), "awsRoleToAssume: must be the ARN of a role"),
            (json!({"externalId": "abc"}), "externalId: is only used with"),
            (json!({"endpoints": {"redshift": "http://r.example"}}), "endpoints.redshift: must"),
            (json!({"api": {"proxy": {}}}), "api.proxy.url: missing"),
            (json!({"proxy": {"url": "socks5://proxy"}}), "proxy.url: must be the address"),
            (json!({"api": {"tls": {"serverName": "a"}}}), "api.tls: `serverName` cannot be"),
            (
                json!({"awsRegion": "cn-north-1", "useFips": true}),
                "useFips: there are no FIPS endpoints in this region",
            ),
        ];
        for (changes, expected) in cases {
            let faults = iam(&changes).faults;
            assert_eq!(faults.len(), 1, "{changes}: {faults:?}");
            assert!(faults[0].starts_with(&format!("r.json: config.{expected}")), "{faults:?}");
        }
        let both = iam(&json!({"username": "u", "okta": {}}));
        let unused = |key| format!("r.json: config.{key}: not used with `accessKey`; remove it");
        assert_eq!(both.warnings, ["username", "okta"].map(unused));
    }

    #[test]
    fn okta_is_warned_about_and_spoils_no_other_integration() {
        let all = with(&json!({"authenticationType": "okta", "okta": {"username": "u"}}));
        assert_eq!(all.faults, [""; 0]);
        assert!(all.warnings[0].contains("authenticationType: cannot be validated: `okta` is not"));
        assert!(matches!(all.redshift.unwrap().credentials, Credentials::Okta { .. }));
    }

    /// The sample as it stands, and with everything that is commented out in it instead of the
    /// keys of the other way to log in.
    #[test]
    fn the_sample_and_its_commented_keys_are_accepted() {
        let other = ["authenticationType = \"userPassword\"", "username = ", "password = "];
        let lines =
            PLATFORM.sample.lines().filter(|line| !other.iter().any(|key| line.starts_with(key)));
        let commented = |line: &str| -> String {
            let bare = line.strip_prefix("# ").unwrap_or(line);
            let is_key = bare.starts_with('[') || bare.contains(" = ");
            if is_key { bare.to_owned() } else { line.to_owned() }
        };
        let full = lines.map(commented).collect::<Vec<_>>().join("\n");
        for (text, is_full) in [(PLATFORM.sample, false), (full.as_str(), true)] {
            let config = sample_config(&PLATFORM, text);
            let found = found(&Value::from_json(&config, &Arc::from("sample")));
            assert_eq!((found.faults, found.warnings), (vec![], vec![]));
            let redshift = found.redshift.unwrap();
            assert_eq!(redshift.impersonation.as_deref(), Some(IMPERSONATION_ROLE));
            assert_eq!(redshift.server.endpoint.ca_file.is_some(), is_full);
            assert_eq!(matches!(redshift.credentials, Credentials::Iam(_)), is_full);
            assert_eq!(redshift.credentials.user(), "immuta_system_account");
        }
    }
}
