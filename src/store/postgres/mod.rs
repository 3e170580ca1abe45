//! The engine for several daemons: `PostgreSQL`.
//!
//! [`tx`] has transactions, and the loop that runs one again; [`connect`] has addresses and sessions; `schema.sql` is
//! the schema. Every other file has the statements of one subject, beside the functions that load evidence or apply
//! effects; decisions are the ledger's, as for the other engine. Rows are locked where two transactions meet, in
//! this order: `work` by id, `integration` by id, gates `factor:*` sorted, gate `own_fault`, lanes by receiver and
//! integration, gate `events`; always `FOR NO KEY UPDATE`, which references do not wait for.

mod across;
mod apply;
mod asked;
mod audit;
mod awake;
mod batch;
mod clock_rollback;
mod column;
mod configuration;
mod connect;
mod control;
mod decide;
mod deliveries;
mod error;
mod expiry;
mod fault;
mod fingerprint;
mod gate;
mod health;
mod history;
mod in_use;
mod integration;
mod known;
mod lane;
mod load;
mod migrate;
mod node;
mod outage;
mod outages;
mod outbox;
mod own_fault;
mod page;
mod prepared;
mod prune;
mod queue;
mod receiver;
mod release;
mod resend;
mod row;
mod run;
mod search;
mod server;
mod sharing;
mod silence;
mod silences;
mod surplus;
mod sync;
#[cfg(test)]
mod tests;
mod timeline;
mod tx;
mod view;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::across::{Attributed, ExpiryRow, Position, RunFilter, STRIP_MAX, TransitionFilter};
use super::audit::{Act, AuditFilter, AuditRow};
use super::error::StoreError;
use super::forms::{evidence, halves, looks, took};
use super::in_use::{InUse, KeptRow};
use super::mutes::{MuteRow, NoticeRow, OutageRow, OwnFaultRow, Released, SilenceRow};
use super::node::{KnownNode, NodeNote, NodeRow, Opening, ProcessId};
use super::outbox::{PendingDelivery, Redelivered, Replayed, Resend, Span};
use super::random;
use super::receivers::{EventRow, Events, PendingTypes, ReceiverRow};
use super::retention::{Pruned, Retention, Surplus};
use super::rows::{
    AttemptRow, CandidateRow, DeliveryFilter, DeliveryRow, HistoryRow, IntegrationRow, Mark,
    RunRow, StatusRow, TargetRow, TransitionRow,
};
use super::run::{Began, Due};
use super::sharing::SharingRow;
use super::sync::{Configured, Synced};
use super::timeline::TimelineRow;
use crate::domain::ledger::{
    Attempt, Begun, DeliveryState, Disabled, Finished, Lease, NewSilence, NotificationContext,
    Recorded, Requested, Stored as StoredIntegration, Wanted,
};
use crate::domain::{IntegrationId, OwnFault, PostgresAddress, Schedule, Timestamp};

pub(in crate::store) use control::Control;
pub(in crate::store) use view::View;

use connect::Connections;
use error::Fault;
use prepared::Prepared;
use tx::transact;

/// Sessions of a daemon's writes.
const WRITERS: usize = 3;
/// Time after its latest heartbeat that was acknowledged in which a daemon writes; five seconds later another one may
/// take over.
const UNHEARD_MAX: Duration = Duration::from_secs(15);

/// Writes of a daemon. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    shared: Arc<Shared>,
    view: View,
}

#[derive(Debug)]
struct Shared {
    connections: Connections,
    /// Queue of the runs that are recorded together.
    recordings: mpsc::Sender<batch::Waiting>,
    /// Name of this node.
    node: String,
    /// Incarnation of this node, the owner of its leases.
    owner: i64,
    /// Time since boot at which the latest heartbeat that was acknowledged was sent.
    beaten: Mutex<Duration>,
}

