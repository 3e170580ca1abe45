//! The engine for several daemons: `PostgreSQL`.
//!
//! [`tx`] has transactions, and the loop that runs one again; [`connect`] has addresses and sessions; `schema.sql` is
//! the schema. Every other file has the statements of one subject, beside the functions that load evidence or apply
//! effects; decisions are the ledger's, as for the other engine. Rows are locked where two transactions meet, in
//! this order: `work` by id, `integration` by id, gates `factor:*` sorted, gate `own_fault`, lanes by receiver and
//! integration, gate `events`; always `FOR NO KEY UPDATE`, which references do not wait for.

mod absent;
mod across;
mod apply;
mod arriving;
mod asked;
mod audit;
mod awake;
mod batch;
mod beating;
mod begins;
mod bulk;
mod clock_rollback;
mod cluster;
mod column;
mod configuration;
mod connect;
mod contradiction;
mod control;
mod decide;
mod deliveries;
mod departing;
mod eligible;
mod error;
mod expiry;
mod fault;
mod fingerprint;
mod gate;
mod gathered;
mod guard;
mod health;
mod history;
mod in_flight;
mod in_use;
mod integration;
mod known;
mod lane;
mod load;
mod losses;
mod membership;
mod migrate;
mod neighbours;
mod node;
mod node_row;
mod outage;
mod outages;
mod outbox;
mod own_fault;
mod page;
mod peers;
mod planted;
mod prepared;
mod prune;
mod queue;
mod receiver;
mod release;
mod resend;
mod row;
mod run;
mod search;
mod sending;
mod server;
mod sharing;
mod silence;
mod silences;
mod surplus;
mod sync;
#[cfg(test)]
mod tests;
mod timeline;
mod transfer;
mod tx;
mod view;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::across::{Attributed, ExpiryRow, Position, RunFilter, STRIP_MAX, TransitionFilter};
use super::audit::{Act, AuditFilter, AuditRow};
use super::error::StoreError;
use super::forms::{evidence, halves, looks, took};
use super::in_use::{InUse, KeptRow};
use super::mutes::{MuteRow, NoticeRow, OutageRow, OwnFaultRow, Released, SilenceRow};
use super::node::{
    Absent, Beat, Drain, FreedNode, KnownNode, NodeNote, NodeRow, Opening, ProcessId,
};
use super::outbox::{Capacity, PendingDelivery, Redelivered, Replayed, Resend, Span};
use super::random;
use super::receivers::{EventRow, Events, PendingTypes, ReceiverRow};
use super::retention::{Pruned, Retention, Surplus};
use super::rows::{
    AttemptRow, CandidateRow, DeliveryFilter, DeliveryRow, HistoryRow, IntegrationRow, Mark,
    RunRow, StatusRow, TargetRow, TransitionRow,
};
use super::run::{Began, Due, Site};
use super::sharing::{SharingRow, Surroundings};
use super::since_boot::since_boot;
use super::sync::{Configured, Publishing, Synced};
use super::timeline::TimelineRow;
use crate::domain::ledger::{
    Attempt, Begun, DeliveryState, Disabled, Finished, Lease, NewSilence, NotificationContext,
    Recorded, Requested, Stored as StoredIntegration, Wanted,
};
use crate::domain::{IntegrationId, PostgresAddress, Schedule, Timestamp};

pub(in crate::store) use arriving::{Arriving, arrived};
pub(in crate::store) use control::Control;
pub(in crate::store) use departing::{Departing, Departure};
pub(in crate::store) use node::host_name;
pub(crate) use planted::Hazard;
pub(in crate::store) use transfer::Committed;
pub(in crate::store) use view::View;

