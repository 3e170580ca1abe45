//! TLS configurations: certificates are always verified, TLS 1.2 at least, one provider.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;

/// The configuration with the system's certificates, which are read once: a thousand integrations
/// share one set.
static SYSTEM: Mutex<Option<ClientConfig>> = Mutex::new(None);

/// No TLS configuration could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// The file of certificate authorities cannot be used.
    #[error("certificate authorities in {path} cannot be read: {reason}")]
    Authorities {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The library refused.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// Certificates of a PEM file.
///
/// # Errors
///
/// Names the file that cannot be read or holds none.
pub(crate) fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |reason: String| TlsError::Authorities { path: path.to_owned(), reason };
    let found = CertificateDer::pem_file_iter(path).map_err(|error| fault(error.to_string()))?;
    let found: Vec<_> =
        found.collect::<Result<_, _>>().map_err(|error| fault(error.to_string()))?;
    if found.is_empty() { Err(fault("it holds no certificate".to_owned())) } else { Ok(found) }
}

/// A client configuration that trusts the certificate authorities in `ca_file`, or the operating
/// system's when there is none.
///
/// # Errors
///
/// Fails when the authorities cannot be read.
pub(crate) fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let Some(path) = ca_file else { return system() };
    let mut roots = RootCertStore::empty();
    for certificate in authorities(path)? {
        roots.add(certificate)?;
    }
    Ok(builder()?.with_root_certificates(roots).with_no_client_auth())
}

fn system() -> Result<ClientConfig, TlsError> {
    let mut system = SYSTEM.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(config) = system.as_ref() {
        return Ok(config.clone());
    }
    Ok(system.insert(builder()?.with_platform_verifier()?.with_no_client_auth()).clone())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}
