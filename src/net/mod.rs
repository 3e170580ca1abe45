//! The network's ground: the one place that builds HTTP clients and TLS configurations.

pub(crate) mod address;
pub(crate) mod backoff;
mod certificate;
pub(crate) mod discovered;
pub(crate) mod exchange;
pub(crate) mod farewell;
pub(crate) mod http;
pub(crate) mod jwt;
#[cfg(any(feature = "databricks", feature = "snowflake", feature = "synapse"))]
pub(crate) mod near;
#[cfg(any(
    test,
    feature = "bigquery",
    feature = "databricks",
    feature = "snowflake",
    feature = "synapse",
    feature = "trino"
))]
pub(crate) mod oauth;
pub(crate) mod observe;
#[cfg(any(
    feature = "bigquery",
    feature = "databricks",
    feature = "snowflake",
    feature = "synapse"
))]
pub(crate) mod pem;
pub(crate) mod permit;
pub(crate) mod record;
pub(crate) mod resolve;
pub(crate) mod tape;
pub(crate) mod tcp;
pub(crate) mod tls;
#[cfg(any(feature = "redshift", feature = "synapse"))]
pub(crate) mod tunnel;
