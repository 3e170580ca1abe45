//! Client credentials of an application in Microsoft Entra: a client secret, a certificate whose key signs
//! an assertion, or the assertion of a provider that the application trusts (workload identity of Kubernetes).
//!
//! The signed assertion is that of "Microsoft identity platform application authentication certificate
//! credentials": PS256, and the SHA-256 of the certificate in its head.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::remedy::Proof;
use crate::domain::{Class, Redactor, Secret, SecretRef, Timestamp};
use crate::input::Reader;
use crate::net::exchange::NoAnswer;
use crate::net::jwt::SigningKey;
use crate::net::oauth::{Claimant, ClientProof, client_assertion};
use crate::net::pem;
use crate::net::tls::Identity;
use crate::secrets::{self, SecretError};

/// Keys of the kinds of client credentials, of which one is given.
const KINDS: [&str; 3] = ["clientSecret", "clientCertificate", "clientAssertion"];

/// Client credential as configured.
#[derive(Debug)]
pub(crate) enum ClientCredential {
    /// Reference to a client secret.
    Secret(SecretRef),
    /// Certificate that is registered with the application.
    Certificate {
        /// Certificate in PEM form.
        certificate: SecretRef,
        /// Private key in PEM form; by default in the same file as the certificate.
        key: SecretRef,
    },
    /// Token of a provider that the application trusts, which renews it outside.
    Assertion(SecretRef),
}

/// Client credential of one run.
#[derive(Debug)]
pub(crate) enum RunCredential {
    /// Client secret that was read.
    Secret(Secret),
    /// Key that signs assertions.
    Certificate {
        /// Private key of the certificate.
        key: Box<SigningKey>,
        /// SHA-256 of the certificate, in base64 for URLs.
        thumbprint: String,
    },
    /// Token of a provider that the application trusts.
    Assertion(Secret),
}

impl ClientCredential {
    /// Reads `clientSecret`, `clientCertificate` and `clientKey`, or `clientAssertion`, one of which must be
    /// there; faults are left with the reader.
    pub(crate) fn read(table: &mut Reader<'_>) -> Option<Self> {
        let secret = table.secret("clientSecret");
        let (certificate, key) = (table.secret("clientCertificate"), table.secret("clientKey"));
        let assertion = table.secret("clientAssertion");
        let given = KINDS.into_iter().filter(|key| table.has(key)).collect::<Vec<_>>();
        if let [first, second, ..] = given[..] {
            table.fault(second, format!("cannot be used with `{first}`: keep one of them"));
        }
        if given.is_empty() {
            table.required("clientSecret");
        }
        if key.is_some() && certificate.is_none() {
            table.fault("clientKey", "belongs to a `clientCertificate`, which is missing");
        }
        let certified = certificate.map(|certificate| {
            let key = key.unwrap_or_else(|| certificate.clone());
            Self::Certificate { certificate, key }
        });
        certified.or(assertion.map(Self::Assertion)).or(secret.map(Self::Secret))
    }

    /// Makes the same keys known where no application logs in, and their secrets known as such.
    #[cfg(feature = "synapse")]
    pub(crate) fn unused(table: &mut Reader<'_>) {
        for key in KINDS.into_iter().chain(["clientKey"]) {
            table.secret(key);
        }
    }

    /// Returns the key of the configuration that holds the proof, for remedies. The table is `azure`.
    pub(crate) const fn keys(&self) -> Proof {
        match self {
            Self::Secret(_) => Proof::Secret("azure.clientSecret"),
            Self::Certificate { .. } => Proof::Certificate("azure.clientCertificate"),
            Self::Assertion(_) => Proof::Assertion("azure.clientAssertion"),
        }
    }

    /// Returns the secrets by which a refusal is remembered.
    pub(crate) fn secrets(&self) -> Vec<&SecretRef> {
        match self {
            Self::Secret(secret) | Self::Assertion(secret) => vec![secret],
            Self::Certificate { certificate, key } => vec![certificate, key],
        }
    }

