//! The facade over the database: what every other floor may ask of it.
//!
//! Writers go through one thread of their own, which groups waiting commands into one transaction
//! and answers only after its commit; readers have connections of their own. Statuses change here
//! and nowhere else, always by [`crate::domain::next_status`], and what a change owes its
//! receivers is written in the same transaction.

mod holds;
mod page;
mod random;
mod receivers;
mod rows;
mod sqlite;
mod types;

pub(crate) use holds::{HoldRow, NewSilence, OutageRow, OwnFaultRow, Released, SilenceRow};
pub(crate) use page::{Cursor, Listed, PAGE_MAX, Page, each_page};
pub(crate) use receivers::{ReceiverRow, Redelivered, Replayed};
pub(crate) use rows::{
    AttemptRow, DeliveryFilter, DeliveryRow, HistoryRow, IntegrationRow, RunRow, StandingRow,
    TargetRow, TransitionRow,
};
pub(crate) use sqlite::{Control, Store, View};
#[cfg(test)]
pub(crate) use sqlite::{Disk, Entry, Fate, Memory};
pub(crate) use types::{
    Began, Due, PendingDelivery, Pruned, Retention, StoreError, Surplus, Synced,
};

pub(crate) use crate::domain::ledger::{
    Attempt, Begun, DeliveryState, Disabled, Finished, NotificationContext, Recorded, StoredReport,
    StoredTest, SubjectRun, Trigger, Wanted,
};
