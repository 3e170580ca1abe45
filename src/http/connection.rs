//! One connection: TLS, HTTP/1.1 with bounds, and its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::admission::{Age, READ_MAX, Ticket};
use super::gate::{Ends, Gate};
use super::listener::Stream;
use super::peer::Peer;
use super::tls::{Tls, common_name};
use super::watched::Watched;

/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Size of the buffers of a connection, in bytes each.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Time between two looks at the age of a connection.
const LOOK: Duration = Duration::from_secs(1);

/// Serves a connection until it ends, is too old, makes way for another or is to `stop`.
pub(super) async fn serve(
    gate: Arc<Gate>,
    stream: Stream,
    peer: Peer,
    ticket: Ticket,
    stop: CancellationToken,
) {
    let ticket = Arc::new(ticket);
    let ends = |peer| Ends { peer: Arc::new(peer), ticket: Arc::clone(&ticket) };
    match stream {
        Stream::Tcp(stream, None) => exchange(gate, stream, ends(peer), stop).await,
        Stream::Unix(stream) => exchange(gate, stream, ends(peer), stop).await,
        Stream::Tcp(stream, Some(tls)) => {
            let shaken = tokio::select! {
                shaken = shake_hands(&tls, stream) => shaken,
                () = ticket.cut() => None,
                () = stop.cancelled() => None,
            };
            if let Some(stream) = shaken {
                let peer = with_certificate(peer, &stream);
                exchange(gate, stream, ends(peer), stop).await;
            }
        }
    }
}

async fn shake_hands(tls: &Tls, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    let shaken = timeout(READ_MAX, TlsAcceptor::from(tls.config()).accept(stream)).await.ok()?;
    shaken.inspect_err(|error| debug!("a TLS handshake failed: {error}")).ok()
}

/// Adds the name in the certificate that the client has shown, which is verified by then.
fn with_certificate(peer: Peer, stream: &TlsStream<TcpStream>) -> Peer {
    let (_, connection) = stream.get_ref();
    let shown = connection.peer_certificates().and_then(|chain| chain.first());
    match peer {
        Peer::Tcp { ip, local, .. } => {
            Peer::Tcp { ip, local, certificate: shown.and_then(|one| common_name(one)) }
        }
        Peer::Socket { .. } | Peer::Systemd { .. } => peer,
    }
}

/// Answers the requests of a connection.
async fn exchange<I>(gate: Arc<Gate>, stream: I, ends: Ends, stop: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let ticket = Arc::clone(&ends.ticket);
    let service = service_fn(move |request| {
        let (gate, ends) = (Arc::clone(&gate), ends.clone());
        async move { Ok::<_, Infallible>(gate.answer(request, &ends).await) }
    });
    let mut builder = http1::Builder::new();
    // Its own limit of time would count from the last answer, and close what only waits.
    builder
        .header_read_timeout(None)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(BUFFER_BYTES_MAX);
    let stream = TokioIo::new(Watched { stream, ticket: Arc::clone(&ticket) });
    let mut connection = Box::pin(builder.serve_connection(stream, service));
    let (mut looks, mut is_closing) = (interval(LOOK), false);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                ended.unwrap_or_else(|error| debug!("a connection ended: {error}"));
                return;
            }
            () = ticket.cut() => return,
            () = stop.cancelled(), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = looks.tick() => match ticket.age() {
                Age::Young => {}
                Age::Old if is_closing => {}
                Age::Old => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                Age::Over => return,
            },
        }
    }
}
