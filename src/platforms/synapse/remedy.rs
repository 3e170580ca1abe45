//! Remediation of each cause, for people.

use super::cause::Cause;
use super::classify::Failure;
use super::credentials::Credentials;
use super::integration::Synapse;
use super::statement::identifier;
use crate::domain::Class;
use crate::platforms::azure;
use crate::platforms::connection::TcpEndpoint;

/// Keys of a service principal with a client secret.
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

/// Remedy for a refusal of an unknown number.
const REFUSED: &str = "See what the server says above: it refused the log-in, and this \
    program does not know the number.";
/// Remedy for an address without such a server.
const WRONG_SERVER: &str = "Check `host`, and `tls.serverName` when `host` is an address: \
    the gateway finds the server by its name.";
/// Remedy for a pool that is paused.
const PAUSED: &str = "When it is needed, resume the pool: az synapse sql pool resume. \
    `pausedPool` says whether a pause is a warning or a failure.";
/// Remedy for silence after the log-in.
const INTERRUPTED: &str = "The log-in passed, so neither credentials nor firewalls are at \
    fault: look at the load of the pool, at queued statements (sys.dm_pdw_exec_requests) \
    and at scaling or maintenance; `readTimeout` is the limit of one statement.";
/// Remedy for a TLS handshake that the server ends.
const TLS_REFUSED: &str = "The server ends the TLS handshake: set `encryption` as it wants \
    it, let it offer TLS 1.2 or 1.3, and give the name that it serves in \
    `tls.serverName`.";
/// Remedy for a server that is busy.
const BUSY: &str = "This passes by itself as a rule; otherwise look \
    for scaling, maintenance or an incident in the Azure portal.";
/// Remedy for a redirection to another cloud.
const REDIRECTED: &str = "Check `host` and `azure.cloud`: credentials only go to SQL \
    servers of that cloud.";

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
            Cause::Refused => REFUSED.to_owned(),
            Cause::LoginExpired => match server.credentials {
                Credentials::Password { .. } => {
                    format!("In master: ALTER LOGIN {user} WITH PASSWORD = N'<password>';")
                }
                Credentials::Principal(_) | Credentials::Managed(_) | Credentials::Token(_) => {
                    "Renew the access token, and check this machine's clock.".to_owned()
                }
            },
            Cause::Firewall => firewall(&failure.detail),
            Cause::WrongServer => WRONG_SERVER.to_owned(),
            Cause::Paused => PAUSED.to_owned(),
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
            Cause::Busy | Cause::Internal => BUSY.to_owned(),
            Cause::NoToken(class) if matches!(server.credentials, Credentials::Managed(_)) => {
                no_managed_token(class)
            }
            Cause::NoToken(class) => {
                let keys = azure::Keys { proof: server.credentials.proof(), ..KEYS };
                azure::remedy(class, &failure.detail, keys)
            }
            Cause::Unresolved => format!("Check `host`; {host} must have an address here."),
            Cause::Interrupted => INTERRUPTED.to_owned(),
            Cause::ProxyDenied => TcpEndpoint::PROXY_DENIED.to_owned(),
            Cause::NoTunnel => server.endpoint.no_tunnel(),
            Cause::NoConnection | Cause::Silent => format!(
                "Check that firewalls and routes let this machine reach {host}:{port}, and ports \
                11000 to 11999 where connections are redirected."
            ),
            Cause::NoTls => NO_TLS.to_owned(),
            Cause::ExpiredCertificate => "Renew the server's certificate.".to_owned(),
            Cause::TlsFailed => TLS_FAILED.to_owned(),
            Cause::TlsRefused => TLS_REFUSED.to_owned(),
            Cause::Redirected => REDIRECTED.to_owned(),
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
                \"entraServicePrincipal\" or \"entraManagedIdentity\", or let an administrator \
                allow SQL authentication again (az synapse ad-only-auth disable)."
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
            Credentials::Principal(_) | Credentials::Managed(_) | Credentials::Token(_) => {
                format!("In database {database}: CREATE USER {user} FROM EXTERNAL PROVIDER;")
            }
        }
    }
}

