//! Sorts what goes wrong into causes, decides what a cause means, and says it in one line.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use rustls::CertificateError;

use super::call::{CallError, database_error};
use super::cause::Cause;
use crate::domain::{Class, Redactor};
use crate::net::backoff::Backoff;
use crate::net::tcp::{NoTunnel, is_local_fault};
use crate::platforms::failure;

/// The longest detail in a message or in evidence, in characters.
const DETAIL_MAX: usize = 300;
/// Error text of tokio-postgres for an unknown authentication type.
const UNKNOWN_AUTHENTICATION: &str = "unknown authentication tag";
/// The number of Redshift's private authentication type, as it stands in that report.
const DIGEST_TAG: &str = "`13`";
/// Kinds of the library's errors for bytes that it cannot parse.
const NOT_UNDERSTOOD: [ErrorKind; 2] = [ErrorKind::InvalidInput, ErrorKind::InvalidData];

/// Stage of a session that a failure belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// Everything until the log-in is complete.
    LogIn,
    /// Afterwards, while a statement is answered.
    Statement,
}

impl Cause {
    fn of(error: &CallError, stage: Stage) -> Self {
        let cause = match error {
            CallError::Secret(_) | CallError::Tls(_) => Self::Local,
            CallError::Resolve(_) => Self::Unresolved,
            CallError::Connect(error) => Self::of_io(error),
            CallError::Tunnel(NoTunnel::Denied) => Self::ProxyDenied,
            CallError::Tunnel(_) => Self::NoTunnel,
            CallError::Silent(_) => Self::Silent,
            CallError::NoRow => Self::UnexpectedResponse,
            CallError::Excess(_) => Self::Excess,
            CallError::Postgres(error) => Self::of_postgres(error, stage),
            CallError::Replayed { cause, .. } => *cause,
        };
        match (stage, cause) {
            (Stage::Statement, Self::NoConnection | Self::Silent) => Self::Interrupted,
            (Stage::LogIn | Stage::Statement, cause) => cause,
        }
    }

    fn of_postgres(error: &tokio_postgres::Error, stage: Stage) -> Self {
        if let Some(said) = error.as_db_error() {
            return Self::of_state(said.code().code(), said.message(), stage);
        }
        if error.is_closed() {
            return Self::NoConnection;
        }
        if let Some(io) = error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
            return Self::of_io(io);
        }
        // The library keeps the kind of its errors to itself: its texts are what there is.
        match error.to_string().as_str() {
            "error performing TLS handshake" => Self::NoTls,
            "authentication error" => Self::OtherAuthentication,
            _ => Self::UnexpectedResponse,
        }
    }

    /// The one table of SQLSTATEs ("`PostgreSQL` Error Codes", appendix A). What passes is what Npgsql
    /// lists (`PostgresException.IsTransient`), with the classes 40, 57 and 58 as a whole, and 25006
    /// of a server that is being failed over. Others refuse a log-in, and say nothing definite about
    /// a statement.
    fn of_state(code: &str, message: &str, stage: Stage) -> Self {
        match code {
            "3D000" | "57P04" => Self::NoDatabase,
            "42501" => Self::NoPrivilege,
            "42P01" => Self::NoRelation,
            "53300" => Self::TooManyConnections,
            "28000" if message.contains("pg_hba.conf") => Self::NoEntry,
            "55000" if message.contains("not currently accepting connections") => {
                Self::NotAccepting
            }
            "25006" | "55000" | "55006" | "55P03" | "72000" => Self::Busy,
            other => match (other.get(..2), stage) {
                (Some("08"), _) => Self::NoConnection,
                (Some("28"), _) => Self::LoginRefused,
                (Some("40" | "53" | "57"), _) => Self::Busy,
                (Some("58" | "XX"), _) => Self::Internal,
                (Some("0A" | "22" | "42"), Stage::Statement) => Self::WrongStatement,
                (_, Stage::LogIn) => Self::Refused,
                (_, Stage::Statement) => Self::OtherAnswer,
            },
        }
    }

    fn of_io(error: &io::Error) -> Self {
        let inner = error.get_ref();
        if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::of_tls(tls);
        }
        if is_local_fault(error) {
            Self::Local
        } else if NOT_UNDERSTOOD.contains(&error.kind()) {
            Self::of_protocol(error)
        } else {
            Self::NoConnection
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        let is_expired = matches!(
            error,
            rustls::Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. }
            )
        );
        let is_unexpected = matches!(
            error,
            rustls::Error::InvalidMessage(_)
                | rustls::Error::InappropriateMessage { .. }
                | rustls::Error::InappropriateHandshakeMessage { .. }
        );
        if is_expired {
            Self::ExpiredCertificate
        } else if is_unexpected {
            Self::UnexpectedResponse
        } else if matches!(error, rustls::Error::AlertReceived(_)) {
            Self::TlsRefused
        } else {
            Self::TlsFailed
        }
    }

    fn of_protocol(error: &io::Error) -> Self {
        let text = error.to_string();
        if !text.contains(UNKNOWN_AUTHENTICATION) {
            Self::UnexpectedResponse
        } else if text.contains(DIGEST_TAG) {
            Self::DigestAuthentication
        } else {
            Self::OtherAuthentication
        }
    }
}