    /// Reads the credential for one run; `redactor` learns its secrets.
    ///
    /// # Errors
    ///
    /// Names the secret that cannot be read or used.
    pub(crate) async fn resolve(&self, redactor: &Redactor) -> Result<RunCredential, NoAnswer> {
        let local = |detail: String| NoAnswer { class: Class::Local, detail };
        let read = self.secret_or_identity().await.map_err(|error| local(error.to_string()))?;
        match read {
            Read::Secret(secret) => {
                redactor.learn(&secret);
                Ok(RunCredential::Secret(secret))
            }
            Read::Assertion(token) => {
                redactor.learn(&token);
                Ok(RunCredential::Assertion(token))
            }
            Read::Identity(identity) => {
                redactor.learn(&identity.key);
                identity.observe();
                opened(&identity).map_err(local)
            }
        }
    }

    async fn secret_or_identity(&self) -> Result<Read, SecretError> {
        match self {
            Self::Secret(secret) => secrets::resolve(secret).await.map(Read::Secret),
            Self::Assertion(token) => secrets::resolve(token).await.map(Read::Assertion),
            Self::Certificate { certificate, key } => {
                let chain = pem::restored(&secrets::resolve(certificate).await?);
                let key = pem::restored(&secrets::resolve(key).await?);
                Ok(Read::Identity(Identity { chain, key }))
            }
        }
    }

    /// Returns the fault of a certificate or key that can be read and not used, with its key in the
    /// configuration.
    pub(crate) async fn examine(&self) -> Option<(&'static str, String)> {
        let Ok(Read::Identity(identity)) = self.secret_or_identity().await else { return None };
        Some(("clientCertificate", opened(&identity).err()?))
    }
}

/// Client credential as its references hold it.
enum Read {
    Secret(Secret),
    Assertion(Secret),
    Identity(Identity),
}

/// Returns the key of a certificate, or the reason why it cannot be used.
fn opened(identity: &Identity) -> Result<RunCredential, String> {
    let certificate = CertificateDer::from_pem_slice(identity.chain.expose().as_bytes());
    let certificate = certificate.map_err(|_form| {
        "the client certificate is not in PEM form (-----BEGIN CERTIFICATE-----)".to_owned()
    })?;
    let key = SigningKey::from_pem(&identity.key)
        .map_err(|error| format!("the key of the client certificate cannot be used: {error}"))?;
    if !key.fits(&certificate) {
        return Err("the key of the client certificate belongs to another certificate".to_owned());
    }
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate));
    Ok(RunCredential::Certificate { key: Box::new(key.with_pss()), thumbprint })
}

impl RunCredential {
    /// Returns the secret to send as proof to `claimant.url`: the client secret, or an assertion.
    ///
    /// # Errors
    ///
    /// Fails when nothing can be signed.
    pub(super) fn proof(&self, claimant: Claimant<'_>, now: Timestamp) -> Result<Secret, NoAnswer> {
        match self {
            Self::Secret(secret) | Self::Assertion(secret) => Ok(secret.clone()),
            Self::Certificate { key, thumbprint } => {
                let head = [("x5t#S256", thumbprint.as_str())];
                client_assertion(key, &head, claimant, now).map_err(|error| NoAnswer {
                    class: Class::Local,
                    detail: format!("the key of the client certificate cannot be used: {error}"),
                })
            }
        }
    }