/// Returns the remediation for a managed identity without a token.
fn no_managed_token(class: Class) -> String {
    match class {
        Class::Denied | Class::Missing | Class::Invalid | Class::Expired | Class::Local => {
            "Assign a managed identity to this machine (az vm identity assign), and name it in \
            `azure.clientId` where it is one of several; outside of Azure use \
            \"entraServicePrincipal\"."
        }
        Class::Unreachable | Class::Throttled | Class::Unavailable => {
            "The metadata service of this machine is busy or being updated; this passes by itself as \
            a rule."
        }
    }
    .to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Faults, Reader, Value};
    use crate::platforms::synapse::config;
    use serde_json::{Value as Json, json};

    fn synapse(changes: &Json) -> Synapse {
        let mut json = json!({
            "host": "ws.sql.azuresynapse.net", "database": "po]ol", "schema": "immuta",
            "username": "immuta", "password": "hunter2",
        });
        for (key, value) in changes.as_object().unwrap() {
            json[key] = value.clone();
        }
        let value = Value::from_json(&json, &"f:1".into());
        let faults = Faults::default();
        config::read(Reader::new(&value, "config", &faults).unwrap()).unwrap()
    }

    fn by_token() -> Synapse {
        synapse(&json!({
            "authenticationType": "entraToken", "password": null, "token": "hunter2-hunter2",
        }))
    }

    fn refused(cause: Cause, detail: &str) -> Failure {
        Failure::new(cause, cause.class(), detail)
    }

    #[test]
    fn refused_log_in_is_advised_by_the_words_of_the_server() {
        let table = [
            (
                "Cannot connect to WS: Microsoft Entra only authentication is enabled.",
                "The server takes Microsoft Entra log-ins only: set `authenticationType`",
            ),
            (
                "[18456] Login failed for user ''. The server is not currently configured to \
                 accept this token.",
                "Set a Microsoft Entra administrator for the server",
            ),
            (
                "[18456] Login failed for user 'NT AUTHORITY\\ANONYMOUS LOGON'.",
                "The token is for another tenant or resource",
            ),
            (
                "[18470] Login failed for user 'immuta'. Reason: The account is disabled.",
                "In master: ALTER LOGIN [immuta] ENABLE;",
            ),
            (
                "[18486] Login failed for user 'immuta' because the account is currently locked \
                 out. The system administrator can unlock it.",
                "In master: ALTER LOGIN [immuta] WITH PASSWORD = N'<password>' UNLOCK;",
            ),
            (
                "[18452] Login failed. The login is from an untrusted domain.",
                "Use a SQL log-in or Microsoft Entra",
            ),
            ("[18456] Login failed for user 'immuta'.", "Check `username` and `password`."),
        ];
        let by_password = synapse(&json!({}));
        for (detail, expected) in table {
            let found = by_password.remedy(&refused(Cause::LoginRefused, detail));
            assert!(found.starts_with(expected), "{detail}: {found}");
        }
        let failure =
            refused(Cause::LoginRefused, "[18456] Login failed for user '<token-identified>'.");
        assert!(by_token().remedy(&failure).starts_with("In database [po]]ol]: CREATE USER "));
    }

    #[test]
    fn firewall_is_opened_for_the_address_that_the_server_saw() {
        let table = [
            (
                "[40615] Cannot open server 'ws' requested by the login. Client with IP address \
                 '203.0.113.7' is not allowed to access the server.",
                "--start-ip-address 203.0.113.7 --end-ip-address 203.0.113.7;",
            ),
            (
                "[40615] Client with IP address '203.0.113.7; rm -rf' is not allowed",
                "--start-ip-address <address> --end-ip-address <address>;",
            ),
            ("[40914] Cannot open server 'ws' requested by the login.", "<address>"),
            (
                "[47073] An instance-specific error occurred while establishing a connection to \
                 SQL Server. The public network interface on this server is not accessible.",
                "The server takes connections over private endpoints only",
            ),
            (
                "[40615] Reason: Deny Public Network Access is set to Yes.",
                "The server takes connections over private endpoints only",
            ),
        ];
        for (detail, expected) in table {
            let found = synapse(&json!({})).remedy(&refused(Cause::Firewall, detail));
            assert!(found.contains(expected), "{detail}: {found}");
        }
    }

    /// Every cause, and words of its remediation.
    const CAUSES: [(Cause, &str); 28] = [
        (Cause::Refused, "does not know the number"),
        (Cause::LoginExpired, "In master: ALTER LOGIN [immuta] WITH PASSWORD"),
        (Cause::WrongServer, "Check `host`, and `tls.serverName`"),
        (Cause::Paused, "az synapse sql pool resume"),
        (Cause::NoDatabase, "Name an existing dedicated SQL pool in `database`"),
        (Cause::Unopened, "Name an existing dedicated SQL pool in `database`"),
        (Cause::NoAccess, "In database [po]]ol]: CREATE USER [immuta] FOR LOGIN [immuta];"),
        (Cause::NoPermission, "GRANT CONTROL ON DATABASE::[po]]ol] TO [immuta];"),
        (Cause::NoObject, "is a dedicated SQL pool of Azure Synapse"),
        (Cause::Unsupported, "is a dedicated SQL pool of Azure Synapse"),
        (Cause::OtherAnswer, "is a dedicated SQL pool of Azure Synapse"),
        (Cause::UnexpectedResponse, "is a dedicated SQL pool of Azure Synapse"),
        (Cause::Throttled, "Run fewer queries and sessions at once"),
        (Cause::Busy, "This passes by itself as a rule"),
        (Cause::Internal, "This passes by itself as a rule"),
        (Cause::NoToken(Class::Denied), "azure.clientSecret"),
        (Cause::Unresolved, "ws.sql.azuresynapse.net must have an address here"),
        (Cause::Interrupted, "The log-in passed, so neither credentials nor firewalls"),
        (Cause::ProxyDenied, "`proxy.username` and `proxy.password`"),
        (Cause::NoTunnel, "let CONNECT through to ws.sql.azuresynapse.net:1433"),
        (Cause::NoConnection, "let this machine reach ws.sql.azuresynapse.net:1433"),
        (Cause::Silent, "let this machine reach ws.sql.azuresynapse.net:1433"),
        (Cause::NoTls, "Switch encryption on"),
        (Cause::ExpiredCertificate, "Renew the server's certificate."),
        (Cause::TlsFailed, "Name the authority's certificate in `tls.caFile`"),
        (Cause::TlsRefused, "set `encryption` as it wants it"),
        (Cause::Redirected, "Check `host` and `azure.cloud`"),
        (Cause::Local, "Fix this host"),
    ];

    #[test]
    fn every_cause_has_a_remediation_of_its_own_kind() {
        let synapse = synapse(&json!({}));
        for (cause, expected) in CAUSES {
            let found = synapse.remedy(&refused(cause, "m"));
            assert!(found.contains(expected), "{cause:?}: {found}");
            assert!(!found.contains("hunter2"), "{cause:?}: {found}");
        }
        let managed = self::synapse(&json!({
            "authenticationType": "entraManagedIdentity", "username": null, "password": null,
        }));
        for (class, expected) in [
            (Class::Invalid, "Assign a managed identity to this machine"),
            (Class::Local, "Assign a managed identity to this machine"),
            (Class::Unavailable, "The metadata service of this machine is busy"),
        ] {
            let found = managed.remedy(&refused(Cause::NoToken(class), "Identity not found"));
            assert!(found.starts_with(expected), "{class:?}: {found}");
        }
        let blocked = refused(Cause::NoToken(Class::Denied), "AADSTS53003: Access is blocked.");
        assert!(synapse.remedy(&blocked).starts_with("Let Conditional Access admit"));
        let found = by_token().remedy(&refused(Cause::LoginExpired, "Token is expired."));
        assert!(found.starts_with("Renew the access token"), "{found}");
    }
}
