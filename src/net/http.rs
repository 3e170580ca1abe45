//! The one place that builds HTTP clients: bounded in time, no redirects, no proxies of the
//! environment, certificates always verified, bodies read up to a limit.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::DATE;
use reqwest::dns::Resolve;
use reqwest::tls::TlsInfo;
use rustls::{AlertDescription, CertificateError};
use tokio::runtime;
use tokio::time::Instant;

use super::named::Astray;
use super::resolve::{Behind, Names};
use super::tcp::is_out_of_descriptors;
use super::{certificate, observe, tls};
use crate::domain::{Class, FactKind, Secret, Timestamp, one_line};

/// How long an unused connection is kept for the next request.
const IDLE_MAX: Duration = Duration::from_secs(15);
/// The most clients that are kept to be shared; only different time limits make different ones.
const SHARED_MAX: usize = 32;
/// The longest detail of an error, in characters.
const DETAIL_MAX: usize = 300;
/// What every request calls itself.
const USER_AGENT: &str = concat!("revalidated/", env!("CARGO_PKG_VERSION"));

/// No client could be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The proxy cannot be used.
    #[error("the proxy's URL cannot be used")]
    Proxy,
    /// The library refused.
    #[error("the HTTP client cannot be set up")]
    Setup(#[source] reqwest::Error),
}

/// A body could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// It has more bytes than allowed; the rest was not read.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It ended early.
    #[error("the answer was cut off")]
    Cut(#[source] reqwest::Error),
}

/// What a client is built from.
#[derive(Clone)]
pub(crate) struct HttpOptions {
    /// The longest wait for a connection, TLS included.
    pub(crate) connect_timeout: Duration,
    /// The longest wait for everything, from resolution to the last byte of the body.
    pub(crate) total_timeout: Duration,
    /// Trust only the certificate authorities in this PEM file, not the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// Resolves host names instead of the system; never asked about literal addresses.
    pub(crate) resolver: Option<Arc<dyn Resolve>>,
    /// Keep to HTTP/1.1, where a connection that fell silent is given up with its request; over
    /// HTTP/2 it would be shared by the requests after it, and all of them would fail.
    pub(crate) http1_only: bool,
    /// The most unused connections to one host that are kept; with fewer than were in use at once,
    /// each request there would open one.
    pub(crate) idle_connections_max: usize,
    /// Send everything through this proxy.
    pub(crate) proxy: Option<Proxy>,
    /// Shown to servers that ask for a certificate.
    pub(crate) identity: Option<tls::Identity>,
    /// Where a server really is that is called by another name.
    pub(crate) behind: Option<Behind>,
}

/// A proxy for HTTP and, by CONNECT, for HTTPS.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    /// Its URL.
    pub(crate) url: String,
    /// User name and password, where it asks for them.
    pub(crate) credentials: Option<(String, Secret)>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(20),
            ca_file: None,
            resolver: None,
            http1_only: false,
            idle_connections_max: 512,
            proxy: None,
            identity: None,
            behind: None,
        }
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connect_timeout,
            total_timeout,
            ca_file,
            resolver,
            http1_only,
            idle_connections_max,
            proxy,
            identity,
            behind,
        } = self;
        f.debug_struct("HttpOptions")
            .field("connect_timeout", connect_timeout)
            .field("total_timeout", total_timeout)
            .field("ca_file", ca_file)
            .field("resolver", &resolver.is_some())
            .field("http1_only", http1_only)
            .field("idle_connections_max", idle_connections_max)
            .field("proxy", proxy)
            .field("identity", identity)
            .field("behind", behind)
            .finish()
    }
}

/// A client for `options`, to be kept: its connections are used again.
///
/// # Errors
///
/// Says what of the authorities, the identity or the proxy cannot be used.
#[expect(clippy::disallowed_methods, reason = "the place where clients are built")]
pub(crate) fn client(options: &HttpOptions) -> Result<reqwest::Client, HttpError> {
    let mut config = tls::client_config(options.ca_file.as_deref(), options.identity.as_ref())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .connect_timeout(options.connect_timeout)
        .timeout(options.total_timeout)
        .pool_idle_timeout(IDLE_MAX)
        .pool_max_idle_per_host(options.idle_connections_max)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .tls_info(true)
        .user_agent(USER_AGENT);
    if options.http1_only {
        builder = builder.http1_only();
    }
    builder = match &options.resolver {
        Some(resolver) => builder.dns_resolver(Arc::clone(resolver)),
        None => builder.dns_resolver(Arc::new(Names(options.behind.clone()))),
    };
    if let Some(Proxy { url, credentials }) = &options.proxy {
        // The library's error shows the URL.
        let mut proxy = reqwest::Proxy::all(url).map_err(|_error| HttpError::Proxy)?;
        if let Some((user, password)) = credentials {
            proxy = proxy.basic_auth(user, password.expose());
        }
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(HttpError::Setup)
}

/// A client, shared by all who ask for nothing but the same time limits: a thousand integrations then
/// use the connections of those that run at the same time.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    client: reqwest::Client,
    options: Arc<HttpOptions>,
}

