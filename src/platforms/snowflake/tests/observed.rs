//! Observations of runs besides their results, and factors that integrations share.

use super::*;
use crate::platforms::Seen;
use crate::platforms::testing::{facts_of_case, lines_of, token_of};

#[tokio::test]
async fn equal_runs_see_equal_facts() {
    let expected = [
        "version [] 9.35.1",
        "principal [] IMMUTA_SYSTEM_ACCOUNT",
        "principal [account] XY12345",
        "grant [database IMMUTA] owner IMMUTA_SYSTEM",
        "grant [impersonation role IMMUTA_IMPERSONATION] owner IMMUTA_SYSTEM",
        "grant [roles] IMMUTA_SYSTEM",
        "grant [roles IMMUTA_*] owner ACCOUNTADMIN",
        "grant [roles IMMUTA_*] owner IMMUTA_SYSTEM",
        "grant [warehouse IMMUTA_WH] USAGE",
    ];
    assert_eq!(facts_of_case(SUBJECT, "all-well").await, expected);
    assert_eq!(facts_of_case(SUBJECT, "password").await, expected);
}

#[tokio::test]
async fn expiry_of_a_token_is_observed() {
    let claims = json!({ "sub": "me", "exp": 1_800_000_000_i64 });
    let credentials = Credentials::Token(SecretRef::Literal(Secret::new(token_of(&claims))));
    let connections = Connections::new(&HttpOptions::default()).unwrap();
    let mut seen = Seen::default();
    credentials.bearer(&connections, Timestamp(0), &mut seen).await.unwrap();
    let expected = ["claim [token subject] me", "token [] ends 2027-01-15T08:00:00Z"];
    assert_eq!(lines_of(seen), expected);
}

#[test]
fn account_and_region_are_read_from_hosts_and_the_user_from_keys() {
    let token = json!({ "authenticationType": "programmaticAccessToken", "token": SECRET });
    let user = json!({ "username": "me" });
    let table = [
        ("org-account", json!({}), ["snowflake ORG-ACCOUNT", "", ""]),
        ("xy1.eu-central-1", json!({}), ["snowflake XY1", "aws eu-central-1", ""]),
        ("xy1.us-east-2.aws", json!({}), ["snowflake XY1", "aws us-east-2", ""]),
        (
            "xy1.west-europe.azure.privatelink",
            user,
            ["snowflake XY1", "azure west-europe", "snowflake ME@XY1"],
        ),
    ];
    for (name, changes, expected) in table {
        let mut config = token.clone();
        config["host"] = format!("{name}.snowflakecomputing.com").into();
        config["warehouse"] = "wh".into();
        config["database"] = "db".into();
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        let Identity { account, region, principal, .. } = validator(&PLATFORM, &config).identity();
        let found = [account, region, principal].map(Option::unwrap_or_default);
        assert_eq!(found, expected, "{name}");
    }
}