    /// Returns `proof` in the way that it is sent.
    pub(super) const fn sent<'p>(&self, proof: &'p Secret) -> ClientProof<'p> {
        match self {
            Self::Secret(_) => ClientProof::Form(proof),
            Self::Certificate { .. } | Self::Assertion(_) => ClientProof::Assertion(proof),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Faults, Value};
    use rcgen::{CertificateParams, KeyPair};
    use serde_json::{Value as Json, json};

    fn read(config: &Json) -> (Option<ClientCredential>, Vec<String>) {
        let value = Value::from_json(config, &"f".into());
        let faults = Faults::default();
        let mut table = Reader::new(&value, "azure", &faults).unwrap();
        let found = ClientCredential::read(&mut table);
        table.finish();
        (found, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    fn pair() -> (String, String) {
        let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn one_credential_is_read_and_two_are_refused() {
        let table = [
            (json!({ "clientSecret": "s" }), 1, ""),
            (json!({ "clientCertificate": "c" }), 2, ""),
            (json!({ "clientCertificate": "c", "clientKey": "k" }), 2, ""),
            (json!({ "clientAssertion": { "file": "/t" } }), 1, ""),
            (json!({}), 0, "azure.clientSecret: missing"),
            (json!({ "clientSecret": "s", "clientCertificate": "c" }), 2, "keep one of them"),
            (json!({ "clientSecret": "s", "clientAssertion": "a" }), 1, "keep one of them"),
            (json!({ "clientSecret": "s", "clientKey": "k" }), 1, "`clientCertificate`, which is"),
        ];
        for (config, secrets, fault) in table {
            let (found, faults) = read(&config);
            let count = found.map_or(0, |found| found.secrets().len());
            assert_eq!(count, secrets, "{config}");
            assert_eq!(faults.is_empty(), fault.is_empty(), "{config}: {faults:?}");
            assert!(faults.concat().contains(fault), "{config}: {faults:?}");
        }
    }

    #[tokio::test]
    async fn assertion_names_the_certificate_and_the_endpoint() {
        let (certificate, key) = pair();
        let both = format!("{certificate}{key}");
        let pasted = key.replace('\n', "\\n");
        for config in [
            json!({ "clientCertificate": both }),
            json!({ "clientCertificate": certificate, "clientKey": pasted }),
        ] {
            let credential = read(&config).0.unwrap();
            assert_eq!(credential.examine().await, None);
            let redactor = Redactor::default();
            let run = credential.resolve(&redactor).await.unwrap();
            let claimant = Claimant { client_id: "app", url: "https://login.example/t/token" };
            let assertion = run.proof(claimant, Timestamp(7_000)).unwrap();
            assert!(matches!(run.sent(&assertion), ClientProof::Assertion(_)));
            let parts: Vec<_> = assertion.expose().split('.').collect();
            let json = |part: &str| -> Json {
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
            };
            let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
            let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &der));
            let head = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
            assert_eq!(json(parts[0]), head);
            let claims = json(parts[1]);
            let named = (claims["iss"].as_str(), claims["sub"].as_str(), claims["aud"].as_str());
            assert_eq!(named, (Some("app"), Some("app"), Some(claimant.url)));
            assert_eq!((claims["nbf"].as_i64(), claims["exp"].as_i64()), (Some(7), Some(607)));
            assert!(!format!("{credential:?} {run:?}").contains("PRIVATE"), "{run:?}");
        }
    }

    #[tokio::test]
    async fn assertion_of_a_provider_is_sent_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("azure-identity-token");
        std::fs::write(&path, "hunter2-token\n").unwrap();
        let credential = read(&json!({ "clientAssertion": { "file": path } })).0.unwrap();
        assert_eq!(credential.examine().await, None);
        let redactor = Redactor::default();
        let run = credential.resolve(&redactor).await.unwrap();
        let claimant = Claimant { client_id: "app", url: "https://login.example/t/token" };
        let proof = run.proof(claimant, Timestamp(0)).unwrap();
        assert_eq!(proof.expose(), "hunter2-token");
        assert!(matches!(run.sent(&proof), ClientProof::Assertion(_)));
        assert_eq!(redactor.line("a hunter2-token b", 99), "a [REDACTED] b");
    }

    #[tokio::test]
    async fn unusable_certificate_is_found_without_a_connection() {
        let ((certificate, key), (_, other)) = (pair(), pair());
        let table = [
            (json!({ "clientCertificate": "hunter2" }), "is not in PEM form"),
            (json!({ "clientCertificate": certificate }), "it is not a private key in PEM form"),
            (
                json!({ "clientCertificate": certificate, "clientKey": other }),
                "another certificate",
            ),
            (json!({ "clientCertificate": key }), "the client certificate is not in PEM form"),
        ];
        for (config, expected) in table {
            let credential = read(&config).0.unwrap();
            let (path, reason) = credential.examine().await.unwrap();
            assert_eq!(path, "clientCertificate");
            assert!(reason.contains(expected) && !reason.contains("hunter2"), "{reason}");
        }
        let missing = json!({ "clientCertificate": { "file": "/nonexistent" } });
        let credential = read(&missing).0.unwrap();
        assert_eq!(credential.examine().await, None, "the reference is reported elsewhere");
        let none = credential.resolve(&Redactor::default()).await.unwrap_err();
        assert_eq!(none.class, Class::Local);
    }
}
