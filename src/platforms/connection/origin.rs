//! Addresses of servers in the configuration.

use reqwest::Url;

use crate::input::Reader;
use crate::net::address::is_loopback;

/// Reads `key` as the address of a server: `https://host` or `https://host:port` and nothing more;
/// plain http only for this machine. Returns it without a final slash.
pub(crate) fn server(reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
    let text = reader.string(key)?;
    match origin(&text) {
        Ok(origin) => Some(origin),
        Err(wanted) => {
            reader.refuse(key, wanted);
            None
        }
    }
}

/// Returns scheme, host and port of `text`, when it has nothing else.
///
/// # Errors
///
/// Describes the accepted form.
pub(crate) fn origin(text: &str) -> Result<String, &'static str> {
    let shape = "must be an address such as https://host.example.com:8443, without user, path or \
        query";
    let Ok(url) = Url::parse(text) else { return Err(shape) };
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match url.scheme() {
        _ if !is_bare || url.host_str().is_none() => Err(shape),
        "https" => Ok(url.origin().ascii_serialization()),
        "http" if is_loopback(&url) => Ok(url.origin().ascii_serialization()),
        "http" => Err("must begin with https://; plain http is only for this machine itself"),
        _ => Err(shape),
    }
}

/// Returns `host` or `host:port` of an address that [`origin`] accepted, for the limit of runs per host.
pub(crate) fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, authority)| authority)
}

/// True for a host name or a literal address alone.
pub(crate) fn is_host(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let is_name = !text.is_empty()
        && text.len() <= 253
        && text.chars().all(allowed)
        && !text.starts_with(['-', '.']);
    is_name || text.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_is_an_origin_over_tls_or_on_this_machine() {
        let good = [
            ("https://a.example.com", "https://a.example.com"),
            ("https://A.example.com:443/", "https://a.example.com"),
            ("https://10.0.0.1:8443", "https://10.0.0.1:8443"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ];
        for (text, expected) in good {
            assert_eq!(origin(text), Ok(expected.to_owned()), "{text}");
        }
        assert_eq!(authority("https://a.example.com:8443"), "a.example.com:8443");
        let bad = [
            "a.example.com",
            "https://a/x",
            "https://a?x",
            "https://u@a",
            "https://u:p@a",
            "ftp://a",
            "http://a.example.com",
            "http://10.0.0.1",
            "https://",
            "",
        ];
        for text in bad {
            assert!(origin(text).is_err(), "{text}");
        }
    }
}
