//! The engine for several daemons: `PostgreSQL`.
//!
//! [`tx`] has transactions, and the loop that runs one again; [`connect`] has addresses and sessions; `schema.sql` is
//! the schema. Every other file has the statements of one subject, beside the functions that load evidence or apply
//! effects; decisions are the ledger's, as for the other engine. Rows are locked where two transactions meet, in
//! this order: `work` by id, `integration` by id, gates `factor:*` sorted, gate `own_fault`, lanes by receiver and
//! integration, gate `events`; always `FOR NO KEY UPDATE`, which references do not wait for.

mod connect;
mod control;
mod error;
mod migrate;
mod tx;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::across::{Attributed, ExpiryRow, Position, RunFilter, TransitionFilter};
use super::audit::{AuditFilter, AuditRow};
use super::error::StoreError;
use super::in_use::{InUse, KeptRow};
use super::mutes::{NoticeRow, OutageRow, OwnFaultRow, Released, SilenceRow};
use super::node::{KnownNode, NodeNote, NodeRow, Opening};
use super::outbox::{PendingDelivery, Redelivered, Replayed, Resend, Span};
use super::page::{Listed, Page};
use super::random;
use super::receivers::{EventRow, Events, PendingTypes, ReceiverRow};
use super::retention::{Pruned, Retention, Surplus};
use super::rows::{
    DeliveryFilter, DeliveryRow, HistoryRow, IntegrationRow, Mark, RunRow, StatusRow, TargetRow,
    TransitionRow,
};
use super::run::{Began, Due};
use super::sharing::SharingRow;
use super::sync::{Configured, Synced};
use super::timeline::TimelineRow;
use crate::domain::ledger::{
    Attempt, Begun, Disabled, Finished, NewSilence, NotificationContext, Recorded, Requested,
    Stored as StoredIntegration,
};
use crate::domain::{IntegrationId, OwnFault, PostgresAddress, Schedule, Timestamp};

pub(in crate::store) use control::Control;
pub(in crate::store) use view::View;

use connect::Connections;
use error::todo;

/// Sessions of a daemon's writes.
const WRITERS: usize = 3;

/// Writes of a daemon. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    shared: Arc<Shared>,
    view: View,
}

#[derive(Debug)]
struct Shared {
    connections: Connections,
    /// Incarnation of this node, the owner of its leases.
    owner: i64,
    /// Number of the latest event, sent anew after every commit.
    changes: watch::Sender<i64>,
}

impl Store {
    /// Implements [`crate::store::Store::open_as`] on this engine.
    pub(crate) async fn open(
        address: &Arc<PostgresAddress>,
        opening: &Opening,
    ) -> Result<Self, StoreError> {
        let connections = Connections::new(Arc::clone(address), WRITERS, true);
        migrate::migrate(&connections).await?;
        let owner = random::number()?;
        let _ = opening;
        let (changes, _none) = watch::channel(0);
        let view = View::open(address).await?;
        Ok(Self { shared: Arc::new(Shared { connections, owner, changes }), view })
    }

    /// Implements [`crate::store::Store::was_verified`] on this engine: the server verifies its pages itself.
    pub(crate) const fn was_verified(&self) -> bool {
        true
    }

    /// Implements [`crate::store::Store::view`] on this engine.
    pub(crate) fn view(&self) -> View {
        self.view.clone()
    }

    /// Implements [`crate::store::Store::changes`] on this engine.
    pub(crate) fn changes(&self) -> watch::Receiver<i64> {
        self.shared.changes.subscribe()
    }

    /// Implements [`crate::store::Store::beat`] on this engine.
    pub(crate) async fn beat(&self) -> Result<(), StoreError> {
        todo("beat", ())
    }

    /// Implements [`crate::store::Store::note`] on this engine.
    pub(crate) async fn note(&self, note: NodeNote) -> Result<(), StoreError> {
        todo("note", note)
    }

