//! What a certificate says: for whom it is, who has issued it, and when it ends.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use x509_cert::Certificate as X509;
use x509_cert::der::Decode;

use super::observe;
use crate::domain::{ExpiryKind, FactKind, Timestamp, one_line};

/// The longest name in a certificate that is told, in characters.
const NAME_MAX: usize = 150;

/// What is told of a certificate.
#[derive(Debug)]
struct Certificate {
    subject: String,
    issuer: String,
    ends: Timestamp,
    life: Duration,
    fingerprint: String,
}

impl Certificate {
    /// Reads `der`; none when it is not understood. Nothing is verified here.
    fn read(der: &[u8]) -> Option<Self> {
        let read = X509::from_der(der).ok()?.tbs_certificate;
        let ends = read.validity.not_after.to_unix_duration();
        let life = ends.saturating_sub(read.validity.not_before.to_unix_duration());
        let name = |name: &x509_cert::name::Name| one_line(&name.to_string(), NAME_MAX);
        let hex = |byte: &u8| format!("{byte:02x}");
        Some(Self {
            subject: name(&read.subject),
            issuer: name(&read.issuer),
            ends: Timestamp(i64::try_from(ends.as_millis()).ok()?),
            life,
            fingerprint: digest(&SHA256, der).as_ref().iter().map(hex).collect(),
        })
    }
}

/// `host` has shown the certificate `der`, accepted or not.
pub(super) fn shown_by(host: &str, der: &[u8]) {
    if !observe::is_asked() {
        return;
    }
    if let Some(Certificate { issuer, ends, life, fingerprint, .. }) = Certificate::read(der) {
        let says = format!("issuer {issuer}, ends {ends}, sha256 {fingerprint}");
        observe::fact(FactKind::Certificate, host, &says);
        observe::expires(ExpiryKind::ServerCertificate, host, ends);
        observe::lifetime(host, life);
    }
}

/// The certificate `der` is our own, and is shown to servers in this run.
pub(super) fn shown_by_us(der: &[u8]) {
    if !observe::is_asked() {
        return;
    }
    if let Some(Certificate { subject, ends, .. }) = Certificate::read(der) {
        observe::expires(ExpiryKind::ClientCertificate, &subject, ends);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_certificate_says_who_and_until_when() {
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
        let told: Vec<_> = seen.expiries.iter().collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!((told[0].kind, told[0].of.as_str()), (ExpiryKind::ServerCertificate, "h"));
        assert_eq!(told[1].kind, ExpiryKind::ClientCertificate);
        assert_eq!(told[1].of, "CN=name of it");
        assert!(told.iter().all(|expiry| expiry.at == ends));
        let life = Duration::from_hours(24 * 34);
        assert_eq!(seen.lifetimes, [("h".to_owned(), life)].into());
        let facts: Vec<_> = seen.facts.values().flatten().collect();
        assert_eq!(facts.len(), 1, "{facts:?}");
        let start = "issuer CN=name of it, ends 2031-02-03T00:00:00Z, sha256 ";
        let digest = facts[0].strip_prefix(start).unwrap();
        assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
