//! Receivers that ask for credentials: headers, bearer tokens, proxies and client certificates, each read
//! anew at every attempt and shown nowhere.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::testing::{Scripted, http, receiver};
use super::{Message, Sender};
use crate::domain::echo::{assert_hidden, echoes};
use crate::domain::{AttemptResult, Timestamp};

const NOW: Timestamp = Timestamp(1_795_381_200_750);
const KEY: &str = "k3y-0f-the-gateway-hunter2";
const TOKEN: &str = "t0ken-0f-the-service-hunter2";

/// Sends a message once; returns the result and the stored part of the answer.
async fn attempt(sender: &Sender) -> (AttemptResult, String) {
    let message = Message { id: "evt_0190", body: "{}", began: None, format: None };
    let sent = sender.send(&message, NOW).await;
    (sent.result, sent.detail)
}

const fn answered(code: u16) -> AttemptResult {
    AttemptResult::Answered { code, hint: None }
}

#[tokio::test]
async fn headers_and_bearer_are_sent_as_they_are_now_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (key, token) = (folder.path().join("key"), folder.path().join("token"));
    let echo = [echoes(KEY), echoes(TOKEN)].concat().join(" | ");
    let scripted = Scripted::start(http("403 Forbidden", "", &format!("no | {echo} | here"))).await;
    let headers = json!({ "X-Api-Key": { "file": key }, "X-Scope-OrgID": "data" });
    let changes = json!({ "headers": headers, "bearer": { "file": token } });
    let sender = Sender::new(scripted.receiver(changes)).unwrap();
    for (newest, path) in [("former", "former"), (KEY, TOKEN)] {
        std::fs::write(&key, format!("{newest}\n")).unwrap();
        std::fs::write(&token, path).unwrap();
        let (result, detail) = attempt(&sender).await;
        assert_eq!(result, answered(403));
        let request = scripted.requests().pop().unwrap();
        assert_eq!(request.headers["x-api-key"], newest);
        assert_eq!(request.headers["x-scope-orgid"], "data");
        assert_eq!(request.headers["authorization"], format!("Bearer {path}"));
        assert_eq!(request.headers["content-type"], "application/json");
        if newest == KEY {
            assert_hidden(&detail, KEY, &detail);
            assert_hidden(&detail, TOKEN, &detail);
        }
    }
    assert_eq!(scripted.connections(), 1, "other headers need no other connection");
}

#[tokio::test]
async fn message_is_not_sent_without_its_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let scripted = Scripted::start(http("200 OK", "", "")).await;
    let reference = json!({ "file": path });
    let table = [
        json!({ "headers": { "X-Api-Key": reference } }),
        json!({ "bearer": reference }),
        json!({ "proxy": { "url": "http://127.0.0.1:1", "username": "u", "password": reference } }),
        json!({ "tls": { "certificate": path, "key": path } }),
    ];
    for changes in table {
        let sender = Sender::new(scripted.receiver(changes.clone())).unwrap();
        let (result, detail) = attempt(&sender).await;
        assert_eq!(result, AttemptResult::Unreachable);
        assert!(detail.starts_with("not sent, since a credential of the receiver"), "{detail}");
        assert!(detail.contains(path.to_str().unwrap()), "{changes}: {detail}");
    }
    std::fs::write(&path, "hunter2\nhunter2").unwrap();
    let sender = Sender::new(scripted.receiver(json!({ "bearer": reference }))).unwrap();
    let (_, detail) = attempt(&sender).await;
    assert!(detail.contains("the header `authorization` cannot hold"), "{detail}");
    assert!(!detail.contains("hunter2"), "{detail}");
    assert_eq!(scripted.connections(), 0);
}

#[tokio::test]
async fn proxy_is_asked_for_the_receiver_by_its_name_with_the_present_password() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let proxy = Scripted::start(http("200 OK", "", "taken")).await;
    let table = json!({ "url": format!("http://{}", proxy.addr), "username": "reval",
                        "password": { "file": path } });
    // Nothing on this machine knows the name.
    let changes = json!({ "allow": ["hooks.corp.invalid"], "proxy": table });
    let sender = Sender::new(receiver("http://hooks.corp.invalid/hook", changes)).unwrap();
    for password in ["hunter2-before", "hunter2-after"] {
        std::fs::write(&path, password).unwrap();
        assert_eq!(attempt(&sender).await, (answered(200), "taken".to_owned()));
        let request = proxy.requests().pop().unwrap();
        assert_eq!(request.line, "POST http://hooks.corp.invalid/hook HTTP/1.1");
        let credentials = STANDARD.encode(format!("reval:{password}"));
        assert_eq!(request.headers["proxy-authorization"], format!("Basic {credentials}"));
    }
}

/// Certificate with its key, both in PEM form.
struct Issued {
    chain: String,
    key: String,
}

/// Authority that issues certificates for this machine.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issued(authority: &CertifiedIssuer<'_, KeyPair>) -> Issued {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let chain = params.signed_by(&key, authority).unwrap().pem();
    Issued { chain, key: key.serialize_pem() }
}

/// Answers requests over TLS of clients whose certificates `authority` has issued.
async fn demanding(authority: &CertifiedIssuer<'_, KeyPair>) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let own = params.signed_by(&key, authority).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![own.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| 0 < read) {
                    let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    addr
}

fn write(folder: &Path, own: &Issued) {
    std::fs::write(folder.join("own.pem"), &own.chain).unwrap();
    std::fs::write(folder.join("own.key"), &own.key).unwrap();
}

#[tokio::test]
async fn certificate_is_shown_to_a_receiver_that_demands_one_and_follows_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let (known, unknown) = (authority(), authority());
    let addr = demanding(&known).await;
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("ca.pem"), known.pem()).unwrap();
    let url = format!("https://{addr}/hook");
    let without = json!({ "tls": { "ca": at("ca.pem") } });
    let (result, detail) = attempt(&Sender::new(receiver(&url, without)).unwrap()).await;
    assert_eq!(result, AttemptResult::Unreachable, "{detail}");
    let tls: Json = json!({ "ca": at("ca.pem"), "certificate": at("own.pem"),
                            "key": { "file": at("own.key") } });
    let sender = Sender::new(receiver(&url, json!({ "tls": tls }))).unwrap();
    write(folder.path(), &issued(&known));
    assert_eq!(attempt(&sender).await, (answered(204), String::new()));
    write(folder.path(), &issued(&unknown));
    let (result, detail) = attempt(&sender).await;
    assert_eq!(result, AttemptResult::Unreachable, "{detail}");
    std::fs::write(at("own.key"), "hunter2").unwrap();
    let (_, detail) = attempt(&sender).await;
    assert!(detail.contains("its key is not in PEM form"), "{detail}");
    assert!(!detail.contains("hunter2"), "{detail}");
    write(folder.path(), &issued(&known));
    assert_eq!(attempt(&sender).await, (answered(204), String::new()));
}
