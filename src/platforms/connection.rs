//! The keys that every platform over HTTP has beside the published ones: where to connect, through
//! what, and whom to trust.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;

use crate::domain::{Class, Secret, SecretRef};
use crate::input::Reader;
pub(crate) use crate::net::address::is_loopback;
use crate::net::exchange::NoAnswer;
use crate::net::http::{Connections, HttpError, HttpOptions, Proxy};
use crate::net::resolve::HostAlias;
use crate::net::tls::Identity;
use crate::secrets;

const CONNECT_DEFAULT: Duration = Duration::from_secs(5);
const CONNECT_MIN: Duration = Duration::from_millis(100);
const CONNECT_MAX: Duration = Duration::from_mins(1);
/// The longest wait for one answer by default; three of them fit into the default limit of a test.
const READ_DEFAULT: Duration = Duration::from_secs(8);
const READ_MIN: Duration = Duration::from_secs(1);
const READ_MAX: Duration = Duration::from_mins(5);

/// How the servers of one integration are reached.
#[derive(Debug)]
pub(crate) struct Reach {
    options: HttpOptions,
    proxy: Option<ProxyAccount>,
    identity: Option<IdentityRef>,
    /// Built from secrets that may be rotated, and therefore kept with those.
    built: Mutex<Option<Built>>,
}

/// The file of authorities, the name of the server and the identity that a `tls` table gives.
type Tls = (Option<PathBuf>, Option<String>, Option<IdentityRef>);

/// A proxy, and the account to use there.
type ProxyKeys = (Proxy, Option<ProxyAccount>);

#[derive(Debug)]
struct ProxyAccount {
    username: String,
    password: SecretRef,
}

#[derive(Debug)]
struct IdentityRef {
    chain: SecretRef,
    key: SecretRef,
}

#[derive(Debug)]
struct Built {
    of: Vec<Secret>,
    connections: Connections,
}

impl Reach {
    /// Reads `tls` (`caFile`, `serverName`, `certificate`, `key`), `proxy` (`url`, `username`,
    /// `password`), `connectTimeout` and `readTimeout`; what is wrong is left with the reader.
    ///
    /// `server` is the address of the one server there is, such as `https://host:8443`; with
    /// `tls.serverName` it comes to bear that name, while connections still go to its host. Without
    /// one, `tls.serverName` is refused.
    pub(crate) fn read(reader: &mut Reader<'_>, server: Option<&mut String>) -> Option<Self> {
        let tls = reader.table("tls").map(tls).unwrap_or_default();
        Self::with_tls(reader, server, tls, None)
    }

    /// Like [`Self::read`], and takes the proxy from the published `proxyOptions` (`host`, `port`,
    /// `username`, `password`) as well.
    pub(crate) fn read_with_proxy_options(
        reader: &mut Reader<'_>,
        server: Option<&mut String>,
    ) -> Option<Self> {
        let published = reader.table("proxyOptions").and_then(proxy_options);
        if reader.has("proxyOptions") && reader.has("proxy") {
            reader.fault("proxyOptions", "cannot be used with `proxy`, which is the same");
        }
        let tls = reader.table("tls").map(tls).unwrap_or_default();
        Self::with_tls(reader, server, tls, published)
    }

    /// Reads everything but `tls`, for a platform where that may be a flag and is one.
    pub(crate) fn read_without_tls(reader: &mut Reader<'_>) -> Option<Self> {
        Self::with_tls(reader, None, (None, None, None), None)
    }

