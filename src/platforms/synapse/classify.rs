//! Sorts what goes wrong into causes, decides what a cause means, and says it in one line.

use std::io::{self, ErrorKind};

use tiberius::error::{Error as TdsError, TokenError};

use super::call::CallError;
use super::cause::Cause;
use super::library::{ALERT, CLOSED, EXPIRED, NO_AUTHORITIES, NO_ENCRYPTION, NO_TDS};
use super::stream::TOO_MUCH;
use super::transient::{BROKEN, THROTTLED, passes};
use crate::domain::{Class, Redactor};
use crate::net::backoff::Backoff;
use crate::net::tcp::{NoTunnel, is_local_fault};
use crate::platforms::failure::{self, sentence};

/// The longest detail in a message or in evidence, in characters.
const DETAIL_MAX: usize = 300;
/// Kinds of the library's errors for bytes that it cannot parse.
const NOT_UNDERSTOOD: [ErrorKind; 3] =
    [ErrorKind::InvalidInput, ErrorKind::InvalidData, ErrorKind::Other];
/// From this severity on an error is the server's own (SQL Server, database engine error
/// severities: 17 to 19 resources and software, 20 to 24 system problems).
const SEVERITY_OF_THE_SERVER: u8 = 17;

/// Stage of a session that a failure belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// Everything until the log-in is complete.
    LogIn,
    /// Afterwards, while a statement is answered.
    Statement,
}

/// Failure of a call to Synapse, or of a log-in there.
pub(super) type Failure = failure::Failure<Cause>;

impl failure::Cause for Cause {
    fn no_answer(class: Class) -> Self {
        Self::NoToken(class)
    }

    fn describe(detail: &str) -> String {
        sentence(detail)
    }

    /// Before the log-in nothing shows that it is a SQL server which answers, and tokens come from Microsoft Entra.
    fn is_doubtful(&self) -> bool {
        matches!(
            self,
            Self::NoToken(_)
                | Self::NoTls
                | Self::TlsRefused
                | Self::TlsFailed
                | Self::ExpiredCertificate
                | Self::UnexpectedResponse
        )
    }

    fn backoff(&self, _class: Class) -> Backoff {
        Backoff::new(self.waits())
    }
}

/// Returns true if a permission can be queried in another way after `cause`.
pub(super) const fn can_be_asked_otherwise(cause: Cause) -> bool {
    matches!(cause, Cause::NoObject | Cause::NoPermission | Cause::Unsupported)
}

/// Number of an error of the server, with its severity.
#[derive(Clone, Copy, Debug)]
struct Number {
    number: u32,
    severity: u8,
}

impl Cause {
    fn of(error: &CallError, stage: Stage) -> Self {
        let cause = match error {
            CallError::Secret(_) | CallError::Authorities(_) => Self::Local,
            CallError::Resolve(_) => Self::Unresolved,
            CallError::Connect(error) => Self::of_io(error),
            CallError::Tunnel(NoTunnel::Denied) => Self::ProxyDenied,
            CallError::Tunnel(_) => Self::NoTunnel,
            CallError::Silent(_) => Self::Silent,
            CallError::NoRow | CallError::GaveUp => Self::UnexpectedResponse,
            CallError::Redirected { .. } | CallError::RedirectedAgain(_) => Self::Redirected,
            CallError::Replayed { cause, .. } => *cause,
            CallError::Tds(TdsError::Server(error)) => Self::of_answer(
                Number { number: error.code(), severity: error.class() },
                error.message(),
                stage,
            ),
            CallError::Tds(error) => Self::of_tds(error),
        };
        match (stage, cause) {
            (Stage::Statement, Self::NoConnection | Self::Silent) => Self::Interrupted,
            (Stage::LogIn | Stage::Statement, cause) => cause,
        }
    }

