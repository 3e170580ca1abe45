//! The `config` table of a Native S3 integration.

use strum::{IntoStaticStr, VariantArray};

use super::endpoint::{Endpoints, Overrides, is_bucket_name};
use crate::input::Reader;
use crate::platforms::authentication;
use crate::platforms::aws::config::{is_account, key_id, region, replacement, role};
use crate::platforms::aws::credentials::{AccessKey, Credentials};
use crate::platforms::aws::endpoint::Variant;
use crate::platforms::connection::Endpoint;

/// Region whose old buckets have names that are not allowed any more.
const OLD_BUCKETS_REGION: &str = "us-east-1";

/// Configuration of an integration, checked.
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
    /// Credentials of the caller.
    pub(super) credentials: Credentials,
    /// Addresses of the servers of AWS.
    pub(super) endpoints: Endpoints,
    /// Settings of the connections to those servers.
    pub(super) endpoint: Endpoint,
}

/// A part of S3: everything, a bucket, or what is below a prefix of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LocationPath {
    /// Path exactly as configured.
    pub(super) given: String,
    /// Path as configured, without a final `*`.
    pub(super) shown: String,
    /// None for all of S3.
    pub(super) bucket: Option<String>,
    /// The key prefix, with its final `/` if it was given.
    pub(super) prefix: String,
}

impl LocationPath {
    /// Reads `s3://`, `s3://bucket` or `s3://bucket/prefix`, each perhaps with a final `*`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (given, shown) = (text.to_owned(), starless(text).to_owned());
        let rest = shown.strip_prefix("s3://")?;
        if rest.is_empty() {
            return Some(Self { given, shown, bucket: None, prefix: String::new() });
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = is_bucket_name(bucket) || is_old_bucket_name(bucket);
        if !is_name || prefix.chars().any(char::is_control) {
            return None;
        }
        let (bucket, prefix) = (Some(bucket.to_owned()), prefix.to_owned());
        Some(Self { given, shown, bucket, prefix })
    }

    /// Returns how closely the scope of a registered location is this path; none when it is another
    /// one. `raw*` and `raw/*` are two locations: a looser likeness counts only where no location
    /// is closer.
    pub(super) fn likeness(&self, scope: &str) -> Option<Likeness> {
        if scope == self.given {
            Some(Likeness::Exact)
        } else if starless(scope) == self.shown {
            Some(Likeness::Starless)
        } else if normalised(scope) == normalised(&self.shown) {
            Some(Likeness::Slashless)
        } else {
            None
        }
    }

    /// Returns what makes the path another one than those of other integrations: all but a final `*`,
    /// and a final `/` after a bucket.
    pub(super) fn target(&self) -> &str {
        let rest = self.shown.strip_prefix("s3://").unwrap_or(&self.shown);
        if self.prefix.is_empty() { rest.trim_end_matches('/') } else { rest }
    }
}

/// Likeness of a scope to a path, closest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Likeness {
    /// The texts are the same.
    Exact,
    /// Same text but for a final `*`.
    Starless,
    /// Same text but for a final `*` and a final `/`.
    Slashless,
}

/// Returns a scope without its final `*`.
fn starless(scope: &str) -> &str {
    scope.strip_suffix('*').unwrap_or(scope)
}

/// Returns the form that all spellings of a scope have in common.
fn normalised(scope: &str) -> &str {
    let scope = starless(scope);
    let rest = scope.strip_prefix("s3://").unwrap_or(scope);
    rest.strip_suffix('/').unwrap_or(rest)
}

/// True for names of buckets of us-east-1 from before March 2018: up to 255 characters, capitals and
/// underscores (S3 user guide, "General purpose bucket naming rules").
fn is_old_bucket_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (3..=255).contains(&name.len()) && name.chars().all(allowed) && !matches!(name, "..." | "..")
}

/// Reads the table; what is wrong is left with the reader.
pub(super) fn parse(reader: &mut Reader<'_>) -> Option<Config> {
    let name = reader.required_string("name");
    let account = checked(reader, "awsAccountId", is_account, "must be 12 digits");
    let region = reader.required("awsRegion").and_then(|()| region(reader, "awsRegion"));
    let location_role = reader.required_string("awsLocationRole");
    let location = location(reader, region.as_deref());
    let credentials = credentials(reader);
    if reader.port("port").is_some_and(|port| port != 443) {
        reader.warn("port", "is not used: AWS answers on 443; `endpoints` takes other addresses");
    }
    let endpoint = Endpoint::read(reader, None);
    let endpoints = endpoints(reader, region.as_deref(), account.as_deref());
    Some(Config {
        name: name?,
        account: account?,
        region: region?,
        location_role: location_role?,
        location: location?,
        credentials: credentials?,
        endpoints: endpoints?,
        endpoint: endpoint?,
    })
}