    fn with_tls(
        reader: &mut Reader<'_>,
        server: Option<&mut String>,
        (ca_file, name, identity): Tls,
        published: Option<ProxyKeys>,
    ) -> Option<Self> {
        let connect_timeout = reader.duration("connectTimeout", CONNECT_MIN, CONNECT_MAX);
        let connect_timeout = connect_timeout.unwrap_or(CONNECT_DEFAULT);
        let total_timeout = reader.duration("readTimeout", READ_MIN, READ_MAX);
        let total_timeout = total_timeout.unwrap_or(READ_DEFAULT).max(connect_timeout);
        let (proxy, account) = reader.table("proxy").and_then(proxy).or(published).unzip();
        let host_alias = match (name, server) {
            (Some(_), None) => {
                reader.fault("tls", "`serverName` cannot be used here: there are several servers");
                None
            }
            (Some(name), Some(server)) => called(name, server),
            (None, _) => None,
        };
        if host_alias.is_some() && proxy.is_some() {
            reader.fault(
                "tls",
                "`serverName` cannot be used with `proxy`, which looks up names itself",
            );
        }
        let options = HttpOptions {
            connect_timeout,
            total_timeout,
            ca_file,
            proxy,
            host_alias,
            ..HttpOptions::default()
        };
        // Whether the authorities and the proxy can be used is known now, not at the first run.
        let fixed = Connections::new(&options);
        let fixed = fixed.map_err(|error| reader.fault("tls", error.to_string())).ok()?;
        let account = account.flatten();
        let built = Built { of: Vec::new(), connections: fixed };
        let built = (account.is_none() && identity.is_none()).then_some(built);
        Some(Self { options, proxy: account, identity, built: Mutex::new(built) })
    }

    /// The connections to use for one run. Secrets are read anew, and connections made with others
    /// are given up.
    ///
    /// # Errors
    ///
    /// Says which secret cannot be read or used; that is a fault of this machine.
    pub(crate) fn connections(&self) -> Result<Connections, NoAnswer> {
        let ours = |detail: String| NoAnswer { class: Class::Local, detail };
        let resolve =
            |reference| secrets::resolve(reference).map_err(|error| ours(error.to_string()));
        let mut options = self.options.clone();
        let mut of = Vec::new();
        if let (Some(ProxyAccount { username, password }), Some(proxy)) =
            (&self.proxy, &mut options.proxy)
        {
            let password = resolve(password)?;
            of.push(password.clone());
            proxy.credentials = Some((username.clone(), password));
        }
        if let Some(IdentityRef { chain, key }) = &self.identity {
            let (chain, key) = (resolve(chain)?, resolve(key)?);
            of.extend([chain.clone(), key.clone()]);
            let identity = Identity { chain, key };
            identity.observe();
            options.identity = Some(identity);
        }
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Built { of: known, connections }) = built.as_ref()
            && known.len() == of.len()
            && known.iter().zip(&of).all(|(known, now)| known.expose() == now.expose())
        {
            return Ok(connections.clone());
        }
        let connections = Connections::new(&options).map_err(|error| ours(error.to_string()))?;
        *built = Some(Built { of, connections: connections.clone() });
        Ok(connections)
    }

    /// The same without any of the keys, for servers that little is ever said about.
    ///
    /// # Errors
    ///
    /// The system's certificate authorities cannot be used.
    pub(crate) fn usual() -> Result<Self, HttpError> {
        let options = HttpOptions {
            connect_timeout: CONNECT_DEFAULT,
            total_timeout: READ_DEFAULT,
            ..HttpOptions::default()
        };
        let built = Built { of: Vec::new(), connections: Connections::new(&options)? };
        Ok(Self { options, proxy: None, identity: None, built: Mutex::new(Some(built)) })
    }

    /// The file of authorities that is trusted instead of the system's, as given.
    pub(crate) fn ca_file(&self) -> Option<String> {
        Some(self.options.ca_file.as_ref()?.display().to_string())
    }

    /// True when the client shows a certificate of its own.
    pub(crate) const fn has_identity(&self) -> bool {
        self.identity.is_some()
    }
}

/// Reads `key` as the address of a server: `https://host` or `https://host:port` and nothing more;
/// plain http only for this machine itself. It comes back without a final slash.
pub(crate) fn server(reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
    let text = reader.string(key)?;
    match origin(&text) {
        Ok(origin) => Some(origin),
        Err(wanted) => {
            reader.refuse(key, wanted);
            None
        }
    }
}

/// Scheme, host and port of `text`, when it has nothing else.
///
/// # Errors
///
/// Says what it must look like.
pub(crate) fn origin(text: &str) -> Result<String, &'static str> {
    let shape = "must be an address such as https://host.example.com:8443, without user, path or \
        query";
    let Ok(url) = Url::parse(text) else { return Err(shape) };
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match url.scheme() {
        _ if !is_bare || url.host_str().is_none() => Err(shape),
        "https" => Ok(url.origin().ascii_serialization()),
        "http" if is_loopback(&url) => Ok(url.origin().ascii_serialization()),
        "http" => Err("must begin with https://; plain http is only for this machine itself"),
        _ => Err(shape),
    }
}