/// What shared clients differ in. A connection belongs to the runtime that opened it; what is made
/// before there is one is for the first to come, and in the daemon there is no other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Shared {
    runtime: Option<runtime::Id>,
    connect: Duration,
    total: Duration,
}

/// The clients that are shared.
static SHARED: Mutex<Vec<(Shared, reqwest::Client)>> = Mutex::new(Vec::new());

impl Connections {
    /// Connections for `options`; only those that differ from others in nothing but time limits are
    /// shared.
    ///
    /// # Errors
    ///
    /// Says what of the authorities, the identity or the proxy cannot be used.
    pub(crate) fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        let plain = options.ca_file.is_none()
            && options.resolver.is_none()
            && options.proxy.is_none()
            && options.identity.is_none()
            && options.behind.is_none();
        let client = if plain { shared(options)? } else { client(options)? };
        Ok(Self { client, options: Arc::new(options.clone()) })
    }

    /// What they are made from.
    pub(super) fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// Sends `request` and waits for the head of the answer.
    ///
    /// # Errors
    ///
    /// Fails when none comes; see [`classify`].
    pub(crate) async fn execute(
        &self,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let host = request.url().host_str().unwrap_or_default();
        let host = host.trim_matches(['[', ']']).to_owned();
        let asked = Instant::now();
        let response = self.client.execute(request).await?;
        observe::answered(&host, asked.elapsed());
        self.observe(&host, &response);
        Ok(response)
    }

    /// Tells the run what the head of an answer shows besides the answer; a connection that is used
    /// again has been opened, and its name resolved, in another run.
    fn observe(&self, host: &str, response: &reqwest::Response) {
        let info = response.extensions().get::<TlsInfo>();
        if let Some(leaf) = info.and_then(TlsInfo::peer_certificate) {
            certificate::shown_by(host, leaf);
        }
        if let Some(date) = date(response.headers()) {
            observe::clock(host, date);
        }
        if let Some(address) = response.remote_addr().filter(|_| self.options.proxy.is_none()) {
            observe::fact(FactKind::Address, host, &address.ip().to_string());
        }
    }
}

/// The client of all who ask with the time limits of `options`.
fn shared(options: &HttpOptions) -> Result<reqwest::Client, HttpError> {
    let key = Shared {
        runtime: runtime::Handle::try_current().ok().map(|runtime| runtime.id()),
        connect: options.connect_timeout,
        total: options.total_timeout,
    };
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, client)) = shared.iter().find(|(known, _)| *known == key) {
        return Ok(client.clone());
    }
    let client = client(options)?;
    if SHARED_MAX <= shared.len() {
        shared.clear();
    }
    shared.push((key, client.clone()));
    Ok(client)
}

/// When the server sent its answer, by its own clock.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_jiff(date))
}