fn checked(
    reader: &mut Reader<'_>,
    key: &'static str,
    is_right: fn(&str) -> bool,
    fault: &str,
) -> Option<String> {
    reader.required(key)?;
    let text = reader.digits(key)?;
    if !is_right(&text) {
        reader.refuse(key, fault);
        return None;
    }
    Some(text)
}

fn location(reader: &mut Reader<'_>, region: Option<&str>) -> Option<LocationPath> {
    let text = reader.required_string("awsLocationPath")?;
    let Some(path) = LocationPath::parse(&text) else {
        reader.refuse("awsLocationPath", "must be s3://, s3://bucket or s3://bucket/prefix");
        return None;
    };
    let is_old = path.bucket.as_deref().is_some_and(|bucket| !is_bucket_name(bucket));
    if is_old && region.is_some_and(|region| region != OLD_BUCKETS_REGION) {
        reader.refuse(
            "awsLocationPath",
            "must be s3://, s3://bucket or s3://bucket/prefix; only old buckets of us-east-1 have \
             capitals or underscores in their names",
        );
        return None;
    }
    Some(path)
}

/// Kinds of credentials as configured.
#[derive(Clone, Copy, IntoStaticStr, PartialEq, VariantArray)]
#[strum(serialize_all = "camelCase")]
enum Kind {
    Auto,
    AccessKey,
}

fn credentials(reader: &mut Reader<'_>) -> Option<Credentials> {
    let kind = authentication::read::<Kind>(reader, None);
    let id = key_id(reader, "awsAccessKeyId");
    let secret = reader.secret("awsSecretAccessKey");
    let token = reader.secret("awsSessionToken");
    let role = role(reader);
    let kind = kind?;
    authentication::refuse_unless(reader, kind, Kind::Auto, &["awsRoleToAssume", "externalId"]);
    let keys = ["awsAccessKeyId", "awsSecretAccessKey", "awsSessionToken"];
    authentication::refuse_unless(reader, kind, Kind::AccessKey, &keys);
    if kind == Kind::AccessKey {
        let id_given = reader.required("awsAccessKeyId");
        let secret_given = reader.required("awsSecretAccessKey");
        id_given.and(secret_given)?;
        let key = Some(AccessKey { id: id?, secret: secret?, token });
        return Some(Credentials { key, role: None });
    }
    Some(Credentials { key: None, role })
}

