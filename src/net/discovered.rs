//! Guard for discovered endpoints (SSRF): servers that the configuration does not name, but a key file
//! or the answer of a server does. Secrets are sent there too, so not every address may be reached.
//!
//! A discovered endpoint is reached over https and at public addresses. Where a configured server,
//! its anchor, has a loopback or private address, the endpoint may have one of that kind too, and be
//! reached over plain http when both are this machine. Link-local and cloud metadata addresses are
//! never reached. Behind a proxy, which resolves names itself, only literal addresses are checked.

use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{RefusedEndpoint, Restriction, is_loopback, literal, restriction};
use super::exchange::NoAnswer;
use super::http::{Connections, HttpOptions};
use super::resolve::SystemResolver;
use crate::domain::Class;

/// Resolver that checks the addresses of a discovered endpoint against those of its anchors.
#[derive(Clone)]
struct Guard {
    anchors: Arc<[String]>,
    /// None behind a proxy.
    inner: Option<Arc<dyn Resolve>>,
}

/// Returns connections like `connections` that reach a discovered endpoint only where it may be: for
/// `url`, which the configured servers `anchors` led to, and for no other.
///
/// # Errors
///
/// Fails when nothing may be sent to `url`.
pub(crate) async fn guarded(
    connections: &Connections,
    url: &str,
    anchors: &[&str],
) -> Result<Connections, NoAnswer> {
    let failed = |class, detail: String| NoAnswer { class, detail };
    let mut options: HttpOptions = connections.options().clone();
    let names =
        || -> Arc<dyn Resolve> { Arc::new(SystemResolver::new(options.host_alias.clone())) };
    let inner = options.resolver.clone().unwrap_or_else(names);
    let inner = options.proxy.is_none().then_some(inner);
    let anchors: Vec<_> = anchors.iter().filter_map(|anchor| Url::parse(anchor).ok()).collect();
    let hosts = anchors.iter().filter_map(Url::host_str).map(str::to_owned).collect();
    let guard = Guard { anchors: hosts, inner };
    let checked = match Url::parse(url) {
        Ok(url) => guard.check(&url, anchors.iter().any(is_loopback)).await,
        // The library's words show the URL.
        Err(_shown) => return Err(failed(Class::Invalid, "its URL cannot be used".to_owned())),
    };
    checked.map_err(|refused| failed(Class::Invalid, refused.to_string()))?;
    if guard.inner.is_some() {
        options.resolver = Some(Arc::new(guard));
    }
    let made = Connections::read(&options).await;
    let made = made.map(|made| made.redacted_by(connections.redactor()));
    made.map_err(|error| failed(Class::Local, error.to_string()))
}

impl Guard {
    /// Checks `url` as far as possible before its name is resolved.
    async fn check(&self, url: &Url, is_local: bool) -> Result<(), RefusedEndpoint> {
        let is_safe =
            url.scheme() == "https" || (url.scheme() == "http" && is_local && is_loopback(url));
        if !is_safe {
            return Err(RefusedEndpoint::Plain);
        }
        let found = url.host_str().and_then(literal);
        self.screened(found.into_iter().collect()).await.map(|_kept| ())
    }

