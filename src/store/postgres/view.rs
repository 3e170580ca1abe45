//! View: reads of one consistent state each, on sessions of their own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::connect::Connections;
use super::eligible::Eligible;
use super::page::{self, Listed, Page};
use super::{
    AuditFilter, AuditRow, DeliveryFilter, DeliveryRow, Due, EventRow, Events, HistoryRow, InUse,
    IntegrationRow, KeptRow, KnownNode, NodeRow, NoticeRow, OutageRow, OwnFaultRow, PendingTypes,
    ReceiverRow, Retention, RunRow, SilenceRow, StatusRow, StoreError, StoredIntegration, Surplus,
    Surroundings, TargetRow, TransitionRow, audit, awake, deliveries, fault, history, in_use,
    integration, known, migrate, node_row, outages, queue, receiver, release, resend, silences,
    surplus, sync,
};
use crate::domain::ledger::KnownIncident;
use crate::domain::{DeliveryId, IntegrationId, PostgresAddress, RunId, Timestamp};

/// Sessions of a daemon's or a command's reads.
const READERS: usize = 2;
/// Sessions of reads from outside.
const OUTSIDE_READERS: usize = 4;
/// Number of reads from outside that may wait for a session; more are refused.
const OUTSIDE_WAITING_MAX: usize = 32;
/// Time limit of a read from outside, waiting included.
const OUTSIDE_WAIT: Duration = Duration::from_secs(8);

/// Does work with one state of everything, within the bounds of a view.
macro_rules! read {
    ($view:expr, $tx:ident => $work:expr) => {
        $view.bounded(async { super::tx::read!(&$view.connections, $tx => $work) }).await
    };
}
pub(super) use read;

/// Reads, on sessions of its own. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(super) connections: Connections,
    /// Bound of the reads at a time, those that wait among them; none for the daemon's own.
    bound: Option<Arc<Semaphore>>,
    /// Work that the node of a daemon may take.
    eligible: Arc<Eligible>,
}

impl View {
    /// Implements [`crate::store::View::open`] on this engine.
    pub(crate) async fn open(address: &Arc<PostgresAddress>) -> Result<Self, StoreError> {
        Self::with(address, READERS, None).await
    }

    /// Implements [`crate::store::View::outside`] on this engine.
    pub(crate) async fn outside(address: &Arc<PostgresAddress>) -> Result<Self, StoreError> {
        let bound = Semaphore::new(OUTSIDE_READERS + OUTSIDE_WAITING_MAX);
        Self::with(address, OUTSIDE_READERS, Some(Arc::new(bound))).await
    }

    async fn with(
        address: &Arc<PostgresAddress>,
        sessions: usize,
        bound: Option<Arc<Semaphore>>,
    ) -> Result<Self, StoreError> {
        let connections = Connections::new(Arc::clone(address), sessions, false);
        migrate::require_schema(&connections).await?;
        Ok(Self { connections, bound, eligible: Arc::default() })
    }

    /// Returns the view of a node, which finds due what that may take.
    pub(super) fn of_node(self, eligible: &Arc<Eligible>) -> Self {
        Self { eligible: Arc::clone(eligible), ..self }
    }

    /// Waits for a read, within the bounds of the view.
    pub(super) async fn bounded<T>(
        &self,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let Some(bound) = &self.bound else { return read.await };
        let _permit = bound.try_acquire().map_err(|_full| StoreError::Busy)?;
        timeout(OUTSIDE_WAIT, read).await.map_err(|_late| StoreError::TooSlow)?
    }

