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

#[cfg(any(
    test,
    feature = "bigquery",
    feature = "databricks",
    feature = "redshift",
    feature = "s3",
    feature = "snowflake",
    feature = "trino"
))]
pub(crate) use crate::net::address::is_loopback;
pub(crate) use endpoint::Endpoint;
#[cfg(any(
    test,
    feature = "bigquery",
    feature = "snowflake",
    feature = "synapse",
    feature = "trino"
))]
pub(crate) use origin::is_host;
#[cfg(any(
    test,
    feature = "bigquery",
    feature = "databricks",
    feature = "snowflake",
    feature = "synapse",
    feature = "trino"
))]
pub(crate) use origin::server;
#[cfg(any(
    test,
    feature = "bigquery",
    feature = "databricks",
    feature = "redshift",
    feature = "s3",
    feature = "snowflake",
    feature = "trino"
))]
pub(crate) use origin::{authority, origin};
#[cfg(any(feature = "redshift", feature = "synapse"))]
pub(crate) use tcp::TcpEndpoint;
