//! Servers that the configuration does not name: a key file does, or the answer of a server. What is
//! secret is sent there all the same, and therefore not everywhere.
//!
//! Such a server is reached over https and at public addresses. Where a configured server beside it
//! has a loopback or private address, it may have one of that kind too, and be reached over plain
//! http when both are this machine itself. Link-local and cloud metadata addresses are never
//! reached. Behind a proxy, which looks names up itself, only written-out addresses are looked at.

use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{Closed, closed, is_loopback, literal};
use super::exchange::NoAnswer;
use super::http::{Connections, HttpOptions};
use super::resolve::Names;
use crate::domain::Class;

/// Nothing is sent to a server that the configuration does not name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Astray {
    /// It is not reached in a way that hides what is sent.
    #[error("nothing was sent over plain http to a server that the configuration does not name")]
    Plain,
    /// It is where no configured server is.
    #[error("nothing was sent to {0}, {1} that the configuration does not name")]
    Inside(IpAddr, &'static str),
}

/// The configured servers beside which others may stand.
#[derive(Clone)]
struct Beside {
    hosts: Arc<[String]>,
    /// None behind a proxy.
    asked: Option<Arc<dyn Resolve>>,
}

/// Connections like `connections` that only reach what may be named by others: to be used for `url`,
/// which stands beside the configured servers `homes`, and then given up.
///
/// # Errors
///
/// Says why nothing may be sent to `url`.
pub(crate) async fn beside(
    connections: &Connections,
    url: &str,
    homes: &[&str],
) -> Result<Connections, NoAnswer> {
    let failed = |class, detail: String| NoAnswer { class, detail };
    let mut options: HttpOptions = connections.options().clone();
    let names = || -> Arc<dyn Resolve> { Arc::new(Names(options.behind.clone())) };
    let asked = options.resolver.clone().unwrap_or_else(names);
    let asked = options.proxy.is_none().then_some(asked);
    let homes: Vec<_> = homes.iter().filter_map(|home| Url::parse(home).ok()).collect();
    let hosts = homes.iter().filter_map(Url::host_str).map(str::to_owned).collect();
    let near = Beside { hosts, asked };
    let checked = match Url::parse(url) {
        Ok(url) => near.check(&url, homes.iter().any(is_loopback)).await,
        // The library's words show the URL.
        Err(_shown) => return Err(failed(Class::Invalid, "its URL cannot be used".to_owned())),
    };
    checked.map_err(|astray| failed(Class::Invalid, astray.to_string()))?;
    if near.asked.is_some() {
        options.resolver = Some(Arc::new(near));
    }
    Connections::new(&options).map_err(|error| failed(Class::Ours, error.to_string()))
}

impl Beside {
    /// What can be told of `url` before its name is looked up.
    async fn check(&self, url: &Url, is_here: bool) -> Result<(), Astray> {
        let is_safe =
            url.scheme() == "https" || (url.scheme() == "http" && is_here && is_loopback(url));
        if !is_safe {
            return Err(Astray::Plain);
        }
        let found = url.host_str().and_then(literal);
        self.screened(found.into_iter().collect()).await.map(|_kept| ())
    }