use cluster::Fit;
use connect::Connections;
use eligible::Eligible;
use in_flight::InFlight;
use losses::Losses;
use membership::Membership;
use prepared::Prepared;
use tx::transact;

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
    /// Queue of the runs that are recorded together.
    recordings: mpsc::Sender<batch::Waiting>,
    /// Queue of the runs that are begun together.
    beginnings: mpsc::Sender<begins::Waiting>,
    /// Membership of this node among the others.
    membership: Membership,
    /// Work that this node may take.
    eligible: Arc<Eligible>,
    /// Circumstances under which this process opened the database.
    opening: Opening,
    /// Memory of what the database has acknowledged.
    losses: Losses,
    /// Leases of the runs and messages that this process works on.
    in_flight: InFlight,
}

impl Store {
    /// Implements [`crate::store::Store::open_as`] on this engine.
    pub(crate) async fn open(
        address: &Arc<PostgresAddress>,
        opening: &Opening,
    ) -> Result<Self, StoreError> {
        let connections = Connections::new(Arc::clone(address), WRITERS, true);
        let shown = address.to_string();
        tx::read!(&connections, tx => server::require(tx, address).await)?;
        let migrated = migrate::migrate(&connections).await;
        migrated.map_err(|error| server::explained(&shown, error))?;
        let (owner, name) = (random::number()?, &opening.node.name);
        let beaten = node::begin(&connections, opening, owner).await?;
        let membership = Membership::begun(&connections, name, owner, beaten).await?;
        let eligible = Arc::new(Eligible::of(&opening.node));
        let view = View::open(address).await?.of_node(&eligible);
        let latest = tx::read!(&connections, tx => history::latest_event(tx).await)?;
        connections.note_latest(latest);
        let recordings = batch::start(connections.clone());
        let beginnings = begins::start(connections.clone(), Arc::clone(&eligible));
        let losses = Losses::begun(&connections, owner).await?;
        let opening = opening.clone();
        let in_flight = InFlight::default();
        let shared = Shared {
            connections,
            recordings,
            beginnings,
            membership,
            eligible,
            opening,
            losses,
            in_flight,
        };
        Ok(Self { shared: Arc::new(shared), view })
    }

    /// Implements [`crate::store::Store::view`] on this engine.
    pub(crate) fn view(&self) -> View {
        self.view.clone()
    }

    /// Implements [`crate::store::Store::changes`] on this engine.
    pub(crate) fn changes(&self) -> watch::Receiver<i64> {
        self.shared.connections.changes()
    }

    /// Implements [`crate::store::Store::note`] on this engine.
    pub(crate) async fn note(&self, note: NodeNote) -> Result<(), StoreError> {
        let name = &self.shared.membership.name;
        transact!(self.writes()?, tx => node_row::note(tx, name, &note).await)
    }

    /// Implements [`crate::store::Store::sync`] on this engine.
    pub(crate) async fn sync(
        &self,
        configured: Configured,
        startup: bool,
        context: NotificationContext,
    ) -> Result<Synced, StoreError> {
        let membership = &self.shared.membership;
        let files = cluster::Files::of(&configured);
        let synced = transact!(self.writes()?, tx => {
            let own = cluster::Own {
                name: &membership.name,
                works_by: membership.works_by(),
                is_starting: startup,
            };
            sync::apply(tx, &configured, &files, own, &context).await
        });
        let (fit, synced) = synced?;
        let pools: Vec<_> = configured.integrations.iter().map(|one| &one.run_on).collect();
        self.shared.eligible.note(&pools);
        match &fit {
            Fit::Apply(generation) | Fit::Join(generation) => membership.join(*generation),
            Fit::Wait(generation, reason) => membership.stand_by(*generation, reason),
        }
        Ok(synced)
    }

