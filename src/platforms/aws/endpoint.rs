//! Endpoints of AWS: hosts by partition, region and variant, or as configured.

use reqwest::Url;

use crate::input::Reader;
use crate::platforms::connection::{authority, is_loopback};

/// A separate AWS, with its own names and its own field in every ARN.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Partition {
    /// The second field of its ARNs.
    pub(crate) id: &'static str,
    /// Prefix of the partition's regions; the first match counts.
    prefix: &'static str,
    /// The end of its host names.
    pub(crate) dns: &'static str,
    /// The end of the host names that answer over IPv6 too, where there are any; S3 has others.
    dual_stack_dns: Option<&'static str>,
    /// True where there are FIPS endpoints.
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

/// The partitions as the AWS SDKs list them; an unknown region is taken for a new one of `aws`.
pub(crate) const PARTITIONS: [Partition; 8] = [
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

/// Returns the partition of `region`.
pub(crate) fn partition_of(region: &str) -> &'static Partition {
    PARTITIONS.iter().find(|partition| region.starts_with(partition.prefix)).unwrap_or(&AWS)
}

/// Variants of endpoints: FIPS and dual-stack.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Variant {
    /// Use of the endpoints with validated cryptography (FIPS).
    pub(crate) fips: bool,
    /// Use of the endpoints with IPv6 besides IPv4.
    pub(crate) dual_stack: bool,
}

impl Variant {
    /// Reads `useFips` and `useDualstack`; a variant that `region` does not have is left with the
    /// reader as a fault.
    pub(crate) fn read(reader: &mut Reader<'_>, region: Option<&str>) -> Self {
        let fips = reader.boolean("useFips").unwrap_or_default();
        let dual_stack = reader.boolean("useDualstack").unwrap_or_default();
        let partition = partition_of(region.unwrap_or_default());
        if fips && !partition.fips {
            reader.fault("useFips", "there are no FIPS endpoints in this region");
        }
        if dual_stack && partition.dual_stack_dns.is_none() {
            reader.fault("useDualstack", "there are no dual-stack endpoints in this region");
        }
        Self { fips, dual_stack }
    }

    /// Returns the origin of `service` in `region`, for services whose hosts begin with their name:
    /// all but S3.
    pub(crate) fn origin(self, service: &str, region: &str) -> String {
        let Self { fips, dual_stack } = self;
        let partition = partition_of(region);
        // GovCloud's ordinary endpoint is the validated one.
        let suffix =
            if fips && (dual_stack || partition.id != "aws-us-gov") { "-fips" } else { "" };
        let dns = partition.dual_stack_dns.filter(|_| dual_stack).unwrap_or(partition.dns);
        format!("https://{service}{suffix}.{region}.{dns}")
    }
}

/// Returns `address` with `prefix` and a dot before its host name; literal addresses and this
/// machine itself stay as they are.
pub(crate) fn prefixed(address: &str, prefix: &str) -> String {
    let takes_one = Url::parse(address).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        !is_loopback(&url) && host.parse::<std::net::IpAddr>().is_err()
    });
    match address.split_once("://") {
        Some((scheme, _)) if takes_one => format!("{scheme}://{prefix}.{}", authority(address)),
        Some(_) | None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Region, FIPS, dual stack and the hosts of STS and Redshift as botocore 1.43 builds them.
    #[test]
    fn hosts_are_those_of_the_sdk() {
        let cases = include_str!("endpoints.txt");
        let mut count = 0;
        for line in cases.lines().filter(|line| !line.starts_with('#')) {
            let [region, fips, dual_stack, sts, redshift] =
                line.split_whitespace().collect::<Vec<_>>()[..]
            else {
                panic!("not five words: {line}");
            };
            let variant = Variant { fips: fips == "fips", dual_stack: dual_stack == "dual" };
            assert_eq!(variant.origin("sts", region), format!("https://{sts}"), "{line}");
            assert_eq!(variant.origin("redshift", region), format!("https://{redshift}"), "{line}");
            count += 1;
        }
        assert_eq!(count, 30);
    }

    #[test]
    fn a_prefix_goes_in_front_of_names_only() {
        let cases = [
            ("http://127.0.0.1:5055", "http://127.0.0.1:5055"),
            ("http://[::1]:5055", "http://[::1]:5055"),
            ("https://[fd00::7]", "https://[fd00::7]"),
            ("http://localhost:5055", "http://localhost:5055"),
            ("https://10.0.0.7", "https://10.0.0.7"),
            (
                "https://control.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com",
                "https://7.control.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com",
            ),
            ("https://s3.example.com:8443", "https://7.s3.example.com:8443"),
        ];
        for (address, expected) in cases {
            assert_eq!(prefixed(address, "7"), expected);
        }
    }
}