impl Store {
    /// Implements [`crate::store::Store::open_as`] on this engine.
    pub(crate) async fn open(
        address: &Arc<PostgresAddress>,
        opening: &Opening,
    ) -> Result<Self, StoreError> {
        let connections = Connections::new(Arc::clone(address), WRITERS, true);
        let shown = address.to_string();
        tx::read!(&connections, tx => server::require(tx, &shown).await)?;
        let migrated = migrate::migrate(&connections).await;
        migrated.map_err(|error| server::explained(&shown, error))?;
        let owner = random::number()?;
        let beaten = Mutex::new(node::begin(&connections, opening, owner).await?);
        let view = View::open(address).await?;
        let latest = tx::read!(&connections, tx => history::latest_event(tx).await)?;
        connections.note_latest(latest);
        let node = opening.node.name.clone();
        let recordings = batch::start(connections.clone());
        Ok(Self { shared: Arc::new(Shared { connections, recordings, node, owner, beaten }), view })
    }

    /// Implements [`crate::store::Store::view`] on this engine.
    pub(crate) fn view(&self) -> View {
        self.view.clone()
    }

    /// Implements [`crate::store::Store::changes`] on this engine.
    pub(crate) fn changes(&self) -> watch::Receiver<i64> {
        self.shared.connections.changes()
    }

    /// Implements [`crate::store::Store::beat`] on this engine.
    pub(crate) async fn beat(&self) -> Result<(), StoreError> {
        let (shared, sent) = (&*self.shared, node::since_boot());
        let connections = &shared.connections;
        let is_owner =
            transact!(connections, tx => node::beat(tx, &shared.node, shared.owner).await)?;
        if !is_owner {
            let address = connections.address().to_string();
            return Err(StoreError::Occupied { address, problem: Fault::Lost.to_string() });
        }
        *shared.beaten.lock().unwrap_or_else(PoisonError::into_inner) = sent;
        connections.note_latest(tx::read!(connections, tx => history::latest_event(tx).await)?);
        Ok(())
    }

    /// Returns the sessions for a write.
    ///
    /// # Errors
    ///
    /// Fails when this node was not heard of for so long that another may take over.
    fn writes(&self) -> Result<&Connections, StoreError> {
        let beaten = *self.shared.beaten.lock().unwrap_or_else(PoisonError::into_inner);
        if UNHEARD_MAX <= node::since_boot().saturating_sub(beaten) {
            return Err(Fault::Late.into());
        }
        Ok(&self.shared.connections)
    }

    /// Implements [`crate::store::Store::note`] on this engine.
    pub(crate) async fn note(&self, note: NodeNote) -> Result<(), StoreError> {
        transact!(self.writes()?, tx => node::note(tx, &note).await)
    }

    /// Implements [`crate::store::Store::sync`] on this engine.
    pub(crate) async fn sync(
        &self,
        configured: Configured,
        startup: bool,
        context: NotificationContext,
    ) -> Result<Synced, StoreError> {
        transact!(self.writes()?, tx => sync::apply(tx, &configured, startup, &context).await)
    }