    /// Implements [`crate::store::Store::sync`] on this engine.
    pub(crate) async fn sync(
        &self,
        configured: Configured,
        startup: bool,
        context: NotificationContext,
    ) -> Result<Synced, StoreError> {
        todo("sync", (configured, startup, context))
    }

    /// Implements [`crate::store::Store::begin`] on this engine.
    pub(crate) async fn begin(
        &self,
        id: IntegrationId,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Began, StoreError> {
        todo("begin", (id, lease, now, self.shared.owner))
    }

    /// Implements [`crate::store::Store::record`] on this engine.
    pub(crate) async fn record(
        &self,
        finished: Finished,
        context: NotificationContext,
    ) -> Result<Recorded, StoreError> {
        todo("record", (finished, context))
    }

    /// Implements [`crate::store::Store::give_back`] on this engine.
    pub(crate) async fn give_back(&self, begun: Begun) -> Result<(), StoreError> {
        todo("give_back", begun)
    }

    /// Implements [`crate::store::Store::drain_removed`] on this engine.
    pub(crate) async fn drain_removed(
        &self,
        context: NotificationContext,
    ) -> Result<Synced, StoreError> {
        todo("drain_removed", context)
    }

    /// Implements [`crate::store::Store::after_clock_rollback`] on this engine.
    pub(crate) async fn after_clock_rollback(
        &self,
        schedules: Vec<(IntegrationId, Schedule)>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        todo("after_clock_rollback", (schedules, now))
    }

    /// Implements [`crate::store::Store::claim`] on this engine.
    pub(crate) async fn claim(
        &self,
        permits: BTreeMap<String, u32>,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<PendingDelivery>, StoreError> {
        todo("claim", (permits, lease, now))
    }

    /// Implements [`crate::store::Store::claim_resends`] on this engine.
    pub(crate) async fn claim_resends(
        &self,
        every: BTreeMap<String, Duration>,
        now: Timestamp,
    ) -> Result<Vec<Resend>, StoreError> {
        todo("claim_resends", (every, now))
    }

    /// Implements [`crate::store::Store::record_attempt`] on this engine. Awaiting it queues the attempt; awaiting
    /// its answer waits for the commit.
    pub(crate) async fn record_attempt(
        &self,
        attempt: Attempt,
        context: NotificationContext,
    ) -> Result<impl Future<Output = Result<Option<Disabled>, StoreError>> + use<>, StoreError>
    {
        Ok(async move { todo("record_attempt", (attempt, context)) })
    }

    /// Implements [`crate::store::Store::release`] on this engine.
    pub(crate) async fn release(
        &self,
        batch: u32,
        context: NotificationContext,
    ) -> Result<Released, StoreError> {
        todo("release", (batch, context))
    }

    /// Implements [`crate::store::Store::degrade`] on this engine.
    pub(crate) async fn degrade(
        &self,
        fault: OwnFault,
        message: String,
        context: NotificationContext,
    ) -> Result<bool, StoreError> {
        todo("degrade", (fault, message, context))
    }

    /// Implements [`crate::store::Store::restore`] on this engine.
    pub(crate) async fn restore(
        &self,
        fault: OwnFault,
        context: NotificationContext,
    ) -> Result<bool, StoreError> {
        todo("restore", (fault, context))
    }

    /// Implements [`crate::store::Store::prune`] on this engine.
    pub(crate) async fn prune(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Pruned, StoreError> {
        todo("prune", (retention, now))
    }

    /// Implements [`crate::store::Store::save_awake`] on this engine.
    pub(crate) async fn save_awake(
        &self,
        awake: Duration,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        todo("save_awake", (awake, now))
    }

    /// Implements [`crate::store::Store::drop_surplus`] on this engine.
    pub(crate) async fn drop_surplus(&self, surplus: Surplus) -> Result<usize, StoreError> {
        todo("drop_surplus", surplus)
    }

    /// Implements [`crate::store::Store::close`] on this engine.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        self.shared.connections.close();
        self.view.connections.close();
        Ok(())
    }
}
