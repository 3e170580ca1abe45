//! Endpoints as configured, and the servers they reach.

use super::*;
use crate::domain::{Class, Redactor};
use crate::input::Reader;
use crate::input::{Faults, Value};
use crate::net::exchange::NoAnswer;
use crate::platforms::testing::{Seen, Server, StandIn, Subject};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

fn read(config: &serde_json::Value, server: &mut String) -> (Option<Endpoint>, Vec<String>) {
    let value = Value::from_json(config, &"f".into());
    let faults = Faults::default();
    let mut reader = Reader::new(&value, "config", &faults).unwrap();
    let endpoint = Endpoint::read(&mut reader, Some(server));
    reader.finish();
    (endpoint, faults.into_parts().0.iter().map(ToString::to_string).collect())
}

#[test]
fn server_name_replaces_the_host_and_aliases_it() {
    let mut server = "https://10.1.2.3:8443".to_owned();
    let (endpoint, faults) =
        read(&json!({ "tls": { "serverName": "db.example.com" } }), &mut server);
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(server, "https://db.example.com:8443");
    let host_alias = endpoint.unwrap().options.host_alias.unwrap();
    assert_eq!(
        (host_alias.name.as_str(), host_alias.host.as_str()),
        ("db.example.com", "10.1.2.3")
    );
}

#[test]
fn invalid_keys_are_reported() {
    let proxied = json!({ "url": "http://proxy:3128" });
    let table = [
        (json!({ "tls": { "serverName": "a/b" } }), "config.tls.serverName: expected a host name"),
        (
            json!({ "tls": { "key": { "file": "/k" } } }),
            "config.tls.certificate: `certificate` and `key`",
        ),
        (
            json!({ "tls": { "caFile": "/no/such.pem" } }),
            "config.tls: certificate authorities in /no/such.pem",
        ),
        (
            json!({ "proxy": { "url": "http://u:hunter2@proxy" } }),
            "config.proxy.url: must be the address",
        ),
        (json!({ "proxy": { "url": "socks5://proxy" } }), "config.proxy.url: must be the address"),
        (json!({ "proxy": {} }), "config.proxy.url: missing"),
        (
            json!({ "proxy": { "url": "http://p", "username": "u" } }),
            "config.proxy.username: `username` and",
        ),
        (
            json!({ "proxy": proxied, "tls": { "serverName": "a" } }),
            "config.tls: `serverName` cannot be used with",
        ),
        (json!({ "readTimeout": "1h" }), "config.readTimeout: expected a duration"),
    ];
    for (config, expected) in table {
        let (_, faults) = read(&config, &mut "https://a".to_owned());
        let found = faults.iter().any(|fault| fault.contains(expected));
        assert!(found && !faults.concat().contains("hunter2"), "{config}: {faults:?}");
    }
}

#[test]
fn published_proxy_options_are_accepted() {
    let read = |config: serde_json::Value| {
        let value = Value::from_json(&config, &"f".into());
        let faults = Faults::default();
        let mut reader = Reader::new(&value, "config", &faults).unwrap();
        let endpoint = Endpoint::read_with_proxy_options(&mut reader, None);
        reader.finish();
        let faults = faults.into_parts().0.iter().map(ToString::to_string).collect();
        (endpoint, faults)
    };
    let account = json!({
        "host": "proxy.example.com", "port": 3128, "username": "u", "password": { "file": "/p" },
    });
    let (endpoint, faults): (_, Vec<String>) = read(json!({ "proxyOptions": account }));
    assert!(faults.is_empty(), "{faults:?}");
    let endpoint = endpoint.unwrap();
    assert_eq!(endpoint.options.proxy.unwrap().url, "http://proxy.example.com:3128");
    assert_eq!(endpoint.proxy.unwrap().username, "u");
    let six = json!({ "proxyOptions": { "host": "::1", "port": 3128 } });
    assert_eq!(read(six).0.unwrap().options.proxy.unwrap().url, "http://[::1]:3128");
    let table = [
        (json!({ "host": "http://p", "port": 1 }), "config.proxyOptions.host: expected a host"),
        (json!({ "host": "p" }), "config.proxyOptions.port: missing"),
        (json!({ "host": "p", "port": 1, "username": "u" }), "`username` and `password`"),
    ];
    for (options, expected) in table {
        let (_, faults) = read(json!({ "proxyOptions": options }));
        assert!(faults.concat().contains(expected), "{options}: {faults:?}");
    }
    let both = json!({
        "proxyOptions": { "host": "p", "port": 1 }, "proxy": { "url": "http://p" },
    });
    assert!(read(both).1.concat().contains("config.proxyOptions: cannot be used with `proxy`"));
}

#[tokio::test]
async fn rotated_secret_makes_new_connections() {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("chain.pem"), pair.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), pair.signing_key.serialize_pem()).unwrap();
    let config = json!({ "tls": {
        "certificate": { "file": path("chain.pem") }, "key": { "file": path("key.pem") },
    } });
    let (endpoint, faults) = read(&config, &mut "https://a".to_owned());
    assert!(faults.is_empty(), "{faults:?}");
    let endpoint = endpoint.unwrap();
    assert!(endpoint.has_identity());
    endpoint.connections(&Redactor::default()).await.unwrap();
    std::fs::write(path("key.pem"), "hunter2").unwrap();
    let error = endpoint.connections(&Redactor::default()).await.unwrap_err();
    assert_eq!(error.class, Class::Local);
    assert_eq!(error.detail, "the client certificate cannot be used: its key is not in PEM form");
}

