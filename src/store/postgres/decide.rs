//! Load, decide, apply: how a decision of the ledger is made in a transaction.

use super::apply::apply;
use super::asked::Asked;
use super::load::answer;
use super::tx::Tx;
use super::{StoreError, gate, lane};
use crate::domain::RunId;
use crate::domain::ledger::{Answer, Case, Decided, Decision, Effect, Need, QueueChange};
use crate::store::random;

impl Asked<'_> {
    /// Asks `ledger` until it needs nothing more, then applies its decision; returns its answer.
    pub(super) async fn decide<T>(
        &self,
        tx: &Tx,
        ledger: impl Fn(&Case) -> Decided<Decision<T>>,
    ) -> Result<T, StoreError> {
        let Decision { effects, answer } = self.decided(tx, ledger).await?;
        self.apply_all(tx, &effects).await?;
        Ok(answer)
    }

    /// Asks `ledger` until it needs nothing more; returns its decision.
    pub(super) async fn decided<T>(
        &self,
        tx: &Tx,
        ledger: impl Fn(&Case) -> Decided<Decision<T>>,
    ) -> Result<Decision<T>, StoreError> {
        let mut case = Case::new(self.run.map_or(RunId(0), |run| run.id));
        loop {
            let need = match ledger(&case) {
                Ok(decision) => return Ok(decision),
                Err(need) => need,
            };
            let found = if matches!(need, Need::Random) {
                Answer::Random(random::bytes()?)
            } else {
                answer(tx, &need, self.now).await?
            };
            // What is answered once is there from then on, so that this ends.
            if !case.answer(need, found) {
                return Err(StoreError::Undecided);
            }
        }
    }

    /// Applies effects that were decided. Lanes are locked before the gate of events, all in their order.
    pub(super) async fn apply_all(&self, tx: &Tx, effects: &[Effect]) -> Result<(), StoreError> {
        let mut lanes = effects.iter().filter_map(lane_of).collect::<Vec<_>>();
        lanes.sort_unstable();
        lanes.dedup();
        if !lanes.is_empty() {
            lane::lock_sorted(tx, &lanes).await?;
        }
        if effects.iter().any(|effect| matches!(effect, Effect::InsertEvent(_))) {
            gate::lock(tx, gate::EVENTS).await?;
        }
        for effect in effects {
            apply(tx, effect, self).await?;
        }
        Ok(())
    }
}

/// Returns the lane to which an effect adds, or which it changes, by its name.
fn lane_of(effect: &Effect) -> Option<(&str, i64)> {
    let Effect::Queue(change) = effect else { return None };
    match change {
        QueueChange::Enqueue { receiver, integration, .. }
        | QueueChange::Insert { receiver, integration, .. }
        | QueueChange::RequeueHead { receiver, integration, .. } => {
            Some((receiver, integration.map_or(0, |id| id.0)))
        }
        QueueChange::Requeue(_)
        | QueueChange::Expire { .. }
        | QueueChange::Advance { .. }
        | QueueChange::ProbeNow { .. }
        | QueueChange::Refresh { .. } => None,
    }
}