    /// Implements [`crate::store::Store::begin`] on this engine.
    pub(crate) async fn begin(
        &self,
        id: IntegrationId,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Began, StoreError> {
        let (owner, token) = (self.shared.owner, random::number()?);
        let lease = Lease { owner, token, until: now.plus(lease) };
        transact!(self.writes()?, tx => run::begin(tx, id, lease, now).await)
    }

    /// Implements [`crate::store::Store::record`] on this engine.
    pub(crate) async fn record(
        &self,
        finished: Finished,
        context: NotificationContext,
    ) -> Result<Recorded, StoreError> {
        let (answer, answered) = oneshot::channel();
        let waiting = batch::Waiting { prepared: Prepared::new(finished)?, context, answer };
        self.writes()?;
        self.shared.recordings.send(waiting).await.map_err(|_ended| StoreError::Stopped)?;
        let (prepared, context, recorded) = answered.await.map_err(|_ended| StoreError::Stopped)?;
        if let Some(recorded) = recorded {
            return Ok(recorded);
        }
        let begun = &prepared.finished.begun;
        transact!(
            self.writes()?,
            tx => run::record(tx, &prepared, &context).await,
            done => run::is_recorded(tx, begun, done).await
        )
    }

    /// Implements [`crate::store::Store::give_back`] on this engine.
    pub(crate) async fn give_back(&self, begun: Begun) -> Result<(), StoreError> {
        transact!(self.writes()?, tx => run::give_back(tx, &begun).await)
    }

    /// Implements [`crate::store::Store::drain_removed`] on this engine.
    pub(crate) async fn drain_removed(
        &self,
        context: NotificationContext,
    ) -> Result<Synced, StoreError> {
        transact!(self.writes()?, tx => sync::drain(tx, &context).await)
    }

    /// Implements [`crate::store::Store::after_clock_rollback`] on this engine.
    pub(crate) async fn after_clock_rollback(
        &self,
        schedules: Vec<(IntegrationId, Schedule)>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        transact!(self.writes()?, tx => clock_rollback::reschedule(tx, &schedules, now).await)
    }

    /// Implements [`crate::store::Store::claim`] on this engine.
    pub(crate) async fn claim(
        &self,
        permits: BTreeMap<String, u32>,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<PendingDelivery>, StoreError> {
        let lease = outbox::Claim { owner: self.shared.owner, until: now.plus(lease) };
        transact!(self.writes()?, tx => outbox::claim(tx, &permits, lease, now).await)
    }

    /// Implements [`crate::store::Store::claim_resends`] on this engine.
    pub(crate) async fn claim_resends(
        &self,
        every: BTreeMap<String, Duration>,
        now: Timestamp,
    ) -> Result<Vec<Resend>, StoreError> {
        transact!(self.writes()?, tx => resend::claim(tx, &every, now).await)
    }

    /// Implements [`crate::store::Store::record_attempt`] on this engine: what is awaited first is the commit.
    pub(crate) async fn record_attempt(
        &self,
        attempt: Attempt,
        context: NotificationContext,
    ) -> Result<impl Future<Output = Result<Option<Disabled>, StoreError>> + use<>, StoreError>
    {
        let recorded = transact!(
            self.writes()?,
            tx => outbox::record_attempt(tx, &attempt, &context).await,
            _done => outbox::is_recorded(tx, &attempt).await
        );
        Ok(std::future::ready(recorded))
    }

    /// Implements [`crate::store::Store::release`] on this engine.
    pub(crate) async fn release(
        &self,
        batch: u32,
        context: NotificationContext,
    ) -> Result<Released, StoreError> {
        let mutes = transact!(
            self.writes()?,
            tx => release::end_mutes(tx, batch, &context).await
        )?;
        let outages = transact!(
            self.writes()?,
            tx => release::close_outages(tx, batch, &context).await
        )?;
        let incidents = transact!(self.writes()?, tx => release::wake(tx, batch, &context).await)?;
        Ok(Released { integrations: mutes, outages, incidents })
    }

    /// Implements [`crate::store::Store::degrade`] on this engine.
    pub(crate) async fn degrade(
        &self,
        fault: OwnFault,
        message: String,
        context: NotificationContext,
    ) -> Result<bool, StoreError> {
        transact!(self.writes()?, tx => own_fault::begin(tx, fault, &message, &context).await)
    }

    /// Implements [`crate::store::Store::restore`] on this engine.
    pub(crate) async fn restore(
        &self,
        fault: OwnFault,
        context: NotificationContext,
    ) -> Result<bool, StoreError> {
        transact!(self.writes()?, tx => own_fault::end(tx, fault, &context).await)
    }

    /// Implements [`crate::store::Store::prune`] on this engine.
    pub(crate) async fn prune(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Pruned, StoreError> {
        transact!(self.writes()?, tx => prune::prune(tx, retention, now).await)
    }

    /// Implements [`crate::store::Store::save_awake`] on this engine.
    pub(crate) async fn save_awake(
        &self,
        awake: Duration,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        transact!(self.writes()?, tx => awake::save(tx, awake, now).await)
    }

    /// Implements [`crate::store::Store::drop_surplus`] on this engine.
    pub(crate) async fn drop_surplus(&self, surplus: Surplus) -> Result<usize, StoreError> {
        transact!(self.writes()?, tx => surplus::drop_found(tx, &surplus).await)
    }

    /// Implements [`crate::store::Store::close`] on this engine.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        let (shared, connections) = (&*self.shared, &self.shared.connections);
        let left = transact!(connections, tx => node::leave(tx, &shared.node, shared.owner).await);
        connections.close();
        self.view.connections.close();
        left
    }
}
