//! Credentials that a receiver is shown, as they are at the moment of an attempt.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::{SendError, place};
use crate::domain::{Redactor, Secret, SecretRef};
use crate::net::tls::Identity;
use crate::secrets;
use crate::webhook::receiver::Access;

/// Credentials of one attempt.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Headers of the request.
    pub(super) headers: HeaderMap,
    /// Credentials of its connection.
    pub(super) way: Way,
}

/// Credentials of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    /// User name and password for the proxy.
    pub(super) proxy: Option<(String, Secret)>,
    /// Certificate of the client.
    pub(super) identity: Option<Identity>,
}

impl Way {
    /// Returns true for the same credentials.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.values().eq(other.values())
    }

    fn values(&self) -> impl Iterator<Item = &str> {
        let proxy = self.proxy.iter().flat_map(|(user, password)| [user, password.expose()]);
        let identity = self.identity.iter();
        proxy.chain(identity.flat_map(|own| [own.chain.expose(), own.key.expose()]))
    }
}

/// Reads the credentials of `access`, which `redactor` learns.
///
/// # Errors
///
/// Names the secret that cannot be read or sent.
pub(super) async fn shown(access: &Access, redactor: &Redactor) -> Result<Shown, SendError> {
    let Access { headers: named, bearer, proxy, identity, ca_file: _ } = access;
    let mut headers = HeaderMap::new();
    for (name, reference) in named {
        let value = read(reference, redactor).await?;
        headers.append(name, header(name, value.expose(), reference)?);
    }
    if let Some(reference) = bearer {
        let token = read(reference, redactor).await?;
        let value = header(&AUTHORIZATION, &format!("Bearer {}", token.expose()), reference)?;
        headers.insert(AUTHORIZATION, value);
    }
    let credentials = proxy.as_ref().and_then(|proxy| proxy.credentials.as_ref());
    let proxy = match credentials {
        Some((user, password)) => Some((user.clone(), read(password, redactor).await?)),
        None => None,
    };
    let identity = match identity {
        Some((chain, key)) => {
            // A certificate is public, and its lines would make others unreadable.
            let chain = secrets::resolve(chain).await.map_err(SendError::Credential)?;
            Some(Identity { chain, key: read(key, redactor).await? })
        }
        None => None,
    };
    Ok(Shown { headers, way: Way { proxy, identity } })
}

async fn read(reference: &SecretRef, redactor: &Redactor) -> Result<Secret, SendError> {
    let secret = secrets::resolve(reference).await.map_err(SendError::Credential)?;
    redactor.learn(&secret);
    if let Some((scheme, credentials)) = secret.expose().split_once(' ')
        && matches!(scheme, "Basic" | "Bearer" | "Token")
    {
        redactor.learn_text(credentials);
    }
    Ok(secret)
}

fn header(name: &HeaderName, value: &str, reference: &SecretRef) -> Result<HeaderValue, SendError> {
    let wrong = |_shown| SendError::Header { name: name.clone(), place: place(reference) };
    let mut value = HeaderValue::from_str(value).map_err(wrong)?;
    value.set_sensitive(true);
    Ok(value)
}
