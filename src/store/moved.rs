//! Moves of everything from one engine to another.

use crate::domain::Timestamp;

/// Move that is complete.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Moved {
    /// Former place of the rows: a path, or an address without a password.
    pub(crate) from: String,
    /// Place of the rows from now on.
    pub(crate) to: String,
    /// Instant of the move.
    pub(crate) at: Timestamp,
    /// Number of rows by table, in the order in which they were moved; empty when an interrupted move was ended.
    pub(crate) rows: Vec<(&'static str, u64)>,
    /// True when this ended a move that was interrupted after its commit.
    pub(crate) is_resumed: bool,
}

impl Moved {
    /// Returns the number of rows of all tables.
    pub(crate) fn total(&self) -> u64 {
        self.rows.iter().map(|(_, rows)| rows).sum()
    }
}
