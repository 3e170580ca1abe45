//! Endpoint of one integration at run time: connections with the secrets of the moment.

use std::sync::{Mutex, PoisonError};

use crate::domain::{Class, Redactor, Secret, SecretRef};
use crate::net::exchange::NoAnswer;
use crate::net::http::{Connections, HttpError, HttpOptions};
use crate::net::tls::Identity;
use crate::secrets;

/// Way to reach the servers of one integration: host alias, TLS, proxy and time limits.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(super) options: HttpOptions,
    pub(super) proxy: Option<ProxyCredentials>,
    identity: Option<IdentityRef>,
    /// Built from secrets that may be rotated, and therefore kept with those.
    built: Mutex<Option<Built>>,
}

/// User name and password for a proxy.
#[derive(Debug)]
pub(super) struct ProxyCredentials {
    pub(super) username: String,
    pub(super) password: SecretRef,
}

/// Client certificate and its key.
#[derive(Debug)]
pub(super) struct IdentityRef {
    pub(super) chain: SecretRef,
    pub(super) key: SecretRef,
}

#[derive(Debug)]
struct Built {
    secrets: Vec<Secret>,
    connections: Connections,
}

impl Endpoint {
    /// Returns an endpoint with `options`, the credentials of their proxy and a client certificate.
    ///
    /// # Errors
    ///
    /// Fails when the certificate authorities or the proxy cannot be used, which is known now and not
    /// at the first run.
    pub(super) fn new(
        options: HttpOptions,
        proxy: Option<ProxyCredentials>,
        identity: Option<IdentityRef>,
    ) -> Result<Self, HttpError> {
        let fixed = Connections::new(&options)?;
        let built = (proxy.is_none() && identity.is_none())
            .then_some(Built { secrets: Vec::new(), connections: fixed });
        Ok(Self { options, proxy, identity, built: Mutex::new(built) })
    }

    /// Returns the connections to use for one run, whose `redactor` learns their secrets. Secrets are
    /// read anew, and connections made with others are dropped.
    ///
    /// # Errors
    ///
    /// Names the secret that cannot be read or used; that is a fault of this machine.
    pub(crate) async fn connections(&self, redactor: &Redactor) -> Result<Connections, NoAnswer> {
        let local = |detail: String| NoAnswer { class: Class::Local, detail };
        let resolve = async |reference| {
            secrets::resolve(reference).await.map_err(|error| local(error.to_string()))
        };
        let mut options = self.options.clone();
        let mut secrets = Vec::new();
        if let (Some(ProxyCredentials { username, password }), Some(proxy)) =
            (&self.proxy, &mut options.proxy)
        {
            let password = resolve(password).await?;
            redactor.learn(&password);
            secrets.push(password.clone());
            proxy.credentials = Some((username.clone(), password));
        }
        if let Some(IdentityRef { chain, key }) = &self.identity {
            let (chain, key) = (resolve(chain).await?, resolve(key).await?);
            redactor.learn(&key);
            secrets.extend([chain.clone(), key.clone()]);
            let identity = Identity { chain, key };
            identity.observe();
            options.identity = Some(identity);
        }
        if let Some(connections) = self.built_from(&secrets) {
            return Ok(connections.redacted_by(redactor));
        }
        let connections = Connections::read(&options).await;
        let connections = connections.map_err(|error| local(error.to_string()))?;
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        *built = Some(Built { secrets, connections: connections.clone() });
        Ok(connections.redacted_by(redactor))
    }

    /// Returns the connections of an earlier run, when they were made with these secrets.
    fn built_from(&self, secrets: &[Secret]) -> Option<Connections> {
        let built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let Built { secrets: known, connections } = built.as_ref()?;
        let same = known.iter().map(Secret::expose).eq(secrets.iter().map(Secret::expose));
        same.then(|| connections.clone())
    }

    /// Returns the file of certificate authorities that replaces the system's, as given.
    pub(crate) fn ca_file(&self) -> Option<String> {
        Some(self.options.ca_file.as_ref()?.display().to_string())
    }

    /// True when the client shows a certificate of its own.
    pub(crate) const fn has_identity(&self) -> bool {
        self.identity.is_some()
    }
}
