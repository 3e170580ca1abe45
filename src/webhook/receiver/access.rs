//! Reads the way to a receiver and the credentials that it is shown: `headers`, `bearer`, `proxy`, `tls`.

use std::path::PathBuf;

use http::HeaderName;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST,
    TRANSFER_ENCODING, UPGRADE,
};
use reqwest::Url;

use crate::domain::SecretRef;
use crate::input::{Reader, quoted};

/// Largest number of headers of a receiver.
const HEADERS_MAX: usize = 32;
/// Beginning of the headers that every message has.
const OWN: &str = "webhook-";
/// Headers that belong to the message or to the connection.
const RESERVED: [HeaderName; 8] = [
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    EXPECT,
    HOST,
    TRANSFER_ENCODING,
    UPGRADE,
];
/// Parts of the names of headers whose values are secrets.
const SECRET: [&str; 8] =
    ["auth", "cookie", "credential", "key", "pass", "secret", "signature", "token"];

/// Way to a receiver, and the credentials that it is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    /// Headers of every request, beside those of the message.
    pub(crate) headers: Vec<(HeaderName, SecretRef)>,
    /// Token of the header `Authorization`.
    pub(crate) bearer: Option<SecretRef>,
    /// Proxy that requests are sent through.
    pub(crate) proxy: Option<ProxyRef>,
    /// Certificate of the client with those up to its authority, and its key, both in PEM form.
    pub(crate) identity: Option<(SecretRef, SecretRef)>,
    /// File of certificate authorities that replace the operating system's.
    pub(crate) ca_file: Option<PathBuf>,
}

/// Proxy with the credentials that it asks for.
#[derive(Clone, Debug)]
pub(crate) struct ProxyRef {
    /// URL of the proxy, without user and password.
    pub(crate) url: String,
    /// User name and password.
    pub(crate) credentials: Option<(String, SecretRef)>,
}

/// Reads the keys; faults go to the reader.
pub(super) fn access(reader: &mut Reader<'_>) -> Access {
    let headers = headers(reader);
    let bearer = reader.secret("bearer");
    if bearer.is_some() && headers.iter().any(|(name, _)| *name == AUTHORIZATION) {
        reader.fault("bearer", "cannot be used with the header `Authorization`, which it is");
    }
    let proxy = reader.table("proxy").and_then(proxy);
    let (identity, authorities) = reader.table("tls").map(tls).unwrap_or_default();
    let ca_file = reader.string("ca_file").map(PathBuf::from);
    if ca_file.is_some() && authorities.is_some() {
        reader.fault("ca_file", "cannot be used with `tls.ca`, which is the same");
    }
    Access { headers, bearer, proxy, identity, ca_file: ca_file.or(authorities) }
}

fn headers(reader: &mut Reader<'_>) -> Vec<(HeaderName, SecretRef)> {
    let is_secret = |name: &str| {
        let name = name.to_lowercase();
        SECRET.iter().any(|part| name.contains(part))
    };
    let given = reader.values("headers", is_secret);
    if HEADERS_MAX < given.len() {
        reader.fault("headers", format!("must not have more than {HEADERS_MAX} entries"));
    }
    let mut headers: Vec<(HeaderName, SecretRef)> = Vec::new();
    for (name, value) in given {
        let Ok(header) = HeaderName::try_from(name.as_str()) else {
            reader.fault("headers", format!("{} is not the name of a header", quoted(&name)));
            continue;
        };
        if RESERVED.contains(&header) || header.as_str().starts_with(OWN) {
            let message = format!("`{header}` belongs to the message itself; remove it");
            reader.fault("headers", message);
        } else if headers.iter().any(|(other, _)| *other == header) {
            reader.fault("headers", format!("`{header}` is given twice"));
        } else if !is_sendable(&value) {
            reader.fault("headers", format!("`{header}` must hold printable ASCII on one line"));
        } else {
            headers.push((header, value));
        }
    }
    headers
}

/// Returns false for a literal value that no header can hold; others are looked at when they are read.
fn is_sendable(value: &SecretRef) -> bool {
    let SecretRef::Literal(text) = value else { return true };
    http::HeaderValue::from_str(text.expose()).is_ok()
}

fn proxy(mut table: Reader<'_>) -> Option<ProxyRef> {
    let text = table.required_string("url");
    let url = text.and_then(|text| {
        let url = Url::parse(&text).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some()
                && url.username().is_empty()
                && url.password().is_none()
        });
        if url.is_none() {
            let wanted = "must be the address of a proxy such as http://proxy.example.com:3128; the \
                user goes into `username` and `password`";
            table.fault("url", wanted);
        }
        url.map(String::from)
    });
    let (username, password) = (table.string("username"), table.secret("password"));
    if table.has("username") != table.has("password") {
        table.fault("username", "`username` and `password` are given together or not at all");
    }
    table.finish();
    Some(ProxyRef { url: url?, credentials: username.zip(password) })
}

/// Client certificate with its key, and the file of certificate authorities.
type TlsKeys = (Option<(SecretRef, SecretRef)>, Option<PathBuf>);

