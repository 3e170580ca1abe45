//! Remediation of each cause, for people.

use super::classify::Cause;
use super::credentials::Credentials;
use super::integration::Synapse;
use super::statement::identifier;
use crate::platforms::azure;

/// Keys of a service principal.
const KEYS: azure::Keys = azure::Keys {
    tenant: "azure.tenantId",
    client_id: "azure.clientId",
    proof: azure::Proof::Secret("azure.clientSecret"),
    resource: "azure.cloud",
    proxy: "azure.proxy",
};
const NO_TLS: &str = "Switch encryption on; credentials never travel without it, so there is no \
    setting for this.";
const TLS_FAILED: &str = "Name the authority's certificate in `tls.caFile`, and the name in the \
    server's certificate in `tls.serverName`.";

impl Synapse {
    /// Returns the remediation of `cause`.
    pub(super) fn remedy(&self, cause: Cause) -> String {
        let server = &self.server;
        let (host, port) = (&server.endpoint.host, server.endpoint.port);
        let user = identifier(server.credentials.grantee());
        let database = identifier(&server.database);
        match cause {
            Cause::LoginRefused => self.login_refused(&user),
            Cause::LoginExpired => match server.credentials {
                Credentials::Password { .. } => {
                    format!("In master: ALTER LOGIN {user} WITH PASSWORD = N'<password>';")
                }
                Credentials::Principal(_) | Credentials::Token(_) => {
                    "Renew the access token, and check this machine's clock.".to_owned()
                }
            },
            Cause::Firewall => "Allow this machine's address in the workspace's network settings: \
                az synapse workspace firewall-rule create, or a private endpoint."
                .to_owned(),
            Cause::WrongServer => "Check `host`, and `tls.serverName` when `host` is an address: \
                the gateway finds the server by its name."
                .to_owned(),
            Cause::Paused => "When it is needed, resume the pool: az synapse sql pool resume. \
                `pausedPool` says whether a pause is a warning or a failure."
                .to_owned(),
            Cause::NoDatabase => format!(
                "Name an existing dedicated SQL pool in `database`, and let the user in: CREATE \
                USER {user} in it."
            ),
            Cause::NoAccess => {
                format!("In database {database}: CREATE USER {user} FOR LOGIN {user};")
            }
            Cause::NoPermission => format!("GRANT CONTROL ON DATABASE::{database} TO {user};"),
            Cause::NoObject
            | Cause::Unsupported
            | Cause::OtherAnswer
            | Cause::UnexpectedResponse => {
                format!("Check that {host}:{port} is a dedicated SQL pool of Azure Synapse.")
            }
            Cause::Throttled => {
                "Run fewer queries and sessions at once, or scale the pool up.".to_owned()
            }
            Cause::Busy | Cause::Internal => "This passes by itself as a rule; otherwise look \
                for scaling, maintenance or an incident in the Azure portal."
                .to_owned(),
            Cause::NoToken(class) => azure::remedy(class, KEYS),
            Cause::Unresolved => format!("Check `host`; {host} must have an address here."),
            Cause::NoConnection | Cause::Silent => format!(
                "Check that firewalls and routes let this machine reach {host}:{port}, and ports \
                11000 to 11999 where connections are redirected."
            ),
            Cause::NoTls => NO_TLS.to_owned(),
            Cause::ExpiredCertificate => "Renew the server's certificate.".to_owned(),
            Cause::TlsFailed => TLS_FAILED.to_owned(),
            Cause::Redirected => "Check `host` and `azure.cloud`: credentials only go to SQL \
                servers of that cloud."
                .to_owned(),
            Cause::Local => "Fix this host: the file, variable or network named above.".to_owned(),
        }
    }

    fn login_refused(&self, user: &str) -> String {
        match self.server.credentials {
            Credentials::Password { .. } => format!(
                "Check `username` and `password`. To set a new password, in master: ALTER LOGIN \
                {user} WITH PASSWORD = N'<password>';"
            ),
            Credentials::Principal(_) | Credentials::Token(_) => format!(
                "In database {}: CREATE USER {user} FROM EXTERNAL PROVIDER;",
                identifier(&self.server.database)
            ),
        }
    }
}
