//! Pseudonyms: what is replaced in a recording, each name by the same placeholder everywhere.

use std::collections::HashMap;
use std::net::IpAddr;

use super::words::{is_built_in, is_prose, is_protocol};
use crate::domain::Redactor;

/// Digits of the longest number that is kept; longer ones are identifiers.
const DIGITS_MAX: usize = 6;
/// Length of the shortest text of hexadecimal digits that keeps its length.
const HEX_MIN: usize = 16;
/// Most names that are replaced in one recording.
const NAMES_MAX: usize = 20_000;

/// Kind of thing that is replaced.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase", const_into_str)]
pub(crate) enum Kind {
    /// Host name, or a part of one.
    Host,
    /// Person or machine that logs in.
    User,
    /// Role or principal of a platform.
    Role,
    /// Account, tenant, project or workspace.
    Account,
    /// Database or dataset of a platform.
    Database,
    /// Schema of a catalog.
    Schema,
    /// Table of a schema.
    Table,
    /// Catalog of a platform.
    Catalog,
    /// Warehouse that runs statements.
    Warehouse,
    /// Bucket, prefix or path.
    Path,
    /// Address of the network.
    Address,
    /// Number, UUID or another identifier.
    Id,
    /// Any other word that is not known to be public.
    Name,
    /// Secret of the configuration.
    Secret,
}

impl Kind {
    /// Returns the name, with which placeholders begin.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Name that is replaced.
#[derive(Clone, Debug)]
pub(crate) struct Pseudonym {
    /// Kind of the name.
    pub(crate) kind: Kind,
    /// Text in its place.
    pub(crate) placeholder: String,
    /// Key of the configuration or the operation in which it was found first.
    pub(crate) source: String,
    /// Number of times that it was replaced.
    pub(crate) uses: u64,
}

/// Reading of a word: what else it may be than a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reading {
    /// Word of a sentence.
    Prose,
    /// Identifier, of which the words of protocols are kept.
    Identifier,
    /// Identifier that the configuration names.
    Named(Kind),
}

/// Pseudonyms of one recording.
#[derive(Debug, Default)]
pub(super) struct Pseudonyms {
    redactor: Redactor,
    /// Indexes of entries by name in lower case.
    known: HashMap<String, usize>,
    entries: Vec<Pseudonym>,
    counts: HashMap<Kind, u64>,
    /// Texts that are replaced as they are, such as paths of files.
    exact: Vec<(String, String)>,
    source: String,
    /// True while a text is read in which no secret was found.
    is_clean: bool,
}

impl Pseudonyms {
    /// Returns none yet; `redactor` knows the secrets of the run.
    pub(super) fn new(redactor: &Redactor) -> Self {
        Self { redactor: redactor.clone(), ..Self::default() }
    }

    /// Sets the source of names that are found from now on.
    pub(super) fn reading(&mut self, source: &str) {
        source.clone_into(&mut self.source);
    }

    /// Replaces `text` by `placeholder` wherever it stands.
    pub(super) fn exactly(&mut self, text: &str, placeholder: &str) {
        self.exact.push((text.to_owned(), placeholder.to_owned()));
        self.enter(Kind::Path, placeholder.to_owned());
    }

