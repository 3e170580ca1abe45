//! Factors that integrations can share, for all samples and their variants.

use serde_json::{Value as Json, json};

use super::{sample_config, validator};
use crate::domain::{Factor, FactorKind};
use crate::platforms::PLATFORMS;

/// Platform, changes of its sample (null takes a key away), host, principal, account, region; empty
/// where there is none.
type Case = (&'static str, Json, [&'static str; 4]);

fn aws_cases() -> Vec<Case> {
    let (s3, lake) = ("Native S3", "s3.eu-central-1.amazonaws.com");
    let (account, region) = ("aws 123456789012", "aws eu-central-1");
    let role = "arn:aws:iam::210987654321:role/revalidated";
    let key = json!({
        "authenticationType": "accessKey", "awsAccessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "awsSecretAccessKey": "hunter2", "awsSessionToken": "hunter2",
    });
    let with_role = json!({ "awsRoleToAssume": role });
    let cluster = "prod.abc123xyz789.eu-central-1.redshift.amazonaws.com:5439";
    let user =
        "redshift immuta_system_account@prod.abc123xyz789.eu-central-1.redshift.amazonaws.com:5439";
    let iam_user = "redshift immuta@prod.abc123xyz789.eu-central-1.redshift.amazonaws.com:5439";
    let iam = json!({
        "authenticationType": "accessKey", "username": null, "password": null,
        "databaseUser": "immuta", "awsRoleToAssume": role,
    });
    let group = "wg.123456789012.eu-central-1.redshift-serverless.amazonaws.com:5439";
    let group_user = "redshift immuta_system_account@wg.123456789012.eu-central-1.redshift-serverless.amazonaws.com:5439";
    let serverless =
        json!({ "host": "wg.123456789012.eu-central-1.redshift-serverless.amazonaws.com" });
    vec![
        (s3, json!({}), [lake, "aws identity of this machine", account, region]),
        (s3, key, [lake, "aws access key AKIAIOSFODNN7EXAMPLE", account, region]),
        (s3, with_role, [lake, "aws arn:aws:iam::210987654321:role/revalidated", account, region]),
        ("Redshift", json!({}), [cluster, user, "", region]),
        ("Redshift", iam, [cluster, iam_user, "aws 210987654321", region]),
        ("Redshift", serverless, [group, group_user, account, region]),
        (
            "Redshift",
            json!({ "host": "10.0.0.7", "port": 5440 }),
            ["10.0.0.7:5440", "redshift immuta_system_account@10.0.0.7:5440", "", ""],
        ),
    ]
}

fn azure_cases() -> Vec<Case> {
    let (host, server) = ("workspace.sql.azuresynapse.net:1433", "synapse workspace");
    let user = "synapse immuta_system_account@workspace.sql.azuresynapse.net:1433";
    let entra = json!({
        "authenticationType": "entraServicePrincipal", "username": null, "password": null,
        "azure": { "tenantId": "t", "clientId": "app", "clientSecret": "hunter2" },
    });
    let token = json!({
        "authenticationType": "entraToken", "username": null, "password": null, "token": "hunter2",
    });
    let lake = "adb-1234567890123456.7.azuredatabricks.net";
    let account = "databricks adb-1234567890123456.7.azuredatabricks.net";
    let machine = json!({
        "authenticationType": "oAuthM2M", "token": null,
        "oAuthClientConfig": { "clientId": "app", "clientSecret": "hunter2" },
    });
    let application = json!({
        "authenticationType": "azureServicePrincipal", "token": null,
        "azure": { "tenantId": "t", "clientId": "app", "clientSecret": "hunter2" },
    });
    vec![
        ("Azure Synapse Analytics", json!({}), [host, user, server, ""]),
        ("Azure Synapse Analytics", entra, [host, "entra app@t", server, ""]),
        ("Azure Synapse Analytics", token, [host, "", server, ""]),
        ("Databricks", json!({}), [lake, "", account, ""]),
        ("Databricks", machine, [lake, "databricks app", account, ""]),
        ("Databricks", application, [lake, "entra app@t", account, ""]),
    ]
}

fn other_cases() -> Vec<Case> {
    let (google, project) = ("bigquery.googleapis.com", "google example-project");
    let account = "google immuta@example-project.iam.gserviceaccount.com";
    let machine = json!({
        "authenticationType": "metadataServer", "credential": null, "serviceAccount": null,
        "location": null,
    });
    let snowflake = "org-account.snowflakecomputing.com";
    let user = "snowflake IMMUTA_SYSTEM_ACCOUNT@ORG-ACCOUNT";
    let client = json!({
        "authenticationType": "oAuthClientCredentials", "username": null, "privateKey": null,
        "host": "xy12345.west-europe.azure.snowflakecomputing.com",
        "oAuthClientConfig": {
            "clientId": "app", "clientSecret": "hunter2", "authorityUrl": "https://idp.example.com/t",
        },
    });
    let of_client = [
        "xy12345.west-europe.azure.snowflakecomputing.com",
        "snowflake APP@XY12345",
        "snowflake XY12345",
        "azure west-europe",
    ];
    let trino = "trino.example.com";
    let jwt = json!({
        "authenticationType": "jwt", "username": null, "password": null, "token": "hunter2",
    });
    vec![
        ("Google BigQuery", json!({}), [google, account, project, "google eu"]),
        ("Google BigQuery", machine, [google, "google identity of this machine", project, ""]),
        ("Snowflake", json!({}), [snowflake, user, "snowflake ORG-ACCOUNT", ""]),
        ("Snowflake", client, of_client),
        ("Trino", json!({}), [trino, "trino immuta_system_account@trino.example.com", "", ""]),
        ("Trino", jwt, [trino, "", "", ""]),
    ]
}

#[test]
fn factors_are_read_from_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&ca, certificate.cert.pem()).unwrap();
    let ca = ca.to_str().unwrap();
    let cases = [aws_cases(), azure_cases(), other_cases()].concat();
    for platform in PLATFORMS {
        let mut cases = cases.iter().filter(|(kind, ..)| *kind == platform.kind).peekable();
        assert!(cases.peek().is_some(), "{} has no case", platform.kind);
        for (kind, changes, [host, principal, account, region]) in cases {
            let mut config = sample_config(platform, platform.sample);
            for (key, value) in changes.as_object().unwrap() {
                config[key] = value.clone();
            }
            config["tls"] = json!({ "caFile": ca });
            let named = [
                (FactorKind::Host, *host),
                (FactorKind::Principal, *principal),
                (FactorKind::Account, *account),
                (FactorKind::Region, *region),
                (FactorKind::Authority, ca),
            ];
            let expected: Vec<_> = named
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(kind, value)| Factor { kind, value: value.to_owned() })
                .collect();
            let found = validator(platform, &config).identity().factors();
            assert_eq!(found, expected, "{kind} {changes}");
            assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
        }
    }
}
