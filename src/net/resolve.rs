//! Host names to addresses, which are told to the run that asks.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::observe;
use crate::domain::FactKind;

/// Connections to `name` go to `host`; the certificate is still verified against `name`.
#[derive(Clone, Debug)]
pub(crate) struct Behind {
    /// The host in the URL.
    pub(crate) name: String,
    /// The host, or literal address, that is connected to.
    pub(crate) host: String,
}

/// Resolves as the system does, but for the one name that stands for another host.
#[derive(Clone, Debug)]
pub(super) struct Names(pub(super) Option<Behind>);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let behind = self.0.as_ref();
        let behind = behind.filter(|behind| name.as_str().eq_ignore_ascii_case(&behind.name));
        let host = behind.map_or(name.as_str(), |behind| &behind.host).to_owned();
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            for address in &found {
                observe::fact(FactKind::Address, name.as_str(), &address.ip().to_string());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
