//! The `config` table of a Native S3 integration.

use std::path::PathBuf;
use std::time::Duration;

use super::credentials::{Role, Source};
use super::endpoint::{Endpoints, Overrides, Variant, parse_override, partition_of};
use crate::input::Reader;
use crate::net::http::{Connections, HttpOptions};

/// The longest wait for one answer; three of them fit into the default limit of a test.
const ANSWER_MAX: Duration = Duration::from_secs(8);
const CONNECT_DEFAULT: Duration = Duration::from_secs(5);
const CONNECT_MIN: Duration = Duration::from_millis(100);
const CONNECT_MAX: Duration = Duration::from_mins(1);

/// A checked configuration.
#[derive(Debug)]
pub(super) struct Config {
    /// The platform's own name of the integration.
    pub(super) name: String,
    /// The account that holds the Access Grants instance, 12 digits.
    pub(super) account: String,
    /// The region of that instance.
    pub(super) region: String,
    /// The role that the location is registered with, as given: a test checks its form.
    pub(super) location_role: String,
    /// The part of S3 that is registered.
    pub(super) location: LocationPath,
    /// Where credentials come from.
    pub(super) source: Source,
    /// Where AWS answers.
    pub(super) endpoints: Endpoints,
    /// What to talk over.
    pub(super) client: Connections,
}

/// A part of S3: everything, a bucket, or what is below a prefix of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LocationPath {
    /// As given, without a final `*`.
    pub(super) shown: String,
    /// None for all of S3.
    pub(super) bucket: Option<String>,
    /// The key prefix, with its final `/` if it was given.
    pub(super) prefix: String,
}

impl LocationPath {
    /// Reads `s3://`, `s3://bucket` or `s3://bucket/prefix`, each perhaps with a final `*`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let shown = text.strip_suffix('*').unwrap_or(text).to_owned();
        let rest = shown.strip_prefix("s3://")?;
        if rest.is_empty() {
            return Some(Self { shown, bucket: None, prefix: String::new() });
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_bucket_name(bucket) || prefix.chars().any(char::is_control) {
            return None;
        }
        let (bucket, prefix) = (Some(bucket.to_owned()), prefix.to_owned());
        Some(Self { shown, bucket, prefix })
    }
}

/// What two spellings of the same scope have in common.
pub(super) fn normalised(scope: &str) -> &str {
    let scope = scope.strip_suffix('*').unwrap_or(scope);
    let rest = scope.strip_prefix("s3://").unwrap_or(scope);
    rest.strip_suffix('/').unwrap_or(rest)
}

fn is_bucket_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.chars().all(allowed)
        && !name.contains("..")
        && name.starts_with(is_edge)
        && name.ends_with(is_edge)
}

/// Reads the table; what is wrong is left with the reader.
pub(super) fn parse(mut reader: Reader<'_>) -> Option<Config> {
    let name = reader.required_string("name");
    let account = checked(&mut reader, "awsAccountId", is_account, "must be 12 digits");
    let region = checked(&mut reader, "awsRegion", is_region, "must be a region such as eu-west-1");
    let location_role = reader.required_string("awsLocationRole");
    let location = location(&mut reader);
    let source = source(&mut reader);
    if reader.port("port").is_some_and(|port| port != 443) {
        reader.warn("port", "is not used: AWS answers on 443; `endpoints` takes other addresses");
    }
    let client = connections(&mut reader);
    let endpoints = endpoints(&mut reader, region.as_deref(), account.as_deref());
    reader.finish();
    Some(Config {
        name: name?,
        account: account?,
        region: region?,
        location_role: location_role?,
        location: location?,
        source: source?,
        endpoints: endpoints?,
        client: client?,
    })
}

fn connections(reader: &mut Reader<'_>) -> Option<Connections> {
    let connect_timeout = reader.duration("connectTimeout", CONNECT_MIN, CONNECT_MAX);
    let connect_timeout = connect_timeout.unwrap_or(CONNECT_DEFAULT);
    let ca_file = reader.table("tls").and_then(|mut tls| {
        let ca_file = tls.required_string("caFile").map(PathBuf::from);
        tls.finish();
        ca_file
    });
    let total_timeout = ANSWER_MAX.max(connect_timeout);
    let options = HttpOptions { connect_timeout, total_timeout, ca_file, ..HttpOptions::default() };
    Connections::new(&options).map_err(|error| reader.fault("tls", error.to_string())).ok()
}

fn checked(
    reader: &mut Reader<'_>,
    key: &'static str,
    is_right: fn(&str) -> bool,
    fault: &str,
) -> Option<String> {
    let text = reader.required_string(key)?;
    if !is_right(&text) {
        reader.refuse(key, fault);
        return None;
    }
    Some(text)
}

fn location(reader: &mut Reader<'_>) -> Option<LocationPath> {
    let text = reader.required_string("awsLocationPath")?;
    let path = LocationPath::parse(&text);
    if path.is_none() {
        reader.refuse("awsLocationPath", "must be s3://, s3://bucket or s3://bucket/prefix");
    }
    path
}

