//! Resolvers: host names to addresses, which are observed by the run, and which may be limited to
//! those that an allow-list permits.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{Allow, RefusedAddress, permitted};
use super::{observe, tape};
use crate::domain::FactKind;

/// Host alias (connect-to): connections to `name` go to `host`, and the certificate is still verified
/// against `name`.
#[derive(Clone, Debug)]
pub(crate) struct HostAlias {
    /// Host in the URL.
    pub(crate) name: String,
    /// Host, or literal address, that is connected to.
    pub(crate) host: String,
}

/// Resolver of the operating system, with at most one host alias.
#[derive(Clone, Debug)]
pub(super) struct SystemResolver {
    alias: Option<HostAlias>,
}

impl SystemResolver {
    /// Returns a resolver that replaces the name of `alias` by its host.
    pub(super) const fn new(alias: Option<HostAlias>) -> Self {
        Self { alias }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let alias = self.alias.as_ref();
        let alias = alias.filter(|alias| name.as_str().eq_ignore_ascii_case(&alias.name));
        let host = alias.map_or(name.as_str(), |alias| &alias.host).to_owned();
        Box::pin(async move {
            if tape::replay_server().is_some() {
                return Err("no name is resolved in a replay".into());
            }
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            for address in &found {
                observe::fact(FactKind::Address, name.as_str(), &address.ip().to_string());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Resolver that keeps only the allowed addresses of a name. Its answer is connected to without a
/// second look-up, so nothing can change between check and connection (DNS rebinding).
#[derive(Clone)]
pub(crate) struct GuardedResolver {
    allow: Arc<Allow>,
    inner: Arc<dyn Resolve>,
}

impl GuardedResolver {
    /// Returns a resolver that asks the operating system.
    pub(crate) fn new(allow: Allow) -> Self {
        Self::asking(Arc::new(SystemResolver::new(None)), allow)
    }

    /// Returns a resolver that asks `inner`.
    pub(crate) fn asking(inner: Arc<dyn Resolve>, allow: Allow) -> Self {
        Self { allow: Arc::new(allow), inner }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = Arc::clone(&self.allow);
        let host = name.as_str().to_owned();
        let found = self.inner.resolve(name);
        Box::pin(async move {
            let kept = screened(found.await?, &host, &allow)?;
            let addrs: Addrs = Box::new(kept.into_iter());
            Ok(addrs)
        })
    }
}

/// Returns the allowed addresses of `host`, or the refusal of the first one when none is allowed.
fn screened(
    found: impl Iterator<Item = SocketAddr>,
    host: &str,
    allow: &Allow,
) -> Result<Vec<SocketAddr>, RefusedAddress> {
    let (mut kept, mut first) = (Vec::new(), None);
    for addr in found {
        match permitted(addr.ip(), host, allow) {
            Ok(()) => kept.push(addr),
            Err(refused) => first = first.or(Some(refused)),
        }
    }
    if kept.is_empty() {
        return Err(first.unwrap_or_else(|| RefusedAddress::NoAddress(host.to_owned())));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(entries: &[&str]) -> Allow {
        let mut allow = Allow::default();
        for entry in entries {
            allow.add(entry).unwrap();
        }
        allow
    }

    #[test]
    fn only_allowed_addresses_of_a_name_remain() {
        let addrs = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
        };
        let screen = |found: &[&str], allow: &Allow| {
            screened(addrs(found).into_iter(), "hooks.corp.example", allow)
        };
        let none = Allow::default();
        let mixed = ["10.0.0.5", "8.8.8.8", "::1", "169.254.169.254", "2a00::1"];
        assert_eq!(screen(&mixed, &none), Ok(addrs(&["8.8.8.8", "2a00::1"])));
        let named = allow(&["10.0.0.0/8", "localhost"]);
        assert_eq!(screen(&mixed, &named), Ok(addrs(&["10.0.0.5", "8.8.8.8", "2a00::1"])));
        let by_host = allow(&["Hooks.Corp.example"]);
        assert_eq!(screen(&mixed, &by_host), Ok(addrs(&["10.0.0.5", "8.8.8.8", "::1", "2a00::1"])));
        let refused = screen(&["127.0.0.1", "10.0.0.5"], &none).unwrap_err();
        assert!(matches!(refused, RefusedAddress::Unnamed { addr, .. } if addr.is_loopback()));
        let nowhere = screen(&[], &none).unwrap_err().to_string();
        assert_eq!(nowhere, "hooks.corp.example has no address");
    }

    #[tokio::test]
    async fn name_with_non_public_address_is_refused() {
        let resolve = async |allow: Allow, host: &str| {
            GuardedResolver::new(allow).resolve(host.parse().unwrap()).await
        };
        for host in ["localhost", "LOCALHOST"] {
            let refused = resolve(Allow::default(), host).await.err().unwrap();
            assert!(refused.is::<RefusedAddress>(), "{host}: {refused}");
            let found = resolve(allow(&["localhost"]), host).await.unwrap();
            assert!(found.map(|addr| addr.ip()).all(|addr| addr.is_loopback()), "{host}");
        }
        assert!(resolve(allow(&["127.0.0.0/8", "::1"]), "localhost").await.is_ok());
    }

    /// Resolver that gives one answer after the other.
    struct Changing(std::sync::Mutex<std::vec::IntoIter<Vec<&'static str>>>);

    impl Resolve for Changing {
        fn resolve(&self, _name: Name) -> Resolving {
            let texts = self.0.lock().unwrap().next().unwrap();
            let found = texts.into_iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0));
            let found: Addrs = Box::new(found);
            Box::pin(std::future::ready(Ok(found)))
        }
    }

    #[tokio::test]
    async fn each_answer_is_screened_whatever_the_previous_one_was() {
        let table = [
            (vec!["8.8.8.8"], vec!["8.8.8.8"]),
            (vec!["127.0.0.1"], vec![]),
            (vec!["169.254.169.254"], vec![]),
            (vec!["8.8.8.8", "169.254.169.254"], vec!["8.8.8.8"]),
            (vec!["::ffff:127.0.0.1", "64:ff9b::a00:1"], vec![]),
            (vec!["fd00:ec2::254", "2606:4700::1111"], vec!["2606:4700::1111"]),
            (vec!["8.8.8.8"], vec!["8.8.8.8"]),
        ];
        let answers: Vec<_> = table.iter().map(|(found, _)| found.clone()).collect();
        let changing = Changing(std::sync::Mutex::new(answers.into_iter()));
        let resolver = GuardedResolver::asking(Arc::new(changing), Allow::default());
        for (found, wanted) in table {
            let kept = resolver.resolve("rebinds.example".parse().unwrap()).await;
            let kept: Vec<_> = kept
                .map(|kept| kept.map(|addr| addr.ip().to_string()).collect())
                .unwrap_or_default();
            assert_eq!(kept, wanted, "of {found:?}");
        }
    }
}
