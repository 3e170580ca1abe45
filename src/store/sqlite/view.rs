//! View: reads on connections of their own, each from one consistent state.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::Transaction;

use super::super::mutes::NoticeRow;
use super::super::node::KnownNode;
use super::open::NODE;
use super::page::{self, Listed, Page};
use super::{
    AuditFilter, AuditRow, DeliveryFilter, DeliveryRow, Due, EventRow, Events, HistoryRow, InUse,
    IntegrationRow, KeptRow, NodeRow, OutageRow, OwnFaultRow, PendingTypes, ReceiverRow, Retention,
    RunRow, SilenceRow, StatusRow, StoreError, StoredIntegration, Surplus, Surroundings, TargetRow,
    TransitionRow, audit, awake, connect, fault, history, in_use, integration, known, node, outage,
    queue, reader, receiver, release, resend, silence, surplus, sync, wake,
};
use crate::domain::ledger::KnownIncident;
use crate::domain::{DeliveryId, IntegrationId, NodeIdentity, RunId, Timestamp};

/// Reads, on connections of its own; also beside a running daemon. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(super) readers: reader::Readers,
    /// Connection that only looks whether something was committed: versions differ by connection.
    pub(super) watch: reader::Readers,
}

/// Returns the error for a database whose thread cannot be started.
pub(super) fn no_thread(path: &Path, error: &io::Error) -> StoreError {
    let problem = format!("no thread can be started for it: {error}");
    StoreError::File { path: path.to_owned(), problem }
}

/// Starts the thread that looks whether something was committed.
fn watch(path: &Path) -> Result<reader::Readers, StoreError> {
    let started = reader::Readers::start(vec![connect::open_to_read(path)?]);
    started.map_err(|error| no_thread(path, &error))
}

