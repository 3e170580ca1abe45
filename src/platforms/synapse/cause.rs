//! Causes of failures, with their classes and the waits before further attempts.

use std::time::Duration;

use crate::domain::Class;

/// Waits before further attempts to open a session, where the network may be at fault.
const PASSING: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(3)];
/// Waits before further attempts, where the server has too much to do.
const BUSY: &[Duration] = &[Duration::from_secs(5), Duration::from_secs(10)];
/// Wait before the one further attempt, where the pool may be about to start.
const RESUMING: &[Duration] = &[Duration::from_secs(5)];

/// Causes of failures, as far as class, retries or remediation differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "camelCase", const_into_str)]
pub(super) enum Cause {
    /// The user, or the owner of the token, may not log in.
    LoginRefused,
    /// The log-in is refused with a number that is documented nowhere.
    Refused,
    /// The password or the token has expired.
    LoginExpired,
    /// The firewall of the workspace keeps us out.
    Firewall,
    /// No such server behind this address.
    WrongServer,
    /// The pool is paused.
    Paused,
    /// The database does not exist.
    NoDatabase,
    /// The database cannot be opened: it does not exist, is being moved, or the user is not in it.
    Unopened,
    /// The user has no access to the database.
    NoAccess,
    /// A permission is missing.
    NoPermission,
    /// A view or a function does not exist.
    NoObject,
    /// This engine does not know the statement.
    Unsupported,
    /// The server asks for patience.
    Throttled,
    /// The server starts, moves or is short of something.
    Busy,
    /// The server met an error of its own.
    Internal,
    /// The server said anything else about a statement.
    OtherAnswer,
    /// There is no Entra token; the class is that of the endpoint's answer.
    NoToken(Class),
    /// The host name has no address.
    Unresolved,
    /// The proxy wants other credentials.
    ProxyDenied,
    /// The proxy cannot be reached, or opens no connection to the server.
    NoTunnel,
    /// There is no connection, or no longer.
    NoConnection,
    /// There is a connection, and no answer to the log-in.
    Silent,
    /// The session was cut, or a statement was not answered, after the log-in.
    Interrupted,
    /// The server does not encrypt.
    NoTls,
    /// The server refuses TLS by an alert.
    TlsRefused,
    /// The server's certificate has expired.
    ExpiredCertificate,
    /// TLS failed in another way, as a rule because of the server's certificate.
    TlsFailed,
    /// The server sends us elsewhere.
    Redirected,
    /// The answer is not of the protocol, or has no end.
    UnexpectedResponse,
    /// Our own side: secret, authorities, network, file descriptors.
    Local,
}

impl Cause {
    /// Returns the name, by which recordings know it.
    pub(super) const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Returns the class, which says if a retry can help.
    pub(super) const fn class(self) -> Class {
        match self {
            Self::LoginRefused
            | Self::Refused
            | Self::Firewall
            | Self::NoAccess
            | Self::NoPermission
            | Self::ProxyDenied => Class::Denied,
            Self::LoginExpired | Self::ExpiredCertificate => Class::Expired,
            Self::NoDatabase | Self::NoObject => Class::Missing,
            Self::WrongServer
            | Self::Paused
            | Self::Unsupported
            | Self::NoTls
            | Self::TlsRefused
            | Self::TlsFailed
            | Self::Redirected => Class::Invalid,
            Self::Throttled => Class::Throttled,
            Self::Busy
            | Self::Internal
            | Self::OtherAnswer
            | Self::UnexpectedResponse
            | Self::Unopened => Class::Unavailable,
            Self::NoToken(class) => class,
            Self::Unresolved
            | Self::NoTunnel
            | Self::NoConnection
            | Self::Silent
            | Self::Interrupted => Class::Unreachable,
            Self::Local => Class::Local,
        }
    }

    /// Returns the waits before each further attempt to connect within one run. Azure requires five
    /// seconds before the first; a refused log-in is never repeated, since accounts get locked. A
    /// database that cannot be opened is retried once: one that is being moved has the same number.
    pub(super) const fn waits(self) -> &'static [Duration] {
        match self {
            Self::Throttled | Self::Busy => BUSY,
            Self::Unopened | Self::Internal => RESUMING,
            Self::Unresolved | Self::NoTunnel | Self::NoConnection | Self::Silent => PASSING,
            Self::LoginRefused
            | Self::Refused
            | Self::ProxyDenied
            | Self::NoDatabase
            | Self::Interrupted
            | Self::TlsRefused
            | Self::LoginExpired
            | Self::Firewall
            | Self::WrongServer
            | Self::Paused
            | Self::NoAccess
            | Self::NoPermission
            | Self::NoObject
            | Self::Unsupported
            | Self::OtherAnswer
            | Self::NoToken(_)
            | Self::NoTls
            | Self::ExpiredCertificate
            | Self::TlsFailed
            | Self::Redirected
            | Self::UnexpectedResponse
            | Self::Local => &[],
        }
    }
}
