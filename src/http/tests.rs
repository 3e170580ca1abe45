//! Every way in with every proof: the caller that a handler sees.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::routing::get;
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use rustix::process::geteuid;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::caller::{Caller, Scope};
use super::listener::Listener;
use super::requests::Requests;
use super::server::Server;
use crate::domain::{HttpSettings, HttpToken, Listen, Secret, SecretRef, ServerTls};

/// Tokens of the tests, with the callers that they make.
const TOKENS: [(&str, &str); 4] = [
    ("rvt_wrong", "401"),
    ("rvt_prom", "metrics prom"),
    ("rvt_graf", "read graf"),
    ("rvt_anna", "act anna"),
];

/// Servers with every way in, and what is needed to go it.
struct Ways {
    folder: tempfile::TempDir,
    plain: std::net::SocketAddr,
    tls: std::net::SocketAddr,
    stop: CancellationToken,
}

/// Certificate authority that signs for the server and the clients.
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        std::fs::write(folder.join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self(Issuer::new(params, key))
    }

    /// Writes a certificate of `name` and its key to files of its name.
    fn sign(&self, folder: &Path, name: &str) {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.0).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), signed.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

fn token(name: &str, scope: Scope) -> HttpToken {
    let digest =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("rvt_{name}").as_bytes());
    let mut hex = String::new();
    for byte in digest.as_ref() {
        let _written = write!(hex, "{byte:02x}");
    }
    let hash = Some(SecretRef::Literal(Secret::new(format!("sha256:{hex}"))));
    HttpToken { name: name.to_owned(), scope, labels: std::collections::BTreeMap::new(), hash }
}

fn settings(folder: &Path, listen: Vec<Listen>) -> HttpSettings {
    let file = |name: &str| SecretRef::File(folder.join(name));
    let tokens = [("prom", Scope::Metrics), ("graf", Scope::Read), ("anna", Scope::Act)];
    HttpSettings {
        listen,
        is_listed: true,
        tls: Some(ServerTls {
            certificate: file("server.pem"),
            key: file("server.key"),
            client_ca: Some(file("ca.pem")),
        }),
        socket_mode: 0o666,
        tokens: tokens.map(|(name, scope)| token(name, scope)).into(),
        ..HttpSettings::default()
    }
}

fn address(server: &Server) -> std::net::SocketAddr {
    match server.addresses().first() {
        Some(Listen::Tcp(address)) => *address,
        other => panic!("{other:?}"),
    }
}

impl Ways {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let authority = Authority::new(path);
        for name in ["server", "anna", "stranger"] {
            authority.sign(path, name);
        }
        let any = Listen::Tcp(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
        let socket = Listen::Unix(path.join("own.sock"));
        let with_tls = settings(path, vec![any.clone()]);
        let without = HttpSettings { tls: None, ..settings(path, vec![any, socket]) };
        let mut plain = Server::bind(&without).await.unwrap();
        for (name, scope) in [("read", Scope::Read), ("act", Scope::Act)] {
            let listener = UnixListener::bind(path.join(name)).unwrap();
            plain.listeners.push(Listener::Systemd { listener, scope });
        }
        let tls = Server::bind(&with_tls).await.unwrap();
        let stop = CancellationToken::new();
        let ways = Self { plain: address(&plain), tls: address(&tls), stop: stop.clone(), folder };
        for server in [plain, tls] {
            let by = async |Extension(caller): Extension<Caller>| {
                format!("{} {}", caller.scope, caller.by)
            };
            let takes =
                async |headers: HeaderMap| format!("{:?}", headers.get(header::ACCEPT_ENCODING));
            let router = Router::new().route("/by", get(by)).route("/takes", get(takes));
            tokio::spawn(server.serve(router, Requests::default(), stop.clone()));
        }
        ways
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn shaken(&self, client: Option<&str>) -> impl AsyncRead + AsyncWrite + Unpin {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match client {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let chain = CertificateDer::from_pem_file(self.path(&format!("{name}.pem")));
                let key = PrivateKeyDer::from_pem_file(self.path(&format!("{name}.key")));
                builder.with_client_auth_cert(vec![chain.unwrap()], key.unwrap()).unwrap()
            }
        };
        let stream = TcpStream::connect(self.tls).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    /// Returns the caller that a handler sees by this way, or the code of the refusal.
    async fn go(&self, way: &str, authorization: Option<&str>) -> String {
        match way {
            "loopback" => ask(TcpStream::connect(self.plain).await.unwrap(), authorization).await,
            "tls" => ask(self.shaken(None).await, authorization).await,
            "certificate" => ask(self.shaken(Some("anna")).await, authorization).await,
            "stranger" => ask(self.shaken(Some("stranger")).await, authorization).await,
            "another user" => self.as_another_user(authorization),
            socket => {
                ask(UnixStream::connect(self.path(socket)).await.unwrap(), authorization).await
            }
        }
    }

    /// Asks as a user without any right, in a process of its own.
    fn as_another_user(&self, authorization: Option<&str>) -> String {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=4242", "--regid=4242", "--clear-groups", "curl", "-sS"]);
        command.args(["-w", "\n%{http_code}", "--unix-socket"]).arg(self.path("own.sock"));
        if let Some(value) = authorization {
            command.args(["-H", &format!("authorization: {value}")]);
        }
        let output = command.arg("http://localhost/by").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, code) = text.rsplit_once('\n').unwrap();
        if code == "200" { body.to_owned() } else { code.to_owned() }
    }
}