/// `host` or `host:port` of an address that [`origin`] accepted, for the limit of runs per host.
pub(crate) fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, authority)| authority)
}

/// Gives `server` the host `name`, and says where connections to it go.
fn called(name: String, server: &mut String) -> Option<HostAlias> {
    let mut url = Url::parse(server).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    url.set_host(Some(&name)).ok()?;
    *server = url.origin().ascii_serialization();
    Some(HostAlias { name, host })
}

fn proxy(mut table: Reader<'_>) -> Option<ProxyKeys> {
    table.required("url");
    let text = table.string("url");
    let url = text.and_then(|text| {
        let wanted = "must be the address of a proxy such as http://proxy.example.com:3128; the \
            user goes into `username` and `password`";
        let url = Url::parse(&text).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some()
                && url.username().is_empty()
                && url.password().is_none()
        });
        if url.is_none() {
            table.fault("url", wanted);
        }
        url.map(String::from)
    });
    let account = account(&mut table);
    table.finish();
    Some((Proxy { url: url?, credentials: None }, account))
}

/// Reads the published spelling of a proxy, which is spoken to over plain HTTP.
fn proxy_options(mut table: Reader<'_>) -> Option<ProxyKeys> {
    let host = table.required_string("host");
    table.required("port");
    let port = table.port("port");
    let host = host.filter(|host| {
        let is_name = is_host(host);
        if !is_name {
            table.refuse("host", "expected a host name alone, without scheme, port or path");
        }
        is_name
    });
    let account = account(&mut table);
    table.finish();
    let host = host?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let url = format!("http://{host}:{}", port?);
    Some((Proxy { url, credentials: None }, account))
}

fn account(table: &mut Reader<'_>) -> Option<ProxyAccount> {
    let (username, password) = (table.string("username"), table.secret("password"));
    if username.is_some() != password.is_some() {
        table.fault("username", "`username` and `password` are given together or not at all");
    }
    let account = username.zip(password);
    account.map(|(username, password)| ProxyAccount { username, password })
}

fn tls(mut table: Reader<'_>) -> Tls {
    let ca_file = table.string("caFile").map(PathBuf::from);
    let name = table.string("serverName");
    let name = name.filter(|name| {
        let is_name = is_host(name);
        if !is_name {
            table.refuse("serverName", "expected a host name alone, without scheme, port or path");
        }
        is_name
    });
    let (chain, key) = (table.secret("certificate"), table.secret("key"));
    if chain.is_some() != key.is_some() {
        table.fault("certificate", "`certificate` and `key` are given together or not at all");
    }
    table.finish();
    (ca_file, name, chain.zip(key).map(|(chain, key)| IdentityRef { chain, key }))
}

