//! Reads the published attributes of a Snowflake integration, and the unpublished ones.

use super::credential_keys::credentials;
use super::credentials::{Credentials, KeyPair, OAuth, Password};
use super::integration::{Bootstrap, Snowflake};
use super::link::Service;
use super::statement::Name;
use crate::input::Reader;
use crate::platforms::Identity;
use crate::platforms::connection::{Endpoint, authority, is_host, server};

const PORT: u16 = 443;
/// Published name of the impersonation role.
const IMPERSONATION_ROLE: &str = "IMMUTA_IMPERSONATION";
/// Published prefix of the roles of table grants.
const ROLE_PREFIX: &str = "IMMUTA";
/// Suffixes of the names of Snowflake's servers.
const DOMAINS: [&str; 3] =
    [".snowflakecomputing.com", ".snowflakecomputing.cn", ".snowflakecomputing.mil"];

/// Reads the `config` table; faults are left with the reader.
pub(super) fn read(mut config: Reader<'_>) -> Option<Snowflake> {
    let host = host(&mut config);
    let port = config.port("port").unwrap_or(PORT);
    let account = account(&mut config, host.as_deref());
    let region = host.as_deref().and_then(region_of);
    let mut origin = match server(&mut config, "endpoint") {
        Some(origin) => origin,
        None if port == PORT => format!("https://{}", host.as_deref().unwrap_or_default()),
        None => format!("https://{}:{port}", host.as_deref().unwrap_or_default()),
    };
    let endpoint = Endpoint::read(&mut config, Some(&mut origin));
    config.required("warehouse");
    config.required("database");
    let (warehouse, database) = (name(&mut config, "warehouse"), name(&mut config, "database"));
    let role = name(&mut config, "role");
    let credentials = credentials(&mut config, account.as_deref());
    let username = config.string("username");
    let grants =
        config.table("tableGrants").map_or_else(|| Some(TableGrants::default()), table_grants);
    let impersonation = config.table("impersonation").and_then(impersonation);
    let bootstrap = config.table("bootstrap");
    let bootstrap = bootstrap.map(|table| bootstrap_user(table, account.as_deref()));
    unused(&mut config);
    config.finish();
    let (prefix, owner) = grants.map(|TableGrants { prefix, owner }| (prefix, owner)).unzip();
    let (credentials, database) = (credentials?, database?);
    let service = Service { server: host.map(|_| origin)?, endpoint: endpoint? };
    Some(Snowflake {
        identity: Identity {
            region,
            ..identity(&service, &database, &credentials, account.as_deref(), username.as_deref())
        },
        service,
        credentials,
        warehouse: warehouse?,
        database,
        role,
        prefix,
        owner: owner.flatten(),
        impersonation,
        bootstrap: match bootstrap {
            Some(bootstrap) => Some(bootstrap?),
            None => None,
        },
    })
}

/// Returns the values that are compared with other integrations, but for the region; `account` and
/// `username` as far as they are known.
fn identity(
    service: &Service,
    database: &Name,
    credentials: &Credentials,
    account: Option<&str>,
    username: Option<&str>,
) -> Identity {
    let host = authority(&service.server).to_owned();
    let name = match credentials {
        Credentials::KeyPair(KeyPair { user, .. })
        | Credentials::Password(Password { user, .. }) => Some(user.as_str()),
        Credentials::OAuth(OAuth { client, .. }) => username.or(Some(client)),
        Credentials::Token(_) | Credentials::Workload(_) => username,
    };
    let place = account.unwrap_or(&host);
    Identity {
        target: Some(format!("{host}/{database}")),
        principal: name.map(|name| format!("snowflake {}@{place}", name.to_uppercase())),
        account: account.map(|account| format!("snowflake {account}")),
        authority: service.endpoint.ca_file(),
        host,
        ..Identity::default()
    }
}

fn host(config: &mut Reader<'_>) -> Option<String> {
    let host = config.required_string("host")?;
    if is_host(&host) {
        return Some(host.to_lowercase());
    }
    let wanted = "expected a host name alone such as org-account.snowflakecomputing.com, without \
        scheme, port or path";
    config.refuse("host", wanted);
    None
}

