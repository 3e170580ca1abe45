//! Begin and end of the daemon's own faults.

use super::StoreError;
use super::asked::Asked;
use super::tx::Tx;
use crate::domain::OwnFault;
use crate::domain::ledger::{self, NotificationContext};

/// Remembers that `fault` lasts, and notifies receivers when that is new; returns true then.
pub(super) async fn begin(
    tx: &Tx,
    fault: OwnFault,
    message: &str,
    context: &NotificationContext,
) -> Result<bool, StoreError> {
    let asked = Asked { now: context.now, ..Asked::default() };
    asked.decide(tx, |case| ledger::begin_fault(case, fault, message, context)).await
}

/// Ends `fault`, and notifies receivers when it lasted; returns true then.
pub(super) async fn end(
    tx: &Tx,
    fault: OwnFault,
    context: &NotificationContext,
) -> Result<bool, StoreError> {
    let asked = Asked { now: context.now, ..Asked::default() };
    asked.decide(tx, |case| ledger::end_fault(case, fault, context)).await
}
