//! Remediation of each cause: the statement, the key or the setting.

use super::cause::Cause;
use super::client::Server;
use super::integration::{Credentials, Redshift};
use crate::domain::one_line;
use crate::platforms::connection::TcpEndpoint;

/// Longest part of a name that a remedy shows, in characters; longer names are not accepted anyway.
const NAME_SHOWN_MAX: usize = 127;

/// Remedy for a refusal of an unknown code.
const REFUSED: &str = "See what the server says above: it refused the log-in, and this \
    program does not know the code.";
/// Remedy for a way to log in that is not known.
const OTHER_AUTHENTICATION: &str = "Let the user log in with a password; this version knows clear text, MD5 and \
    SCRAM-SHA-256.";
/// Remedy for silence after the log-in.
const INTERRUPTED: &str = "The log-in passed, so neither credentials nor firewalls are at \
    fault: look for maintenance, a resize or a restart, and at queued statements \
    (STV_WLM_QUERY_STATE); `readTimeout` is the limit of one statement.";
/// Remedy for a TLS handshake that the server ends.
const TLS_REFUSED: &str = "The server ends the TLS handshake: let it offer TLS 1.2 or 1.3, \
    and give the name that it serves in `tls.serverName`.";
/// Remedy for a server without TLS.
const NO_TLS: &str = "Switch TLS on; credentials never travel without it, so there is no setting for \
    this.";
/// Remedy for a certificate that is not trusted.
const TLS_FAILED: &str = "Name the authority's certificate in `tls.caFile`, and the name in the server's \
    certificate in `tls.serverName`.";

