//! HTTP server with one address, one path and a graceful shutdown of bounded length.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::connection::Bounded;

/// Content type of the `OpenMetrics` text format.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Time limit for reading the state of a scrape.
const READ_MAX: Duration = Duration::from_secs(10);
/// Time that answers in flight may take after a request to stop.
const STOP_MAX: Duration = Duration::from_millis(500);

/// Listener that does not answer yet.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens at `address`.
    ///
    /// # Errors
    ///
    /// Fails when the port is taken, or the address is none of this machine.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Returns the address it listens at, with the port that the system chose for port 0.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers `GET /metrics` with the text that `read` returns, one request after the other, until
    /// `stop`; 503 where it returns none.
    pub(crate) async fn serve<Read, Text>(self, read: Read, stop: CancellationToken)
    where
        Read: Fn() -> Text + Clone + Send + Sync + 'static,
        Text: Future<Output = Option<String>> + Send,
    {
        // Concurrent scrapes read the store one after the other.
        let turn = Arc::new(Mutex::new(()));
        let answer = move || {
            let (read, turn) = (read.clone(), Arc::clone(&turn));
            async move {
                let text = async {
                    let _turn = turn.lock().await;
                    read().await
                };
                answer(timeout(READ_MAX, text).await.ok().flatten())
            }
        };
        let router = Router::new().route("/metrics", get(answer));
        let served = axum::serve(Bounded::new(self.listener), router)
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        let too_long = async {
            stop.cancelled().await;
            sleep(STOP_MAX).await;
        };
        tokio::select! {
            // It only ends by `stop`.
            _ = served.into_future() => (),
            () = too_long => (),
        }
    }
}

fn answer(text: Option<String>) -> Response {
    match text {
        Some(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        None => {
            (StatusCode::SERVICE_UNAVAILABLE, "the metrics cannot be read now\n").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn start(text: Option<&'static str>) -> (SocketAddr, CancellationToken, Serving) {
        let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let (address, stop) = (server.address(), CancellationToken::new());
        let read = move || async move { text.map(str::to_owned) };
        let serving = tokio::spawn(server.serve(read, stop.clone()));
        (address, stop, serving)
    }

    type Serving = tokio::task::JoinHandle<()>;

    /// Returns head and body of the answer to `request`, on a connection that is closed after it.
    async fn ask(address: SocketAddr, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    #[tokio::test]
    async fn other_path_or_method_is_refused() {
        let (address, _stop, _serving) = start(Some("up 1\n")).await;
        let (head, body) = ask(address, "GET /metrics").await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains(&format!("content-type: {CONTENT_TYPE}")), "{head}");
        assert_eq!(body, "up 1\n");
        for (request, code) in [("GET /", "404"), ("POST /metrics", "405"), ("GET /x", "404")] {
            let (head, _) = ask(address, request).await;
            assert!(head.starts_with(&format!("HTTP/1.1 {code}")), "{request}: {head}");
        }
    }

    #[tokio::test]
    async fn unreadable_state_is_answered_by_503_instead_of_zeroes() {
        let (address, _stop, _serving) = start(None).await;
        let (head, _) = ask(address, "GET /metrics").await;
        assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    }

    #[tokio::test]
    async fn idle_connections_do_not_delay_the_shutdown() {
        let (address, stop, serving) = start(Some("")).await;
        let mut open = Vec::new();
        // More than are accepted at once.
        for _ in 0..40 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET /met").await.unwrap();
            open.push(stream);
        }
        stop.cancel();
        timeout(Duration::from_secs(20), serving).await.unwrap().unwrap();
        let taken = Server::bind(address).await;
        assert!(taken.is_ok(), "the port is free again: {taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connection_is_closed_when_its_time_is_over() {
        let (address, _stop, _serving) = start(Some("up 1\n")).await;
        let mut open = Vec::new();
        for _ in 0..16 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET /met").await.unwrap();
            open.push(stream);
        }
        let (head, _) = ask(address, "GET /metrics").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    }

    #[tokio::test]
    async fn taken_port_is_an_error() {
        let (address, _stop, _serving) = start(None).await;
        let error = Server::bind(address).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
