//! Connections to Azure Synapse Analytics, and to SQL servers of Azure that have its pools.

use super::draft::{Draft, Fields};

/// Keys of connections that have a use here, with names of our own.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("server", "host"),
    ("host", "host"),
    ("port", "port"),
    ("database", "database"),
    ("schema", "schema"),
    ("user", "user"),
    ("username", "user"),
    ("uid", "user"),
    ("login", "user"),
    ("password", "password"),
    ("pass", "password"),
    ("pwd", "password"),
    ("authentication", "authentication"),
    ("tenant_id", "tenant"),
    ("client_id", "client_id"),
    ("app_id", "client_id"),
    ("client_secret", "client_secret"),
    ("app_secret", "client_secret"),
    ("windows_login", "windows"),
    ("trusted_connection", "windows"),
];
/// Domains of servers that have dedicated SQL pools, in all clouds of Azure.
const DOMAINS: [&str; 5] = [
    ".sql.azuresynapse.",
    ".database.windows.net",
    ".database.usgovcloudapi.net",
    ".database.chinacloudapi.cn",
    ".database.cloudapi.de",
];

/// Makes the configuration of an integration.
pub(super) fn make(fields: &Fields<'_>, draft: &mut Draft) -> Result<(), String> {
    let host = fields.word("host");
    let host = host.trim_start_matches("tcp:");
    // "server,port" is how drivers write it.
    let (host, port) = host.split_once(',').unwrap_or((host, ""));
    if !DOMAINS.iter().any(|domain| host.contains(domain)) {
        return Err(format!("[{host}] is no server of Azure with dedicated SQL pools"));
    }
    draft.set("config.host", host);
    match port.trim().parse() {
        Ok(port) => draft.put("config.port", crate::input::Kind::Integer(port)),
        Err(_none) => draft.copy(fields, "port", "config.port"),
    }
    draft.copy(fields, "database", "config.database");
    draft.copy(fields, "schema", "config.schema");
    if fields.flag("windows") {
        return Err("it logs in as a Windows user; use a SQL log-in or Microsoft Entra".to_owned());
    }
    match fields.word("authentication").replace(['_', '-'], "").as_str() {
        "" | "sql" | "sqlpassword" => {
            draft.set("config.authenticationType", "userPassword");
            draft.copy(fields, "user", "config.username");
            draft.secret(fields, "password", "config.password");
        }
        "serviceprincipal" | "activedirectoryserviceprincipal" => {
            draft.set("config.authenticationType", "entraServicePrincipal");
            draft.copy(fields, "tenant", "config.azure.tenantId");
            let client = if fields.has("client_id") { "client_id" } else { "user" };
            draft.copy(fields, client, "config.azure.clientId");
            let is_own = fields.has("client_secret");
            let secret = if is_own { "client_secret" } else { "password" };
            draft.secret(fields, secret, "config.azure.clientSecret");
        }
        "msi" | "managedidentity" | "activedirectorymsi" | "activedirectorymanagedidentity" => {
            draft.set("config.authenticationType", "entraManagedIdentity");
            let client = if fields.has("client_id") { "client_id" } else { "user" };
            draft.copy(fields, client, "config.azure.clientId");
        }
        other => {
            return Err(format!(
                "authentication {other} takes a person or the log-in of another program; use \
                 entraServicePrincipal or entraManagedIdentity"
            ));
        }
    }
    Ok(())
}
