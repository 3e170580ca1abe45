//! Connections of other programs to Databricks.

use super::draft::{Draft, Fields};

/// Keys of connections that have a use here, with names of our own.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("host", "host"),
    ("http_path", "path"),
    ("warehouse_id", "warehouse"),
    ("catalog", "catalog"),
    ("token", "token"),
    ("auth_type", "auth"),
    ("client_id", "client_id"),
    ("client_secret", "client_secret"),
    ("azure_client_id", "azure_client_id"),
    ("azure_client_secret", "azure_client_secret"),
    ("azure_tenant_id", "azure_tenant_id"),
    ("azure_workspace_resource_id", "azure_resource_id"),
    ("azure_resource_id", "azure_resource_id"),
    ("azure_environment", "azure_environment"),
    ("azure_use_msi", "azure_managed"),
    ("use_azure_managed_identity", "azure_managed"),
    ("service_principal_oauth", "service_principal"),
    ("workspace_id", "workspace_id"),
    ("account_id", "account_id"),
    ("scopes", "scope"),
    ("login", "login"),
    ("password", "password"),
    ("username", "login"),
];

/// Makes the configuration of an integration.
pub(super) fn make(fields: &Fields<'_>, draft: &mut Draft) -> Result<(), String> {
    let host = fields.text("host").unwrap_or_default();
    if host.contains("//accounts.") || host.starts_with("accounts.") {
        return Err("it is of the account and not of a workspace".to_owned());
    }
    if !host.is_empty() {
        draft.set("config.workspaceUrl", host);
    }
    let path = fields.text("path");
    let warehouse = fields.text("warehouse").map(|id| format!("/sql/1.0/warehouses/{id}"));
    if let Some(path) = path.or(warehouse) {
        draft.set("config.httpPath", path);
    }
    draft.copy(fields, "catalog", "config.catalog");
    draft.copy(fields, "workspace_id", "config.workspaceId");
    authentication(fields, draft)
}

fn authentication(fields: &Fields<'_>, draft: &mut Draft) -> Result<(), String> {
    let auth = fields.word("auth");
    let is_azure = fields.has("azure_client_secret")
        || fields.has("azure_tenant_id") && fields.has("password")
        || auth == "azure-client-secret";
    let is_managed = fields.flag("azure_managed") || auth == "azure-msi";
    let is_machine =
        fields.has("client_secret") || fields.flag("service_principal") || auth == "oauth-m2m";
    if is_managed {
        draft.set("config.authenticationType", "azureManagedIdentity");
        draft.copy(fields, "azure_client_id", "config.azure.clientId");
        draft.copy(fields, "azure_resource_id", "config.azure.resourceId");
    } else if is_azure {
        draft.set("config.authenticationType", "azureServicePrincipal");
        draft.copy(fields, "azure_tenant_id", "config.azure.tenantId");
        let client = if fields.has("azure_client_id") { "azure_client_id" } else { "login" };
        draft.copy(fields, client, "config.azure.clientId");
        let is_own = fields.has("azure_client_secret");
        let secret = if is_own { "azure_client_secret" } else { "password" };
        draft.secret(fields, secret, "config.azure.clientSecret");
        draft.copy(fields, "azure_resource_id", "config.azure.resourceId");
    } else if is_machine {
        draft.set("config.authenticationType", "oAuthM2M");
        let client = if fields.has("client_id") { "client_id" } else { "login" };
        draft.copy(fields, client, "config.oAuthClientConfig.clientId");
        let secret = if fields.has("client_secret") { "client_secret" } else { "password" };
        draft.secret(fields, secret, "config.oAuthClientConfig.clientSecret");
        draft.copy(fields, "scope", "config.oAuthClientConfig.scope");
    } else if matches!(auth.as_str(), "" | "pat" | "token") {
        let is_basic = fields.has("login") && fields.word("login") != "token";
        if is_basic && !fields.has("token") {
            return Err("Databricks has ended log-ins with a user's password; use a service \
                principal (`oAuthM2M`)"
                .to_owned());
        }
        draft.set("config.authenticationType", "token");
        let token = if fields.has("token") { "token" } else { "password" };
        draft.secret(fields, token, "config.token");
    } else {
        return Err(format!(
            "auth_type {auth} takes a person or another program; use a service principal \
             (`oAuthM2M`), or `azureManagedIdentity`"
        ));
    }
    Ok(())
}
