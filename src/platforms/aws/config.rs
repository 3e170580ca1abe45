//! Keys of the configuration that platforms on AWS have in common.

use super::credentials::Role;
use super::endpoint::partition_of;
use crate::input::Reader;
use crate::platforms::connection::origin;

/// Reads `key` as an address that replaces one of AWS's own.
pub(crate) fn replacement(reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
    let text = reader.string(key)?;
    origin(&text).map_err(|wanted| reader.refuse(key, wanted)).ok()
}

/// Reads `key` as a region, which may be absent.
pub(crate) fn region(reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
    let region = reader.string(key)?;
    if !is_region(&region) {
        reader.refuse(key, "must be a region such as eu-west-1");
        return None;
    }
    Some(region)
}

/// Reads `key` as the id of an access key, which may be absent.
pub(crate) fn key_id(reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
    let id = reader.string(key);
    if id.as_ref().is_some_and(|id| !is_key_id(id)) {
        reader.fault(key, "must be the id of an access key, such as AKIA...");
    }
    id
}

/// Reads `awsRoleToAssume` and `externalId`; what is wrong is left with the reader.
pub(crate) fn role(reader: &mut Reader<'_>) -> Option<Role> {
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

/// Returns the partition in the ARN of a role; none for another text.
fn role_partition(arn: &str) -> Option<&str> {
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
pub(crate) fn is_role_in(arn: &str, region: &str) -> bool {
    role_partition(arn) == Some(partition_of(region).id)
}

/// True for the number of an account.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

/// True for what a region is called: words and a number, such as `us-gov-west-1`.
pub(crate) fn is_region(text: &str) -> bool {
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

    #[test]
    fn roles_differ_from_other_names() {
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

    #[test]
    fn regions_differ_from_other_words() {
        for good in ["eu-west-1", "us-gov-east-1", "ap-southeast-10", "us-isob-east-1"] {
            assert!(is_region(good), "{good}");
        }
        for bad in ["", "eu-west", "eu_west_1", "eu-west-", "eu-west-123", "x/y-z-1", "EU-west-1"] {
            assert!(!is_region(bad), "{bad}");
        }
    }
}
