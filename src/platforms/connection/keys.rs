//! Configuration keys of endpoints: `tls`, `proxy`, `proxyOptions`, `connectTimeout`, `readTimeout`.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::endpoint::{Endpoint, IdentityRef, ProxyCredentials};
use super::origin::is_host;
use crate::input::Reader;
use crate::net::http::{HttpError, HttpOptions, Proxy};
use crate::net::resolve::HostAlias;

const CONNECT_DEFAULT: Duration = Duration::from_secs(5);
const CONNECT_MIN: Duration = Duration::from_millis(100);
const CONNECT_MAX: Duration = Duration::from_mins(1);
/// Longest wait for one answer by default; three of them fit into the default limit of a test.
const READ_DEFAULT: Duration = Duration::from_secs(8);
const READ_MIN: Duration = Duration::from_secs(1);
const READ_MAX: Duration = Duration::from_mins(5);

/// Values of a `tls` table.
#[derive(Default)]
struct TlsKeys {
    ca_file: Option<PathBuf>,
    server_name: Option<String>,
    identity: Option<IdentityRef>,
}

/// Values of a `proxy` or `proxyOptions` table.
#[derive(Debug)]
pub(super) struct ProxyKeys {
    pub(super) proxy: Proxy,
    pub(super) credentials: Option<ProxyCredentials>,
}

impl Endpoint {
    /// Reads `tls` (`caFile`, `serverName`, `certificate`, `key`), `proxy` (`url`, `username`,
    /// `password`), `connectTimeout` and `readTimeout`; faults are left with the reader.
    ///
    /// `server` is the address of the only server, such as `https://host:8443`; `tls.serverName`
    /// replaces its host by that name, while connections still go to the host. Without a server,
    /// `tls.serverName` is refused.
    pub(crate) fn read(reader: &mut Reader<'_>, server: Option<&mut String>) -> Option<Self> {
        let tls = reader.table("tls").map(tls).unwrap_or_default();
        read(reader, server, tls, None)
    }

    /// Reads the same keys, and the proxy from the published `proxyOptions` (`host`, `port`,
    /// `username`, `password`) as well.
    pub(crate) fn read_with_proxy_options(
        reader: &mut Reader<'_>,
        server: Option<&mut String>,
    ) -> Option<Self> {
        let published = reader.table("proxyOptions").and_then(proxy_options);
        if reader.has("proxyOptions") && reader.has("proxy") {
            reader.fault("proxyOptions", "cannot be used with `proxy`, which is the same");
        }
        let tls = reader.table("tls").map(tls).unwrap_or_default();
        read(reader, server, tls, published)
    }

    /// Reads the same keys but `tls`, for a platform where that may be a flag and is one.
    pub(crate) fn read_without_tls(reader: &mut Reader<'_>) -> Option<Self> {
        read(reader, None, TlsKeys::default(), None)
    }

    /// Returns an endpoint without any of the keys.
    ///
    /// # Errors
    ///
    /// Fails when the certificate authorities of the system cannot be used.
    pub(crate) fn usual() -> Result<Self, HttpError> {
        let options = HttpOptions {
            connect_timeout: CONNECT_DEFAULT,
            total_timeout: READ_DEFAULT,
            ..HttpOptions::default()
        };
        Self::new(options, None, None)
    }
}

fn read(
    reader: &mut Reader<'_>,
    server: Option<&mut String>,
    TlsKeys { ca_file, server_name, identity }: TlsKeys,
    published: Option<ProxyKeys>,
) -> Option<Endpoint> {
    let connect_timeout = reader.duration("connectTimeout", CONNECT_MIN, CONNECT_MAX);
    let connect_timeout = connect_timeout.unwrap_or(CONNECT_DEFAULT);
    let total_timeout = reader.duration("readTimeout", READ_MIN, READ_MAX);
    let total_timeout = total_timeout.unwrap_or(READ_DEFAULT).max(connect_timeout);
    let keys = reader.table("proxy").and_then(proxy).or(published);
    let (proxy, credentials) = keys.map(|keys| (keys.proxy, keys.credentials)).unzip();
    let host_alias = match (server_name, server) {
        (Some(_), None) => {
            reader.fault("tls", "`serverName` cannot be used here: there are several servers");
            None
        }
        (Some(name), Some(server)) => aliased(name, server),
        (None, _) => None,
    };
    if host_alias.is_some() && proxy.is_some() {
        let fault = "`serverName` cannot be used with `proxy`, which looks up names itself";
        reader.fault("tls", fault);
    }
    let options = HttpOptions {
        connect_timeout,
        total_timeout,
        ca_file,
        proxy,
        host_alias,
        ..HttpOptions::default()
    };
    let endpoint = Endpoint::new(options, credentials.flatten(), identity);
    endpoint.map_err(|error| reader.fault("tls", error.to_string())).ok()
}

/// Replaces the host of `server` by `name`, and returns the alias that leads back to the host.
fn aliased(name: String, server: &mut String) -> Option<HostAlias> {
    let mut url = Url::parse(server).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    url.set_host(Some(&name)).ok()?;
    *server = url.origin().ascii_serialization();
    Some(HostAlias { name, host })
}

/// Reads a `proxy` table; faults are left with the reader.
pub(super) fn proxy(mut table: Reader<'_>) -> Option<ProxyKeys> {
    table.required("url");
    let text = table.string("url");
    let url = text.and_then(|text| {
        let wanted = "must be the address of a proxy such as http://proxy.example.com:3128; the \
            user goes into `username` and `password`";
        let url = Url::parse(&text).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some()
                && url.username().is_empty()
                && url.password().is_none()
        });
        if url.is_none() {
            table.fault("url", wanted);
        }
        url.map(String::from)
    });
    let credentials = credentials(&mut table);
    table.finish();
    Some(ProxyKeys { proxy: Proxy { url: url?, credentials: None }, credentials })
}

/// Reads the published form of a proxy, which is spoken to over plain HTTP.
fn proxy_options(mut table: Reader<'_>) -> Option<ProxyKeys> {
    let host = table.required_string("host");
    table.required("port");
    let port = table.port("port");
    let host = host.filter(|host| {
        let is_name = is_host(host);
        if !is_name {
            table.refuse("host", "expected a host name alone, without scheme, port or path");
        }
        is_name
    });
    let credentials = credentials(&mut table);
    table.finish();
    let host = host?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let url = format!("http://{host}:{}", port?);
    Some(ProxyKeys { proxy: Proxy { url, credentials: None }, credentials })
}

fn credentials(table: &mut Reader<'_>) -> Option<ProxyCredentials> {
    let (username, password) = (table.string("username"), table.secret("password"));
    if username.is_some() != password.is_some() {
        table.fault("username", "`username` and `password` are given together or not at all");
    }
    let pair = username.zip(password);
    pair.map(|(username, password)| ProxyCredentials { username, password })
}

fn tls(mut table: Reader<'_>) -> TlsKeys {
    let ca_file = table.string("caFile").map(PathBuf::from);
    let server_name = table.string("serverName");
    let server_name = server_name.filter(|name| {
        let is_name = is_host(name);
        if !is_name {
            table.refuse("serverName", "expected a host name alone, without scheme, port or path");
        }
        is_name
    });
    let (chain, key) = (table.secret("certificate"), table.secret("key"));
    if chain.is_some() != key.is_some() {
        table.fault("certificate", "`certificate` and `key` are given together or not at all");
    }
    table.finish();
    let identity = chain.zip(key).map(|(chain, key)| IdentityRef { chain, key });
    TlsKeys { ca_file, server_name, identity }
}