    /// The addresses of `found` that may be reached, or why the first may not.
    async fn screened(&self, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, Astray> {
        let kind = |addr: &IpAddr| closed(addr.to_canonical());
        let homes = if found.iter().any(|addr| matches!(kind(addr), Some(Closed::UnlessNamed(_)))) {
            self.homes().await.iter().filter_map(kind).collect()
        } else {
            Vec::new()
        };
        let (mut kept, mut first) = (Vec::new(), None);
        for addr in found {
            match kind(&addr) {
                None => kept.push(addr),
                Some(near @ Closed::UnlessNamed(_)) if homes.contains(&near) => kept.push(addr),
                Some(Closed::UnlessNamed(kind) | Closed::UnlessExact(kind)) => {
                    first = first.or(Some(Astray::Inside(addr, kind)));
                }
            }
        }
        match first {
            Some(astray) if kept.is_empty() => Err(astray),
            Some(_) | None => Ok(kept),
        }
    }

    /// Where the configured servers are; those that cannot be found are nowhere.
    async fn homes(&self) -> Vec<IpAddr> {
        let mut homes = Vec::new();
        for host in self.hosts.iter() {
            if let Some(addr) = literal(host) {
                homes.push(addr);
            } else if let (Some(asked), Ok(name)) = (&self.asked, host.parse())
                && let Ok(found) = asked.resolve(name).await
            {
                homes.extend(found.map(|addr| addr.ip()));
            }
        }
        homes
    }
}

impl Resolve for Beside {
    fn resolve(&self, name: Name) -> Resolving {
        let near = self.clone();
        Box::pin(async move {
            let Some(asked) = &near.asked else {
                let none: Addrs = Box::new(std::iter::empty());
                return Ok(none);
            };
            let found: Vec<_> = asked.resolve(name).await?.collect();
            let kept = near.screened(found.iter().map(std::net::SocketAddr::ip).collect()).await?;
            let is_kept = move |addr: &std::net::SocketAddr| kept.contains(&addr.ip());
            let addrs: Addrs = Box::new(found.into_iter().filter(is_kept));
            Ok(addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{SocketAddr, TcpListener};

    use crate::domain::Timestamp;
    use crate::net::http::Proxy;
    use crate::net::oauth::{TokenRequest, token};

    const OUTSIDE: &str = "https://8.8.8.8";
    const INSIDE: &str = "https://10.0.0.5:8443";
    const HERE: &str = "http://127.0.0.1:9";

    /// Leads `outside.example` to public, `inside.example` to private and other names to metadata
    /// addresses, and `mixed.example` to one of each.
    struct Told;

    impl Resolve for Told {
        fn resolve(&self, name: Name) -> Resolving {
            let found: &[&str] = match name.as_str() {
                "outside.example" => &["8.8.8.8"],
                "inside.example" => &["10.0.0.5"],
                "here.example" | "localhost" => &["127.0.0.1"],
                "mixed.example" => &["8.8.8.8", "10.0.0.5", "169.254.169.254"],
                _ => &["169.254.169.254"],
            };
            let found = found.iter().map(|addr| SocketAddr::new(addr.parse().unwrap(), 0));
            let found: Addrs = Box::new(found);
            Box::pin(std::future::ready(Ok(found)))
        }
    }

    fn near(homes: &[&str]) -> Beside {
        let hosts = homes.iter().map(|home| Url::parse(home).unwrap());
        let hosts = hosts.map(|home| home.host_str().unwrap().to_owned()).collect();
        Beside { hosts, asked: Some(Arc::new(Told)) }
    }

    fn told() -> Connections {
        let resolver: Option<Arc<dyn Resolve>> = Some(Arc::new(Told));
        Connections::new(&HttpOptions { resolver, ..HttpOptions::default() }).unwrap()
    }

    #[tokio::test]
    async fn what_others_name_must_be_public_or_where_a_configured_server_is() {
        let table: [(&str, &[&str], &str); 25] = [
            ("https://8.8.8.8/token", &[OUTSIDE], ""),
            ("https://outside.example/token", &[OUTSIDE], ""),
            ("https://outside.example/token", &[], ""),
            ("http://outside.example/token", &[OUTSIDE], "plain http"),
            ("http://8.8.8.8/token", &[HERE], "plain http"),
            ("ftp://8.8.8.8/token", &[HERE], "plain http"),
            ("not a URL", &[HERE], "cannot be used"),
            ("http://127.0.0.1:9/token", &[HERE], ""),
            ("http://[::1]:9/token", &[HERE], ""),
            ("http://localhost:9/token", &[HERE], ""),
            ("http://localhost:9/token", &[INSIDE, OUTSIDE], "plain http"),
            ("https://127.0.0.1:9/token", &[OUTSIDE], "127.0.0.1, a loopback address"),
            ("https://2130706433/token", &[INSIDE], "127.0.0.1, a loopback address"),
            ("https://[::ffff:127.0.0.1]/token", &[INSIDE], "a loopback address"),
            ("https://10.9.8.7/token", &[INSIDE], ""),
            ("https://10.9.8.7/token", &[OUTSIDE, "https://inside.example"], ""),
            ("https://[fd12::1]/token", &[INSIDE], ""),
            ("https://10.9.8.7/token", &[OUTSIDE], "10.9.8.7, a private address"),
            ("https://10.9.8.7/token", &[HERE], "10.9.8.7, a private address"),
            ("https://10.9.8.7/token", &["https://here.example"], "10.9.8.7, a private address"),
            ("http://169.254.169.254/token", &[HERE], "plain http"),
            ("https://169.254.169.254/token", &[HERE, INSIDE], "a link-local address"),
            ("https://169.254.169.254/token", &["https://169.254.169.254"], "link-local"),
            ("https://[::ffff:169.254.169.254]/token", &[INSIDE], "a link-local address"),
            ("https://[fd00:ec2::254]/token", &[INSIDE], "a cloud metadata address"),
        ];
        for (url, homes, refusal) in table {
            let found = beside(&told(), url, homes).await;
            let said = found.err().map(|none| none.detail).unwrap_or_default();
            assert_eq!(said.is_empty(), refusal.is_empty(), "{url} beside {homes:?}: {said}");
            assert!(said.contains(refusal), "{url} beside {homes:?}: {said}");
        }
    }

    #[tokio::test]
    async fn names_are_judged_by_the_addresses_that_are_connected_to() {
        let table: [(&str, &[&str], &[&str]); 9] = [
            ("outside.example", &[OUTSIDE], &["8.8.8.8"]),
            ("inside.example", &[OUTSIDE], &[]),
            ("inside.example", &[HERE], &[]),
            ("inside.example", &["https://inside.example"], &["10.0.0.5"]),
            ("localhost", &[INSIDE], &[]),
            ("localhost", &["https://here.example"], &["127.0.0.1"]),
            ("metadata.example", &["https://metadata.example"], &[]),
            ("mixed.example", &[OUTSIDE], &["8.8.8.8"]),
            ("mixed.example", &[INSIDE], &["8.8.8.8", "10.0.0.5"]),
        ];
        for (name, homes, wanted) in table {
            let kept = near(homes).resolve(name.parse().unwrap()).await;
            let kept = kept.map(|kept| kept.map(|addr| addr.ip().to_string()).collect());
            let kept: Vec<_> = kept.unwrap_or_default();
            assert_eq!(kept, wanted, "{name} beside {homes:?}");
        }
    }

    #[tokio::test]
    async fn a_refused_endpoint_is_never_connected_to_and_the_reason_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Connections::new(&HttpOptions::default()).unwrap();
        let told = "the token endpoint: nothing was sent to ";
        let kind = ", a loopback address that the configuration does not name";
        for (host, class) in [("127.0.0.1", Class::Invalid), ("localhost", Class::Unreachable)] {
            let url = format!("https://{host}:{port}/token");
            let homes = Some(&[OUTSIDE][..]);
            let asked = TokenRequest { url: &url, form: &[], basic: None, beside: homes };
            let none = token(&connections, asked, Timestamp(0)).await.unwrap_err();
            let said = none.detail();
            assert!(said.starts_with(told) && said.ends_with(kind), "{host}: {said}");
            assert_eq!(crate::net::exchange::Attempt::class(&none), class, "{host}");
            assert!(listener.accept().is_err(), "{host} was connected to");
            let asked = TokenRequest { beside: None, ..asked };
            let none = token(&connections, asked, Timestamp(0));
            let connected = async {
                while listener.accept().is_err() {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                answer = none => panic!("no listener was met: {answer:?}"),
                () = connected => {}
            }
        }
    }

    #[tokio::test]
    async fn behind_a_proxy_addresses_are_judged_and_names_are_left_to_it() {
        let proxy = Proxy { url: "http://10.0.0.1:3128".to_owned(), credentials: None };
        let options = HttpOptions { proxy: Some(proxy), ..HttpOptions::default() };
        let connections = Connections::new(&options).unwrap();
        let reached = async |url: &str| beside(&connections, url, &[OUTSIDE]).await;
        let named = reached("https://inside.example/token").await.unwrap();
        assert!(named.options().resolver.is_none(), "the proxy's own name is no concern");
        for url in ["https://10.0.0.5/token", "https://169.254.169.254/token"] {
            assert!(reached(url).await.is_err(), "{url}");
        }
    }
}
