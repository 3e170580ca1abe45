//! TLS configurations: certificates are always verified, TLS 1.2 at least, one provider.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, DistinguishedName, RootCertStore,
    SignatureScheme,
};
use rustls_platform_verifier::Verifier;

use super::certificate;
use crate::blocking::{self, BlockingError, READ_TIMEOUT, ReadError};
use crate::domain::Secret;

/// Largest file of authorities, in bytes; those of operating systems have 250,000.
const AUTHORITIES_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Configuration with the certificates of the system, which are read once for all integrations.
static SYSTEM: Mutex<Option<ClientConfig>> = Mutex::new(None);

/// Reasons why there is no TLS configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// File of certificate authorities that cannot be used.
    #[error("certificate authorities in {path} cannot be read: {reason}")]
    Authorities {
        /// Path of that file.
        path: PathBuf,
        /// Reason in one line.
        reason: String,
    },
    /// Client certificate that cannot be used.
    #[error("the client certificate cannot be used: {0}")]
    Identity(&'static str),
    /// Refusal of the TLS library.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// Certificate of the client itself.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// Certificate and those between it and its authority, in PEM form.
    pub(crate) chain: Secret,
    /// Private key in PEM form, not encrypted.
    pub(crate) key: Secret,
}

impl TlsError {
    /// Says that the file of authorities at `path` does not answer.
    pub(super) fn hangs(path: &Path, error: &BlockingError) -> Self {
        Self::Authorities { path: path.to_owned(), reason: error.to_string() }
    }
}

impl Identity {
    fn parts(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(self.chain.expose().as_bytes()).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or(TlsError::Identity("it is not in PEM form"))?;
        // The library's error could show what it did not understand.
        let key = PrivateKeyDer::from_pem_slice(self.key.expose().as_bytes());
        let key = key.map_err(|_form| TlsError::Identity("its key is not in PEM form"))?;
        Ok((chain, key))
    }
}

impl Identity {
    /// Observes the expiry of the certificate.
    pub(crate) fn observe(&self) {
        let chain = self.chain.expose().as_bytes();
        if let Some(Ok(own)) = CertificateDer::pem_slice_iter(chain).next() {
            certificate::shown_by_us(&own);
        }
    }
}

/// Verifier that observes the certificate of a server before `inner` verifies it, so that a refused
/// certificate is observed too.
#[derive(Debug)]
struct Observing {
    inner: Arc<dyn ServerCertVerifier>,
}

impl ServerCertVerifier for Observing {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        certificate::shown_by(&server_name.to_str(), end_entity);
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.inner.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}

/// Reads the certificates of a PEM file.
///
/// # Errors
///
/// Fails for a file that cannot be read, does not answer or has no certificate.
pub(crate) async fn read_authorities(
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    authorities(path, blocking::read(path, AUTHORITIES_BYTES_MAX).await)
}

fn authorities_now(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    authorities(path, blocking::read_now(path, AUTHORITIES_BYTES_MAX))
}

fn authorities(
    path: &Path,
    read: Result<Vec<u8>, ReadError>,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |reason: String| TlsError::Authorities { path: path.to_owned(), reason };
    let bytes = read.map_err(|error| fault(error.to_string()))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| fault(error.to_string()))?;
    if found.is_empty() { Err(fault("it holds no certificate".to_owned())) } else { Ok(found) }
}

