//! Connections of other programs to Snowflake.

use super::draft::{Draft, Fields};
use crate::input::Kind;

/// Keys of connections that have a use here, with names of our own.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("account", "account"),
    ("region", "region"),
    ("host", "host"),
    ("port", "port"),
    ("user", "user"),
    ("username", "user"),
    ("login", "user"),
    ("password", "password"),
    ("authenticator", "authenticator"),
    ("role", "role"),
    ("warehouse", "warehouse"),
    ("database", "database"),
    ("private_key_path", "key_file"),
    ("private_key_file", "key_file"),
    ("private_key", "key"),
    ("private_key_content", "key"),
    ("private_key_raw", "key"),
    ("private_key_passphrase", "passphrase"),
    ("private_key_file_pwd", "passphrase"),
    ("token", "token"),
    ("token_file_path", "token_file"),
    ("oauth_client_id", "client_id"),
    ("oauth_client_secret", "client_secret"),
    ("oauth_token_request_url", "token_url"),
    ("oauth_scope", "scope"),
    ("client_id", "client_id"),
    ("client_secret", "client_secret"),
    ("token_endpoint", "token_url"),
    ("workload_identity_provider", "provider"),
];
/// Domain of the hosts of accounts.
const DOMAIN: &str = ".snowflakecomputing.com";

/// Makes the configuration of an integration.
pub(super) fn make(fields: &Fields<'_>, draft: &mut Draft) -> Result<(), String> {
    if let Some(host) = host(fields) {
        draft.set("config.host", host);
    }
    for key in ["port", "warehouse", "database", "role"] {
        draft.copy(fields, key, &format!("config.{key}"));
    }
    let is_keyed = fields.has("key") || fields.has("key_file");
    match fields.word("authenticator").as_str() {
        "snowflake_jwt" => key_pair(fields, draft),
        "" | "snowflake" if is_keyed => key_pair(fields, draft),
        "" | "snowflake" => {
            authenticate(fields, draft, "userPassword");
            draft.secret(fields, "password", "config.password");
        }
        "programmatic_access_token" => {
            authenticate(fields, draft, "programmaticAccessToken");
            match fields.path("token_file") {
                Some(file) => draft.file("config.token", &file),
                None if fields.has("token") => draft.secret(fields, "token", "config.token"),
                None => draft.secret(fields, "password", "config.token"),
            }
        }
        "oauth_client_credentials" => client(fields, draft),
        "workload_identity" => {
            draft.set("config.authenticationType", "workloadIdentity");
            let provider = fields.word("provider");
            let path = "config.workloadIdentity.token";
            match fields.path("token_file") {
                Some(file) => draft.file(path, &file),
                // The others get their tokens from the machine.
                None if matches!(provider.as_str(), "aws" | "oidc") => {
                    draft.secret(fields, "token", path);
                }
                None => {}
            }
            draft.set("config.workloadIdentity.provider", provider);
        }
        "oauth" => {
            return Err("its OAuth token ends within minutes and is renewed by a person's \
            sign-in; use a key pair, a programmatic access token or oAuthClientCredentials"
                .to_owned());
        }
        other => {
            return Err(format!(
                "authenticator {other} takes a person; use a key pair, a programmatic access token \
                 or oAuthClientCredentials"
            ));
        }
    }
    Ok(())
}

/// Returns the host: as given, or that of the account.
fn host(fields: &Fields<'_>) -> Option<String> {
    if let Some(host) = fields.text("host").filter(|host| host.contains(".snowflakecomputing.")) {
        return Some(host);
    }
    let account = fields.text("account")?;
    let account = account.trim_start_matches("https://").trim_end_matches('/').to_lowercase();
    if account.contains(".snowflakecomputing.") {
        return Some(account);
    }
    // Host names have no underscores: Snowflake answers at the name with hyphens too.
    let account = account.replace('_', "-");
    let region = fields.text("region").filter(|_| !account.contains('.'));
    let region = region.map_or(String::new(), |region| format!(".{region}"));
    Some(format!("{account}{region}{DOMAIN}"))
}

fn authenticate(fields: &Fields<'_>, draft: &mut Draft, kind: &str) {
    draft.set("config.authenticationType", kind);
    draft.copy(fields, "user", "config.username");
}

fn key_pair(fields: &Fields<'_>, draft: &mut Draft) {
    authenticate(fields, draft, "keyPair");
    draft.set("config.privateKey.keyName", "PRIV_KEY_FILE");
    match fields.path("key_file") {
        Some(file) => {
            let name = file.rsplit('/').next().unwrap_or_default().to_owned();
            draft.set("config.privateKey.userFilename", name);
            draft.file("config.privateKey.content", &file);
        }
        None => draft.secret(fields, "key", "config.privateKey.content"),
    }
    if fields.has("passphrase") {
        draft.secret(fields, "passphrase", "config.privateKeyPassword");
    }
}

fn client(fields: &Fields<'_>, draft: &mut Draft) {
    draft.set("config.authenticationType", "oAuthClientCredentials");
    draft.put("config.oAuthClientConfig.useCertificate", Kind::Bool(false));
    draft.copy(fields, "client_id", "config.oAuthClientConfig.clientId");
    draft.secret(fields, "client_secret", "config.oAuthClientConfig.clientSecret");
    draft.copy(fields, "token_url", "config.oAuthClientConfig.authorityUrl");
    draft.copy(fields, "scope", "config.oAuthClientConfig.scope");
}
