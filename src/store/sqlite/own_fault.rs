//! Faults on the daemon's own side: their beginnings and ends.

use rusqlite::Connection;

use super::asked::Asked;
use super::{NotificationContext, StoreError};
use crate::domain::OwnFault;
use crate::domain::ledger::{self, NodeFault};

/// Remembers that `fault` lasts, and notifies receivers when that is new; returns true then.
pub(super) fn begin(
    tx: &Connection,
    fault: OwnFault,
    message: &str,
    context: &NotificationContext,
) -> Result<bool, StoreError> {
    let asked = Asked { now: context.now, ..Asked::default() };
    let begun = || NodeFault { fault, message: message.to_owned(), node: None };
    asked.decide(tx, |case| ledger::begin_fault(case, begun(), context))
}

/// Ends `fault`, and notifies receivers when it lasted; returns true then.
pub(super) fn end(
    tx: &Connection,
    fault: OwnFault,
    context: &NotificationContext,
) -> Result<bool, StoreError> {
    let asked = Asked { now: context.now, ..Asked::default() };
    asked.decide(tx, |case| ledger::end_fault(case, fault, context))
}