/// Reads the body of `response`, at most `bytes_max` of it.
///
/// # Errors
///
/// Fails for a longer body, without reading it all, and for one that ends early.
pub(crate) async fn read_capped(
    mut response: reqwest::Response,
    bytes_max: usize,
) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Cut)? {
        if bytes_max.saturating_sub(body.len()) < chunk.len() {
            return Err(BodyError::TooLarge(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What went wrong with a request, and one line about it that never shows the URL.
pub(crate) fn classify(error: &reqwest::Error) -> (Class, String) {
    let causes = causes(error);
    let detail = causes.last().map_or_else(|| "no reason given".to_owned(), ToString::to_string);
    let detail = one_line(&detail, DETAIL_MAX);
    if causes.iter().any(|cause| has_expired(*cause)) {
        // The library's words hold the clock, and would differ from run to run.
        return (Class::Expired, "the server's certificate has expired".to_owned());
    }
    if causes.iter().any(|cause| is_certificate_fault(*cause)) {
        return (Class::Invalid, format!("the server's certificate is not accepted: {detail}"));
    }
    if let Some(alert) = causes.iter().find_map(|cause| refusal_of_ours(*cause)) {
        let class = if alert == AlertDescription::CertificateExpired {
            Class::Expired
        } else {
            Class::Denied
        };
        return (class, format!("the server does not accept the client certificate: {detail}"));
    }
    if causes.iter().any(|cause| cause.is::<Astray>()) {
        return (Class::Unreachable, detail);
    }
    // The library's type is not public.
    if error.is_connect() && detail.ends_with("proxy authorization required") {
        return (Class::Denied, "the proxy does not accept the user or the password".to_owned());
    }
    if causes.iter().any(|cause| is_our_fault(*cause)) {
        return (Class::Ours, format!("no connection can be opened: {detail}"));
    }
    match (error.is_timeout(), error.is_connect()) {
        _ if error.is_builder() => (Class::Invalid, format!("the request is not valid: {detail}")),
        _ if error.is_dns() => {
            (Class::Unreachable, format!("the host name cannot be resolved: {detail}"))
        }
        (true, true) => (Class::Unreachable, "no connection within the time limit".to_owned()),
        (true, false) => (Class::Unreachable, "no answer within the time limit".to_owned()),
        (false, true) => (Class::Unreachable, format!("no connection: {detail}")),
        (false, false) => (Class::Unreachable, format!("the connection broke: {detail}")),
    }
}

/// Everything below `error`, outermost first, without the client's own errors, which name the URL.
fn causes<'e>(error: &'e reqwest::Error) -> Vec<&'e (dyn StdError + 'static)> {
    let mut causes: Vec<&'e (dyn StdError + 'static)> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        if !cause.is::<reqwest::Error>() {
            causes.push(cause);
        }
        // An I/O error skips the error it was made from when asked for its source.
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    causes
}

fn has_expired(cause: &(dyn StdError + 'static)) -> bool {
    matches!(
        cause.downcast_ref::<rustls::Error>(),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
        ))
    )
}

