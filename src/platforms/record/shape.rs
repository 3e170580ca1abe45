//! Shapes of texts that hold names: URLs, hosts, addresses, ARNs, e-mail addresses and sentences. A replaced
//! text has the shape of the original.

use std::net::IpAddr;

use super::pseudonym::{Kind, Pseudonyms, Reading};
use super::words::{is_built_in, is_protocol};

/// Domains of the vendors, which are kept: the code of platforms depends on them.
const VENDORS: [&str; 30] = [
    "amazon.com",
    "amazonaws.com",
    "amazonaws.com.cn",
    "api.aws",
    "azure.com",
    "azure.net",
    "azure.cn",
    "azuredatabricks.net",
    "azuresynapse.net",
    "azuresynapse.azure.cn",
    "chinacloudapi.cn",
    "databricks.azure.cn",
    "databricks.azure.us",
    "databricks.com",
    "gcr.io",
    "google.com",
    "googleapis.com",
    "gserviceaccount.com",
    "google.internal",
    "galaxy.starburst.io",
    "microsoft.com",
    "microsoftonline.cn",
    "microsoftonline.com",
    "microsoftonline.us",
    "snowflake.com",
    "snowflakecomputing.cn",
    "snowflakecomputing.com",
    "trino.io",
    "windows.net",
    "usgovcloudapi.net",
];
/// Last labels by which a text is known as a host name.
const TOP: [&str; 34] = [
    "ai", "au", "biz", "br", "ca", "ch", "cloud", "cn", "co", "com", "corp", "de", "edu", "eu",
    "example", "fr", "gov", "intern", "internal", "intra", "invalid", "io", "jp", "lan", "local",
    "mil", "net", "nl", "org", "pl", "se", "test", "uk", "us",
];
/// Last label of host names that are replaced (RFC 2606).
const EXAMPLE: &str = "example";

impl Pseudonyms {
    /// Returns a text of an answer or of a report with every name replaced. One word is an identifier.
    pub(super) fn text(&mut self, text: &str) -> String {
        let text = self.redacted(text);
        let is_sentence = text.trim().contains(char::is_whitespace);
        let reading = if is_sentence { Reading::Prose } else { Reading::Identifier };
        self.tokens(&text, reading)
    }

    /// Returns a value of the configuration with every name in it replaced, which is of this kind.
    pub(super) fn named(&mut self, text: &str, kind: Kind) -> String {
        let text = self.redacted(text);
        if kind == Kind::Host && !text.contains(['/', ' ', ',']) && !text.is_empty() {
            return self.place(&text);
        }
        self.tokens(&text, Reading::Named(kind))
    }

    /// Replaces the names in a text, token by token.
    pub(super) fn tokens(&mut self, text: &str, reading: Reading) -> String {
        if let Some((before, placeholder, after)) = self.first_exact(text) {
            let before = self.tokens(before, reading);
            return format!("{before}{placeholder}{}", self.tokens(after, reading));
        }
        let mut replaced = String::with_capacity(text.len());
        let (mut rest, mut before) = (text, ' ');
        while !rest.is_empty() {
            let (token, after) = rest.split_at(end_of(rest, is_of_token));
            if !token.is_empty() {
                let next = after.chars().next().unwrap_or(' ');
                let is_quoted = "'\"`[(<".contains(before) && "'\"`])>".contains(next);
                let is_prose = reading == Reading::Prose && is_quoted;
                let reading = if is_prose { Reading::Identifier } else { reading };
                replaced.push_str(&self.token(token, reading));
            }
            let (between, after) = after.split_at(end_of(after, |char| !is_of_token(char)));
            replaced.push_str(between);
            before = between.chars().last().unwrap_or(' ');
            rest = after;
        }
        replaced
    }

    fn token(&mut self, token: &str, reading: Reading) -> String {
        if let Ok(address) = token.parse::<IpAddr>() {
            return self.address(address);
        }
        if let Some(scheme) = token.strip_suffix("://") {
            return format!("{}://", self.parts(scheme, Reading::Identifier));
        }
        let inner = token.trim_matches(|char| ".:=+/@~-_".contains(char));
        let (Some(at), false) = (token.find(inner), inner.is_empty()) else {
            return token.to_owned();
        };
        let (head, rest) = token.split_at(at);
        let tail = rest.get(inner.len()..).unwrap_or_default();
        format!("{head}{}{tail}", self.inner(inner, reading))
    }

