//! Configurations of platforms that several tests use: the keys of a table `config`.

use super::{AccessGrants, Moto, Postgres};

/// Returns the configuration of Redshift at a real `PostgreSQL`, as the user `watcher`; `database` is the
/// managed one.
pub(crate) fn redshift(postgres: &Postgres, database: &str) -> String {
    let (port, ca) = (&postgres.facts["port"], &postgres.facts["ca"]);
    format!(
        r#"
        host = "localhost"
        port = {port}
        database = "{database}"
        authenticationType = "userPassword"
        username = "watcher"
        password = {{ file = "DIR/password" }}
        tls = {{ caFile = "{ca}" }}
        "#
    )
}

/// Returns the configuration of Native S3 at moto, with the location `s3://governed/data/` of `grants`.
pub(crate) fn s3(name: &str, moto: &Moto, grants: &AccessGrants) -> String {
    format!(
        r#"
        name = "{name}"
        awsAccountId = "123456789012"
        awsRegion = "us-east-1"
        awsLocationRole = "arn:aws:iam::123456789012:role/grants"
        awsLocationPath = "s3://governed/data/"
        authenticationType = "accessKey"
        awsAccessKeyId = "AKIAIOSFODNN7EXAMPLE"
        awsSecretAccessKey = {{ file = "DIR/aws-secret" }}
        endpoints = {{ sts = "{moto}", s3 = "{moto}", s3Control = "{grants}" }}
        "#,
        moto = moto.endpoint,
        grants = grants.endpoint,
    )
}
