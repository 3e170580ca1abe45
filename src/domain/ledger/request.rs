//! Runs that people ask for, out of turn.

use super::draft::Decision;
use super::effects::Effect;
use super::finished::Trigger;
use super::row::Row;
use crate::domain::{Status, Timestamp};

/// Result of asking for a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Requested {
    /// It is due now.
    Due,
    /// A run is under way that began before; another one follows it.
    AfterRun,
    /// Nothing runs while the integration has this status.
    NotValidated(Status),
}

/// Decides to make an integration due now. Mutes, incidents and counters stay: the run is judged as any
/// other.
pub(crate) fn request(row: &Row, now: Timestamp) -> Decision<Requested> {
    if !row.status.is_validated() {
        return Decision { effects: Vec::new(), answer: Requested::NotValidated(row.status) };
    }
    let trigger = Trigger::Request;
    let effects = vec![Effect::MakeDue { integration: row.id, at: now, trigger }];
    let answer = if row.is_leased(now) { Requested::AfterRun } else { Requested::Due };
    Decision { effects, answer }
}
