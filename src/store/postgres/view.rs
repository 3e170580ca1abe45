//! View: reads of one consistent state each, on sessions of their own.
//!
//! A read is one closure for [`read`](super::tx::read): `read(&self.connections, async |reads| ...)`, in which
//! functions that take [`Reads`](super::tx::Reads) ask the statements that stand beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::connect::Connections;
use super::error::todo;
use super::migrate;
use super::{
    Attributed, AuditFilter, AuditRow, DeliveryFilter, DeliveryRow, Due, EventRow, Events,
    ExpiryRow, HistoryRow, InUse, IntegrationRow, KeptRow, KnownNode, Listed, Mark, NodeRow,
    NoticeRow, OutageRow, OwnFaultRow, Page, PendingTypes, Position, ReceiverRow, Retention,
    RunFilter, RunRow, SharingRow, SilenceRow, StatusRow, StoreError, StoredIntegration, Surplus,
    TargetRow, TimelineRow, TransitionFilter, TransitionRow,
};
use crate::domain::ledger::KnownIncident;
use crate::domain::{
    DeliveryId, Factor, Facts, IntegrationId, OutageMember, PostgresAddress, RunId, Timestamp,
};

/// Sessions of a daemon's or a command's reads.
pub(super) const READERS: usize = 2;
/// Sessions of reads from outside.
pub(super) const OUTSIDE_READERS: usize = 2;

/// Reads, on sessions of its own. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(super) connections: Connections,
}

impl View {
    /// Implements [`crate::store::View::open`] on this engine.
    pub(crate) async fn open(address: &Arc<PostgresAddress>) -> Result<Self, StoreError> {
        let connections = Connections::new(Arc::clone(address), READERS, false);
        migrate::require_schema(&connections).await?;
        Ok(Self { connections })
    }

    /// Implements [`crate::store::View::outside`] on this engine.
    pub(crate) async fn outside(address: &Arc<PostgresAddress>) -> Result<Self, StoreError> {
        let connections = Connections::new(Arc::clone(address), OUTSIDE_READERS, false);
        migrate::require_schema(&connections).await?;
        Ok(Self { connections })
    }

