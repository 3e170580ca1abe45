//! Connection pools: one client serves all integrations that set nothing but time limits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{AUTHORIZATION, DATE};
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::tls::TlsInfo;
use tokio::runtime;
use tokio::time::Instant;

use super::build::{HttpError, HttpOptions, client};
use crate::blocking::{self, READ_TIMEOUT};
use crate::domain::{FactKind, Redactor, Timestamp};
use crate::net::tls::TlsError;
use crate::net::{certificate, observe};

/// Most clients that are kept to be shared; only different time limits make different ones.
const SHARED_MAX: usize = 32;

/// Header with the token of EC2's metadata service, which no library marks as secret.
const METADATA_TOKEN: &str = "x-aws-ec2-metadata-token";

/// Connection pool of one integration; pools that differ from the default in nothing but time limits
/// are one, so that a thousand integrations use the connections of those that run at the same time.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    client: reqwest::Client,
    options: Arc<HttpOptions>,
    /// Secrets of the run that sends requests; it learns the credentials in their headers.
    redactor: Redactor,
}

/// Key of a shared client. A connection belongs to the runtime that opened it; a client that is built
/// before there is a runtime serves the first one, and the daemon has no other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct ShareKey {
    runtime: Option<runtime::Id>,
    connect: Duration,
    total: Duration,
    idle_connections_max: usize,
}

/// Client that others use as well, with the options that all of them set.
type Shared = (reqwest::Client, Arc<HttpOptions>);

/// Clients that differ in the options of the key only.
static SHARED: Mutex<Vec<(ShareKey, Shared)>> = Mutex::new(Vec::new());

impl Connections {
    /// Returns connections for `options`, shared with others where nothing but time limits is set.
    ///
    /// # Errors
    ///
    /// Fails when the authorities, the identity or the proxy cannot be used.
    pub(crate) fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        let plain = options.ca_file.is_none()
            && options.resolver.is_none()
            && options.proxy.is_none()
            && options.identity.is_none()
            && options.host_alias.is_none()
            && options.socket.is_none();
        let (client, options) = if plain { shared(options)? } else { made(options)? };
        Ok(Self { client, options, redactor: Redactor::default() })
    }

    /// Returns the same connections for a run whose secrets `redactor` knows.
    pub(crate) fn redacted_by(&self, redactor: &Redactor) -> Self {
        Self { redactor: redactor.clone(), ..self.clone() }
    }

    /// Returns the redactor of everything that answers say.
    pub(crate) const fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Returns connections as [`Self::new`] does, without blocking: the file of authorities may hang.
    ///
    /// # Errors
    ///
    /// Those of [`Self::new`], and that the file does not answer.
    pub(crate) async fn read(options: &HttpOptions) -> Result<Self, HttpError> {
        let Some(path) = &options.ca_file else { return Self::new(options) };
        let key = format!("connections with {}", path.display());
        let owned = options.clone();
        let made = blocking::run(&key, 2 * READ_TIMEOUT, move || Self::new(&owned)).await;
        made.unwrap_or_else(|error| Err(TlsError::hangs(path, &error).into()))
    }

    /// Returns the client with its pool.
    pub(crate) fn into_client(self) -> reqwest::Client {
        self.client
    }

    /// Returns the options that the connections are made from.
    pub(in crate::net) fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// Sends `request` and waits for the head of the answer.
    ///
    /// # Errors
    ///
    /// Fails when no answer comes; see [`classify`](super::classify()).
    pub(crate) async fn execute(
        &self,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let host = request.url().host_str().unwrap_or_default();
        let host = host.trim_matches(['[', ']']).to_owned();
        for (name, value) in request.headers() {
            self.redactor.learn_text(credential(name, value).unwrap_or_default());
        }
        let asked = Instant::now();
        let response = self.client.execute(request).await?;
        observe::answered(&host, asked.elapsed());
        self.observe(&host, &response);
        Ok(response)
    }

    /// Observes certificate, clock and address of the server. A reused connection may have been
    /// opened, and its name resolved, in another run, so the head of each answer is looked at.
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

/// Returns the credential that a request shows in the header `name`, where it is one.
fn credential<'v>(name: &HeaderName, value: &'v HeaderValue) -> Option<&'v str> {
    let text = value.to_str().ok()?;
    if name != AUTHORIZATION {
        return (value.is_sensitive() || name == METADATA_TOKEN).then_some(text);
    }
    // Other schemes sign a request instead of showing a secret.
    match text.split_once(' ') {
        None => Some(text),
        Some(("Bearer" | "Basic", credential)) => Some(credential),
        Some((_signature, _)) => None,
    }
}

fn made(options: &HttpOptions) -> Result<Shared, HttpError> {
    Ok((client(options)?, Arc::new(options.clone())))
}

/// Returns the shared client with the time limits of `options`.
fn shared(options: &HttpOptions) -> Result<Shared, HttpError> {
    let key = ShareKey {
        runtime: runtime::Handle::try_current().ok().map(|runtime| runtime.id()),
        connect: options.connect_timeout,
        total: options.total_timeout,
        idle_connections_max: options.idle_connections_max,
    };
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = shared.iter().find(|(known, _)| *known == key) {
        return Ok(known.clone());
    }
    let new = made(options)?;
    if SHARED_MAX <= shared.len() {
        shared.clear();
    }
    shared.push((key, new.clone()));
    Ok(new)
}

/// Returns the time at which the server sent its answer, by its own clock.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_jiff(date))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use reqwest::dns::Resolve;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use crate::net::resolve::SystemResolver;

    #[tokio::test]
    async fn equal_time_limits_share_connections() {
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
        let resolver: Arc<dyn Resolve> = Arc::new(SystemResolver::new(None));
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
}