fn source(reader: &mut Reader<'_>) -> Option<Source> {
    let modes = [("auto", false), ("accessKey", true)];
    let with_key = reader
        .required("authenticationType")
        .and_then(|()| reader.choice("authenticationType", &modes));
    let id = reader.string("awsAccessKeyId");
    let secret = reader.secret("awsSecretAccessKey");
    let token = reader.secret("awsSessionToken");
    let role = role(reader);
    if with_key? {
        for key in ["awsRoleToAssume", "externalId"] {
            if reader.has(key) {
                reader.fault(key, "is only used with authenticationType `auto`");
            }
        }
        let id_given = reader.required("awsAccessKeyId");
        let secret_given = reader.required("awsSecretAccessKey");
        if id.as_ref().is_some_and(|id| !is_key_id(id)) {
            reader.fault("awsAccessKeyId", "must be the id of an access key, such as AKIA...");
        }
        id_given.and(secret_given)?;
        return Some(Source::AccessKey { id: id?, secret: secret?, token });
    }
    for key in ["awsAccessKeyId", "awsSecretAccessKey", "awsSessionToken"] {
        if reader.has(key) {
            reader.fault(key, "is only used with authenticationType `accessKey`");
        }
    }
    Some(Source::Auto { role })
}

fn role(reader: &mut Reader<'_>) -> Option<Role> {
    let arn = reader.string("awsRoleToAssume");
    let external_id = reader.string("externalId");
    if arn.as_deref().is_some_and(|arn| role_partition(arn).is_none()) {
        reader.refuse(
            "awsRoleToAssume",
            "must be the ARN of a role: arn:aws:iam::<account>:role/<name>",
        );
    }
    if external_id.as_deref().is_some_and(|id| !is_external_id(id)) {
        reader.fault("externalId", "must be 2 to 1224 letters, digits or _+=,.@:/-");
    }
    if arn.is_none() && external_id.is_some() {
        reader.fault("externalId", "is only used with `awsRoleToAssume`");
    }
    arn.map(|arn| Role { arn, external_id })
}

fn endpoints(
    reader: &mut Reader<'_>,
    region: Option<&str>,
    account: Option<&str>,
) -> Option<Endpoints> {
    let fips = reader.boolean("useFips").unwrap_or_default();
    let dual_stack = reader.boolean("useDualstack").unwrap_or_default();
    let mut overrides = Overrides::default();
    if let Some(mut table) = reader.table("endpoints") {
        let mut read = |key| {
            let text = table.string(key)?;
            let url = parse_override(&text);
            url.map_err(|fault| table.refuse(key, fault)).ok()
        };
        overrides = Overrides { sts: read("sts"), s3: read("s3"), s3_control: read("s3Control") };
        table.finish();
    }
    let found = Endpoints::new(region?, account?, Variant { fips, dual_stack }, overrides);
    found.map_err(|fault| reader.fault(if fips { "useFips" } else { "useDualstack" }, fault)).ok()
}

/// The partition of a role's ARN; none when `arn` is no such thing.
pub(super) fn role_partition(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next();
    let (head, partition, service, region) = (next()?, next()?, next()?, next()?);
    let (account, role) = (next()?, next()?.strip_prefix("role/")?);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@/-".contains(c);
    let is_partition = |c: char| c.is_ascii_lowercase() || c == '-';
    let fits = head == "arn"
        && service == "iam"
        && region.is_empty()
        && partition.starts_with("aws")
        && partition.chars().all(is_partition)
        && is_account(account)
        && (1..=512).contains(&role.len())
        && role.chars().all(allowed);
    fits.then_some(partition)
}

/// True when `arn` names a role in the partition of `region`.
pub(super) fn is_role_in(arn: &str, region: &str) -> bool {
    role_partition(arn) == Some(partition_of(region).id)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    let Some((number, words)) = parts.split_last() else { return false };
    2 <= words.len()
        && words.iter().all(is_word)
        && number.chars().all(|c| c.is_ascii_digit())
        && (1..=2).contains(&number.len())
}

