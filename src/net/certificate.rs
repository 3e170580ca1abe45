//! Certificates: subject, issuer and expiry, observed by the run.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use x509_cert::Certificate as X509;
use x509_cert::der::Decode;

use super::observe;
use crate::domain::{ExpiryKind, FactKind, Timestamp, one_line};

/// Longest name in a certificate that is observed, in characters.
const NAME_MAX: usize = 150;

/// Observed parts of a certificate.
#[derive(Debug)]
struct Certificate {
    subject: String,
    issuer: String,
    expiry: Timestamp,
    lifetime: Duration,
    fingerprint: String,
}

impl Certificate {
    /// Reads `der`; none when it is not understood. Nothing is verified here.
    fn read(der: &[u8]) -> Option<Self> {
        let read = X509::from_der(der).ok()?.tbs_certificate;
        let expiry = read.validity.not_after.to_unix_duration();
        let lifetime = expiry.saturating_sub(read.validity.not_before.to_unix_duration());
        let name = |name: &x509_cert::name::Name| one_line(&name.to_string(), NAME_MAX);
        let hex = |byte: &u8| format!("{byte:02x}");
        Some(Self {
            subject: name(&read.subject),
            issuer: name(&read.issuer),
            expiry: Timestamp(i64::try_from(expiry.as_millis()).ok()?),
            lifetime,
            fingerprint: digest(&SHA256, der).as_ref().iter().map(hex).collect(),
        })
    }
}

/// Observes the certificate `der` that `host` has shown, accepted or not.
pub(super) fn shown_by(host: &str, der: &[u8]) {
    if !observe::is_asked() {
        return;
    }
    if let Some(Certificate { issuer, expiry, lifetime, fingerprint, .. }) = Certificate::read(der)
    {
        let value = format!("issuer {issuer}, ends {expiry}, sha256 {fingerprint}");
        observe::fact(FactKind::Certificate, host, &value);
        observe::expires(ExpiryKind::ServerCertificate, host, expiry);
        observe::lifetime(host, lifetime);
    }
}

/// Observes the expiry of our own certificate `der`, which is shown to servers in this run.
pub(super) fn shown_by_us(der: &[u8]) {
    if !observe::is_asked() {
        return;
    }
    if let Some(Certificate { subject, expiry, .. }) = Certificate::read(der) {
        observe::expires(ExpiryKind::ClientCertificate, &subject, expiry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn certificate_is_observed_with_issuer_and_expiry() {
        let mut params = rcgen::CertificateParams::new(["h".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2030, 12, 31);
        params.not_after = rcgen::date_time_ymd(2031, 2, 3);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "name\u{202e} of it");
        let key = rcgen::KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        let ((), seen) = observe::observed(async {
            shown_by("h", made.der());
            shown_by_us(made.der());
            for damaged in [&[][..], b"hunter2", &made.der()[..40], &made.der()[1..]] {
                shown_by("damaged", damaged);
                shown_by_us(damaged);
            }
        })
        .await;
        let ends: Timestamp = "2031-02-03T00:00:00Z".parse().unwrap();
        let expiries: Vec<_> = seen.expiries.iter().collect();
        assert_eq!(expiries.len(), 2, "{expiries:?}");
        assert_eq!(
            (expiries[0].kind, expiries[0].of.as_str()),
            (ExpiryKind::ServerCertificate, "h")
        );
        assert_eq!(expiries[1].kind, ExpiryKind::ClientCertificate);
        assert_eq!(expiries[1].of, "CN=name of it");
        assert!(expiries.iter().all(|expiry| expiry.at == ends));
        let life = Duration::from_hours(24 * 34);
        assert_eq!(seen.lifetimes, [("h".to_owned(), life)].into());
        let facts: Vec<_> = seen.facts.values().flatten().collect();
        assert_eq!(facts.len(), 1, "{facts:?}");
        let start = "issuer CN=name of it, ends 2031-02-03T00:00:00Z, sha256 ";
        let digest = facts[0].strip_prefix(start).unwrap();
        assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
