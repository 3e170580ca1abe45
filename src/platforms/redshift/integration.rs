//! Checked configuration of an integration.

use super::client::Server;
use super::iam::Iam;
use crate::domain::SecretRef;

/// Redshift integration as configured.
#[derive(Debug)]
pub(super) struct Redshift {
    /// Server with the database to log in to.
    pub(super) server: Server,
    /// Credentials to log in with.
    pub(super) credentials: Credentials,
    /// Database that Immuta manages, in lower case.
    pub(super) database: String,
    /// Impersonation role in lower case, when impersonation is enabled.
    pub(super) impersonation: Option<String>,
}

/// Credentials as configured, by kind.
#[derive(Debug)]
pub(super) enum Credentials {
    /// Database user with a password.
    Password {
        /// User name; its case counts.
        username: String,
        /// Reference to the password.
        password: SecretRef,
    },
    /// Temporary password from AWS.
    Iam(Box<Iam>),
    /// Log-in of a person by Okta, which is not made.
    Okta {
        /// User name, where it is given.
        username: String,
    },
}

impl Credentials {
    /// Returns the name of the database user.
    pub(super) fn user(&self) -> &str {
        match self {
            Self::Password { username, .. } | Self::Okta { username } => username,
            Self::Iam(iam) => &iam.user,
        }
    }
}
