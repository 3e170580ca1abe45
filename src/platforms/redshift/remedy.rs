//! Remediation of each cause: the statement, the key or the setting.

use super::classify::Cause;
use super::client::Server;
use super::integration::{Credentials, Redshift};
use crate::domain::one_line;
use crate::platforms::connection::TcpEndpoint;

/// Longest part of a name that a remedy shows, in characters; longer names are not accepted anyway.
const NAME_SHOWN_MAX: usize = 127;

impl Redshift {
    /// Returns the remediation of `cause`.
    pub(super) fn remedy(&self, cause: Cause) -> String {
        let Server { endpoint: TcpEndpoint { host, port, .. }, database, .. } = &self.server;
        let (user, login) = (quoted(self.credentials.user()), quoted(database));
        match cause {
            Cause::LoginRefused => self.login_remedy(&user),
            Cause::NoEntry => format!(
                "The password was not looked at: the server accepts no connection of {user} to \
                {login} from this machine's address over TLS. Check `host`, `initialDatabase` and \
                `username`, and what lies between: a proxy or a pooler with rules of its own \
                (pg_hba.conf), the security group and the endpoint access of the cluster."
            ),
            Cause::Refused => "See what the server says above: it refused the log-in, and this \
                program does not know the code."
                .to_owned(),
            Cause::DigestAuthentication => format!(
                "Set the password again, in clear or as an MD5 digest: ALTER USER {user} \
                PASSWORD '<password>';"
            ),
            Cause::OtherAuthentication => {
                "Let the user log in with a password; this version knows clear text, MD5 and \
                SCRAM-SHA-256."
                    .to_owned()
            }
            Cause::NoDatabase => format!(
                "Name an existing database in `initialDatabase`, or create this one: CREATE \
                DATABASE {login};"
            ),
            Cause::NoPrivilege => format!("GRANT USAGE ON DATABASE {login} TO {user};"),
            Cause::NoRelation
            | Cause::WrongStatement
            | Cause::OtherAnswer
            | Cause::UnexpectedResponse
            | Cause::Excess => {
                format!("Check that {host}:{port} is an Amazon Redshift cluster or workgroup.")
            }
            Cause::NotAccepting => {
                "Name a database that accepts connections in `initialDatabase`.".to_owned()
            }
            Cause::TooManyConnections => format!(
                "Close connections, or raise the user's limit: ALTER USER {user} CONNECTION LIMIT \
                UNLIMITED;"
            ),
            Cause::Busy | Cause::Internal => {
                "Wait until the cluster is available; look for maintenance, a resize or a \
                statement timeout."
                    .to_owned()
            }
            Cause::Unresolved => format!("Check `host`; {host} must have an address here."),
            Cause::NoConnection | Cause::Silent => format!(
                "Check that the cluster is not paused and that its security group lets this host \
                reach {host}:{port}."
            ),
            Cause::Interrupted => "The log-in passed, so neither credentials nor firewalls are at \
                fault: look for maintenance, a resize or a restart, and at queued statements \
                (STV_WLM_QUERY_STATE); `readTimeout` is the limit of one statement."
                .to_owned(),
            Cause::TlsRefused => "The server ends the TLS handshake: let it offer TLS 1.2 or 1.3, \
                and give the name that it serves in `tls.serverName`."
                .to_owned(),
            Cause::NoTls => {
                "Switch TLS on; credentials never travel without it, so there is no setting for \
                this."
                    .to_owned()
            }
            Cause::ExpiredCertificate => "Renew the server's certificate.".to_owned(),
            Cause::TlsFailed => {
                "Name the authority's certificate in `tls.caFile`, and the name in the server's \
                certificate in `tls.serverName`."
                    .to_owned()
            }
            Cause::Local => "Fix this host: the file, variable or network named above.".to_owned(),
        }
    }

    fn login_remedy(&self, user: &str) -> String {
        match self.credentials {
            Credentials::Password { .. } | Credentials::Okta { .. } => format!(
                "Check `username` and `password`. To set a new password: ALTER USER {user} \
                PASSWORD '<password>' VALID UNTIL 'infinity';"
            ),
            Credentials::Iam(_) => format!(
                "Create the database user if it does not exist, which this never does itself: \
                CREATE USER {user} PASSWORD DISABLE;"
            ),
        }
    }
}

/// Returns `name` as an identifier in a statement that people are to run.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", one_line(name, NAME_SHOWN_MAX).replace('"', "\"\""))
}
