//! Endpoint of a server over TCP and TLS without HTTP, for platforms with a protocol of their own.

use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::ServerName;

use super::endpoint::ProxyCredentials;
use super::keys::{ProxyKeys, proxy};
use crate::domain::Redactor;
use crate::input::Reader;
use crate::net::http::Proxy;
use crate::net::tls::{self, TlsError};
use crate::net::tunnel::Dialer;
use crate::secrets::{self, SecretError};

/// Default time for logging in.
const CONNECT_DEFAULT: Duration = Duration::from_secs(10);
const CONNECT_MIN: Duration = Duration::from_secs(1);
const CONNECT_MAX: Duration = Duration::from_mins(1);

/// Way to one server over TCP and TLS.
#[derive(Debug)]
pub(crate) struct TcpEndpoint {
    /// Name or address to connect to, in lower case.
    pub(crate) host: String,
    /// TCP port of the server.
    pub(crate) port: u16,
    /// Name that the certificate must contain, in lower case.
    pub(crate) server_name: String,
    /// File of certificate authorities to trust; none for those of the operating system.
    pub(crate) ca_file: Option<PathBuf>,
    /// Longest time from the resolution of the name until logged in.
    pub(crate) connect_timeout: Duration,
    /// HTTP proxy that opens the connections (CONNECT).
    proxy: Option<ProxyKeys>,
}

impl TcpEndpoint {
    /// Remedy for a proxy that wants other credentials.
    pub(crate) const PROXY_DENIED: &str = "Correct `proxy.username` and `proxy.password`: the proxy \
        wants others. The server itself was not reached.";

    /// Reads `host`, `port`, `tls` (`caFile`, `serverName`), `proxy` and `connectTimeout`; faults are left
    /// with the reader.
    pub(crate) fn read(reader: &mut Reader<'_>, default_port: u16) -> Option<Self> {
        let host = reader.required_string("host");
        let host = host.and_then(|name| host_name(reader, "host", &name));
        let port = reader.port("port").unwrap_or(default_port);
        let is_proxied = reader.has("proxy");
        let proxy = reader.table("proxy").and_then(proxy);
        let (ca_file, server_name) = reader.table("tls").map(tls).unwrap_or_default();
        let connect_timeout = reader.duration("connectTimeout", CONNECT_MIN, CONNECT_MAX);
        let host = host.filter(|_| proxy.is_some() == is_proxied)?;
        Some(Self {
            server_name: server_name.unwrap_or_else(|| host.clone()),
            host,
            port,
            ca_file,
            connect_timeout: connect_timeout.unwrap_or(CONNECT_DEFAULT),
            proxy,
        })
    }

    /// Returns what opens the connections of one run, whose `redactor` learns the password for the proxy.
    ///
    /// # Errors
    ///
    /// Names the secret or the file of authorities that cannot be read.
    pub(crate) async fn dialer<E>(&self, redactor: &Redactor) -> Result<Dialer, E>
    where
        E: From<SecretError> + From<TlsError>,
    {
        let Some(ProxyKeys { proxy, credentials }) = &self.proxy else {
            return Ok(Dialer::default());
        };
        let mut proxy = Proxy::clone(proxy);
        if let Some(ProxyCredentials { username, password }) = credentials {
            let password = secrets::resolve(password).await?;
            redactor.learn(&password);
            proxy.credentials = Some((username.clone(), password));
        }
        Ok(Dialer::through(proxy, tls::read_config(self.ca_file.as_deref()).await?))
    }

    /// Returns the remedy for a proxy that opens no connection.
    pub(crate) fn no_tunnel(&self) -> String {
        let Self { host, port, .. } = self;
        format!(
            "Check `proxy.url`, that this proxy runs, and that its rules let CONNECT through to \
            {host}:{port}."
        )
    }

    /// Returns the file of certificate authorities as given.
    pub(crate) fn ca_file(&self) -> Option<String> {
        Some(self.ca_file.as_ref()?.display().to_string())
    }
}

fn tls(mut table: Reader<'_>) -> (Option<PathBuf>, Option<String>) {
    let ca_file = table.string("caFile").map(PathBuf::from);
    let name = table.string("serverName");
    let server_name = name.and_then(|name| host_name(&table, "serverName", &name));
    table.finish();
    (ca_file, server_name)
}

/// Returns a host name or address in lower case, if a certificate can be checked against it.
fn host_name(table: &Reader<'_>, key: &str, name: &str) -> Option<String> {
    if ServerName::try_from(name).is_ok() {
        return Some(name.to_lowercase());
    }
    table.refuse(key, "expected a host name or address alone, without scheme, port or path");
    None
}
