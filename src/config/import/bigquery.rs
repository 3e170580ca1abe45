//! Connections to Google's `BigQuery`.

use super::draft::{Draft, Fields};

/// Keys of connections that have a use here, with names of our own.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("method", "method"),
    ("project", "project"),
    ("project_id", "project"),
    ("database", "project"),
    ("dataset", "dataset"),
    ("schema", "dataset"),
    ("location", "location"),
    ("keyfile", "key_file"),
    ("key_path", "key_file"),
    ("keyfile_path", "key_file"),
    ("credential_config_file", "workload_file"),
    ("keyfile_json", "key"),
    ("keyfile_dict", "key"),
    ("refresh_token", "refresh_token"),
];

/// Makes the configuration of an integration.
pub(super) fn make(fields: &Fields<'_>, draft: &mut Draft) -> Result<(), String> {
    for (key, path) in [
        ("project", "config.projectId"),
        ("dataset", "config.dataset"),
        ("location", "config.location"),
    ] {
        draft.copy(fields, key, path);
    }
    let method = fields.word("method");
    if fields.has("refresh_token") || method == "oauth-secrets" {
        return Err("it has the refresh token of a person; use the key of a service account, or \
            workload identity"
            .to_owned());
    }
    if let Some(file) = fields.path("workload_file") {
        draft.set("config.authenticationType", "workloadIdentity");
        draft.file("config.credential", &file);
    } else if let Some(file) = fields.path("key_file") {
        draft.set("config.authenticationType", "serviceAccountKey");
        draft.file("config.credential", &file);
    } else if fields.has("key") || method == "service-account-json" {
        draft.set("config.authenticationType", "serviceAccountKey");
        draft.secret(fields, "key", "config.credential");
    } else {
        // Default credentials: on a machine of Google's, those of its metadata server.
        draft.set("config.authenticationType", "metadataServer");
    }
    Ok(())
}
