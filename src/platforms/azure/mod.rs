//! Azure and Microsoft Entra, for the platforms that log in there: clouds and their host names,
//! tenants, service principals, and the errors of Entra with their remedies.

#[cfg(any(feature = "databricks", feature = "synapse"))]
mod cloud;
#[cfg(any(feature = "databricks", feature = "synapse"))]
mod credential;
#[cfg(any(feature = "databricks", feature = "snowflake", feature = "synapse"))]
mod managed;
#[cfg(any(feature = "databricks", feature = "synapse"))]
mod principal;
mod remedy;
mod token_endpoint;

#[cfg(any(feature = "databricks", feature = "synapse"))]
pub(crate) use cloud::Cloud;
#[cfg(any(feature = "databricks", feature = "synapse"))]
pub(crate) use credential::{ClientCredential, RunCredential};
#[cfg(any(feature = "databricks", feature = "snowflake", feature = "synapse"))]
pub(crate) use managed::{METADATA, ManagedIdentity};
#[cfg(feature = "databricks")]
pub(crate) use principal::is_tenant;
#[cfg(any(feature = "databricks", feature = "synapse"))]
pub(crate) use principal::{Audience, ServicePrincipal};
pub(crate) use remedy::{Keys, Proof, remedy};
#[cfg(feature = "snowflake")]
pub(crate) use token_endpoint::{classified, completed, is_refusal};