/// Failure of a call to Redshift, or of a log-in there.
pub(super) type Failure = failure::Failure<Cause>;

impl failure::Cause for Cause {
    /// Before the log-in nothing shows that it is Redshift which answers, and not a balancer or a proxy.
    fn is_doubtful(&self) -> bool {
        matches!(
            self,
            Self::NoTls
                | Self::TlsRefused
                | Self::TlsFailed
                | Self::ExpiredCertificate
                | Self::UnexpectedResponse
        )
    }

    fn no_answer(_class: Class) -> Self {
        Self::NoConnection
    }

    fn backoff(&self, _class: Class) -> Backoff {
        Backoff::new(self.waits())
    }
}

impl Failure {
    /// Returns the failure that `error` means, without the secrets that `redactor` knows, even when
    /// the server echoes them.
    pub(super) fn of(error: &CallError, stage: Stage, redactor: &Redactor) -> Self {
        let shown = |text: &str| redactor.line(text, DETAIL_MAX);
        let cause = Cause::of(error, stage);
        let chain = chain(error);
        let detail = match (cause, database_error(error)) {
            (Cause::DigestAuthentication, _) => {
                "The password of the database user is stored as a SHA-256 digest, which only \
                Amazon's own drivers can log in with."
                    .to_owned()
            }
            (_, Some(said)) => shown(&format!("[{}] {}", said.code().code(), said.message())),
            (_, None) => shown(&chain),
        };
        Self::new(cause, cause.class(), detail).because(shown(&chain))
    }
}

