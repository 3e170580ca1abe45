//! The embedded engine: `SQLite`, the only place that knows SQL.
//!
//! [`Store`] hands commands to one thread that writes, [`View`] hands questions to a few that
//! read; below them every function takes a connection and knows nothing of threads.

mod apply;
mod clock_rollback;
mod column;
mod configuration;
mod control;
mod decide;
mod defect;
mod fingerprint;
mod history;
mod integration;
mod lane;
mod load;
mod migrations;
mod mute;
mod open;
mod outage;
mod outbox;
mod own_fault;
mod page;
mod prune;
mod queue;
mod reader;
mod receiver;
mod row;
mod run;
mod silence;
#[cfg(test)]
mod simulated;
mod surplus;
mod sync;
#[cfg(test)]
mod tests;
mod view;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;

use super::holds::{HoldRow, NewSilence, OutageRow, OwnFaultRow, Released, SilenceRow};
use super::random;
use super::receivers::{EventRow, Events, ReceiverRow, Redelivered, Replayed};
use super::rows::{
    AttemptRow, DeliveryFilter, DeliveryRow, HistoryRow, IntegrationRow, RunRow, StandingRow,
    TargetRow, TransitionRow,
};
use super::types::{Began, Due, PendingDelivery, Pruned, Retention, StoreError, Surplus, Synced};
use crate::domain::ledger::{
    Attempt, Begun, DeliveryState, Disabled, Finished, Lease, NotificationContext, Recorded,
    StoredReport, SubjectRun, Trigger, Wanted,
};
use crate::domain::{IntegrationId, OwnFault, Schedule, Timestamp};

pub(crate) use control::Control;
#[cfg(test)]
pub(crate) use simulated::{Disk, Entry, Fate, Memory};
pub(crate) use view::View;

/// Writes: one thread of its own behind this handle. Clone it freely; the thread ends, and the
/// file is free for another daemon, when every handle is gone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    writer: writer::Writer,
    /// Incarnation of this node, the owner of its leases.
    owner: i64,
    view: View,
}

impl Store {
    /// Opens or creates the database, takes the file lock that makes a second daemon impossible,
    /// migrates, frees the leases of this node's former life and starts the writer thread.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = open::open(path)?;
        let owner = opened.owner;
        let view = View::open(path)?;
        let writer = writer::Writer::start(opened, writer::PACE)
            .map_err(|error| view::no_thread(path, &error))?;
        Ok(Self { writer, owner, view })
    }

    /// The reading side.
    pub(crate) fn view(&self) -> View {
        self.view.clone()
    }

    /// Number of the latest event, sent anew after every commit.
    pub(crate) fn changes(&self) -> watch::Receiver<i64> {
        self.writer.changes()
    }

    /// Brings the rows in line with the configuration. At start-up, what came due in the meantime
    /// is made due once, spread.
    pub(crate) async fn sync(
        &self,
        wanted: Vec<Wanted>,
        startup: bool,
        tell: NotificationContext,
    ) -> Result<Synced, StoreError> {
        self.writer.write(move |tx| sync::sync(tx, &wanted, startup, &tell)).await
    }

    /// Starts a run if it is due: guarded update, lease until `now + lease`.
    pub(crate) async fn begin(
        &self,
        id: IntegrationId,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Began, StoreError> {
        let until = now.plus(lease);
        let lease = Lease { owner: self.owner, token: random::number()?, until };
        self.writer.write_soon(move |tx| run::begin(tx, id, lease, now)).await
    }

    /// Records a finished run: run, results, counters, status, transition, event, deliveries,
    /// next due instant, lease; or nothing.
    pub(crate) async fn record(
        &self,
        finished: Finished,
        tell: NotificationContext,
    ) -> Result<Recorded, StoreError> {
        let prepared = run::Prepared::new(finished)?;
        self.writer.write_soon(move |tx| run::record(tx, &prepared, &tell)).await
    }

    /// Gives a lease back without a result (shutdown); the run stays due.
    pub(crate) async fn give_back(&self, begun: Begun) -> Result<(), StoreError> {
        self.writer.write(move |tx| run::give_back(tx, &begun)).await
    }

    /// Ends removals: rows in `deleting` without a lease become `deleted`.
    pub(crate) async fn drain_removed(
        &self,
        tell: NotificationContext,
    ) -> Result<Synced, StoreError> {
        self.writer.write(move |tx| sync::drain(tx, &tell)).await
    }

    /// After the clock was set back: what it planned too far ahead becomes due by the schedules, and
    /// deliveries at once; how much that was.
    pub(crate) async fn set_back(
        &self,
        schedules: Vec<(IntegrationId, Schedule)>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.writer.write(move |tx| clock_rollback::set_back(tx, &schedules, now)).await
    }

    /// Leases what may be sent now: per receiver and integration only the first pending one, at
    /// most `room[receiver]` per receiver; receivers that `room` does not name are left alone.
    pub(crate) async fn claim(
        &self,
        room: BTreeMap<String, u32>,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<PendingDelivery>, StoreError> {
        let lease = outbox::Claim { owner: self.owner, until: now.plus(lease) };
        self.writer.write(move |tx| outbox::claim(tx, &room, lease, now)).await
    }

    /// Queues an attempt to be recorded: attempt row, delivery state and what it says about the
    /// receiver. A claim that is made after this finds the successor, and is answered after the
    /// commit of both; the future returned here ends with that commit too, and gives the reason when
    /// the attempt disables the receiver, which the others are told.
    pub(crate) async fn record_attempt(
        &self,
        attempt: Attempt,
        tell: NotificationContext,
    ) -> Result<impl Future<Output = Result<Option<Disabled>, StoreError>> + use<>, StoreError>
    {
        self.writer
            .queue(move |tx| outbox::record_attempt(tx, &attempt, &tell), writer::Haste::Now)
            .await
    }

    /// Tells what is no longer held and ends outages that are over, at most about `batch` of each.
    pub(crate) async fn release(
        &self,
        batch: u32,
        tell: NotificationContext,
    ) -> Result<Released, StoreError> {
        self.writer.write(move |tx| mute::release(tx, batch, &tell)).await
    }

    /// Tells that something is wrong on the daemon's own side, unless that was told; true when it is
    /// new.
    pub(crate) async fn degrade(
        &self,
        fault: OwnFault,
        message: String,
        tell: NotificationContext,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |tx| own_fault::begin(tx, fault, &message, &tell)).await
    }

    /// Tells that it is over, if it lasted; true then.
    pub(crate) async fn restore(
        &self,
        fault: OwnFault,
        tell: NotificationContext,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |tx| own_fault::end(tx, fault, &tell)).await
    }

    /// Deletes one batch of old history; what is still owed stays, unless it has waited too long for
    /// a receiver that is sent nothing, and is given up.
    pub(crate) async fn prune(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Pruned, StoreError> {
        self.writer.write(move |tx| prune::prune(tx, retention, now)).await
    }

    /// Deletes what [`View::surplus`] found, unless it is owed or shown by now; how many rows that
    /// were.
    pub(crate) async fn drop_surplus(&self, surplus: Surplus) -> Result<usize, StoreError> {
        self.writer.write(move |tx| surplus::drop_found(tx, &surplus)).await
    }

    /// Waits for queued writes, checkpoints and stops the writer thread; other handles then get
    /// [`StoreError::Stopped`].
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        self.writer.close().await
    }
}
