//! The facade over the database: what every other floor may ask of it, whatever the engine.
//!
//! Inputs, answers and errors here are the same for every engine. An engine loads the cases of the ledger
//! ([`crate::domain::ledger`]), applies its effects in one transaction, and answers after the commit;
//! readers never wait for writers.

mod across;
mod audit;
mod backup;
mod condition;
#[cfg(test)]
mod conformance;
mod error;
mod facade;
mod forms;
mod in_use;
mod merge;
mod moved;
mod mutes;
mod node;
mod outbox;
mod page;
#[cfg(feature = "postgres")]
mod postgres;
mod random;
mod receivers;
mod restore;
mod retention;
mod rows;
mod run;
mod sharing;
#[cfg(all(test, feature = "postgres"))]
mod simulated;
mod since_boot;
mod sqlite;
mod sync;
mod timeline;

pub(crate) use across::{Attributed, ExpiryRow, Position, RunFilter, TransitionFilter};
pub(crate) use audit::{Act, AuditFilter, AuditRow};
pub(crate) use backup::{
    Backup, Contents, KeptBackup, Manner, NewBackup, backups, migration_copies,
};
#[cfg(test)]
pub(crate) use condition::BrokenRule;
pub(crate) use condition::{Compacted, Condition, Space, TableSize};
#[cfg(all(test, feature = "postgres"))]
pub(crate) use conformance::server::{run as run_script, script as server_script};
pub(crate) use error::StoreError;
pub(crate) use facade::{
    Control, Restore, Store, View, compact, damaged, examine, is_in_use, make_backup, problems,
    to_file, to_server, versions,
};
pub(crate) use in_use::{InUse, KeptRow};
pub(crate) use moved::Moved;
pub(crate) use mutes::{MuteRow, NoticeRow, OutageRow, OwnFaultRow, Released, SilenceRow};
pub(crate) use node::{
    Absent, Beat, Drain, FreedNode, KnownNode, Loss, NodeNote, NodeRow, Opening, ProcessId,
};
pub(crate) use outbox::{Capacity, PendingDelivery, Redelivered, Replayed, Resend, Span};
pub(crate) use page::{Cursor, Listed, PAGE_MAX, Page, each_page};
#[cfg(all(test, feature = "postgres"))]
pub(crate) use postgres::Hazard;
pub(crate) use receivers::{EventRow, Events, PendingTypes, ReceiverRow};
pub(crate) use restore::RestorePlan;
pub(crate) use retention::{Pruned, Retention, Surplus};
#[cfg(test)]
pub(crate) use rows::Took;
pub(crate) use rows::{
    AttemptRow, CandidateRow, DeliveryFilter, DeliveryRow, HistoryRow, IntegrationRow, Mark,
    RunRow, StatusRow, TargetRow, TransitionRow,
};
pub(crate) use run::{Began, Due, Site};
pub(crate) use sharing::{SharingRow, Surroundings};
#[cfg(all(test, feature = "postgres"))]
pub(crate) use simulated::{Machine, Trick, wall};
pub(crate) use since_boot::since_boot;
#[cfg(test)]
pub(crate) use sqlite::{Disk, Entry, Fate, IntegrationEntry, Memory};
pub(crate) use sync::{Configured, Publishing, Synced};
pub(crate) use timeline::TimelineRow;

pub(crate) use crate::domain::ledger::Stored as StoredIntegration;
pub(crate) use crate::domain::ledger::{
    Attempt, Begun, DeliveryState, Disabled, Finished, NewSilence, NoticeState,
    NotificationContext, Placed, Recorded, Requested, StoredReport, StoredTest, SubjectRun,
    Trigger, Wanted,
};
