//! Headers of requests that the configuration adds: roles, client tags, and others by name.

use std::collections::BTreeSet;

use http::HeaderName;
use http::header::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::input::Reader;

/// Catalog of the roles of the whole cluster.
const SYSTEM: &str = "system";
/// Most roles, tags or headers of each kind.
const COUNT_MAX: usize = 50;
/// Longest value of a header, in bytes.
const VALUE_MAX: usize = 2048;
/// Headers that are made from other keys, or that describe the message itself.
const OWN: [(&str, &str); 9] = [
    ("authorization", "credentials are given by `authenticationType`"),
    ("proxy-authorization", "credentials are given in `proxy`"),
    ("cookie", "credentials are given by `authenticationType`"),
    ("x-trino-user", "the user is given in `username`"),
    ("x-trino-source", "it is always `revalidated`"),
    ("host", "the host is given in `host`"),
    ("content-type", "it belongs to the message"),
    ("content-length", "it belongs to the message"),
    ("transfer-encoding", "it belongs to the message"),
];
/// Characters that Java's `URLEncoder` leaves as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');

/// Headers that every statement gets.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers {
    /// Roles of the system account, which no other user may have.
    pub(super) roles: Vec<(String, String)>,
    /// Headers of every user.
    pub(super) shared: Vec<(String, String)>,
}

impl Headers {
    /// Reads `role`, `roles`, `clientTags` and `headers`; faults are left with the reader.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let roles = roles(reader);
        let roles = roles.into_iter().map(|role| ("x-trino-role".to_owned(), role)).collect();
        let mut shared = Vec::new();
        if let Some(tags) = tags(reader) {
            shared.push(("x-trino-client-tags".to_owned(), tags));
        }
        let names: BTreeSet<_> = shared.iter().map(|(name, _)| name.clone()).collect();
        for (name, value) in reader.string_map("headers").unwrap_or_default() {
            let found = HeaderName::from_bytes(name.as_bytes());
            let name = found.map(|name| name.as_str().to_owned()).unwrap_or_default();
            let own = OWN.iter().find(|(own, _)| *own == name);
            let is_value = value.len() <= VALUE_MAX && HeaderValue::from_str(&value).is_ok();
            let is_twice = names.contains(&name);
            match own {
                Some((_, why)) => reader.fault("headers", format!("`{name}` cannot be set: {why}")),
                None if name.is_empty() || !is_value => reader
                    .fault("headers", "must be names of HTTP headers with one line of text each"),
                None if is_twice => {
                    reader.fault("headers", format!("`{name}` is given by `clientTags` already"));
                }
                None => shared.push((name, value)),
            }
        }
        if COUNT_MAX < shared.len() {
            reader.fault("headers", format!("must be up to {COUNT_MAX} headers"));
        }
        Self { roles, shared }
    }

    /// Returns the roles by name, each with its catalog; `system` is the cluster's.
    pub(super) fn named_roles(&self) -> Vec<(String, String)> {
        let named = |(_header, value): &(String, String)| {
            let (catalog, role) = value.split_once('=')?;
            let role = percent_decode_str(role).decode_utf8().ok()?;
            let role = role.strip_prefix("ROLE{")?.strip_suffix('}')?;
            Some((catalog.to_owned(), role.to_owned()))
        };
        self.roles.iter().filter_map(named).collect()
    }

    /// Returns all headers of the system account.
    pub(super) fn of_system(&self) -> Vec<(String, String)> {
        self.roles.iter().chain(&self.shared).cloned().collect()
    }
}

/// Returns the values of `X-Trino-Role`: one for each catalog, and `system` for the cluster's.
fn roles(reader: &mut Reader<'_>) -> Vec<String> {
    let mut all: Vec<(String, String)> =
        reader.string_map("roles").unwrap_or_default().into_iter().collect();
    if let Some(role) = reader.string("role") {
        if all.iter().any(|(catalog, _)| catalog == SYSTEM) {
            reader.fault("role", "is given in `roles` as `system` already; remove one of the two");
        }
        all.insert(0, (SYSTEM.to_owned(), role));
    }
    let fits = |text: &String| {
        !text.trim().is_empty() && text.len() <= 255 && !text.chars().any(char::is_control)
    };
    if COUNT_MAX < all.len() || !all.iter().all(|(catalog, role)| fits(catalog) && fits(role)) {
        let wanted = "must be catalogs with the name of a role each, `ALL` or `NONE`";
        reader.fault("roles", wanted);
        return Vec::new();
    }
    all.iter().map(|(catalog, role)| format!("{catalog}={}", selected(role))).collect()
}

