//! The keys that every platform over HTTP has beside the published ones: where to connect, through
//! what, and whom to trust.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;

use crate::domain::{Class, Secret, SecretRef};
use crate::input::Reader;
use crate::net::exchange::NoAnswer;
use crate::net::http::{Behind, Connections, HttpError, HttpOptions, Proxy};
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
        let connect_timeout = reader.duration("connectTimeout", CONNECT_MIN, CONNECT_MAX);
        let connect_timeout = connect_timeout.unwrap_or(CONNECT_DEFAULT);
        let total_timeout = reader.duration("readTimeout", READ_MIN, READ_MAX);
        let total_timeout = total_timeout.unwrap_or(READ_DEFAULT).max(connect_timeout);
        let (proxy, account) = reader.table("proxy").and_then(proxy).unzip();
        let (ca_file, name, identity) = reader.table("tls").map(tls).unwrap_or_default();
        let behind = match (name, server) {
            (Some(_), None) => {
                reader.fault("tls", "`serverName` cannot be used here: there are several servers");
                None
            }
            (Some(name), Some(server)) => called(name, server),
            (None, _) => None,
        };
        if behind.is_some() && proxy.is_some() {
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
            behind,
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
        let ours = |detail: String| NoAnswer { class: Class::Ours, detail };
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
            options.identity = Some(Identity { chain, key });
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

/// True when `url` names this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || literal.is_ok_and(|address| address.is_loopback())
}

/// Gives `server` the host `name`, and says where connections to it go.
fn called(name: String, server: &mut String) -> Option<Behind> {
    let mut url = Url::parse(server).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    url.set_host(Some(&name)).ok()?;
    *server = url.origin().ascii_serialization();
    Some(Behind { name, host })
}

fn proxy(mut table: Reader<'_>) -> Option<(Proxy, Option<ProxyAccount>)> {
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
    let (username, password) = (table.string("username"), table.secret("password"));
    if username.is_some() != password.is_some() {
        table.fault("username", "`username` and `password` are given together or not at all");
    }
    table.finish();
    let account = username.zip(password);
    let account = account.map(|(username, password)| ProxyAccount { username, password });
    Some((Proxy { url: url?, credentials: None }, account))
}

fn tls(mut table: Reader<'_>) -> (Option<PathBuf>, Option<String>, Option<IdentityRef>) {
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
    use serde_json::json;

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
        let behind = reach.unwrap().options.behind.unwrap();
        assert_eq!((behind.name.as_str(), behind.host.as_str()), ("db.example.com", "10.1.2.3"));
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
        assert_eq!(error.class, Class::Ours);
        assert_eq!(
            error.detail,
            "the client certificate cannot be used: its key is not in PEM form"
        );
    }
}
