//! Reads the attributes of an Azure Synapse Analytics integration.

use std::time::Duration;

use reqwest::Url;
use strum::{IntoStaticStr, VariantArray};

use super::client::Server;
use super::credentials::{Credentials, Managed, Principal};
use super::integration::{Delimiters, Synapse};
use crate::domain::SecretRef;
use crate::input::Reader;
use crate::net::oauth::KeptToken;
use crate::platforms::authentication;
use crate::platforms::azure::{
    ClientCredential, Cloud, METADATA, ManagedIdentity, ServicePrincipal,
};
use crate::platforms::connection::{Endpoint, TcpEndpoint, server};

/// SQL Server's own port.
const PORT: u16 = 1433;
/// Published name of the impersonation role.
const IMPERSONATION_ROLE: &str = "IMMUTA_IMPERSONATION";
/// Default time for one statement: three of them fit into the default limit of a test.
const READ_TIMEOUT: Duration = Duration::from_secs(8);
/// Shortest and longest `readTimeout`.
const READ_TIMEOUTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(5)];
/// Longest name in SQL Server (`sysname`), in characters.
const NAME_MAX: usize = 128;
/// Longest delimiter, in characters.
const DELIMITER_MAX: usize = 16;

/// Keys of the table `azure` that an application uses.
const OF_APPLICATION: [&str; 9] = [
    "tenantId",
    "clientId",
    "clientSecret",
    "clientCertificate",
    "clientKey",
    "clientAssertion",
    "authority",
    "proxy",
    "tls",
];

/// Kinds of credentials as configured.
#[derive(Clone, Copy, IntoStaticStr, PartialEq, VariantArray)]
#[strum(serialize_all = "camelCase")]
enum Authentication {
    UserPassword,
    EntraServicePrincipal,
    EntraManagedIdentity,
    EntraToken,
}

/// Kinds of log-in of the drivers (`Authentication` in connection strings) under their own names, and what
/// to use instead.
const INSTEAD: [(&str, &str); 9] = [
    ("sqlPassword", "use `userPassword`"),
    ("activeDirectoryServicePrincipal", "use `entraServicePrincipal`"),
    (
        "activeDirectoryServicePrincipalCertificate",
        "use `entraServicePrincipal` with `azure.clientCertificate`",
    ),
    ("activeDirectoryManagedIdentity", "use `entraManagedIdentity`"),
    ("activeDirectoryMSI", "use `entraManagedIdentity`"),
    ("activeDirectoryDefault", "it tries one log-in after the other; use `entraManagedIdentity`"),
    ("activeDirectoryPassword", "it logs in as a person; use `entraServicePrincipal`"),
    ("activeDirectoryInteractive", "it takes the log-in of a person; use `entraServicePrincipal`"),
    ("activeDirectoryIntegrated", "it takes the log-in of a person; use `entraServicePrincipal`"),
];

impl Authentication {
    /// Returns the keys that only this kind uses.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::UserPassword => &["username", "password"],
            Self::EntraServicePrincipal | Self::EntraManagedIdentity => &[],
            Self::EntraToken => &["token"],
        }
    }
}

/// Keys of the table `azure`.
#[derive(Default)]
struct Azure {
    cloud: Option<Cloud>,
    principal: Option<Box<Application>>,
    managed: Option<ManagedIdentity>,
}

struct Application {
    tenant: String,
    client_id: String,
    credential: ClientCredential,
    authority: Option<String>,
    endpoint: Endpoint,
}