    /// Implements [`crate::store::View::due`] on this engine.
    pub(crate) async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        read!(self, tx => queue::due(tx, &self.eligible, now, limit).await)
    }

    /// Implements [`crate::store::View::next_due_at`] on this engine.
    pub(crate) async fn next_due_at(
        &self,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        read!(self, tx => queue::next_due_at(tx, &self.eligible, after).await)
    }

    /// Implements [`crate::store::View::has_requests`] on this engine.
    pub(crate) async fn has_requests(&self, now: Timestamp) -> Result<bool, StoreError> {
        read!(self, tx => queue::has_requests(tx, &self.eligible, now).await)
    }

    /// Implements [`crate::store::View::audit`] on this engine.
    pub(crate) async fn audit(
        &self,
        filter: AuditFilter,
        page: Page,
    ) -> Result<Listed<AuditRow>, StoreError> {
        read!(self, tx => audit::list(tx, &filter, &page).await)
    }

    /// Implements [`crate::store::View::next_delivery_at`] on this engine.
    pub(crate) async fn next_delivery_at(
        &self,
        receivers: Vec<String>,
    ) -> Result<Option<Timestamp>, StoreError> {
        read!(self, tx => queue::next_delivery_at(tx, &receivers).await)
    }

    /// Implements [`crate::store::View::has_resends`] on this engine.
    pub(crate) async fn has_resends(
        &self,
        every: BTreeMap<String, Duration>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        read!(self, tx => resend::is_due(tx, &every, now).await)
    }

    /// Implements [`crate::store::View::knows`] on this engine.
    pub(crate) async fn knows(
        &self,
        incident: String,
        receiver: String,
    ) -> Result<bool, StoreError> {
        read!(self, tx => resend::is_open(tx, &incident, &receiver).await)
    }

    /// Implements [`crate::store::View::known_incidents`] on this engine.
    pub(crate) async fn known_incidents(&self) -> Result<Vec<KnownIncident>, StoreError> {
        read!(self, tx => known::all(tx).await)
    }

    /// Implements [`crate::store::View::notices`] on this engine.
    pub(crate) async fn notices(&self, incident: &str) -> Result<Vec<NoticeRow>, StoreError> {
        read!(self, tx => outages::notices(tx, incident).await)
    }

    /// Implements [`crate::store::View::next_release_at`] on this engine.
    pub(crate) async fn next_release_at(&self) -> Result<Option<Timestamp>, StoreError> {
        read!(self, tx => release::next_at(tx).await)
    }

    /// Implements [`crate::store::View::silences`] on this engine.
    pub(crate) async fn silences(
        &self,
        ended: bool,
        now: Timestamp,
        page: Page,
    ) -> Result<Listed<SilenceRow>, StoreError> {
        read!(self, tx => silences::list(tx, ended, now, &page).await)
    }

    /// Implements [`crate::store::View::silence`] on this engine.
    pub(crate) async fn silence(&self, id: i64) -> Result<Option<SilenceRow>, StoreError> {
        read!(self, tx => silences::find(tx, id).await)
    }

    /// Implements [`crate::store::View::own_faults`] on this engine.
    pub(crate) async fn own_faults(&self) -> Result<Vec<OwnFaultRow>, StoreError> {
        read!(self, tx => fault::all(tx).await)
    }

    /// Implements [`crate::store::View::in_use`] on this engine.
    pub(crate) async fn in_use(&self) -> Result<InUse, StoreError> {
        read!(self, tx => in_use::load(tx).await)
    }

    /// Implements [`crate::store::View::stored_configurations`] on this engine.
    pub(crate) async fn stored_configurations(&self) -> Result<Vec<KeptRow>, StoreError> {
        read!(self, tx => in_use::configurations(tx).await)
    }

    /// Implements [`crate::store::View::stored_integrations`] on this engine.
    pub(crate) async fn stored_integrations(
        &self,
    ) -> Result<BTreeMap<String, StoredIntegration>, StoreError> {
        read!(self, tx => sync::live(tx).await)
    }

    /// Implements [`crate::store::View::pending_types`] on this engine.
    pub(crate) async fn pending_types(&self) -> Result<PendingTypes, StoreError> {
        read!(self, tx => receiver::pending_types(tx).await)
    }

    /// Implements [`crate::store::View::node`] on this engine.
    pub(crate) async fn node(&self) -> Result<NodeRow, StoreError> {
        let name = &self.connections.address().node;
        read!(self, tx => node_row::load(tx, name).await)
    }

    /// Implements [`crate::store::View::nodes`] on this engine.
    pub(crate) async fn nodes(&self) -> Result<Vec<KnownNode>, StoreError> {
        read!(self, tx => node_row::all(tx).await)
    }

    /// Implements [`crate::store::View::outage`] on this engine.
    pub(crate) async fn outage(&self, id: &str) -> Result<Option<OutageRow>, StoreError> {
        read!(self, tx => outages::find(tx, id).await)
    }

    /// Implements [`crate::store::View::surroundings`] on this engine.
    pub(crate) async fn surroundings(
        &self,
        id: IntegrationId,
        outage: Option<String>,
        now: Timestamp,
    ) -> Result<Surroundings, StoreError> {
        read!(self, tx => {
            let outage = match &outage {
                Some(outage) => outages::find(tx, outage).await?,
                None => None,
            };
            let silences = silences::unended(tx, now).await?;
            Ok(Surroundings { silences, outage, factors: integration::factors(tx, id).await? })
        })
    }

    /// Implements [`crate::store::View::integrations`] on this engine.
    pub(crate) async fn integrations(
        &self,
        page: Page,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        read!(self, tx => integration::living(tx, &page).await)
    }

    /// Implements [`crate::store::View::deleted_integrations`] on this engine.
    pub(crate) async fn deleted_integrations(
        &self,
        page: Page,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        read!(self, tx => integration::deleted(tx, &page).await)
    }

    /// Implements [`crate::store::View::targets`] on this engine.
    pub(crate) async fn targets(&self, page: Page) -> Result<Listed<TargetRow>, StoreError> {
        read!(self, tx => integration::targets(tx, &page).await)
    }

    /// Implements [`crate::store::View::statuses`] on this engine.
    pub(crate) async fn statuses(&self, page: Page) -> Result<Listed<StatusRow>, StoreError> {
        read!(self, tx => integration::statuses(tx, &page).await)
    }

    /// Implements [`crate::store::View::statuses_by_next_run`] on this engine.
    pub(crate) async fn statuses_by_next_run(
        &self,
        page: Page,
    ) -> Result<Listed<StatusRow>, StoreError> {
        read!(self, tx => integration::statuses_by_next_run(tx, &page).await)
    }

    /// Implements [`crate::store::View::integration`] on this engine.
    pub(crate) async fn integration(
        &self,
        name: &str,
    ) -> Result<Option<IntegrationRow>, StoreError> {
        read!(self, tx => integration::integration(tx, name).await)
    }

    /// Implements [`crate::store::View::integration_of`] on this engine.
    pub(crate) async fn integration_of(
        &self,
        id: IntegrationId,
    ) -> Result<Option<IntegrationRow>, StoreError> {
        read!(self, tx => integration::of_id(tx, id).await)
    }

    /// Implements [`crate::store::View::integrations_by_id`] on this engine.
    pub(crate) async fn integrations_by_id(
        &self,
        after: IntegrationId,
        limit: u32,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        read!(self, tx => integration::living_by_id(tx, after, limit).await)
    }

    /// Implements [`crate::store::View::epoch`] on this engine.
    pub(crate) async fn epoch(&self) -> Result<String, StoreError> {
        read!(self, tx => page::epoch(tx).await)
    }

    /// Implements [`crate::store::View::delivery`] on this engine.
    pub(crate) async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, StoreError> {
        read!(self, tx => deliveries::delivery(tx, id).await)
    }

    /// Implements [`crate::store::View::event`] on this engine.
    pub(crate) async fn event(&self, id: &str) -> Result<Option<EventRow>, StoreError> {
        read!(self, tx => history::event(tx, id).await)
    }

    /// Implements [`crate::store::View::runs`] on this engine.
    pub(crate) async fn runs(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<RunRow>, StoreError> {
        read!(self, tx => history::runs(tx, id, &page).await)
    }

    /// Implements [`crate::store::View::run`] on this engine.
    pub(crate) async fn run(
        &self,
        id: IntegrationId,
        run: RunId,
    ) -> Result<Option<RunRow>, StoreError> {
        read!(self, tx => history::run(tx, id, run).await)
    }

    /// Implements [`crate::store::View::transitions`] on this engine.
    pub(crate) async fn transitions(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<TransitionRow>, StoreError> {
        read!(self, tx => history::transitions(tx, id, &page).await)
    }

    /// Implements [`crate::store::View::history`] on this engine.
    pub(crate) async fn history(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<HistoryRow>, StoreError> {
        read!(self, tx => history::history(tx, id, &page).await)
    }

    /// Implements [`crate::store::View::receivers`] on this engine.
    pub(crate) async fn receivers(&self, page: Page) -> Result<Listed<ReceiverRow>, StoreError> {
        read!(self, tx => receiver::receivers(tx, &page).await)
    }

    /// Implements [`crate::store::View::events`] on this engine.
    pub(crate) async fn events(&self, after: i64, limit: u32) -> Result<Events, StoreError> {
        read!(self, tx => history::events(tx, after, limit).await)
    }

    /// Implements [`crate::store::View::awake`] on this engine.
    pub(crate) async fn awake(&self) -> Result<Duration, StoreError> {
        read!(self, tx => awake::read(tx).await)
    }

    /// Implements [`crate::store::View::surplus`] on this engine.
    pub(crate) async fn surplus(&self, retention: Retention) -> Result<Surplus, StoreError> {
        read!(self, tx => surplus::find(tx, retention).await)
    }

    /// Implements [`crate::store::View::deliveries`] on this engine.
    pub(crate) async fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: Page,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        read!(self, tx => deliveries::deliveries(tx, &filter, &page).await)
    }
}