/// Returns a client configuration that trusts the certificate authorities in `ca_file`, or the operating
/// system's when there is none, and shows `identity` to servers that ask for one.
///
/// # Errors
///
/// Fails when the authorities or the identity cannot be used.
pub(crate) fn client_config(
    ca_file: Option<&Path>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, TlsError> {
    let Some(identity) = identity else {
        return match ca_file {
            Some(path) => Ok(trusting(path, authorities_now(path)?)?.with_no_client_auth()),
            None => system(),
        };
    };
    let (chain, key) = identity.parts()?;
    let verified = match ca_file {
        Some(path) => trusting(path, authorities_now(path)?)?,
        None => platform()?,
    };
    Ok(verified.with_client_auth_cert(chain, key)?)
}

/// Makes a configuration as [`client_config`] does, without an identity and without blocking.
///
/// # Errors
///
/// Those of [`client_config`], and that the files of authorities do not answer.
pub(crate) async fn read_config(ca_file: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let Some(path) = ca_file else {
        let made = blocking::run("the system's authorities", READ_TIMEOUT, system).await;
        return made.unwrap_or_else(|error| Err(TlsError::hangs(Path::new("/etc/ssl"), &error)));
    };
    Ok(trusting(path, read_authorities(path).await?)?.with_no_client_auth())
}

type Verified = ConfigBuilder<ClientConfig, WantsClientCert>;

fn trusting(ca_file: &Path, found: Vec<CertificateDer<'static>>) -> Result<Verified, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in found {
        roots.add(certificate)?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
    let fault = |reason: String| TlsError::Authorities { path: ca_file.to_owned(), reason };
    let verifier = verifier.build().map_err(|error| fault(error.to_string()))?;
    Ok(verified(verifier)?)
}

fn platform() -> Result<Verified, rustls::Error> {
    verified(Arc::new(Verifier::new(provider())?))
}

fn system() -> Result<ClientConfig, TlsError> {
    let mut system = SYSTEM.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(config) = system.as_ref() {
        return Ok(config.clone());
    }
    Ok(system.insert(platform()?.with_no_client_auth()).clone())
}

fn verified(inner: Arc<dyn ServerCertVerifier>) -> Result<Verified, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(Observing { inner })))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ExpiryKind, Fact, FactKind, Observed, Timestamp};
    use crate::net::http::{Connections, HttpOptions};
    use crate::net::observe::observed;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    /// Expiry of the certificate of the server.
    const ENDS: &str = "2027-12-08T00:00:00Z";
    /// Time on the clock of the server.
    const SHOWS: &str = "2027-11-28T00:00:00Z";

    /// A server with a certificate that ends in ten days by its own clock; its port, and the file of
    /// authorities that vouch for it.
    async fn serve(dir: &Path) -> (u16, PathBuf) {
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2027, 12, 8);
        let key = rcgen::KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        let ca = dir.join("ca.pem");
        std::fs::write(&ca, made.pem()).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = [0; 4096];
                    while matches!(stream.read(&mut request).await, Ok(1..)) {
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\
                            date: Sun, 28 Nov 2027 00:00:00 GMT\r\n\r\n";
                        let _sent = stream.write_all(answer).await;
                    }
                });
            }
        });
        (port, ca)
    }

    fn check(seen: &Observed) {
        let ends: Vec<_> =
            seen.expiries.iter().map(|one| (one.kind, one.of.as_str(), one.at)).collect();
        let at: Timestamp = ENDS.parse().unwrap();
        assert_eq!(ends, [(ExpiryKind::ServerCertificate, "localhost", at)]);
        let fact = Fact { kind: FactKind::Certificate, of: "localhost".to_owned() };
        let says: Vec<_> = seen.facts[&fact].iter().collect();
        assert_eq!(says.len(), 1);
        assert!(says[0].contains(&format!(", ends {ENDS}, sha256 ")), "{}", says[0]);
    }

    fn values(seen: &Observed, kind: FactKind) -> Vec<&str> {
        let facts =
            seen.facts.iter().filter(|(fact, _)| fact.kind == kind && fact.of == "localhost");
        facts.flat_map(|(_, values)| values).map(String::as_str).collect()
    }

    #[tokio::test]
    async fn answer_shows_certificate_clock_address_and_latency() {
        let dir = tempfile::tempdir().unwrap();
        let (port, ca) = serve(dir.path()).await;
        let options = HttpOptions { ca_file: Some(ca), ..HttpOptions::default() };
        let connections = Connections::new(&options).unwrap();
        let url: reqwest::Url = format!("https://localhost:{port}/").parse().unwrap();
        // The second request goes over the connection of the first.
        for _ in 0..2 {
            let request = reqwest::Request::new(http::Method::GET, url.clone());
            let (answer, seen) = observed(connections.execute(request)).await;
            assert_eq!(answer.unwrap().status(), 200);
            check(&seen);
            assert!(values(&seen, FactKind::Address).contains(&"127.0.0.1"), "{seen:?}");
            assert_eq!(values(&seen, FactKind::Latency).len(), 1);
            let clocks: Vec<_> =
                seen.clocks.iter().map(|one| (one.host.as_str(), one.shows)).collect();
            assert_eq!(clocks, [("localhost", SHOWS.parse().unwrap())]);
        }
    }

    #[tokio::test]
    async fn refused_certificate_is_observed() {
        let dir = tempfile::tempdir().unwrap();
        let (port, _ca) = serve(dir.path()).await;
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let ca = dir.path().join("other.pem");
        std::fs::write(&ca, other.cert.pem()).unwrap();
        let options = HttpOptions { ca_file: Some(ca), ..HttpOptions::default() };
        let connections = Connections::new(&options).unwrap();
        let url = format!("https://localhost:{port}/").parse().unwrap();
        let request = reqwest::Request::new(http::Method::GET, url);
        let (answer, seen) = observed(connections.execute(request)).await;
        assert!(answer.is_err());
        check(&seen);
    }

    #[tokio::test]
    async fn handshake_of_another_protocol_shows_the_certificate() {
        let dir = tempfile::tempdir().unwrap();
        let (port, ca) = serve(dir.path()).await;
        let config = client_config(Some(&ca), None).unwrap();
        let ((), seen) = observed(async {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
            let name = ServerName::try_from("localhost").unwrap();
            connector.connect(name, stream).await.unwrap();
        })
        .await;
        check(&seen);
    }
}