/// Reads the `config` table; faults are left with the reader.
pub(super) fn read(mut config: Reader<'_>) -> Option<Synapse> {
    let endpoint = TcpEndpoint::read(&mut config, PORT);
    let name = |config: &mut Reader<'_>, key| {
        config.required_string(key).and_then(|name| valid_name(config, key, name))
    };
    let (database, schema) = (name(&mut config, "database"), name(&mut config, "schema"));
    let given = credentials(&mut config);
    let is_strict = config.choice("encryption", &[("required", false), ("strict", true)]);
    let pause_fails = config.choice("pausedPool", &[("warning", false), ("failed", true)]);
    let impersonation = config.table("impersonation").and_then(impersonation);
    let delimiters =
        config.table("metadataDelimiters").map_or_else(Delimiters::default, delimiters);
    let [min, max] = READ_TIMEOUTS;
    let read_timeout = config.duration("readTimeout", min, max).unwrap_or(READ_TIMEOUT);
    config.finish();
    let (endpoint, given, _) = (endpoint?, given?, schema?);
    let of_host = || Cloud::of_sql_host(&endpoint.server_name);
    let cloud = given.cloud.or_else(of_host).unwrap_or(Cloud::Public);
    let server = Server {
        endpoint,
        is_strict: is_strict.unwrap_or(false),
        cloud,
        database: database?,
        credentials: given.kind.with(cloud),
        read_timeout,
    };
    Some(Synapse { server, impersonation, delimiters, pause_fails: pause_fails.unwrap_or(false) })
}

/// Credentials as configured, before the cloud is known.
enum Kind {
    Password { username: String, password: SecretRef },
    Application(Box<Application>),
    Managed(Box<ManagedIdentity>),
    Token(SecretRef),
}

struct Given {
    kind: Kind,
    cloud: Option<Cloud>,
}

impl Kind {
    fn with(self, cloud: Cloud) -> Credentials {
        match self {
            Self::Password { username, password } => Credentials::Password { username, password },
            Self::Token(token) => Credentials::Token(token),
            Self::Managed(identity) => {
                let (identity, kept) = (*identity, KeptToken::default());
                Credentials::Managed(Box::new(Managed { identity, cloud, kept }))
            }
            Self::Application(application) => {
                let Application { tenant, client_id, credential, authority, endpoint } =
                    *application;
                let authority = authority.unwrap_or_else(|| cloud.authority().to_owned());
                Credentials::Principal(Box::new(Principal {
                    tenant,
                    application: ServicePrincipal { client_id, credential, authority },
                    cloud,
                    endpoint,
                    kept: KeptToken::default(),
                }))
            }
        }
    }
}

fn credentials(config: &mut Reader<'_>) -> Option<Given> {
    let username = config.string("username");
    let username = username.and_then(|name| valid_name(config, "username", name));
    let (password, token) = (config.secret("password"), config.secret("token"));
    let default = Some(Authentication::UserPassword);
    let authentication = if config.has(authentication::KEY) {
        authentication::read_or_instead(config, &INSTEAD)
    } else {
        default
    };
    let is_application = authentication == Some(Authentication::EntraServicePrincipal);
    let azure = if is_application { config.required("azure") } else { Some(()) };
    let azure = azure.and_then(|()| config.table("azure"));
    let is_table = azure.is_some();
    let azure = azure.map(|table| self::azure(table, authentication)).unwrap_or_default();
    let authentication = authentication?;
    for other in Authentication::VARIANTS {
        if *other != authentication {
            authentication::warn_unused(config, authentication, other.keys().iter().copied());
            continue;
        }
        for key in other.keys() {
            config.required(key);
        }
    }
    let kind = match authentication {
        Authentication::UserPassword => Kind::Password { username: username?, password: password? },
        Authentication::EntraServicePrincipal => Kind::Application(azure.principal?),
        Authentication::EntraManagedIdentity if is_table => Kind::Managed(Box::new(azure.managed?)),
        Authentication::EntraManagedIdentity => {
            let identity = ManagedIdentity::new(None, METADATA.to_owned());
            let identity = identity.map_err(|error| config.fault("azure", error)).ok()?;
            Kind::Managed(Box::new(identity))
        }
        Authentication::EntraToken => Kind::Token(token?),
    };
    Some(Given { kind, cloud: azure.cloud })
}

