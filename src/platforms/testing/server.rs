//! A server that answers from recorded files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::Subject;
use super::echo::{credentials, echo_of};
use crate::net::record::NO_ANSWER;
use crate::net::tape::Asked;
use crate::platforms::{Platform, record};

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(in crate::platforms) struct Seen {
    /// Method and target of the request.
    pub(in crate::platforms) line: String,
    /// By name in lower case.
    pub(in crate::platforms) headers: HashMap<String, String>,
    /// Body of the request.
    pub(in crate::platforms) body: String,
}

impl Seen {
    /// The value of the header `name`, which is in lower case.
    pub(in crate::platforms) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The request as its operation is found by.
    pub(in crate::platforms) fn asked(&self) -> Asked<'_> {
        let (method, target) = self.line.split_once(' ').unwrap();
        Asked { method, target, body: &self.body }
    }

    /// Method and target, and the body where there is one.
    pub(in crate::platforms) fn with_body(&self) -> String {
        if self.body.is_empty() {
            self.line.clone()
        } else {
            format!("{} {}", self.line, self.body)
        }
    }
}

/// A server that answers from the files of one case, or else from those of `all-well`.
pub(in crate::platforms) struct Server {
    /// Address of the server, `http://127.0.0.1:PORT` or `https://localhost:PORT`.
    pub(in crate::platforms) address: String,
    /// Its certificate authority, when it has one.
    pub(in crate::platforms) ca_pem: Option<String>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// Names a request; none for one that is not on the list.
type Operation = Box<dyn Fn(&Seen) -> Option<String> + Send + Sync>;

struct Script {
    case: PathBuf,
    address: String,
    operation: Operation,
    echo: Option<Echo>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// The answer to one operation that echoes the credentials of its request.
#[derive(Clone, Debug)]
pub(super) struct Echo {
    /// Operation that is answered by the echo.
    pub(super) operation: String,
    /// Status code of the answer.
    pub(super) status: u16,
    /// Puts the echo into a body.
    pub(super) body: fn(&str) -> String,
}

impl Server {
    /// Starts one on a port of its own; `tls` as in `integration.json`.
    pub(in crate::platforms) async fn start(
        subject: &Subject,
        case: &Path,
        tls: Option<&str>,
    ) -> Self {
        Self::start_with(Box::new(subject.operation), case, tls, None).await
    }

    /// The same over plain HTTP, with an answer that echoes what it is sent.
    pub(super) async fn echoing(subject: &Subject, case: &Path, echo: Option<Echo>) -> Self {
        Self::start_with(Box::new(subject.operation), case, None, echo).await
    }

    /// The same for a case that was recorded.
    pub(super) async fn recorded(platform: &'static Platform, case: &Path) -> Self {
        let operation = |seen: &Seen| Some(record::operation(platform, seen.asked()).0);
        Self::start_with(Box::new(operation), case, None, None).await
    }

    async fn start_with(
        operation: Operation,
        case: &Path,
        tls: Option<&str>,
        echo: Option<Echo>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let address = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let script = Script {
            case: case.to_owned(),
            address: address.clone(),
            operation,
            echo,
            seen: Arc::clone(&seen),
        };
        let script = Arc::new(script);
        let (acceptor, ca_pem) = tls.map(acceptor).unzip();
        let broken = tls == Some("broken");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, acceptor) = (Arc::clone(&script), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        _ if broken => {}
                        None => script.answer(stream).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                script.answer(stream).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, ca_pem, seen }
    }

    /// Every request so far.
    pub(in crate::platforms) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A certificate of the kind that `tls` names, and the authority that clients are to trust.
fn acceptor(tls: &str) -> (TlsAcceptor, String) {
    let authority = |name: &str| {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap()
    };
    let trusted = authority("trusted");
    let name = if tls == "otherName" { "other.example" } else { "localhost" };
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    if tls == "expired" {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = if tls == "untrusted" {
        params.signed_by(&key, &authority("unknown")).unwrap()
    } else {
        params.signed_by(&key, &trusted).unwrap()
    };
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), trusted.pem())
}

impl Script {
    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(seen) = read(&mut stream).await else { return };
        let operation = (self.operation)(&seen).unwrap_or_else(|| "none".to_owned());
        if let Some(echo) = self.echo.as_ref().filter(|echo| echo.operation == operation) {
            let text = echo_of(&credentials(&seen));
            self.seen.lock().unwrap().push(seen);
            let names = [
                "www-authenticate",
                "x-request-id",
                "x-amz-request-id",
                "x-databricks-reason-phrase",
            ];
            let headers = names.map(|name| format!("{name}: {text}")).join("\n");
            return write(&mut stream, &echo.status.to_string(), &headers, &(echo.body)(&text), 0)
                .await;
        }
        let number = {
            let mut log = self.seen.lock().unwrap();
            log.push(seen);
            let same = |seen: &&Seen| (self.operation)(seen).as_ref() == Some(&operation);
            log.iter().filter(same).count()
        };
        let named = |dir: &Path| {
            let later = dir.join(format!("{operation}.{number}.http"));
            let first = dir.join(format!("{operation}.http"));
            [later, first].into_iter().find(|path| path.exists())
        };
        let file = named(&self.case).or_else(|| named(&self.case.with_file_name("all-well")));
        let Some(file) = file else {
            return write(&mut stream, "599", "", "no answer is recorded", 0).await;
        };
        let text = std::fs::read_to_string(file).unwrap();
        let (source, text) = text.split_once('\n').unwrap();
        assert!(source.starts_with("# "), "the first line says where the answer is documented");
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let body = body.replace("@server@", &self.address);
        let (status, headers) = head.split_once('\n').unwrap_or((head, ""));
        if status.trim() == "silence" {
            return std::future::pending().await;
        }
        if let Some(class) = status.strip_prefix("no-answer ") {
            return write(&mut stream, "599", &format!("{NO_ANSWER}: {class}"), &body, 0).await;
        }
        let directive = |name: &str| headers.lines().find_map(|line| line.strip_prefix(name));
        let times = directive("x-repeat: ").map_or(1, |times| times.parse().unwrap());
        let missing = if directive("x-cut: ").is_some() { 100 } else { 0 };
        write(&mut stream, status, headers, &body.repeat(times), missing).await;
    }
}

/// Reads one request from `stream`.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: HashMap<_, _> =
        headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen { line, headers, body: String::from_utf8(body).unwrap() })
}

/// Writes one answer that claims to be `missing` bytes longer than it is.
async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    status: &str,
    headers: &str,
    body: &str,
    missing: usize,
) {
    let length = body.len() + missing;
    let headers = headers.replace('\n', "\r\n");
    let separator = if headers.is_empty() { "" } else { "\r\n" };
    let answer = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\
         {headers}{separator}\r\n{body}"
    );
    // The client may hang up on a body that is too large.
    let _sent = stream.write_all(answer.as_bytes()).await;
    let _closed = stream.shutdown().await;
}