/// Returns a role as `ClientSelectedRole` writes it, encoded for the header.
fn selected(role: &str) -> String {
    let is_written =
        matches!(role, "ALL" | "NONE") || (role.starts_with("ROLE{") && role.ends_with('}'));
    let text = if is_written { role.to_owned() } else { format!("ROLE{{{role}}}") };
    utf8_percent_encode(&text, ENCODED).to_string()
}

/// Returns the value of `X-Trino-Client-Tags`.
fn tags(reader: &mut Reader<'_>) -> Option<String> {
    let tags = reader.strings("clientTags")?;
    let fits = |tag: &String| {
        !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
    };
    let joined = tags.join(",");
    if tags.is_empty() || VALUE_MAX < joined.len() || !tags.iter().all(fits) {
        reader.fault("clientTags", "must be words of ASCII characters without commas");
        return None;
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Faults, Value};
    use serde_json::{Value as Json, json};

    fn read(config: &Json) -> (Headers, Vec<String>) {
        let (value, faults) = (Value::from_json(config, &"f".into()), Faults::default());
        let mut reader = Reader::new(&value, "config", &faults).unwrap();
        let headers = Headers::read(&mut reader);
        reader.finish();
        (headers, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn roles_tags_and_headers_are_sent_as_clients_write_them() {
        let table = [
            (json!({ "role": "reader" }), "x-trino-role: system=ROLE%7Breader%7D"),
            (json!({ "role": "ALL" }), "x-trino-role: system=ALL"),
            (json!({ "role": "ROLE{a b}" }), "x-trino-role: system=ROLE%7Ba%20b%7D"),
            (
                json!({ "roles": { "lake": "admin", "system": "NONE" } }),
                "x-trino-role: lake=ROLE%7Badmin%7D, x-trino-role: system=NONE",
            ),
            (json!({ "clientTags": ["etl", "p=1"] }), "x-trino-client-tags: etl,p=1"),
            (
                json!({ "headers": { "X-Trino-Time-Zone": "UTC", "X-Gateway": "a b" } }),
                "x-gateway: a b, x-trino-time-zone: UTC",
            ),
            (json!({}), ""),
        ];
        for (config, expected) in table {
            let (headers, faults) = read(&config);
            assert!(faults.is_empty(), "{config}: {faults:?}");
            let found = headers.of_system();
            let mut found: Vec<_> = found.iter().map(|(n, v)| format!("{n}: {v}")).collect();
            found.sort();
            assert_eq!(found.join(", "), expected, "{config}");
        }
    }

    #[test]
    fn roles_have_their_names_back_without_those_of_all_and_none() {
        let config = json!({ "role": "ROLE{a b}", "roles": { "lake": "ü}", "pond": "ALL" } });
        let named = |catalog: &str, role: &str| (catalog.to_owned(), role.to_owned());
        let expected = [named("system", "a b"), named("lake", "ü}")];
        assert_eq!(read(&config).0.named_roles(), expected);
    }

    #[test]
    fn headers_of_other_keys_and_broken_ones_are_refused() {
        let table = [
            (json!({ "headers": { "Authorization": "x" } }), "`authorization` cannot be set"),
            (json!({ "headers": { "x-trino-user": "x" } }), "`username`"),
            (json!({ "headers": { "a b": "x" } }), "must be names of HTTP headers"),
            (json!({ "headers": { "a": "x\ny" } }), "must be names of HTTP headers"),
            (
                json!({ "clientTags": ["a"], "headers": { "X-Trino-Client-Tags": "b" } }),
                "by `clientTags` already",
            ),
            (json!({ "role": "a", "roles": { "system": "b" } }), "config.role: is given in"),
            (json!({ "role": " " }), "config.roles: must be catalogs"),
            (json!({ "clientTags": [] }), "config.clientTags: must be words"),
            (json!({ "clientTags": ["a,b"] }), "config.clientTags: must be words"),
        ];
        for (config, expected) in table {
            let (_, faults) = read(&config);
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{config}: {faults:?}");
        }
    }
}
