//! Remediation of refusals by Microsoft Entra, with the configuration keys of each platform.

use crate::domain::Class;

/// Configuration keys of a platform that remediation names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    /// Key that names the tenant.
    pub(crate) tenant: &'static str,
    /// Key of the application's client id.
    pub(crate) client_id: &'static str,
    /// Key of the application's proof.
    pub(crate) proof: Proof,
    /// Key that decides for which resource a token is requested.
    pub(crate) resource: &'static str,
    /// Key of the proxy to the token endpoint.
    pub(crate) proxy: &'static str,
}

/// Key of the proof of an application's identity, by its kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof {
    /// Key of a client secret.
    Secret(&'static str),
    /// Key of the private key of a certificate.
    #[cfg(feature = "snowflake")]
    Certificate(&'static str),
}

/// Returns the remedy for a failure of `class` at the token endpoint.
pub(crate) fn remedy(class: Class, keys: Keys) -> String {
    let Keys { tenant, client_id, proof, resource, proxy } = keys;
    match class {
        Class::Denied => match proof {
            Proof::Secret(secret) => format!(
                "Check `{client_id}` and `{secret}`, which is the secret's value and not its id."
            ),
            #[cfg(feature = "snowflake")]
            Proof::Certificate(key) => format!(
                "Check `{client_id}`, and that the certificate of `{key}` is registered with the \
                application in Microsoft Entra ID."
            ),
        },
        Class::Missing => format!("Check `{tenant}` and `{client_id}`."),
        Class::Expired => match proof {
            Proof::Secret(_) => {
                "Make a new client secret for the application in Microsoft Entra ID.".to_owned()
            }
            #[cfg(feature = "snowflake")]
            Proof::Certificate(key) => format!(
                "Register a new certificate with the application in Microsoft Entra ID, put its \
                key into `{key}`, and check this machine's clock."
            ),
        },
        Class::Invalid => format!("Check `{tenant}`, `{client_id}` and `{resource}`."),
        Class::Unreachable | Class::Throttled | Class::Unavailable => format!(
            "Check that this machine reaches the token endpoint, perhaps through `{proxy}`."
        ),
        Class::Local => "Fix this host: the file, variable or network named above.".to_owned(),
    }
}
