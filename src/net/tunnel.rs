//! Connections to servers that do not speak HTTP: straight, or through an HTTP proxy (CONNECT).

use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::uri::{Scheme, Uri};
use http::{HeaderValue, uri};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;
use tower_service::Service;

use super::http::Proxy;
use super::tape;
use super::tcp::{self, NoConnection, NoTunnel, is_local_fault};

/// End of the library's text for a proxy that wants other credentials. Its type is not public.
const NOT_AUTHORIZED: &str = "proxy authorization required";

/// Bytes to and from a server, inside of TLS where its proxy speaks it.
pub(crate) type Stream = Either<TcpStream, TlsStream<TcpStream>>;

/// Opens connections of one integration: straight, or through its proxy. For protocols in which the client
/// speaks first: what comes right behind the proxy's answer is lost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dialer(Option<Through>);

#[derive(Clone, Debug)]
struct Through {
    proxy: Proxy,
    tls: Arc<ClientConfig>,
}

impl Dialer {
    /// Returns a dialer that goes through `proxy`, with `tls` where the proxy speaks it.
    pub(crate) fn through(proxy: Proxy, tls: ClientConfig) -> Self {
        Self(Some(Through { proxy, tls: Arc::new(tls) }))
    }

    /// Connects to `host`. With a proxy it is the proxy that looks up the name.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no connection.
    pub(crate) async fn connect(&self, host: &str, port: u16) -> Result<Stream, NoConnection> {
        match &self.0 {
            Some(through) if !tape::is_replayed() => through.connect(host, port).await,
            None | Some(_) => tcp::connect(host, port).await.map(Either::Left),
        }
    }
}

impl Through {
    async fn connect(&self, host: &str, port: u16) -> Result<Stream, NoConnection> {
        let url = self.proxy.url.parse::<Uri>().map_err(|_text| NoTunnel::Url)?;
        let proxy = url.authority().ok_or(NoTunnel::Url)?.to_string();
        let opened = self.open(&url, &proxy).await?;
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let server = format!("{host}:{port}");
        let wanted = uri::Builder::new().scheme(Scheme::HTTPS).authority(server.as_str());
        let wanted = wanted.path_and_query("/").build().map_err(|_text| NoTunnel::Url)?;
        let mut tunnel = Tunnel::new(url, Opened(Some(opened)));
        if let Some(header) = self.authorization()? {
            tunnel = tunnel.with_auth(header);
        }
        match tunnel.call(wanted).await {
            Ok(stream) => Ok(stream.into_inner()),
            Err(error) if error.to_string().ends_with(NOT_AUTHORIZED) => {
                Err(NoTunnel::Denied.into())
            }
            Err(_other) => Err(NoTunnel::Refused(proxy, server).into()),
        }
    }

