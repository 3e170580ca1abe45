//! HTTP server: its listeners, the gate before the routes, and an end of bounded length.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::access::{self, Access};
use super::admission::Admission;
use super::connection;
use super::gate::Gate;
use super::listener::{ListenError, Listener};
use super::requests::Requests;
use super::socket::Passed;
use super::tls::{self, Tls, TlsError};
use crate::domain::{HttpSettings, Listen, Scope};

/// Time that answers in flight may take after a request to stop.
const STOP_MAX: Duration = Duration::from_millis(500);

/// Reason why the server cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    /// Nothing can listen at an address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Certificate or key cannot be used.
    #[error("the certificate of [http] cannot be used")]
    Tls(#[from] TlsError),
}

/// Server that listens and does not answer yet.
pub(crate) struct Server {
    pub(super) listeners: Vec<Listener>,
    handle: Handle,
}

/// Means to change the access to a running server. Clone it freely.
#[derive(Clone)]
pub(crate) struct Handle {
    access: Access,
    tls: Option<Arc<Tls>>,
}

impl Handle {
    /// Puts tokens, names of hosts and certificates of `settings` in force; all secrets are read anew.
    pub(crate) async fn replace(&self, settings: &HttpSettings) {
        self.access.replace(settings).await;
        if let (Some(tls), Some(documents)) = (&self.tls, &settings.tls) {
            tls.replace(documents).await;
        }
    }
}

/// Returns the secrets of `settings` that can be read and have another form than their use needs, each with its key.
pub(crate) async fn examine(settings: &HttpSettings) -> Vec<(String, String)> {
    let mut found = access::malformed(&settings.tokens).await;
    if let Some(documents) = &settings.tls {
        match Tls::load(documents).await {
            // What cannot be read is found beside all other secrets.
            Ok(_) | Err(TlsError::Secret(_)) => {}
            Err(error) => found.push(("http.tls".to_owned(), error.to_string())),
        }
    }
    found
}

impl Server {
    /// Listens wherever `settings` say. A default address where nothing can listen is only warned of.
    ///
    /// # Errors
    ///
    /// Fails when nothing can listen at an address that is listed, or the certificate cannot be used.
    pub(crate) async fn bind(settings: &HttpSettings) -> Result<Self, ServerError> {
        let is_port = |listen: &Listen| matches!(listen, Listen::Tcp(_));
        let tls = match settings.tls.as_ref().filter(|_| settings.listen.iter().any(is_port)) {
            Some(documents) => Some(Arc::new(Tls::load(documents).await?)),
            None => None,
        };
        let mut passed = Passed::take();
        let mut listeners = Vec::with_capacity(settings.listen.len());
        for listen in &settings.listen {
            match Listener::bind(listen, settings, tls.as_ref(), &mut passed).await {
                Ok(listener) => listeners.push(listener),
                Err(error) if settings.is_listed => return Err(error.into()),
                Err(error) => warn!("{:#}", anyhow::Error::new(error)),
            }
        }
        for name in passed.rest() {
            warn!("systemd has passed the socket {name}, which [http] listen does not list");
        }
        let access = Access::of(settings).await;
        Ok(Self { listeners, handle: Handle { access, tls } })
    }

    /// Listens at `address` for scrapes of the metrics, which everyone may read.
    ///
    /// # Errors
    ///
    /// Fails when the port is taken, or the address is none of this machine.
    pub(crate) async fn metrics(address: SocketAddr) -> Result<Self, ListenError> {
        let (listen, settings) = (Listen::Tcp(address), HttpSettings::default());
        let listener = Listener::bind(&listen, &settings, None, &mut Passed::default()).await?;
        let handle = Handle { access: Access::everyone(Scope::Metrics), tls: None };
        Ok(Self { listeners: vec![listener], handle })
    }

    /// Returns the addresses it listens at, with the ports that the system chose for port 0.
    pub(crate) fn addresses(&self) -> Vec<Listen> {
        self.listeners.iter().map(Listener::listen).collect()
    }

    /// Returns the means to change the access to it.
    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Answers requests by `router`, and counts them, until `stop`.
    pub(crate) async fn serve(self, router: Router, requests: Requests, stop: CancellationToken) {
        let Self { listeners, handle: Handle { access, tls } } = self;
        let gate = Arc::new(Gate { access, tls: tls.clone(), router, requests });
        let admission = Arc::new(Admission::default());
        let mut loops = JoinSet::new();
        for listener in listeners {
            let (gate, admission) = (Arc::clone(&gate), Arc::clone(&admission));
            loops.spawn(accept(listener, gate, admission, stop.clone()));
        }
        let watch = async {
            match &tls {
                Some(tls) => tls.watch(tls::LOOK).await,
                None => std::future::pending().await,
            }
        };
        let ended = async {
            stop.cancelled().await;
            while loops.join_next().await.is_some() {}
        };
        tokio::select! {
            () = ended => {}
            () = watch => {}
        }
    }
}

