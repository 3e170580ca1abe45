//! Endpoints of every platform: the address of its server, and the keys beside the published ones for
//! the way to it and the certificate authorities to trust. [`Endpoint`] is for HTTP, [`TcpEndpoint`] for
//! other protocols.

mod endpoint;
mod keys;
mod origin;
#[cfg(any(feature = "redshift", feature = "synapse"))]
mod tcp;
#[cfg(test)]
mod tests;

pub(crate) use crate::net::address::is_loopback;
pub(crate) use endpoint::Endpoint;
pub(crate) use origin::{authority, is_host, origin, server};
#[cfg(any(feature = "redshift", feature = "synapse"))]
pub(crate) use tcp::TcpEndpoint;