/// True for a host name or literal address alone.
pub(crate) fn is_host(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let is_name = !text.is_empty()
        && text.len() <= 253
        && text.chars().all(allowed)
        && !text.starts_with(['-', '.']);
    is_name || text.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Faults, Value};
    use crate::platforms::testing::{Seen, Server, StandIn, Subject};
    use serde_json::json;
    use std::sync::Arc;

    fn read(config: &serde_json::Value, server: &mut String) -> (Option<Reach>, Vec<String>) {
        let value = Value::from_json(config, &"f".into());
        let faults = Faults::default();
        let mut reader = Reader::new(&value, "config", &faults).unwrap();
        let reach = Reach::read(&mut reader, Some(server));
        reader.finish();
        (reach, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn servers_are_origins_over_tls_or_on_this_machine() {
        let good = [
            ("https://a.example.com", "https://a.example.com"),
            ("https://A.example.com:443/", "https://a.example.com"),
            ("https://10.0.0.1:8443", "https://10.0.0.1:8443"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ];
        for (text, expected) in good {
            assert_eq!(origin(text), Ok(expected.to_owned()), "{text}");
        }
        assert_eq!(authority("https://a.example.com:8443"), "a.example.com:8443");
        let bad = [
            "a.example.com",
            "https://a/x",
            "https://a?x",
            "https://u@a",
            "https://u:p@a",
            "ftp://a",
            "http://a.example.com",
            "http://10.0.0.1",
            "https://",
            "",
        ];
        for text in bad {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_server_can_be_called_by_another_name() {
        let mut server = "https://10.1.2.3:8443".to_owned();
        let (reach, faults) =
            read(&json!({ "tls": { "serverName": "db.example.com" } }), &mut server);
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(server, "https://db.example.com:8443");
        let host_alias = reach.unwrap().options.host_alias.unwrap();
        assert_eq!(
            (host_alias.name.as_str(), host_alias.host.as_str()),
            ("db.example.com", "10.1.2.3")
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let proxied = json!({ "url": "http://proxy:3128" });
        let table = [
            (
                json!({ "tls": { "serverName": "a/b" } }),
                "config.tls.serverName: expected a host name",
            ),
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
            (
                json!({ "proxy": { "url": "socks5://proxy" } }),
                "config.proxy.url: must be the address",
            ),
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
    fn a_proxy_can_be_given_in_the_published_form() {
        let read = |config: serde_json::Value| {
            let value = Value::from_json(&config, &"f".into());
            let faults = Faults::default();
            let mut reader = Reader::new(&value, "config", &faults).unwrap();
            let reach = Reach::read_with_proxy_options(&mut reader, None);
            reader.finish();
            let faults = faults.into_parts().0.iter().map(ToString::to_string).collect();
            (reach, faults)
        };
        let account = json!({
            "host": "proxy.example.com", "port": 3128, "username": "u", "password": { "file": "/p" },
        });
        let (reach, faults): (_, Vec<String>) = read(json!({ "proxyOptions": account }));
        assert!(faults.is_empty(), "{faults:?}");
        let reach = reach.unwrap();
        assert_eq!(reach.options.proxy.unwrap().url, "http://proxy.example.com:3128");
        assert_eq!(reach.proxy.unwrap().username, "u");
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

    #[test]
    fn rotated_secrets_make_new_connections() {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("chain.pem"), pair.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), pair.signing_key.serialize_pem()).unwrap();
        let config = json!({ "tls": {
            "certificate": { "file": path("chain.pem") }, "key": { "file": path("key.pem") },
        } });
        let (reach, faults) = read(&config, &mut "https://a".to_owned());
        assert!(faults.is_empty(), "{faults:?}");
        let reach = reach.unwrap();
        assert!(reach.has_identity());
        reach.connections().unwrap();
        std::fs::write(path("key.pem"), "hunter2").unwrap();
        let error = reach.connections().unwrap_err();
        assert_eq!(error.class, Class::Local);
        assert_eq!(
            error.detail,
            "the client certificate cannot be used: its key is not in PEM form"
        );
    }

    /// Asks for `/v1/info` of `server` as `config` says, once, and says how that went.
    async fn asked(config: &serde_json::Value, server: &str) -> Result<u16, NoAnswer> {
        let mut server = server.to_owned();
        let (reach, faults) = read(config, &mut server);
        assert!(faults.is_empty(), "{faults:?}");
        let reach = reach.unwrap();
        assert!(!format!("{reach:?}").contains("hunter2"), "{reach:?}");
        let connections = reach.connections()?;
        let built = http::Request::get(format!("{server}/v1/info")).body(Vec::new());
        let answer = connections.fetch(crate::net::exchange::request(built)?, 10_000).await;
        let shown = format!("{answer:?} {reach:?} {connections:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        answer.map(|answer| answer.status)
    }

    #[tokio::test]
    async fn https_goes_through_a_proxy_with_its_credentials() {
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
    async fn a_client_certificate_is_shown_to_a_server_that_asks_for_one() {
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
    async fn a_server_that_says_why_it_refuses_a_client_is_understood() {
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
        let identity =
            json!({ "caFile": ca, "certificate": certificate, "key": key.serialize_pem() });
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
            let expected =
                "the server does not accept the client certificate: received fatal alert";
            assert!(refused.detail.starts_with(expected), "{refused:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_called_by_another_name_hears_that_name() {
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
}
