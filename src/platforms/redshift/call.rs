//! Errors of calls, before they are sorted into causes.

use std::io;
use std::time::Duration;

use super::cause::Cause;
use super::stream::{Exceeded, Excess};
use crate::domain::duration_text;
use crate::net::tcp::{NoConnection, NoTunnel};
use crate::net::tls::TlsError;
use crate::secrets::SecretError;

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The password is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// TLS cannot be set up on our side.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The name service did not give an address.
    #[error("the host name cannot be resolved")]
    Resolve(#[source] io::Error),
    /// TCP did not connect.
    #[error("no connection")]
    Connect(#[source] io::Error),
    /// The proxy gave no connection.
    #[error(transparent)]
    Tunnel(NoTunnel),
    /// The server took too long to let us in.
    #[error("no answer within {}", duration_text(*.0))]
    Silent(Duration),
    /// The server answered `SELECT 1` without a row.
    #[error("`SELECT 1` gave no row")]
    NoRow,
    /// The server announced or sent more than is accepted.
    #[error(transparent)]
    Excess(#[from] Excess),
    /// Failure of the session, from the TLS handshake on.
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    /// Failure of a recorded session, which a replay gives back.
    #[error("{evidence}")]
    Replayed {
        /// Cause that was found.
        cause: Cause,
        /// Error of the recorded run, in one line.
        evidence: String,
    },
}

impl CallError {
    /// Returns the bound that the session exceeded, which ended it, or else `error`.
    pub(super) fn or_excess(error: Self, exceeded: &Exceeded) -> Self {
        exceeded.get().map_or(error, Self::Excess)
    }
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

/// Returns the server's own error, if `error` is one.
pub(super) fn database_error(error: &CallError) -> Option<&tokio_postgres::error::DbError> {
    match error {
        CallError::Postgres(error) => error.as_db_error(),
        CallError::Secret(_)
        | CallError::Tls(_)
        | CallError::Resolve(_)
        | CallError::Connect(_)
        | CallError::Tunnel(_)
        | CallError::Silent(_)
        | CallError::Excess(_)
        | CallError::Replayed { .. }
        | CallError::NoRow => None,
    }
}
