//! Error classes of failed requests.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::domain::{Class, one_line};
use crate::net::address::RefusedEndpoint;
use crate::net::tcp::is_out_of_descriptors;

/// Beginning of the line about a server that refused the certificate of this client.
pub(crate) const OWN_CERTIFICATE_REFUSED: &str =
    "the server does not accept the client certificate";
/// Longest detail of an error, in characters.
const DETAIL_MAX: usize = 300;

/// Returns the error class of a failed request, and one line about it that never shows the URL.
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
    if let Some(alert) = causes.iter().find_map(|cause| client_certificate_alert(*cause)) {
        let class = if alert == AlertDescription::CertificateExpired {
            Class::Expired
        } else {
            Class::Denied
        };
        return (class, format!("{OWN_CERTIFICATE_REFUSED}: {detail}"));
    }
    if causes.iter().any(|cause| is_lasting_alert(*cause)) {
        return (Class::Invalid, format!("the server refuses TLS: {detail}"));
    }
    if causes.iter().any(|cause| cause.is::<RefusedEndpoint>()) {
        return (Class::Unreachable, detail);
    }
    // The library's type is not public.
    if error.is_connect() && detail.ends_with("proxy authorization required") {
        return (Class::Denied, "the proxy does not accept the user or the password".to_owned());
    }
    if causes.iter().any(|cause| is_local(*cause)) {
        return (Class::Local, format!("no connection can be opened: {detail}"));
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

/// Returns the sources of `error`, outermost first, without the client's own errors, which name the URL.
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

/// True when the certificate of the server has expired.
fn has_expired(cause: &(dyn StdError + 'static)) -> bool {
    matches!(
        cause.downcast_ref::<rustls::Error>(),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
        ))
    )
}

/// True when the certificate of the server is not accepted.
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

/// Returns the alert of a server that misses our certificate or refuses it.
fn client_certificate_alert(cause: &(dyn StdError + 'static)) -> Option<AlertDescription> {
    let Some(rustls::Error::AlertReceived(alert)) = cause.downcast_ref() else { return None };
    let is_about_client = matches!(
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
    is_about_client.then_some(*alert)
}

/// True for an alert of TLS that another attempt does not change: versions, names and algorithms that
/// do not fit. An error inside of the server may pass.
fn is_lasting_alert(cause: &(dyn StdError + 'static)) -> bool {
    let Some(rustls::Error::AlertReceived(alert)) = cause.downcast_ref() else { return false };
    !matches!(
        alert,
        AlertDescription::CloseNotify
            | AlertDescription::InternalError
            | AlertDescription::UserCanceled
    )
}

/// True when this machine has no file descriptor left.
fn is_local(cause: &(dyn StdError + 'static)) -> bool {
    // A missing network looks like one of several addresses without a route.
    cause.downcast_ref::<io::Error>().is_some_and(is_out_of_descriptors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alert_that_another_attempt_does_not_change_is_lasting() {
        let table = [
            (AlertDescription::HandshakeFailure, true),
            (AlertDescription::ProtocolVersion, true),
            (AlertDescription::UnrecognisedName, true),
            (AlertDescription::InternalError, false),
            (AlertDescription::CloseNotify, false),
        ];
        for (alert, lasting) in table {
            assert_eq!(
                is_lasting_alert(&rustls::Error::AlertReceived(alert)),
                lasting,
                "{alert:?}"
            );
        }
    }

    use std::sync::Arc;
    use std::time::Duration;

    use tokio::net::TcpListener;

    use crate::net::http::testing::{quick, serve};
    use crate::net::http::{HttpOptions, client};

    async fn failure(url: &str, options: &HttpOptions) -> (Class, String) {
        classify(&client(options).unwrap().get(url).send().await.unwrap_err())
    }

    #[tokio::test]
    async fn failed_request_is_unreachable_and_hides_the_url() {
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
    async fn untrusted_certificate_is_invalid() {
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
}
