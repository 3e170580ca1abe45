//! Connections of other programs to Redshift.

use super::draft::{Draft, Fields};

/// Keys of connections that have a use here, with names of our own.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("host", "host"),
    ("port", "port"),
    ("user", "user"),
    ("login", "user"),
    ("password", "password"),
    ("pass", "password"),
    ("dbname", "database"),
    ("database", "database"),
    ("method", "method"),
    ("iam", "iam"),
    ("cluster_id", "cluster"),
    ("cluster_identifier", "cluster"),
    ("region", "region"),
    ("db_user", "user"),
    ("is_serverless", "serverless"),
];

/// Makes the configuration of an integration.
pub(super) fn make(fields: &Fields<'_>, draft: &mut Draft) -> Result<(), String> {
    let method = fields.word("method");
    let is_iam = method == "iam" || method == "iam_role" || fields.flag("iam");
    if !is_iam && !matches!(method.as_str(), "" | "database") {
        return Err(format!(
            "method {method} takes a person or an identity provider; use `userPassword`, or \
             `accessKey` with keys or roles of AWS"
        ));
    }
    if is_iam && fields.flag("serverless") {
        return Err("log-ins at a serverless workgroup by IAM are not made from connections; see \
            `revalidated sample redshift`"
            .to_owned());
    }
    for key in ["host", "port", "database"] {
        draft.copy(fields, key, &format!("config.{key}"));
    }
    if is_iam {
        // The keys are those of the machine: profiles and roles are left to it.
        draft.set("config.authenticationType", "accessKey");
        draft.copy(fields, "user", "config.databaseUser");
        draft.copy(fields, "cluster", "config.clusterIdentifier");
        draft.copy(fields, "region", "config.awsRegion");
    } else {
        draft.set("config.authenticationType", "userPassword");
        draft.copy(fields, "user", "config.username");
        draft.secret(fields, "password", "config.password");
    }
    Ok(())
}