/// Asks for `/v1/info` of `server` as `config` says, once, and says how that went.
async fn asked(config: &serde_json::Value, server: &str) -> Result<u16, NoAnswer> {
    let mut server = server.to_owned();
    let (endpoint, faults) = read(config, &mut server);
    assert!(faults.is_empty(), "{faults:?}");
    let endpoint = endpoint.unwrap();
    assert!(!format!("{endpoint:?}").contains("hunter2"), "{endpoint:?}");
    let connections = endpoint.connections(&Redactor::default()).await?;
    let built = http::Request::get(format!("{server}/v1/info")).body(Vec::new());
    let answer = connections.fetch(crate::net::exchange::request(built)?, 10_000).await;
    let shown = format!("{answer:?} {endpoint:?} {connections:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    answer.map(|answer| answer.status)
}

#[tokio::test]
async fn https_goes_through_the_proxy_with_its_credentials() {
    let (server, proxy) = (StandIn::start("buenavista"), StandIn::start("proxy"));
    let address = format!("https://localhost:{}", server.value("https"));
    let config = |password: &str| {
        let proxy = json!({
            "url": proxy.value("url"), "username": proxy.value("username"),
            "password": password,
        });
        json!({ "tls": { "caFile": server.value("ca") }, "proxy": proxy })
    };
    assert_eq!(asked(&config(proxy.value("password")), &address).await, Ok(200));
    let refused = asked(&config("hunter2-wrong"), &address).await.unwrap_err();
    assert_eq!(refused.class, Class::Denied, "{refused:?}");
    assert_eq!(refused.detail, "the proxy does not accept the user or the password");
    // The proxy writes a line when a connection has ended.
    let connected = format!("CONNECT localhost:{} - ", server.value("https"));
    let log = || std::fs::read_to_string(proxy.value("log")).unwrap();
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    while !log().contains(&connected) {
        assert!(tokio::time::Instant::now() < end, "{}", log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(log().matches("ProxyAuthenticationFailed").count(), 1, "{}", log());
}

#[tokio::test]
async fn client_certificate_is_shown_to_a_server_that_asks() {
    let server = StandIn::start("buenavista");
    let address = format!("https://localhost:{}", server.value("mutual"));
    let mut tls = json!({ "caFile": server.value("ca") });
    let refused = asked(&json!({ "tls": tls }), &address).await.unwrap_err();
    assert_eq!(refused.class, Class::Unreachable, "{refused:?}");
    tls["certificate"] = json!({ "file": server.value("client_certificate") });
    tls["key"] = json!({ "file": server.value("client_key") });
    assert_eq!(asked(&json!({ "tls": tls }), &address).await, Ok(200));
}

/// As Java and others do, and as Python, which hangs up, does not.
#[tokio::test]
async fn refused_client_certificate_is_denied_or_expired() {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let own = pair.cert.der().clone();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(own.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::clone(&provider),
    );
    let key = rustls::pki_types::PrivateKeyDer::try_from(pair.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![own], key.unwrap())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _refused = acceptor.accept(stream).await;
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, pair.cert.pem()).unwrap();
    let mut other = rcgen::CertificateParams::default();
    other.distinguished_name.push(rcgen::DnType::CommonName, "a stranger");
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = other.self_signed(&key).unwrap().pem();
    let identity = json!({ "caFile": ca, "certificate": certificate, "key": key.serialize_pem() });
    for tls in [json!({ "caFile": ca }), identity] {
        let config = json!({ "tls": tls });
        let (refused, seen) = crate::net::observe::observed(asked(&config, &address)).await;
        let ends: Vec<_> = seen.expiries.iter().map(crate::domain::Expiry::noun).collect();
        let own = tls.get("certificate").map(|_| "the client certificate CN=a stranger");
        assert_eq!(
            ends.iter().map(String::as_str).skip(1).collect::<Vec<_>>(),
            Vec::from_iter(own)
        );
        let refused = refused.unwrap_err();
        assert_eq!(refused.class, Class::Denied, "{refused:?}");
        let expected = "the server does not accept the client certificate: received fatal alert";
        assert!(refused.detail.starts_with(expected), "{refused:?}");
    }
}

#[tokio::test]
async fn aliased_server_is_asked_for_its_name() {
    let subject = Subject {
        folder: "none",
        validator: |_| unreachable!("nothing is validated here"),
        operation: |_| None,
        check: |_| {},
        shown: Seen::with_body,
        secrets: &[],
        cases_min: 0,
    };
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&subject, dir.path(), Some("otherName")).await;
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, server.ca_pem.as_deref().unwrap()).unwrap();
    let port = server.address.rsplit_once(':').unwrap().1;
    let address = format!("https://127.0.0.1:{port}");
    let mut tls = json!({ "caFile": ca });
    let refused = asked(&json!({ "tls": tls }), &address).await.unwrap_err();
    assert_eq!(refused.class, Class::Invalid, "{refused:?}");
    tls["serverName"] = "other.example".into();
    // 599 is what this server answers when nothing is recorded.
    assert_eq!(asked(&json!({ "tls": tls }), &address).await, Ok(599));
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("host"), Some(format!("other.example:{port}").as_str()));
}