    fn inner(&mut self, text: &str, reading: Reading) -> String {
        if is_instant(text) {
            return text.to_owned();
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let scheme = self.parts(scheme, Reading::Identifier);
            return match scheme.as_str() {
                "s3" | "s3a" | "gs" => format!("{scheme}://{}", self.parts(rest, reading)),
                _ => {
                    let place = self.place(authority);
                    let path = self.segments(path, |own, word| match reading {
                        Reading::Named(kind) => own.structural(word, kind),
                        Reading::Prose | Reading::Identifier => own.word(word, Reading::Identifier),
                    });
                    format!("{scheme}://{place}{path}")
                }
            };
        }
        if let Some((user, host)) = text.split_once('@').filter(|(_, host)| is_host(host)) {
            let user_reading = match reading {
                Reading::Named(_) => reading,
                Reading::Prose | Reading::Identifier => Reading::Named(Kind::User),
            };
            return format!("{}@{}", self.parts(user, user_reading), self.host(host));
        }
        self.parts(text, reading)
    }

    /// Replaces a text of words that other characters join.
    fn parts(&mut self, text: &str, reading: Reading) -> String {
        let words = text.split(|char| !is_of_word(char)).filter(|word| !word.is_empty()).count();
        let reading = match reading {
            Reading::Prose if 1 < words => Reading::Identifier,
            // Of a path, a URL or an ARN, what belongs to its form is no name.
            Reading::Named(kind) if 1 < words && text.contains([':', '/']) => {
                return self.segments(text, |own, word| own.structural(word, kind));
            }
            Reading::Prose | Reading::Identifier | Reading::Named(_) => reading,
        };
        self.segments(text, |own, word| own.word(word, reading))
    }

    /// Replaces hosts and addresses by themselves, and each word of everything else by `replace`.
    fn segments(&mut self, text: &str, replace: impl Fn(&mut Self, &str) -> String) -> String {
        let mut replaced = String::with_capacity(text.len());
        for part in text.split_inclusive([':', '/', '=', '@', '+', '~']) {
            let segment = part.trim_end_matches([':', '/', '=', '@', '+', '~']);
            if let Ok(address) = segment.parse::<IpAddr>() {
                replaced.push_str(&self.address(address));
            } else if is_host(segment) {
                replaced.push_str(&self.host(segment));
            } else {
                self.each_word(segment, &mut replaced, &replace);
            }
            replaced.push_str(part.get(segment.len()..).unwrap_or_default());
        }
        replaced
    }

    fn each_word(
        &mut self,
        text: &str,
        replaced: &mut String,
        replace: &impl Fn(&mut Self, &str) -> String,
    ) {
        let mut rest = text;
        while !rest.is_empty() {
            let (word, after) = rest.split_at(end_of(rest, is_of_word));
            if !word.is_empty() {
                let new = replace(self, word);
                replaced.push_str(&new);
            }
            let escape = after.strip_prefix('%').and_then(|rest| rest.get(..2));
            let is_escape = escape.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
            let width = if is_escape { 3 } else { after.chars().next().map_or(0, char::len_utf8) };
            let (between, after) = after.split_at(width);
            replaced.push_str(between);
            rest = after;
        }
    }

    /// Replaces `host`, `host:port`, or a host with a user before it.
    fn place(&mut self, authority: &str) -> String {
        if let Some((user, place)) = authority.rsplit_once('@') {
            return format!(
                "{}@{}",
                self.parts(user, Reading::Named(Kind::User)),
                self.place(place)
            );
        }
        match authority.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                format!("{}:{port}", self.host(host))
            }
            _ => self.host(authority),
        }
    }

    /// Replaces a host name; the domain of a vendor is kept.
    fn host(&mut self, host: &str) -> String {
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            let address = self.address(address);
            return if host.starts_with('[') { format!("[{address}]") } else { address };
        }
        let is_vendor = VENDORS.iter().any(|vendor| host.eq_ignore_ascii_case(vendor));
        if is_vendor || is_built_in(host) || host.is_empty() {
            return host.to_owned();
        }
        if let Some((own, vendor)) = vendor_of(host) {
            let labels = own.split('.').map(|label| self.label(label));
            return labels.chain([vendor.to_owned()]).collect::<Vec<_>>().join(".");
        }
        let Some((own, _top)) = host.trim_end_matches('.').rsplit_once('.') else {
            return self.word(host, Reading::Named(Kind::Host));
        };
        let labels: Vec<_> =
            own.split('.').map(|label| self.word(label, Reading::Named(Kind::Host))).collect();
        format!("{}.{EXAMPLE}", labels.join("."))
    }

    /// Replaces a label below the domain of a vendor, such as `adb-1234567890123456`.
    fn label(&mut self, label: &str) -> String {
        match label.split_once('-') {
            Some((first, number)) if is_protocol(first) && number.parse::<u64>().is_ok() => {
                format!("{first}-{}", self.word(number, Reading::Identifier))
            }
            _ => self.structural(label, Kind::Host),
        }
    }

    /// Replaces a word that may belong to the form of the text around it.
    fn structural(&mut self, word: &str, kind: Kind) -> String {
        if is_protocol(word) && !self.is_known(word) {
            return word.to_owned();
        }
        self.word(word, Reading::Named(kind))
    }
}

