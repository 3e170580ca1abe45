//! Errors of calls, before they are sorted into causes.

use std::io;
use std::time::Duration;

use tiberius::error::Error as TdsError;

use super::cause::Cause;
use crate::domain::duration_text;
use crate::net::tcp::{NoConnection, NoTunnel};
use crate::net::tls::TlsError;
use crate::secrets::SecretError;

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The password, the token or the client secret is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The authorities to trust are not there.
    #[error(transparent)]
    Authorities(#[from] TlsError),
    /// The name service did not give an address.
    #[error("the host name cannot be resolved: {0}")]
    Resolve(#[source] io::Error),
    /// TCP did not connect.
    #[error("no connection: {0}")]
    Connect(#[source] io::Error),
    /// The proxy gave no connection.
    #[error(transparent)]
    Tunnel(NoTunnel),
    /// The server took too long.
    #[error("no answer within {}", duration_text(*.0))]
    Silent(Duration),
    /// The server answered `SELECT 1` without a row.
    #[error("`SELECT 1` gave no row")]
    NoRow,
    /// The server sends us where no credentials may go.
    #[error("the server redirects to [{host}], which is not an address of the same cloud")]
    Redirected {
        /// Destination of the redirection, in one line.
        host: String,
    },
    /// Redirections go on and on.
    #[error("the server redirects again after {0} redirections")]
    RedirectedAgain(usize),
    /// The library came upon something that it does not expect at all.
    #[error("what answers does not speak TDS: the library gave up")]
    GaveUp,
    /// Error of the server or of the library.
    #[error(transparent)]
    Tds(#[from] TdsError),
    /// Failure of a recorded session, which a replay gives back.
    #[error("{detail}")]
    Replayed {
        /// Cause that was found.
        cause: Cause,
        /// Reason in one line.
        detail: String,
        /// Error of the recorded run as evidence.
        evidence: String,
    },
}

impl From<NoConnection> for CallError {
    fn from(none: NoConnection) -> Self {
        match none {
            NoConnection::Resolve(error) => Self::Resolve(error),
            NoConnection::Connect(error) => Self::Connect(error),
            NoConnection::Tunnel(none) => Self::Tunnel(none),
        }
    }
}
