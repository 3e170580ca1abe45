//! Causes of failures, with their classes and the waits before further attempts.

use std::time::Duration;

use crate::domain::Class;

/// Waits before further attempts to open a session, where the fault may pass.
const PASSING: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(3)];
/// Wait before the one further attempt, where the fault passes soon or not at all.
const SHORT: &[Duration] = &[Duration::from_secs(1)];

/// Causes of failures, as far as class, retries or remediation differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "camelCase", const_into_str)]
pub(super) enum Cause {
    /// The user may not log in: password, user or expiry (SQLSTATE 28xxx).
    LoginRefused,
    /// The server accepts no connection from here, or not this user, or not into this database (28000 with
    /// `pg_hba.conf` in its words). The password was not looked at.
    NoEntry,
    /// The log-in is refused with a SQLSTATE that is documented nowhere for it.
    Refused,
    /// The password is kept as a digest that only Amazon's own drivers can log in with.
    DigestAuthentication,
    /// The server wants an authentication that we do not speak.
    OtherAuthentication,
    /// The database does not exist, or no longer (3D000, 57P04).
    NoDatabase,
    /// A privilege is missing (42501).
    NoPrivilege,
    /// A relation does not exist (42P01).
    NoRelation,
    /// The database accepts no connections (55000).
    NotAccepting,
    /// There are too many connections (53300).
    TooManyConnections,
    /// The server starts, stops, is short of something or cancelled the statement.
    Busy,
    /// The server met an error of its own (`XXxxx`).
    Internal,
    /// The server does not understand or allow the statement (0A, 22, 42).
    WrongStatement,
    /// The server said anything else about a statement.
    OtherAnswer,
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
    /// The server does not offer TLS.
    NoTls,
    /// The server refuses TLS by an alert.
    TlsRefused,
    /// The server's certificate has expired.
    ExpiredCertificate,
    /// TLS failed in another way, as a rule because of the server's certificate.
    TlsFailed,
    /// The answer is not of the protocol.
    UnexpectedResponse,
    /// The server announced or sent more than is accepted.
    Excess,
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
            | Self::NoEntry
            | Self::Refused
            | Self::NoPrivilege
            | Self::ProxyDenied => Class::Denied,
            Self::NoDatabase | Self::NoRelation => Class::Missing,
            Self::DigestAuthentication
            | Self::OtherAuthentication
            | Self::NotAccepting
            | Self::WrongStatement
            | Self::NoTls
            | Self::TlsRefused
            | Self::TlsFailed
            | Self::UnexpectedResponse => Class::Invalid,
            Self::ExpiredCertificate => Class::Expired,
            Self::Unresolved
            | Self::NoTunnel
            | Self::NoConnection
            | Self::Silent
            | Self::Interrupted => Class::Unreachable,
            Self::TooManyConnections => Class::Throttled,
            Self::Busy | Self::Internal | Self::OtherAnswer | Self::Excess => Class::Unavailable,
            Self::Local => Class::Local,
        }
    }

    /// Returns the waits before each further attempt to connect within one run. A refused log-in is
    /// never repeated: accounts get locked. 55000 and XX000 pass at times, so they are retried
    /// once.
    pub(super) const fn waits(self) -> &'static [Duration] {
        match self {
            Self::TooManyConnections
            | Self::Busy
            | Self::Unresolved
            | Self::NoTunnel
            | Self::NoConnection
            | Self::Silent => PASSING,
            Self::NotAccepting | Self::Internal => SHORT,
            Self::LoginRefused
            | Self::NoEntry
            | Self::Refused
            | Self::ProxyDenied
            | Self::DigestAuthentication
            | Self::OtherAuthentication
            | Self::NoDatabase
            | Self::NoPrivilege
            | Self::NoRelation
            | Self::WrongStatement
            | Self::OtherAnswer
            | Self::Interrupted
            | Self::NoTls
            | Self::TlsRefused
            | Self::ExpiredCertificate
            | Self::TlsFailed
            | Self::UnexpectedResponse
            | Self::Excess
            | Self::Local => &[],
        }
    }
}