    /// Returns the first text in `text` that is replaced as it is: what is before it, its placeholder, and
    /// what is after it.
    pub(super) fn first_exact<'t>(&self, text: &'t str) -> Option<(&'t str, String, &'t str)> {
        self.exact.iter().find_map(|(exact, placeholder)| {
            let (before, after) = text.split_once(exact.as_str())?;
            Some((before, placeholder.clone(), after))
        })
    }

    /// Returns everything that is replaced, in the order of kinds.
    pub(super) fn into_table(mut self) -> Vec<Pseudonym> {
        self.entries.sort_by_key(|entry| entry.kind);
        self.entries
    }

    /// Returns the placeholder of a secret of the configuration.
    pub(super) fn secret(&mut self) -> String {
        let placeholder = self.numbered(Kind::Secret);
        self.enter(Kind::Secret, placeholder.clone());
        placeholder
    }

    /// Returns `text` without the secrets of the run.
    pub(super) fn redacted(&self, text: &str) -> String {
        if self.is_clean { text.to_owned() } else { self.redactor.redact(text) }
    }

    /// Runs `work` on the parts of `text`: when it has no secret as a whole, its parts are not searched again.
    pub(super) fn part_by_part<T>(&mut self, text: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        self.is_clean = self.redactor.redact(text) == text;
        let done = work(self);
        self.is_clean = false;
        done
    }

    /// Returns the text in place of one word, which consists of letters, digits, `_` and `-`.
    pub(super) fn word(&mut self, word: &str, reading: Reading) -> String {
        let is_plain = word.chars().count() < 2 || is_short_number(word);
        if is_plain || is_unmistakable(word, reading) {
            return word.to_owned();
        }
        if let Some(placeholder) = self.known(word) {
            return placeholder;
        }
        match reading {
            Reading::Named(_) if is_built_in(word) => return word.to_owned(),
            Reading::Named(kind) => return self.replaced(word, kind),
            Reading::Identifier if is_protocol(word) => return word.to_owned(),
            Reading::Prose if is_protocol(word) || (is_prose(word) && !is_capitals(word)) => {
                return word.to_owned();
            }
            Reading::Identifier | Reading::Prose => {}
        }
        if is_number(word) || is_uuid(word) || is_access_key(word) || is_hex(word) {
            return self.replaced(word, Kind::Id);
        }
        if word.contains(['_', '-']) {
            return self.compound(word, reading);
        }
        self.replaced(word, Kind::Name)
    }

    /// Returns the address of this network in place of `address`; this machine and metadata services are
    /// the same everywhere.
    pub(super) fn address(&mut self, address: IpAddr) -> String {
        let text = address.to_string();
        let IpAddr::V4(v4) = address else {
            if address.is_loopback() || address.is_unspecified() {
                return text;
            }
            return self.entered(&text, |number| format!("2001:db8::{number:x}"));
        };
        let [first, second, ..] = v4.octets();
        if v4.is_loopback() || v4.is_unspecified() || v4.is_link_local() {
            return text;
        }
        self.entered(&text, |number| {
            let host = number % 254 + 1;
            match (first, second) {
                (10, _) => format!("10.0.0.{host}"),
                (192, 168) => format!("192.168.0.{host}"),
                (172, 16..=31) => format!("172.16.0.{host}"),
                _ => format!("203.0.113.{host}"),
            }
        })
    }

    fn entered(&mut self, name: &str, placeholder: impl FnOnce(u64) -> String) -> String {
        if let Some(placeholder) = self.known(name) {
            return placeholder;
        }
        let number = self.count(Kind::Address);
        let placeholder = placeholder(number);
        self.known.insert(name.to_lowercase(), self.entries.len());
        self.enter(Kind::Address, placeholder.clone());
        placeholder
    }

    /// True for a name that was replaced before.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.known.contains_key(&name.to_lowercase())
    }

    /// True when a word of `text` is a name that was replaced before, or a secret of the run.
    pub(super) fn has_name(&self, text: &str) -> bool {
        text.split('.').any(|word| self.is_known(word)) || self.redacted(text) != text
    }

    /// Returns the placeholder of a name that was replaced before, in the case of `name`.
    fn known(&mut self, name: &str) -> Option<String> {
        let entry = self.entries.get_mut(*self.known.get(&name.to_lowercase())?)?;
        entry.uses += 1;
        Some(in_case_of(name, &entry.placeholder))
    }

    fn replaced(&mut self, name: &str, kind: Kind) -> String {
        if let Some(placeholder) = self.known(name) {
            return placeholder;
        }
        if NAMES_MAX <= self.entries.len() {
            return in_case_of(name, kind.as_str());
        }
        let placeholder = if is_number(name) {
            let number = self.count(Kind::Id);
            let width = name.len().saturating_sub(1);
            format!("1{number:0width$}")
        } else if is_uuid(name) {
            format!("00000000-0000-4000-8000-{:012x}", self.count(Kind::Id))
        } else if is_access_key(name) {
            let number = self.count(Kind::Id);
            format!("{}EXAMPLE{number:09}", name.get(..4).unwrap_or_default())
        } else if is_hex(name) {
            let (number, width) = (self.count(Kind::Id), name.len().saturating_sub(1));
            format!("a{number:0width$}")
        } else {
            self.numbered(kind)
        };
        self.known.insert(name.to_lowercase(), self.entries.len());
        self.enter(kind, placeholder.clone());
        in_case_of(name, &placeholder)
    }

    /// Replaces the parts of a word that `_` and `-` join, so that a prefix stays one.
    fn compound(&mut self, word: &str, reading: Reading) -> String {
        let is_plain = reading == Reading::Prose && !word.contains('_') && !is_capitals(word);
        if is_plain && word.split('-').all(is_prose) {
            return word.to_owned();
        }
        let parts: Vec<&str> = word.split_inclusive(['_', '-']).collect();
        let (mut text, mut rest, mut is_changed) = (String::new(), parts.as_slice(), false);
        while let Some((first, others)) = rest.split_first() {
            if let Some((placeholder, after)) = self.longest_known(rest) {
                text.push_str(&placeholder);
                rest = after;
                is_changed = true;
                continue;
            }
            let (part, end) = parted(first);
            let replaced = self.word(part, Reading::Identifier);
            is_changed |= replaced != part;
            text.push_str(&replaced);
            text.push_str(end);
            rest = others;
        }
        let is_plain = |part: &&str| {
            let (part, _) = parted(part);
            part.chars().count() < 2 || is_short_number(part)
        };
        // Such as a version.
        if is_changed || parts.iter().all(is_plain) {
            return text;
        }
        // All parts are public, but not together: the beginning stays, because it may be a prefix.
        let last = parts.last().map_or(0, |last| last.len());
        let kept = word.get(..word.len().saturating_sub(last)).unwrap_or_default();
        let placeholder = format!("{}{}", kept.to_lowercase(), self.numbered(Kind::Name));
        self.known.insert(word.to_lowercase(), self.entries.len());
        self.enter(Kind::Name, placeholder.clone());
        in_case_of(word, &placeholder)
    }

    /// Returns the placeholder of the longest beginning of `parts` that is known, and the rest.
    fn longest_known<'p, 'w>(&mut self, parts: &'p [&'w str]) -> Option<(String, &'p [&'w str])> {
        (1..=parts.len()).rev().find_map(|length| {
            let (known, rest) = parts.split_at_checked(length)?;
            let joined = known.concat();
            let (name, end) = parted(&joined);
            Some((format!("{}{end}", self.known(name)?), rest))
        })
    }

    fn numbered(&mut self, kind: Kind) -> String {
        format!("{}{}", kind.as_str(), self.count(kind))
    }

    fn count(&mut self, kind: Kind) -> u64 {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        *count
    }

    fn enter(&mut self, kind: Kind, placeholder: String) {
        self.entries.push(Pseudonym { kind, placeholder, source: self.source.clone(), uses: 1 });
    }
}