fn endpoints(
    reader: &mut Reader<'_>,
    region: Option<&str>,
    account: Option<&str>,
) -> Option<Endpoints> {
    let variant = Variant::read(reader, region);
    let overrides = reader.table("endpoints").map(|mut table| {
        let sts = replacement(&mut table, "sts");
        let s3 = replacement(&mut table, "s3");
        let s3_control = replacement(&mut table, "s3Control");
        table.finish();
        Overrides { sts, s3, s3_control }
    });
    let (region, account) = (region?.to_owned(), account?.to_owned());
    Some(Endpoints::new(region, account, variant, overrides.unwrap_or_default()))
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
        let mut reader = Reader::new(&value, "config", &faults).unwrap();
        let config = parse(&mut reader);
        reader.finish();
        let found: Vec<_> = faults.into_parts().0.iter().map(ToString::to_string).collect();
        assert!(config.is_some() || !found.is_empty(), "nothing read, and no reason");
        found
    }

    #[test]
    fn valid_configuration_is_read() {
        let key = r#""authenticationType": "accessKey", "awsAccessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "awsSecretAccessKey": {"file": "/run/secret"}"#;
        let role = r#""awsRoleToAssume": "arn:aws:iam::123456789012:role/a/b""#;
        let good = [
            "{}".to_owned(),
            format!("{{{key}}}"),
            format!(r#"{{{key}, "awsSessionToken": {{"credential": "token"}}}}"#),
            format!(r#"{{{role}, "externalId": "x:1"}}"#),
            r#"{"awsLocationPath": "s3://", "port": 443, "connectTimeout": "2s"}"#.to_owned(),
            r#"{"awsAccountId": 123456789012, "port": "443"}"#.to_owned(),
            r#"{"useFips": true, "useDualstack": true, "readTimeout": "20s"}"#.to_owned(),
            r#"{"proxy": {"url": "http://proxy:3128", "username": "u", "password": {"env": "P"}}}"#
                .to_owned(),
            r#"{"endpoints": {"sts": "http://127.0.0.1:1", "s3": "https://a.b", "s3Control": null}}"#
                .to_owned(),
        ];
        for changes in good {
            assert_eq!(faults(&changes), [""; 0], "{changes}");
        }
    }

    #[test]
    fn fault_is_named_with_its_key() {
        let cases = [
            (r#"{"name": null}"#, "config.name: missing"),
            (
                r#"{"awsAccountId": "1234"}"#,
                "config.awsAccountId: must be 12 digits, found \"1234\"",
            ),
            (r#"{"awsAccountId": 12345678901}"#, "must be 12 digits, found 12345678901"),
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
            (
                r#"{"awsRegion": "cn-north-1", "useFips": true}"#,
                "config.useFips: there are no FIPS",
            ),
            (r#"{"awsRegion": "eu-isoe-west-1", "useDualstack": true}"#, "config.useDualstack: "),
            (r#"{"connectTimeout": "5h"}"#, "config.connectTimeout: expected a duration"),
            (r#"{"tls": {"serverName": "a"}}"#, "config.tls: `serverName` cannot be used here"),
            (r#"{"proxy": {"url": "socks5://p"}}"#, "config.proxy.url: must be the address"),
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
    fn scope_is_more_or_less_like_the_path() {
        use Likeness::{Exact, Slashless, Starless};
        let table = [
            ("s3://lake/raw/*", "s3://lake/raw/*", Some(Exact)),
            ("s3://lake/raw/*", "s3://lake/raw/", Some(Starless)),
            ("s3://lake/raw/*", "s3://lake/raw*", Some(Slashless)),
            ("s3://lake/raw/", "s3://lake/raw/*", Some(Starless)),
            ("s3://lake/raw", "s3://lake/raw/*", Some(Slashless)),
            ("s3://lake/raw", "s3://lake/raw*", Some(Starless)),
            ("s3://lake", "s3://lake/*", Some(Slashless)),
            ("s3://", "s3://", Some(Exact)),
            ("s3://", "s3://*", Some(Starless)),
            ("s3://lake/raw", "s3://lake/Raw*", None),
            ("s3://lake/raw", "s3://lake/raw/a*", None),
            ("s3://lake/raw", "s3://", None),
        ];
        for (path, scope, expected) in table {
            assert_eq!(
                LocationPath::parse(path).unwrap().likeness(scope),
                expected,
                "{path} {scope}"
            );
        }
        let path = LocationPath::parse("s3://lake/raw/*").unwrap();
        assert_eq!((path.prefix.as_str(), path.shown.as_str()), ("raw/", "s3://lake/raw/"));
    }

    #[test]
    fn paths_of_two_locations_are_two_targets() {
        let table = [
            ("s3://lake/raw/*", "lake/raw/"),
            ("s3://lake/raw/", "lake/raw/"),
            ("s3://lake/raw*", "lake/raw"),
            ("s3://lake/*", "lake"),
            ("s3://lake", "lake"),
            ("s3://*", ""),
        ];
        for (path, target) in table {
            assert_eq!(LocationPath::parse(path).unwrap().target(), target, "{path}");
        }
    }

    #[test]
    fn old_bucket_is_one_of_its_region_only() {
        let of = |region: &str, path: &str| {
            faults(&format!(r#"{{"awsRegion": "{region}", "awsLocationPath": "{path}"}}"#))
        };
        assert_eq!(of("us-east-1", "s3://ABCD_Central_1/raw/"), [""; 0]);
        let found = of("eu-west-1", "s3://ABCD_Central_1/raw/");
        assert!(found[0].contains("only old buckets of us-east-1"), "{found:?}");
        assert_eq!(of("us-east-1", "s3://a b/raw/").len(), 1);
    }

    #[test]
    fn old_bucket_names_are_those_of_one_region() {
        for name in ["La_ke", "MyBucket", "a_b", "lake..raw", "-lake", "LAKE.Raw"] {
            assert!(is_old_bucket_name(name) && !is_bucket_name(name), "{name}");
        }
        for name in ["la ke", "lake/raw", "lä", "..", "...", "ab", "a\nb"] {
            assert!(!is_old_bucket_name(name) && !is_bucket_name(name), "{name}");
        }
        let long = "x".repeat(64);
        assert!(is_old_bucket_name(&long) && !is_bucket_name(&long));
        assert!(!is_old_bucket_name(&"x".repeat(256)));
        for (region, is_accepted) in [("us-east-1", true), ("eu-central-1", false)] {
            let path = r#""awsLocationPath": "s3://La_ke/raw/*""#;
            let found = faults(&format!(r#"{{{path}, "awsRegion": "{region}"}}"#));
            assert_eq!(found.is_empty(), is_accepted, "{region}: {found:?}");
        }
    }

    #[test]
    fn integrations_of_the_same_location_have_the_same_target() {
        let target = |path: &str| LocationPath::parse(path).unwrap().target().to_owned();
        assert_eq!(target("s3://lake"), target("s3://lake/"));
        assert_eq!(target("s3://lake/*"), target("s3://lake/"));
        assert_eq!(target("s3://lake/raw/*"), target("s3://lake/raw/"));
        assert_ne!(target("s3://lake/raw/*"), target("s3://lake/raw*"));
        assert_ne!(target("s3://lake/raw/"), target("s3://lake/Raw/"));
    }
}
