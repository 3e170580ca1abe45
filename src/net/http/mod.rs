//! HTTP clients: built, shared, and their failures classified.

mod body;
mod build;
mod classify;
mod local;
mod share;
#[cfg(test)]
mod testing;

pub(crate) use body::{BodyError, read_capped};
pub(crate) use build::{HttpError, HttpOptions, Proxy, client};
#[cfg(feature = "trino")]
pub(crate) use classify::OWN_CERTIFICATE_REFUSED;
pub(crate) use classify::classify;
pub(crate) use local::Local;
pub(crate) use share::Connections;
