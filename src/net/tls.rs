//! TLS configurations: certificates are always verified, TLS 1.2 at least, one provider.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::domain::Secret;

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
    /// The client certificate cannot be used.
    #[error("the client certificate cannot be used: {0}")]
    Identity(&'static str),
    /// The library refused.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// A certificate of the client's own.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The certificate and those between it and its authority, in PEM form.
    pub(crate) chain: Secret,
    /// Its private key in PEM form, not encrypted.
    pub(crate) key: Secret,
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
            Some(path) => Ok(trusting(path)?.with_no_client_auth()),
            None => system(),
        };
    };
    let (chain, key) = identity.parts()?;
    let verified = match ca_file {
        Some(path) => trusting(path)?,
        None => builder()?.with_platform_verifier()?,
    };
    Ok(verified.with_client_auth_cert(chain, key)?)
}

fn trusting(ca_file: &Path) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in authorities(ca_file)? {
        roots.add(certificate)?;
    }
    Ok(builder()?.with_root_certificates(roots))
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