/// Returns a part of a compound, and the character that ends it.
fn parted(part: &str) -> (&str, &str) {
    let name = part.trim_end_matches(['_', '-']);
    (name, part.get(name.len()..).unwrap_or_default())
}

/// True for a word of a protocol in a sentence, which is kept even where it is a name elsewhere: refusals are
/// known by such words.
fn is_unmistakable(word: &str, reading: Reading) -> bool {
    reading == Reading::Prose && !is_capitals(word) && is_protocol(word)
}

/// Returns `placeholder` in capitals where `name` is, and with one where `name` begins with one.
fn in_case_of(name: &str, placeholder: &str) -> String {
    if is_uuid(placeholder) || is_access_key(placeholder) {
        return placeholder.to_owned();
    }
    if is_capitals(name) {
        return placeholder.to_uppercase();
    }
    let is_mixed = name.chars().any(char::is_uppercase);
    let mut chars = placeholder.chars();
    match chars.next().filter(|_| is_mixed) {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => placeholder.to_owned(),
    }
}

/// True for text with capitals and without small letters.
fn is_capitals(text: &str) -> bool {
    text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// True for a number that is no identifier, also with a unit.
fn is_short_number(text: &str) -> bool {
    let number = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let unit = text.get(number.len()..).unwrap_or_default();
    let number = number.strip_prefix('-').unwrap_or(number);
    let units = ["", "b", "d", "gb", "h", "kb", "m", "mb", "ms", "s"];
    is_number(number) && number.len() <= DIGITS_MAX && units.contains(&unit.to_lowercase().as_str())
}

fn is_hex(text: &str) -> bool {
    HEX_MIN <= text.len()
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<_> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, length)| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

/// True for the id of an access key of AWS, or of another of its principals.
fn is_access_key(text: &str) -> bool {
    let prefixes = ["AKIA", "ASIA", "AIDA", "AROA"];
    text.len() == 20
        && prefixes.iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