    /// Returns the addresses of `found` that may be reached, or the refusal of the first one.
    async fn screened(&self, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, RefusedEndpoint> {
        let kind = |addr: &IpAddr| restriction(addr.to_canonical());
        let anchors =
            if found.iter().any(|addr| matches!(kind(addr), Some(Restriction::UnlessNamed(_)))) {
                self.anchored().await.iter().filter_map(kind).collect()
            } else {
                Vec::new()
            };
        let (mut kept, mut first) = (Vec::new(), None);
        for addr in found {
            match kind(&addr) {
                None => kept.push(addr),
                Some(same @ Restriction::UnlessNamed(_)) if anchors.contains(&same) => {
                    kept.push(addr);
                }
                Some(Restriction::UnlessNamed(kind) | Restriction::UnlessExact(kind)) => {
                    first = first.or(Some(RefusedEndpoint::Inside(addr, kind)));
                }
            }
        }
        match first {
            Some(refused) if kept.is_empty() => Err(refused),
            Some(_) | None => Ok(kept),
        }
    }

    /// Returns the addresses of the anchors; one that cannot be resolved has none.
    async fn anchored(&self) -> Vec<IpAddr> {
        let mut found = Vec::new();
        for host in self.anchors.iter() {
            if let Some(addr) = literal(host) {
                found.push(addr);
            } else if let (Some(inner), Ok(name)) = (&self.inner, host.parse())
                && let Ok(addrs) = inner.resolve(name).await
            {
                found.extend(addrs.map(|addr| addr.ip()));
            }
        }
        found
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let Some(inner) = &guard.inner else {
                let none: Addrs = Box::new(std::iter::empty());
                return Ok(none);
            };
            let found: Vec<_> = inner.resolve(name).await?.collect();
            let kept = guard.screened(found.iter().map(std::net::SocketAddr::ip).collect()).await?;
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
    struct Resolver;

    impl Resolve for Resolver {
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

    fn guard(anchors: &[&str]) -> Guard {
        let hosts = anchors.iter().map(|anchor| Url::parse(anchor).unwrap());
        let hosts = hosts.map(|anchor| anchor.host_str().unwrap().to_owned()).collect();
        Guard { anchors: hosts, inner: Some(Arc::new(Resolver)) }
    }

    fn connections() -> Connections {
        let resolver: Option<Arc<dyn Resolve>> = Some(Arc::new(Resolver));
        Connections::new(&HttpOptions { resolver, ..HttpOptions::default() }).unwrap()
    }

    #[tokio::test]
    async fn endpoint_must_be_public_or_of_the_kind_of_its_anchor() {
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
        for (url, anchors, refusal) in table {
            let found = guarded(&connections(), url, anchors).await;
            let said = found.err().map(|none| none.detail).unwrap_or_default();
            assert_eq!(said.is_empty(), refusal.is_empty(), "{url} of {anchors:?}: {said}");
            assert!(said.contains(refusal), "{url} of {anchors:?}: {said}");
        }
    }

    #[tokio::test]
    async fn name_is_judged_by_the_addresses_that_are_connected_to() {
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
        for (name, anchors, wanted) in table {
            let kept = guard(anchors).resolve(name.parse().unwrap()).await;
            let kept = kept.map(|kept| kept.map(|addr| addr.ip().to_string()).collect());
            let kept: Vec<_> = kept.unwrap_or_default();
            assert_eq!(kept, wanted, "{name} of {anchors:?}");
        }
    }

    #[tokio::test]
    async fn refused_endpoint_is_never_connected_to_and_the_error_says_why() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Connections::new(&HttpOptions::default()).unwrap();
        let start = "the token endpoint: nothing was sent to ";
        let kind = ", a loopback address that the configuration does not name";
        for (host, class) in [("127.0.0.1", Class::Invalid), ("localhost", Class::Unreachable)] {
            let url = format!("https://{host}:{port}/token");
            let anchors = Some(&[OUTSIDE][..]);
            let asked = TokenRequest { url: &url, form: &[], basic: None, anchors };
            let none = token(&connections, asked, Timestamp(0)).await.unwrap_err();
            let said = none.detail();
            assert!(said.starts_with(start) && said.ends_with(kind), "{host}: {said}");
            assert_eq!(none.class(), class, "{host}");
            assert!(listener.accept().is_err(), "{host} was connected to");
            let asked = TokenRequest { anchors: None, ..asked };
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
    async fn proxy_resolves_names_while_literal_addresses_are_judged() {
        let proxy = Proxy { url: "http://10.0.0.1:3128".to_owned(), credentials: None };
        let options = HttpOptions { proxy: Some(proxy), ..HttpOptions::default() };
        let connections = Connections::new(&options).unwrap();
        let reached = async |url: &str| guarded(&connections, url, &[OUTSIDE]).await;
        let named = reached("https://inside.example/token").await.unwrap();
        assert!(named.options().resolver.is_none(), "the name of the proxy itself is not judged");
        for url in ["https://10.0.0.5/token", "https://169.254.169.254/token"] {
            assert!(reached(url).await.is_err(), "{url}");
        }
    }
}
