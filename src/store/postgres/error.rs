//! Errors of `PostgreSQL`, as the store's: what may be tried again, and what is not known.

use tokio_postgres::error::{DbError, Severity, SqlState};

use super::StoreError;

/// Failure of a statement, a transaction or a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// No host of the address gives a connection.
    #[error("the store cannot be reached ({0})")]
    Unreachable(String),
    /// The server refuses a statement, or the connection is lost meanwhile.
    #[error(transparent)]
    Statement(#[from] tokio_postgres::Error),
    /// The server does not answer a statement.
    #[error("the store does not answer")]
    Silent,
    /// The fate of the transaction is not known: its COMMIT was sent, and no answer came.
    #[error("it is not known whether the transaction was committed")]
    Unknown,
    /// Another transaction has changed what a decision of this one rests on.
    #[error("another transaction came in between")]
    Conflict,
    /// This process has not been able to say that it is alive for so long that others may free its leases.
    #[error("the store was not reached for too long; nothing is written until it is")]
    Late,
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        Self::Engine(Box::new(fault))
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        Fault::from(error).into()
    }
}

impl Fault {
    /// Returns true when the same transaction may succeed when it is run again, and has not been committed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Silent | Self::Conflict => true,
            Self::Statement(error) => error.as_db_error().is_none_or(is_transient),
            Self::Unknown | Self::Late => false,
        }
    }
}

/// Returns true for failures that pass by themselves: serialization, deadlocks, waits for locks, rows that another
/// transaction has inserted at the same time, and servers that stop, start or give way to another.
fn is_transient(error: &DbError) -> bool {
    let code = error.code();
    let passing = [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::LOCK_NOT_AVAILABLE,
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::FOREIGN_KEY_VIOLATION,
        &SqlState::READ_ONLY_SQL_TRANSACTION,
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        &SqlState::TOO_MANY_CONNECTIONS,
    ];
    passing.contains(&code) || is_end(error)
}

/// Returns true when the server ends the connection with this error, or is about to.
pub(super) fn is_end(error: &DbError) -> bool {
    let is_fatal = matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    is_fatal || error.code().code().starts_with("57P") || error.code().code().starts_with("08")
}

impl StoreError {
    /// Returns the reason for which the server of the store cannot be reached, when that is the error: it passes by
    /// itself.
    pub(crate) fn unreachable(&self) -> Option<String> {
        match self.fault()? {
            Fault::Unreachable(reason) => Some(reason.clone()),
            Fault::Silent => Some("no answer".to_owned()),
            Fault::Late => Some("not reached for too long".to_owned()),
            Fault::Statement(error) if error.as_db_error().is_none_or(is_end) => {
                Some("the connection is lost".to_owned())
            }
            Fault::Statement(_) | Fault::Unknown | Fault::Conflict => None,
        }
    }

    /// Returns the fault of this engine, if the error is one.
    pub(super) fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Engine(error) => error.downcast_ref(),
            Self::Damaged { .. }
            | Self::Inconsistent { .. }
            | Self::Document { .. }
            | Self::File { .. }
            | Self::InUse { .. }
            | Self::Newer { .. }
            | Self::Server { .. }
            | Self::Occupied { .. }
            | Self::Busy
            | Self::TooSlow
            | Self::WrongCursor
            | Self::Commit(_)
            | Self::Random
            | Self::Undecided
            | Self::Stopped => None,
        }
    }
}
