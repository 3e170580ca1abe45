//! Endpoint of a server over TCP and TLS without HTTP, for platforms with a protocol of their own.

use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::ServerName;

use crate::input::Reader;

/// Default time for logging in.
const CONNECT_DEFAULT: Duration = Duration::from_secs(10);
const CONNECT_MIN: Duration = Duration::from_secs(1);
const CONNECT_MAX: Duration = Duration::from_mins(1);
/// Reason why there is no `proxy` here, and what to use instead.
const NO_PROXY: &str = "not supported, since the protocol of this platform is not HTTP: let a TCP \
    forwarder, such as socat, go through the proxy, put its address into `host` and `port`, and the \
    server's name into `tls.serverName`";

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
}

impl TcpEndpoint {
    /// Reads `host`, `port`, `tls` (`caFile`, `serverName`) and `connectTimeout`; faults are left with the
    /// reader.
    pub(crate) fn read(reader: &mut Reader<'_>, default_port: u16) -> Option<Self> {
        let host = reader.required_string("host");
        let host = host.and_then(|name| host_name(reader, "host", &name));
        let port = reader.port("port").unwrap_or(default_port);
        if reader.has("proxy") {
            reader.fault("proxy", NO_PROXY);
        }
        let (ca_file, server_name) = reader.table("tls").map(tls).unwrap_or_default();
        let connect_timeout = reader.duration("connectTimeout", CONNECT_MIN, CONNECT_MAX);
        let host = host?;
        Some(Self {
            server_name: server_name.unwrap_or_else(|| host.clone()),
            host,
            port,
            ca_file,
            connect_timeout: connect_timeout.unwrap_or(CONNECT_DEFAULT),
        })
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