    /// Implements [`crate::store::Store::begin_at`] on this engine.
    pub(crate) async fn begin(
        &self,
        id: IntegrationId,
        site: Site<'_>,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Began, StoreError> {
        let membership = &self.shared.membership;
        self.writes()?;
        let Some(generation) = membership.active() else { return Ok(Began::Waits) };
        let (answer, answered) = oneshot::channel();
        let is_again = planted::is(Hazard::Tokens);
        let token = if is_again { id.0 } else { random::number()? };
        let until = now.plus(lease);
        self.shared.in_flight.add(token, until, now);
        let ending = self.shared.in_flight.ending(token);
        let (host, most) = (site.host.to_owned(), site.most);
        let lease = Lease { owner: membership.owner(), token, until };
        let waiting = begins::Waiting { id, host, most, lease, generation, now, answer };
        self.shared.beginnings.send(waiting).await.map_err(|_ended| StoreError::Stopped)?;
        let began = answered.await.map_err(|_ended| StoreError::Stopped)??;
        if matches!(began, Began::Run(_)) {
            ending.go_on();
        }
        Ok(began)
    }

    /// Implements [`crate::store::Store::record`] on this engine.
    pub(crate) async fn record(
        &self,
        finished: Finished,
        context: NotificationContext,
    ) -> Result<Recorded, StoreError> {
        let _ends = self.shared.in_flight.ending(finished.begun.token);
        let (answer, answered) = oneshot::channel();
        let waiting = batch::Waiting { prepared: Prepared::new(finished)?, context, answer };
        self.writes()?;
        self.shared.recordings.send(waiting).await.map_err(|_ended| StoreError::Stopped)?;
        let (prepared, context, recorded) = answered.await.map_err(|_ended| StoreError::Stopped)?;
        if let Some(recorded) = recorded {
            return Ok(recorded);
        }
        let begun = &prepared.finished.begun;
        let generation = self.shared.membership.works_by();
        transact!(
            self.writes()?,
            tx => run::record(tx, &prepared, &context, generation).await,
            done => run::is_recorded(tx, begun, done).await
        )
    }

    /// Implements [`crate::store::Store::give_back`] on this engine.
    pub(crate) async fn give_back(&self, begun: Begun) -> Result<(), StoreError> {
        let _ends = self.shared.in_flight.ending(begun.token);
        transact!(self.writes()?, tx => run::give_back(tx, &begun).await)
    }

    /// Implements [`crate::store::Store::drain_removed`] on this engine.
    pub(crate) async fn drain_removed(
        &self,
        context: NotificationContext,
    ) -> Result<Synced, StoreError> {
        if !self.is_active() {
            return Ok(Synced::default());
        }
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

    /// Implements [`crate::store::Store::release`] on this engine.
    pub(crate) async fn release(
        &self,
        batch: u32,
        context: NotificationContext,
    ) -> Result<Released, StoreError> {
        if !self.is_active() {
            return Ok(Released { is_busy: true, ..Released::default() });
        }
        release::release(self.writes()?, batch, &context).await
    }

    /// Implements [`crate::store::Store::prune`] on this engine.
    pub(crate) async fn prune(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Pruned, StoreError> {
        if !self.is_active() {
            return Ok(Pruned::default());
        }
        transact!(self.writes()?, tx => prune::prune(tx, retention, now).await)
    }

    /// Implements [`crate::store::Store::save_awake`] on this engine.
    pub(crate) async fn save_awake(
        &self,
        awake: Duration,
        now: Option<Timestamp>,
    ) -> Result<Duration, StoreError> {
        transact!(self.writes()?, tx => awake::save(tx, awake, now).await)
    }

    /// Implements [`crate::store::Store::drop_surplus`] on this engine.
    pub(crate) async fn drop_surplus(&self, surplus: Surplus) -> Result<usize, StoreError> {
        transact!(self.writes()?, tx => surplus::drop_found(tx, &surplus).await)
    }

    /// Implements [`crate::store::Store::close`] on this engine.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        let (membership, connections) =
            (&self.shared.membership, &self.shared.connections.unguarded());
        let owner = membership.owner();
        let left = transact!(connections, tx => node::leave(tx, &membership.name, owner).await);
        connections.close();
        self.view.connections.close();
        left
    }
}