impl View {
    /// Implements [`crate::store::View::open`] on this engine.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let connections = (0..reader::READERS).map(|_| connect::open_to_read(path));
        let connections = connections.collect::<Result<_, _>>()?;
        let readers = reader::Readers::start(connections);
        let readers = readers.map_err(|error| no_thread(path, &error))?;
        Ok(Self { readers, watch: watch(path)? })
    }

    /// Implements [`crate::store::View::outside`] on this engine.
    pub(crate) fn outside(path: &Path) -> Result<Self, StoreError> {
        let connections = (0..reader::OUTSIDE_READERS).map(|_| connect::open_to_read(path));
        let connections = connections.collect::<Result<_, _>>()?;
        let (waiting_max, limit) = (reader::OUTSIDE_QUEUE_MAX, reader::OUTSIDE_WAIT);
        let readers = reader::Readers::start_bounded(connections, waiting_max, limit);
        let readers = readers.map_err(|error| no_thread(path, &error))?;
        Ok(Self { readers, watch: watch(path)? })
    }

    /// Implements [`crate::store::View::due`] on this engine.
    pub(crate) async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        self.readers.read(move |tx| queue::due(tx, now, limit)).await
    }

    /// Implements [`crate::store::View::next_due_at`] on this engine.
    pub(crate) async fn next_due_at(
        &self,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(move |tx| queue::next_due_at(tx, after)).await
    }

    /// Implements [`crate::store::View::has_requests`] on this engine.
    pub(crate) async fn has_requests(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.readers.read(move |tx| queue::has_requests(tx, now)).await
    }

    /// Implements [`crate::store::View::audit`] on this engine.
    pub(crate) async fn audit(
        &self,
        filter: AuditFilter,
        page: Page,
    ) -> Result<Listed<AuditRow>, StoreError> {
        self.readers.read(move |tx| audit::list(tx, &filter, &page)).await
    }

    /// Implements [`crate::store::View::next_delivery_at`] on this engine.
    pub(crate) async fn next_delivery_at(
        &self,
        receivers: Vec<String>,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(move |tx| queue::next_delivery_at(tx, &receivers)).await
    }

    /// Implements [`crate::store::View::has_resends`] on this engine.
    pub(crate) async fn has_resends(
        &self,
        every: BTreeMap<String, Duration>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.readers.read(move |tx| Ok(!resend::due(tx, &every, now)?.is_empty())).await
    }

    /// Implements [`crate::store::View::knows`] on this engine.
    pub(crate) async fn knows(
        &self,
        incident: String,
        receiver: String,
    ) -> Result<bool, StoreError> {
        self.readers.read(move |tx| resend::is_open(tx, &incident, &receiver)).await
    }

    /// Implements [`crate::store::View::known_incidents`] on this engine.
    pub(crate) async fn known_incidents(&self) -> Result<Vec<KnownIncident>, StoreError> {
        self.readers.read(|tx| wake::all(tx)).await
    }

    /// Implements [`crate::store::View::notices`] on this engine.
    pub(crate) async fn notices(&self, incident: &str) -> Result<Vec<NoticeRow>, StoreError> {
        let incident = incident.to_owned();
        self.readers.read(move |tx| known::notices(tx, &incident)).await
    }

    /// Implements [`crate::store::View::next_release_at`] on this engine.
    pub(crate) async fn next_release_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(|tx| release::next_at(tx)).await
    }

    /// Implements [`crate::store::View::silences`] on this engine.
    pub(crate) async fn silences(
        &self,
        ended: bool,
        now: Timestamp,
        page: Page,
    ) -> Result<Listed<SilenceRow>, StoreError> {
        self.readers.read(move |tx| silence::list(tx, ended, now, &page)).await
    }

    /// Implements [`crate::store::View::silence`] on this engine.
    pub(crate) async fn silence(&self, id: i64) -> Result<Option<SilenceRow>, StoreError> {
        self.readers.read(move |tx| silence::find(tx, id)).await
    }

    /// Implements [`crate::store::View::own_faults`] on this engine.
    pub(crate) async fn own_faults(&self) -> Result<Vec<OwnFaultRow>, StoreError> {
        self.readers.read(|tx| fault::all(tx)).await
    }

    /// Implements [`crate::store::View::in_use`] on this engine.
    pub(crate) async fn in_use(&self) -> Result<InUse, StoreError> {
        self.readers.read(|tx| in_use::load(tx)).await
    }

    /// Implements [`crate::store::View::stored_configurations`] on this engine.
    pub(crate) async fn stored_configurations(&self) -> Result<Vec<KeptRow>, StoreError> {
        self.readers.read(|tx| in_use::configurations(tx)).await
    }

    /// Implements [`crate::store::View::stored_integrations`] on this engine.
    pub(crate) async fn stored_integrations(
        &self,
    ) -> Result<BTreeMap<String, StoredIntegration>, StoreError> {
        self.readers.read(|tx| sync::live(tx)).await
    }

    /// Implements [`crate::store::View::pending_types`] on this engine.
    pub(crate) async fn pending_types(&self) -> Result<PendingTypes, StoreError> {
        self.readers.read(|tx| receiver::pending_types(tx)).await
    }

    /// Implements [`crate::store::View::node`] on this engine.
    pub(crate) async fn node(&self) -> Result<NodeRow, StoreError> {
        self.readers.read(|tx| node::load(tx)).await
    }

    /// Implements [`crate::store::View::nodes`] on this engine, which has one.
    pub(crate) async fn nodes(&self) -> Result<Vec<KnownNode>, StoreError> {
        let row = self.node().await?;
        if row.started_at.is_none() {
            return Ok(Vec::new());
        }
        let identity = NodeIdentity { name: NODE.to_owned(), ..NodeIdentity::default() };
        Ok(vec![KnownNode { identity, row, ..KnownNode::default() }])
    }

    /// Implements [`crate::store::View::outage`] on this engine.
    pub(crate) async fn outage(&self, id: &str) -> Result<Option<OutageRow>, StoreError> {
        let id = id.to_owned();
        self.readers.read(move |tx| outage::find(tx, &id)).await
    }

    /// Implements [`crate::store::View::surroundings`] on this engine.
    pub(crate) async fn surroundings(
        &self,
        id: IntegrationId,
        outage: Option<String>,
        now: Timestamp,
    ) -> Result<Surroundings, StoreError> {
        let read = move |tx: &Transaction<'_>| {
            let outage = outage.map(|outage| outage::find(tx, &outage)).transpose()?.flatten();
            let (silences, factors) = (silence::unended(tx, now)?, integration::factors(tx, id)?);
            Ok(Surroundings { silences, outage, factors })
        };
        self.readers.read(read).await
    }

    /// Implements [`crate::store::View::integrations`] on this engine.
    pub(crate) async fn integrations(
        &self,
        page: Page,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        self.readers.read(move |tx| integration::living(tx, &page)).await
    }

    /// Implements [`crate::store::View::deleted_integrations`] on this engine.
    pub(crate) async fn deleted_integrations(
        &self,
        page: Page,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        self.readers.read(move |tx| integration::deleted(tx, &page)).await
    }

    /// Implements [`crate::store::View::targets`] on this engine.
    pub(crate) async fn targets(&self, page: Page) -> Result<Listed<TargetRow>, StoreError> {
        self.readers.read(move |tx| integration::targets(tx, &page)).await
    }

    /// Implements [`crate::store::View::statuses`] on this engine.
    pub(crate) async fn statuses(&self, page: Page) -> Result<Listed<StatusRow>, StoreError> {
        self.readers.read(move |tx| integration::statuses(tx, &page)).await
    }

    /// Implements [`crate::store::View::statuses_by_next_run`] on this engine.
    pub(crate) async fn statuses_by_next_run(
        &self,
        page: Page,
    ) -> Result<Listed<StatusRow>, StoreError> {
        self.readers.read(move |tx| integration::statuses_by_next_run(tx, &page)).await
    }

    /// Implements [`crate::store::View::integration`] on this engine.
    pub(crate) async fn integration(
        &self,
        name: &str,
    ) -> Result<Option<IntegrationRow>, StoreError> {
        let name = name.to_owned();
        self.readers.read(move |tx| integration::integration(tx, &name)).await
    }

    /// Implements [`crate::store::View::integration_of`] on this engine.
    pub(crate) async fn integration_of(
        &self,
        id: IntegrationId,
    ) -> Result<Option<IntegrationRow>, StoreError> {
        self.readers.read(move |tx| integration::of_id(tx, id)).await
    }

    /// Implements [`crate::store::View::integrations_by_id`] on this engine.
    pub(crate) async fn integrations_by_id(
        &self,
        after: IntegrationId,
        limit: u32,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        self.readers.read(move |tx| integration::living_by_id(tx, after, limit)).await
    }

    /// Implements [`crate::store::View::epoch`] on this engine.
    pub(crate) async fn epoch(&self) -> Result<String, StoreError> {
        self.readers.read(|tx| page::epoch(tx)).await
    }

    /// Implements [`crate::store::View::delivery`] on this engine.
    pub(crate) async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, StoreError> {
        self.readers.read(move |tx| history::delivery(tx, id)).await
    }

    /// Implements [`crate::store::View::event`] on this engine.
    pub(crate) async fn event(&self, id: &str) -> Result<Option<EventRow>, StoreError> {
        let id = id.to_owned();
        self.readers.read(move |tx| history::event(tx, &id)).await
    }

    /// Implements [`crate::store::View::runs`] on this engine.
    pub(crate) async fn runs(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<RunRow>, StoreError> {
        self.readers.read(move |tx| history::runs(tx, id, &page)).await
    }

    /// Implements [`crate::store::View::run`] on this engine.
    pub(crate) async fn run(
        &self,
        id: IntegrationId,
        run: RunId,
    ) -> Result<Option<RunRow>, StoreError> {
        self.readers.read(move |tx| history::run(tx, id, run)).await
    }

    /// Implements [`crate::store::View::transitions`] on this engine.
    pub(crate) async fn transitions(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<TransitionRow>, StoreError> {
        self.readers.read(move |tx| history::transitions(tx, id, &page)).await
    }

    /// Implements [`crate::store::View::history`] on this engine.
    pub(crate) async fn history(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<HistoryRow>, StoreError> {
        self.readers.read(move |tx| history::history(tx, id, &page)).await
    }

    /// Implements [`crate::store::View::receivers`] on this engine.
    pub(crate) async fn receivers(&self, page: Page) -> Result<Listed<ReceiverRow>, StoreError> {
        self.readers.read(move |tx| receiver::receivers(tx, &page)).await
    }

    /// Implements [`crate::store::View::events`] on this engine.
    pub(crate) async fn events(&self, after: i64, limit: u32) -> Result<Events, StoreError> {
        self.readers.read(move |tx| history::events(tx, after, limit)).await
    }

    /// Implements [`crate::store::View::awake`] on this engine.
    pub(crate) async fn awake(&self) -> Result<Duration, StoreError> {
        self.readers.read(|tx| awake::read(tx)).await
    }

    /// Implements [`crate::store::View::surplus`] on this engine.
    pub(crate) async fn surplus(&self, retention: Retention) -> Result<Surplus, StoreError> {
        self.readers.read(move |tx| surplus::find(tx, retention)).await
    }

    /// Implements [`crate::store::View::deliveries`] on this engine.
    pub(crate) async fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: Page,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        self.readers.read(move |tx| history::deliveries(tx, &filter, &page)).await
    }
}
