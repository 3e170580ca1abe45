//! Rows and runs that a caller has loaded for a decision, to which effects refer.

use super::prepared::Prepared;
use crate::domain::ledger::Row;
use crate::domain::{RunId, Timestamp};

/// A decision that is to be made, with what the caller has loaded for it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked<'a> {
    /// The row at hand, locked, as the database has it.
    pub(super) row: Option<&'a Row>,
    /// The run at hand.
    pub(super) run: Option<Recording<'a>>,
    /// The instant of the decision.
    pub(super) now: Timestamp,
}

/// A run that is being recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recording<'a> {
    /// The id that it gets.
    pub(super) id: RunId,
    /// Its results, written out.
    pub(super) prepared: &'a Prepared,
}