impl Redshift {
    /// Returns the remediation of `cause`.
    pub(super) fn remedy(&self, cause: Cause) -> String {
        let Server { endpoint, database, .. } = &self.server;
        let TcpEndpoint { host, port, .. } = endpoint;
        let (user, login) = (quoted(self.credentials.user()), quoted(database));
        match cause {
            Cause::LoginRefused => self.login_remedy(&user),
            Cause::NoEntry => format!(
                "The password was not looked at: the server accepts no connection of {user} to \
                {login} from this machine's address over TLS. Check `host`, `initialDatabase` and \
                `username`, and what lies between: a proxy or a pooler with rules of its own \
                (pg_hba.conf), the security group and the endpoint access of the cluster."
            ),
            Cause::Refused => REFUSED.to_owned(),
            Cause::DigestAuthentication => format!(
                "Set the password again, in clear or as an MD5 digest: ALTER USER {user} \
                PASSWORD '<password>';"
            ),
            Cause::OtherAuthentication => OTHER_AUTHENTICATION.to_owned(),
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
            Cause::ProxyDenied => TcpEndpoint::PROXY_DENIED.to_owned(),
            Cause::NoTunnel => endpoint.no_tunnel(),
            Cause::NoConnection | Cause::Silent => format!(
                "Check that the cluster is not paused and that its security group lets this host \
                reach {host}:{port}."
            ),
            Cause::Interrupted => INTERRUPTED.to_owned(),
            Cause::TlsRefused => TLS_REFUSED.to_owned(),
            Cause::NoTls => NO_TLS.to_owned(),
            Cause::ExpiredCertificate => "Renew the server's certificate.".to_owned(),
            Cause::TlsFailed => TLS_FAILED.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Faults, Reader, Value};
    use crate::platforms::redshift::{PLATFORM, config};
    use crate::platforms::testing::parsed;
    use serde_json::{Value as Json, json};

    fn redshift(changes: &Json) -> Redshift {
        let mut json = json!({
            "host": "prod.abc.eu-central-1.redshift.amazonaws.com", "database": "immuta",
            "initialDatabase": "d\"ev", "username": "Im muta", "password": "hunter2",
        });
        for (key, value) in changes.as_object().unwrap() {
            json[key] = value.clone();
        }
        let value = Value::from_json(&json, &"f:1".into());
        let faults = Faults::default();
        let reader = Reader::new(&value, "config", &faults).unwrap();
        let machine = crate::platforms::aws::machine::Machine::this();
        config::read(reader, machine).unwrap()
    }

    /// Every cause, and words of its remediation.
    const CAUSES: [(Cause, &str); 27] = [
        (Cause::LoginRefused, "ALTER USER \"Im muta\" PASSWORD '<password>' VALID UNTIL"),
        (Cause::NoEntry, "The password was not looked at"),
        (Cause::Refused, "this program does not know the code"),
        (Cause::DigestAuthentication, "in clear or as an MD5 digest: ALTER USER \"Im muta\""),
        (Cause::OtherAuthentication, "Let the user log in with a password"),
        (Cause::NoDatabase, "CREATE DATABASE \"d\"\"ev\";"),
        (Cause::NoPrivilege, "GRANT USAGE ON DATABASE \"d\"\"ev\" TO \"Im muta\";"),
        (Cause::NoRelation, "is an Amazon Redshift cluster or workgroup"),
        (Cause::WrongStatement, "is an Amazon Redshift cluster or workgroup"),
        (Cause::OtherAnswer, "is an Amazon Redshift cluster or workgroup"),
        (Cause::UnexpectedResponse, "is an Amazon Redshift cluster or workgroup"),
        (Cause::Excess, "is an Amazon Redshift cluster or workgroup"),
        (Cause::NotAccepting, "Name a database that accepts connections"),
        (Cause::TooManyConnections, "ALTER USER \"Im muta\" CONNECTION LIMIT UNLIMITED;"),
        (Cause::Busy, "Wait until the cluster is available"),
        (Cause::Internal, "Wait until the cluster is available"),
        (Cause::Unresolved, "redshift.amazonaws.com must have an address here"),
        (Cause::ProxyDenied, "`proxy.username` and `proxy.password`"),
        (
            Cause::NoTunnel,
            "let CONNECT through to prod.abc.eu-central-1.redshift.amazonaws.com:5439",
        ),
        (Cause::NoConnection, "that the cluster is not paused"),
        (Cause::Silent, "that the cluster is not paused"),
        (Cause::Interrupted, "The log-in passed, so neither credentials nor firewalls"),
        (Cause::TlsRefused, "The server ends the TLS handshake"),
        (Cause::NoTls, "Switch TLS on"),
        (Cause::ExpiredCertificate, "Renew the server's certificate."),
        (Cause::TlsFailed, "Name the authority's certificate in `tls.caFile`"),
        (Cause::Local, "Fix this host"),
    ];

    #[test]
    fn every_cause_has_a_remediation_of_its_own_kind() {
        let redshift = redshift(&json!({}));
        for (cause, expected) in CAUSES {
            let found = redshift.remedy(cause);
            assert!(found.contains(expected), "{cause:?}: {found}");
            assert!(!found.contains("hunter2"), "{cause:?}: {found}");
        }
    }

    #[test]
    fn long_name_is_cut_in_a_statement() {
        let name = "x".repeat(9999);
        assert_eq!(quoted(&name).chars().count(), NAME_SHOWN_MAX + 2);
        assert_eq!(quoted("a\nb"), "\"a b\"");
    }

    /// `okta` is the one kind of log-in that is refused; the integration stays in the configuration, with
    /// a warning, so that the others are validated.
    #[test]
    fn log_in_by_okta_is_a_warning_of_the_configuration() {
        let okta = json!({
            "authenticationType": "okta", "password": null,
            "okta": {
                "username": "u", "password": { "env": "P" }, "appId": "a", "idpHost": "h",
                "role": "r",
            },
        });
        let found = redshift(&okta);
        assert!(
            matches!(&found.credentials, Credentials::Okta { username } if username == "Im muta")
        );
        let mut config = json!({ "host": "h.example.com", "database": "immuta" });
        for (key, value) in okta.as_object().unwrap() {
            config[key] = value.clone();
        }
        let (validator, faults) = parsed(&PLATFORM, &config);
        assert!(validator.is_some() && faults.is_empty(), "{faults:?}");
    }
}