/// Returns the error and its sources as a sentence, outermost first.
fn chain(error: &CallError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::SecretError;
    use std::path::PathBuf;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_postgres::NoTls;

    /// The error of a client that gets `answer` to its first packet.
    async fn answered(answer: &[u8]) -> CallError {
        let (client, mut theirs) = tokio::io::duplex(1024);
        let mut config = tokio_postgres::Config::new();
        config.user("u").password("hunter2").ssl_mode(tokio_postgres::config::SslMode::Disable);
        let server = async {
            let mut packet = [0; 256];
            assert!(0 < theirs.read(&mut packet).await.unwrap());
            theirs.write_all(answer).await.unwrap();
            drop(theirs);
        };
        let (found, ()) = tokio::join!(config.connect_raw(client, NoTls), server);
        found.map(|_| ()).unwrap_err().into()
    }

    fn authentication(kind: u8) -> Vec<u8> {
        vec![b'R', 0, 0, 0, 8, 0, 0, 0, kind]
    }

    fn refusal(fields: &str) -> Vec<u8> {
        let mut packet = vec![b'E'];
        packet.extend(u32::try_from(fields.len() + 5).unwrap().to_be_bytes());
        packet.extend(fields.as_bytes());
        packet.push(0);
        packet
    }

    #[tokio::test]
    async fn each_answer_of_a_server_has_a_cause() {
        let cases = [
            (authentication(13), Cause::DigestAuthentication),
            (authentication(14), Cause::OtherAuthentication),
            (authentication(2), Cause::OtherAuthentication),
            (b"q\0\0\0\x04".to_vec(), Cause::UnexpectedResponse),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), Cause::NoConnection),
            (b"Z\0\0\0\x05I".to_vec(), Cause::UnexpectedResponse),
            (Vec::new(), Cause::NoConnection),
            (refusal("SFATAL\0C28000\0Mno\0"), Cause::LoginRefused),
        ];
        for (answer, expected) in cases {
            let found = Failure::of(&answered(&answer).await, Stage::LogIn, &Redactor::default());
            assert_eq!(found.cause, expected, "{answer:?}: {found:?}");
        }
        let error = answered(&authentication(13)).await;
        let digest = Failure::of(&error, Stage::LogIn, &Redactor::default());
        assert!(digest.detail.contains("SHA-256 digest"), "{digest:?}");
        let evidence = digest.evidence.as_deref().unwrap();
        assert!(evidence.contains("unknown authentication tag `13`"), "{digest:?}");
    }

    #[tokio::test]
    async fn a_hostile_text_becomes_one_bounded_line_without_the_password() {
        let text = format!("SFATAL\0C28P01\0Mno\n\u{1b}[31m  \"hunter2\" {}\0", "é".repeat(999));
        let redactor = Redactor::default();
        redactor.learn_text("hunter2");
        let found = Failure::of(&answered(&refusal(&text)).await, Stage::LogIn, &redactor);
        assert!(found.detail.starts_with("[28P01] no [31m \"[REDACTED]\" éé"), "{found:?}");
        assert_eq!(found.detail.chars().count(), DETAIL_MAX);
        let evidence = found.evidence.as_deref().unwrap();
        assert!(!evidence.contains("hunter2") && !evidence.contains(char::is_control), "{found:?}");
    }

    #[test]
    fn every_state_in_the_table_has_its_class() {
        // SQLSTATE, class and attempts at a log-in, class of a statement.
        let cases = [
            ("28P01", Class::Denied, 1, Class::Denied),
            ("28000", Class::Denied, 1, Class::Denied),
            ("3D000", Class::Missing, 1, Class::Missing),
            ("57P04", Class::Missing, 1, Class::Missing),
            ("42501", Class::Denied, 1, Class::Denied),
            ("42P01", Class::Missing, 1, Class::Missing),
            ("42601", Class::Denied, 1, Class::Invalid),
            ("0A000", Class::Denied, 1, Class::Invalid),
            ("53300", Class::Throttled, 3, Class::Throttled),
            ("08006", Class::Unreachable, 3, Class::Unreachable),
            ("XX000", Class::Unavailable, 2, Class::Unavailable),
            ("58030", Class::Unavailable, 2, Class::Unavailable),
            ("P0001", Class::Denied, 1, Class::Unavailable),
            ("é", Class::Denied, 1, Class::Unavailable),
        ];
        for (state, class, attempts, of_statement) in cases {
            let cause = Cause::of_state(state, "m", Stage::LogIn);
            assert_eq!((cause.class(), cause.waits().len() + 1), (class, attempts), "{state}");
            let cause = Cause::of_state(state, "m", Stage::Statement);
            assert_eq!(cause.class(), of_statement, "{state}");
        }
        let accepting = "database \"x\" is not currently accepting connections";
        let cause = Cause::of_state("55000", accepting, Stage::LogIn);
        assert_eq!((cause.class(), cause.waits().len()), (Class::Invalid, 1));
    }

    /// The list is that of Npgsql (`PostgresException.IsTransient`), whose 08xxx are connections that
    /// break, and the codes of a server that starts, stops or cancels.
    #[test]
    fn state_that_drivers_try_again_passes_by_itself() {
        let states = [
            "53000", "53100", "53200", "53300", "53400", "57P03", "58000", "58030", "40001",
            "55P03", "55006", "55000", "08000", "08003", "08006", "08001", "08004", "08007",
            "40P01", "57014", "57P01", "57P02", "57P05", "25006", "72000",
        ];
        for state in states {
            for stage in [Stage::LogIn, Stage::Statement] {
                let class = Cause::of_state(state, "m", stage).class();
                assert!(!class.is_definitive(), "{state}: {class:?}");
            }
        }
    }

    #[test]
    fn address_that_may_not_log_in_differs_from_a_wrong_password() {
        let message = "no pg_hba.conf entry for host \"::1\", user \"u\", database \"d\", SSL on";
        assert_eq!(Cause::of_state("28000", message, Stage::LogIn), Cause::NoEntry);
        let message = "password authentication failed for user \"u\"";
        assert_eq!(Cause::of_state("28000", message, Stage::LogIn), Cause::LoginRefused);
    }

    #[test]
    fn failure_before_the_server_speaks_is_doubtful() {
        use crate::platforms::failure::Cause as _;
        let own = [Cause::LoginRefused, Cause::NoDatabase, Cause::NoPrivilege, Cause::NotAccepting];
        assert!(own.iter().all(|cause| !cause.is_doubtful()));
        let others =
            [Cause::NoTls, Cause::TlsFailed, Cause::ExpiredCertificate, Cause::UnexpectedResponse];
        assert!(others.iter().all(|cause| cause.is_doubtful() && cause.class().is_definitive()));
    }

    #[test]
    fn cut_after_the_log_in_is_an_interruption() {
        let silent = CallError::Silent(Duration::from_secs(1));
        assert_eq!(Cause::of(&silent, Stage::LogIn), Cause::Silent);
        assert_eq!(Cause::of(&silent, Stage::Statement), Cause::Interrupted);
    }

    #[test]
    fn local_faults_differ_from_those_of_the_server() {
        let tls = |error| io::Error::new(ErrorKind::InvalidData, rustls::Error::from(error));
        let cases = [
            (io::Error::from_raw_os_error(24), Class::Local),
            (ErrorKind::NetworkUnreachable.into(), Class::Local),
            (ErrorKind::ConnectionRefused.into(), Class::Unreachable),
            (ErrorKind::ConnectionReset.into(), Class::Unreachable),
            (ErrorKind::UnexpectedEof.into(), Class::Unreachable),
            (ErrorKind::HostUnreachable.into(), Class::Unreachable),
            (tls(CertificateError::Expired), Class::Expired),
            (tls(CertificateError::UnknownIssuer), Class::Invalid),
        ];
        for (error, class) in cases {
            assert_eq!(Cause::of_io(&error).class(), class, "{error:?}");
        }
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure);
        let alert = io::Error::new(ErrorKind::InvalidData, alert);
        assert_eq!(Cause::of_io(&alert), Cause::TlsRefused);
        let unreadable = SecretError::File { path: PathBuf::from("/p"), reason: "no".to_owned() };
        let found = Failure::of(&unreadable.into(), Stage::LogIn, &Redactor::default());
        assert_eq!(found.cause.class(), Class::Local);
        assert_eq!(found.detail, "Secret file /p cannot be read: no");
    }
}
