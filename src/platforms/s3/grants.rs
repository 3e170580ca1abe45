//! Grants that a Native S3 integration needs, and what its caller has beyond them.
//!
//! Source: AWS service authorization reference, "Actions, resources, and condition keys for Amazon S3".

use super::catalog::{CALLER, INSTANCE, NAME, NOT_YET, PATH, REGISTERED, ROLE, TARGET};
use super::config::{Config, LocationPath};
use crate::domain::{FactKind, Observed};
use crate::platforms::aws::credentials::Role;
use crate::platforms::aws::endpoint::partition_of;
use crate::platforms::{Form, Grant, Names, Surplus};

/// Grants of the tests.
pub(super) const GRANTS: &[Grant] = &[
    Grant::none(&[TARGET, NAME, ROLE], "they are about configurations alone"),
    Grant::none(&[CALLER], "`sts:GetCallerIdentity` needs no permission"),
    Grant::of(
        Form::Policy,
        r#"{"Effect": "Allow", "Action": "s3:GetAccessGrantsInstance", "Resource": "arn:<PARTITION>:s3:<REGION>:<ACCOUNT>:access-grants/default"}"#,
        &[INSTANCE],
        "to look at the Access Grants instance",
    ),
    Grant::of(
        Form::Policy,
        r#"{"Effect": "Allow", "Action": "s3:ListAccessGrantsLocations", "Resource": "arn:<PARTITION>:s3:<REGION>:<ACCOUNT>:access-grants/default"}"#,
        &[NOT_YET, REGISTERED],
        "to list the registered locations",
    ),
    Grant::of(
        Form::Policy,
        r#"{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:<PARTITION>:s3:::<WHOLE BUCKET>"}"#,
        &[PATH],
        "to list the path, a whole bucket",
    ),
    Grant::of(
        Form::Policy,
        r#"{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:<PARTITION>:s3:::<BUCKET>", "Condition": {"StringLike": {"s3:prefix": "<PREFIX>*"}}}"#,
        &[PATH],
        "to list the path below a prefix",
    ),
    Grant::of(
        Form::Caller,
        r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "<ASSUMED ROLE>"}"#,
        &[CALLER],
        "to take up the role in `awsRoleToAssume`",
    ),
    Grant::of(
        Form::Trust,
        r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "<ARN of that identity>"}<TRUST CONDITION>}"#,
        &[CALLER],
        "to let that identity take up the role",
    ),
];

/// Returns the names of the configuration, as policies have them.
pub(super) fn names(config: &Config) -> Names {
    let LocationPath { bucket, prefix, .. } = &config.location;
    let role = config.credentials.role.as_ref();
    let names = Names::default()
        .with("PARTITION", partition_of(&config.region).id)
        .with("REGION", &config.region)
        .with("ACCOUNT", &config.account)
        .maybe("ASSUMED ROLE", role.map(|role| role.arn.clone()))
        .maybe("TRUST CONDITION", role.map(Role::trust_condition));
    if prefix.is_empty() {
        return names.maybe("WHOLE BUCKET", bucket.clone());
    }
    names.maybe("BUCKET", bucket.clone()).with("PREFIX", in_json(prefix))
}

/// Returns `text` within quotes of JSON, without them; stars and questions marks of it are literal.
fn in_json(text: &str) -> String {
    // A policy's patterns have these variables for their own characters.
    let text = text.replace('$', "${$}").replace('*', "${*}").replace('?', "${?}");
    let quoted = serde_json::Value::from(text).to_string();
    quoted.trim_start_matches('"').trim_end_matches('"').to_owned()
}

/// Returns what the caller has beyond the needs of the tests, by its name.
pub(super) fn beyond(observed: &Observed) -> Surplus {
    let mut surplus = Surplus::unseen(
        "AWS does not show the other permissions of a caller without `iam:SimulatePrincipalPolicy`, \
         which is not asked for; `aws iam simulate-principal-policy` and IAM Access Analyzer show \
         them. A session of `awsRoleToAssume` is limited to the actions above in any case.",
    );
    let principals = observed.facts.iter().filter(|(fact, _)| fact.kind == FactKind::Principal);
    for arn in principals.flat_map(|(_, values)| values).filter(|arn| arn.ends_with(":root")) {
        surplus.add(format!("the root user of the account ({arn}), which may do everything"), None);
    }
    surplus
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fact;

    #[test]
    fn prefix_is_literal_within_the_pattern_of_a_policy() {
        for (prefix, expected) in
            [("raw/", "raw/"), ("a\"b", "a\\\"b"), ("a*b?", "a${*}b${?}"), ("a$b", "a${$}b")]
        {
            assert_eq!(in_json(prefix), expected);
        }
    }

    fn texts(region: &str, path: &str, role: Option<&str>) -> Vec<String> {
        let mut config = serde_json::json!({
            "name": "lake", "awsAccountId": "123456789012", "awsRegion": region,
            "awsLocationRole": "arn:aws:iam::123456789012:role/grants", "awsLocationPath": path,
            "authenticationType": "accessKey", "awsAccessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "awsSecretAccessKey": "s",
        });
        if let Some(role) = role {
            config["authenticationType"] = "auto".into();
            config["awsRoleToAssume"] = role.into();
            for key in ["awsAccessKeyId", "awsSecretAccessKey"] {
                config[key] = serde_json::Value::Null;
            }
        }
        let names = crate::platforms::testing::validator(&super::super::PLATFORM, &config).names();
        crate::platforms::needs(GRANTS, &names).into_iter().map(|need| need.text).collect()
    }

    #[test]
    fn statements_are_of_the_partition_the_path_and_the_role() {
        let whole = texts("cn-north-1", "s3://lake", None);
        assert_eq!(whole.len(), 3, "{whole:?}");
        let instance = "arn:aws-cn:s3:cn-north-1:123456789012:access-grants/default";
        assert!(whole[0].contains(instance), "{whole:?}");
        assert!(whole[2].contains("arn:aws-cn:s3:::lake\"}"), "{whole:?}");
        let role = "arn:aws:iam::123456789012:role/reader";
        let below = texts("eu-west-1", "s3://lake/raw/*", Some(role));
        assert!(below[2].contains(r#""s3:prefix": "raw/*""#), "{below:?}");
        assert!(below[3].contains(role), "{below:?}");
        assert!(
            below[4].ends_with(r#""Principal": {"AWS": "<ARN of that identity>"}}"#),
            "{below:?}"
        );
        assert_eq!(texts("eu-west-1", "s3://", None).len(), 2, "all buckets cannot be listed");
        for text in below.iter().chain(&whole) {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn root_user_is_more_than_is_needed() {
        let mut observed = Observed::default();
        assert_eq!(beyond(&observed).found, []);
        let fact = Fact { kind: FactKind::Principal, of: String::new() };
        observed.facts.insert(fact, ["arn:aws:iam::1:root".to_owned()].into());
        assert_eq!(beyond(&observed).found.len(), 1);
    }
}
