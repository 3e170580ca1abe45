//! Public words: those of the protocols, which are in this program, and those of plain English.
//!
//! Whatever is not a public word is replaced in a recording (default deny). Words of the protocols are all that the
//! platforms' code compares answers with, so that a recording leads to the same report.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words of protocols, in lower case: of the strings in this program, and of the keys of documented answers.
static PROTOCOL: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("words/protocol.txt").lines().collect());
/// Words of plain English, in lower case.
static PROSE: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("words/prose.txt").lines().collect());

/// Names that platforms and their users have everywhere, so that they say nothing about anybody.
const BUILT_IN: [&str; 20] = [
    "accountadmin",
    "default",
    "dev",
    "hive_metastore",
    "immuta",
    "immuta_impersonation",
    "information_schema",
    "localhost",
    "main",
    "master",
    "orgadmin",
    "public",
    "securityadmin",
    "sys",
    "sysadmin",
    "system",
    "true",
    "false",
    "useradmin",
    "utc",
];

/// Parts of regions of clouds.
const CONTINENTS: [&str; 14] = [
    "af",
    "ap",
    "asia",
    "australia",
    "ca",
    "cn",
    "eu",
    "europe",
    "il",
    "me",
    "mx",
    "northamerica",
    "sa",
    "us",
];
const DIRECTIONS: [&str; 10] =
    ["central", "east", "gov", "iso", "isob", "north", "northeast", "south", "southeast", "west"];

/// True for a word of a protocol.
pub(super) fn is_protocol(word: &str) -> bool {
    let lower = word.to_lowercase();
    PROTOCOL.contains(lower.as_str()) || is_region(word) || is_of_entra(&lower)
}

/// True for a word of plain English, or of a protocol.
pub(super) fn is_prose(word: &str) -> bool {
    is_protocol(word) || PROSE.contains(word.to_lowercase().as_str())
}

/// True for a name that says nothing about anybody.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.contains(&name.to_lowercase().as_str())
}

/// True for an error code of Microsoft Entra, in lower case, such as `aadsts7000215`.
fn is_of_entra(word: &str) -> bool {
    let number = word.strip_prefix("aadsts").unwrap_or_default();
    (5..=8).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// True for the region of a cloud, such as `eu-central-1` or `europe-west3`.
fn is_region(word: &str) -> bool {
    let mut parts = word.split('-');
    let continent = parts.next().is_some_and(|part| CONTINENTS.contains(&part));
    let is_number = |part: &str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut directions = 0;
    let fits = parts.all(|part| {
        let direction = part.trim_end_matches(|char: char| char.is_ascii_digit());
        directions += usize::from(DIRECTIONS.contains(&direction));
        DIRECTIONS.contains(&direction) || is_number(part)
    });
    continent && fits && 0 < directions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_is_a_public_word() {
        let table = [
            ("eu-central-1", true),
            ("us-gov-west-1", true),
            ("europe-west3", true),
            ("northamerica-northeast1", true),
            ("us-1", false),
            ("us-acme-1", false),
            ("eu-central-1234", false),
            ("central-1", false),
            ("", false),
        ];
        for (word, expected) in table {
            assert_eq!(is_region(word), expected, "{word}");
        }
    }

    #[test]
    fn code_of_entra_is_a_public_word() {
        let table = [("AADSTS7000215", true), ("aadsts50034", true), ("AADSTSx", false)];
        for (word, expected) in table.into_iter().chain([("AADSTS7x00215", false)]) {
            assert_eq!(is_protocol(word), expected, "{word}");
        }
    }

    #[test]
    fn case_of_a_public_word_does_not_matter() {
        for word in ["AccessDenied", "ACCESSDENIED", "accessdenied"] {
            assert!(is_protocol(word), "{word}");
        }
        assert!(is_prose("The") && is_built_in("PUBLIC") && !is_built_in("auditors"));
    }
}