    fn of_tds(error: &TdsError) -> Self {
        match error {
            TdsError::Io { message, .. } if message.contains(TOO_MUCH) => Self::UnexpectedResponse,
            TdsError::Io { message, .. } if message.contains(ALERT) => Self::TlsRefused,
            TdsError::Io { kind, .. } => Self::of_io(&(*kind).into()),
            TdsError::Tls(text) => Self::of_tls(text),
            TdsError::Protocol(text) if text == NO_ENCRYPTION => Self::NoTls,
            TdsError::Routing { .. } => Self::Redirected,
            TdsError::Server(_)
            | TdsError::Protocol(_)
            | TdsError::Encoding(_)
            | TdsError::Conversion(_)
            | TdsError::Utf8
            | TdsError::Utf16
            | TdsError::ParseInt(_)
            | TdsError::BulkInput(_) => Self::UnexpectedResponse,
        }
    }

    /// The one table of error numbers ("Azure SQL, troubleshoot connectivity issues and common
    /// errors"; "SQL Server, database engine errors"; `transient.rs` for what passes). Others refuse a
    /// log-in, and say nothing definite about a statement.
    fn of_answer(error: Number, message: &str, stage: Stage) -> Self {
        match error.number {
            18456 if message.contains("Token is expired") => Self::LoginExpired,
            18452 | 18456 | 18470 | 18486 => Self::LoginRefused,
            18487 | 18488 => Self::LoginExpired,
            40615 | 40914 | 47073 => Self::Firewall,
            40531 | 40532 => Self::WrongServer,
            40892 | 42108 => Self::Paused,
            4060 => Self::Unopened,
            911 | 4064 => Self::NoDatabase,
            916 => Self::NoAccess,
            229 | 230 | 262 | 297 | 300 | 15247 => Self::NoPermission,
            195 | 208 | 2812 | 4121 => Self::NoObject,
            103_010 | 104_000..=104_999 => Self::Unsupported,
            number if THROTTLED.contains(&number) => Self::Throttled,
            number if BROKEN.contains(&number) => Self::NoConnection,
            number if passes(number) => Self::Busy,
            _ if SEVERITY_OF_THE_SERVER <= error.severity => Self::Internal,
            _ => match stage {
                Stage::LogIn => Self::Refused,
                Stage::Statement => Self::OtherAnswer,
            },
        }
    }

    fn of_io(error: &io::Error) -> Self {
        let kind = error.kind();
        if is_local_fault(error) {
            Self::Local
        } else if kind == ErrorKind::TimedOut {
            Self::Silent
        } else if kind == ErrorKind::FileTooLarge || NOT_UNDERSTOOD.contains(&kind) {
            Self::UnexpectedResponse
        } else {
            Self::NoConnection
        }
    }

    /// The library keeps the kind of its TLS errors to itself: its texts are what there is.
    fn of_tls(text: &str) -> Self {
        if NO_AUTHORITIES.iter().any(|words| text.contains(words)) {
            Self::Local
        } else if text.contains(ALERT) {
            Self::TlsRefused
        } else if EXPIRED.iter().any(|words| text.contains(words)) {
            Self::ExpiredCertificate
        } else {
            Self::TlsFailed
        }
    }
}

impl Failure {
    /// Returns the failure that `error` means, without the secrets that `redactor` knows, even when
    /// the server echoes them.
    pub(super) fn of(error: &CallError, stage: Stage, redactor: &Redactor) -> Self {
        let cause = Cause::of(error, stage);
        let detail = sentence(&redactor.line(&plain(error), DETAIL_MAX));
        let evidence = redactor.line(&evidence(error), DETAIL_MAX);
        Self::new(cause, cause.class(), detail).because(evidence)
    }

    /// Returns a failure that was classed elsewhere; `detail` has no secrets.
    pub(super) fn classed(cause: Cause, detail: &str) -> Self {
        Self::new(cause, cause.class(), sentence(detail)).because(detail)
    }
}

