//! Form of a host's name, which shows the cluster.

use crate::platforms::aws::config::{is_account, is_region};
use crate::platforms::aws::endpoint::PARTITIONS;

/// Server that a host's name shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target<'a> {
    /// A provisioned cluster under its own name.
    Cluster {
        /// Identifier of the cluster.
        cluster: &'a str,
        /// Region of the cluster.
        region: &'a str,
    },
    /// A provisioned cluster at an endpoint that Redshift manages, whose name has no identifier.
    ManagedEndpoint {
        /// Region of the cluster.
        region: &'a str,
    },
    /// Serverless workgroup of an account.
    Workgroup {
        /// The account and the region, where the name has its usual form.
        place: Option<(&'a str, &'a str)>,
    },
    /// Anything: a private link, a tunnel, an address.
    Unknown,
}

/// Reads `host`, in lower case: `<cluster>.<hash>.<region>.redshift.amazonaws.com`, or the same
/// with the end of another partition.
pub(super) fn target(host: &str) -> Target<'_> {
    for partition in &PARTITIONS {
        let Some(rest) = host.strip_suffix(partition.dns) else { continue };
        if let Some(rest) = rest.strip_suffix(".redshift-serverless.") {
            let parts: Vec<_> = rest.split('.').collect();
            let place = match parts[..] {
                [_, account, region] if is_account(account) && is_region(region) => {
                    Some((account, region))
                }
                _ => None,
            };
            return Target::Workgroup { place };
        }
        let Some(rest) = rest.strip_suffix(".redshift.") else { continue };
        let parts: Vec<_> = rest.split('.').collect();
        return match parts[..] {
            [cluster, _, region] if is_cluster(cluster) && is_region(region) => {
                if cluster.contains("-endpoint-") {
                    Target::ManagedEndpoint { region }
                } else {
                    Target::Cluster { cluster, region }
                }
            }
            _ => Target::Unknown,
        };
    }
    Target::Unknown
}

/// True for what a cluster can be called: lower-case letters, digits and single hyphens.
pub(super) fn is_cluster(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len())
        && text.chars().all(allowed)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cluster_and_region_are_read_from_hosts() {
        let of = |cluster, region| Target::Cluster { cluster, region };
        let cases = [
            ("prod.abc123xyz789.eu-central-1.redshift.amazonaws.com", of("prod", "eu-central-1")),
            ("p-1.abc.cn-north-1.redshift.amazonaws.com.cn", of("p-1", "cn-north-1")),
            ("p.abc.us-gov-west-1.redshift.amazonaws.com", of("p", "us-gov-west-1")),
            ("p.abc.us-iso-east-1.redshift.c2s.ic.gov", of("p", "us-iso-east-1")),
            (
                "lake-endpoint-a1b2c3.abc.eu-west-1.redshift.amazonaws.com",
                Target::ManagedEndpoint { region: "eu-west-1" },
            ),
            (
                "wg.123456789012.eu-west-1.redshift-serverless.amazonaws.com",
                Target::Workgroup { place: Some(("123456789012", "eu-west-1")) },
            ),
            (
                "wg.123456789012.cn-north-1.redshift-serverless.amazonaws.com.cn",
                Target::Workgroup { place: Some(("123456789012", "cn-north-1")) },
            ),
            (
                "wg-endpoint.eu-west-1.redshift-serverless.amazonaws.com",
                Target::Workgroup { place: None },
            ),
            ("prod.eu-central-1.redshift.amazonaws.com", Target::Unknown),
            ("prod.abc.europe.redshift.amazonaws.com", Target::Unknown),
            ("a.prod.abc.eu-central-1.redshift.amazonaws.com", Target::Unknown),
            ("prod.abc.eu-central-1.redshift.amazonaws.com.evil.example", Target::Unknown),
            ("10.0.0.7", Target::Unknown),
            ("redshift.amazonaws.com", Target::Unknown),
            ("", Target::Unknown),
        ];
        for (host, expected) in cases {
            assert_eq!(target(host), expected, "{host}");
        }
    }

    #[test]
    fn clusters_differ_from_other_words() {
        for good in ["p", "prod-1", "a-b-c"] {
            assert!(is_cluster(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "1a", "a--b", "a-", "Prod", "a b", "a/b", long.as_str()] {
            assert!(!is_cluster(bad), "{bad}");
        }
    }
}
