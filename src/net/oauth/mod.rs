//! `OAuth` 2.0 client: token requests, the client-credentials grant, and a cache of tokens.

mod assertion;
mod grant;
mod kept;
mod token;

#[cfg(any(feature = "databricks", feature = "snowflake", feature = "synapse"))]
pub(crate) use assertion::{Claimant, client_assertion};
#[cfg(any(
    feature = "databricks",
    feature = "snowflake",
    feature = "synapse",
    feature = "trino"
))]
pub(crate) use grant::{ClientCredentials, ClientProof};
pub(crate) use kept::KeptToken;
pub(crate) use token::NoToken;
#[cfg(any(
    feature = "bigquery",
    feature = "databricks",
    feature = "snowflake",
    feature = "synapse"
))]
pub(crate) use token::{Refusal, Token, read};
#[cfg(any(test, feature = "bigquery", feature = "databricks"))]
pub(crate) use token::{TokenRequest, token};
