//! Connections of every platform over HTTP: the address of its server, and the keys beside the
//! published ones that say how it is reached and which certificate authorities are trusted.

mod endpoint;
mod keys;
mod origin;
#[cfg(test)]
mod tests;

pub(crate) use crate::net::address::is_loopback;
pub(crate) use endpoint::Endpoint;
pub(crate) use origin::{authority, is_host, origin, server};
