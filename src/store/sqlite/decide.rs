//! Load, decide, apply: how a decision of the ledger is made in a transaction.

use rusqlite::Connection;

use super::super::random;
use super::StoreError;
use super::apply::apply;
use super::asked::Asked;
use super::load::answer;
use crate::domain::RunId;
use crate::domain::ledger::{Answer, Case, Decided, Decision, Effect, Need};

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
