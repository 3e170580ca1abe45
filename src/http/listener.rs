//! Listeners: TCP ports, with or without TLS, and Unix sockets.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::sleep;
use tracing::debug;

use super::peer::Peer;
use super::socket::{Passed, SocketFile};
use super::tls::Tls;
use crate::domain::{HttpSettings, Listen, Scope};

/// Wait after an error of the machine, such as too many open files.
const WAIT: Duration = Duration::from_secs(1);

/// Reason why nothing listens at an address.
#[derive(Debug, thiserror::Error)]
#[error("nothing can listen at {listen}")]
pub(crate) struct ListenError {
    /// Address of the configuration.
    pub(crate) listen: Listen,
    /// Error of the machine.
    #[source]
    pub(crate) source: io::Error,
}

impl ListenError {
    /// Returns true when another process has the address, or no machine but another.
    pub(crate) fn is_taken(&self) -> bool {
        matches!(self.source.kind(), ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable)
    }
}

/// Listener at one address.
pub(super) enum Listener {
    /// Port of this machine.
    Tcp { listener: TcpListener, tls: Option<Arc<Tls>> },
    /// Socket that the daemon has made.
    Socket { listener: UnixListener, _file: SocketFile, listen: Listen },
    /// Socket that systemd has passed, with the scope of its callers.
    Systemd { listener: UnixListener, scope: Scope },
}

/// Stream of bytes to a peer.
pub(super) enum Stream {
    Tcp(TcpStream, Option<Arc<Tls>>),
    Unix(UnixStream),
}

impl Listener {
    /// Listens at `listen`, with the certificate of `tls` at a port.
    pub(super) async fn bind(
        listen: &Listen,
        settings: &HttpSettings,
        tls: Option<&Arc<Tls>>,
        passed: &mut Passed,
    ) -> Result<Self, ListenError> {
        let bound =
            match listen {
                Listen::Tcp(address) => TcpListener::bind(address)
                    .await
                    .map(|listener| Self::Tcp { listener, tls: tls.cloned() }),
                Listen::Unix(path) => {
                    SocketFile::bind(path, settings.socket_mode).map(|(listener, file)| {
                        Self::Socket { listener, _file: file, listen: listen.clone() }
                    })
                }
                Listen::Systemd(scope) => {
                    let scope = *scope;
                    passed.socket(scope).map(|listener| Self::Systemd { listener, scope })
                }
            };
        bound.map_err(|source| ListenError { listen: listen.clone(), source })
    }

    /// Returns the address, with the port that the system chose for port 0.
    pub(super) fn listen(&self) -> Listen {
        match self {
            Self::Tcp { listener, .. } => {
                let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
                Listen::Tcp(listener.local_addr().unwrap_or(unknown))
            }
            Self::Socket { listen, .. } => listen.clone(),
            Self::Systemd { scope, .. } => Listen::Systemd(*scope),
        }
    }

    /// Waits for a connection.
    pub(super) async fn accept(&self) -> (Stream, Peer) {
        loop {
            match self.try_accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    debug!("a connection was not accepted: {error}");
                    let is_its_own = matches!(
                        error.kind(),
                        ErrorKind::ConnectionAborted
                            | ErrorKind::ConnectionReset
                            | ErrorKind::NotConnected
                    );
                    if !is_its_own {
                        sleep(WAIT).await;
                    }
                }
            }
        }
    }

    async fn try_accept(&self) -> io::Result<(Stream, Peer)> {
        let uid = |stream: &UnixStream| stream.peer_cred().ok().map(|user| user.uid());
        Ok(match self {
            Self::Tcp { listener, tls } => {
                let (stream, from) = listener.accept().await?;
                // Answers are small, and wait for no more to be sent.
                let _fast_or_not = stream.set_nodelay(true);
                let local = stream.local_addr().map_or(from.ip(), |local| local.ip());
                let peer = Peer::Tcp { ip: from.ip(), local, certificate: None };
                (Stream::Tcp(stream, tls.clone()), peer)
            }
            Self::Socket { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                let uid = uid(&stream);
                (Stream::Unix(stream), Peer::Socket { uid })
            }
            Self::Systemd { listener, scope } => {
                let (stream, _) = listener.accept().await?;
                let uid = uid(&stream);
                (Stream::Unix(stream), Peer::Systemd { scope: *scope, uid })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::geteuid;

    use super::*;

    #[tokio::test]
    async fn connection_of_the_own_user_is_known_by_its_uid() {
        let folder = tempfile::tempdir().unwrap();
        let listen = Listen::Unix(folder.path().join("a.sock"));
        let settings = HttpSettings { socket_mode: 0o600, ..HttpSettings::default() };
        let listener =
            Listener::bind(&listen, &settings, None, &mut Passed::default()).await.unwrap();
        assert_eq!(listener.listen(), listen);
        let connected = UnixStream::connect(folder.path().join("a.sock"));
        let (connected, (_stream, peer)) = tokio::join!(connected, listener.accept());
        assert!(connected.is_ok());
        assert_eq!(peer, Peer::Socket { uid: Some(geteuid().as_raw()) });
        assert_eq!(peer.scope(geteuid().as_raw()), Scope::Act);
    }

    #[tokio::test]
    async fn address_that_is_taken_is_named() {
        let any = Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)));
        let settings = HttpSettings::default();
        let bind = async |listen: Listen| {
            Listener::bind(&listen, &settings, None, &mut Passed::default()).await
        };
        let first = bind(any).await.unwrap();
        let error = bind(first.listen()).await.map(|_| ()).unwrap_err();
        assert!(error.is_taken());
        assert_eq!(error.to_string(), format!("nothing can listen at {}", first.listen()));
        let error = bind(Listen::Systemd(Scope::Read)).await.map(|_| ()).unwrap_err();
        assert!(!error.is_taken() && error.listen.to_string() == "systemd:read");
    }
}
