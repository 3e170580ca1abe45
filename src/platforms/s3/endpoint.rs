//! Where AWS answers: hosts by partition, region and variant, or what the configuration says.

use std::net::{IpAddr, Ipv6Addr};

use reqwest::Url;

/// A separate AWS, with its own names and its own field in every ARN.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Partition {
    /// The second field of its ARNs.
    pub(super) id: &'static str,
    /// What its regions begin with; the first match counts.
    prefix: &'static str,
    /// The end of its host names.
    dns: &'static str,
    /// The end of STS host names that answer over IPv6 too, where there are any.
    dual_stack_dns: Option<&'static str>,
    /// Whether S3 has FIPS endpoints there.
    fips: bool,
}

const fn partition(
    id: &'static str,
    prefix: &'static str,
    dns: &'static str,
    dual_stack_dns: Option<&'static str>,
    fips: bool,
) -> Partition {
    Partition { id, prefix, dns, dual_stack_dns, fips }
}

/// The partitions as the AWS SDKs know them; a region nobody knows is taken for a new one of `aws`.
const PARTITIONS: [Partition; 8] = [
    partition("aws-us-gov", "us-gov-", "amazonaws.com", Some("api.aws"), true),
    partition("aws-cn", "cn-", "amazonaws.com.cn", Some("api.amazonwebservices.com.cn"), false),
    partition("aws-iso", "us-iso-", "c2s.ic.gov", Some("api.aws.ic.gov"), true),
    partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov", Some("api.aws.scloud"), true),
    partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", None, true),
    partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov", None, true),
    partition("aws-eusc", "eusc-", "amazonaws.eu", Some("api.amazonwebservices.eu"), true),
    AWS,
];
const AWS: Partition = partition("aws", "", "amazonaws.com", Some("api.aws"), true);

/// The partition of `region`.
pub(super) fn partition_of(region: &str) -> &'static Partition {
    PARTITIONS.iter().find(|partition| region.starts_with(partition.prefix)).unwrap_or(&AWS)
}

/// Which kinds of endpoint are wanted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Variant {
    /// Validated cryptography.
    pub(super) fips: bool,
    /// IPv6 besides IPv4.
    pub(super) dual_stack: bool,
}