    /// Implements [`crate::store::View::due`] on this engine.
    pub(crate) async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        todo("due", (now, limit))
    }

    /// Implements [`crate::store::View::next_due_at`] on this engine.
    pub(crate) async fn next_due_at(
        &self,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        todo("next_due_at", (after,))
    }

    /// Implements [`crate::store::View::has_requests`] on this engine.
    pub(crate) async fn has_requests(&self, now: Timestamp) -> Result<bool, StoreError> {
        todo("has_requests", (now,))
    }

    /// Implements [`crate::store::View::audit`] on this engine.
    pub(crate) async fn audit(
        &self,
        filter: AuditFilter,
        page: Page,
    ) -> Result<Listed<AuditRow>, StoreError> {
        todo("audit", (filter, page))
    }

    /// Implements [`crate::store::View::next_delivery_at`] on this engine.
    pub(crate) async fn next_delivery_at(
        &self,
        receivers: Vec<String>,
    ) -> Result<Option<Timestamp>, StoreError> {
        todo("next_delivery_at", (receivers,))
    }

    /// Implements [`crate::store::View::has_resends`] on this engine.
    pub(crate) async fn has_resends(
        &self,
        every: BTreeMap<String, Duration>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        todo("has_resends", (every, now))
    }

    /// Implements [`crate::store::View::knows`] on this engine.
    pub(crate) async fn knows(
        &self,
        incident: String,
        receiver: String,
    ) -> Result<bool, StoreError> {
        todo("knows", (incident, receiver))
    }

    /// Implements [`crate::store::View::known_incidents`] on this engine.
    pub(crate) async fn known_incidents(&self) -> Result<Vec<KnownIncident>, StoreError> {
        todo("known_incidents", ())
    }

    /// Implements [`crate::store::View::notices`] on this engine.
    pub(crate) async fn notices(&self, incident: &str) -> Result<Vec<NoticeRow>, StoreError> {
        todo("notices", (incident,))
    }

    /// Implements [`crate::store::View::next_release_at`] on this engine.
    pub(crate) async fn next_release_at(&self) -> Result<Option<Timestamp>, StoreError> {
        todo("next_release_at", ())
    }

    /// Implements [`crate::store::View::silences`] on this engine.
    pub(crate) async fn silences(
        &self,
        ended: bool,
        now: Timestamp,
        page: Page,
    ) -> Result<Listed<SilenceRow>, StoreError> {
        todo("silences", (ended, now, page))
    }

    /// Implements [`crate::store::View::silence`] on this engine.
    pub(crate) async fn silence(&self, id: i64) -> Result<Option<SilenceRow>, StoreError> {
        todo("silence", (id,))
    }

    /// Implements [`crate::store::View::own_faults`] on this engine.
    pub(crate) async fn own_faults(&self) -> Result<Vec<OwnFaultRow>, StoreError> {
        todo("own_faults", ())
    }

    /// Implements [`crate::store::View::in_use`] on this engine.
    pub(crate) async fn in_use(&self) -> Result<InUse, StoreError> {
        todo("in_use", ())
    }

    /// Implements [`crate::store::View::stored_configurations`] on this engine.
    pub(crate) async fn stored_configurations(&self) -> Result<Vec<KeptRow>, StoreError> {
        todo("stored_configurations", ())
    }

    /// Implements [`crate::store::View::stored_integrations`] on this engine.
    pub(crate) async fn stored_integrations(
        &self,
    ) -> Result<BTreeMap<String, StoredIntegration>, StoreError> {
        todo("stored_integrations", ())
    }

    /// Implements [`crate::store::View::pending_types`] on this engine.
    pub(crate) async fn pending_types(&self) -> Result<PendingTypes, StoreError> {
        todo("pending_types", ())
    }

    /// Implements [`crate::store::View::node`] on this engine.
    pub(crate) async fn node(&self) -> Result<NodeRow, StoreError> {
        todo("node", ())
    }

    /// Implements [`crate::store::View::nodes`] on this engine.
    pub(crate) async fn nodes(&self) -> Result<Vec<KnownNode>, StoreError> {
        todo("nodes", ())
    }

    /// Implements [`crate::store::View::outage`] on this engine.
    pub(crate) async fn outage(&self, id: &str) -> Result<Option<OutageRow>, StoreError> {
        todo("outage", (id,))
    }

    /// Implements [`crate::store::View::factors`] on this engine.
    pub(crate) async fn factors(
        &self,
        id: IntegrationId,
    ) -> Result<Vec<(Factor, u32)>, StoreError> {
        todo("factors", (id,))
    }

    /// Implements [`crate::store::View::integrations`] on this engine.
    pub(crate) async fn integrations(
        &self,
        page: Page,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        todo("integrations", (page,))
    }

    /// Implements [`crate::store::View::deleted_integrations`] on this engine.
    pub(crate) async fn deleted_integrations(
        &self,
        page: Page,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        todo("deleted_integrations", (page,))
    }

    /// Implements [`crate::store::View::targets`] on this engine.
    pub(crate) async fn targets(&self, page: Page) -> Result<Listed<TargetRow>, StoreError> {
        todo("targets", (page,))
    }

    /// Implements [`crate::store::View::statuses`] on this engine.
    pub(crate) async fn statuses(&self, page: Page) -> Result<Listed<StatusRow>, StoreError> {
        todo("statuses", (page,))
    }

    /// Implements [`crate::store::View::integration`] on this engine.
    pub(crate) async fn integration(
        &self,
        name: &str,
    ) -> Result<Option<IntegrationRow>, StoreError> {
        todo("integration", (name,))
    }

    /// Implements [`crate::store::View::integration_of`] on this engine.
    pub(crate) async fn integration_of(
        &self,
        id: IntegrationId,
    ) -> Result<Option<IntegrationRow>, StoreError> {
        todo("integration_of", (id,))
    }

    /// Implements [`crate::store::View::integrations_by_id`] on this engine.
    pub(crate) async fn integrations_by_id(
        &self,
        after: IntegrationId,
        limit: u32,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        todo("integrations_by_id", (after, limit))
    }

    /// Implements [`crate::store::View::epoch`] on this engine.
    pub(crate) async fn epoch(&self) -> Result<String, StoreError> {
        todo("epoch", ())
    }

    /// Implements [`crate::store::View::delivery`] on this engine.
    pub(crate) async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, StoreError> {
        todo("delivery", (id,))
    }

    /// Implements [`crate::store::View::event`] on this engine.
    pub(crate) async fn event(&self, id: &str) -> Result<Option<EventRow>, StoreError> {
        todo("event", (id,))
    }

    /// Implements [`crate::store::View::runs`] on this engine.
    pub(crate) async fn runs(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<RunRow>, StoreError> {
        todo("runs", (id, page))
    }

    /// Implements [`crate::store::View::run`] on this engine.
    pub(crate) async fn run(
        &self,
        id: IntegrationId,
        run: RunId,
    ) -> Result<Option<RunRow>, StoreError> {
        todo("run", (id, run))
    }

    /// Implements [`crate::store::View::transitions`] on this engine.
    pub(crate) async fn transitions(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<TransitionRow>, StoreError> {
        todo("transitions", (id, page))
    }

    /// Implements [`crate::store::View::history`] on this engine.
    pub(crate) async fn history(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<HistoryRow>, StoreError> {
        todo("history", (id, page))
    }

    /// Implements [`crate::store::View::receivers`] on this engine.
    pub(crate) async fn receivers(&self, page: Page) -> Result<Listed<ReceiverRow>, StoreError> {
        todo("receivers", (page,))
    }

    /// Implements [`crate::store::View::events`] on this engine.
    pub(crate) async fn events(&self, after: i64, limit: u32) -> Result<Events, StoreError> {
        todo("events", (after, limit))
    }

    /// Implements [`crate::store::View::awake`] on this engine.
    pub(crate) async fn awake(&self) -> Result<Duration, StoreError> {
        todo("awake", ())
    }

    /// Implements [`crate::store::View::surplus`] on this engine.
    pub(crate) async fn surplus(&self, retention: Retention) -> Result<Surplus, StoreError> {
        todo("surplus", (retention,))
    }

    /// Implements [`crate::store::View::deliveries`] on this engine.
    pub(crate) async fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: Page,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        todo("deliveries", (filter, page))
    }

    /// Implements [`crate::store::View::strips`] on this engine.
    pub(crate) async fn strips(
        &self,
        ids: Vec<IntegrationId>,
        last: u32,
    ) -> Result<Vec<(IntegrationId, Vec<Mark>)>, StoreError> {
        todo("strips", (ids, last))
    }

    /// Implements [`crate::store::View::expiries`] on this engine.
    pub(crate) async fn expiries(
        &self,
        until: Timestamp,
        page: Page,
    ) -> Result<Listed<ExpiryRow>, StoreError> {
        todo("expiries", (until, page))
    }

    /// Implements [`crate::store::View::all_transitions`] on this engine.
    pub(crate) async fn all_transitions(
        &self,
        filter: TransitionFilter,
        page: Page,
    ) -> Result<Listed<Attributed<TransitionRow>>, StoreError> {
        todo("all_transitions", (filter, page))
    }

    /// Implements [`crate::store::View::all_runs`] on this engine.
    pub(crate) async fn all_runs(
        &self,
        filter: RunFilter,
        page: Page,
    ) -> Result<Listed<Attributed<RunRow>>, StoreError> {
        todo("all_runs", (filter, page))
    }

    /// Implements [`crate::store::View::outages`] on this engine.
    pub(crate) async fn outages(
        &self,
        is_open: bool,
        page: Page,
    ) -> Result<Listed<OutageRow>, StoreError> {
        todo("outages", (is_open, page))
    }

    /// Implements [`crate::store::View::outage_members`] on this engine.
    pub(crate) async fn outage_members(&self, id: &str) -> Result<Vec<OutageMember>, StoreError> {
        todo("outage_members", (id,))
    }

    /// Implements [`crate::store::View::timelines`] on this engine.
    pub(crate) async fn timelines(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<TimelineRow>, StoreError> {
        todo("timelines", (since, until))
    }

    /// Implements [`crate::store::View::position`] on this engine.
    pub(crate) async fn position(&self) -> Result<Position, StoreError> {
        todo("position", ())
    }

    /// Implements [`crate::store::View::mentions`] on this engine.
    pub(crate) async fn mentions(
        &self,
        words: Vec<String>,
    ) -> Result<Vec<BTreeSet<IntegrationId>>, StoreError> {
        todo("mentions", (words,))
    }

    /// Implements [`crate::store::View::sharing`] on this engine.
    pub(crate) async fn sharing(&self, id: IntegrationId) -> Result<Vec<SharingRow>, StoreError> {
        todo("sharing", (id,))
    }

    /// Implements [`crate::store::View::facts`] on this engine.
    pub(crate) async fn facts(&self, id: IntegrationId) -> Result<Option<Facts>, StoreError> {
        todo("facts", (id,))
    }

    /// Implements [`crate::store::View::runs_since`] on this engine.
    pub(crate) async fn runs_since(&self, since: Timestamp) -> Result<u32, StoreError> {
        todo("runs_since", (since,))
    }
}
