//! TLS of the server: certificate and key, read anew when they change, and common names of client certificates.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio::time::sleep;
use tracing::{error, info};
use x509_cert::Certificate as X509;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Tag, Tagged};

use crate::domain::{Secret, SecretRef, ServerTls};
use crate::secrets::{self, SecretError};

/// Time between two looks at the files.
pub(super) const LOOK: Duration = Duration::from_secs(10);
/// Identifier of the common name.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Reason why TLS cannot be served; never shows the key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file or secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A document is not in PEM form, or has nothing of its kind.
    #[error("`tls.{0}` is not in PEM form")]
    Form(&'static str),
    /// The TLS library refuses them.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// TLS configuration in force, and the documents that it was made from.
#[derive(Debug)]
pub(super) struct Tls {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    settings: ServerTls,
    config: Arc<ServerConfig>,
    /// Certificate of the server itself.
    own: CertificateDer<'static>,
    /// Digest of the documents that were tried last, or none when they could not be read.
    tried: Option<Vec<u8>>,
}

/// Documents as they were read.
struct Documents {
    certificate: Secret,
    key: Secret,
    client_ca: Option<Secret>,
}

impl Tls {
    /// Reads certificate and key, and returns what serves them.
    ///
    /// # Errors
    ///
    /// Fails when they cannot be read, or do not belong to each other.
    pub(super) async fn load(settings: &ServerTls) -> Result<Self, TlsError> {
        let documents = Documents::read(settings).await?;
        let (config, own) = documents.config()?;
        let (settings, tried) = (settings.clone(), Some(documents.digest()));
        let config = Arc::new(config);
        Ok(Self { state: RwLock::new(State { settings, config, own, tried }) })
    }

    /// Returns the configuration in force.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// Returns true when the certificate is for the host `name`: a client has verified that it is.
    pub(super) fn is_for(&self, name: &str) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let name = ServerName::try_from(name).ok();
        let own = ParsedCertificate::try_from(&state.own).ok();
        name.zip(own).is_some_and(|(name, own)| verify_server_name(&own, &name).is_ok())
    }

    /// Reads the documents of `settings` from now on.
    pub(super) async fn replace(&self, settings: &ServerTls) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).settings = settings.clone();
        self.refresh().await;
    }

    /// Looks at the documents after every `wait`, for ever, and puts in force what has changed.
    pub(super) async fn watch(&self, wait: Duration) {
        loop {
            sleep(wait).await;
            self.refresh().await;
        }
    }

    /// Puts changed documents in force; what cannot be used is logged once, and leaves the former in force.
    async fn refresh(&self) {
        let settings = self.state.read().unwrap_or_else(PoisonError::into_inner).settings.clone();
        let read = Documents::read(&settings).await;
        let digest = read.as_ref().ok().map(Documents::digest);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.tried == digest {
            return;
        }
        state.tried = digest;
        match read.and_then(|documents| documents.config()) {
            Ok((config, own)) => {
                (state.config, state.own) = (Arc::new(config), own);
                info!("the changed certificate of the HTTP server is in force");
            }
            Err(error) => error!("the former certificate of the HTTP server stays: {error}"),
        }
    }
}

impl Documents {
    async fn read(settings: &ServerTls) -> Result<Self, TlsError> {
        let read = async |reference: &SecretRef| secrets::resolve(reference).await;
        let certificate = read(&settings.certificate).await?;
        let key = read(&settings.key).await?;
        let client_ca = match &settings.client_ca {
            Some(reference) => Some(read(reference).await?),
            None => None,
        };
        Ok(Self { certificate, key, client_ca })
    }

    fn digest(&self) -> Vec<u8> {
        let mut context = Context::new(&SHA256);
        for document in [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()] {
            context.update(document.map_or("", Secret::expose).as_bytes());
            context.update(&[0]);
        }
        context.finish().as_ref().to_vec()
    }

