//! Remediation of each cause, for people.

use super::classify::{Cause, Failure};
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
    /// Returns the remediation of `failure`, by the server's words where they name more than its
    /// number.
    pub(super) fn remedy(&self, failure: &Failure) -> String {
        let cause = failure.cause;
        let server = &self.server;
        let (host, port) = (&server.endpoint.host, server.endpoint.port);
        let user = identifier(server.credentials.grantee());
        let database = identifier(&server.database);
        match cause {
            Cause::LoginRefused => self.login_refused(&user, &failure.detail),
            Cause::Refused => "See what the server says above: it refused the log-in, and this \
                program does not know the number."
                .to_owned(),
            Cause::LoginExpired => match server.credentials {
                Credentials::Password { .. } => {
                    format!("In master: ALTER LOGIN {user} WITH PASSWORD = N'<password>';")
                }
                Credentials::Principal(_) | Credentials::Token(_) => {
                    "Renew the access token, and check this machine's clock.".to_owned()
                }
            },
            Cause::Firewall => firewall(&failure.detail),
            Cause::WrongServer => "Check `host`, and `tls.serverName` when `host` is an address: \
                the gateway finds the server by its name."
                .to_owned(),
            Cause::Paused => "When it is needed, resume the pool: az synapse sql pool resume. \
                `pausedPool` says whether a pause is a warning or a failure."
                .to_owned(),
            Cause::NoDatabase | Cause::Unopened => format!(
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
            Cause::Interrupted => "The log-in passed, so neither credentials nor firewalls are at \
                fault: look at the load of the pool, at queued statements (sys.dm_pdw_exec_requests) \
                and at scaling or maintenance; `readTimeout` is the limit of one statement."
                .to_owned(),
            Cause::NoConnection | Cause::Silent => format!(
                "Check that firewalls and routes let this machine reach {host}:{port}, and ports \
                11000 to 11999 where connections are redirected."
            ),
            Cause::NoTls => NO_TLS.to_owned(),
            Cause::ExpiredCertificate => "Renew the server's certificate.".to_owned(),
            Cause::TlsFailed => TLS_FAILED.to_owned(),
            Cause::TlsRefused => "The server ends the TLS handshake: set `encryption` as it wants \
                it, let it offer TLS 1.2 or 1.3, and give the name that it serves in \
                `tls.serverName`."
                .to_owned(),
            Cause::Redirected => "Check `host` and `azure.cloud`: credentials only go to SQL \
                servers of that cloud."
                .to_owned(),
            Cause::Local => "Fix this host: the file, variable or network named above.".to_owned(),
        }
    }

    /// Returns the remediation for a refused log-in. Words of the server that name a cause decide;
    /// without them it is the password, or the user of a token.
    fn login_refused(&self, user: &str, detail: &str) -> String {
        let database = identifier(&self.server.database);
        let says = |words: &str| detail.contains(words);
        if says("only authentication is enabled") {
            return "The server takes Microsoft Entra log-ins only: set `authenticationType` to \
                \"entraServicePrincipal\" or \"entraToken\", or let an administrator allow SQL \
                authentication again (az synapse ad-only-auth disable)."
                .to_owned();
        }
        if says("not currently configured to accept this token") {
            return "Set a Microsoft Entra administrator for the server, of the tenant that issues \
                the token: az synapse sql ad-admin create."
                .to_owned();
        }
        if says("ANONYMOUS LOGON") {
            return "The token is for another tenant or resource: check `azure.tenantId` and \
                `azure.cloud`."
                .to_owned();
        }
        if says("account is disabled") || says("[18470]") {
            return format!("In master: ALTER LOGIN {user} ENABLE;");
        }
        if says("locked out") || says("[18486]") {
            return format!(
                "In master: ALTER LOGIN {user} WITH PASSWORD = N'<password>' UNLOCK; and find out \
                 what tried wrong passwords."
            );
        }
        if says("[18452]") {
            return "Use a SQL log-in or Microsoft Entra: log-ins of Windows domains are not \
                supported."
                .to_owned();
        }
        match self.server.credentials {
            Credentials::Password { .. } => format!(
                "Check `username` and `password`. To set a new password, in master: ALTER LOGIN \
                {user} WITH PASSWORD = N'<password>';"
            ),
            Credentials::Principal(_) | Credentials::Token(_) => {
                format!("In database {database}: CREATE USER {user} FROM EXTERNAL PROVIDER;")
            }
        }
    }
}

/// Returns the remediation for a firewall, with the address that the server saw.
fn firewall(detail: &str) -> String {
    if detail.contains("[47073]") || detail.contains("Deny Public Network Access") {
        return "The server takes connections over private endpoints only: give it one that this \
            machine reaches, or let it take public connections again."
            .to_owned();
    }
    let address = detail.split("address '").nth(1).and_then(|rest| rest.split('\'').next());
    let address = address.filter(|text| text.parse::<std::net::IpAddr>().is_ok());
    let address = address.unwrap_or("<address>");
    format!(
        "Allow this machine's address: az synapse workspace firewall-rule create --name revalidated \
         --workspace-name <workspace> --resource-group <group> --start-ip-address {address} \
         --end-ip-address {address}; or use a private endpoint, or a virtual network rule."
    )
}