/// Returns the text of `error` for a message.
fn plain(error: &CallError) -> String {
    let CallError::Tds(tds) = error else { return error.to_string() };
    match tds {
        TdsError::Server(error) => format!("[{}] {}", error.code(), error.message()),
        TdsError::Tls(text) => first_sentence(text),
        TdsError::Io { kind, message } => of_transport(*kind, message),
        TdsError::Protocol(text) if text == NO_ENCRYPTION => {
            "the server does not encrypt".to_owned()
        }
        TdsError::Protocol(_)
        | TdsError::Encoding(_)
        | TdsError::Conversion(_)
        | TdsError::Utf8
        | TdsError::Utf16
        | TdsError::ParseInt(_)
        | TdsError::BulkInput(_)
        | TdsError::Routing { .. } => format!("{NO_TDS}: {tds}"),
    }
}

/// Returns the text of a message about a connection that broke.
fn of_transport(kind: ErrorKind, message: &str) -> String {
    let message = bare(message);
    if message.contains(ALERT) {
        format!("the server refuses TLS: {message}")
    } else if kind == ErrorKind::UnexpectedEof || message.contains(CLOSED) {
        "the server closed the connection".to_owned()
    } else if NOT_UNDERSTOOD.contains(&kind) && !message.contains(TOO_MUCH) {
        format!("{NO_TDS}: {message}")
    } else {
        message.to_owned()
    }
}

/// Returns `message` without the library's own words before the reason.
fn bare(message: &str) -> &str {
    message.rsplit("performing I/O: ").next().unwrap_or(message)
}

/// Returns the server's error as evidence, with what the message leaves out.
fn evidence(error: &CallError) -> String {
    let tds = match error {
        CallError::Tds(tds) => tds,
        CallError::Replayed { evidence, .. } => return evidence.clone(),
        error @ (CallError::Secret(_)
        | CallError::Authorities(_)
        | CallError::Resolve(_)
        | CallError::Connect(_)
        | CallError::Tunnel(_)
        | CallError::Silent(_)
        | CallError::NoRow
        | CallError::Redirected { .. }
        | CallError::RedirectedAgain(_)
        | CallError::GaveUp) => return error.to_string(),
    };
    match tds {
        TdsError::Server(error) => said(error),
        TdsError::Tls(text) => first_sentence(text),
        TdsError::Io { message, .. } => bare(message).to_owned(),
        TdsError::Protocol(_)
        | TdsError::Encoding(_)
        | TdsError::Conversion(_)
        | TdsError::Utf8
        | TdsError::Utf16
        | TdsError::ParseInt(_)
        | TdsError::BulkInput(_)
        | TdsError::Routing { .. } => tds.to_string(),
    }
}

fn said(error: &TokenError) -> String {
    let (number, severity, state) = (error.code(), error.class(), error.state());
    format!("error {number}, severity {severity}, state {state}: {}", error.message())
}