impl Drop for Ways {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin, value: Option<&str>) -> String {
    let value = value.map_or_else(String::new, |value| format!("authorization: {value}\r\n"));
    ask_for("/by", stream, &value).await
}

async fn ask_for(
    path: &str,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    headers: &str,
) -> String {
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap();
    if code == "200" { body.to_owned() } else { code.to_owned() }
}

#[tokio::test]
async fn answers_to_this_machine_are_not_compressed_unless_a_proxy_passes_them_on() {
    let ways = Ways::start().await;
    let (takes, none) = ("accept-encoding: gzip\r\n", "None");
    let kept = "Some(\"gzip\")";
    for socket in ["own.sock", "read"] {
        let stream = async || UnixStream::connect(ways.path(socket)).await.unwrap();
        assert_eq!(ask_for("/takes", stream().await, takes).await, none, "{socket}");
        for proxy in ["via: 1.1 front", "forwarded: for=192.0.2.1", "x-forwarded-for: 192.0.2.1"] {
            let headers = format!("{takes}{proxy}\r\n");
            assert_eq!(ask_for("/takes", stream().await, &headers).await, kept, "{proxy}");
        }
    }
    let port = TcpStream::connect(ways.plain).await.unwrap();
    assert_eq!(ask_for("/takes", port, takes).await, kept, "a tunnel may end there");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_in_with_each_proof_makes_its_caller() {
    let ways = Ways::start().await;
    let own = format!("act uid:{}", geteuid().as_raw());
    let by_socket = |scope: &str| format!("{scope} uid:{}", geteuid().as_raw());
    let mut table = vec![
        ("loopback", "read 127.0.0.1".to_owned()),
        ("tls", "read 127.0.0.1".to_owned()),
        ("certificate", "act anna".to_owned()),
        ("stranger", "read 127.0.0.1".to_owned()),
        ("own.sock", own),
        ("read", by_socket("read")),
        ("act", by_socket("act")),
    ];
    if geteuid().is_root() {
        table.push(("another user", "read uid:4242".to_owned()));
    }
    for (way, without) in table {
        assert_eq!(ways.go(way, None).await, without, "{way}");
        for (token, expected) in TOKENS {
            let basic = format!("Basic {}", STANDARD.encode(format!("any:{token}")));
            for value in [token.to_owned(), format!("Bearer {token}"), basic] {
                assert_eq!(ways.go(way, Some(&value)).await, expected, "{way} {value}");
            }
        }
    }
}