/// Reads the table `azure`. All keys are read in any case, so that its secrets are known as such.
fn azure(mut table: Reader<'_>, authentication: Option<Authentication>) -> Azure {
    let is_application = authentication == Some(Authentication::EntraServicePrincipal);
    let is_managed = authentication == Some(Authentication::EntraManagedIdentity);
    let cloud = table.choice("cloud", &Cloud::WORDS);
    let (tenant, client_id) = (table.string("tenantId"), table.string("clientId"));
    let credential = if is_application {
        ClientCredential::read(&mut table)
    } else {
        ClientCredential::unused(&mut table);
        None
    };
    let authority = server(&mut table, "authority");
    // The token endpoint keeps its own name: it is never behind a private link.
    let endpoint = Endpoint::read(&mut table, None);
    if is_application {
        for key in ["tenantId", "clientId"] {
            table.required(key);
        }
    }
    let metadata = metadata_endpoint(&mut table);
    for key in OF_APPLICATION {
        let is_used = is_application || (is_managed && key == "clientId");
        if !is_used && table.has(key) {
            table.warn(key, "only used with `entraServicePrincipal`; remove it");
        }
    }
    if !is_managed && table.has("metadataEndpoint") {
        table.warn("metadataEndpoint", "only used with `entraManagedIdentity`; remove it");
    }
    let filled = |key: &str, text: Option<String>| {
        let text = text?;
        if text.trim().is_empty() {
            table.fault(key, "must not be empty");
            return None;
        }
        Some(text)
    };
    let (tenant, client_id) = (filled("tenantId", tenant), filled("clientId", client_id));
    let managed = match (is_managed, metadata) {
        (true, Some(metadata)) => ManagedIdentity::new(client_id.clone(), metadata)
            .map_err(|error| table.fault("metadataEndpoint", error))
            .ok(),
        (_, None) | (false, Some(_)) => None,
    };
    table.finish();
    let principal = || {
        let (credential, endpoint) = (credential?, endpoint?);
        let (tenant, client_id) = (tenant?, client_id?);
        let application = Application { tenant, client_id, credential, authority, endpoint };
        Some(Box::new(application))
    };
    Azure { cloud, principal: principal(), managed }
}

/// Reads the address of the metadata service, which speaks plain HTTP; none where it is wrong.
fn metadata_endpoint(table: &mut Reader<'_>) -> Option<String> {
    let Some(text) = table.string("metadataEndpoint") else { return Some(METADATA.to_owned()) };
    let url = Url::parse(&text).ok().filter(|url| url.host_str().is_some());
    if url.is_none() {
        table.refuse("metadataEndpoint", "must be an address such as http://169.254.169.254");
    }
    url.map(|url| url.origin().ascii_serialization())
}

/// Reads the role that must exist; none when impersonation is disabled.
fn impersonation(mut table: Reader<'_>) -> Option<String> {
    let enabled = table.boolean("enabled").unwrap_or(false);
    let role = table.string("role").unwrap_or_else(|| IMPERSONATION_ROLE.to_owned());
    let role = valid_name(&table, "role", role);
    table.finish();
    role.filter(|_| enabled)
}

fn delimiters(mut table: Reader<'_>) -> Delimiters {
    let mut delimiters = Delimiters::default();
    let given = [
        ("hashDelimiter", &mut delimiters.hash),
        ("hashKeyDelimiter", &mut delimiters.hash_key),
        ("arrayDelimiter", &mut delimiters.array),
    ];
    for (key, place) in given {
        let Some(text) = table.string(key) else { continue };
        if (1..=DELIMITER_MAX).contains(&text.chars().count()) {
            *place = text;
        } else {
            table.refuse(key, &format!("expected 1 to {DELIMITER_MAX} characters"));
        }
    }
    table.finish();
    delimiters
}

fn valid_name(table: &Reader<'_>, key: &str, name: String) -> Option<String> {
    let fits = (1..=NAME_MAX).contains(&name.encode_utf16().count());
    if fits && !name.contains(char::is_control) {
        return Some(name);
    }
    let wanted =
        format!("expected a name of 1 to {NAME_MAX} characters without control characters");
    table.refuse(key, &wanted);
    None
}
