//! Address of the coordinator: server, the path of a proxy before it, and the name that it may have besides.

use reqwest::Url;

use crate::input::{Kind, Reader};
use crate::platforms::connection::{self, is_host, is_loopback, origin};

/// Warning about plain HTTP to this machine itself.
const PLAIN: &str = "is plain HTTP: statements and answers go to this machine without encryption";

/// Address of the coordinator as configured.
#[derive(Debug, Default)]
pub(super) struct Address {
    /// Host name in the key `host`.
    pub(super) host: Option<String>,
    /// Server that is asked, such as `https://host:8443`.
    pub(super) origin: Option<String>,
    /// Path before those of Trino, such as `/trino`, or nothing.
    pub(super) prefix: String,
    /// Flag in `tls`, where it is one.
    pub(super) tls: Option<bool>,
    /// True when `endpoint` replaces `host` and `port`.
    pub(super) is_endpoint: bool,
}

impl Address {
    /// Reads `host`, `port`, `endpoint` and the flag `tls`; faults are left with the reader.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let (host, tls) = (host(reader), tls_flag(reader));
        let port = reader.port("port");
        if !reader.has("endpoint") {
            let origin = host.as_deref().and_then(|host| by_host(reader, host, port, tls));
            return Self { host, origin, tls, ..Self::default() };
        }
        if port.is_some() {
            reader.fault("port", "stands in `endpoint` already; remove one of the two");
        }
        if tls == Some(false) {
            reader.fault("tls", "`false` is not used with `endpoint`, whose scheme says it");
        }
        let (origin, prefix) = endpoint(reader).unzip();
        if origin.as_deref().is_some_and(|origin| origin.starts_with("http:")) {
            reader.warn("endpoint", PLAIN);
        }
        Self { host, origin, prefix: prefix.unwrap_or_default(), tls, is_endpoint: true }
    }
}

/// Returns server and path of `endpoint`.
fn endpoint(reader: &mut Reader<'_>) -> Option<(String, String)> {
    let text = reader.string("endpoint")?;
    let mut url = Url::parse(&text).ok();
    let path = url.as_ref().map(|url| url.path().trim_end_matches('/').to_owned());
    let path = path.unwrap_or_default();
    if path.ends_with("/v1/statement") || path.ends_with("/v1") {
        reader.refuse("endpoint", "must end before `/v1`, which is added to it");
        return None;
    }
    if let Some(url) = &mut url {
        url.set_path("");
    }
    let bare = url.map_or_else(|| text.clone(), String::from);
    match origin(&bare) {
        Ok(origin) => Some((origin, path)),
        Err(_shape) => {
            // It names the accepted form of an address without a path.
            connection::server(reader, "endpoint");
            None
        }
    }
}

/// Returns the server that `host`, `port` and `tls` name.
fn by_host(
    reader: &mut Reader<'_>,
    host: &str,
    port: Option<u16>,
    tls: Option<bool>,
) -> Option<String> {
    let (scheme, default) = if tls == Some(false) { ("http", 8080) } else { ("https", 443) };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let url = Url::parse(&format!("{scheme}://{host}:{}", port.unwrap_or(default)));
    let Ok(url) = url else {
        reader.refuse("host", "must be a host name or an address");
        return None;
    };
    if tls == Some(false) {
        if !is_loopback(&url) {
            reader.fault("tls", "`false` is only for a server on this machine itself");
            return None;
        }
        reader.warn("tls", PLAIN);
    }
    Some(url.origin().ascii_serialization())
}

/// Reads `tls` where it is a flag: `true` stands for TLS with the system's authorities.
fn tls_flag(reader: &mut Reader<'_>) -> Option<bool> {
    let value = reader.raw("tls")?;
    match &value.kind {
        Kind::Bool(flag) => Some(*flag),
        Kind::String(text) if value.is_untyped() => text.parse().ok(),
        Kind::Null
        | Kind::Integer(_)
        | Kind::Float(_)
        | Kind::String(_)
        | Kind::Array(_)
        | Kind::Table(_) => None,
    }
}

fn host(reader: &mut Reader<'_>) -> Option<String> {
    let host = reader.required_string("host")?;
    if !is_host(&host) {
        reader.refuse("host", "must be a host name alone, without scheme, port or path");
        return None;
    }
    Some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Faults, Value};
    use serde_json::json;

    #[test]
    fn address_is_host_and_port_or_an_endpoint_with_a_path() {
        let table = [
            (json!({ "host": "a.b" }), "https://a.b", "", false),
            (json!({ "host": "a.b", "port": 8443 }), "https://a.b:8443", "", false),
            (json!({ "host": "::1", "tls": false }), "http://[::1]:8080", "", false),
            (json!({ "host": "a.b", "endpoint": "https://c:1/x/" }), "https://c:1", "/x", true),
            (
                json!({ "host": "a.b", "endpoint": "http://[::1]/x/y" }),
                "http://[::1]",
                "/x/y",
                true,
            ),
            (json!({ "host": "a.b", "endpoint": "http://c/x" }), "", "", true),
            (json!({ "host": "a.b", "endpoint": "https://c/v1/statement" }), "", "", true),
            (json!({ "host": "a.b", "endpoint": "c" }), "", "", true),
            (json!({ "host": "a b" }), "", "", false),
        ];
        for (config, origin, prefix, is_endpoint) in table {
            let (value, faults) = (Value::from_json(&config, &"f".into()), Faults::default());
            let mut reader = Reader::new(&value, "config", &faults).unwrap();
            let found = Address::read(&mut reader);
            assert_eq!(found.origin.unwrap_or_default(), origin, "{config}");
            assert_eq!(
                (found.prefix.as_str(), found.is_endpoint),
                (prefix, is_endpoint),
                "{config}"
            );
            assert_eq!(faults.into_parts().0.is_empty(), !origin.is_empty(), "{config}");
        }
    }
}
