//! TCP connections, and whether a failure to open one is local.

use std::io::{self, ErrorKind};

use tokio::net::{TcpStream, lookup_host};
use tokio::time::Instant;

use super::{observe, tape};
use crate::domain::FactKind;

/// Error numbers of the operating system when the process, or the machine, has no file descriptor left.
const OUT_OF_DESCRIPTORS: [i32; 2] = [23, 24];
/// Errors of a network that is missing on this side.
const LOCAL_NETWORK: [ErrorKind; 3] =
    [ErrorKind::NetworkUnreachable, ErrorKind::NetworkDown, ErrorKind::AddrNotAvailable];

/// Reasons why there is no connection.
#[derive(Debug)]
pub(crate) enum NoConnection {
    /// Failure of the name service.
    Resolve(io::Error),
    /// Failure to connect to any address.
    Connect(io::Error),
    /// Failure of the proxy.
    Tunnel(NoTunnel),
}

/// Reasons why a proxy gives no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoTunnel {
    /// The URL of the proxy has no host.
    #[error("the proxy's URL cannot be used")]
    Url,
    /// The proxy cannot be reached.
    #[error("the proxy {0} cannot be reached: {1}")]
    Unreachable(String, io::Error),
    /// The proxy wants other credentials.
    #[error("the proxy does not accept the user or the password")]
    Denied,
    /// The proxy does not open a connection to this server.
    #[error("the proxy {0} opens no connection to {1}")]
    Refused(String, String),
}

impl From<NoTunnel> for NoConnection {
    fn from(none: NoTunnel) -> Self {
        Self::Tunnel(none)
    }
}

/// Connects to the first address of `host` that accepts. Small writes are sent at once (`TCP_NODELAY`).
///
/// # Errors
///
/// Of several addresses the first failure counts that is not the network's on this side: a machine
/// without IPv6 has no way to half of the addresses, and that says nothing about the server.
pub(crate) async fn connect(host: &str, port: u16) -> Result<TcpStream, NoConnection> {
    let found: Vec<_> = match tape::replay_database() {
        Some(server) => vec![server],
        None => lookup_host((host, port)).await.map_err(NoConnection::Resolve)?.collect(),
    };
    for address in &found {
        observe::fact(FactKind::Address, host, &address.ip().to_string());
    }
    let mut first: Option<io::Error> = None;
    for address in found {
        let asked = Instant::now();
        match TcpStream::connect(address).await {
            Ok(stream) => {
                observe::answered(host, asked.elapsed());
                stream.set_nodelay(true).map_err(NoConnection::Connect)?;
                return Ok(stream);
            }
            Err(error) if first.as_ref().is_none_or(is_local_fault) => first = Some(error),
            Err(_later) => {}
        }
    }
    let none = || io::Error::new(ErrorKind::NotFound, "the name has no address");
    Err(first.map_or_else(|| NoConnection::Resolve(none()), NoConnection::Connect))
}

/// True when `error` is about this machine: no way to the network, no file descriptor.
pub(crate) fn is_local_fault(error: &io::Error) -> bool {
    LOCAL_NETWORK.contains(&error.kind()) || is_out_of_descriptors(error)
}

/// True when this machine has no file descriptor left.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| OUT_OF_DESCRIPTORS.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn refused_address_gives_way_to_the_next() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // It also has the address ::1 as a rule, without a listener.
        let stream = connect("localhost", port).await.unwrap();
        assert!(stream.nodelay().unwrap());
        drop(listener);
        let refused = connect("localhost", port).await.unwrap_err();
        let NoConnection::Connect(error) = refused else { panic!("{refused:?}") };
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn name_without_an_address_is_a_failure_of_resolution() {
        let unknown = connect("nowhere.invalid", 1).await.unwrap_err();
        assert!(matches!(unknown, NoConnection::Resolve(_)), "{unknown:?}");
    }

    #[test]
    fn missing_network_or_descriptor_is_local() {
        let table = [
            (io::Error::from_raw_os_error(24), true, true),
            (io::Error::from_raw_os_error(23), true, true),
            (ErrorKind::NetworkUnreachable.into(), true, false),
            (ErrorKind::AddrNotAvailable.into(), true, false),
            (ErrorKind::ConnectionRefused.into(), false, false),
            (ErrorKind::HostUnreachable.into(), false, false),
        ];
        for (error, local, descriptors) in table {
            assert_eq!(is_local_fault(&error), local, "{error}");
            assert_eq!(is_out_of_descriptors(&error), descriptors, "{error}");
        }
    }
}
