//! Servers on the loopback interface, and the signals that end the demo.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use aws_lc_rs::rand;
use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

/// First port that is tried, and the number of ports from there on: below those of connections.
const PORT_MIN: u16 = 20_000;
const PORTS: u16 = 12_000;
/// Number of ports that are tried.
const TRIES_MAX: u32 = 50;

/// Returns an address of the loopback interface whose port is free, and which the system gives to no connection of others
/// meanwhile.
pub(super) async fn free_address() -> io::Result<SocketAddr> {
    for _ in 0..TRIES_MAX {
        let mut bytes = [0; 2];
        rand::fill(&mut bytes).map_err(|_unspecified| io::Error::other("no randomness"))?;
        let port = PORT_MIN + u16::from_be_bytes(bytes) % PORTS;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            return listener.local_addr();
        }
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()
}

/// Serves `router` on a free port of the loopback interface.
pub(super) async fn listen(
    servers: &mut JoinSet<io::Result<()>>,
    router: Router,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    servers.spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Returns a future that resolves at the first Ctrl-C, SIGTERM or SIGHUP after this call.
pub(super) fn interrupt() -> io::Result<impl Future<Output = ()>> {
    let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
