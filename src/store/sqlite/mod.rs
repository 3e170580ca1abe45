//! The embedded engine: `SQLite`, on a file that one daemon uses.
//!
//! [`Store`] hands commands to one thread that writes, [`View`] hands questions to a few that
//! read; below them every function takes a connection and knows nothing of threads.

mod across;
mod apply;
mod asked;
mod audit;
mod awake;
mod backup;
mod before_migration;
mod checksum;
mod clock_rollback;
mod column;
mod compact;
mod condition;
mod configuration;
mod connect;
mod control;
mod copy;
mod decide;
mod defect;
mod error;
mod expiry;
mod fault;
mod fingerprint;
mod health;
mod history;
mod in_use;
mod integration;
mod integrity;
mod known;
mod lane;
mod load;
mod migrations;
mod moved;
mod node;
mod open;
mod outage;
mod outbox;
mod own_fault;
mod page;
mod place;
mod prepared;
mod prune;
mod queue;
mod reader;
mod receiver;
mod release;
mod resend;
mod reserve;
mod restore;
mod row;
mod rules;
mod run;
mod search;
mod sharing;
mod silence;
#[cfg(test)]
mod simulated;
mod surplus;
mod sync;
#[cfg(test)]
mod tests;
mod timeline;
#[cfg(feature = "postgres")]
mod transfer;
mod view;
mod wake;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;

use super::across::{Attributed, ExpiryRow, Position, RunFilter, STRIP_MAX, TransitionFilter};
use super::audit::{Act, AuditFilter, AuditRow};
use super::error::StoreError;
use super::forms::{evidence, halves, looks, took};
use super::in_use::{InUse, KeptRow};
use super::mutes::{MuteRow, OutageRow, OwnFaultRow, Released, SilenceRow};
use super::node::{NodeNote, NodeRow, ProcessId};
use super::outbox::{PendingDelivery, Redelivered, Replayed, Resend, Span};
use super::random;
use super::receivers::{EventRow, Events, PendingTypes, ReceiverRow};
use super::retention::{Pruned, Retention, Surplus};
use super::rows::{
    AttemptRow, CandidateRow, DeliveryFilter, DeliveryRow, HistoryRow, IntegrationRow, Mark,
    RunRow, StatusRow, TargetRow, TransitionRow,
};
use super::run::{Began, Due};
use super::sharing::{SharingRow, Surroundings};
use super::sync::{Configured, Synced};
use super::timeline::TimelineRow;
use crate::domain::ledger::{
    Attempt, Begun, DeliveryState, Disabled, Finished, Lease, NewSilence, NotificationContext,
    Recorded, Requested, Stored as StoredIntegration, Wanted,
};
use crate::domain::{IntegrationId, OwnFault, Schedule, Timestamp};

pub(in crate::store) use backup::make_backup;
pub(in crate::store) use compact::compact;
pub(in crate::store) use condition::examine;
pub(in crate::store) use connect::damaged_by;
pub(in crate::store) use control::Control;
pub(in crate::store) use integrity::problems_of;
pub(in crate::store) use migrations::versions;
#[cfg(feature = "postgres")]
pub(in crate::store) use moved::MovedMark;
pub(in crate::store) use place::is_in_use;
pub(in crate::store) use restore::Restore;
#[cfg(test)]
pub(crate) use simulated::{Disk, Entry, Fate, IntegrationEntry, Memory};
#[cfg(feature = "postgres")]
pub(in crate::store) use transfer::{Source, Target, Writing};
pub(crate) use view::View;

/// Writes: one thread of its own behind this handle. Clone it freely; the thread ends, and the
/// file is free for another daemon, when every handle is gone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    writer: writer::Writer,
    /// Incarnation of this node, the owner of its leases.
    owner: i64,
    view: View,
    /// Files of the database; none in memory.
    place: Option<Arc<place::Place>>,
    is_verified: bool,
}

