//! Endpoints of S3: hosts by partition, region and variant, or as configured.

use crate::platforms::aws::endpoint::{Variant, partition_of, prefixed};
use crate::platforms::connection::authority;

/// Explicit origins that replace AWS's own, for private links and tests.
#[derive(Clone, Debug, Default)]
pub(super) struct Overrides {
    /// Origin of the Security Token Service.
    pub(super) sts: Option<String>,
    /// Address of the S3 server.
    pub(super) s3: Option<String>,
    /// Address of the S3 Control server.
    pub(super) s3_control: Option<String>,
}

/// The addresses of one integration.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    region: String,
    account: String,
    variant: Variant,
    overrides: Overrides,
}

impl Endpoints {
    /// Returns the addresses for `account` in `region`.
    pub(super) const fn new(
        region: String,
        account: String,
        variant: Variant,
        overrides: Overrides,
    ) -> Self {
        Self { region, account, variant, overrides }
    }

    /// Returns the account whose Access Grants are checked.
    pub(super) fn account(&self) -> &str {
        &self.account
    }

    /// Returns what identifies an Access Grants instance: the address for the region, and the
    /// account.
    pub(super) fn access_grants(&self) -> [String; 2] {
        [self.account.clone(), self.s3_control()]
    }

    /// Returns the origin of the Security Token Service.
    pub(super) fn sts(&self) -> String {
        let given = self.overrides.sts.clone();
        given.unwrap_or_else(|| self.variant.origin("sts", &self.region))
    }

    /// Returns the origin of S3 Control, with the account before the host name where the name can
    /// take it; private links need it too.
    pub(super) fn s3_control(&self) -> String {
        match &self.overrides.s3_control {
            Some(given) => prefixed(given, &self.account),
            None => format!("https://{}.{}", self.account, self.aws_host("s3-control")),
        }
    }

    /// Returns origin and path for `bucket`.
    ///
    /// A dot in the name breaks the wildcard certificate, capitals and underscores of old buckets are
    /// no host name, and an explicit endpoint may not resolve with a name in front: all put the
    /// bucket into the path.
    pub(super) fn bucket(&self, bucket: &str) -> String {
        let is_label = is_bucket_name(bucket) && !bucket.contains('.');
        match &self.overrides.s3 {
            Some(given) => format!("{given}/{bucket}"),
            None if !is_label => format!("https://{}/{bucket}", self.s3_host()),
            None => format!("https://{bucket}.{}/", self.s3_host()),
        }
    }

    /// Returns the host, with its region, by which runs are limited.
    pub(super) fn s3_host(&self) -> String {
        match &self.overrides.s3 {
            Some(given) => authority(given).to_owned(),
            None => self.aws_host("s3"),
        }
    }

    fn aws_host(&self, service: &str) -> String {
        let Self { region, variant, .. } = self;
        let fips = if variant.fips { "-fips" } else { "" };
        let dual_stack = if variant.dual_stack { ".dualstack" } else { "" };
        format!("{service}{fips}{dual_stack}.{region}.{}", partition_of(region).dns)
    }
}

/// True for names that buckets of every region can have.
pub(super) fn is_bucket_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.chars().all(allowed)
        && !name.contains("..")
        && name.starts_with(is_edge)
        && name.ends_with(is_edge)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "123456789012";

    fn endpoints(region: &str, variant: Variant, overrides: Overrides) -> Endpoints {
        Endpoints::new(region.to_owned(), ACCOUNT.to_owned(), variant, overrides)
    }

    /// Region, FIPS, dual stack, then the hosts of STS, S3 and S3 Control (without the account) as
    /// botocore 1.43 builds them.
    #[test]
    fn hosts_are_those_of_the_sdk() {
        let cases = include_str!("testcases/endpoints.txt");
        let mut count = 0;
        for line in cases.lines().filter(|line| !line.starts_with('#')) {
            let [region, fips, dual_stack, sts, s3, control] =
                line.split_whitespace().collect::<Vec<_>>()[..]
            else {
                panic!("not six words: {line}");
            };
            let variant = Variant { fips: fips == "fips", dual_stack: dual_stack == "dual" };
            let found = endpoints(region, variant, Overrides::default());
            assert_eq!(found.sts(), format!("https://{sts}"), "{line}");
            assert_eq!(found.bucket("lake"), format!("https://lake.{s3}/"), "{line}");
            assert_eq!(found.s3_control(), format!("https://{ACCOUNT}.{control}"), "{line}");
            count += 1;
        }
        assert_eq!(count, 30);
    }

    #[test]
    fn buckets_with_dots_stand_in_the_path() {
        let found = endpoints("eu-central-1", Variant::default(), Overrides::default());
        assert_eq!(found.bucket("a.b"), "https://s3.eu-central-1.amazonaws.com/a.b");
        assert_eq!(found.bucket("A_b"), "https://s3.eu-central-1.amazonaws.com/A_b");
        assert_eq!(found.s3_host(), "s3.eu-central-1.amazonaws.com");
    }

    /// The hosts of private links are those of the S3 user guide, "Accessing bucket ... through S3
    /// interface endpoints", and of the AWS endpoint test vectors.
    #[test]
    fn explicit_endpoint_has_the_account_as_prefix_and_the_bucket_as_path() {
        let vpce = |name: &str| format!("https://{name}.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com");
        let cases = [
            ("http://127.0.0.1:5055".to_owned(), "http://127.0.0.1:5055".to_owned()),
            (vpce("control"), vpce("123456789012.control")),
        ];
        for (given, control) in cases {
            let s3 = Some(given.clone());
            let overrides = Overrides { s3_control: Some(given.clone()), s3, sts: None };
            let found = endpoints("eu-west-1", Variant::default(), overrides);
            assert_eq!(found.s3_control(), control);
            assert_eq!(found.bucket("lake"), format!("{given}/lake"));
            assert_eq!(found.sts(), "https://sts.eu-west-1.amazonaws.com");
        }
    }
}