fn is_certificate_fault(cause: &(dyn StdError + 'static)) -> bool {
    matches!(
        cause.downcast_ref::<rustls::Error>(),
        Some(
            rustls::Error::InvalidCertificate(_)
                | rustls::Error::NoCertificatesPresented
                | rustls::Error::UnsupportedNameType
        )
    )
}

/// The alert of a server that misses our certificate, or does not like it.
fn refusal_of_ours(cause: &(dyn StdError + 'static)) -> Option<AlertDescription> {
    let Some(rustls::Error::AlertReceived(alert)) = cause.downcast_ref() else { return None };
    let is_about_us = matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateRequired
    );
    is_about_us.then_some(*alert)
}

fn is_our_fault(cause: &(dyn StdError + 'static)) -> bool {
    // A network that is missing is not told from one of several addresses that has no way to it.
    cause.downcast_ref::<io::Error>().is_some_and(is_out_of_descriptors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use reqwest::dns::{Addrs, Name, Resolving};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Serves `answer` to every connection; an empty one is silence.
    async fn serve(answer: Vec<u8>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut head = [0; 4096];
                    let _read = stream.read(&mut head).await;
                    if answer.is_empty() {
                        std::future::pending::<()>().await;
                    }
                    let _sent = stream.write_all(&answer).await;
                });
            }
        });
        address
    }

    fn quick() -> HttpOptions {
        let limit = Duration::from_millis(300);
        HttpOptions { connect_timeout: limit, total_timeout: limit, ..HttpOptions::default() }
    }

    async fn failure(url: &str, options: &HttpOptions) -> (Class, String) {
        classify(&client(options).unwrap().get(url).send().await.unwrap_err())
    }

    #[tokio::test]
    async fn failures_are_classed_and_never_show_the_url() {
        let silent = serve(Vec::new()).await;
        let hasty = serve(b"HTTP/1.1 200 OK\r\n".to_vec()).await;
        let closed = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        let cases = [
            (format!("http://u:hunter2@{silent}/?t=hunter2"), "no answer within the time limit"),
            (format!("http://u:hunter2@{closed}/?t=hunter2"), "no connection: Connection refused"),
            (format!("http://u:hunter2@{hasty}/?t=hunter2"), "the connection broke: "),
            (
                "http://u:hunter2@nowhere.invalid/?t=hunter2".to_owned(),
                "the host name cannot be resolved: ",
            ),
        ];
        // Resolution may take longer than a refusal on machines whose resolver is far away.
        let patient = HttpOptions { total_timeout: Duration::from_secs(15), ..quick() };
        for (url, expected) in cases {
            let options = if url.contains("invalid") { &patient } else { &quick() };
            let (class, detail) = failure(&url, options).await;
            assert_eq!(class, Class::Unreachable, "{url}: {detail}");
            let resolved_late = detail == "no connection within the time limit";
            assert!(detail.starts_with(expected) || resolved_late, "{url}: {detail}");
            assert!(!detail.contains("hunter2") && !detail.contains("http"), "{detail}");
        }
    }

    #[tokio::test]
    async fn a_certificate_nobody_vouches_for_is_not_a_passing_fault() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.unwrap())
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let config = Arc::clone(&config);
                // The handshake is done by hand: the server side needs nothing but its first flight.
                tokio::task::spawn_blocking(move || {
                    let mut stream = stream.into_std().unwrap();
                    stream.set_nonblocking(false).unwrap();
                    let mut session = rustls::ServerConnection::new(config).unwrap();
                    while session.is_handshaking() && session.complete_io(&mut stream).is_ok() {}
                });
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, other.cert.pem()).unwrap();
        let options = HttpOptions { ca_file: Some(ca_file), ..HttpOptions::default() };
        let url = format!("https://localhost:{}/", address.port());
        let (class, detail) = failure(&url, &options).await;
        assert_eq!(class, Class::Invalid, "{detail}");
        assert!(detail.starts_with("the server's certificate is not accepted: "), "{detail}");
    }

    #[tokio::test]
    async fn bodies_are_read_up_to_the_limit() {
        let body = "x".repeat(5000);
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{body}");
        let address = serve(answer.into_bytes()).await;
        let get = async || {
            let client = client(&HttpOptions::default()).unwrap();
            client.get(format!("http://{address}/")).send().await.unwrap()
        };
        assert_eq!(read_capped(get().await, 5000).await.unwrap().len(), 5000);
        let error = read_capped(get().await, 4999).await.unwrap_err();
        assert_eq!(error.to_string(), "the answer is larger than 4999 bytes");
        let short = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nxy".to_vec()).await;
        let client = client(&quick()).unwrap();
        let response = client.get(format!("http://{short}/")).send().await.unwrap();
        assert!(matches!(read_capped(response, 9).await, Err(BodyError::Cut(_))));
    }

    #[tokio::test]
    async fn whoever_asks_for_the_same_shares_connections() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let opened = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&opened);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let mut head = [0; 4096];
                    while stream.read(&mut head).await.is_ok_and(|read| 0 < read) {
                        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                    }
                });
            }
        });
        let usual = HttpOptions::default();
        let patient = HttpOptions { total_timeout: Duration::from_secs(30), ..usual.clone() };
        let resolver: Arc<dyn Resolve> = Arc::new(Names(None));
        let own = HttpOptions { resolver: Some(resolver), ..usual.clone() };
        let table = [(&usual, 1), (&usual, 1), (&patient, 2), (&patient, 2), (&own, 3), (&own, 4)];
        for (options, connections) in table {
            let request = reqwest::Request::new(http::Method::GET, url.parse().unwrap());
            Connections::new(options).unwrap().execute(request).await.unwrap();
            assert_eq!(opened.load(Ordering::Relaxed), connections);
            // Until the connection is back among the unused ones.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn redirects_are_seen_and_names_can_be_resolved_by_others() {
        #[derive(Debug)]
        struct Loopback(SocketAddr);
        impl Resolve for Loopback {
            fn resolve(&self, _name: Name) -> Resolving {
                let addresses: Addrs = Box::new([self.0].into_iter());
                Box::pin(std::future::ready(Ok(addresses)))
            }
        }
        let moved = b"HTTP/1.1 301 Moved\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n".to_vec();
        let address = serve(moved).await;
        let resolver: Arc<dyn Resolve> = Arc::new(Loopback(address));
        let options = HttpOptions { resolver: Some(resolver), ..HttpOptions::default() };
        let url = format!("http://receiver.example:{}/", address.port());
        let response = client(&options).unwrap().get(url).send().await.unwrap();
        assert_eq!(response.status(), 301);
    }

    #[test]
    fn a_missing_ca_file_is_named() {
        let options =
            HttpOptions { ca_file: Some("/no/such/ca.pem".into()), ..HttpOptions::default() };
        let error = client(&options).unwrap_err().to_string();
        assert!(error.contains("/no/such/ca.pem"), "{error}");
    }
}
