//! Load, decide, apply: how a decision of the ledger is made in a transaction.

use rusqlite::Connection;

use super::super::random;
use super::StoreError;
use super::apply::apply;
use super::load::answer;
use super::run::Prepared;
use crate::domain::RunId;
use crate::domain::Timestamp;
use crate::domain::ledger::{Answer, Case, Decided, Decision, Effect, Need, Row};

/// A decision that is to be made, with what the caller has loaded for it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked<'a> {
    /// The row at hand, as the database has it.
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

impl Asked<'_> {
    /// Asks `ledger` until it needs nothing more, then applies its decision; returns its answer.
    pub(super) fn decide<T>(
        &self,
        tx: &Connection,
        ledger: impl Fn(&Case) -> Decided<Decision<T>>,
    ) -> Result<T, StoreError> {
        let mut case = Case::new(self.run.map_or(RunId(0), |run| run.id));
        loop {
            match ledger(&case) {
                Ok(decision) => {
                    self.apply_all(tx, &decision.effects)?;
                    return Ok(decision.answer);
                }
                Err(need) => {
                    let found = if matches!(need, Need::Random) {
                        Answer::Random(random::bytes()?)
                    } else {
                        answer(tx, &need, self.now)?
                    };
                    // What is answered once is there from then on, so that this ends.
                    if !case.answer(need, found) {
                        return Err(StoreError::Undecided);
                    }
                }
            }
        }
    }

    /// Applies effects that were decided without evidence.
    pub(super) fn apply_all(&self, tx: &Connection, effects: &[Effect]) -> Result<(), StoreError> {
        effects.iter().try_for_each(|effect| apply(tx, effect, self))
    }
}