fn is_key_id(text: &str) -> bool {
    (16..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_external_id(text: &str) -> bool {
    (2..=1224).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Faults, Value};

    const GOOD: &str = r#"{
        "name": "lake", "awsAccountId": "123456789012", "awsRegion": "eu-central-1",
        "awsLocationRole": "arn:aws:iam::123456789012:role/grants",
        "awsLocationPath": "s3://lake/raw/*", "authenticationType": "auto"
    }"#;

    /// The faults of [`GOOD`] with `changes` laid over it; null takes a key away.
    fn faults(changes: &str) -> Vec<String> {
        let mut json: serde_json::Value = serde_json::from_str(GOOD).unwrap();
        let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
        for (key, value) in changes.as_object().unwrap() {
            json[key] = value.clone();
        }
        let value = Value::from_json(&json, &"f:1".into());
        let faults = Faults::default();
        let config = parse(Reader::new(&value, "config", &faults).unwrap());
        let found: Vec<_> = faults.into_parts().0.iter().map(ToString::to_string).collect();
        assert!(config.is_some() || !found.is_empty(), "nothing read, and no reason");
        found
    }

    #[test]
    fn what_is_right_is_read() {
        let key = r#""authenticationType": "accessKey", "awsAccessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "awsSecretAccessKey": {"file": "/run/secret"}"#;
        let role = r#""awsRoleToAssume": "arn:aws:iam::123456789012:role/a/b""#;
        let good = [
            "{}".to_owned(),
            format!("{{{key}}}"),
            format!(r#"{{{key}, "awsSessionToken": {{"credential": "token"}}}}"#),
            format!(r#"{{{role}, "externalId": "x:1"}}"#),
            r#"{"awsLocationPath": "s3://", "port": 443, "connectTimeout": "2s"}"#.to_owned(),
            r#"{"useFips": true, "useDualstack": true}"#.to_owned(),
            r#"{"endpoints": {"sts": "http://127.0.0.1:1", "s3": "https://a.b", "s3Control": null}}"#
                .to_owned(),
        ];
        for changes in good {
            assert_eq!(faults(&changes), [""; 0], "{changes}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (r#"{"name": null}"#, "config.name: missing"),
            (
                r#"{"awsAccountId": "1234"}"#,
                "config.awsAccountId: must be 12 digits, found \"1234\"",
            ),
            (r#"{"awsRegion": "eu_central.1"}"#, "config.awsRegion: must be a region"),
            (r#"{"awsRegion": "evil.example.com/"}"#, "config.awsRegion: must be a region"),
            (r#"{"awsLocationPath": "lake/raw"}"#, "config.awsLocationPath: must be s3://"),
            (r#"{"awsLocationPath": "s3://La_ke"}"#, "config.awsLocationPath: must be s3://"),
            (r#"{"authenticationType": null}"#, "config.authenticationType: missing"),
            (r#"{"authenticationType": "acessKey"}"#, "did you mean `accessKey`?"),
            (r#"{"awsAccessKeyId": "AKIAIOSFODNN7EXAMPLE"}"#, "only used with authenticationType"),
            (
                r#"{"awsRoleToAssume": "arn:aws:iam::1:role/x"}"#,
                "role/<name>, found \"arn:aws:iam::1:role/x\"",
            ),
            (r#"{"externalId": "abc"}"#, "config.externalId: is only used with"),
            (
                r#"{"endpoints": {"s3": "http://s3.example.com"}}"#,
                "config.endpoints.s3: must begin",
            ),
            (r#"{"endpoints": {"s3control": "https://a.b"}}"#, "did you mean `s3Control`?"),
            (r#"{"awsRegion": "cn-north-1", "useFips": true}"#, "config.useFips: S3 has no FIPS"),
            (r#"{"awsRegion": "eu-isoe-west-1", "useDualstack": true}"#, "config.useDualstack: "),
            (r#"{"connectTimeout": "5h"}"#, "config.connectTimeout: expected a duration"),
            (r#"{"tls": {}}"#, "config.tls.caFile: missing"),
            (
                r#"{"tls": {"caFile": "/no/such.pem"}}"#,
                "config.tls: certificate authorities in /no",
            ),
            (r#"{"awsLocationrole": "x"}"#, "did you mean `awsLocationRole`?"),
        ];
        for (changes, expected) in cases {
            let found = faults(changes);
            assert_eq!(found.len(), 1, "{changes}: {found:?}");
            assert!(found[0].contains(expected), "{changes}: {found:?}");
        }
        let found = faults(r#"{"authenticationType": "accessKey", "awsRoleToAssume": "arn"}"#);
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn spellings_of_one_scope_are_equal() {
        for scope in ["s3://lake/raw", "s3://lake/raw/", "s3://lake/raw*", "s3://lake/raw/*"] {
            assert_eq!(normalised(scope), "lake/raw");
        }
        assert_eq!((normalised("s3://"), normalised("s3://*")), ("", ""));
        assert_ne!(normalised("s3://lake/Raw"), normalised("s3://lake/raw"));
        let path = LocationPath::parse("s3://lake/raw/*").unwrap();
        assert_eq!((path.prefix.as_str(), path.shown.as_str()), ("raw/", "s3://lake/raw/"));
    }

    #[test]
    fn roles_are_told_from_other_names() {
        let good = ["arn:aws:iam::123456789012:role/x", "arn:aws:iam::123456789012:role/a/b+c@d"];
        for arn in good {
            assert!(is_role_in(arn, "eu-central-1"), "{arn}");
            assert!(!is_role_in(arn, "cn-north-1"), "{arn}");
        }
        assert!(is_role_in("arn:aws-us-gov:iam::123456789012:role/x", "us-gov-west-1"));
        let bad = [
            "arn:aws:iam::123456789012:user/x",
            "arn:aws:iam:eu-central-1:123456789012:role/x",
            "arn:aws:iam::12345678901:role/x",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/x y",
            "arn:aws:s3::123456789012:role/x",
            "role/x",
        ];
        for arn in bad {
            assert_eq!(role_partition(arn), None, "{arn}");
        }
    }
}