impl Store {
    /// Implements [`crate::store::Store::open_as`] on this engine.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::opened(path, true)
    }

    /// Implements [`crate::store::Store::open_as`] on this engine, without a copy before a migration.
    pub(crate) fn open_without_copy(path: &Path) -> Result<Self, StoreError> {
        Self::opened(path, false)
    }

    /// Opens the database; what looks like damage is looked at twice, since the engine also says so when the disk
    /// does not answer one read.
    fn opened(path: &Path, is_copied: bool) -> Result<Self, StoreError> {
        match Self::opened_once(path, is_copied) {
            Err(error) if error.is_damage() => Self::opened_once(path, is_copied),
            opened => opened,
        }
    }

    fn opened_once(path: &Path, is_copied: bool) -> Result<Self, StoreError> {
        let opened = open::open(path, is_copied)?;
        let (owner, is_verified) = (opened.owner, opened.is_verified);
        let place = Some(Arc::new(opened.place.clone()));
        let view = View::open(path)?;
        let writer = writer::Writer::start(opened, writer::PACE)
            .map_err(|error| view::no_thread(path, &error))?;
        Ok(Self { writer, owner, view, place, is_verified })
    }

    /// Implements [`crate::store::Store::was_verified`] on this engine.
    pub(crate) const fn was_verified(&self) -> bool {
        self.is_verified
    }

    /// Implements [`crate::store::Store::view`] on this engine.
    pub(crate) fn view(&self) -> View {
        self.view.clone()
    }

    /// Implements [`crate::store::Store::changes`] on this engine.
    pub(crate) fn changes(&self) -> watch::Receiver<i64> {
        self.writer.changes()
    }

    /// Implements [`crate::store::Store::beat`] on this engine.
    pub(crate) fn check_files(&self) -> Result<(), StoreError> {
        Ok(self.place.as_ref().map_or(Ok(()), |place| place.check())?)
    }

    /// Implements [`crate::store::Store::note`] on this engine.
    pub(crate) async fn note(&self, note: NodeNote) -> Result<(), StoreError> {
        self.writer.write(move |tx| node::note(tx, &note)).await
    }

    /// Implements [`crate::store::Store::sync`] on this engine.
    pub(crate) async fn sync(
        &self,
        configured: Configured,
        startup: bool,
        context: NotificationContext,
    ) -> Result<Synced, StoreError> {
        let work = move |tx: &Connection| {
            open::size_cache(tx, configured.integrations.len())?;
            sync::apply(tx, &configured, startup, &context)
        };
        self.writer.write(work).await
    }

    /// Implements [`crate::store::Store::begin_at`] on this engine.
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

    /// Implements [`crate::store::Store::record`] on this engine.
    pub(crate) async fn record(
        &self,
        finished: Finished,
        context: NotificationContext,
    ) -> Result<Recorded, StoreError> {
        let prepared = prepared::Prepared::new(finished)?;
        self.writer.write_soon(move |tx| run::record(tx, &prepared, &context)).await
    }

    /// Implements [`crate::store::Store::give_back`] on this engine.
    pub(crate) async fn give_back(&self, begun: Begun) -> Result<(), StoreError> {
        self.writer.write(move |tx| run::give_back(tx, &begun)).await
    }

    /// Implements [`crate::store::Store::drain_removed`] on this engine.
    pub(crate) async fn drain_removed(
        &self,
        context: NotificationContext,
    ) -> Result<Synced, StoreError> {
        self.writer.write(move |tx| sync::drain(tx, &context)).await
    }

    /// Implements [`crate::store::Store::after_clock_rollback`] on this engine.
    pub(crate) async fn after_clock_rollback(
        &self,
        schedules: Vec<(IntegrationId, Schedule)>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.writer.write(move |tx| clock_rollback::reschedule(tx, &schedules, now)).await
    }

    /// Implements [`crate::store::Store::claim_within`] on this engine.
    pub(crate) async fn claim(
        &self,
        permits: BTreeMap<String, u32>,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<PendingDelivery>, StoreError> {
        let lease = outbox::Claim { owner: self.owner, until: now.plus(lease) };
        self.writer.write_vital(move |tx| outbox::claim(tx, &permits, lease, now)).await
    }

    /// Implements [`crate::store::Store::claim_resends`] on this engine.
    pub(crate) async fn claim_resends(
        &self,
        every: BTreeMap<String, Duration>,
        now: Timestamp,
    ) -> Result<Vec<Resend>, StoreError> {
        self.writer.write(move |tx| resend::claim(tx, &every, now)).await
    }

    /// Implements [`crate::store::Store::record_attempt`] on this engine.
    pub(crate) async fn record_attempt(
        &self,
        attempt: Attempt,
        context: NotificationContext,
    ) -> Result<impl Future<Output = Result<Option<Disabled>, StoreError>> + use<>, StoreError>
    {
        self.writer
            .queue(move |tx| outbox::record_attempt(tx, &attempt, &context), writer::Haste::Vital)
            .await
    }

    /// Implements [`crate::store::Store::release`] on this engine.
    pub(crate) async fn release(
        &self,
        batch: u32,
        context: NotificationContext,
    ) -> Result<Released, StoreError> {
        self.writer.write(move |tx| release::release(tx, batch, &context)).await
    }

    /// Implements [`crate::store::Store::degrade`] on this engine.
    pub(crate) async fn degrade(
        &self,
        fault: OwnFault,
        message: String,
        context: NotificationContext,
    ) -> Result<bool, StoreError> {
        self.writer.write_vital(move |tx| own_fault::begin(tx, fault, &message, &context)).await
    }

    /// Implements [`crate::store::Store::restore`] on this engine.
    pub(crate) async fn restore(
        &self,
        fault: OwnFault,
        context: NotificationContext,
    ) -> Result<bool, StoreError> {
        self.writer.write_vital(move |tx| own_fault::end(tx, fault, &context)).await
    }

    /// Implements [`crate::store::Store::prune`] on this engine.
    pub(crate) async fn prune(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Pruned, StoreError> {
        self.writer.write(move |tx| prune::prune(tx, retention, now)).await
    }

    /// Implements [`crate::store::Store::save_awake`] on this engine.
    pub(crate) async fn save_awake(
        &self,
        awake: Duration,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.writer.write_soon(move |tx| awake::save(tx, awake, now)).await
    }

    /// Implements [`crate::store::Store::drop_surplus`] on this engine.
    pub(crate) async fn drop_surplus(&self, surplus: Surplus) -> Result<usize, StoreError> {
        self.writer.write(move |tx| surplus::drop_found(tx, &surplus)).await
    }

    /// Implements [`crate::store::Store::close`] on this engine.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        self.writer.close().await
    }
}
