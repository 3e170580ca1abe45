//! The facade over the database: what every other floor may ask of it.
//!
//! Writers go through one thread of their own, which groups waiting commands into one transaction
//! and answers only after its commit; readers have connections of their own. Statuses change here
//! and nowhere else, always by [`crate::domain::next_status`], and what a change owes its
//! receivers is written in the same transaction.

mod sqlite;
mod types;

pub(crate) use sqlite::{Store, View};
pub(crate) use types::{
    Attempt, AttemptRow, Began, Begun, DeliveryFilter, DeliveryRow, DeliveryState, Due, Finished,
    IntegrationRow, PendingDelivery, Pruned, Recorded, Retention, RunRow, StoreError, StoredReport,
    StoredTest, SubjectRun, Synced, Tell, TransitionRow, Trigger, Wanted,
};
