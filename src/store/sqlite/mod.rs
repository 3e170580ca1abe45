//! The embedded engine: `SQLite`, the only place that knows SQL.
//!
//! Signatures agreed between floors; bodies to be written.

use std::path::Path;
use std::time::Duration;

use super::types::*;
use crate::domain::{IntegrationId, Timestamp};

/// Writes: one thread of its own behind this handle. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) struct Store {}

/// Reads, on connections of its own; also beside a running daemon. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) struct View {}

impl Store {
    /// Opens or creates the database, takes the file lock that makes a second daemon impossible,
    /// migrates, clears leases of a crashed predecessor and starts the writer thread.
    pub(crate) fn open(_path: &Path) -> Result<Self, StoreError> {
        unimplemented!()
    }
    /// The reading side.
    pub(crate) fn view(&self) -> View {
        unimplemented!()
    }
    /// Brings the rows in line with the configuration. At start-up, what came due in the meantime is made due once, spread.
    pub(crate) async fn sync(
        &self,
        _wanted: Vec<Wanted>,
        _startup: bool,
        _tell: Tell,
    ) -> Result<Synced, StoreError> {
        unimplemented!()
    }
    /// Starts a run if it is due: guarded update, lease until `now + lease`.
    pub(crate) async fn begin(
        &self,
        _id: IntegrationId,
        _lease: Duration,
        _now: Timestamp,
    ) -> Result<Began, StoreError> {
        unimplemented!()
    }
    /// Records a finished run: run, results, counters, status, transition, event, deliveries, next_run_at, lease; or nothing.
    pub(crate) async fn record(
        &self,
        _finished: Finished,
        _tell: Tell,
    ) -> Result<Recorded, StoreError> {
        unimplemented!()
    }
    /// Gives a lease back without a result (shutdown); the run stays due.
    pub(crate) async fn release(&self, _begun: Begun) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Ends removals: rows in `deleting` without a lease become `deleted`.
    pub(crate) async fn drain_removed(&self, _tell: Tell) -> Result<Synced, StoreError> {
        unimplemented!()
    }
    /// Leases what may be sent now: per receiver and integration only the first pending one, at most `room[receiver]` per receiver.
    pub(crate) async fn claim(
        &self,
        _room: std::collections::BTreeMap<String, u32>,
        _lease: Duration,
        _now: Timestamp,
    ) -> Result<Vec<PendingDelivery>, StoreError> {
        unimplemented!()
    }
    /// Records an attempt: attempt row and delivery state.
    pub(crate) async fn record_attempt(&self, _attempt: Attempt) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Deletes one batch of old history; never what is still owed.
    pub(crate) async fn prune(
        &self,
        _retention: Retention,
        _now: Timestamp,
    ) -> Result<Pruned, StoreError> {
        unimplemented!()
    }
    /// Waits for queued writes, checkpoints and stops the writer thread.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        unimplemented!()
    }
}

impl View {
    /// Opens an existing database for reading only, beside a daemon or without one.
    pub(crate) fn open(_path: &Path) -> Result<Self, StoreError> {
        unimplemented!()
    }
    /// Rows that are due at `now` and not leased, longest overdue first.
    pub(crate) async fn due(&self, _now: Timestamp, _limit: u32) -> Result<Vec<Due>, StoreError> {
        unimplemented!()
    }
    /// The earliest instant at which a run becomes due or its lease runs out.
    pub(crate) async fn next_due_at(
        &self,
        _after: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        unimplemented!()
    }
    /// The earliest instant at which a delivery that need not wait for another becomes due.
    pub(crate) async fn next_delivery_at(&self) -> Result<Option<Timestamp>, StoreError> {
        unimplemented!()
    }
    /// All integrations that are not deleted, by name; with `deleted`, those too.
    pub(crate) async fn integrations(
        &self,
        _deleted: bool,
    ) -> Result<Vec<IntegrationRow>, StoreError> {
        unimplemented!()
    }
    /// The integration of this name; a deleted one only when no other has the name.
    pub(crate) async fn integration(
        &self,
        _name: &str,
    ) -> Result<Option<IntegrationRow>, StoreError> {
        unimplemented!()
    }
    /// The latest runs, newest first.
    pub(crate) async fn runs(
        &self,
        _id: IntegrationId,
        _limit: u32,
    ) -> Result<Vec<RunRow>, StoreError> {
        unimplemented!()
    }
    /// The latest transitions, newest first.
    pub(crate) async fn transitions(
        &self,
        _id: IntegrationId,
        _limit: u32,
    ) -> Result<Vec<TransitionRow>, StoreError> {
        unimplemented!()
    }
    /// Deliveries that match, newest first.
    pub(crate) async fn deliveries(
        &self,
        _filter: DeliveryFilter,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        unimplemented!()
    }
}