    /// Returns the configuration, and the certificate of the server itself.
    fn config(&self) -> Result<(ServerConfig, CertificateDer<'static>), TlsError> {
        let setup = |error: rustls::Error| TlsError::Setup(error.to_string());
        let chain = certificates(&self.certificate, "certificate")?;
        let own = chain.first().cloned().ok_or(TlsError::Form("certificate"))?;
        // The library's error could show what it did not understand.
        let key = PrivateKeyDer::from_pem_slice(self.key.expose().as_bytes());
        let key = key.map_err(|_form| TlsError::Form("key"))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(setup)?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(authorities) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(authorities, "client_ca")? {
                    roots.add(authority).map_err(setup)?;
                }
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let verifier = verifier.allow_unauthenticated().build();
                let verifier = verifier.map_err(|error| TlsError::Setup(error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(setup)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((config, own))
    }
}

fn certificates(pem: &Secret, key: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_slice_iter(pem.expose().as_bytes());
    let read: Result<Vec<_>, _> = read.collect();
    read.ok().filter(|found| !found.is_empty()).ok_or(TlsError::Form(key))
}

/// Returns the common name of a certificate, unless it has none or several.
pub(super) fn common_name(certificate: &[u8]) -> Option<String> {
    let subject = X509::from_der(certificate).ok()?.tbs_certificate.subject;
    let parts = subject.0.iter().flat_map(|part| part.0.iter());
    let mut names = parts.filter(|part| part.oid == COMMON_NAME).map(|part| &part.value);
    let name = names.next().filter(|_| names.next().is_none())?;
    let is_text = matches!(name.tag(), Tag::Utf8String | Tag::PrintableString | Tag::Ia5String);
    let text = std::str::from_utf8(name.value()).ok();
    text.filter(|_| is_text).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Writes a certificate of its own with this common name, and its key.
    fn write(folder: &Path, name: &str) {
        let made = made(&[name]);
        std::fs::write(folder.join("c.pem"), made.0).unwrap();
        std::fs::write(folder.join("k.pem"), made.1).unwrap();
    }

    fn made(names: &[&str]) -> (String, String, Vec<u8>) {
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for name in names {
            params.distinguished_name.push(rcgen::DnType::CommonName, *name);
        }
        let key = rcgen::KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        (made.pem(), key.serialize_pem(), made.der().to_vec())
    }

    fn settings(folder: &Path) -> ServerTls {
        let file = |name: &str| SecretRef::File(folder.join(name));
        ServerTls { certificate: file("c.pem"), key: file("k.pem"), client_ca: Some(file("c.pem")) }
    }

    #[tokio::test]
    async fn changed_certificate_is_put_in_force_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "one");
        let tls = Tls::load(&settings(folder.path())).await.unwrap();
        let first = tls.config();
        tls.refresh().await;
        assert!(Arc::ptr_eq(&first, &tls.config()), "nothing has changed");
        std::fs::write(folder.path().join("k.pem"), made(&["two"]).1).unwrap();
        tls.refresh().await;
        assert!(Arc::ptr_eq(&first, &tls.config()), "the key belongs to another certificate");
        std::fs::remove_file(folder.path().join("k.pem")).unwrap();
        tls.refresh().await;
        assert!(Arc::ptr_eq(&first, &tls.config()), "there is no key");
        write(folder.path(), "two");
        tls.refresh().await;
        assert!(!Arc::ptr_eq(&first, &tls.config()));
        let other = tempfile::tempdir().unwrap();
        write(other.path(), "three");
        let second = tls.config();
        tls.replace(&settings(other.path())).await;
        assert!(!Arc::ptr_eq(&second, &tls.config()));
        for (name, expected) in
            [("localhost", true), ("LocalHost", true), ("a", false), ("", false)]
        {
            assert_eq!(tls.is_for(name), expected, "{name}");
        }
    }

    #[tokio::test]
    async fn files_are_looked_at_without_being_asked() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "one");
        let tls = Arc::new(Tls::load(&settings(folder.path())).await.unwrap());
        let (first, watched) = (tls.config(), Arc::clone(&tls));
        let watch = tokio::spawn(async move { watched.watch(Duration::from_millis(1)).await });
        write(folder.path(), "two");
        while Arc::ptr_eq(&first, &tls.config()) {
            tokio::task::yield_now().await;
        }
        watch.abort();
    }

    #[tokio::test]
    async fn documents_that_cannot_be_used_are_named_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let load = async || Tls::load(&settings(folder.path())).await.unwrap_err().to_string();
        assert!(load().await.contains("c.pem cannot be read"));
        write(folder.path(), "one");
        std::fs::write(folder.path().join("k.pem"), "hunter2").unwrap();
        assert_eq!(load().await, "`tls.key` is not in PEM form");
        write(folder.path(), "one");
        std::fs::write(folder.path().join("c.pem"), "hunter2").unwrap();
        assert_eq!(load().await, "`tls.certificate` is not in PEM form");
    }

    #[test]
    fn common_name_is_the_only_one() {
        assert_eq!(common_name(&made(&["grafana"]).2).as_deref(), Some("grafana"));
        assert_eq!(common_name(&made(&["Grüße"]).2).as_deref(), Some("Grüße"));
        assert_eq!(common_name(&made(&[]).2), None);
        assert_eq!(common_name(b"hunter2"), None);
    }
}
