//! HTTP clients: bounded in time, without redirects or proxies of the environment, with verified
//! certificates. No other file builds one.
//!
//! Every client speaks HTTP/1.1 and nothing else. HTTP/2 would save a few connections, and has two
//! prices: a connection that fell silent is shared by the requests after it, which then all fail; and
//! a server can keep a processor busy with frames that belong to no answer (SETTINGS, PING,
//! resets, empty CONTINUATION), which no limit of the library counts.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::Resolve;

use crate::domain::Secret;
use crate::net::resolve::{HostAlias, SystemResolver};
use crate::net::tls;

/// Longest time that an unused connection is kept for the next request.
const IDLE_MAX: Duration = Duration::from_secs(15);
/// Most headers of an answer.
const HEADERS_MAX: usize = 100;
/// Value of the `User-Agent` header of every request.
const USER_AGENT: &str = concat!("revalidated/", env!("CARGO_PKG_VERSION"));

/// Reasons why a client cannot be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The TLS configuration is not usable.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The URL of the proxy is not one of a proxy.
    #[error("the proxy's URL cannot be used")]
    Proxy,
    /// The HTTP library refused the options.
    #[error("the HTTP client cannot be set up")]
    Setup(#[source] reqwest::Error),
}

/// Options that a client is built from.
#[derive(Clone)]
pub(crate) struct HttpOptions {
    /// Longest wait for a connection, TLS included.
    pub(crate) connect_timeout: Duration,
    /// Longest wait for the whole exchange, from resolution to the last byte of the body.
    pub(crate) total_timeout: Duration,
    /// PEM file with the only certificate authorities to trust; without one, the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// Resolver to use instead of the system's; never asked about literal addresses.
    pub(crate) resolver: Option<Arc<dyn Resolve>>,
    /// Most idle connections to one host that are kept; with fewer than were in use at once, each
    /// request there would open one.
    pub(crate) idle_connections_max: usize,
    /// Proxy that everything is sent through.
    pub(crate) proxy: Option<Proxy>,
    /// Client certificate for servers that ask for one.
    pub(crate) identity: Option<tls::Identity>,
    /// Host that is connected to in place of the one in the URL.
    pub(crate) host_alias: Option<HostAlias>,
    /// Unix socket of this machine that is connected to in place of any host.
    pub(crate) socket: Option<PathBuf>,
}

/// Proxy for HTTP and, by CONNECT, for HTTPS.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    /// URL of the proxy, without user and password.
    pub(crate) url: String,
    /// User name and password, for a proxy that asks for them.
    pub(crate) credentials: Option<(String, Secret)>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(20),
            ca_file: None,
            resolver: None,
            idle_connections_max: 512,
            proxy: None,
            identity: None,
            host_alias: None,
            socket: None,
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
            idle_connections_max,
            proxy,
            identity,
            host_alias,
            socket,
        } = self;
        f.debug_struct("HttpOptions")
            .field("connect_timeout", connect_timeout)
            .field("total_timeout", total_timeout)
            .field("ca_file", ca_file)
            .field("resolver", &resolver.is_some())
            .field("idle_connections_max", idle_connections_max)
            .field("proxy", proxy)
            .field("identity", identity)
            .field("host_alias", host_alias)
            .field("socket", socket)
            .finish()
    }
}

/// Builds a client for `options`, to be kept: its connections are used again.
///
/// # Errors
///
/// Fails when the authorities, the identity or the proxy cannot be used.
#[expect(clippy::disallowed_methods, reason = "the place where clients are built")]
pub(crate) fn client(options: &HttpOptions) -> Result<reqwest::Client, HttpError> {
    let mut config = tls::client_config(options.ca_file.as_deref(), options.identity.as_ref())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut builder = reqwest::Client::builder()
        .http1_only()
        .http1_max_headers(HEADERS_MAX)
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
    builder = match &options.resolver {
        Some(resolver) => builder.dns_resolver(Arc::clone(resolver)),
        None => builder.dns_resolver(Arc::new(SystemResolver::new(options.host_alias.clone()))),
    };
    if let Some(socket) = &options.socket {
        builder = builder.unix_socket(socket.as_path());
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    use reqwest::dns::{Addrs, Name, Resolving};

    use crate::net::http::testing::serve;

    #[tokio::test]
    async fn redirect_is_returned_and_own_resolver_is_asked() {
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
    fn missing_ca_file_is_named_in_the_error() {
        let options =
            HttpOptions { ca_file: Some("/no/such/ca.pem".into()), ..HttpOptions::default() };
        let error = client(&options).unwrap_err().to_string();
        assert!(error.contains("/no/such/ca.pem"), "{error}");
    }
}
