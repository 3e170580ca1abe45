//! Refusals to connect to an address.

use std::net::IpAddr;

/// Refusal to connect to an address that the allow-list does not name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum RefusedAddress {
    /// A non-public address without a matching entry.
    #[error("{addr} is {kind}; name it or its range in `allow` if it is meant")]
    Unnamed {
        /// Address that was refused.
        addr: IpAddr,
        /// Kind of address, with an article.
        kind: &'static str,
    },
    /// An address that no range allows, without an entry that is exactly it.
    #[error("{addr} is {kind}; only an entry in `allow` that is exactly this address opens it")]
    Unexact {
        /// Address that was refused.
        addr: IpAddr,
        /// Kind of address, with an article.
        kind: &'static str,
    },
    /// A name without an address.
    #[error("{0} has no address")]
    NoAddress(String),
}

/// Refusal to connect to a discovered endpoint: a server that the configuration does not name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(in crate::net) enum RefusedEndpoint {
    /// An endpoint that would be sent secrets in plain text.
    #[error("nothing was sent over plain http to a server that the configuration does not name")]
    Plain,
    /// A non-public address, where none of the anchors is.
    #[error("nothing was sent to {0}, {1} that the configuration does not name")]
    Inside(IpAddr, &'static str),
}