/// Returns the first sentence, without the library's advice to programmers and the times in a date
/// fault.
fn first_sentence(text: &str) -> String {
    let advice = [". To connect anyway", ". The SQL Server presented", ": verification time"];
    let end = advice.iter().filter_map(|words| text.find(words)).min();
    end.and_then(|end| text.get(..end)).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platforms::synapse::transient::{PASSING as PASSING_NUMBERS, PASSING_OF_AZURE};
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn every_number_has_its_cause_class_and_attempts() {
        let table: &[(&[u32], Cause, Class, usize)] = &[
            (&[18452, 18456, 18470, 18486], Cause::LoginRefused, Class::Denied, 1),
            (&[18487, 18488], Cause::LoginExpired, Class::Expired, 1),
            (&[40615, 40914, 47073], Cause::Firewall, Class::Denied, 1),
            (&[40531, 40532], Cause::WrongServer, Class::Invalid, 1),
            (&[40892, 42108], Cause::Paused, Class::Invalid, 1),
            (&[4060], Cause::Unopened, Class::Unavailable, 2),
            (&[911, 4064], Cause::NoDatabase, Class::Missing, 1),
            (&[916], Cause::NoAccess, Class::Denied, 1),
            (&[229, 230, 262, 297, 300, 15247], Cause::NoPermission, Class::Denied, 1),
            (&[195, 208, 2812, 4121], Cause::NoObject, Class::Missing, 1),
            (&[103_010, 104_000, 104_409, 104_999], Cause::Unsupported, Class::Invalid, 1),
            (&THROTTLED, Cause::Throttled, Class::Throttled, 3),
            (&PASSING_NUMBERS, Cause::Busy, Class::Unavailable, 3),
            (&PASSING_OF_AZURE, Cause::Busy, Class::Unavailable, 3),
            (&BROKEN, Cause::NoConnection, Class::Unreachable, 3),
            (&[102, 50000, 110_802], Cause::Refused, Class::Denied, 1),
        ];
        let of = |number, severity, message| {
            Cause::of_answer(Number { number, severity }, message, Stage::LogIn)
        };
        for (numbers, cause, class, attempts) in table {
            for number in *numbers {
                assert_eq!(of(*number, 16, "m"), *cause, "{number}");
            }
            assert_eq!((cause.class(), cause.waits().len() + 1), (*class, *attempts), "{cause:?}");
        }
        let expired = "Login failed for user '<token-identified principal>'. Token is expired.";
        assert_eq!(of(18456, 14, expired), Cause::LoginExpired);
        assert_eq!(of(9002, 17, "log full"), Cause::Internal);
        assert_eq!(of(42108, 20, "paused"), Cause::Paused);
    }

    #[test]
    fn failure_before_the_server_speaks_is_doubtful() {
        use crate::platforms::failure::Cause as _;
        let own = [Cause::LoginRefused, Cause::NoDatabase, Cause::NoPermission, Cause::Firewall];
        assert!(own.iter().all(|cause| !cause.is_doubtful()));
        let others = [
            Cause::NoToken(Class::Denied),
            Cause::NoTls,
            Cause::TlsFailed,
            Cause::ExpiredCertificate,
            Cause::UnexpectedResponse,
        ];
        assert!(others.iter().all(failure::Cause::is_doubtful));
    }

    #[test]
    fn failure_of_a_statement_differs_from_one_of_the_log_in() {
        let answer = |number| {
            let error = Number { number, severity: 16 };
            Cause::of_answer(error, "m", Stage::Statement)
        };
        assert_eq!(answer(102), Cause::OtherAnswer);
        assert_eq!(answer(102).class(), Class::Unavailable);
        assert_eq!(answer(229), Cause::NoPermission);
        let cut = || CallError::Tds(TdsError::from(io::Error::from(ErrorKind::ConnectionReset)));
        let silent = || CallError::Silent(Duration::from_secs(1));
        for (error, cause) in [
            (cut(), Cause::Interrupted),
            (silent(), Cause::Interrupted),
            (CallError::NoRow, Cause::UnexpectedResponse),
        ] {
            assert_eq!(Cause::of(&error, Stage::Statement), cause, "{error:?}");
        }
        assert_eq!(Cause::of(&silent(), Stage::LogIn), Cause::Silent);
    }

    #[test]
    fn alert_of_tls_is_a_refusal_of_the_server() {
        let message = "received fatal alert: HandshakeFailure".to_owned();
        let errors = [
            TdsError::Io { kind: ErrorKind::InvalidData, message: message.clone() },
            TdsError::Tls(message),
        ];
        for error in errors {
            let failure = Failure::of(&error.into(), Stage::LogIn, &Redactor::default());
            assert_eq!((failure.cause, failure.class), (Cause::TlsRefused, Class::Invalid));
            assert!(failure.detail.contains("HandshakeFailure"), "{failure:?}");
            assert!(!failure.detail.contains("TDS"), "{failure:?}");
        }
    }

    #[test]
    fn each_fault_before_the_server_has_a_cause() {
        let io = |kind| CallError::Tds(TdsError::from(io::Error::from(kind)));
        let table = [
            (io(ErrorKind::ConnectionReset), Cause::NoConnection),
            (io(ErrorKind::UnexpectedEof), Cause::NoConnection),
            (io(ErrorKind::TimedOut), Cause::Silent),
            (io(ErrorKind::InvalidData), Cause::UnexpectedResponse),
            (io(ErrorKind::Other), Cause::UnexpectedResponse),
            (io(ErrorKind::FileTooLarge), Cause::UnexpectedResponse),
            (io(ErrorKind::NetworkUnreachable), Cause::Local),
            (CallError::Connect(ErrorKind::ConnectionRefused.into()), Cause::NoConnection),
            (CallError::Connect(io::Error::from_raw_os_error(24)), Cause::Local),
            (CallError::Resolve(ErrorKind::Other.into()), Cause::Unresolved),
            (CallError::Silent(Duration::from_secs(1)), Cause::Silent),
            (CallError::NoRow, Cause::UnexpectedResponse),
            (CallError::GaveUp, Cause::UnexpectedResponse),
            (CallError::Redirected { host: "h".to_owned() }, Cause::Redirected),
            (CallError::RedirectedAgain(2), Cause::Redirected),
            (TdsError::Protocol(NO_ENCRYPTION.into()).into(), Cause::NoTls),
            (TdsError::Protocol("x".into()).into(), Cause::UnexpectedResponse),
            (TdsError::Utf16.into(), Cause::UnexpectedResponse),
            (TdsError::Tls("no usable CA certificates found".to_owned()).into(), Cause::Local),
        ];
        for (error, cause) in table {
            assert_eq!(Cause::of(&error, Stage::LogIn), cause, "{error:?}");
        }
    }

    #[test]
    fn certificate_faults_differ_by_the_text_of_the_library() {
        let said = |error: rustls::CertificateError| {
            let rejected = format!(
                "the server's certificate was rejected during the TLS handshake: {error}. To \
                connect anyway you can: (1) trust everything"
            );
            Failure::of(&TdsError::Tls(rejected).into(), Stage::LogIn, &Redactor::default())
        };
        let expired = said(rustls::CertificateError::Expired);
        assert_eq!(expired.cause, Cause::ExpiredCertificate);
        let dated = rustls::CertificateError::ExpiredContext {
            time: rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(9)),
            not_after: rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(5)),
        };
        let dated = said(dated);
        assert_eq!(dated.cause, Cause::ExpiredCertificate);
        assert!(dated.detail.ends_with("certificate expired."), "{}", dated.detail);
        let unknown = said(rustls::CertificateError::UnknownIssuer);
        assert_eq!(unknown.cause, Cause::TlsFailed);
        assert!(unknown.detail.ends_with("UnknownIssuer."), "{}", unknown.detail);
        let other =
            rustls::CertificateError::Other(rustls::OtherError(Arc::new(io::Error::other("x"))));
        assert_eq!(said(other).cause, Cause::TlsFailed);
    }

    #[test]
    fn echoed_secret_is_removed_and_the_text_is_bounded() {
        let redactor = Redactor::default();
        redactor.learn_text("hunter2");
        let said = |text: &str| {
            let text = text.to_owned();
            Failure::of(
                &TdsError::Io { kind: ErrorKind::BrokenPipe, message: text }.into(),
                Stage::LogIn,
                &redactor,
            )
        };
        let failure = said("bad\npassword \u{202e}hunter2\u{7} for you");
        assert_eq!(failure.detail, "Bad password [REDACTED] for you.");
        assert_eq!(failure.evidence.unwrap(), "bad password [REDACTED] for you");
        assert_eq!(said(&"x".repeat(9999)).detail.chars().count(), DETAIL_MAX);
    }
}
