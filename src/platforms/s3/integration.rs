//! Native S3 integration as configured.

use reqsign_core::Env;

use super::client::{SESSION_POLICY, Servers};
use super::config::Config;
use crate::net::http::HttpError;
use crate::platforms::aws::credentials::CredentialChain;
use crate::platforms::aws::machine::Machine;
use crate::platforms::aws::sts::Sts;

/// Validator of an S3 integration, as configured.
#[derive(Debug)]
pub(super) struct S3 {
    /// Configuration of the integration.
    pub(super) config: Config,
    /// Servers of AWS for its requests.
    pub(super) servers: Servers,
    /// Credentials to sign with.
    pub(super) credentials: CredentialChain,
}

impl S3 {
    /// Returns the validator of `config`; the credentials may be those of `machine`.
    ///
    /// # Errors
    ///
    /// No HTTP client can be set up.
    pub(super) fn new(config: Config, machine: Machine<impl Env>) -> Result<Self, HttpError> {
        let Config { credentials, endpoints, .. } = &config;
        let sts = Sts { origin: endpoints.sts(), policy: SESSION_POLICY };
        let credentials = CredentialChain::new(credentials.clone(), sts, machine)?;
        let servers = Servers::new(endpoints.clone());
        Ok(Self { config, servers, credentials })
    }
}