fn tls(mut table: Reader<'_>) -> TlsKeys {
    let (chain, key) = (table.pem("certificate"), table.pem("key"));
    if table.has("certificate") != table.has("key") {
        table.fault("certificate", "`certificate` and `key` are given together or not at all");
    }
    let authorities = match table.pem("ca") {
        Some(SecretRef::File(path)) => Some(path),
        Some(_) => {
            table.fault("ca", "expected the path of a PEM file, or { file = \"path\" }");
            None
        }
        None => None,
    };
    table.finish();
    (chain.zip(key), authorities)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::input::{Faults, Value};

    /// Reads a table; returns what was read, the faults and the warnings.
    fn read(table: &Json) -> (Access, Vec<String>, Vec<String>) {
        let value = Value::from_json(table, &"f.toml:7".into());
        let faults = Faults::default();
        let mut reader = Reader::new(&value, "receiver[0]", &faults).unwrap();
        let access = access(&mut reader);
        reader.finish();
        let (faults, warnings) = faults.into_parts();
        let texts = |faults: Vec<crate::input::Fault>| {
            faults.into_iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect()
        };
        (access, texts(faults), texts(warnings))
    }

    #[test]
    fn every_key_is_read() {
        let (access, faults, warnings) = read(&json!({
            "headers": { "X-Api-Key": { "file": "/key" }, "X-Scope-OrgID": "data" },
            "bearer": { "credential": "token" },
            "proxy": { "url": "http://proxy.example.com:3128", "username": "u",
                       "password": { "env": "P" } },
            "tls": { "certificate": "/own.pem", "key": { "credential": "own-key" }, "ca": "/ca.pem" },
        }));
        assert_eq!((faults, warnings), (vec![], vec![]));
        let names: Vec<_> = access.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-api-key", "x-scope-orgid"]);
        assert!(matches!(&access.headers[0].1, SecretRef::File(_)));
        assert!(matches!(&access.bearer, Some(SecretRef::Credential(_))));
        let proxy = access.proxy.unwrap();
        assert_eq!(proxy.url, "http://proxy.example.com:3128/");
        assert!(matches!(proxy.credentials, Some((user, SecretRef::Env(_))) if user == "u"));
        let (chain, key) = access.identity.unwrap();
        assert!(matches!(chain, SecretRef::File(path) if path == *"/own.pem"));
        assert!(matches!(key, SecretRef::Credential(_)));
        assert_eq!(access.ca_file, Some(PathBuf::from("/ca.pem")));
    }

    #[test]
    fn each_wrong_value_is_one_fault_that_shows_no_secret() {
        let file = json!({ "file": "/f" });
        let table = [
            (json!({ "headers": "x" }), "headers: expected a table, found \"x\""),
            (json!({ "headers": { "a b": "x" } }), "\"a b\" is not the name of a header"),
            (
                json!({ "headers": { "Content-Type": "x" } }),
                "`content-type` belongs to the message",
            ),
            (json!({ "headers": { "webhook-id": "x" } }), "`webhook-id` belongs to the message"),
            (json!({ "headers": { "X-A": "x", "x-a": "y" } }), "`x-a` is given twice"),
            (json!({ "headers": { "X-A": "hunter2\n" } }), "`x-a` must hold printable ASCII"),
            (json!({ "headers": { "X-Key": { "fle": "x" } } }), "headers.X-Key: expected { file"),
            (json!({ "bearer": file, "headers": { "authorization": file } }), "`Authorization`"),
            (json!({ "proxy": {} }), "proxy.url: missing"),
            (json!({ "proxy": { "url": "http://u:hunter2@p" } }), "the user goes into `username`"),
            (json!({ "proxy": { "url": "socks5://p" } }), "must be the address of a proxy"),
            (json!({ "proxy": { "url": "http://p", "username": "u" } }), "given together"),
            (json!({ "proxy": { "url": "http://p", "user": "u" } }), "did you mean `username`?"),
            (json!({ "tls": { "key": file } }), "`certificate` and `key` are given together"),
            (
                json!({ "tls": { "ca": { "env": "CA" } } }),
                "tls.ca: expected the path of a PEM file",
            ),
            (json!({ "tls": { "ca": "/a" }, "ca_file": "/b" }), "cannot be used with `tls.ca`"),
        ];
        for (keys, expected) in table {
            let (_, faults, _) = read(&keys);
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].contains(expected), "{expected}: {faults:?}");
            assert!(!faults[0].contains("hunter2"), "{faults:?}");
        }
        let many: serde_json::Map<_, _> =
            (0..=HEADERS_MAX).map(|number| (format!("x-{number}"), "v".into())).collect();
        let (_, faults, _) = read(&json!({ "headers": many }));
        assert_eq!(faults, ["receiver[0].headers: must not have more than 32 entries"]);
    }

    #[test]
    fn literal_secret_is_warned_about_and_other_values_are_not() {
        let (_, faults, warnings) = read(&json!({
            "headers": { "X-Api-Key": "hunter2", "X-Tenant": "data" }, "bearer": "hunter2",
        }));
        assert_eq!(faults, [""; 0]);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(
            warnings[0].starts_with("receiver[0].headers.X-Api-Key: the configuration contains")
        );
        assert!(warnings[1].starts_with("receiver[0].bearer: the configuration contains"));
    }
}
