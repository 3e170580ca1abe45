//! Begin and end of the daemons' own faults: receivers are notified when the first node has one, and when the last one
//! has it no more.

use super::asked::Asked;
use super::tx::{Tx, transact};
use super::{Store, StoreError, fault, gate};
use crate::domain::OwnFault;
use crate::domain::ledger::{self, Case, NodeFault, NotificationContext};

impl Store {
    /// Implements [`crate::store::Store::degrade`] on this engine.
    pub(crate) async fn degrade(
        &self,
        fault: OwnFault,
        message: String,
        context: NotificationContext,
    ) -> Result<bool, StoreError> {
        let Some(_works) = self.shared.membership.works_by() else { return Ok(false) };
        let name = &self.shared.membership.name;
        transact!(self.writes()?, tx => begin(tx, name, fault, &message, &context).await)
    }

    /// Implements [`crate::store::Store::restore`] on this engine.
    pub(crate) async fn restore(
        &self,
        fault: OwnFault,
        context: NotificationContext,
    ) -> Result<bool, StoreError> {
        let name = &self.shared.membership.name;
        transact!(self.writes()?, tx => end(tx, name, fault, &context).await)
    }
}

/// Remembers that `fault` lasts, and notifies receivers when that is new; returns true then.
pub(super) async fn begin(
    tx: &Tx,
    node: &str,
    kind: OwnFault,
    message: &str,
    context: &NotificationContext,
) -> Result<bool, StoreError> {
    gate::lock(tx, gate::OWN_FAULT).await?;
    let message =
        if node.is_empty() { message.to_owned() } else { format!("node {node}: {message}") };
    let asked = Asked { now: context.now, ..Asked::default() };
    let of = Some(fault::owner(kind, node)).filter(|node| !node.is_empty()).map(str::to_owned);
    let raised = NodeFault { fault: kind, message: message.clone(), node: of };
    let begin = |case: &Case| ledger::begin_fault(case, raised.clone(), context);
    let is_new = asked.decide(tx, begin).await?;
    fault::own(tx, node, kind, &message, context.now).await?;
    Ok(is_new)
}

/// Ends `fault`, and notifies receivers when it lasted; returns true then.
pub(super) async fn end(
    tx: &Tx,
    node: &str,
    kind: OwnFault,
    context: &NotificationContext,
) -> Result<bool, StoreError> {
    gate::lock(tx, gate::OWN_FAULT).await?;
    if fault::end_own(tx, node, kind).await? {
        return Ok(false);
    }
    let asked = Asked { now: context.now, ..Asked::default() };
    asked.decide(tx, |case| ledger::end_fault(case, kind, context)).await
}

/// Ends the faults of nodes that are not alive.
pub(super) async fn end_of_dead(tx: &Tx, context: &NotificationContext) -> Result<(), StoreError> {
    for (node, kind) in fault::of_dead(tx).await? {
        end(tx, &node, kind, context).await?;
    }
    Ok(())
}