/// Serves the connections of one listener until `stop`, and those under way for a moment longer.
async fn accept(
    listener: Listener,
    gate: Arc<Gate>,
    admission: Arc<Admission>,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let ticket = tokio::select! {
            ticket = admission.admit(peer.counted()) => ticket,
            () = stop.cancelled() => break,
        };
        let (gate, stop) = (Arc::clone(&gate), stop.clone());
        connections.spawn(connection::serve(gate, stream, peer, ticket, stop));
        while let Some(ended) = connections.try_join_next() {
            log_panic(ended);
        }
    }
    drop(listener);
    let finished = async {
        while let Some(ended) = connections.join_next().await {
            log_panic(ended);
        }
    };
    tokio::select! {
        () = finished => {}
        () = sleep(STOP_MAX) => {}
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        error!("a request ended in a panic: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::{Instant, timeout};

    use super::super::admission::{CONNECTIONS_MAX, READ_MAX, Streaming};
    use super::super::caller::Caller;
    use super::*;

    /// Server on a port of its own, until it is dropped.
    struct Served {
        address: SocketAddr,
        stop: CancellationToken,
        serving: tokio::task::JoinHandle<()>,
    }

    async fn start(router: Router) -> Served {
        let any = Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)));
        let settings =
            HttpSettings { listen: vec![any], is_listed: true, ..HttpSettings::default() };
        let server = Server::bind(&settings).await.unwrap();
        let Some(Listen::Tcp(address)) = server.addresses().pop() else { panic!("no address") };
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server.serve(router, Requests::default(), stop.clone()));
        Served { address, stop, serving }
    }

    fn routes() -> Router {
        let by = async |axum::Extension(caller): axum::Extension<Caller>| {
            format!("{} {}", caller.scope, caller.by)
        };
        let length = async |body: axum::body::Bytes| body.len().to_string();
        let panic = async || -> &'static str { panic!("planted") };
        Router::new()
            .route("/by", get(by).post(length))
            .route("/panic", get(panic))
            .route("/api/v1/act", post(length))
    }

    /// Returns the answer to these bytes, on a connection that is closed after it.
    async fn exchange(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // An answer may come before the whole request is sent.
        let _sent = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _cut = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn ask(address: SocketAddr, line: &str) -> String {
        let request = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        exchange(address, request.as_bytes()).await
    }

    #[tokio::test]
    async fn every_answer_has_the_headers_and_every_handler_the_caller() {
        let served = start(routes()).await;
        for line in ["GET /by", "GET /nowhere", "DELETE /by"] {
            let answer = ask(served.address, line).await;
            for header in [
                "x-content-type-options: nosniff\r\n",
                "referrer-policy: no-referrer\r\n",
                "content-security-policy: default-src 'none'; ",
                "cache-control: private, no-cache\r\n",
            ] {
                assert!(answer.contains(header), "{line}: {answer}");
            }
        }
        assert!(ask(served.address, "GET /by").await.ends_with("\r\n\r\nread 127.0.0.1"));
    }

    #[tokio::test]
    async fn request_beyond_a_bound_is_refused_and_the_next_one_is_answered() {
        let served = start(routes()).await;
        let head = |more: &str| format!("POST /by HTTP/1.1\r\nhost: localhost\r\n{more}\r\n");
        let filled = |number: usize, length: usize| {
            let header = |index: usize| format!("x-{index}: {}\r\n", "x".repeat(length));
            head(&(0..number).map(header).collect::<String>())
        };
        let chunk = |length: usize| format!("{length:x}\r\n{}\r\n", "x".repeat(length));
        let chunked = |chunks: usize| {
            head("transfer-encoding: chunked\r\nconnection: close\r\n")
                + &chunk(16 * 1024).repeat(chunks)
                + "0\r\n\r\n"
        };
        let sized = |length: usize| {
            head(&format!("content-length: {length}\r\nconnection: close\r\n"))
                + &"x".repeat(length.min(70_000))
        };
        let table = [
            (sized(64 * 1024), "200"),
            (sized(64 * 1024 + 1), "413"),
            (sized(1 << 30), "413"),
            (sized(usize::MAX), "431"),
            (chunked(4), "200"),
            (chunked(5), "413"),
            (filled(1, 17 * 1024), "431"),
            (filled(101, 1), "431"),
            (filled(80, 400), "431"),
            (head("authorization: rvt_wrong\r\nconnection: close\r\n"), "401"),
            (head("origin: https://evil.example.com\r\nconnection: close\r\n"), "403"),
            (
                "GET /by HTTP/1.1\r\nhost: evil.example.com\r\nconnection: close\r\n\r\n".into(),
                "421",
            ),
            ("GET /by HTTP/1.1\r\nconnection: close\r\n\r\n".into(), "400"),
            (
                "GET http://evil/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".into(),
                "421",
            ),
            ("\x16\x03\x01 a handshake\r\n\r\n".into(), "400"),
        ];
        for (request, code) in table {
            let answer = exchange(served.address, request.as_bytes()).await;
            let begin: String = request.chars().take(100).collect();
            assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{begin}: {answer}");
            let next = ask(served.address, "GET /by").await;
            assert!(next.starts_with("HTTP/1.1 200"), "{begin}: {next}");
        }
        let problem = exchange(
            served.address,
            b"POST /api/v1/act HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n",
        );
        assert!(problem.await.contains("content-type: application/problem+json"));
    }

    #[tokio::test]
    async fn panic_of_a_handler_ends_its_connection_alone() {
        let served = start(routes()).await;
        assert_eq!(ask(served.address, "GET /panic").await, "");
        assert!(ask(served.address, "GET /by").await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn silent_connections_shut_out_no_one() {
        let served = start(routes()).await;
        let mut open = Vec::new();
        for index in 0..CONNECTIONS_MAX * 3 {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            if index % 2 == 0 {
                stream.write_all(b"GET /by HTTP/1.1\r\n").await.unwrap();
            }
            open.push(stream);
        }
        let answer = timeout(Duration::from_secs(1), ask(served.address, "GET /by")).await;
        assert!(answer.unwrap().starts_with("HTTP/1.1 200"));
    }

    #[tokio::test(start_paused = true)]
    async fn slow_heads_bodies_and_answers_are_over_in_time() {
        let slow = async || sleep(Duration::from_hours(1)).await;
        let streamed = async |axum::Extension(stream): axum::Extension<Streaming>| {
            let begun = stream.begin();
            sleep(Duration::from_mins(5)).await;
            begun.to_string()
        };
        let router = routes().route("/slow", get(slow)).route("/stream", get(streamed));
        let served = start(router).await;
        assert!(ask(served.address, "GET /slow").await.starts_with("HTTP/1.1 503"));
        assert!(ask(served.address, "GET /stream").await.ends_with("\r\n\r\ntrue"));
        let body = b"POST /by HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n1234";
        assert!(exchange(served.address, body).await.starts_with("HTTP/1.1 408"));
        assert_eq!(exchange(served.address, b"GET /by HTTP/1.1\r\n").await, "");
        let begun = Instant::now();
        let idle = b"GET /by HTTP/1.1\r\nhost: localhost\r\n\r\n";
        assert!(exchange(served.address, idle).await.starts_with("HTTP/1.1 200"));
        assert!(READ_MAX * 3 < begun.elapsed(), "a proxy may keep it for a while");
        let begun = Instant::now();
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(idle).await.unwrap();
        sleep(READ_MAX / 2).await;
        stream.write_all(b"GET /by HT").await.unwrap();
        let _cut = stream.read_to_end(&mut Vec::new()).await;
        assert!(begun.elapsed() < READ_MAX * 2, "its head has begun");
    }

    #[tokio::test]
    async fn stop_waits_for_no_one_and_frees_the_port() {
        let slow = async || sleep(Duration::from_hours(1)).await;
        let served = start(routes().route("/slow", get(slow))).await;
        let mut open = Vec::new();
        for line in ["GET /by", "GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n"].repeat(20) {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            stream.write_all(line.as_bytes()).await.unwrap();
            open.push(stream);
        }
        let again = Server::metrics(served.address).await.map(|_| ()).unwrap_err();
        assert_eq!(again.source.kind(), ErrorKind::AddrInUse);
        served.stop.cancel();
        timeout(Duration::from_secs(20), served.serving).await.unwrap().unwrap();
        assert!(Server::metrics(served.address).await.is_ok(), "the port is free again");
    }
}