/// Explicit addresses that replace AWS's own, for private links and tests.
#[derive(Clone, Debug, Default)]
pub(super) struct Overrides {
    /// For the Security Token Service.
    pub(super) sts: Option<Url>,
    /// For S3.
    pub(super) s3: Option<Url>,
    /// For S3 Control.
    pub(super) s3_control: Option<Url>,
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
    /// The addresses for `account` in `region`.
    ///
    /// # Errors
    ///
    /// Says which variant the region's partition does not have.
    pub(super) fn new(
        region: &str,
        account: &str,
        variant: Variant,
        overrides: Overrides,
    ) -> Result<Self, &'static str> {
        let partition = partition_of(region);
        if variant.fips && !partition.fips {
            return Err("S3 has no FIPS endpoints in this region");
        }
        if variant.dual_stack && partition.dual_stack_dns.is_none() {
            return Err("there are no dual-stack endpoints in this region");
        }
        let (region, account) = (region.to_owned(), account.to_owned());
        Ok(Self { region, account, variant, overrides })
    }

    /// The origin that answers for the Security Token Service.
    pub(super) fn sts(&self) -> String {
        if let Some(url) = &self.overrides.sts {
            return origin(url, None);
        }
        let Self { region, variant: Variant { fips, dual_stack }, .. } = self;
        let partition = partition_of(region);
        // GovCloud's ordinary STS endpoint is the validated one.
        let suffix =
            if *fips && (*dual_stack || partition.id != "aws-us-gov") { "-fips" } else { "" };
        let dns = partition.dual_stack_dns.filter(|_| *dual_stack).unwrap_or(partition.dns);
        format!("https://sts{suffix}.{region}.{dns}")
    }

    /// The origin that answers for S3 Control, the account in front of the host name where the
    /// name can take it.
    pub(super) fn s3_control(&self) -> String {
        match &self.overrides.s3_control {
            Some(url) if is_fixed(url) => origin(url, None),
            Some(url) => origin(url, Some(&self.account)),
            None => format!("https://{}.{}", self.account, self.aws_host("s3-control")),
        }
    }

    /// The origin and the path that answer for `bucket`.
    ///
    /// A dot in the name breaks the wildcard certificate, and an explicit endpoint may not resolve
    /// with a name in front: both put the bucket into the path.
    pub(super) fn bucket(&self, bucket: &str) -> String {
        match &self.overrides.s3 {
            Some(url) => format!("{}/{bucket}", origin(url, None)),
            None if bucket.contains('.') => format!("https://{}/{bucket}", self.s3_host()),
            None => format!("https://{bucket}.{}/", self.s3_host()),
        }
    }

    /// The host, with its region, that limits of runs are counted by.
    pub(super) fn s3_host(&self) -> String {
        match &self.overrides.s3 {
            Some(url) => authority(url),
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

/// Reads an explicit endpoint.
///
/// # Errors
///
/// Says what it must look like.
pub(super) fn parse_override(text: &str) -> Result<Url, &'static str> {
    let shape = "must be an address such as https://vpce-1a2b.sts.eu-west-1.vpce.amazonaws.com, \
        without user, path or query";
    let Ok(url) = Url::parse(text) else { return Err(shape) };
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match url.scheme() {
        _ if !is_bare || url.host_str().is_none() => Err(shape),
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("must begin with https://; plain http is only for this machine itself"),
        _ => Err(shape),
    }
}

fn origin(url: &Url, prefix: Option<&str>) -> String {
    let dot = prefix.map_or(String::new(), |prefix| format!("{prefix}."));
    format!("{}://{dot}{}", url.scheme(), authority(url))
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// True for names that nothing can be put in front of.
fn is_fixed(url: &Url) -> bool {
    address(url).is_some() || is_loopback(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let named = host == "localhost" || host.ends_with(".localhost");
    named || address(url).is_some_and(|address| address.is_loopback())
}

/// The literal address in `url`.
fn address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "123456789012";

    fn endpoints(region: &str, fips: bool, dual_stack: bool) -> Endpoints {
        let variant = Variant { fips, dual_stack };
        Endpoints::new(region, ACCOUNT, variant, Overrides::default()).unwrap()
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
            let found = endpoints(region, fips == "fips", dual_stack == "dual");
            assert_eq!(found.sts(), format!("https://{sts}"), "{line}");
            assert_eq!(found.bucket("lake"), format!("https://lake.{s3}/"), "{line}");
            assert_eq!(found.s3_control(), format!("https://{ACCOUNT}.{control}"), "{line}");
            count += 1;
        }
        assert_eq!(count, 30);
    }

    #[test]
    fn what_a_partition_lacks_is_refused() {
        let refused = |region, fips, dual_stack| {
            let variant = Variant { fips, dual_stack };
            Endpoints::new(region, ACCOUNT, variant, Overrides::default()).unwrap_err()
        };
        assert_eq!(refused("cn-north-1", true, false), "S3 has no FIPS endpoints in this region");
        let none = "there are no dual-stack endpoints in this region";
        assert_eq!(refused("eu-isoe-west-1", false, true), none);
        assert_eq!(refused("us-isof-south-1", true, true), none);
    }

    #[test]
    fn buckets_with_dots_stand_in_the_path() {
        let found = endpoints("eu-central-1", false, false);
        assert_eq!(found.bucket("a.b"), "https://s3.eu-central-1.amazonaws.com/a.b");
        assert_eq!(found.s3_host(), "s3.eu-central-1.amazonaws.com");
    }

    #[test]
    fn the_account_goes_in_front_of_names_only() {
        let cases = [
            ("http://127.0.0.1:5055", "http://127.0.0.1:5055"),
            ("http://[::1]:5055/", "http://[::1]:5055"),
            ("http://localhost:5055", "http://localhost:5055"),
            ("https://10.0.0.7", "https://10.0.0.7"),
            (
                "https://control.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com:443",
                "https://123456789012.control.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com",
            ),
        ];
        for (given, expected) in cases {
            let url = parse_override(given).unwrap();
            let s3 = Some(url.clone());
            let overrides = Overrides { s3_control: Some(url), s3, sts: None };
            let found =
                Endpoints::new("eu-west-1", ACCOUNT, Variant::default(), overrides).unwrap();
            assert_eq!(found.s3_control(), expected);
            let plain = expected.replace("123456789012.", "");
            assert_eq!(found.bucket("lake"), format!("{plain}/lake"));
            assert_eq!(found.sts(), "https://sts.eu-west-1.amazonaws.com");
        }
    }

    #[test]
    fn explicit_endpoints_are_bare_and_encrypted() {
        let cases = [
            ("http://s3.example.com", "https://"),
            ("http://10.0.0.7:9000", "https://"),
            ("https://u:p@s3.example.com", "without user"),
            ("https://s3.example.com/path", "without user, path"),
            ("https://s3.example.com/?x=1", "query"),
            ("ftp://s3.example.com", "address"),
            ("s3.example.com", "address"),
        ];
        for (given, expected) in cases {
            let fault = parse_override(given).unwrap_err();
            assert!(fault.contains(expected), "{given}: {fault}");
        }
    }
}