    /// Opens a connection to the proxy itself.
    async fn open(&self, url: &Uri, name: &str) -> Result<Stream, NoConnection> {
        let unreachable = |error| NoTunnel::Unreachable(name.to_owned(), error);
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_tls = url.scheme() == Some(&Scheme::HTTPS);
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let stream = tcp::connect(host, port).await.map_err(|none| match none {
            NoConnection::Connect(error) if is_local_fault(&error) => NoConnection::Connect(error),
            NoConnection::Resolve(error) | NoConnection::Connect(error) => {
                unreachable(error).into()
            }
            NoConnection::Tunnel(none) => NoConnection::Tunnel(none),
        })?;
        if !is_tls {
            return Ok(Either::Left(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_text| NoTunnel::Url)?;
        let handshake = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        Ok(Either::Right(handshake.await.map_err(unreachable)?))
    }

    fn authorization(&self) -> Result<Option<HeaderValue>, NoTunnel> {
        let Some((user, password)) = &self.proxy.credentials else { return Ok(None) };
        let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
        let mut header =
            HeaderValue::try_from(format!("Basic {pair}")).map_err(|_text| NoTunnel::Denied)?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}

/// Connection to the proxy, which the library is given instead of an address.
struct Opened(Option<Stream>);

impl Service<Uri> for Opened {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<Stream>>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _proxy: Uri) -> Self::Future {
        let opened = self.0.take().map(TokioIo::new);
        ready(opened.ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;
    use crate::net::tls;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A proxy that answers one request with `answer`, and sends what follows back.
    async fn proxy(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            let mut echoed = [0; 4];
            if stream.read_exact(&mut echoed).await.is_ok() {
                stream.write_all(&echoed).await.unwrap();
            }
            String::from_utf8(head).unwrap()
        });
        (url, served)
    }

    fn dialer(url: &str, credentials: Option<(&str, &str)>) -> Dialer {
        let credentials =
            credentials.map(|(user, password)| (user.to_owned(), Secret::new(password.to_owned())));
        let proxy = Proxy { url: url.to_owned(), credentials };
        Dialer::through(proxy, tls::client_config(None, None).unwrap())
    }

    #[tokio::test]
    async fn server_is_named_to_the_proxy_and_bytes_go_both_ways() {
        for (host, named) in [("db.example.com", "db.example.com"), ("2a00::1", "[2a00::1]")] {
            let (url, served) = proxy("HTTP/1.1 200 Connection established\r\n\r\n").await;
            let dialer = dialer(&url, Some(("revalidated", "hunter2")));
            assert!(!format!("{dialer:?}").contains("hunter2"), "{dialer:?}");
            let mut stream = dialer.connect(host, 1433).await.unwrap();
            stream.write_all(b"ping").await.unwrap();
            let mut echoed = [0; 4];
            stream.read_exact(&mut echoed).await.unwrap();
            assert_eq!(&echoed, b"ping");
            let head = served.await.unwrap();
            assert!(head.starts_with(&format!("CONNECT {named}:1433 HTTP/1.1\r\n")), "{head}");
            assert!(head.contains("Basic cmV2YWxpZGF0ZWQ6aHVudGVyMg=="), "{head}");
        }
    }

    #[tokio::test]
    async fn proxy_that_speaks_tls_is_verified_and_hides_the_request() {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let ca = dir.path().join("ca.pem");
        std::fs::write(&ca, pair.cert.pem()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(pair.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![pair.cert.der().clone()], key.unwrap())
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let mut echoed = [0; 4];
                stream.read_exact(&mut echoed).await.unwrap();
                stream.write_all(&echoed).await.unwrap();
            }
        });
        let through = |ca: Option<&std::path::Path>| {
            let proxy = Proxy { url: url.clone(), credentials: None };
            Dialer::through(proxy, tls::client_config(ca, None).unwrap())
        };
        let stranger = through(None).connect("db.example.com", 5439).await.unwrap_err();
        let NoConnection::Tunnel(stranger) = stranger else { panic!("{stranger:?}") };
        assert!(stranger.to_string().contains("invalid peer certificate"), "{stranger}");
        let mut stream = through(Some(&ca)).connect("db.example.com", 5439).await.unwrap();
        stream.write_all(b"ping").await.unwrap();
        let mut echoed = [0; 4];
        stream.read_exact(&mut echoed).await.unwrap();
        assert_eq!(&echoed, b"ping");
    }

    #[tokio::test]
    async fn refusal_of_the_proxy_is_not_one_of_the_server() {
        let table = [
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
                "the proxy does not accept the user or the password",
            ),
            ("HTTP/1.1 403 Forbidden\r\n\r\n", "opens no connection to db.example.com:5439"),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "opens no connection to db.example.com:5439"),
            ("SSH-2.0-OpenSSH\r\n\r\n", "opens no connection to db.example.com:5439"),
        ];
        for (answer, expected) in table {
            let (url, _served) = proxy(answer).await;
            let refused = dialer(&url, None).connect("db.example.com", 5439).await.unwrap_err();
            let NoConnection::Tunnel(refused) = refused else { panic!("{refused:?}") };
            assert!(refused.to_string().contains(expected), "{answer}: {refused}");
        }
    }

    #[tokio::test]
    async fn unreachable_proxy_is_named() {
        for (url, expected) in [
            ("http://127.0.0.1:1", "the proxy 127.0.0.1:1 cannot be reached: Connection refused"),
            ("http://nowhere.invalid", "the proxy nowhere.invalid cannot be reached: "),
        ] {
            let refused = dialer(url, None).connect("db.example.com", 5439).await.unwrap_err();
            let NoConnection::Tunnel(refused) = refused else { panic!("{refused:?}") };
            assert!(refused.to_string().starts_with(expected), "{refused}");
        }
    }
}