/// Returns the account as tokens name it; none when neither the key nor the host contains it.
fn account(config: &mut Reader<'_>, host: Option<&str>) -> Option<String> {
    let Some(text) = config.string("account") else {
        return host.and_then(account_of).map(str::to_uppercase);
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || !text.chars().all(plain) {
        config.refuse("account", "expected an account identifier such as org-account or xy12345");
        return None;
    }
    Some(without_region(&text).to_uppercase())
}

/// Returns the account in the host name of a server of Snowflake.
fn account_of(host: &str) -> Option<&str> {
    let name = DOMAINS.iter().find_map(|domain| host.strip_suffix(domain))?;
    let name = name.strip_suffix(".privatelink").unwrap_or(name);
    Some(without_region(name)).filter(|account| !account.is_empty())
}

/// Returns the region in the host name of a server of Snowflake, with its cloud, which the first
/// regions of AWS leave out.
fn region_of(host: &str) -> Option<String> {
    let name = DOMAINS.iter().find_map(|domain| host.strip_suffix(domain))?;
    let name = name.strip_suffix(".privatelink").unwrap_or(name);
    let (_, region) = name.split_once('.')?;
    let (region, cloud) = region.split_once('.').unwrap_or((region, "aws"));
    let is_known = matches!(cloud, "aws" | "azure" | "gcp") && !region.starts_with("global");
    is_known.then(|| format!("{cloud} {region}"))
}

/// Returns an account identifier up to its first point; for `.global` ones, up to the first hyphen.
fn without_region(identifier: &str) -> &str {
    match identifier.split_once('.') {
        Some((account, region)) if region.starts_with("global") => {
            account.split_once('-').map_or(account, |(account, _)| account)
        }
        Some((account, _)) => account,
        None => identifier,
    }
}

/// Reads a name; none when the key is absent.
fn name(config: &mut Reader<'_>, key: &'static str) -> Option<Name> {
    let text = config.string(key)?;
    Name::read(&text).map_err(|wanted| config.refuse(key, wanted)).ok()
}

/// Roles of table grants.
struct TableGrants {
    /// Prefix of their names.
    prefix: String,
    /// Owner of the roles, besides `role`.
    owner: Option<Name>,
}

impl Default for TableGrants {
    fn default() -> Self {
        Self { prefix: ROLE_PREFIX.to_owned(), owner: None }
    }
}

fn table_grants(mut table: Reader<'_>) -> Option<TableGrants> {
    let enabled = table.boolean("enabled").unwrap_or(true);
    let prefix = match name(&mut table, "rolePrefix") {
        Some(prefix) => prefix.as_str().to_owned(),
        None => ROLE_PREFIX.to_owned(),
    };
    let owner = name(&mut table, "ownerRole");
    table.finish();
    enabled.then_some(TableGrants { prefix, owner })
}

/// Reads the role that must exist; none when impersonation is disabled.
fn impersonation(mut table: Reader<'_>) -> Option<Name> {
    let enabled = table.boolean("enabled").unwrap_or(false);
    let role = name(&mut table, "role");
    let role = if table.has("role") { role } else { Name::read(IMPERSONATION_ROLE).ok() };
    table.strings("warehouses");
    table.finish();
    role.filter(|_| enabled)
}

fn bootstrap_user(mut table: Reader<'_>, account: Option<&str>) -> Option<Bootstrap> {
    table.required("role");
    let role = name(&mut table, "role");
    let credentials = credentials(&mut table, account);
    table.finish();
    Some(Bootstrap { credentials: credentials?, role: role? })
}

/// Reads the published keys that no test needs; their types are checked all the same.
fn unused(config: &mut Reader<'_>) {
    if let Some(mut audit) = config.table("audit") {
        audit.boolean("enabled");
        audit.finish();
    }
    if let Some(mut workspaces) = config.table("workspaces") {
        workspaces.boolean("enabled");
        workspaces.strings("warehouses");
        workspaces.finish();
    }
    if let Some(mut pattern) = config.table("userRolePattern") {
        pattern.strings("exclude");
        pattern.finish();
    }
    // Its keys are not published in full.
    config.table("lineage");
    if config.has("connectArgs") {
        config.warn("connectArgs", "not used: nothing here takes a driver's arguments");
    }
}
