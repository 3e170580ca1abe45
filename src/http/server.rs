//! The server: one address, one path, and an end that waits for nobody.

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

/// What is told, as its reader must know.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The longest time that finding out what there is to tell may take.
const TELL_MAX: Duration = Duration::from_secs(10);
/// How long answers that are under way may go on after a request to stop.
const STOP_MAX: Duration = Duration::from_millis(500);

/// Listens, and does not answer yet.
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

    /// Where it listens: with the port that the system chose when none was asked for.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers `GET /metrics` with what `tell` says, one after the other, until `stop`.
    pub(crate) async fn serve<Tell, Told>(self, tell: Tell, stop: CancellationToken)
    where
        Tell: Fn() -> Told + Clone + Send + Sync + 'static,
        Told: Future<Output = Option<String>> + Send,
    {
        // However many ask at once, the store is read for one of them at a time.
        let turn = Arc::new(Mutex::new(()));
        let answer = move || {
            let (tell, turn) = (tell.clone(), Arc::clone(&turn));
            async move {
                let told = async {
                    let _turn = turn.lock().await;
                    tell().await
                };
                answer(timeout(TELL_MAX, told).await.ok().flatten())
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
            // It only ends when it is told to.
            _ = served.into_future() => (),
            () = too_long => (),
        }
    }
}

fn answer(told: Option<String>) -> Response {
    match told {
        Some(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "nothing can be told now\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn start(told: Option<&'static str>) -> (SocketAddr, CancellationToken, Serving) {
        let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let (address, stop) = (server.address(), CancellationToken::new());
        let tell = move || async move { told.map(str::to_owned) };
        let serving = tokio::spawn(server.serve(tell, stop.clone()));
        (address, stop, serving)
    }

    type Serving = tokio::task::JoinHandle<()>;

    /// Head and body of the answer to `request`, on a connection that is closed after it.
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
    async fn there_is_one_path_and_it_is_only_read() {
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
    async fn what_cannot_be_told_is_no_answer_of_zeroes() {
        let (address, _stop, _serving) = start(None).await;
        let (head, _) = ask(address, "GET /metrics").await;
        assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    }

    #[tokio::test]
    async fn connections_on_which_nobody_asks_do_not_hold_up_the_end() {
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
    async fn a_connection_on_which_nobody_asks_makes_room_after_a_while() {
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
    async fn a_port_that_is_taken_is_an_error() {
        let (address, _stop, _serving) = start(None).await;
        let error = Server::bind(address).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
