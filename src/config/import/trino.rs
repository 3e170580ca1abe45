//! Connections to Starburst and Trino.

use std::sync::Arc;

use super::draft::{Draft, Fields};
use crate::input::{Kind, Value};

/// Keys of connections that have a use here, with names of our own.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("host", "host"),
    ("port", "port"),
    ("method", "method"),
    ("auth", "method"),
    ("user", "user"),
    ("login", "user"),
    ("password", "password"),
    ("jwt_token", "token"),
    ("jwt__token", "token"),
    ("jwt__file", "token_file"),
    ("database", "catalog"),
    ("catalog", "catalog"),
    ("http_scheme", "scheme"),
    ("protocol", "scheme"),
    ("roles", "roles"),
    ("client_tags", "tags"),
    ("http_headers", "headers"),
    ("cert", "authorities"),
    ("verify", "authorities"),
    ("client_certificate", "certificate"),
    ("certs__client_cert_path", "certificate"),
    ("client_private_key", "key"),
    ("certs__client_key_path", "key"),
    ("impersonation_user", "impersonated"),
];

/// Makes the configuration of an integration.
pub(super) fn make(fields: &Fields<'_>, draft: &mut Draft) -> Result<(), String> {
    let method = fields.word("method");
    let kind = match method.as_str() {
        "ldap" | "basic" | "password" => "userPassword",
        "jwt" => "jwt",
        "certificate" | "certs" => "certificate",
        "" | "none" if fields.has("password") => "userPassword",
        "" | "none" => "none",
        "kerberos" | "gssapi" => {
            return Err("Kerberos is not supported: let the cluster take PASSWORD, JWT or \
                CERTIFICATE beside it"
                .to_owned());
        }
        other => {
            return Err(format!(
                "method {other} signs in at a browser; use `oAuthClientCredentials`, or `jwt` with \
                 an access token of the issuer"
            ));
        }
    };
    draft.set("config.authenticationType", kind);
    for key in ["host", "port"] {
        draft.copy(fields, key, &format!("config.{key}"));
    }
    match kind {
        "userPassword" => {
            draft.copy(fields, "user", "config.username");
            draft.secret(fields, "password", "config.password");
        }
        "jwt" => {
            draft.copy(fields, "impersonated", "config.username");
            match fields.path("token_file") {
                Some(file) => draft.file("config.token", &file),
                None => draft.secret(fields, "token", "config.token"),
            }
        }
        "certificate" => draft.copy(fields, "impersonated", "config.username"),
        _ => draft.copy(fields, "user", "config.username"),
    }
    tls(fields, draft);
    if let (Some(catalog), Some(given)) = (fields.text("catalog"), fields.value("catalog")) {
        let catalog = Value { kind: Kind::String(catalog), origin: Arc::clone(&given.origin) };
        draft.put("config.catalogs", Kind::Array(vec![catalog]));
    }
    for (name, path) in [("roles", "config.roles"), ("headers", "config.headers")] {
        if let Some(table @ Value { kind: Kind::Table(_), .. }) = fields.value(name) {
            draft.put_value(path, table.clone());
        }
    }
    if let Some(tags @ Value { kind: Kind::Array(_), .. }) = fields.value("tags") {
        draft.put_value("config.clientTags", tags.clone());
    }
    Ok(())
}

fn tls(fields: &Fields<'_>, draft: &mut Draft) {
    let files = [("certificate", "config.tls.certificate"), ("key", "config.tls.key")];
    let is_certified = files.iter().any(|(name, _)| fields.has(name));
    if fields.word("scheme") == "http" && !is_certified {
        draft.put("config.tls", Kind::Bool(false));
        return;
    }
    let authorities = fields.path("authorities");
    if let Some(file) = authorities.filter(|file| !matches!(file.as_str(), "true" | "false")) {
        draft.set("config.tls.caFile", file);
    }
    for (name, path) in files {
        if let Some(file) = fields.path(name) {
            draft.file(path, &file);
        }
    }
}