/// Returns the end of the first characters of `text` that `is_of` takes.
fn end_of(text: &str, is_of: impl Fn(char) -> bool) -> usize {
    text.find(|char| !is_of(char)).unwrap_or(text.len())
}

fn is_of_token(char: char) -> bool {
    char.is_alphanumeric() || "_-.@:/+%=~".contains(char)
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '-'
}

/// Returns the labels before the domain of a vendor, and that.
fn vendor_of(host: &str) -> Option<(&str, &str)> {
    let found = VENDORS.iter().filter_map(|vendor| {
        let own = host.len().checked_sub(vendor.len()).and_then(|at| host.split_at_checked(at));
        let (own, end) = own.filter(|(_, end)| end.eq_ignore_ascii_case(vendor))?;
        Some((own.strip_suffix('.')?, end))
    });
    found.max_by_key(|(_, vendor)| vendor.len())
}

/// True for a text that is a host name by its last labels.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    let Some((_, last)) = text.rsplit_once('.') else { return false };
    text.split('.').all(is_label)
        && (TOP.contains(&last.to_ascii_lowercase().as_str()) || vendor_of(text).is_some())
}

/// True for a date, a time, or seconds since 1970 with a fraction.
fn is_instant(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let of_time = |c: char| c.is_ascii_digit() || "-:.+TZ".contains(c);
    let is_date = text.get(..10).is_some_and(|date| {
        let parts: Vec<_> = date.split('-').collect();
        matches!(parts.as_slice(), [y, m, d] if y.len() == 4 && m.len() == 2 && d.len() == 2
            && [y, m, d].iter().all(|part| is_digits(part)))
    });
    let is_compact = text.split_once('T').is_some_and(|(date, time)| {
        let time = time.trim_end_matches('Z');
        date.len() == 8 && time.len() == 6 && is_digits(date) && is_digits(time)
    });
    let seconds = text.split_once('.');
    let is_seconds = seconds.is_some_and(|(s, f)| s.len() == 10 && is_digits(s) && is_digits(f));
    (is_date && text.chars().all(of_time)) || is_compact || is_seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_known_by_its_last_labels() {
        let table = [
            ("trino.acme.com", true),
            ("acme.internal", true),
            ("x.snowflakecomputing.com", true),
            ("a-b.c_d.net", true),
            ("lake.raw.orders", false),
            ("io.trino.spi.AccessDenied", false),
            ("localhost", false),
            ("a..com", false),
            (".com", false),
            ("a b.com", false),
            ("1.5", false),
        ];
        for (text, expected) in table {
            assert_eq!(is_host(text), expected, "{text}");
        }
    }

    #[test]
    fn domain_of_a_vendor_is_the_longest_that_fits() {
        let table = [
            ("a.cloud.databricks.com", Some(("a.cloud", "databricks.com"))),
            ("x.SnowflakeComputing.com", Some(("x", "SnowflakeComputing.com"))),
            ("s3.cn-north-1.amazonaws.com.cn", Some(("s3.cn-north-1", "amazonaws.com.cn"))),
            ("evilgoogleapis.com", None),
            ("googleapis.com", None),
            ("googleapis.com.evil.example", None),
            ("", None),
        ];
        for (host, expected) in table {
            assert_eq!(vendor_of(host), expected, "{host}");
        }
    }

    #[test]
    fn instant_is_kept_and_an_identifier_is_not() {
        let table = [
            ("2026-11-22", true),
            ("2026-11-22T21:00:00Z", true),
            ("2026-11-22T21:00:00.123+01:00", true),
            ("20261122T210000Z", true),
            ("1795381200.123000000", true),
            ("1795381200", false),
            ("2026-11-22-jdoe", false),
            ("20261122_210000_00005_abcde", false),
            ("2026-1-2", false),
            ("", false),
        ];
        for (text, expected) in table {
            assert_eq!(is_instant(text), expected, "{text}");
        }
    }

    #[test]
    fn address_stays_in_its_kind_of_network() {
        let mut names = Pseudonyms::default();
        let table = [
            ("10.9.8.7", "10.0.0.2"),
            ("192.168.7.7:443", "192.168.0.3:443"),
            ("172.20.1.1", "172.16.0.4"),
            ("169.254.169.254", "169.254.169.254"),
            ("0.0.0.0", "0.0.0.0"),
            ("34.1.2.3", "203.0.113.5"),
            ("2a00:1450::1", "2001:db8::5"),
            ("::1", "::1"),
            ("https://[2a00:1450::1]:8443/x", "https://[2001:db8::5]:8443/x"),
            ("10.9.8.7", "10.0.0.2"),
        ];
        for (text, expected) in table {
            assert_eq!(names.text(text), expected, "{text}");
        }
    }
}
